package bitcoin

import (
	"context"
	"errors"
	"fmt"

	"github.com/koshpay/kosh/providers"
)

const codeInvalidAddress = "invalid_address"

var errNoAddress = errors.New("bitcoin: this is no address of the network")

// withdraw brings an operation one step further until it was broadcast. Every step becomes durable by compare-and-swap of the
// operation's document before the next, so that of two processes with one key one decides, and a process that takes over goes on where
// the other stopped.
func (p *Provider) withdraw(ctx context.Context, op providers.Operation) (providers.Report, error) {
	for range tries {
		var o operation
		version, err := providers.LoadState(ctx, p.state, opKey(op.Key), &o)
		switch {
		case err != nil:
			return providers.Report{}, notSent(err)
		case version == 0:
			if o, err = p.asked(op); err != nil {
				return providers.Report{}, notSent(err)
			}
		case !o.asks(op):
			return providers.Report{}, duplicate()
		}
		switch {
		case o.Failed != nil && o.Failed.Rejected:
			return providers.Report{}, &providers.Error{Certainty: providers.Rejected, Code: o.Failed.Code, Public: o.Failed.Public}
		case o.Failed != nil:
			r, err := p.reportWithdrawal(ctx, op.Key, o)
			if err == nil {
				err = p.announce(ctx, event{At: p.now(), Key: op.Key})
			}
			return r, err
		case len(o.Sent) > 0:
			return p.broadcast(ctx, op, o)
		}
		next, err := p.prepare(ctx, op, o)
		if err != nil {
			return providers.Report{}, err
		}
		if _, err = providers.SaveState(ctx, p.state, opKey(op.Key), next, version); err != nil && !errors.Is(err, providers.ErrStateConflict) {
			// Nothing is sent before what was signed is known to be stored; what may be stored may be sent by whoever finds it.
			if len(next.Sent) > 0 {
				return providers.Report{}, err
			}
			return providers.Report{}, notSent(err)
		}
	}
	return providers.Report{}, notSent(fmt.Errorf("%w: %s", providers.ErrStateBusy, opKey(op.Key)))
}

// prepare returns an operation one step further: refused, planned, or signed.
func (p *Provider) prepare(ctx context.Context, op providers.Operation, o operation) (operation, error) {
	fail := func(code, public string, rejected bool) (operation, error) {
		o.Plan, o.Failed = nil, &failure{code, public, rejected}
		return o, nil
	}
	if _, err := p.config.Network.destination(o.Instrument); err != nil {
		return fail(codeInvalidAddress, "This is not an address of this network.", false)
	}
	if !op.FeeUntil.IsZero() && !p.now().Before(op.FeeUntil) {
		return fail("quote_expired", "The price is no longer valid.", true)
	}
	done, err := p.catchUp(ctx)
	switch {
	case err != nil:
		return o, notSent(err)
	case !done:
		return o, notSent(errBehind)
	}
	if o.Plan != nil {
		kept, err := p.reserve(ctx, op.Key, *o.Plan)
		if err != nil {
			return o, notSent(err)
		}
		if kept {
			return p.sign(ctx, op.Key, o, fail)
		}
	}
	v, err := p.plan(ctx, op.Key, o)
	switch {
	case errors.Is(err, errCap):
		return fail("fee_cap", "The network is too expensive now.", true)
	case errors.Is(err, errFunds):
		return o, refused("insufficient_funds", err)
	case err != nil:
		return o, notSent(err)
	}
	o.Plan = &v
	return o, nil
}

// sign signs the plan. That another process signs the same at the same time is harmless: the signature is not part of what the transaction
// is called, and what was stored first is what is sent.
func (p *Provider) sign(
	ctx context.Context, key string, o operation, fail func(code, public string, rejected bool) (operation, error),
) (operation, error) {
	v, err := p.signed(ctx, key, o, *o.Plan)
	switch {
	case errors.Is(err, providers.ErrSignerRefused):
		return fail("signer_refused", "The payment was refused.", true)
	case errors.Is(err, errWrongKey):
		return o, refused("wrong_key", err)
	case err != nil:
		return o, refused("not_signed", err)
	}
	if err := p.nameSent(ctx, v.TxID, key); err != nil {
		return o, notSent(err)
	}
	o.Sent, o.Plan = append(o.Sent, v), nil
	return o, nil
}

