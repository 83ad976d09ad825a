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

// arrive writes where something of ours is mined.
func (l *look) arrive(ctx context.Context, f finding, again bool) error {
	if f.fresh.Reference != "" {
		if err := l.refer(ctx, f.fresh.Reference, f.key); err != nil {
			return err
		}
	}
	r, err := l.touch(ctx, f.key, again, func(r *record, isNew bool) error {
		if !isNew && r.Mined != nil && r.Mined.Block == f.mined.Block && r.Mined.Tx == f.mined.Tx {
			return providers.ErrStateSame
		}
		if isNew {
			*r = f.fresh
		} else if f.fresh.Kind != "" { // mined again, it may have come out otherwise
			r.Amount, r.Dust, r.Quarantined, r.Required = f.fresh.Amount, f.fresh.Dust, f.fresh.Quarantined, f.fresh.Required
		}
		r.Gone, r.Mined = nil, &f.mined
		if r.Order != nil {
			r.Order.Seen = true
		}
		if f.mined.Failed != "" {
			r.Required = l.config.Finality // Failed must stay so
		}
		return nil
	})
	if err != nil {
		return err
	}
	if f.displace != "" {
		if _, err := providers.ChangeState(ctx, l.state, f.key+"/displaces", func(a *about, _ bool) error {
			a.Key = f.displace
			return nil
		}); err != nil {
			return err
		}
	}
	if r.Order != nil {
		return l.settled(ctx, r.Order.From, f.key, true, false)
	}
	return nil
}

// orphan takes a record off the block that a reorganisation took out.
func (l *look) orphan(ctx context.Context, key string, block eth.Hash, again bool) error {
	r, err := l.touch(ctx, key, again, func(r *record, _ bool) error {
		if r.Mined == nil || r.Mined.Block != block {
			return providers.ErrStateSame
		}
		if r.Order != nil && len(r.Order.Versions) > 0 {
			r.Required = l.required(r.Amount)
		}
		return r.orphan(l.config.Now().UTC())
	})
	if err != nil || r.Mined != nil {
		return err
	}
	if r.Order != nil {
		return l.settled(ctx, r.Order.From, key, false, false)
	}
	_, err = providers.ChangeState(ctx, l.state, "lost", func(s *lost, _ bool) error {
		if slices.Contains(s.Keys, key) {
			return providers.ErrStateSame
		}
		s.Keys = append(s.Keys, key)
		return nil
	})
	return err
}

// lost are records that a reorganisation took out.
type lost struct {
	Keys []string `json:"keys,omitempty"`
}

// giveUp looks at what a reorganisation took out. What was mined again is none of its business any more; what never can be,
// because its sender's nonce was finally used by another transaction, is over.
func (l *look) giveUp(ctx context.Context) error {
	var all lost
	if _, err := providers.LoadState(ctx, l.state, "lost", &all); err != nil || len(all.Keys) == 0 || l.s.Height < uint64(l.config.Finality) {
		return err
	}
	final := hexNumber(l.s.Height - uint64(l.config.Finality) + 1)
	over := map[string]bool{}
	for _, key := range all.Keys {
		var r record
		if _, err := providers.LoadState(ctx, l.state, key, &r); err != nil {
			return err
		}
		if r.Mined != nil || r.Gone != nil || r.Payer == nil {
			over[key] = true
			continue
		}
		nonce, err := l.e.nonce(ctx, r.Payer.From, final)
		if err != nil {
			return err
		}
		if nonce <= r.Payer.Nonce {
			continue
		}
		if _, err := l.touch(ctx, key, true, func(r *record, _ bool) error {
			if r.Mined != nil || r.Gone != nil {
				return providers.ErrStateSame
			}
			r.Gone = &providers.Reason{Code: "double_spent", Public: "The payment was replaced by another one."}
			return nil
		}); err != nil {
			return err
		}
		over[key] = true
	}
	_, err := providers.ChangeState(ctx, l.state, "lost", func(s *lost, _ bool) error {
		before := len(s.Keys)
		if s.Keys = slices.DeleteFunc(s.Keys, func(k string) bool { return over[k] }); len(s.Keys) == before {
			return providers.ErrStateSame
		}
		return nil
	})
	return err
}

// mature counts, or makes final, what in a block waited for as many confirmations as it has now.
func (l *look) mature(ctx context.Context, height uint64, confirmations uint, again bool) error {
	var b busyBlock
	if _, err := providers.LoadState(ctx, l.state, blockKey(height), &b); err != nil {
		return err
	}
	final := confirmations == l.config.Finality
	var wait []string
	for _, key := range b.Keys {
		var r record
		if _, err := providers.LoadState(ctx, l.state, key, &r); err != nil {
			return err
		}
		if r.Mined != nil && r.Mined.Block == b.Block && (final || r.Required == confirmations) {
			wait = append(wait, key)
		}
	}
	if len(wait) == 0 {
		return nil
	}
	if err := l.agreed(ctx, height, b.Block, final); err != nil {
		return err
	}
	sums := map[currency.AssetID]*big.Int{}
	for _, key := range wait {
		r, err := l.touch(ctx, key, again, func(r *record, _ bool) error {
			if r.Mined == nil || r.Mined.Block != b.Block || r.Counted && (r.Final || !final) {
				return providers.ErrStateSame
			}
			if !r.Counted {
				r.count(l.chain)
			}
			r.Final = r.Final || final
			return nil
		})
		if err != nil {
			return err
		}
		if final {
			if err := l.finish(ctx, key, r, again); err != nil {
				return err
			}
			r.sum(sums)
		}
	}
	if final {
		return l.addUp(ctx, height, sums)
	}
	return nil
}

