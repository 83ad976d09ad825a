package bitcoin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/koshpay/kosh/providers"
)

// Bump looks after the withdrawals that wait for a block. What the node no longer has it broadcasts again, as it was signed. What has
// waited for Config.BumpAfter it replaces (BIP-125) by a transaction that makes the same payment from the same coins, and others if
// it must, at today's rate and at least enough more for nodes to take it, as long as that is within what the withdrawal may cost. Whichever of
// them is mined is the one that is reported. A withdrawal whose coins somebody else has spent for good is failed, after [Provider.Resume].
//
// Call it every few minutes, or set Config.BumpInPoll. Of several processes that call it one replaces. One withdrawal's error does not stop
// the others.
func (p *Provider) Bump(ctx context.Context) error {
	done, err := p.catchUp(ctx)
	if err != nil {
		return err
	}
	if !done {
		return errBehind
	}
	keys, err := p.waiting(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, key := range keys {
		if err := p.bump(ctx, key); err != nil {
			errs = append(errs, fmt.Errorf("bitcoin: withdrawal %s: %w", key, err))
		}
	}
	return errors.Join(errs...)
}

// waiting returns the operations that have coins reserved.
func (p *Provider) waiting(ctx context.Context) (keys []string, err error) {
	coins, err := p.coins(ctx)
	if err != nil {
		return nil, err
	}
	for outpoint := range coins {
		var o output
		if _, err := providers.LoadState(ctx, p.state, outputKey(outpoint), &o); err != nil {
			return nil, err
		}
		if o.Reserved != "" {
			keys = append(keys, o.Reserved)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

func (p *Provider) bump(ctx context.Context, key string) error {
	var o operation
	version, err := providers.LoadState(ctx, p.state, opKey(key), &o)
	if err != nil || len(o.Sent) == 0 || o.Failed != nil || o.now() != nil {
		return err
	}
	last := o.Sent[len(o.Sent)-1]
	known, err := p.node.knows(ctx, last.TxID)
	if err == nil && !known {
		err = p.node.send(ctx, last.Raw)
	}
	if err != nil && !hasCode(err, codeRefused, codeMissing) { // an earlier one may wait in its place, or pay too little today
		return err
	}
	if p.now().Before(last.At.Add(p.config.BumpAfter)) {
		return nil
	}
	next, err := p.replacement(ctx, key, o)
	if err != nil || next == nil {
		return err
	}
	// As a withdrawal is made: planned, reserved, signed, stored, and then sent.
	o.Plan = next
	version, err = providers.SaveState(ctx, p.state, opKey(key), o, version)
	if err != nil {
		return ignoreConflict(err)
	}
	kept, err := p.reserve(ctx, key, *next)
	if err != nil || !kept {
		return err
	}
	v, err := p.signed(ctx, key, o, *next)
	if err != nil {
		return err
	}
	if err := p.nameSent(ctx, v.TxID, key); err != nil {
		return err
	}
	o.Sent, o.Plan = append(o.Sent, v), nil
	if _, err := providers.SaveState(ctx, p.state, opKey(key), o, version); err != nil {
		return ignoreConflict(err)
	}
	return p.node.send(ctx, v.Raw)
}

// ignoreConflict: another process was first, or the transaction was just mined.
func ignoreConflict(err error) error {
	if errors.Is(err, providers.ErrStateConflict) {
		return nil
	}
	return err
}

// replacement plans a transaction in the place of those that were sent; nil: it may not cost so much, or there are no coins for it.
func (p *Provider) replacement(ctx context.Context, key string, o operation) (*variant, error) {
	script, err := p.config.Network.destination(o.Instrument)
	if err != nil {
		return nil, err
	}
	rate, err := p.rate(ctx)
	if err != nil {
		return nil, err
	}
	coins, free, err := p.free(ctx, key)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(coins, func(a, b coin) int { return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Output, b.Output)) })
	last := o.Sent[len(o.Sent)-1]
	v := variant{Inputs: slices.Clone(last.Inputs), Back: last.Back, At: p.now()}
	units, _ := o.Amount.Int64()
	// A node wants the fee of what is replaced, and the least relay fee for the new one on top.
	fee := func(vbytes int64) int64 { return max(feeFor(rate, vbytes), last.Fee+feeFor(minRelayRate, vbytes)) }
	for !v.settle(units, fee, script) {
		if len(coins) == 0 || len(v.Inputs) == maxInputs {
			return nil, nil //nolint:nilnil // it waits on
		}
		in, ok, err := free(coins[0])
		if err != nil {
			return nil, err
		}
		if ok && !o.spends(in.Output) {
			v.Inputs = append(v.Inputs, in)
		}
		coins = coins[1:]
	}
	if v.Fee > o.MaxFee {
		return nil, nil //nolint:nilnil // it waits on
	}
	if v.Change > 0 && v.Back == (place{}) {
		if v.Back, err = p.nextChange(ctx); err != nil {
			return nil, err
		}
	}
	if v.Change == 0 {
		v.Back = place{}
	}
	tx, err := p.unsigned(v, units, script)
	if err != nil {
		return nil, err
	}
	v.TxID = tx.TxHash().String()
	return &v, nil
}

// minRelayRate is what nodes want on top for replacing, at their default, in satoshi for 1000 virtual bytes.
const minRelayRate = 1000
