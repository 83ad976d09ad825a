package providertest

import (
	"sync"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var refundCheck = Check{
	Name: "refunds-within-the-deposit",
	Rule: "All refunds of a deposit together never exceed it, one after another or at once: one that would is a Failed report or a " +
		"Rejected error, and moves nothing.",
	run: func(p *probe) {
		if _, ok := p.Operation(providers.Refund); !ok {
			p.waive("the descriptor offers no refund")
		}
		first, ok := p.sample(providers.Refund)
		if !ok {
			p.fatalf("the harness has refunds, but no deposits")
		}
		all := first.Amount
		parts, err := all.Allocate(6, 4)
		if err != nil || parts[1].Sign() == 0 {
			p.fatalf("the harness' sample deposit of %v is too small to be refunded in parts", all)
		}
		var refunds []providers.Operation
		again := func(a currency.Amount) providers.Operation {
			op := first
			op.Key, op.Amount = uuid.NewString(), a
			refunds = append(refunds, op)
			return op
		}
		p.submit(again(parts[0]))
		p.overRefund(again(parts[0]))
		p.submit(again(parts[1]))
		p.overRefund(again(currency.MustNew(1, all.Asset())))
		p.settle()
		p.refundedAtMost(refunds, all)

		// The same at once, on another deposit.
		second, _ := p.sample(providers.Refund)
		var group sync.WaitGroup
		refunds = refunds[:0]
		for range 8 {
			op := second
			op.Key = uuid.NewString()
			refunds = append(refunds, op)
			group.Go(func() { _, _ = p.Provider.Submit(p.ctx, op) }) // what became of it is looked up below
		}
		group.Wait()
		p.settle()
		p.refundedAtMost(refunds, second.Amount)
	},
}

// overRefund submits a refund of more than is left.
func (p *probe) overRefund(op providers.Operation) {
	r, err := p.Provider.Submit(p.ctx, op)
	if err != nil {
		if c := providers.CertaintyOf(err); c == providers.Duplicate {
			p.failf("a refund of %v, of which less is left, is Duplicate under a new key: %v", op.Amount, err)
		}
	} else if p.valid(r, "Submit"); r.State == providers.Succeeded {
		p.failf("a refund of %v succeeded, though less is left of the deposit", op.Amount)
	}
}

func (p *probe) refundedAtMost(refunds []providers.Operation, limit currency.Amount) {
	total := currency.Zero(limit.Asset())
	for _, op := range refunds {
		r, err := p.Provider.Lookup(p.ctx, query(op))
		if err != nil {
			continue // it was rejected
		}
		if moved, ok := net(r); ok {
			if total, err = total.Add(moved); err != nil {
				p.fatalf("refunds of %v: %v", limit, err)
			}
		}
	}
	if more, err := limit.Less(total); err != nil || more {
		p.failf("%d refunds gave back %v of a deposit of %v", len(refunds), total, limit)
	}
	if total.Sign() == 0 {
		p.failf("no refund of a deposit of %v gave anything back", limit)
	}
}
