package providertest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/koshpay/kosh/providers"
)

// Check is one rule and the way to find out whether a provider keeps it.
type Check struct {
	Name string // as in the name of Run's subtest
	Rule string // what must hold, and why
	run  func(p *probe)
}

// Finding is what a check found.
type Finding struct {
	Check    Check
	Failures []string // each says what happened and what to do; none: the rule is kept
	Waived   string   // the capability that the provider declares not to have
	Notes    []string // figures worth reading
}

// Checks returns every check, in the order in which Run runs them.
func Checks() []Check {
	return []Check{
		descriptorCheck, secretsCheck, logCheck, cardNumberCheck, unsupportedCheck,
		amountsCheck, boundsCheck, neverCutCheck, otherMovedCheck,
		sameKeyCheck, atOnceCheck, twoProcessesCheck, reopenCheck, restartCheck, otherAmountCheck,
		lostResponseCheck, lostRequestCheck, slowCheck, serverErrorCheck, garbageCheck, refusedCheck, rateLimitCheck, rejectedCheck,
		declinedCheck, laterAttemptCheck,
		retriesCheck, onlySubmitCheck, canceledCheck,
		unknownCheck, lookupErrorCheck, referenceCheck,
		effectsCheck, finalCheck, distinctCheck, mixedCheck,
		flippedCheck, secretCheck, emptySecretCheck, rotationCheck, staleCheck, redeliveryCheck, orderCheck, unknownTypeCheck,
		fuzzCheck, signedGarbageCheck,
		pollCheck, pollCompleteCheck, pollErrorCheck, pollWhileCheck, unaskedCheck,
		statementCheck,
		linkCheck, addressCheck, reorganisationCheck,
		returnedCheck, bouncedCheck, waitingCheck, cancelInTimeCheck, cancelCheck,
		refundCheck, partialRefundsCheck, failedRefundCheck, refundReturnedCheck, refundNothingCheck, disputeCheck,
	}
}

// Run runs every check as a subtest. A waived check is skipped and says why.
func Run(t *testing.T, h Harness) {
	t.Helper()
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) { c.Inspect(t, h).tell(t) })
	}
}

// tell makes t say what was found.
func (f Finding) tell(t *testing.T) {
	t.Helper()
	for _, note := range f.Notes {
		t.Log(note)
	}
	for _, failure := range f.Failures {
		t.Error(failure)
	}
	if len(f.Failures) > 0 {
		t.Log("the rule: " + f.Check.Rule)
	} else if f.Waived != "" {
		t.Skip("waived: " + f.Waived)
	}
}

// Inspect runs the check and returns what it found, without failing t: for those who test a test.
func (c Check) Inspect(t *testing.T, h Harness) Finding {
	t.Helper()
	p := &probe{verdict: verdict{ctx: t.Context()}}
	p.World = h.Open(t)
	if missing := p.World.missing(); missing != "" {
		return Finding{Check: c, Failures: []string{"the harness lacks " + missing}}
	}
	p.hide = p.redact
	return p.judge(c, func() {
		p.descriptor = p.Provider.Describe()
		c.run(p)
	})
}

// verdict is what a check has found so far.
type verdict struct {
	ctx      context.Context          // lives as long as its check
	hide     func(text string) string // of what is printed, secrets; nil: there are none
	failures []string
	notes    []string
	waived   string
}

// judge runs a check and returns what it found.
func (v *verdict) judge(c Check, run func()) Finding {
	v.try(run)
	return Finding{Check: c, Failures: v.failures, Waived: v.waived, Notes: v.notes}
}

// try runs what may stop half-way, by fatalf or waive.
func (v *verdict) try(run func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				v.failf("the provider or the check panicked: %v", r)
			}
		}()
		run()
	}()
	<-done
}

func (v *verdict) text(format string, args []any) string {
	text := fmt.Sprintf(format, args...)
	if v.hide != nil {
		text = v.hide(text)
	}
	return text
}

// failf records a failure; the check goes on.
func (v *verdict) failf(format string, args ...any) {
	v.failures = append(v.failures, v.text(format, args))
}

// note records a figure.
func (v *verdict) note(format string, args ...any) {
	v.notes = append(v.notes, v.text(format, args))
}

// fatalf records a failure and stops the check.
func (v *verdict) fatalf(format string, args ...any) {
	v.failf(format, args...)
	runtime.Goexit()
}

// waive stops the check because the provider declares that it lacks a capability.
func (v *verdict) waive(reason string) {
	v.waived = reason
	runtime.Goexit()
}

// probe is a check at work.
type probe struct {
	*World
	verdict
	descriptor providers.Descriptor
	requests   int // that the last Submit of eachUnder made
}

// receiver returns the provider's Receiver, or waives the check.
func (p *probe) receiver() providers.Receiver {
	r, ok := providers.As[providers.Receiver](p.Provider)
	if !ok {
		p.waive("the provider is no Receiver")
	}
	return r
}

