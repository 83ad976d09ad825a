package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

type (
	// sweeps are the deposit addresses that may have something to sweep.
	sweeps struct {
		Indexes []uint32 `json:"indexes,omitempty"`
	}
	// sweep is what is under way at one of them: one transaction at a time.
	sweep struct {
		Made int   `json:"made"`
		Now  *step `json:"now,omitempty"`
	}
	step struct {
		Key     string            `json:"key"` // of the record
		Purpose providers.Purpose `json:"purpose"`
		Amount  currency.Amount   `json:"amount"`
	}
)

func sweepKey(index uint32) string { return fmt.Sprintf("sweep/%d", index) }

// sweepable notes that a deposit became final.
func (p *Provider) sweepable(ctx context.Context, r record) error {
	known := p.assets[r.Amount.AssetID()]
	to, err := eth.ParseAddress(r.To)
	if err != nil || known == nil || !known.SweepFrom.IsValid() {
		return nil //nolint:nilerr // quarantined, or never swept
	}
	ours, err := p.ours(ctx)
	if err != nil {
		return err
	}
	index, ok := ours(to)
	if !ok {
		return nil
	}
	_, err = providers.ChangeState(ctx, p.state, "sweeps", func(s *sweeps, _ bool) error {
		if slices.Contains(s.Indexes, index) {
			return providers.ErrStateSame
		}
		s.Indexes = append(s.Indexes, index)
		return nil
	})
	return err
}

// Sweep moves what is final on deposit addresses, from Asset.SweepFrom on, to the treasury, one transaction an address at a time. A
// token is moved by a transaction that costs ether: the treasury gives the address what it will cost first. It returns how many
// addresses it did something for. What sweeping costs is reported as settlements with a fee each; the money itself does not
// leave us, and is not reported.
func (p *Provider) Sweep(ctx context.Context) (did int, err error) {
	if _, err := p.running(ctx); err != nil {
		return 0, err
	}
	var all sweeps
	if _, err := providers.LoadState(ctx, p.state, "sweeps", &all); err != nil || len(all.Indexes) == 0 {
		return 0, err
	}
	if p.config.DepositKeys == "" {
		return 0, fmt.Errorf("%w: DepositKeys is missing, without which nothing can be swept", ErrConfig)
	}
	e, err := p.pick(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, index := range all.Indexes {
		acted, err := p.sweepOne(ctx, e, index)
		if acted {
			did++
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("evm: sweeping deposit address %d: %w", index, err))
		}
	}
	return did, errors.Join(errs...)
}

func (p *Provider) sweepOne(ctx context.Context, e *endpoint, index uint32) (acted bool, err error) {
	from, err := p.derive(index)
	if err != nil {
		return false, err
	}
	var s sweep
	if _, err := providers.LoadState(ctx, p.state, sweepKey(index), &s); err != nil {
		return false, err
	}
	if s.Now != nil {
		var r record
		if _, err := providers.LoadState(ctx, p.state, s.Now.Key, &r); err != nil {
			return false, err
		}
		if !r.Counted && r.Gone == nil {
			return p.carryOn(ctx, *s.Now, index, from)
		}
	}
	next, err := p.planSweep(ctx, e, from)
	if err != nil {
		return false, err
	}
	if next == nil {
		_, err := providers.ChangeState(ctx, p.state, "sweeps", func(all *sweeps, _ bool) error {
			all.Indexes = slices.DeleteFunc(all.Indexes, func(n uint32) bool { return n == index })
			return nil
		})
		return false, err
	}
	stored, err := providers.ChangeState(ctx, p.state, sweepKey(index), func(now *sweep, _ bool) error {
		if now.Made != s.Made {
			return providers.ErrStateSame // another process plans too
		}
		now.Made++
		next.Key = fmt.Sprintf("own/%s/%d", from.Lower(), now.Made)
		now.Now = next
		return nil
	})
	if err != nil {
		return false, err
	}
	return p.carryOn(ctx, *stored.Now, index, from)
}

// planSweep says what to do next for an address; nil when there is nothing.
func (p *Provider) planSweep(ctx context.Context, e *endpoint, from eth.Address) (*step, error) {
	height, err := p.height(ctx)
	if err != nil || height < uint64(p.config.Finality) {
		return nil, err
	}
	final := hexNumber(height - uint64(p.config.Finality) + 1)
	now, err := e.prices(ctx)
	if err != nil {
		return nil, err
	}
	ether, err := e.balance(ctx, p.native, from, "latest")
	if err != nil {
		return nil, err
	}
	for _, a := range p.config.Assets {
		known := p.assets[a.Asset.ID()]
		if known.token == nil || !known.SweepFrom.IsValid() {
			continue
		}
		units, err := p.finalBalance(ctx, e, known, from, final)
		if err != nil {
			return nil, err
		}
		if units.Cmp(known.SweepFrom.Big()) < 0 {
			continue
		}
		amount, err := currency.FromBig(units, known.def)
		if err != nil {
			return nil, err
		}
		gas, err := e.gas(ctx, from, p.call(payment{asset: known, from: from, to: p.treasury, units: units}))
		if err != nil {
			return nil, err
		}
		missing := new(big.Int).Sub(now.cost(gas), &ether.Int)
		if missing.Sign() <= 0 {
			return &step{Purpose: providers.PurposeSweep, Amount: amount}, nil
		}
		// The price may rise until the address can send.
		missing.Add(missing, new(big.Int).Rsh(now.cost(gas), 1))
		amount, err = currency.FromBig(missing, p.native.def)
		return &step{Purpose: providers.PurposeGas, Amount: amount}, err
	}
	if !p.native.SweepFrom.IsValid() {
		return nil, nil //nolint:nilnil // nothing to do
	}
	units, err := p.finalBalance(ctx, e, p.native, from, final)
	if err != nil || units.Cmp(p.native.SweepFrom.Big()) < 0 {
		return nil, err
	}
	// What the price could rise to must remain: what is not used of it stays there until the next time.
	if units.Sub(units, new(big.Int).Lsh(now.cost(gasOfTransfer), 1)); units.Sign() <= 0 {
		return nil, nil //nolint:nilnil // it would cost more than it brings
	}
	amount, err := currency.FromBig(units, p.native.def)
	return &step{Purpose: providers.PurposeSweep, Amount: amount}, err
}

// finalBalance is what an address has and had when the newest final block was made.
func (p *Provider) finalBalance(ctx context.Context, e *endpoint, known *asset, of eth.Address, final string) (*big.Int, error) {
	then, err := e.balance(ctx, known, of, final)
	if err != nil {
		return nil, err
	}
	now, err := e.balance(ctx, known, of, "latest")
	if err != nil {
		return nil, err
	}
	if now.Cmp(&then.Int) < 0 {
		then = now
	}
	return &then.Int, nil
}

// carryOn makes or goes on with what is under way at an address.
func (p *Provider) carryOn(ctx context.Context, s step, index uint32, from eth.Address) (bool, error) {
	r := record{
		Kind: providers.Settlement, Purpose: s.Purpose, Amount: s.Amount, To: p.treasury.String(),
		Order: &order{From: from, Key: fmt.Sprintf("%s/%d", p.config.DepositKeys, index)},
	}
	if s.Purpose == providers.PurposeGas {
		r.To, r.Order = from.String(), &order{From: p.treasury, Key: p.config.Treasury.Key}
	}
	var before record
	if _, err := providers.LoadState(ctx, p.state, s.Key, &before); err != nil {
		return false, err
	}
	after, err := p.own(ctx, s.Key, r)
	return err == nil && (before.Order == nil || !before.Order.Seen) && after.Order.Seen, err
}
