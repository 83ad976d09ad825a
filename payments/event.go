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
	Type     string    // the payment's kind and state, for example deposit.succeeded
	Payment  Payment   // as it stood then, not as it stands now
	At       time.Time // recorded
}

// Events yields the changes of payments after a position of the feed, in its order, and ends at the last one that a worker
// has numbered; call it again for more. Delivery is at least once: keep the position of the last event handled. Two
// events about one payment are always in order.
func (s *Service) Events(ctx context.Context, after uint64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for c, err := range s.book.Feed(ctx, after) {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if c.Kind != ledger.ChangeDocument || c.Document.Kind != kindPayment {
				continue
			}
			d, err := s.book.Version(ctx, ledger.VersionID{DocumentID: c.Document, Version: c.Version})
			e := Event{Position: c.Position, At: c.RecordedAt}
			if err == nil {
				e.Payment, err = payment(d)
				e.Type = string(e.Payment.Kind) + "." + string(e.Payment.State)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}
