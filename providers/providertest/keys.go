package providertest

import (
	"slices"
	"sync"

	"github.com/koshpay/kosh/providers"
)

var sameKeyCheck = Check{
	Name: "same-key-executes-once",
	Rule: "The same operation under the same key is executed once, however often it is submitted: the far side's key is " +
		"Operation.Key and no other. A worker that crashed submits again.",
	run: func(p *probe) {
		p.needKeys()
		p.each(func(op providers.Operation) {
			first := p.submit(op)
			for i := range 3 {
				op.Attempt = i + 1
				p.again(p.Provider, op, first, "it was submitted again")
				p.Advance()
			}
			p.settle()
			p.again(p.Provider, op, first, "it was submitted again, later")
		})
	},
}

// again submits a known key and expects what was before, or Duplicate.
func (p *probe) again(provider providers.Provider, op providers.Operation, first providers.Report, after string) {
	r, err := provider.Submit(p.ctx, op)
	switch {
	case err != nil && providers.CertaintyOf(err) != providers.Duplicate:
		p.failf("Submit of a known %s key is %v, want the operation as it stands or Duplicate: %v", op.Kind, providers.CertaintyOf(err), err)
	case err == nil && r.Reference != first.Reference:
		p.failf("Submit of a known %s key made %s, at first %s: pass Operation.Key on as the far side's idempotency key",
			op.Kind, r.Reference, first.Reference)
	case err == nil:
		p.valid(r, "Submit")
	}
	p.executed(op, 1, after)
}

var atOnceCheck = Check{
	Name: "same-key-at-once",
	Rule: "The same key submitted 32 times at once is executed once, and no answer is Rejected or disagrees about the " +
		"reference: two workers may hold one operation when a lease runs out.",
	run: func(p *probe) {
		p.needKeys()
		p.each(func(op providers.Operation) {
			const callers = 32
			reports, errs := make([]providers.Report, callers), make([]error, callers)
			var group sync.WaitGroup
			for i := range callers {
				group.Go(func() { reports[i], errs[i] = p.Provider.Submit(p.ctx, op) })
			}
			group.Wait()
			var references []string
			for i := range callers {
				if errs[i] == nil {
					references = append(references, reports[i].Reference)
				} else if c := providers.CertaintyOf(errs[i]); c == providers.Rejected {
					p.failf("one of %d equal submits of a %s is Rejected, which releases the money that another moves: %v", callers, op.Kind, errs[i])
				}
			}
			slices.Sort(references)
			if references = slices.Compact(references); len(references) > 1 {
				p.failf("%d submits of one %s key made %s", callers, op.Kind, quoted(references))
			}
			p.executed(op, 1, "32 submits at once")
		})
	},
}

var reopenCheck = Check{
	Name: "same-key-after-reopen",
	Rule: "A key holds across a restart of the process: what an adapter must remember goes through providers.StateStore or " +
		"lies with the far side, never in its memory alone.",
	run: func(p *probe) {
		p.needKeys()
		p.each(func(op providers.Operation) {
			first := p.submit(op)
			op.Attempt = 1
			reopened := p.Reopen()
			p.again(reopened, op, first, "a restart")
			r, err := reopened.Lookup(p.ctx, query(op))
			if err != nil || r.Reference != first.Reference {
				p.failf("Lookup of a %s key after a restart: reference %q, err %v; at first %q", op.Kind, r.Reference, err, first.Reference)
			}
		})
	},
}

var otherAmountCheck = Check{
	Name: "same-key-other-amount",
	Rule: "A known key with another amount is never executed, and never Rejected: Rejected speaks of the key, whose first " +
		"operation is alive. Duplicate is the truth; the first operation's report is, too.",
	run: func(p *probe) {
		p.needKeys()
		for _, k := range []providers.Kind{providers.Deposit, providers.Withdrawal, providers.Refund} {
			op, ok := p.sample(k)
			if !ok {
				continue
			}
			p.submit(op)
			other := op
			var err error
			if k == providers.Refund {
				if parts, errSplit := op.Amount.Split(2); errSplit == nil {
					other.Amount = parts[0]
				}
			} else if other.Amount, err = op.Amount.MulInt(2); err != nil {
				continue
			}
			if p.descriptor.Supports(other) != nil || other.Amount == op.Amount {
				p.fatalf("the harness' sample of a %s has no room: half and double of its amount must be offered too", k)
			}
			r, err := p.Provider.Submit(p.ctx, other)
			if err != nil && providers.CertaintyOf(err) == providers.Rejected {
				p.failf("a known %s key with another amount is Rejected, which would release the first one's money; say Duplicate: %v", k, err)
			}
			if err == nil {
				p.valid(r, "Submit")
			}
			p.executed(op, 1, "the same key with another amount")
			p.settle()
			if moved, ok := net(p.lookup(op)); ok && moved != op.Amount {
				p.failf("a %s of %v moved %v after its key was used with %v", k, op.Amount, moved, other.Amount)
			}
		}
	},
}
