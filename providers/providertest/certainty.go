package providertest

import (
	"context"
	"errors"

	"github.com/koshpay/kosh/providers"
)

var lostResponseCheck = Check{
	Name: "lost-response-is-maybe",
	Rule: "When the answer does not arrive, the error is Maybe, and a lookup finds what happened. Claiming Rejected or NotSent " +
		"releases money that has left.",
	run: func(p *probe) {
		p.eachUnder(LostResponse, true, func(op providers.Operation, _ providers.Report, err error) {
			p.maybe(op, err, LostResponse)
			p.executed(op, 1, "its response was lost")
			for p.Advance() && !p.found(op) {
			}
			if r := p.lookup(op); r.State == providers.Failed || r.State == providers.Canceled {
				p.failf("a %s whose response was lost was executed, but Lookup says %s", op.Kind, r.State)
			}
			p.resend(op, LostResponse)
		})
	},
}

var lostRequestCheck = Check{
	Name: "lost-request-is-maybe",
	Rule: "When a request is lost the adapter cannot know, so the error is Maybe; a lookup says ErrNotFound, and the same key " +
		"sent again is executed once.",
	run: func(p *probe) {
		p.eachUnder(LostRequest, true, func(op providers.Operation, _ providers.Report, err error) {
			p.maybe(op, err, LostRequest)
			p.settle()
			p.executed(op, 0, "its request was lost")
			if r, err := p.Provider.Lookup(p.ctx, query(op)); !errors.Is(err, providers.ErrNotFound) {
				p.failf("Lookup of a %s that never arrived: state %q, err %v; want ErrNotFound", op.Kind, r.State, err)
			}
			p.resend(op, LostRequest)
		})
	},
}

var serverErrorCheck = Check{
	Name: "server-error-is-maybe",
	Rule: "A 5xx says nothing about whether the far side acted: Maybe, always. Some far sides even replay a stored 500.",
	run:  func(p *probe) { p.uncertain(ServerError) },
}

var garbageCheck = Check{
	Name: "garbage-is-maybe",
	Rule: "An answer that cannot be read says nothing about whether the far side acted: Maybe, never Rejected, never a report.",
	run:  func(p *probe) { p.uncertain(Garbage) },
}

// uncertain plays a fault after which the far side acted or not, several times over.
func (p *probe) uncertain(f Fault) {
	for range 4 {
		p.eachUnder(f, true, func(op providers.Operation, _ providers.Report, err error) {
			p.maybe(op, err, f)
			acted := p.Executed(op.Key)
			p.settle()
			p.executed(op, acted, string(f)+" and time")
			r, err := p.Provider.Lookup(p.ctx, query(op))
			if acted == 1 && err != nil {
				p.failf("the far side executed the %s behind a %s, but Lookup says %v", op.Kind, f, err)
			}
			if acted == 0 && (err == nil && r.State != providers.Failed && r.State != providers.Canceled) {
				p.failf("the far side did not execute the %s behind a %s, but Lookup says %s", op.Kind, f, r.State)
			}
			p.resend(op, f)
		})
	}
}

func (p *probe) maybe(op providers.Operation, err error, f Fault) {
	if err == nil {
		p.failf("Submit of a %s under a %s returned no error: it made up an answer, or tried again on its own", op.Kind, f)
	} else if c := providers.CertaintyOf(err); c != providers.Maybe {
		p.failf("Submit of a %s under a %s is %v, want maybe: %v", op.Kind, f, c, err)
	}
}

func (p *probe) found(op providers.Operation) bool {
	_, err := p.Provider.Lookup(p.ctx, query(op))
	return err == nil
}

// resend sends the same key again, as the worker does; a far side without keys is only looked up.
func (p *probe) resend(op providers.Operation, f Fault) {
	if p.descriptor.KeyRetention == 0 {
		return
	}
	op.Attempt++
	_, err := p.Provider.Submit(p.ctx, op)
	if err != nil && providers.CertaintyOf(err) != providers.Duplicate {
		p.failf("the %s's key sent again after a %s: %v", op.Kind, f, err)
	}
	p.executed(op, 1, string(f)+" and the same key again")
}

