package providertest

import (
	"fmt"
	"sync"

	"github.com/koshpay/kosh/providers"
)

var mixedCheck = Check{
	Name: "calls-at-once-do-not-mix",
	Rule: "All methods may be called at once: each answer is about the operation that was asked for, and each operation is executed once. An " +
		"adapter that keeps the request at hand in a field books one member's money on another. Run it with the race detector.",
	run: func(p *probe) {
		const callers = 32
		var ops []providers.Operation
		for len(ops) < callers {
			n := len(ops)
			for _, k := range kinds {
				if op, ok := p.sample(k); ok {
					ops = append(ops, op)
				}
			}
			if len(ops) == n {
				p.fatalf("the harness has no sample")
			}
		}
		problems := make([]string, len(ops))
		var group sync.WaitGroup
		for i, op := range ops {
			group.Go(func() { problems[i] = p.mixed(op) })
		}
		group.Go(func() {
			for range callers {
				p.Provider.Describe()
				if poller, ok := providers.As[providers.Poller](p.Provider); ok {
					_, _, _ = poller.Poll(p.ctx, "", 10)
				}
				if r, ok := providers.As[providers.Receiver](p.Provider); ok {
					_, _ = r.Receive(p.ctx, providers.Delivery{Body: []byte("{}")})
				}
			}
		})
		group.Wait()
		for _, problem := range problems {
			if problem != "" {
				p.failf("with %d calls at once, %s", len(ops), problem)
			}
		}
		p.settle()
		references := map[string]string{}
		for _, op := range ops {
			p.executed(op, 1, "other calls at once")
			r := p.lookup(op)
			if other, taken := references[r.Reference]; taken {
				p.failf("keys %s and %s, submitted at once, share reference %s", other, op.Key, r.Reference)
			}
			references[r.Reference] = op.Key
		}
	},
}

// mixed submits and looks up one of many operations, and says what is wrong with the answers. It may not stop the check.
func (p *probe) mixed(op providers.Operation) (problem string) {
	defer func() {
		if v := recover(); v != nil {
			problem = fmt.Sprintf("the provider panicked: %v", v)
		}
	}()
	r, err := p.Provider.Submit(p.ctx, op)
	if err != nil {
		return fmt.Sprintf("Submit of a %s sample that should go well: %v", op.Kind, err)
	}
	if r.Key != op.Key || r.Kind != op.Kind {
		return fmt.Sprintf("Submit of %s %s answered about %s %s", op.Kind, op.Key, r.Kind, r.Key)
	}
	found, err := p.Provider.Lookup(p.ctx, query(op))
	if err == nil && (found.Key != op.Key || found.Kind != op.Kind || found.Reference != r.Reference) {
		return fmt.Sprintf("Lookup of %s %s, which is %s, answered about %s %s, %s", op.Kind, op.Key, r.Reference, found.Kind, found.Key, found.Reference)
	}
	return ""
}
