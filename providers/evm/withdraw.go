package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// Submit implements providers.Provider. A deposit address is made without the network. A withdrawal is signed, stored and then
// sent, once: what is submitted again is the same bytes. Until they are stored an error is NotSent or Rejected, from then
// on Maybe.
func (p *Provider) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := errors.Join(ctx.Err(), op.Validate()); err != nil {
		return providers.Report{}, notSent(err)
	}
	if err := p.Describe().Supports(op); err != nil {
		return providers.Report{}, notSent(err)
	}
	if _, err := p.running(ctx); err != nil {
		return providers.Report{}, p.uncertain(ctx, op, err)
	}
	if err := p.started(ctx); err != nil {
		return providers.Report{}, p.uncertain(ctx, op, err)
	}
	if op.Kind == providers.DepositAddress {
		return p.submitAddress(ctx, op)
	}
	return p.submitWithdrawal(ctx, op)
}

// uncertain is an error from before this attempt did anything. If the key was signed already an earlier attempt may have sent
// it, and then nothing may be said to be over.
func (p *Provider) uncertain(ctx context.Context, op providers.Operation, err error) error {
	var r record
	if _, errLoad := providers.LoadState(ctx, p.state, opKey(op.Key), &r); errLoad != nil || r.Order != nil && len(r.Order.Versions) > 0 {
		return &providers.Error{Err: err}
	}
	return notSent(err)
}

// CheckAddress implements providers.AddressChecker: 0x and 40 hexadecimal digits, whose letters, if of both cases, are the checksum
// of EIP-55; neither the address of nobody nor, for a token, the token's own contract, where money is lost.
func (p *Provider) CheckAddress(asset currency.AssetID, address string) error {
	known := p.assets[asset]
	if known == nil {
		return fmt.Errorf("%w: %q", providers.ErrUnsupported, asset)
	}
	to, err := eth.ParseAddress(address)
	if err != nil {
		return err
	}
	if to == (eth.Address{}) || known.token != nil && to == *known.token {
		return fmt.Errorf("%w: money that is sent there is lost", eth.ErrAddress)
	}
	return nil
}

// payment reads what a withdrawal asks for.
func (p *Provider) payment(op providers.Operation) (payment, error) {
	if err := p.CheckAddress(op.Amount.AssetID(), op.Instrument); err != nil {
		return payment{}, &providers.Error{
			Certainty: providers.Rejected, Code: "invalid_address", Public: "Money cannot be sent to this address.", Err: err,
		}
	}
	to, err := eth.ParseAddress(op.Instrument)
	return payment{asset: p.assets[op.Amount.AssetID()], from: p.treasury, to: to, units: op.Amount.Big()}, err
}

func (p *Provider) submitWithdrawal(ctx context.Context, op providers.Operation) (providers.Report, error) {
	r, err := p.intend(ctx, op)
	if err != nil {
		return providers.Report{}, err
	}
	if len(r.Order.Versions) == 0 {
		if r, err = p.prepare(ctx, op.Key, r); err != nil {
			return providers.Report{}, err
		}
	}
	if r.Mined == nil && !r.Final {
		if r, err = p.broadcast(ctx, opKey(op.Key), r, op.Attempt); err != nil {
			return providers.Report{}, err
		}
	}
	height, err := p.height(ctx)
	if err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.Duplicate, Err: err}
	}
	return p.report(r, height), nil
}

