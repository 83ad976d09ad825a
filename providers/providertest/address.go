package providertest

import (
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var linkCheck = Check{
	Name: "link-yields-an-instrument",
	Rule: "A link that succeeded names an instrument by a token of the provider's, the same whenever it is looked up; nothing else of a " +
		"card or account enters.",
	run: func(p *probe) {
		op, ok := p.Operation(providers.Link)
		if !ok {
			p.waive("the descriptor offers no link")
		}
		p.submit(op)
		p.settle()
		r := p.lookup(op) // whose instrument Validate looks at
		if r.State != providers.Succeeded || r.Instrument == nil {
			p.fatalf("the harness' sample of a link ended %s", r.State)
		}
		if again := p.lookup(op); again.Instrument == nil || *again.Instrument != *r.Instrument {
			p.failf("a link's instrument was %+v and became %+v", r.Instrument, again.Instrument)
		}
		if r.Instrument.Method != op.Method {
			p.failf("a link by %s yielded an instrument for %s", op.Method, r.Instrument.Method)
		}
	},
}

// newAddress makes an address and waits for it.
func (p *probe) newAddress() (op providers.Operation, address string) {
	op, ok := p.Operation(providers.DepositAddress)
	if !ok {
		p.waive("the descriptor offers no addresses")
	}
	r := p.submit(op)
	p.settle()
	if found := p.lookup(op); r.State != providers.Succeeded {
		r = found
	}
	address = r.Address
	if address == "" && r.Action != nil {
		address = r.Action.Address
	}
	if r.State != providers.Succeeded || address == "" {
		p.fatalf("the harness' sample of an address ended %s with address %q", r.State, address)
	}
	return op, address
}

// arrivals collects the reports of money that came to an address unasked, by every way there is.
func (p *probe) arrivals(address string) map[string]providers.Report {
	found := map[string]providers.Report{}
	for _, e := range p.news() {
		q := e.Lookup
		if q == nil {
			q = &providers.Query{Reference: e.Report.Reference, Kind: e.Report.Kind}
		}
		r, err := p.Provider.Lookup(p.ctx, *q)
		if err != nil {
			p.failf("event %s is about an operation that Lookup does not find: %v", e.ID, err)
			continue
		}
		p.valid(r, "Lookup")
		if r.Kind == providers.Deposit && r.Address == address {
			found[r.Reference] = r
		}
	}
	return found
}

var addressCheck = Check{
	Name: "address-receives",
	Rule: "Money sent to an address is reported with the address, once for each payment, as operations of their own: two equal " +
		"payments are two deposits.",
	run: func(p *probe) {
		op, address := p.newAddress()
		if _, other := p.newAddress(); other == address {
			p.failf("two operations made one address, %s: whose money comes to it?", address)
		}
		amount := p.small(op.Asset)
		for range 2 {
			if err := p.Pay(address, amount); err != nil {
				p.fatalf("World.Pay: %v", err)
			}
		}
		p.settle()
		found := p.arrivals(address)
		if len(found) != 2 {
			p.fatalf("2 payments to %s are reported as %d operations with this address, by webhook and Poll together", address, len(found))
		}
		l := &sightings{p: &p.verdict}
		for _, r := range found {
			l.add(r, "Lookup")
			if moved, _ := net(r); moved != amount {
				p.failf("a payment of %v is reported as %v", amount, moved)
			}
			if r.Member != op.Member && r.Member != "" {
				p.failf("a payment to %s's address is reported as %s's", op.Member, r.Member)
			}
		}
	},
}

// small is an amount to send.
func (p *probe) small(asset currency.AssetID) currency.Amount {
	d, ok := currency.Lookup(asset)
	if !ok {
		p.fatalf("the harness' sample address is for %q, which nobody defined", asset)
	}
	return currency.MustNew(1000, d)
}

var reorganisationCheck = Check{
	Name: "reorganisation-takes-back",
	Rule: "A payment that a reorganisation orphans is taken back by an effect with an id of its own; mined again it is a new effect, " +
		"whose id contains the new block. Under the old id it would not be posted.",
	run: func(p *probe) {
		if p.Reorganise == nil {
			p.waive("the harness' far side is no chain")
		}
		op, address := p.newAddress()
		if err := p.Pay(address, p.small(op.Asset)); err != nil {
			p.fatalf("World.Pay: %v", err)
		}
		var counted providers.Report
		for {
			for _, r := range p.arrivals(address) {
				counted = r
			}
			if _, moved := net(counted); moved {
				break
			}
			if !p.Advance() {
				p.fatalf("a payment to %s never counted", address)
			}
		}
		if counted.Final {
			p.fatalf("a payment is final as soon as it counts: nothing can be orphaned then")
		}
		if err := p.Reorganise(); err != nil {
			p.fatalf("World.Reorganise: %v", err)
		}
		l := &sightings{p: &p.verdict}
		l.add(counted, "Lookup")
		q := providers.Query{Reference: counted.Reference}
		orphaned, err := p.Provider.Lookup(p.ctx, q)
		if err != nil {
			p.fatalf("Lookup of an orphaned payment: %v", err)
		}
		l.add(orphaned, "Lookup")
		if !slices.ContainsFunc(orphaned.Effects, func(e providers.Effect) bool { return e.Kind == providers.Reversed }) {
			p.failf("a payment was orphaned, and no Reversed effect says so: %+v", orphaned.Effects)
		}
		p.settle()
		again, err := p.Provider.Lookup(p.ctx, q)
		if err != nil {
			p.fatalf("Lookup of a payment that was mined again: %v", err)
		}
		l.add(again, "Lookup")
		if moved, _ := net(again); moved != p.small(op.Asset) {
			p.failf("a payment that was orphaned and mined again comes to %v, want %v", moved, p.small(op.Asset))
		}
	},
}
