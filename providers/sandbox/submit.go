package sandbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// keyEntry is what the far side remembers under an idempotency key.
type keyEntry struct {
	request   providers.Operation
	operation *operation // nil: the request was rejected
	refusal   error      // why it was
	at        time.Time
}

var (
	errRefused   = errors.New("sandbox: connection refused")
	errTimeout   = errors.New("sandbox: timed out waiting for the answer")
	errServer    = errors.New("sandbox: the far side answered 503")
	errGarbage   = errors.New("sandbox: the answer cannot be read")
	errLimit     = errors.New("sandbox: too many requests")
	errRejected  = errors.New("sandbox: the far side refused the request")
	errDuplicate = errors.New("sandbox: the key is known")
	errQuote     = errors.New("sandbox: the quoted price has expired")
	errFee       = errors.New("sandbox: the network charges more than the operation allows")
)

// Submit implements [providers.Provider].
func (s *Sandbox) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	err := ctx.Err()
	if err == nil {
		err = op.Validate()
	}
	if err == nil {
		err = f.descriptor.Supports(op)
	}
	if err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}

	if f.halted != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Code: "halted", Err: f.halted}
	}
	f.requests++
	fault := f.nextFault()
	arrives := true
	switch fault {
	case Refuse:
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Code: "connection_refused", Err: errRefused}
	case RateLimit:
		return providers.Report{}, &providers.Error{
			Certainty: providers.NotSent, Code: "429", RetryAfter: time.Second, Err: errLimit,
		}
	case LostRequest:
		arrives = false
	case SlowRequest:
		arrives = false
		sentAt := f.now
		f.later(sentAt.Add(f.cfg.VisibleAfter/2), func(time.Time) { _, _ = f.arrive(op, None, sentAt) })
	case ServerError, Garbage:
		arrives = f.rng.IntN(2) == 0
	case None, Reject, Decline, LostResponse, WrongAmount:
	}
	var report providers.Report
	if arrives {
		report, err = f.arrive(op, fault, f.now)
	}
	switch fault {
	case LostRequest, LostResponse, SlowRequest:
		return providers.Report{}, &providers.Error{Code: "timeout", Err: errTimeout}
	case ServerError:
		return providers.Report{}, &providers.Error{Code: "503", Err: errServer}
	case Garbage:
		return providers.Report{}, fmt.Errorf("%w: invalid character '<' looking for beginning of value", errGarbage)
	default:
		return report, err
	}
}

// arrive is the far side's end of Submit.
func (f *farSide) arrive(op providers.Operation, fault Fault, sentAt time.Time) (providers.Report, error) {
	if known, ok := f.keys[op.Key]; ok && f.now.Sub(known.at) <= f.cfg.KeyRetention {
		return f.again(known, op)
	}
	entry := &keyEntry{request: op, at: f.now}
	if !f.cfg.NoKeys {
		f.keys[op.Key] = entry
	}
	if entry.refusal = f.refusal(op, fault); entry.refusal != nil {
		f.keys[op.Key] = entry
		return providers.Report{}, entry.refusal
	}
	o := f.add(op, f.newID(prefix(op.Kind)), sentAt)
	entry.operation = o
	if fault == WrongAmount {
		o.moving = f.wrong(o.request)
	}
	if fault == Decline {
		o.fail("declined", "The provider said no.")
	} else {
		f.begin(o)
	}
	o.changed(f.now)
	return o.report(), nil
}

// again answers a request under a key that is known.
func (f *farSide) again(known *keyEntry, op providers.Operation) (providers.Report, error) {
	if known.operation == nil {
		return providers.Report{}, known.refusal
	}
	op.Attempt, op.FirstSent = known.request.Attempt, known.request.FirstSent
	switch {
	case op != known.request:
		return providers.Report{}, &providers.Error{
			Certainty: providers.Duplicate, Code: "key_reused",
			Err: fmt.Errorf("%w: with another operation, which was not done", errDuplicate),
		}
	case f.cfg.DuplicateErrors:
		return providers.Report{}, &providers.Error{Certainty: providers.Duplicate, Code: "key_known", Err: errDuplicate}
	}
	return known.operation.report(), nil
}

// refusal says why the far side will not do this under this key, now or ever; nil: it will.
func (f *farSide) refusal(op providers.Operation, fault Fault) error {
	reject := func(code string, err error) error {
		return &providers.Error{Certainty: providers.Rejected, Code: code, Err: err}
	}
	if fault == Reject {
		return reject("invalid_request", errRejected)
	}
	if op.Kind != providers.Withdrawal || op.Method != providers.Chain {
		return nil
	}
	if !op.FeeUntil.IsZero() && f.now.After(op.FeeUntil) {
		return reject(providers.CodeQuoteExpired, errQuote)
	}
	if !op.MaxFee.IsValid() {
		return nil
	}
	fee, err := f.networkFee(op.Amount)
	if err != nil {
		f.books.breaks(err)
		return nil
	}
	if c, err := fee.Cmp(op.MaxFee); err != nil || c > 0 {
		return reject(providers.CodeFeeCap, errFee)
	}
	return nil
}

// begin does what was asked, as far as it happens at once.
func (f *farSide) begin(o *operation) {
	switch o.request.Kind {
	case providers.Link:
		f.link(o)
	case providers.Deposit:
		f.charge(o)
	case providers.DepositAddress:
		f.makeAddress(o)
	case providers.Withdrawal:
		if o.request.Method == providers.Chain {
			f.broadcast(o)
		} else {
			f.payOut(o)
		}
	case providers.Refund:
		f.refund(o)
	case providers.Cancel:
		f.cancel(o)
	case providers.Settlement: // nobody asks for one
	}
}

// prefix of the references of a kind of operation.
func prefix(k providers.Kind) string {
	switch k {
	case providers.Link:
		return "li"
	case providers.Deposit:
		return "ch"
	case providers.DepositAddress:
		return "ad"
	case providers.Withdrawal:
		return "po"
	case providers.Refund:
		return "re"
	case providers.Cancel:
		return "ca"
	case providers.Settlement:
		return "st"
	}
	return "op"
}

// wrong returns an amount near the one that was asked for. Never more of a refund: the far side refunds no more than it took.
func (f *farSide) wrong(op providers.Operation) currency.Amount {
	if !op.Amount.IsValid() {
		return op.Amount
	}
	unit, err := currency.New(1, op.Amount.Asset())
	if err != nil {
		return op.Amount
	}
	less, more := f.books.sub(op.Amount, unit), f.books.add(op.Amount, unit)
	draw := f.rng.IntN(3)
	switch {
	case less.Sign() <= 0 && op.Kind == providers.Refund:
		return op.Amount // a single unit has nothing below it
	case less.Sign() <= 0, draw == 0 && op.Kind != providers.Refund:
		return more
	case draw == 1:
		if half, err := op.Amount.Split(2); err == nil {
			return half[1]
		}
	}
	return less
}

// targetOf finds the operation that a refund or cancel is about. Both names must fit when both are given.
func (f *farSide) targetOf(op providers.Operation) *operation {
	if op.TargetReference != "" {
		o := f.byReference[op.TargetReference]
		if o == nil || op.Target != "" && o.request.Key != op.Target && o.request.Key != "" {
			return nil
		}
		return o
	}
	if all := f.byKey[op.Target]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}