// intend writes down that a withdrawal is wanted, once for its key.
func (p *Provider) intend(ctx context.Context, op providers.Operation) (record, error) {
	var r record
	version, err := providers.LoadState(ctx, p.state, opKey(op.Key), &r)
	if err != nil {
		return r, &providers.Error{Err: err} // what an earlier attempt did cannot be seen
	}
	if version == 0 {
		if _, err := p.payment(op); err != nil {
			return r, err
		}
		fresh := record{
			Kind: providers.Withdrawal, Purpose: providers.PurposeWithdrawal, Key: op.Key, Amount: op.Amount, To: op.Instrument,
			Member: op.Member, At: p.config.Now().UTC(), Required: p.required(op.Amount),
			Order: &order{From: p.treasury, Key: p.config.Treasury.Key, MaxFee: feeCap{op.MaxFee, op.FeeUntil}},
		}
		r, err = providers.ChangeState(ctx, p.state, opKey(op.Key), func(r *record, isNew bool) error {
			if !isNew {
				return providers.ErrStateSame
			}
			*r = fresh
			return nil
		})
		if err != nil {
			return r, notSent(err)
		}
	}
	switch {
	case r.Kind != op.Kind || r.Amount != op.Amount || r.To != op.Instrument:
		return r, duplicate()
	case r.Gone != nil && len(r.Order.Versions) == 0:
		return r, &providers.Error{Certainty: providers.Rejected, Code: r.Gone.Code, Public: r.Gone.Public}
	}
	return r, nil
}

// prepare prices, numbers and signs a withdrawal. What is refused for good is remembered, so that nobody signs it later.
func (p *Provider) prepare(ctx context.Context, key string, r record) (record, error) {
	signed, err := p.make(ctx, opKey(key), r)
	if err == nil {
		return signed, nil
	}
	detail := &providers.Error{Certainty: providers.NotSent, Err: err}
	if known, ok := errors.AsType[*providers.Error](err); ok {
		detail = known
	}
	if errors.Is(err, providers.ErrSignerRefused) {
		detail = &providers.Error{
			Certainty: providers.Rejected, Code: "signer_refused", Public: "The payment was turned down.", Err: err,
		}
	}
	if detail.Certainty != providers.Rejected {
		return r, detail
	}
	over := false
	_, err = providers.ChangeState(ctx, p.state, opKey(key), func(now *record, _ bool) error {
		if over = len(now.Order.Versions) == 0; !over || now.Gone != nil {
			return providers.ErrStateSame
		}
		now.Gone = &providers.Reason{Code: detail.Code, Public: detail.Public}
		return nil
	})
	switch {
	case err != nil:
		return r, notSent(err)
	case !over:
		return r, &providers.Error{Err: detail} // another attempt was faster, and its bytes may be on their way
	}
	if err := p.giveBack(ctx, r.Order.From, opKey(key)); err != nil {
		return r, notSent(err) // the next attempt says that it is rejected; Fill gives the nonce back
	}
	return r, detail
}

// make turns a record without bytes into one with.
func (p *Provider) make(ctx context.Context, key string, r record) (record, error) {
	if until := r.Order.MaxFee.Until; !until.IsZero() && p.config.Now().After(until) {
		return r, &providers.Error{Certainty: providers.Rejected, Code: providers.CodeQuoteExpired, Public: "The price is no longer valid."}
	}
	if most := r.Order.MaxFee.Amount; most.IsValid() && most.AssetID() != p.native.id {
		return r, &providers.Error{
			Certainty: providers.Rejected, Code: providers.CodeFeeCap, Err: fmt.Errorf("evm: fees are paid in %s, not in %s", p.native.id, most.AssetID()),
		}
	}
	to, err := eth.ParseAddress(r.To)
	if err != nil {
		return r, err
	}
	e, err := p.pick(ctx)
	if err != nil {
		return r, err
	}
	m := payment{asset: p.assets[r.Amount.AssetID()], from: r.Order.From, to: to, units: r.Amount.Big()}
	tx := p.call(m)
	if tx.Gas, err = e.gas(ctx, m.from, tx); err != nil {
		return r, err
	}
	now, err := e.prices(ctx)
	if err != nil {
		return r, err
	}
	if now, err = now.within(tx.Gas, p.lesser(r.Order.MaxFee)); err != nil {
		return r, err
	}
	return p.seal(ctx, e, key, r, m, tx, now)
}

