package sandbox

import "fmt"

// Fault is what can go wrong with one submit.
type Fault uint8

// The faults. The certainty that Submit's error has is in brackets.
const (
	None         Fault = iota // nothing: the submit goes well
	Refuse                    // the connection is refused [NotSent]
	Reject                    // the far side refuses the request, now and for ever under this key [Rejected]
	Decline                   // the far side says no: a Failed report, no error
	LostRequest               // time-out; nothing happened [Maybe]
	LostResponse              // time-out; it happened [Maybe]
	SlowRequest               // time-out; it happens later, within VisibleAfter [Maybe]
	ServerError               // a 503; it happened or not, by chance [Maybe]
	Garbage                   // an answer that cannot be read; it happened or not, by chance [Maybe, by an untyped error]
	WrongAmount               // another amount moves than was asked for; no error
	RateLimit                 // a 429 that asks to wait a second; nothing happened [NotSent]
)

const faultCount = int(RateLimit) + 1

// String returns the name.
func (f Fault) String() string {
	names := [faultCount]string{
		"none", "refuse", "reject", "decline", "lost request", "lost response", "slow request", "server error", "garbage",
		"wrong amount", "rate limit",
	}
	if int(f) >= faultCount {
		return fmt.Sprintf("Fault(%d)", uint8(f))
	}
	return names[f]
}

// Faults are rates per thousand. Those from Refuse to RateLimit exclude each other and together are at most 1000; they
// apply to every submit that no script covers.
type Faults struct {
	Refuse, Reject, Decline, LostRequest, LostResponse, SlowRequest, ServerError, Garbage, WrongAmount, RateLimit int

	LookupFails       int // an error, [providers.Maybe]
	LookupNotFoundLag int // not found, though it is there, until VisibleAfter
	PollFails         int

	WebhookLost       int // never delivered
	WebhookDuplicated int // delivered two or three times
	WebhookReordered  int // up to a minute late, so that others overtake it
	WebhookDelayed    int // up to a day late
}

// submits returns the rates of the faults that a submit can suffer, in the order of the constants.
func (f Faults) submits() [faultCount]int {
	return [faultCount]int{
		0, f.Refuse, f.Reject, f.Decline, f.LostRequest, f.LostResponse, f.SlowRequest, f.ServerError, f.Garbage, f.WrongAmount,
		f.RateLimit,
	}
}

func (f Faults) validate() error {
	sum := 0
	for _, rate := range f.submits() {
		if rate < 0 {
			return fmt.Errorf("%w: negative fault rate", ErrConfig)
		}
		sum += rate
	}
	if sum > 1000 {
		return fmt.Errorf("%w: the faults of a submit add up to %d per thousand", ErrConfig, sum)
	}
	for _, rate := range []int{
		f.LookupFails, f.LookupNotFoundLag, f.PollFails,
		f.WebhookLost, f.WebhookDuplicated, f.WebhookReordered, f.WebhookDelayed,
	} {
		if rate < 0 || rate > 1000 {
			return fmt.Errorf("%w: a fault rate is not 0 to 1000", ErrConfig)
		}
	}
	return nil
}

// SetFaults changes the rates from now on.
func (s *Sandbox) SetFaults(f Faults) error {
	if err := f.validate(); err != nil {
		return err
	}
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.faults = f
	return nil
}

// Script makes the next submits suffer these faults, one each, in this order, after what earlier calls left over. [None]
// is a submit that goes well whatever the rates.
func (s *Sandbox) Script(faults ...Fault) {
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.script = append(s.far.script, faults...)
}

// FailLookups makes the next n lookups fail.
func (s *Sandbox) FailLookups(n int) {
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.failLookups = n
}

// FailPolls makes the next n polls fail.
func (s *Sandbox) FailPolls(n int) {
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.failPolls = n
}

// nextFault takes the next of the script or draws one.
func (f *farSide) nextFault() Fault {
	if len(f.script) > 0 {
		next := f.script[0]
		f.script = f.script[1:]
		return next
	}
	rates := f.faults.submits()
	draw := f.rng.IntN(1000)
	for fault, rate := range rates {
		if draw < rate {
			return Fault(fault)
		}
		draw -= rate
	}
	return None
}

// happens draws for a rate per thousand.
func (f *farSide) happens(rate int) bool { return rate > 0 && f.rng.IntN(1000) < rate }
