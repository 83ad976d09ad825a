package bitcoin

import (
	"context"
	"slices"
	"strings"

	"github.com/koshpay/kosh/providers"
)

// application applies one step to every document that it touches.
type application struct {
	p     *Provider
	scan  scan
	block *block
	hash  string
	back  bool

	events []event
	seen   map[string]bool
}

func (a *application) run(ctx context.Context) error {
	a.seen = map[string]bool{}
	blocks, err := a.due(ctx)
	if err != nil {
		return err
	}
	for _, b := range append([]*block{a.block}, blocks...) {
		for _, s := range b.Spends {
			if err := a.output(ctx, s.Output); err != nil {
				return err
			}
		}
		for _, f := range b.Finds {
			if err := a.output(ctx, f.Output); err != nil {
				return err
			}
		}
		for _, r := range b.Rivals {
			if err := a.output(ctx, r.Output); err != nil {
				return err
			}
		}
		for _, o := range b.Ours {
			if err := a.operation(ctx, o); err != nil {
				return err
			}
		}
		for _, f := range b.Foreign {
			if err := a.foreign(ctx, f); err != nil {
				return err
			}
		}
	}
	add, remove := a.coins()
	if err := a.p.indexCoins(ctx, a.scan.Number, add, remove); err != nil {
		return err
	}
	return a.p.announce(ctx, a.events...)
}

// due returns the blocks, beside the step's own, in which something waits for confirmations or becomes final.
func (a *application) due(ctx context.Context) (blocks []*block, err error) {
	if a.back {
		return nil, nil
	}
	waits := slices.Max(append(slices.Clone(a.scan.Tiers), 1))
	doc := a.block.Before
	for depth := uint(2); depth <= max(waits, a.p.config.Finality) && doc != ""; depth++ {
		b, err := a.p.loadBlock(ctx, doc)
		if err != nil {
			return nil, err
		}
		if depth <= waits || depth == a.p.config.Finality {
			blocks = append(blocks, b)
		}
		doc = b.Before
	}
	return blocks, nil
}

// tier remembers that something waits for so many confirmations.
func (a *application) tier(l *life) {
	if l.Required > 0 && !slices.Contains(a.scan.Tiers, l.Required) {
		a.scan.Tiers = append(a.scan.Tiers, l.Required)
	}
}

// grows tells whether the step brings it a confirmation that it waits for, or the last that means something.
func (a *application) grows(l *life) bool {
	m := l.now()
	if m == nil || a.back {
		return false
	}
	n := confirmations(m.Height, a.block.Height)
	return n <= l.Required || n == a.p.config.Finality
}

// step applies the step to a life: the block has it, or it only grows older.
func (a *application) step(l *life, has bool, txid string) {
	switch {
	case has && a.back:
		l.orphaned(a.hash, a.p.now())
	case has:
		l.mined(mine{TxID: txid, Height: a.block.Height, Block: a.hash, Time: a.block.Time})
	}
	if !a.back {
		l.grow(a.block.Height, a.p.config.Finality)
	}
}

// output applies the step to one output, once, whatever blocks name it.
func (a *application) output(ctx context.Context, outpoint string) error {
	if a.seen[outpoint] {
		return nil
	}
	a.seen[outpoint] = true
	found := slices.IndexFunc(a.block.Finds, func(f find) bool { return f.Output == outpoint })
	spent := slices.IndexFunc(a.block.Spends, func(s spend) bool { return s.Output == outpoint })
	rivaled := slices.IndexFunc(a.block.Rivals, func(r rival) bool { return r.Output == outpoint })
	o, err := providers.ChangeState(ctx, a.p.state, outputKey(outpoint), func(o *output, _ bool) error {
		if o.Step >= a.scan.Number || found < 0 && spent < 0 && rivaled < 0 && o.Rival == nil && !a.grows(&o.life) {
			return providers.ErrStateSame
		}
		o.Step = a.scan.Number
		if found >= 0 && !a.back {
			a.p.begin(o, a.block.Finds[found])
		}
		switch {
		case spent >= 0 && a.back:
			o.SpentBy = ""
		case spent >= 0:
			o.SpentBy = a.block.Spends[spent].By
		}
		a.step(&o.life, found >= 0, "")
		a.rival(o, rivaled)
		return nil
	})
	if err != nil {
		return err
	}
	if err := a.bury(ctx, outpoint, o); err != nil {
		return err
	}
	a.tier(&o.life)
	if !o.Change && (found >= 0 || o.gone() || a.grows(&o.life)) {
		a.events = append(a.events, event{At: a.p.now(), Reference: outpoint})
	}
	return nil
}

// operation applies the step to one of our transactions.
func (a *application) operation(ctx context.Context, of ours) error {
	if a.seen[of.Key] {
		return nil
	}
	a.seen[of.Key] = true
	here := slices.IndexFunc(a.block.Ours, func(o ours) bool { return o.Key == of.Key })
	o, err := providers.ChangeState(ctx, a.p.state, opKey(of.Key), func(o *operation, _ bool) error {
		if o.Step >= a.scan.Number || here < 0 && !a.grows(&o.life) {
			return providers.ErrStateSame
		}
		o.Step = a.scan.Number
		txid := ""
		if here >= 0 {
			txid = a.block.Ours[here].TxID
		}
		a.step(&o.life, here >= 0, txid)
		return nil
	})
	if err != nil {
		return err
	}
	a.tier(&o.life)
	if here >= 0 || a.grows(&o.life) {
		a.events = append(a.events, event{At: a.p.now(), Key: of.Key})
	}
	return nil
}

// coins says what the step adds to what is unspent, and what it removes.
func (a *application) coins() (add []coin, remove []string) {
	net := map[string]bool{}
	units := map[string]int64{}
	for _, f := range a.block.Finds {
		net[f.Output], units[f.Output] = !a.back, f.Units
	}
	for _, s := range a.block.Spends {
		if _, here := units[s.Output]; here { // found and spent in one block
			net[s.Output] = false
			continue
		}
		net[s.Output], units[s.Output] = a.back, s.Units
	}
	for outpoint, in := range net {
		if in {
			add = append(add, coin{outpoint, units[outpoint]})
		} else {
			remove = append(remove, outpoint)
		}
	}
	slices.SortFunc(add, func(x, y coin) int { return strings.Compare(x.Output, y.Output) })
	slices.Sort(remove)
	return add, remove
}
