package payments

import (
	"context"
	"errors"
	"time"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// leaseFor is how long a worker may take over one document beyond the provider's time-out.
const leaseFor = time.Minute

// batch is how much a worker takes at a time.
const batch = 100

// Run is the worker: it sends what is recorded, looks up what is open, polls providers, expires holds and numbers the feed,
// until ctx ends; then it returns nil. Any number of workers may run, in any number of processes. An error of the store
// or of a provider does not end it: Config.OnError is told, and the work is tried again, later each time.
func (s *Service) Run(ctx context.Context) error {
	defer s.rest(ctx)
	for {
		n, err := s.Step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && s.config.OnError != nil {
			s.config.OnError(err)
		}
		if n > 0 && err == nil {
			continue
		}
		timer := time.NewTimer(s.config.Interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// rest lets another process number the feed at once; if it cannot be told, it does when the lease ends.
func (s *Service) rest(ctx context.Context) {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	s.numbering.Lock()
	defer s.numbering.Unlock()
	_ = s.sequencer.Close(ending)
}

// Step does one round of a worker's work and returns how many things it did. Hosts that have their own scheduler call it
// instead of Run. Errors of providers and of the store are joined, and one payment's error does not stop the others; those
// of the store are of class Unavailable or Corrupt.
func (s *Service) Step(ctx context.Context) (int, error) {
	var errs []error
	done := 0
	count := func(n int, err error) {
		done += n
		if err != nil {
			errs = append(errs, err)
		}
	}
	count(s.book.ExpireHolds(ctx, batch))
	count(s.ensureCursors(ctx))
	leased, err := s.lease(ctx)
	count(0, err)
	finished := returns{s: s}
	for _, l := range leased {
		if ctx.Err() != nil {
			break
		}
		rest, err := s.work(ctx, l)
		if ledger.ClassOf(err) == ledger.Conflict && err != nil {
			err = nil // another worker was first
		}
		count(1, err)
		if rest == 0 {
			count(0, finished.add(ctx, l.Lease))
			continue
		}
		if _, err = s.book.Renew(context.WithoutCancel(ctx), l.Lease, rest); ledger.ClassOf(err) != ledger.Conflict {
			count(0, err)
		}
	}
	count(0, finished.flush(ctx))
	count(s.numberFeed(ctx))
	return done, errors.Join(errs...)
}

// returns are leases on documents whose work is done. Several go back in one write, but none waits much longer than returnAfter
// for others: until then no other worker takes the document, should it be due again.
type returns struct {
	s      *Service
	leases []ledger.Lease
	since  time.Time // when the first was done
}

const (
	returnAfter    = time.Second
	returnTogether = 16
)

func (r *returns) add(ctx context.Context, l ledger.Lease) error {
	now := r.s.book.Now()
	if len(r.leases) == 0 {
		r.since = now
	}
	if r.leases = append(r.leases, l); len(r.leases) < returnTogether && now.Sub(r.since) < returnAfter {
		return nil
	}
	return r.flush(ctx)
}

// flush gives back what is there. Those that were lost are somebody else's.
func (r *returns) flush(ctx context.Context) error {
	err := r.s.book.Unlease(context.WithoutCancel(ctx), r.leases...)
	if r.leases = nil; ledger.ClassOf(err) == ledger.Conflict {
		return nil
	}
	return err
}

// lease takes what is due for the providers that are here. A host with nothing but coins of its own has none.
func (s *Service) lease(ctx context.Context) ([]ledger.Leased, error) {
	names := s.lanes.names()
	if len(names) == 0 {
		return nil, nil
	}
	return s.book.Lease(ctx, ledger.LeaseRequest{
		Lanes: names, Limit: batch, For: s.config.SubmitTimeout + leaseFor, Who: s.config.Worker,
	})
}

// numberFeed numbers the feed, if this process is the one that does.
func (s *Service) numberFeed(ctx context.Context) (int, error) {
	s.numbering.Lock()
	defer s.numbering.Unlock()
	return s.sequencer.Number(ctx, ledger.MaxPage)
}

// work does what is due for one document. A document that is to stay as it is rests for a while: its lease is kept.
func (s *Service) work(ctx context.Context, l ledger.Leased) (rest time.Duration, err error) {
	switch l.Document.Kind {
	case kindPayment:
		rec, err := readRecord(l.Document)
		if err == nil {
			_, err = s.step(ctx, l.Document, rec, l.Lease)
		}
		return 0, err
	case kindInbox:
		return 0, s.sort(ctx, l)
	case kindCursor:
		return s.poll(ctx, l)
	}
	return leaseFor, nil // a newer program's document: left for it
}

// Advance takes a payment one step further now instead of when it is due: sends it, or asks the provider how it stands.
// It is what a host calls when the member comes back from a redirect, and how to get Payment.Action again.
func (s *Service) Advance(ctx context.Context, actor Actor, id string) (Payment, error) {
	d, rec, err := s.desk.record(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	if err := s.desk.maySee(ctx, actor, rec); err != nil {
		return Payment{}, err
	}
	return s.advance(ctx, d, rec, true)
}

// advance steps a payment that is not done. What this process has begun may be going on in another one: an attempt in
// flight is left alone until it is due.
func (s *Service) advance(ctx context.Context, d ledger.Document, rec *record, look bool) (Payment, error) {
	p, err := rec.payment(d)
	if err != nil {
		return p, err
	}
	if p.State.Done() || p.State == Review || p.Provider == "" || p.State == Submitting && d.Due.After(s.book.Now()) || p.State != Created && !look {
		return p, nil
	}
	action, err := s.step(ctx, d, rec)
	if err != nil && ledger.ClassOf(err) != ledger.Conflict {
		return p, err
	}
	p, err = s.desk.load(ctx, p.ID)
	if action != nil {
		p.Action = action
	}
	return p, err
}

// step does what is next for a payment, as its document says.
func (s *Service) step(ctx context.Context, d ledger.Document, rec *record, leases ...ledger.Lease) (*providers.Action, error) {
	p, err := s.lanes.provider(rec.Provider)
	if err != nil {
		return nil, err
	}
	if rec.state() == Created {
		return s.attempt(ctx, p, d, rec, leases)
	}
	return s.look(ctx, p, d, rec, leases)
}

// attempt sends the operation, after recording that it will.
func (s *Service) attempt(ctx context.Context, p providers.Provider, d ledger.Document, rec *record, leases []ledger.Lease) (*providers.Action, error) {
	if s.screenable(rec) {
		var err error
		if d, rec, err = s.screenOut(ctx, d, rec); err != nil || rec.Screened == "" || rec.state() != Created {
			return nil, err
		}
	}
	now := s.book.Now()
	rec.Attempts++
	rec.InFlight = true
	if rec.FirstSent.IsZero() {
		rec.FirstSent = now
	}
	begin, err := rec.put(d.Version, now.Add(s.config.SubmitTimeout))
	if err != nil {
		return nil, err
	}
	key := stepKey(rec.ID, d.Version, "begin")
	guards, err := s.desk.sendable(ctx, rec)
	if err != nil {
		return nil, err
	}
	receipt, err := s.book.Record(ctx, ledger.Entry{Key: key, Commands: []ledger.Command{begin}, Guards: guards, Leases: leases})
	if held, ok := errors.AsType[*heldBack](err); ok {
		return nil, s.holdBack(ctx, d, rec, held.why)
	}
	if err != nil {
		return nil, err
	}
	if receipt.Replayed && !planted("attempt-twice") {
		return nil, refuse(ErrConflict, ledger.ErrVersion, "", "another worker began this attempt")
	}
	sending, cancel := context.WithTimeout(ctx, s.config.SubmitTimeout)
	report, err := p.Submit(sending, rec.operation())
	cancel()
	// From here on the far side may have acted: what is known is recorded though the caller may have gone.
	ctx = context.WithoutCancel(ctx)
	n := news{provider: rec.Provider, id: rec.ID, touch: true}
	if err == nil {
		if err = s.acceptable(rec, report); err == nil {
			n.report = report
			return report.Action, s.answered(ctx, stepKey(rec.ID, d.Version, "answer"), n)
		}
	}
	n.learn, n.offset = s.lesson(rec, err)
	if errors.Is(err, providers.ErrHalted) {
		if err := s.halted(ctx, rec.Provider, err); err != nil {
			return nil, err
		}
	}
	if err := s.settle(ctx, stepKey(rec.ID, d.Version, "error"), n); err != nil || len(rec.Routes) == 0 {
		return nil, err
	}
	return s.elsewhere(ctx, rec, leases)
}

// elsewhere goes on at once with a payment that was given to another provider.
func (s *Service) elsewhere(ctx context.Context, before *record, leases []ledger.Lease) (*providers.Action, error) {
	d, err := s.desk.document(ctx, before.ID)
	if err != nil {
		return nil, err
	}
	rec, ok := rerouted(d, before.Provider)
	if !ok {
		return nil, nil //nolint:nilnil // there is nothing to do, and so no action
	}
	p, err := s.lanes.provider(rec.Provider)
	if err != nil {
		return nil, nil //nolint:nilnil,nilerr // another process has it: its worker will
	}
	return s.attempt(ctx, p, d, rec, leases)
}

// holdBack does not send a refund whose deposit is disputed, or a withdrawal of who owes money. One that certainly never was sent
// fails; one that may have been is only looked up.
func (s *Service) holdBack(ctx context.Context, d ledger.Document, rec *record, why providers.Reason) error {
	n := news{provider: rec.Provider, id: rec.ID, touch: true}
	n.learn = func(r *record) {
		switch {
		case r.Reported != "":
		case !r.Maybe && !r.InFlight:
			r.GivenUp, r.Reason = true, why
		case r.Looks == rec.Looks:
			r.Looks++
		}
	}
	return s.settle(ctx, stepKey(rec.ID, d.Version, "held back"), n)
}

// acceptable refuses a report that breaks the contract, or is about something else; such an answer is no answer.
func (s *Service) acceptable(rec *record, r providers.Report) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if r.Key != "" && r.Key != rec.operation().Key {
		return invalid("report.Key", "%q is not the key of %s", r.Key, rec.ID)
	}
	return nil
}

// lesson says what an error of Submit tells about the payment, and when to look again (0: as usual).
func (s *Service) lesson(rec *record, cause error) (learn func(*record), offset time.Duration) {
	detail, _ := errors.AsType[*providers.Error](cause)
	if detail != nil {
		offset = max(detail.RetryAfter, 0)
	}
	certainty := providers.CertaintyOf(cause)
	attempts := rec.Attempts
	halted := errors.Is(cause, providers.ErrHalted) && certainty == providers.NotSent
	if halted {
		offset = max(offset, haltRest)
	}
	return func(r *record) {
		if r.Reported != "" {
			return // a report came meanwhile, and knows better
		}
		r.InFlight = false
		switch certainty {
		case providers.Rejected:
			if r.reroute() {
				return
			}
			r.GivenUp = true
			r.Reason = providers.Reason{Code: "rejected"}
			if detail.Code != "" {
				r.Reason.Code = detail.Code
			}
			r.Reason.Public = detail.Public
		case providers.NotSent:
			if r.reroute() {
				return
			}
			if !r.Maybe {
				r.FirstSent = noDue // nothing was: what is sent later is not old
			}
			if halted { // which is no reason to give up, however long it lasts
				r.Attempts = attempts - 1
				return
			}
			if attempts >= s.config.MaxNotSent && !r.Maybe {
				r.GivenUp = true
				r.Reason = providers.Reason{Code: "not_sent"}
			}
		case providers.Maybe, providers.Duplicate:
			if planted("retry-on-maybe") || planted("route-on-maybe") && r.reroute() {
				return
			}
			if planted("duplicate-is-refusal") && certainty == providers.Duplicate {
				r.GivenUp = true
				return
			}
			r.Maybe = true
			if planted("release-on-unknown") {
				r.GivenUp = true
			}
		}
	}, offset
}

// look asks the provider how the operation stands.
func (s *Service) look(ctx context.Context, p providers.Provider, d ledger.Document, rec *record, leases []ledger.Lease) (*providers.Action, error) {
	report, err := p.Lookup(ctx, providers.Query{
		Key: rec.lookupKey(), Reference: rec.ProviderReference, Kind: rec.operation().Kind, Amount: rec.Amount, SentAt: rec.FirstSent,
	})
	if err == nil {
		err = s.acceptable(rec, report)
	}
	n := news{provider: rec.Provider, id: rec.ID, touch: true}
	key := stepKey(rec.ID, d.Version, "look")
	if err == nil {
		n.report = report
		return report.Action, s.answered(ctx, key, n)
	}
	if errors.Is(err, providers.ErrNotFound) && rec.Reported == "" {
		if planted("trust-not-found") {
			n.learn = func(r *record) { r.InFlight, r.GivenUp = false, true }
			return nil, s.settle(ctx, key, n)
		}
		switch now, c := s.book.Now(), p.Describe(); {
		case now.Before(rec.FirstSent.Add(c.VisibleAfter)):
			// It proves nothing yet.
		case now.Add(s.config.SubmitTimeout).Before(rec.FirstSent.Add(c.KeyRetention)) || planted("resend-forgotten-key"):
			return s.attempt(ctx, p, d, rec, leases) // the same key again, while it is certain to be remembered
		default:
			n.learn = func(r *record) { r.Parked = r.Reported == "" && !planted("never-park") }
		}
	}
	learn := n.learn
	n.learn = func(r *record) {
		if r.Looks == rec.Looks {
			r.Looks++
		}
		if r.Reported == "" {
			r.InFlight, r.Maybe = false, true
		}
		if learn != nil {
			learn(r)
		}
	}
	return nil, s.settle(ctx, key, n)
}

// lookupKey is the key to look up by; money that came by itself has none.
func (r *record) lookupKey() string {
	if r.Attempts == 0 {
		return ""
	}
	return r.operation().Key
}
