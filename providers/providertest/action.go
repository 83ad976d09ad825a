package providertest

import (
	"github.com/google/uuid"

	"github.com/koshpay/kosh/providers"
)

var waitingCheck = Check{
	Name: "action-required",
	Rule: "While a deposit waits for the person nothing has moved, asking again asks for nothing new, and only their answer decides: 3-D Secure " +
		"is neither a success nor a decline.",
	run: func(p *probe) {
		if p.Waiting == nil || p.Answer == nil {
			p.waive("the harness' far side has no deposit that waits for the person")
		}
		for _, approve := range []bool{true, false} {
			op, ok := p.Waiting()
			if !ok {
				p.waive("the harness' far side has no deposit that waits for the person")
			}
			r := p.submit(op)
			if r.State != providers.ActionRequired || r.Action == nil || r.Action.Kind == "" {
				p.fatalf("a deposit that waits for the person is %s with action %v; want action_required, and what to do", r.State, r.Action != nil)
			}
			if p.descriptor.KeyRetention > 0 {
				op.Attempt = 1
				p.again(p.Provider, op, r, "it waited for the person and was sent again")
			}
			for _, waiting := range []providers.Report{r, p.lookup(op)} {
				if _, moved := net(waiting); moved || waiting.State != providers.ActionRequired {
					p.failf("a deposit is %s with effects %+v while it waits for the person", waiting.State, waiting.Effects)
				}
			}
			if err := p.Answer(op.Key, approve); err != nil {
				p.fatalf("World.Answer: %v", err)
			}
			p.settle()
			p.answered(op, approve)
		}
	},
}

// answered checks what became of a deposit that a person was asked about.
func (p *probe) answered(op providers.Operation, approve bool) {
	r := p.lookup(op)
	amount, moved := net(r)
	if approve {
		if r.State != providers.Succeeded || amount != op.Amount {
			p.failf("a deposit of %v that the person approved is %s and moved %v", op.Amount, r.State, amount)
		}
		p.executed(op, 1, "the person approved")
		p.heard(r)
		return
	}
	if r.State != providers.Failed && r.State != providers.Canceled || moved || !r.Final {
		p.failf("a deposit that the person turned down is %s, final %v, with effects %+v", r.State, r.Final, r.Effects)
	}
	if r.Reason.Code == "" {
		p.failf("a deposit that the person turned down has no Reason")
	}
	p.executed(op, 0, "the person turned it down")
}

var cancelInTimeCheck = Check{
	Name: "cancel-in-time",
	Rule: "A cancellation that succeeded stopped the money: the deposit is Canceled at the far side, nothing moves, now or later, and canceling it " +
		"twice is harmless. One that did not succeed changes nothing.",
	run: func(p *probe) {
		cancel, ok := p.Operation(providers.Cancel)
		if !ok {
			p.waive("the descriptor offers no cancellation")
		}
		deposit, r := p.waits()
		cancel.Target, cancel.TargetReference, cancel.Method = deposit.Key, r.Reference, deposit.Method
		done, err := p.Provider.Submit(p.ctx, cancel)
		if err == nil {
			p.valid(done, "Submit")
		}
		again := cancel
		again.Key = uuid.NewString()
		if _, err := p.Provider.Submit(p.ctx, again); err != nil && providers.CertaintyOf(err) == providers.Duplicate {
			p.failf("a second cancellation is Duplicate under a new key: %v", err)
		}
		p.settle()
		if err == nil && done.State == providers.Pending {
			done = p.lookup(cancel)
		}
		after := p.lookup(deposit)
		_, moved := net(after)
		switch {
		case err == nil && done.State == providers.Succeeded:
			if after.State != providers.Canceled && after.State != providers.Failed || moved || !after.Final {
				p.failf("the cancellation succeeded, but the deposit is %s, final %v, with effects %+v", after.State, after.Final, after.Effects)
			}
			p.executed(deposit, 0, "it was canceled")
		case after.State == providers.Canceled:
			p.failf("the cancellation is %q (%v), but the deposit is Canceled", done.State, err)
		}
	},
}

// waits submits a deposit that has not moved yet, or waives the check.
func (p *probe) waits() (providers.Operation, providers.Report) {
	if p.Waiting != nil {
		if op, ok := p.Waiting(); ok {
			return op, p.submit(op)
		}
	}
	if op, ok := p.Operation(providers.Deposit); ok {
		if r := p.submit(op); r.State == providers.Pending || r.State == providers.ActionRequired {
			return op, r
		}
	}
	p.waive("the harness has no deposit that waits long enough to be canceled")
	return providers.Operation{}, providers.Report{}
}

var cancelCheck = Check{
	Name: "cancel-comes-too-late",
	Rule: "What has moved cannot be canceled: the cancellation fails and the deposit stays as it is. A capture that was canceled ended in a " +
		"refund nobody recorded, elsewhere.",
	run: func(p *probe) {
		if _, ok := p.Operation(providers.Cancel); !ok {
			p.waive("the descriptor offers no cancellation")
		}
		deposit, ok := p.Operation(providers.Deposit)
		if !ok {
			p.waive("the descriptor offers no deposit to cancel")
		}
		r := p.submit(deposit)
		for {
			if _, moved := net(p.lookup(deposit)); moved {
				break
			}
			if !p.Advance() {
				p.fatalf("the harness' sample deposit never moved")
			}
		}
		before := p.lookup(deposit)
		op, _ := p.Operation(providers.Cancel)
		op.Target, op.TargetReference, op.Method = deposit.Key, r.Reference, deposit.Method
		report, err := p.Provider.Submit(p.ctx, op)
		if err == nil {
			p.valid(report, "Submit")
			if report.State != providers.Failed {
				p.failf("canceling a deposit that has moved is %s, want failed", report.State)
			}
		}
		if after := p.lookup(deposit); !sameEffects(before.Effects, after.Effects) || after.State == providers.Canceled {
			p.failf("a late cancellation changed the deposit from %+v to %+v", before, after)
		}
	},
}
