package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// tend does what is due and not asked for by anybody. What fails is tried again at the next Poll; Config.OnError is told.
func (p *Provider) tend(ctx context.Context) error {
	_, errBump := p.Bump(ctx)
	_, errFill := p.Fill(ctx)
	_, errSweep := p.Sweep(ctx)
	if err := errors.Join(errBump, errFill, errSweep); err != nil && p.config.OnError != nil {
		p.config.OnError(err)
	}
	return ctx.Err()
}

// senders are the accounts that may have something under way.
func (p *Provider) senders(ctx context.Context) ([]eth.Address, error) {
	all := []eth.Address{p.treasury}
	var s sweeps
	if _, err := providers.LoadState(ctx, p.state, "sweeps", &s); err != nil {
		return nil, err
	}
	for _, n := range s.Indexes {
		a, err := p.derive(n)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// Bump sends again what a node forgot, and replaces what was sent longer than Config.StuckAfter ago and is not mined by the
// same transaction at a higher price, within what it may cost. It returns how many it sent. Whichever version is mined in the
// end is the payment; the nonce lets no two of them be.
func (p *Provider) Bump(ctx context.Context) (sent int, err error) {
	if _, err := p.running(ctx); err != nil {
		return 0, err
	}
	all, err := p.senders(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, from := range all {
		var s sender
		if _, err := providers.LoadState(ctx, p.state, senderKey(from), &s); err != nil {
			return sent, err
		}
		for _, o := range s.Open {
			if o.Mined {
				continue
			}
			did, err := p.push(ctx, o.Key)
			if did {
				sent++
			}
			if err != nil && !isFeeCap(err) { // at its cap it waits for better days
				errs = append(errs, err)
			}
		}
	}
	return sent, errors.Join(errs...)
}

func isFeeCap(err error) bool {
	detail, ok := errors.AsType[*providers.Error](err)
	return ok && detail.Code == providers.CodeFeeCap
}

// push brings one transaction on, if it was accepted once: nothing but Submit sends what may never have been.
func (p *Provider) push(ctx context.Context, key string) (did bool, err error) {
	var r record
	if _, err := providers.LoadState(ctx, p.state, key, &r); err != nil {
		return false, err
	}
	if r.Order == nil || !r.Order.Seen || r.Mined != nil || r.Gone != nil || len(r.Order.Versions) == 0 {
		return false, nil
	}
	e, err := p.pick(ctx)
	if err != nil {
		return false, err
	}
	newest := r.Order.Versions[len(r.Order.Versions)-1]
	if p.config.Now().Sub(newest.At) < p.config.StuckAfter {
		known, err := p.known(ctx, e, r)
		if err != nil || known {
			return false, err
		}
		_, err = p.broadcast(ctx, key, r, 0)
		return true, err
	}
	for _, v := range r.Order.Versions {
		if receipt, err := e.receipt(ctx, v.Hash); err != nil || receipt != nil {
			return false, err // mined; the next look at the chain sees it
		}
	}
	now, err := e.prices(ctx)
	if err != nil {
		return false, err
	}
	now = now.raised(newest)
	if most := new(big.Int).Div(p.lesser(r.Order.MaxFee).Big(), new(big.Int).SetUint64(newest.Gas)); now.max.Cmp(most) > 0 {
		return false, &providers.Error{Code: providers.CodeFeeCap, Err: fmt.Errorf("evm: replacing %s would cost more than it may", newest.Hash)}
	}
	to, err := eth.ParseAddress(r.To)
	if err != nil {
		return false, err
	}
	tx := p.call(payment{asset: p.assets[r.Amount.AssetID()], from: r.Order.From, to: to, units: r.Amount.Big()})
	tx.Nonce, tx.Gas, tx.Tip, tx.MaxFee = *r.Order.Nonce, newest.Gas, now.tip, now.max
	in, err := p.intent(r, tx)
	if err != nil {
		return false, err
	}
	if r, err = p.sign(ctx, key, r, tx, in); err != nil {
		return false, err
	}
	_, err = p.broadcast(ctx, key, r, 0)
	return true, err
}

// Fill uses nonces that would leave a gap: taken by what was refused or never signed, while later ones wait behind them since
// Config.StuckAfter. A transaction that moves nothing takes each. It returns how many it sent.
func (p *Provider) Fill(ctx context.Context) (sent int, err error) {
	if _, err := p.running(ctx); err != nil {
		return 0, err
	}
	for {
		var s sender
		if _, err := providers.LoadState(ctx, p.state, senderKey(p.treasury), &s); err != nil {
			return sent, err
		}
		last, waiting, err := p.waiting(ctx, s)
		if err != nil || !waiting {
			return sent, err
		}
		for _, o := range s.Open {
			if o.Nonce < last {
				if err := p.detach(ctx, o.Key); err != nil {
					return sent, err
				}
			}
		}
		if _, err := providers.LoadState(ctx, p.state, senderKey(p.treasury), &s); err != nil {
			return sent, err
		}
		free := slices.DeleteFunc(s.Free, func(n uint64) bool { return n > last })
		if len(free) == 0 {
			return sent, nil
		}
		if err := p.fill(ctx, slices.Min(free)); err != nil {
			return sent, err
		}
		sent++
	}
}

// waiting returns the highest nonce of a transaction that was sent long ago and is not mined.
func (p *Provider) waiting(ctx context.Context, s sender) (last uint64, found bool, err error) {
	for _, o := range s.Open {
		var r record
		if _, err := providers.LoadState(ctx, p.state, o.Key, &r); err != nil {
			return 0, false, err
		}
		if o.Mined || r.Order == nil || len(r.Order.Versions) == 0 || p.config.Now().Sub(r.Order.Versions[0].At) < p.config.StuckAfter {
			continue
		}
		last, found = max(last, o.Nonce), true
	}
	return last, found, nil
}

// detach takes the nonce from a record that was never signed. Submitted again it gets another one.
func (p *Provider) detach(ctx context.Context, key string) error {
	loose := false
	r, err := providers.ChangeState(ctx, p.state, key, func(r *record, _ bool) error {
		if loose = r.Order != nil && len(r.Order.Versions) == 0; !loose || r.Order.Nonce == nil {
			return providers.ErrStateSame
		}
		r.Order.Nonce = nil
		return nil
	})
	if err != nil || !loose {
		return err
	}
	return p.giveBack(ctx, r.Order.From, key)
}

func (p *Provider) fill(ctx context.Context, nonce uint64) error {
	key := fmt.Sprintf("own/%s/fill-%d", p.treasury.Lower(), nonce)
	r := record{
		Kind: providers.Settlement, Purpose: providers.PurposeFill, Amount: currency.Zero(p.native.def), To: p.treasury.String(),
		Order: &order{From: p.treasury, Key: p.config.Treasury.Key},
	}
	_, err := p.own(ctx, key, r)
	return err
}

// own makes and sends a transaction that nobody asked for: a sweep, gas or a fill. Called again it goes on where it was.
func (p *Provider) own(ctx context.Context, key string, fresh record) (record, error) {
	fresh.At, fresh.Required = p.config.Now().UTC().Truncate(time.Second), p.required(fresh.Amount)
	r, err := providers.ChangeState(ctx, p.state, key, func(r *record, isNew bool) error {
		if !isNew {
			return providers.ErrStateSame
		}
		*r = fresh
		return nil
	})
	if err != nil || r.Gone != nil || r.Mined != nil {
		return r, err
	}
	if len(r.Order.Versions) == 0 {
		if r, err = p.make(ctx, key, r); err != nil {
			return r, p.abandon(ctx, key, err)
		}
	}
	if r.Order.Seen {
		return r, nil
	}
	return p.broadcast(ctx, key, r, 0)
}

// abandon gives up a transaction of our own that could not be signed, and frees its nonce. It returns the cause.
func (p *Provider) abandon(ctx context.Context, key string, cause error) error {
	over := false
	r, err := providers.ChangeState(ctx, p.state, key, func(r *record, _ bool) error {
		if over = len(r.Order.Versions) == 0; !over || r.Gone != nil {
			return providers.ErrStateSame
		}
		r.Gone = &providers.Reason{Code: "abandoned"}
		return nil
	})
	if err == nil && over {
		err = p.giveBack(ctx, r.Order.From, key)
	}
	return errors.Join(cause, err)
}
