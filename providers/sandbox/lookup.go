package sandbox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/koshpay/kosh/providers"
)

var (
	errLookup = errors.New("sandbox: the look-up failed")
	errQuery  = errors.New("sandbox: the query names no operation")
	errCursor = errors.New("sandbox: not a cursor of this sandbox")
)

// Lookup implements [providers.Provider].
func (s *Sandbox) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if err := ctx.Err(); err != nil {
		return providers.Report{}, err
	}
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	fails := f.happens(f.faults.LookupFails)
	if f.failLookups > 0 {
		f.failLookups--
		fails = true
	}
	if fails {
		return providers.Report{}, &providers.Error{Code: "503", Err: errLookup}
	}
	if q.Key == "" && q.Reference == "" {
		return providers.Report{}, errQuery
	}
	o := f.byReference[q.Reference]
	if q.Reference == "" {
		if all := f.byKey[q.Key]; len(all) > 0 {
			o = all[len(all)-1]
		}
	}
	switch {
	case o == nil, q.Key != "" && o.request.Key != q.Key:
	case f.now.Sub(o.sentAt) < f.cfg.VisibleAfter && f.happens(f.faults.LookupNotFoundLag):
	default:
		return o.report(), nil
	}
	return providers.Report{}, fmt.Errorf("sandbox: %w", providers.ErrNotFound)
}

// event is one entry of the list that Poll reads and webhooks are made from.
type event struct {
	id     string
	at     time.Time
	report providers.Report // its effects are shared; see unshare
}

// publish appends an event and schedules its webhook, which may meet a fault.
func (f *farSide) publish(o *operation, at time.Time) {
	f.events = append(f.events, event{
		id: "evt_" + strconv.Itoa(len(f.events)+1) + "_" + o.reference, at: at, report: o.snapshot(at),
	})
	if !f.signers.ready() || f.happens(f.faults.WebhookLost) {
		return
	}
	copies := 1
	if f.happens(f.faults.WebhookDuplicated) {
		copies += 1 + f.rng.IntN(2)
	}
	for range copies {
		due := at
		if f.happens(f.faults.WebhookReordered) {
			due = due.Add(time.Duration(f.rng.Int64N(int64(time.Minute))))
		}
		if f.happens(f.faults.WebhookDelayed) {
			due = due.Add(time.Duration(f.rng.Int64N(int64(24 * time.Hour))))
		}
		f.outbox.push(appointment{at: due, event: len(f.events) - 1})
	}
}

// event returns an event as the adapter hands it out.
func (f *farSide) event(i int) providers.Event {
	e := f.events[i]
	return e.public(f.cfg.HintsOnly)
}

func (e event) public(hint bool) providers.Event {
	p := providers.Event{ID: e.id, At: e.at}
	if hint {
		p.Lookup = &providers.Query{Key: e.report.Key, Reference: e.report.Reference, Kind: e.report.Kind}
		return p
	}
	r := unshare(e.report)
	p.Report = &r
	return p
}

const (
	defaultPoll = 100
	maxPoll     = 1000
)

// Poll implements [providers.Poller]. It is the complete list: nothing that a webhook loses is missing here. A limit below
// 1 means 100; there are at most 1000 at a time.
func (s *Sandbox) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, cursor, err
	}
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	if f.halted != nil {
		return nil, cursor, f.halted
	}
	from, err := place(cursor, len(f.events))
	if err != nil {
		return nil, cursor, err
	}
	fails := f.happens(f.faults.PollFails)
	if f.failPolls > 0 {
		f.failPolls--
		fails = true
	}
	if fails {
		return nil, cursor, &providers.Error{Code: "503", Err: errLookup}
	}
	if limit < 1 {
		limit = defaultPoll
	}
	to := min(from+min(limit, maxPoll), len(f.events))
	events := make([]providers.Event, 0, to-from)
	for i := from; i < to; i++ {
		events = append(events, f.event(i))
	}
	return events, strconv.Itoa(to), nil
}

// place reads a cursor: how much of a list of some length lies before it.
func place(cursor string, length int) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 0 || n > length {
		return 0, errCursor
	}
	return n, nil
}
