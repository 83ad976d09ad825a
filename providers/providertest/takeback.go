package providertest

import (
	"slices"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/providers"
)

// takenBack submits what goes well and is taken back later, and checks how that is told.
func (p *probe) takenBack(op providers.Operation) {
	l := &sightings{p: &p.verdict}
	r := p.submit(op)
	l.add(r, "Submit")
	wentWell := false
	for more := true; more; {
		if back := reversed(r); !back {
			_, moved := net(r)
			wentWell = wentWell || moved
		}
		more = p.Advance()
		r = p.lookup(op)
		l.add(r, "Lookup")
	}
	if !wentWell {
		p.failf("the harness' sample of a %s that goes well and is taken back never went well: %+v", op.Kind, r)
	}
	if rest, moved := net(r); !moved || rest.Sign() != 0 {
		p.failf("a %s of %v was taken back, but its effects come to %v: %+v", op.Kind, op.Amount, rest, r.Effects)
	}
	if !reversed(r) {
		p.failf("a %s was taken back, but no Reversed effect says so: %+v", op.Kind, r.Effects)
	}
	for _, s := range l.seen {
		if !slices.ContainsFunc(r.Effects, func(e providers.Effect) bool { return e.ID == s.effect.ID }) {
			p.failf("effect %s (%s %v) was reported and is gone: what moved has moved, and what takes it back is another effect",
				s.effect.ID, s.effect.Kind, s.effect.Amount)
		}
	}
	if r.Reason.Code == "" {
		p.failf("a %s was taken back, and no Reason says why", op.Kind)
	}
	if !r.Final {
		p.failf("a %s was taken back, nothing more happens to it, and it is not Final", op.Kind)
	}
	p.heard(r)
	if p.descriptor.KeyRetention > 0 {
		op.Attempt = 1
		p.again(p.Provider, op, r, "it was taken back and sent again")
	}
}

func reversed(r providers.Report) bool {
	return slices.ContainsFunc(r.Effects, func(e providers.Effect) bool { return e.Kind == providers.Reversed })
}

var returnedCheck = Check{
	Name: "returned-deposit",
	Rule: "A deposit that succeeded and is returned keeps its Moved effect and gets a Reversed one that names it, with a reason, by every way " +
		"there is: the money may be spent by then, and only an effect takes it back.",
	run: func(p *probe) {
		if p.Returned != nil {
			if op, ok := p.Returned(); ok {
				p.takenBack(op)
				return
			}
		}
		if slices.ContainsFunc(p.descriptor.Offers, func(o providers.Offer) bool { return o.Kind == providers.Deposit && o.Provisional }) {
			p.fatalf("the harness lacks World.Returned, though an offer of deposits is Provisional")
		}
		p.waive("no offer of deposits is Provisional")
	},
}

var bouncedCheck = Check{
	Name: "bounced-payout",
	Rule: "A payout that succeeded and comes back days later keeps its Moved effect and gets a Reversed one: a Failed report alone would leave " +
		"the member without the money, and a Moved effect in would be nobody's.",
	run: func(p *probe) {
		if p.Bounced != nil {
			if op, ok := p.Bounced(); ok {
				p.takenBack(op)
				return
			}
		}
		p.waive("the harness' far side has no payouts that bounce")
	},
}

var failedRefundCheck = Check{
	Name: "refund-that-fails-later",
	Rule: "A refund that succeeded and comes back is told as such, by a Reversed effect on the refund and none on the deposit: what is " +
		"believed to be refunded would otherwise stay with the provider.",
	run: func(p *probe) {
		if p.RefundFails == nil {
			p.waive("the harness' far side has no refunds that come back")
		}
		deposit, ok := p.RefundFails()
		if !ok {
			p.waive("the harness' far side has no refunds that come back")
		}
		op, ok := p.refundOf(deposit)
		if !ok {
			p.waive("the descriptor offers no refund")
		}
		before := p.lookup(deposit)
		p.takenBack(op)
		if after := p.lookup(deposit); !sameEffects(before.Effects, after.Effects) {
			p.failf("a refund that came back changed the deposit's effects from %+v to %+v", before.Effects, after.Effects)
		}
	},
}

