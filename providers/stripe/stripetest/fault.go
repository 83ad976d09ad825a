package stripetest

import "slices"

// Fault is what a request that does something can meet.
type Fault uint8

// The faults.
const (
	None            Fault = iota // nothing: it goes well
	Refuse                       // the connection is refused; only through Client
	LostRequest                  // the connection breaks before anything happens
	LostResponse                 // it happens, and the connection breaks before the answer
	ServerError                  // a 500; it happened every other time, and the key then has the good answer
	StoredError                  // a 500 that is stored under the key; it happened
	Garbage                      // a 200 that cannot be read; it happened every other time
	TooManyRequests              // a 429; nothing happened
	Forbidden                    // a 403; nothing happened
	Reject                       // a 400; nothing happened
	Decline                      // the card network, the bank or the payout's destination says no
	Held                         // it is executed, and answered, only after Release
	LateRequest                  // the connection breaks, and it happens half a minute later
	OtherAmount                  // a smallest unit less moves than was asked for
)

// Script makes the next requests that do something meet these faults, one each, in place of what an earlier call left over.
func (s *Server) Script(faults ...Fault) {
	s.enter()
	defer s.mu.Unlock()
	s.script = slices.Clone(faults)
}

// FailLookups makes the next n requests that only read answer 500.
func (s *Server) FailLookups(n int) {
	s.enter()
	defer s.mu.Unlock()
	s.lookups = n
}

// Release lets held requests go on.
func (s *Server) Release() {
	s.enter()
	defer s.mu.Unlock()
	close(s.gate)
	s.gate = make(chan struct{})
}

// Requests is how many requests to do something came so far, those that met a fault included. The making of a customer does
// not count.
func (s *Server) Requests() int {
	s.enter()
	defer s.mu.Unlock()
	return s.requests
}
