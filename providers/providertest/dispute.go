package providertest

import (
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var disputeCheck = Check{
	Name: "dispute",
	Rule: "A dispute takes money by one Disputed effect that names it, and if it is won gives it back by one Reinstated effect; it is listed as it " +
		"stands, is no Reversed effect beside, and moves nothing more when it is lost.",
	run: func(p *probe) {
		if p.Disputed == nil {
			p.waive("the harness' far side has no disputes")
		}
		for _, won := range []bool{true, false} {
			op, ok := p.Disputed(won)
			if !ok {
				p.waive("the harness' far side has no disputes")
			}
			l := &sightings{p: &p.verdict}
			l.add(p.submit(op), "Submit")
			for more := true; more; {
				more = p.Advance()
				l.add(p.lookup(op), "Lookup")
			}
			p.disputed(op, won)
		}
	},
}

// disputed checks how a dispute that was decided is told.
func (p *probe) disputed(op providers.Operation, won bool) {
	r := p.lookup(op)
	if len(r.Disputes) != 1 {
		p.fatalf("a deposit that was disputed once has %d Disputes", len(r.Disputes))
	}
	d := r.Disputes[0]
	want := providers.DisputeLost
	if won {
		want = providers.DisputeWon
	}
	if d.State != want {
		p.failf("a dispute that was %s is told as %s", want, d.State)
	}
	taken, back := currency.Zero(op.Amount.Asset()), currency.Zero(op.Amount.Asset())
	for _, e := range r.Effects {
		var err error
		switch e.Kind {
		case providers.Disputed:
			taken, err = taken.Sub(e.Amount)
		case providers.Reinstated:
			back, err = back.Add(e.Amount)
		case providers.Reversed:
			p.failf("effect %s takes back what the dispute takes: the money would leave the wallet twice", e.ID)
		default:
			continue
		}
		if err != nil {
			p.failf("effect %s is not in the deposit's asset: %v", e.ID, e.Amount)
		}
		if (e.Kind == providers.Disputed || e.Kind == providers.Reinstated) && e.Dispute != d.ID {
			p.failf("effect %s names dispute %q, the deposit's is %s", e.ID, e.Dispute, d.ID)
		}
	}
	if taken != d.Amount || taken.Sign() <= 0 {
		p.failf("a dispute of %v took %v: %+v", d.Amount, taken, r.Effects)
	}
	if rest := currency.Zero(op.Amount.Asset()); won && back != taken || !won && back != rest {
		p.failf("a dispute that took %v and was %s gave back %v: %+v", taken, want, back, r.Effects)
	}
	p.heard(r)
	if _, hears := providers.As[providers.Poller](p.Provider); hears && !slices.ContainsFunc(p.news(), func(e providers.Event) bool {
		return e.Lookup != nil && about(e, r.Reference) || e.Report != nil && len(e.Report.Disputes) == 1 && e.Report.Disputes[0].State == want
	}) {
		p.failf("a dispute was %s, and no event told so", want)
	}
}