func (p *probe) poller() providers.Poller {
	r, ok := providers.As[providers.Poller](p.Provider)
	if !ok {
		p.waive("the provider is no Poller")
	}
	return r
}

// needKeys waives the check for a far side without idempotency keys: such a provider is submitted to once.
func (p *probe) needKeys() {
	if p.descriptor.KeyRetention == 0 {
		p.waive("the descriptor declares a far side without keys (KeyRetention 0)")
	}
}

// sample returns an operation of a kind; a refund or cancellation with a deposit that it is about.
func (p *probe) sample(kind providers.Kind) (providers.Operation, bool) {
	op, ok := p.Operation(kind)
	if !ok {
		return op, false
	}
	if kind == providers.Refund || kind == providers.Cancel {
		deposit, ok := p.Operation(providers.Deposit)
		if !ok {
			return op, false
		}
		r := p.submit(deposit)
		if kind == providers.Refund {
			p.settle()
			op.Amount = deposit.Amount
		}
		op.Target, op.TargetReference, op.Method = deposit.Key, r.Reference, deposit.Method
	}
	return op, true
}

// kinds are those that a check of keys or certainty goes through.
var kinds = []providers.Kind{
	providers.Deposit, providers.Withdrawal, providers.Refund, providers.Link, providers.DepositAddress,
}

// each calls do with a sample of every kind that is offered. A fault, if any, is set before the sample is taken.
func (p *probe) each(do func(op providers.Operation)) {
	n := 0
	for _, k := range kinds {
		if op, ok := p.sample(k); ok {
			n++
			do(op)
		}
	}
	if n == 0 {
		p.fatalf("the harness has no sample of any kind: let Operation return one of each kind that the descriptor offers")
	}
}

// eachUnder is each with a fault before every submit. What must be possible and is not fails the check; what need not be
// waives it.
func (p *probe) eachUnder(f Fault, must bool, do func(op providers.Operation, r providers.Report, err error)) {
	if p.under(f, must, do) == 0 {
		p.waive(fmt.Sprintf("the harness cannot play %q", f))
	}
}

// under is eachUnder for a check that plays several faults, and goes on with the others when one cannot be played.
func (p *probe) under(f Fault, must bool, do func(op providers.Operation, r providers.Report, err error)) (n int) {
	for _, k := range kinds {
		op, ok := p.sample(k)
		if !ok {
			continue
		}
		if !p.Fault(f) {
			if must {
				p.fatalf("the harness cannot play %q: without it nothing is known about what the adapter makes of one", f)
			}
			continue
		}
		// The harness may answer the fault with another sample.
		if again, ok := p.Operation(k); ok {
			again.Target, again.TargetReference = op.Target, op.TargetReference
			if k == providers.Refund {
				again.Amount, again.Method = op.Amount, op.Method
			}
			op = again
		}
		n++
		before := p.Requests()
		r, err := p.Provider.Submit(p.ctx, op)
		p.requests = p.Requests() - before
		do(op, r, err)
	}
	return n
}

// submit submits what must go well.
func (p *probe) submit(op providers.Operation) providers.Report {
	r, err := p.Provider.Submit(p.ctx, op)
	if err != nil {
		p.fatalf("Submit of a %s sample that should go well: %v", op.Kind, err)
	}
	p.valid(r, "Submit")
	return r
}

// valid checks what every report must be.
func (v *verdict) valid(r providers.Report, from string) {
	if err := r.Validate(); err != nil {
		v.failf("%s returned a report that payments will not believe: %v", from, err)
	}
}

// lookup looks up what must be there.
func (p *probe) lookup(op providers.Operation) providers.Report {
	r, err := p.Provider.Lookup(p.ctx, query(op))
	if err != nil {
		p.fatalf("Lookup of a %s that the far side has: %v", op.Kind, err)
	}
	p.valid(r, "Lookup")
	if r.Key != op.Key || r.Kind != op.Kind {
		p.failf("Lookup of %s %s returned a report about %s %s", op.Kind, op.Key, r.Kind, r.Key)
	}
	return r
}

func query(op providers.Operation) providers.Query {
	return providers.Query{Key: op.Key, Kind: op.Kind, Amount: op.Amount, SentAt: op.FirstSent}
}

// settle passes time until nothing changes any more.
func (p *probe) settle() {
	const enough = 10_000
	for range enough {
		if !p.Advance() {
			return
		}
	}
	p.fatalf("Advance still returned true after %d calls: it must return false when nothing more will change", enough)
}

// executed fails the check unless the far side acted on the key as often as want.
func (p *probe) executed(op providers.Operation, want int, after string) {
	if got := p.Executed(op.Key); got != want {
		p.failf("%s: the far side executed the %s %d times after %s, want %d", op.Key, op.Kind, got, after, want)
	}
}

func quoted(names []string) string { return strings.Join(names, ", ") }
