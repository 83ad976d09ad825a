package ledger

import (
	"context"
	"sync"
)

// joined is what a Book has that works inside a transaction of the host.
type joined struct {
	mu   sync.Mutex // one Update at a time: the transaction is one
	work working
}

// In returns the same book inside a transaction of the host: s is what a store's Join gives for it, for example
// postgres.Join(tx). What is recorded commits together with the host's own rows, or not at all.
//
//	tip, err := book.In(postgres.Join(tx)).Record(ctx, entry)
//
// It differs from the book that it comes from in this:
//
//   - Until the host commits, a receipt is provisional and nobody else sees what it did. After a rollback nothing of it
//     was ever there, the verdict of a decline included: its key stands for nothing again.
//   - Nothing is coalesced, divided or tried again. An error of the store reaches the caller in Refusal.Cause, for
//     errors.As; most databases take nothing more in a transaction after one. To repeat is the host's: the whole of its
//     transaction, with the same key.
//   - Rows that an entry names stay locked until the host commits. So record last, and set a bound on waiting for locks.
//
// The result lives as long as the host's transaction. It is safe for concurrent use as far as that transaction is.
func (b *Book) In(s Store) *Book {
	in := &Book{store: named(s, b.name), name: b.name, clock: b.clock, newID: b.newID, rest: b.rest, stripes: b.stripes, joined: new(joined)}
	in.queue.limit = b.queue.limit
	in.agreed.Store(b.agreed.Load()) // its own from here on: assets first used in the transaction may go with it
	return in
}

// carry records a request by itself, in one Update.
func (j *joined) carry(ctx context.Context, b *Book, r *request) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return storeError(b.update(ctx, r.entries, &j.work))
}
