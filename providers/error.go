package providers

import (
	"errors"
	"fmt"
	"time"
)

// Certainty says what is known about the far side after an error.
type Certainty uint8

// The certainties. Money is released only after NotSent or Rejected.
//
// NotSent speaks of this attempt alone. If an earlier attempt under the same key ended in Maybe, that one may still act,
// and a later NotSent changes nothing about it. Rejected speaks of the key: an adapter whose far side refuses a repeated
// request for a reason of the moment (a rate limit, a revoked credential, a clock) while the first may have been accepted
// says Maybe when Operation.Attempt is above 0.
const (
	Maybe     Certainty = iota // it may have acted, or may yet: look it up, keep the money held
	NotSent                    // the request never left: sending the same key again is safe, and so is giving up
	Rejected                   // the far side refused the request as such, did nothing and never will under this key
	Duplicate                  // the far side holds this key already: look it up, release nothing
)

// String returns the name.
func (c Certainty) String() string {
	switch c {
	case NotSent:
		return "not sent"
	case Rejected:
		return "rejected"
	case Duplicate:
		return "duplicate"
	default:
		return "maybe"
	}
}

// Errors that a provider returns as they are or wrapped.
var (
	// ErrNotFound: Lookup's far side does not know the operation.
	ErrNotFound = errors.New("providers: operation not found")
	// ErrForged: a delivery is not authentic: no, wrong or stale signature.
	ErrForged = errors.New("providers: delivery is not authentic")
	// ErrMalformed: a delivery is authentic but cannot be read.
	ErrMalformed = errors.New("providers: delivery cannot be read")
	// ErrUnsupported: the provider does not offer this kind, method, asset or amount. Submit wraps it in an Error that is NotSent.
	ErrUnsupported = errors.New("providers: not offered")
	// ErrHalted: the adapter stopped by itself, because going on could credit what is not there: a chain was reorganised deeper
	// than its window, endpoints disagree about history, another chain answers. Poll and Submit return it, wrapped with the reason,
	// until a person has looked and told the adapter to resume; payments opens a case.
	ErrHalted = errors.New("providers: halted until a person has looked")
	// ErrInvalid: a descriptor, operation or report breaks this package's contract. The detail is an *Invalid.
	ErrInvalid = errors.New("providers: invalid")
)

// Invalid says what is wrong with a descriptor, an operation or a report. Its text repeats no member's text and no secret.
type Invalid struct {
	What    string // descriptor, operation, report
	Field   string // as in Go: Offers[2].Max
	Problem string
}

// Error describes the problem.
func (e *Invalid) Error() string {
	return "providers: invalid " + e.What + ": " + e.Field + " " + e.Problem
}

// Unwrap returns ErrInvalid.
func (e *Invalid) Unwrap() error { return ErrInvalid }

// Error is a provider's error with what is known about the far side. Its text and fields hold no secret.
type Error struct {
	Certainty  Certainty
	Code       string        // the far side's code, if any
	Public     string        // may be shown to the person
	RetryAfter time.Duration // how long the far side asked to wait; 0: it did not say
	Err        error         // the cause
}

// Error describes the failure and its certainty.
func (e *Error) Error() string {
	s := "providers: " + e.Certainty.String()
	if e.Code != "" {
		s += ": " + e.Code
	}
	if e.Public != "" {
		s += ": " + e.Public
	}
	if e.Err != nil {
		s = fmt.Sprintf("%s: %v", s, e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CertaintyOf returns what is known after err: Maybe for every error that does not say.
func CertaintyOf(err error) Certainty {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Certainty
	}
	return Maybe
}