var refusedCheck = Check{
	Name: "refused-is-not-sent",
	Rule: "NotSent is claimed only when the request never left; then nothing happens under that attempt, now or later.",
	run: func(p *probe) {
		p.eachUnder(Refuse, false, func(op providers.Operation, _ providers.Report, err error) {
			if err == nil {
				p.fatalf("Submit of a %s to a far side that cannot be reached returned no error", op.Kind)
			}
			if c := providers.CertaintyOf(err); c == providers.Rejected || c == providers.Duplicate {
				p.failf("Submit of a %s to a far side that cannot be reached is %v: nobody said so", op.Kind, c)
			}
			p.nothingEver(op, err)
		})
	},
}

var rejectedCheck = Check{
	Name: "rejected-means-never",
	Rule: "Rejected releases the money, so it is claimed only when the far side did nothing and never will under this key; " +
		"no later lookup shows otherwise.",
	run: func(p *probe) {
		p.eachUnder(Reject, false, func(op providers.Operation, _ providers.Report, err error) {
			if err == nil {
				p.fatalf("Submit of a %s that the far side rejects returned no error: a refusal of the request is an Error that is Rejected; "+
					"a Failed report is for a decision", op.Kind)
			}
			if c := providers.CertaintyOf(err); c == providers.Duplicate {
				p.failf("Submit of a new %s key that the far side rejects is Duplicate", op.Kind)
			}
			p.nothingEver(op, err)
		})
	},
}

// nothingEver checks that after an error that releases money nothing happens.
func (p *probe) nothingEver(op providers.Operation, err error) {
	for range 2 {
		p.executed(op, 0, err.Error())
		r, errLookup := p.Provider.Lookup(p.ctx, query(op))
		if errLookup == nil && r.State != providers.Failed && r.State != providers.Canceled {
			p.failf("Submit of a %s said %q, but Lookup says %s", op.Kind, err, r.State)
		}
		p.settle()
	}
}

var declinedCheck = Check{
	Name: "declined-is-a-report",
	Rule: "A decline is an answer: a Failed report with a reason, no error. As an error it would be retried or keep the money held.",
	run: func(p *probe) {
		p.eachUnder(Decline, false, func(op providers.Operation, r providers.Report, err error) {
			if err != nil {
				p.failf("a declined %s is an error, want a Failed report: %v", op.Kind, err)
				return
			}
			p.valid(r, "Submit")
			if r.State != providers.Failed || r.Reason.Code == "" {
				p.failf("a declined %s is %q with reason %q, want failed with the far side's code", op.Kind, r.State, r.Reason.Code)
			}
			p.settle()
			p.executed(op, 0, "it was declined")
			if found := p.lookup(op); found.State != providers.Failed {
				p.failf("a declined %s became %s", op.Kind, found.State)
			}
		})
	},
}

var retriesCheck = Check{
	Name: "no-hidden-retries",
	Rule: "Adapters never retry: the worker does, with the attempt recorded beforehand. One Submit is one request, whatever the answer; " +
		"mind the retries that are on by default in SDKs.",
	run: func(p *probe) {
		for _, f := range []Fault{LostRequest, LostResponse, ServerError, Garbage, Refuse, RateLimit} {
			must := f != Refuse && f != RateLimit
			p.under(f, must, func(op providers.Operation, _ providers.Report, err error) {
				if p.requests != 1 && (must || p.requests != 0) { // what never left need not count
					p.failf("one Submit of a %s under a %s made %d requests, want 1: switch the client's retries off", op.Kind, f, p.requests)
				}
				if must {
					p.maybe(op, err, f)
				}
				p.settle()
			})
		}
	},
}

var canceledCheck = Check{
	Name: "canceled-context",
	Rule: "With a context that has ended, every call returns an error soon, and Submit's says truly whether anything was sent.",
	run: func(p *probe) {
		ended, cancel := context.WithCancel(p.ctx)
		cancel()
		p.each(func(op providers.Operation) {
			_, err := p.Provider.Submit(ended, op)
			if err == nil {
				p.failf("Submit of a %s under an ended context returned no error", op.Kind)
				return
			}
			if c := providers.CertaintyOf(err); c == providers.NotSent || c == providers.Rejected {
				p.settle()
				p.executed(op, 0, "Submit said "+c.String())
			}
			if _, err := p.Provider.Lookup(ended, query(op)); err == nil || errors.Is(err, providers.ErrNotFound) {
				p.failf("Lookup under an ended context: %v; want the context's error, which says nothing about the operation", err)
			}
		})
	},
}
