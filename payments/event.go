package payments

import (
	"context"
	"iter"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// Event says that a payment changed.
type Event struct {
	Position uint64    // in the book's feed; give the last one handled to Events to go on after it
	Type     string    // the payment's kind and state, for example deposit.succeeded, or how a dispute of it stands since: deposit.dispute_lost
	Payment  Payment   // as it stood then, not as it stands now
	At       time.Time // recorded
}

// Events yields the changes of payments after a position of the feed, in its order, and ends at the last one that a worker
// has numbered; call it again for more. Delivery is at least once: keep the position of the last event handled. Events
// about one payment are in order, and each differs from the one before in more than its version.
func (s *Service) Events(ctx context.Context, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		recent := map[ledger.DocumentID]Payment{} // as it stood last: versions never change
		for c, err := range s.book.Feed(ctx, after) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if c.Kind != ledger.ChangeDocument || c.Document.Kind != kindPayment {
				continue
			}
			e, news, err := s.event(ctx, c, recent)
			if len(recent) > maxRecent {
				clear(recent)
			}
			if err == nil && (!news || planted("silent-failure") && e.Payment.State == Failed) {
				continue
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// maxRecent bounds how many payments are remembered while events are read.
const maxRecent = 1_000

// event makes the event of a change, and tells whether anything that a host can see is new.
func (s *Service) event(ctx context.Context, c ledger.Change, recent map[ledger.DocumentID]Payment) (Event, bool, error) {
	e := Event{Position: c.Position, At: c.RecordedAt}
	var err error
	if e.Payment, err = s.version(ctx, c.Document, c.Version); err != nil {
		return e, false, err
	}
	e.Type = string(e.Payment.Kind) + "." + string(e.Payment.State)
	before, known := recent[c.Document]
	recent[c.Document] = e.Payment
	if c.Version == 1 {
		return e, true, nil
	}
	if !known || before.Version != c.Version-1 {
		before, err = s.version(ctx, c.Document, c.Version-1)
	}
	before.Version, before.UpdatedAt = e.Payment.Version, e.Payment.UpdatedAt
	before.Action, e.Payment.Action = nil, nil
	if d := e.Payment.Dispute; d != "" && d != before.Dispute {
		e.Type = string(e.Payment.Kind) + ".dispute_" + string(d)
	}
	return e, before != e.Payment, err
}

func (s *Service) version(ctx context.Context, id ledger.DocumentID, version uint64) (Payment, error) {
	d, err := s.book.Version(ctx, ledger.VersionID{DocumentID: id, Version: version})
	if err != nil {
		return Payment{}, err
	}
	return payment(d)
}