// nameSent stores whose transaction it is, before it is stored with its operation.
func (p *Provider) nameSent(ctx context.Context, txid, key string) error {
	_, err := providers.ChangeState(ctx, p.state, sentKey(txid), func(d *sentDoc, _ bool) error {
		if d.Key == key {
			return providers.ErrStateSame
		}
		d.Key = key
		return nil
	})
	return err
}

// broadcast sends the latest transaction of an operation, as it is stored. It is sent again whenever the key is submitted again, unless one
// is in the chain. What is stored may be sent by whoever finds it, so every error from here on is Maybe.
func (p *Provider) broadcast(ctx context.Context, op providers.Operation, o operation) (providers.Report, error) {
	var s scan
	if _, err := providers.LoadState(ctx, p.state, scanKey, &s); err != nil {
		return providers.Report{}, err
	}
	if s.Halt != nil {
		return providers.Report{}, halted(s.Halt.Why)
	}
	if err := p.onNetwork(ctx); err != nil {
		return providers.Report{}, err
	}
	if o.now() == nil {
		if err := p.node.send(ctx, o.Sent[len(o.Sent)-1].Raw); err != nil {
			return p.unsent(ctx, op, err)
		}
	}
	r, err := p.reportWithdrawal(ctx, op.Key, o)
	if err == nil {
		err = p.announce(ctx, event{At: p.now(), Key: op.Key})
	}
	return r, err
}

// unsent says what an error of a broadcast proves: nothing. The signed bytes are stored and valid, so no answer of a node ends the
// operation.
func (p *Provider) unsent(ctx context.Context, op providers.Operation, cause error) (providers.Report, error) {
	detail := &providers.Error{Certainty: providers.Maybe, Err: cause}
	if slow, ok := errors.AsType[slowDown](cause); ok {
		detail.RetryAfter = slow.after
	}
	answer, ok := errors.AsType[*rpcError](cause)
	if !ok {
		return providers.Report{}, detail
	}
	// The inputs may be missing because our own transaction, or an earlier one of this key, has spent them in a block.
	if r, err := p.lookup(ctx, providers.Query{Key: op.Key}); err == nil {
		return r, nil
	}
	detail.Code = "refused_by_node"
	if answer.Code == codeMissing {
		detail.Code = "inputs_spent"
	}
	return providers.Report{}, detail
}

// reportWithdrawal reports a withdrawal that was refused or signed. Its reference is its first transaction.
func (p *Provider) reportWithdrawal(ctx context.Context, key string, o operation) (providers.Report, error) {
	r := providers.Report{Key: key, Kind: providers.Withdrawal, State: providers.Pending, At: o.At}
	if len(o.Sent) > 0 {
		var s scan
		if _, err := providers.LoadState(ctx, p.state, scanKey, &s); err != nil {
			return providers.Report{}, err
		}
		r.Reference = o.Sent[0].TxID
		units, _ := o.Amount.Int64()
		p.reportLife(&r, o.life, s.Height, func(m mine) string { return m.TxID + "/0" }, func(m mine) []movement {
			moves := []movement{{kind: providers.Moved, suffix: "/out", units: -units}} // to an address of ours it is also a deposit
			if v := o.variant(m.TxID); v != nil {
				moves = append(moves, movement{kind: providers.Fee, suffix: "/fee", units: -v.Fee})
			}
			return moves
		})
	}
	switch {
	case o.Failed != nil:
		r.State, r.Final, r.Confirmations = providers.Failed, true, 0
		r.Reason = providers.Reason{Code: o.Failed.Code, Public: o.Failed.Public}
	case len(o.Sent) == 0:
		return providers.Report{}, fmt.Errorf("bitcoin: %w", providers.ErrNotFound)
	}
	return r, nil
}