// seal gives a transaction its nonce, signs and stores it.
func (p *Provider) seal(ctx context.Context, e *endpoint, key string, r record, m payment, tx eth.Tx, now price) (record, error) {
	tx.Tip, tx.MaxFee = now.tip, now.max
	if tx.Tip.Cmp(tx.MaxFee) > 0 {
		tx.Tip = tx.MaxFee
	}
	wants := slot{Key: key, Wei: new(big.Int).Add(tx.Value, now.cost(tx.Gas))}
	if m.asset.token != nil {
		wants.Asset, wants.Units = m.asset.id, m.units
	}
	nonce, err := p.allocate(ctx, e, m.from, wants)
	if err != nil {
		return r, err
	}
	tx.Nonce = nonce
	r, err = providers.ChangeState(ctx, p.state, key, func(now *record, _ bool) error {
		switch {
		case now.Gone != nil:
			return errDetached
		case now.Order.Nonce != nil && *now.Order.Nonce == nonce, len(now.Order.Versions) > 0:
			return providers.ErrStateSame
		}
		now.Order.Nonce = &nonce
		return nil
	})
	if err != nil || len(r.Order.Versions) > 0 {
		return r, err
	}
	intent, err := p.intent(r, tx)
	if err != nil {
		return r, err
	}
	return p.sign(ctx, key, r, tx, intent)
}

// intent is what the signer is told.
func (p *Provider) intent(r record, tx eth.Tx) (providers.Intent, error) {
	fee, err := currency.FromBig(price{max: tx.MaxFee}.cost(tx.Gas), p.native.def)
	in := providers.Intent{
		Chain: p.chain, Purpose: r.Purpose, Operation: r.Key, MaxFee: fee, Nonce: tx.Nonce,
		Outputs: []providers.Output{{To: r.To, Amount: r.Amount, Change: r.Purpose != providers.PurposeWithdrawal}},
	}
	if n := len(r.Order.Versions); n > 0 {
		in.Replaces = r.Order.Versions[n-1].Hash.String()
	}
	return in, err
}

// broadcast sends the newest version to one endpoint, another one at each attempt, and writes down that a node has it.
func (p *Provider) broadcast(ctx context.Context, key string, r record, attempt int) (record, error) {
	newest := r.Order.Versions[len(r.Order.Versions)-1]
	e := p.endpoints[attempt%len(p.endpoints)]
	var hash eth.Hash
	err := e.call(ctx, &hash, "eth_sendRawTransaction", eth.Data(newest.Raw))
	switch {
	case err == nil && hash != newest.Hash:
		err = fmt.Errorf("evm: %s calls our transaction %s, which is %s", e.name, hash, newest.Hash)
	case says(err, "already known", "known transaction", "already imported"):
		err = nil
	case says(err, "nonce too low", "replacement transaction underpriced"):
		// A version of ours may be what used the nonce.
		if known, errLook := p.known(ctx, e, r); errLook == nil && known {
			err = nil
		}
	}
	if err != nil {
		return r, &providers.Error{Err: err}
	}
	r, err = p.seen(ctx, key)
	if err != nil {
		return r, &providers.Error{Certainty: providers.Duplicate, Err: err}
	}
	return r, nil
}

// seen writes down, once, that a node has a transaction of ours.
func (p *Provider) seen(ctx context.Context, key string) (record, error) {
	first := false
	r, err := providers.ChangeState(ctx, p.state, key, func(now *record, _ bool) error {
		if first = !now.Order.Seen; !first {
			return providers.ErrStateSame
		}
		now.Order.Seen = true
		now.Changes++
		return nil
	})
	if err == nil && first {
		err = p.changed(ctx, key, r)
	}
	return r, err
}

// known tells whether a node has any version of a transaction of ours.
func (p *Provider) known(ctx context.Context, e *endpoint, r record) (bool, error) {
	for _, v := range r.Order.Versions {
		if known, err := e.knows(ctx, v.Hash); err != nil || known {
			return known, err
		}
	}
	return false, nil
}
