package providertest

import (
	"errors"

	"github.com/koshpay/kosh/providers"
)

var rateLimitCheck = Check{
	Name: "rate-limit-is-for-now",
	Rule: "A 429 refuses the moment, not the key: nothing happened, the error is NotSent or Maybe and never Rejected, and the same key sent " +
		"again is executed once.",
	run: func(p *probe) {
		p.eachUnder(RateLimit, false, func(op providers.Operation, r providers.Report, err error) {
			if err == nil {
				p.fatalf("Submit of a %s under a %s returned %q and no error: it made up an answer, or tried again on its own", op.Kind, RateLimit, r.State)
			}
			if c := providers.CertaintyOf(err); c != providers.NotSent && c != providers.Maybe {
				p.failf("Submit of a %s under a %s is %v, want not sent or maybe: the same key may still be executed: %v", op.Kind, RateLimit, c, err)
			}
			if detail, ok := errors.AsType[*providers.Error](err); ok && detail.RetryAfter < 0 {
				p.failf("Submit of a %s under a %s asks to wait %v", op.Kind, RateLimit, detail.RetryAfter)
			}
			p.settle()
			p.executed(op, 0, "a "+string(RateLimit))
			p.resend(op, RateLimit)
		})
	},
}

var slowCheck = Check{
	Name: "slow-request-is-maybe",
	Rule: "A request that timed out may be executed later: the error is Maybe, not-found says nothing before VisibleAfter, and what is " +
		"executed then is found, also by an adapter that has looked in vain.",
	run: func(p *probe) {
		p.eachUnder(Slow, false, func(op providers.Operation, _ providers.Report, err error) {
			p.maybe(op, err, Slow)
			for range 2 {
				if r, err := p.Provider.Lookup(p.ctx, query(op)); err == nil && (r.State == providers.Failed || r.State == providers.Canceled) {
					p.failf("Lookup of a %s that is on its way says %s, which releases the money", op.Kind, r.State)
				}
			}
			p.settle()
			p.executed(op, 1, "a slow request arrived")
			if r := p.lookup(op); r.State == providers.Failed || r.State == providers.Canceled {
				p.failf("a %s that was slow was executed, but Lookup says %s", op.Kind, r.State)
			}
			p.resend(op, Slow)
		})
	},
}

var laterAttemptCheck = Check{
	Name: "later-attempt-takes-nothing-back",
	Rule: "Rejected speaks of the key: when an earlier attempt was Maybe, and acted, no later attempt under that key is Rejected or Failed, " +
		"whatever the far side says in that moment. It would release money that has left.",
	run: func(p *probe) {
		p.needKeys()
		for _, moment := range []Fault{LostRequest, LostResponse, ServerError, Garbage, Refuse, RateLimit} {
			p.eachUnder(LostResponse, true, func(op providers.Operation, _ providers.Report, err error) {
				p.maybe(op, err, LostResponse)
				if !p.Fault(moment) {
					return // which of them it must play other checks say
				}
				op.Attempt = 1
				r, err := p.Provider.Submit(p.ctx, op)
				p.Fault(NoFault) // an adapter that knows the key may not have asked the far side
				if c := providers.CertaintyOf(err); err != nil && c == providers.Rejected {
					p.failf("a %s was executed and its answer lost; sent again it met a %s and is Rejected: %v", op.Kind, moment, err)
				}
				if err == nil && (r.State == providers.Failed || r.State == providers.Canceled) {
					p.failf("a %s was executed and its answer lost; sent again it met a %s and is %s", op.Kind, moment, r.State)
				}
				p.settle()
				p.executed(op, 1, "a lost response and a "+string(moment))
				p.resend(op, moment)
			})
		}
	},
}

var onlySubmitCheck = Check{
	Name: "only-submit-acts",
	Rule: "Nothing but Submit asks the far side to do something: no look-up, poll, webhook, restart or passing of time sends again. The worker " +
		"sends again, when it knows that to be safe.",
	run: func(p *probe) {
		var sent []providers.Operation
		for _, f := range []Fault{LostRequest, LostResponse, ServerError, Garbage, Refuse, RateLimit} {
			p.under(f, f != Refuse && f != RateLimit, func(op providers.Operation, _ providers.Report, _ error) { sent = append(sent, op) })
		}
		p.settle() // an adapter with an outbox of its own carries on what it has accepted
		before := p.Requests()
		acted := make([]int, len(sent))
		for i, op := range sent {
			acted[i] = p.Executed(op.Key)
		}
		for _, provider := range []providers.Provider{p.Provider, p.Reopen()} {
			for _, op := range sent {
				_, _ = provider.Lookup(p.ctx, query(op))
			}
			if poller, ok := providers.As[providers.Poller](provider); ok {
				p.pollAll(poller, "", 1000)
			}
			if r, ok := providers.As[providers.Receiver](provider); ok {
				for _, d := range p.Deliveries() {
					p.receive(r, d)
				}
			}
			if c, ok := providers.As[providers.Checker](provider); ok {
				_ = c.Check(p.ctx)
			}
			p.settle()
		}
		if n := p.Requests() - before; n != 0 {
			p.failf("%d requests to do something came without a Submit: an adapter sends what it is given, once", n)
		}
		for i, op := range sent {
			p.executed(op, acted[i], "looking, polling, receiving and a restart")
		}
	},
}