// refundOf submits a deposit, waits for it, and returns a refund of all of it.
func (p *probe) refundOf(deposit providers.Operation) (providers.Operation, bool) {
	op, ok := p.Operation(providers.Refund)
	if !ok {
		return op, false
	}
	r := p.submit(deposit)
	p.settle()
	op.Key, op.Method, op.Amount = uuid.NewString(), deposit.Method, deposit.Amount
	op.Target, op.TargetReference = deposit.Key, r.Reference
	return op, true
}

var refundReturnedCheck = Check{
	Name: "refund-of-what-went-back",
	Rule: "A deposit that was returned is not refunded on top: a chargeback and a refund that pay the same money twice are the dearest " +
		"mistake there is.",
	run: func(p *probe) {
		if p.Returned == nil {
			p.waive("no offer of deposits is Provisional")
		}
		deposit, ok := p.Returned()
		if !ok {
			p.waive("no offer of deposits is Provisional")
		}
		op, ok := p.refundOf(deposit)
		if !ok {
			p.waive("the descriptor offers no refund")
		}
		p.refusedRefund(op, "a deposit that was returned")
	},
}

var refundNothingCheck = Check{
	Name: "refund-of-nothing",
	Rule: "A refund of a deposit that the far side does not know moves nothing and is refused: it never becomes a payout to whoever is at hand.",
	run: func(p *probe) {
		deposit, ok := p.Operation(providers.Deposit)
		if !ok {
			p.waive("the descriptor offers no refund")
		}
		op, ok := p.refundOf(deposit)
		if !ok {
			p.waive("the descriptor offers no refund")
		}
		op.Target, op.TargetReference = uuid.NewString(), "no-such-reference"
		p.refusedRefund(op, "what nobody knows")
	},
}

// refusedRefund submits a refund that must move nothing.
func (p *probe) refusedRefund(op providers.Operation, what string) {
	r, err := p.Provider.Submit(p.ctx, op)
	if err != nil && providers.CertaintyOf(err) == providers.Duplicate {
		p.failf("a refund of %s is Duplicate under a new key: %v", what, err)
	}
	if err == nil {
		p.valid(r, "Submit")
		p.settle()
		if r = p.lookup(op); r.State != providers.Failed {
			p.failf("a refund of %s is %s, want failed, or an error that is Rejected or NotSent", what, r.State)
		}
	} else if providers.CertaintyOf(err) == providers.Maybe {
		p.failf("a refund of %s is Maybe, which keeps money held for ever: %v", what, err)
	}
	p.settle()
	p.executed(op, 0, "it was a refund of "+what)
}

var partialRefundsCheck = Check{
	Name: "partial-refunds",
	Rule: "Each refund in part moves its own part, under its own key and reference, equal ones too, and leaves the deposit's effects as they " +
		"were: what is left of a deposit is counted from them.",
	run: func(p *probe) {
		deposit, ok := p.Operation(providers.Deposit)
		if !ok {
			p.waive("the descriptor offers no refund")
		}
		whole, ok := p.refundOf(deposit)
		if !ok {
			p.waive("the descriptor offers no refund")
		}
		before := p.lookup(deposit)
		parts, err := whole.Amount.Allocate(3, 3, 4)
		if err != nil || parts[0].Sign() == 0 {
			p.fatalf("the harness' sample deposit of %v is too small to be refunded in parts", whole.Amount)
		}
		l := &sightings{p: &p.verdict}
		references := map[string]bool{}
		for i, part := range parts {
			op := whole
			op.Key, op.Amount = uuid.NewString(), part
			r := p.submit(op)
			references[r.Reference] = true
			p.settle()
			l.add(p.lookup(op), "Lookup")
			if p.World.Moved != nil {
				p.moved(op, part, ", a part,")
			} else if moved, _ := net(p.lookup(op)); moved != part {
				p.failf("refund %d of %v is reported as %v", i+1, part, moved)
			}
			if p.descriptor.KeyRetention > 0 {
				op.Attempt = 1
				p.again(p.Provider, op, r, "the part was sent again")
			}
		}
		if len(references) != len(parts) {
			p.failf("%d refunds of one deposit have %d references", len(parts), len(references))
		}
		if after := p.lookup(deposit); !sameEffects(before.Effects, after.Effects) {
			p.failf("refunds changed the deposit's effects from %+v to %+v: a refund is an operation of its own", before.Effects, after.Effects)
		}
	},
}
