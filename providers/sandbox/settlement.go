package sandbox

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// SettleTerms say how a batch is settled. The zero value: in the same asset, free of charge.
type SettleTerms struct {
	Fee  currency.Amount // in the asset of the batch, taken off it first
	Rate currency.Rate   // if valid, the batch is converted, rounded down, and leaves in the rate's other asset
}

// Settle pays everything that the far side holds for us in an asset out to our bank account, as one batch: a report of
// kind Settlement that covers every operation whose money moved since the last one. It returns the batch's reference.
func (s *Sandbox) Settle(asset currency.Asset, t SettleTerms) (reference string, err error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	net := orZero(f.books.held[asset.ID()], currency.Zero(asset))
	if t.Fee.IsValid() {
		if net, err = net.Sub(t.Fee); err != nil {
			return "", fmt.Errorf("%w: %w", ErrScenario, err)
		}
	}
	if net.Sign() <= 0 {
		return "", fmt.Errorf("%w: there is no %s to settle", ErrScenario, asset.ID())
	}
	out := net
	if t.Rate.IsValid() {
		if out, err = t.Rate.Convert(net, currency.Down); err != nil || out.Sign() <= 0 {
			return "", fmt.Errorf("%w: %v cannot be converted: %w", ErrScenario, net, err)
		}
	}
	o := f.add(providers.Operation{Kind: providers.Settlement}, f.newID(prefix(providers.Settlement)), f.now)
	o.covers = f.unsettled(asset)
	if t.Fee.IsValid() && t.Fee.Sign() > 0 {
		o.post(providers.Effect{Kind: providers.Fee, Amount: f.books.neg(t.Fee), At: f.now}, "fees")
	}
	if out.Asset() != net.Asset() {
		o.post(providers.Effect{Kind: providers.Converted, Amount: f.books.neg(net), At: f.now}, "exchange")
		o.post(providers.Effect{Kind: providers.Converted, Amount: out, At: f.now}, "exchange")
	}
	o.post(providers.Effect{Kind: providers.Settled, Amount: f.books.neg(out), At: f.now}, "our bank")
	f.settled[asset.ID()] = len(f.books.log)
	o.end(providers.Succeeded)
	o.changed(f.now)
	return o.reference, nil
}

// ChargeFee charges us by the month, or for anything else that belongs to no operation. It returns the charge's reference.
func (s *Sandbox) ChargeFee(fee currency.Amount) (reference string, err error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	if fee.Sign() <= 0 {
		return "", fmt.Errorf("%w: a fee of %v", ErrScenario, fee)
	}
	o := f.add(providers.Operation{Kind: providers.Settlement}, f.newID(prefix(providers.Settlement)), f.now)
	o.post(providers.Effect{Kind: providers.Fee, Amount: f.books.neg(fee), At: f.now}, "fees")
	o.end(providers.Succeeded)
	o.changed(f.now)
	return o.reference, nil
}

// unsettled are the references of the operations whose money moved since the asset's last batch, each once, and none when
// they are too many for a report.
func (f *farSide) unsettled(asset currency.Asset) []string {
	var covers []string
	seen := map[string]bool{}
	for _, m := range f.books.log[f.settled[asset.ID()]:] {
		if m.Amount.AssetID() != asset.ID() || seen[m.Reference] {
			continue
		}
		seen[m.Reference] = true
		covers = append(covers, m.Reference)
	}
	if len(covers) > providers.MaxEffects {
		return nil
	}
	return covers
}

// List implements [providers.Lister]: the far side's account statement.
func (s *Sandbox) List(ctx context.Context, since, until time.Time, cursor string, limit int) ([]providers.Movement, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, cursor, err
	}
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	from, err := place(cursor, len(f.books.log))
	if err != nil {
		return nil, cursor, err
	}
	if f.happens(f.faults.PollFails) {
		return nil, cursor, &providers.Error{Code: "503", Err: errLookup}
	}
	if limit < 1 {
		limit = defaultPoll
	}
	var list []providers.Movement
	for i, m := range f.books.log[from:] {
		if m.At.Before(since) || !m.At.Before(until) {
			continue
		}
		if len(list) == min(limit, maxPoll) {
			return list, strconv.Itoa(from + i), nil
		}
		list = append(list, m)
	}
	return list, "", nil
}
