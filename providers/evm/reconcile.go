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

// Balance compares what our addresses hold of an asset by the chain itself with what was reported, in all final blocks.
type Balance struct {
	Asset  currency.AssetID
	Height uint64   // of the newest final block
	Chain  *big.Int // smallest units, over the treasury and all deposit addresses
	Books  *big.Int // the sum of the effects that were reported
	// Surplus is Chain − Books. What is more came without a trace that a scanner sees: ether that a contract sent, a token that pays
	// without an event, or what was there before Config.Start. It is reported as a deposit that belongs to nobody. What is less is
	// for a person to look at: it is not reported.
	Surplus *big.Int
}

// surplus is what a reconciliation found and reports.
type surplus struct {
	Asset  currency.AssetID `json:"asset"`
	Amount currency.Amount  `json:"amount"`
	Height uint64           `json:"height"`
	Block  eth.Hash         `json:"block"`
	At     time.Time        `json:"at"`
}

// errMoved says that the books went on while balances were read.
var errMoved = errors.New("evm: the chain went on while balances were read")

// Reconcile reads every balance at the newest final block, which takes a request for each address and asset, and reports what is
// there and was never reported, once. The node must have the state of that block. Do it daily.
func (p *Provider) Reconcile(ctx context.Context) ([]Balance, error) {
	if _, err := p.sync(ctx); err != nil {
		return nil, err
	}
	p.scanning.Lock()
	defer p.scanning.Unlock()
	if err := p.reportFound(ctx); err != nil {
		return nil, err
	}
	height, err := p.height(ctx)
	if err != nil {
		return nil, err
	}
	if height < uint64(p.config.Finality) {
		return nil, nil // nothing is final yet
	}
	final := height - uint64(p.config.Finality) + 1
	e, err := p.pick(ctx)
	if err != nil {
		return nil, err
	}
	h, err := e.headerAt(ctx, final)
	if err != nil || h == nil {
		return nil, errors.Join(err, fmt.Errorf("evm: block %d is not there", final))
	}
	var all []Balance
	for _, a := range p.config.Assets {
		sum, err := p.holdings(ctx, e, p.assets[a.Asset.ID()], final)
		if err != nil {
			return nil, err
		}
		all = append(all, Balance{Asset: a.Asset.ID(), Height: final, Chain: sum})
	}
	if _, err := providers.ChangeState(ctx, p.state, "totals", func(t *totals, _ bool) error { return p.compare(t, all, h) }); err != nil {
		return nil, err
	}
	return all, p.reportFound(ctx)
}

// compare fills in the books, and takes what is more into them.
func (p *Provider) compare(t *totals, all []Balance, h *eth.Header) error {
	if t.Height > uint64(h.Number) {
		return errMoved
	}
	found := false
	for i := range all {
		b := &all[i]
		b.Books = new(big.Int)
		if n := t.Sums[b.Asset]; n != nil {
			b.Books.Set(n)
		}
		b.Surplus = new(big.Int).Sub(b.Chain, b.Books)
		amount, err := currency.FromBig(b.Surplus, p.assets[b.Asset].def)
		if err != nil || amount.Sign() <= 0 {
			continue // it was quarantined, or is less
		}
		t.add(map[currency.AssetID]*big.Int{b.Asset: b.Surplus}, 1)
		at := time.Unix(int64(h.Timestamp), 0).UTC() //nolint:gosec // far below 2^63
		t.Found = append(t.Found, surplus{Asset: b.Asset, Amount: amount, Height: b.Height, Block: h.Hash, At: at})
		found = true
	}
	if !found {
		return providers.ErrStateSame
	}
	return nil
}

// reportFound makes a deposit of what a reconciliation found.
func (p *Provider) reportFound(ctx context.Context) error {
	var t totals
	if _, err := providers.LoadState(ctx, p.state, "totals", &t); err != nil {
		return err
	}
	for _, f := range t.Found {
		reference := fmt.Sprintf("surplus:%s:%d", f.Asset, f.Height)
		key := fmt.Sprintf("dep/%s", reference)
		if err := p.refer(ctx, reference, key); err != nil {
			return err
		}
		r, err := providers.ChangeState(ctx, p.state, key, func(r *record, isNew bool) error {
			if !isNew {
				return providers.ErrStateSame
			}
			*r = record{
				Kind: providers.Deposit, Reference: reference, To: p.treasury.String(), Amount: f.Amount, At: f.At,
				Mined: &mined{Height: f.Height, Block: f.Block, At: f.At}, Counted: true, Final: true, Changes: 1,
				Effects: []providers.Effect{{ID: fmt.Sprintf("%s/%s/%s", p.chain, reference, f.Block), Kind: providers.Moved, Amount: f.Amount, At: f.At}},
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := p.changed(ctx, key, r); err != nil {
			return err
		}
	}
	if len(t.Found) == 0 {
		return nil
	}
	_, err := providers.ChangeState(ctx, p.state, "totals", func(now *totals, _ bool) error { return now.told(t.Found) })
	return err
}

// told forgets what was reported. Another process may have told the same, and may have found more since.
func (t *totals) told(reported []surplus) error {
	before := len(t.Found)
	t.Found = slices.DeleteFunc(t.Found, func(f surplus) bool {
		return slices.ContainsFunc(reported, func(r surplus) bool { return r.Asset == f.Asset && r.Height == f.Height })
	})
	if len(t.Found) == before {
		return providers.ErrStateSame
	}
	return nil
}

// holdings is what all our addresses hold of an asset at a height.
func (p *Provider) holdings(ctx context.Context, e *endpoint, known *asset, height uint64) (*big.Int, error) {
	var c addressCount
	if _, err := providers.LoadState(ctx, p.state, "addresses", &c); err != nil {
		return nil, err
	}
	sum := new(big.Int)
	add := func(a eth.Address) error {
		n, err := e.balance(ctx, known, a, hexNumber(height))
		if err == nil {
			sum.Add(sum, &n.Int)
		}
		return err
	}
	if err := add(p.treasury); err != nil {
		return nil, err
	}
	for index := range c.Next {
		a, err := p.derive(index)
		if err != nil {
			return nil, err
		}
		if err := add(a); err != nil {
			return nil, err
		}
	}
	return sum, nil
}
