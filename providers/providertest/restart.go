package providertest

import (
	"slices"
	"sync"

	"github.com/koshpay/kosh/providers"
)

var twoProcessesCheck = Check{
	Name: "same-key-in-two-processes",
	Rule: "Two adapters on one far side, as in two processes, that submit the same key at once execute it once: no mutex reaches from one " +
		"process into another.",
	run: func(p *probe) {
		p.needKeys()
		other := p.Reopen()
		p.each(func(op providers.Operation) {
			const callers = 16
			reports, errs := make([]providers.Report, 2*callers), make([]error, 2*callers)
			var group sync.WaitGroup
			for i := range 2 * callers {
				provider := p.Provider
				if i%2 == 1 {
					provider = other
				}
				group.Go(func() { reports[i], errs[i] = provider.Submit(p.ctx, op) })
			}
			group.Wait()
			var references []string
			for i := range reports {
				if errs[i] == nil {
					references = append(references, reports[i].Reference)
				} else if c := providers.CertaintyOf(errs[i]); c == providers.Rejected {
					p.failf("one of two processes that submit one %s is Rejected, which releases the money that the other moves: %v", op.Kind, errs[i])
				}
			}
			slices.Sort(references)
			if references = slices.Compact(references); len(references) > 1 {
				p.failf("two processes made %s of one %s key", quoted(references), op.Kind)
			}
			p.executed(op, 1, "two processes submitted it at once")
		})
	},
}

var restartCheck = Check{
	Name: "restart-in-mid-flight",
	Rule: "A process that dies after its request left and before the answer came loses nothing: the next one finds the operation by " +
		"kosh's key alone, sends it again without doing it twice, and hears of all that came in between.",
	run: func(p *probe) {
		p.eachUnder(LostResponse, true, func(op providers.Operation, _ providers.Report, _ error) {
			next := p.Reopen()
			for p.Advance() {
				if _, err := next.Lookup(p.ctx, query(op)); err == nil {
					break
				}
			}
			r, err := next.Lookup(p.ctx, query(op))
			if err != nil {
				p.failf("after a restart Lookup does not find the %s whose answer was lost: %v", op.Kind, err)
				return
			}
			p.valid(r, "Lookup after a restart")
			if p.descriptor.KeyRetention > 0 {
				op.Attempt = 1
				p.again(next, op, r, "a restart and the same key again")
			}
			p.settle()
			p.executed(op, 1, "a restart in mid-flight")
			p.Provider = p.Reopen()
			after := p.lookup(op)
			if after.Reference != r.Reference {
				p.failf("after another restart a %s is %s, before %s", op.Kind, after.Reference, r.Reference)
			}
			p.heard(after)
		})
	},
}

// heard checks that the provider tells of an operation, effects included, by the ways that it has.
func (p *probe) heard(r providers.Report) {
	_, polls := providers.As[providers.Poller](p.Provider)
	_, receives := providers.As[providers.Receiver](p.Provider)
	if !polls && !receives {
		return // such a provider is looked up until it is final
	}
	told := map[string]bool{}
	for _, e := range p.news() {
		if e.Lookup != nil && about(e, r.Reference) {
			return
		}
		if e.Report != nil && e.Report.Reference == r.Reference {
			for _, x := range e.Report.Effects {
				told[x.ID] = true
			}
		}
	}
	for _, x := range r.Effects {
		if !told[x.ID] {
			p.failf("%s effect %s (%v) of %s is known to Lookup, but no webhook and no Poll told of it", x.Kind, x.ID, x.Amount, r.Reference)
		}
	}
}
