package providertest

import (
	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// sampleIn returns a sample of a kind in an asset, under a new key.
func (p *probe) sampleIn(kind providers.Kind, asset currency.AssetID) (providers.Operation, bool) {
	if p.OperationIn != nil {
		return p.OperationIn(kind, asset)
	}
	op, ok := p.Operation(kind)
	d, known := currency.Lookup(asset)
	if !ok || !known {
		return op, false
	}
	op.Key, op.Amount = uuid.NewString(), currency.Zero(d) // no caller sends zero
	return op, true
}

// eachOffer calls do for every offer of a deposit or withdrawal by the method of the harness' sample.
func (p *probe) eachOffer(do func(o providers.Offer)) {
	n := 0
	for _, o := range p.descriptor.Offers {
		if o.Kind != providers.Deposit && o.Kind != providers.Withdrawal {
			continue
		}
		if op, ok := p.Operation(o.Kind); !ok || op.Method != o.Method {
			continue
		}
		n++
		do(o)
	}
	if n == 0 {
		p.waive("the descriptor offers neither deposits nor withdrawals")
	}
}

// admissible returns an amount that the offer covers and that uses all its decimals, if it can: 1.01 USD, 2 JPY,
// 1.001 KWD, 1.000000000000000001 ETH, or something near its bounds.
func admissible(o providers.Offer) (currency.Amount, bool) {
	d, ok := currency.Lookup(o.Asset)
	if !ok {
		return currency.Amount{}, false
	}
	unit := currency.MustNew(1, d)
	var candidates []currency.Amount
	for _, whole := range []int64{1, 5, 60, 700, 8000} {
		if a, err := currency.FromMinor(whole, 0, d); err == nil {
			if more, err := a.Add(unit); err == nil {
				candidates = append(candidates, more, a)
			}
		}
	}
	for _, a := range []currency.Amount{unit, o.Min, o.Max} {
		if a.IsValid() {
			candidates = append(candidates, a)
		}
	}
	for _, a := range candidates {
		if o.Step.IsValid() {
			if up, err := a.RoundTo(o.Step, currency.Up); err == nil {
				a = up
			}
		}
		if o.Admits(a) == nil {
			return a, true
		}
	}
	return currency.Amount{}, false
}

var amountsCheck = Check{
	Name: "amounts-are-exact",
	Rule: "What moves is what was asked for, in every asset that is offered, by the far side's own books: decimals on the wire are the far " +
		"side's business, and 1000 yen were once charged as 10, and 10 dinar as 100.",
	run: func(p *probe) {
		p.needMoved()
		p.eachOffer(func(o providers.Offer) {
			amount, ok := admissible(o)
			if !ok {
				p.failf("the offer of a %s in %s admits none of the usual amounts: no member's request would fit", o.Kind, o.Asset)
				return
			}
			op, ok := p.sampleIn(o.Kind, o.Asset)
			if !ok {
				p.failf("Describe offers a %s in %s, but the harness has no sample in it", o.Kind, o.Asset)
				return
			}
			op.Amount = amount
			p.submit(op)
			p.settle()
			p.moved(op, amount, "")
		})
	},
}

// needMoved fails the check when the far side's books cannot be read: an adapter that multiplies on the way out and divides on the
// way in looks right from inside.
func (p *probe) needMoved() {
	if p.World.Moved == nil {
		p.fatalf("the harness lacks World.Moved: without the far side's own books nothing is known about amounts on the wire")
	}
}

// moved checks that an amount moved, by the far side's books and by the report.
func (p *probe) moved(op providers.Operation, want currency.Amount, when string) {
	if got, ok := p.World.Moved(op.Key); !ok || got != want {
		p.failf("a %s of %v%s: the far side moved %v", op.Kind, want, when, got)
	}
	if got, ok := net(p.lookup(op)); !ok || got != want {
		p.failf("a %s of %v%s is reported as %v", op.Kind, want, when, got)
	}
}

var boundsCheck = Check{
	Name: "amount-out-of-bounds",
	Rule: "An amount below the minimum, above the maximum, off the increment or with more decimals than the wire has is refused before " +
		"anything is sent, in every asset that is offered; never rounded to what would fit.",
	run: func(p *probe) {
		p.eachOffer(func(o providers.Offer) {
			d, ok := currency.Lookup(o.Asset)
			if !ok {
				p.fatalf("the offer of a %s is in %q, which nobody defined", o.Kind, o.Asset)
			}
			unit := currency.MustNew(1, d)
			good, ok := admissible(o)
			if !ok {
				good = unit // amounts-are-exact says so
			}
			for _, bad := range []struct {
				what   string
				amount func() (currency.Amount, error)
			}{
				{"nothing", func() (currency.Amount, error) { return currency.Zero(d), nil }},
				{"less than nothing", good.Neg},
				{"less than Min", func() (currency.Amount, error) { return o.Min.Sub(unit) }},
				{"more than Max", func() (currency.Amount, error) { return o.Max.Add(unit) }},
				{"a unit off Step or the wire's decimals", func() (currency.Amount, error) { return good.Add(unit) }},
				{"a unit off Step or the wire's decimals", func() (currency.Amount, error) { return good.Sub(unit) }},
			} {
				a, err := bad.amount()
				if err != nil || o.Admits(a) == nil {
					continue // the offer has no such bound
				}
				if op, ok := p.sampleIn(o.Kind, o.Asset); ok {
					op.Amount = a
					p.refuses(op, bad.what+" ("+a.String()+")")
				}
			}
		})
	},
}

var neverCutCheck = Check{
	Name: "amount-never-cut",
	Rule: "Amounts beyond 2⁵³, 2⁶³ and 2⁶⁴ smallest units are moved to the unit or refused as NotSent: a number that passes through 64 bits " +
		"or a JSON number would otherwise come out as another.",
	run: func(p *probe) {
		p.eachOffer(func(o providers.Offer) {
			d, ok := currency.Lookup(o.Asset)
			if !ok {
				return
			}
			for _, units := range []struct {
				hi int64
				lo uint64
			}{{0, 1<<53 + 1}, {0, 1<<63 - 1}, {0, 1 << 63}, {1, 1}, {1 << 30, 7}, {1<<62 + 1, 1<<53 + 1}} {
				huge, err := currency.FromUnits(units.hi, units.lo, d)
				if err != nil {
					continue
				}
				if op, ok := p.sampleIn(o.Kind, o.Asset); ok {
					op.Amount = huge
					p.wholeOrNot(op, o)
				}
			}
		})
	},
}

// wholeOrNot submits an amount that must be moved as it is, or not at all.
func (p *probe) wholeOrNot(op providers.Operation, o providers.Offer) {
	if o.Admits(op.Amount) != nil {
		p.refuses(op, "an amount of "+op.Amount.String())
		return
	}
	r, err := p.Provider.Submit(p.ctx, op)
	if err != nil {
		if c := providers.CertaintyOf(err); c != providers.NotSent && c != providers.Rejected {
			p.failf("Submit of %v is %v; say in Offer.Max what the wire can carry: %v", op.Amount, c, err)
		}
		p.executed(op, 0, "it was refused")
		return
	}
	p.settle()
	r = p.lookup(op)
	if r.State == providers.Failed {
		p.executed(op, 0, "it failed")
		return
	}
	got, _ := net(r)
	if p.World.Moved != nil && got == op.Amount {
		got, _ = p.World.Moved(op.Key)
	}
	if got != op.Amount {
		p.failf("%v was asked for and %v moved: refuse what %d decimals in the wire's integers cannot carry", op.Amount, got, o.Exponent)
	}
}

var otherMovedCheck = Check{
	Name: "amount-as-it-moved",
	Rule: "When another amount moves than was asked for, the effect says what moved: payments posts facts and puts the difference " +
		"into suspense; an adapter that repeats the request hides it.",
	run: func(p *probe) {
		p.eachUnder(OtherAmount, false, func(op providers.Operation, r providers.Report, err error) {
			if !op.Amount.IsValid() {
				return // of a link nothing moves
			}
			p.needMoved()
			if err != nil {
				p.fatalf("Submit of a %s of which another amount moves: %v", op.Kind, err)
			}
			p.settle()
			truth, ok := p.World.Moved(op.Key)
			if !ok {
				p.fatalf("the harness says that it plays %q, but nothing moved", OtherAmount)
			}
			reports := []providers.Report{p.lookup(op)}
			if _, early := net(r); early {
				reports = append(reports, r)
			}
			for _, r := range reports {
				if got, _ := net(r); got != truth {
					p.failf("a %s of %v, of which the far side moved %v, is reported as %v", op.Kind, op.Amount, truth, got)
				}
			}
		})
	},
}

// net returns what a report's movements come to, without its sign, and whether anything moved.
func net(r providers.Report) (currency.Amount, bool) {
	var sum currency.Amount
	for _, e := range r.Effects {
		if e.Kind != providers.Moved && e.Kind != providers.Reversed {
			continue
		}
		if !sum.IsValid() {
			sum = currency.Zero(e.Amount.Asset())
		}
		next, err := sum.Add(e.Amount)
		if err != nil {
			return currency.Amount{}, true
		}
		sum = next
	}
	a, err := sum.Abs()
	return a, err == nil
}