// sum adds what stands of a record.
func (r *record) sum(sums map[currency.AssetID]*big.Int) {
	for _, e := range r.Effects[min(r.Standing, len(r.Effects)):] {
		if sums[e.Amount.AssetID()] == nil {
			sums[e.Amount.AssetID()] = new(big.Int)
		}
		sums[e.Amount.AssetID()].Add(sums[e.Amount.AssetID()], e.Amount.Big())
	}
}

// finish is what follows from a record's becoming final.
func (l *look) finish(ctx context.Context, key string, r record, again bool) error {
	if r.Order != nil {
		return l.settled(ctx, r.Order.From, key, true, true)
	}
	if r.Kind == providers.Deposit {
		return l.sweepable(ctx, r)
	}
	var displaced about
	if _, err := providers.LoadState(ctx, l.state, key+"/displaces", &displaced); err != nil || displaced.Key == "" {
		return err
	}
	loser, err := l.touch(ctx, displaced.Key, again, func(r *record, _ bool) error {
		if r.Gone != nil || r.Mined != nil {
			return providers.ErrStateSame
		}
		r.Gone = &providers.Reason{Code: "nonce_taken", Public: "The payment was replaced by another one."}
		return nil
	})
	if err != nil || loser.Order == nil {
		return err
	}
	return l.settled(ctx, loser.Order.From, displaced.Key, true, true)
}

// errDisagree says that not enough endpoints have a block.
var errDisagree = errors.New("evm: not enough endpoints have the block")

// agreed compares a block with what the other endpoints have at its height. When it becomes final nobody may contradict.
func (l *look) agreed(ctx context.Context, height uint64, block eth.Hash, final bool) error {
	have := 1
	var errs []error
	for _, e := range l.endpoints {
		if e == l.e {
			continue
		}
		h, err := e.headerAt(ctx, height)
		switch {
		case err != nil:
			errs = append(errs, err)
		case h == nil:
		case h.Hash == block:
			have++
		case final:
			return l.Provider.halt(ctx, fmt.Sprintf("%s and %s disagree about block %d, which is final", l.e.name, e.name, height))
		}
	}
	if have < l.config.Agree {
		return fmt.Errorf("%w: block %d: %d of %d: %w", errDisagree, height, have, l.config.Agree, errors.Join(errs...))
	}
	return nil
}

// totals are what came and went in all final blocks up to a height.
type totals struct {
	Height uint64                        `json:"height"` // the last that had something of ours
	Sums   map[currency.AssetID]*big.Int `json:"sums,omitempty"`
	Found  []surplus                     `json:"found,omitempty"` // by Reconcile, and not yet reported
}

// addUp adds a final block, once.
func (l *look) addUp(ctx context.Context, height uint64, sums map[currency.AssetID]*big.Int) error {
	_, err := providers.ChangeState(ctx, l.state, "totals", func(t *totals, _ bool) error {
		if t.Height >= height {
			return providers.ErrStateSame
		}
		t.Height = height
		t.add(sums, 1)
		return nil
	})
	return err
}

// takeOff takes a block that was final off the totals, once: blocks go out from the newest to the oldest.
func (l *look) takeOff(ctx context.Context, height uint64, b busyBlock) error {
	_, err := providers.ChangeState(ctx, l.state, "totals", func(t *totals, _ bool) error {
		if t.Height < height || height == 0 {
			return providers.ErrStateSame
		}
		sums := map[currency.AssetID]*big.Int{}
		for _, key := range b.Keys {
			var r record
			if _, err := providers.LoadState(ctx, l.state, key, &r); err != nil {
				return err
			}
			if r.Final && r.Mined != nil && r.Mined.Block == b.Block {
				r.sum(sums)
			}
		}
		t.Height = height - 1
		t.add(sums, -1)
		return nil
	})
	return err
}

func (t *totals) add(sums map[currency.AssetID]*big.Int, sign int64) {
	if t.Sums == nil {
		t.Sums = map[currency.AssetID]*big.Int{}
	}
	for id, n := range sums {
		if t.Sums[id] == nil {
			t.Sums[id] = new(big.Int)
		}
		t.Sums[id].Add(t.Sums[id], new(big.Int).Mul(n, big.NewInt(sign)))
	}
}
