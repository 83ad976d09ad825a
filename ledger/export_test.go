package ledger

import (
	"context"

	"github.com/google/uuid"
)

// RecordTogether decides many entries on one overlay in one Update, as a batch will; entry i makes its ids with ids(i).
func RecordTogether(ctx context.Context, b *Book, entries []Entry, ids func(i int) func() uuid.UUID) ([]Receipt, []error, error) {
	receipts, errs := make([]Receipt, len(entries)), make([]error, len(entries))
	var batch []*prepared
	var places []int
	var names Names
	for i, e := range entries {
		p, r := prepare(e, ids(i))
		if r != nil {
			errs[i] = r
			continue
		}
		batch, places, names = append(batch, p), append(places, i), names.And(p.names)
	}
	names, err := b.resolve(ctx, names.Sorted())
	if err != nil {
		return nil, nil, err
	}
	now := b.Now()
	err = b.store.Update(ctx, b.name, names, func(found Rows) (Rows, Names, error) {
		outcomes, write, more := decide(now, batch, names, found)
		if !more.Empty() {
			names = names.And(more).Sorted()
			return Rows{}, more, nil
		}
		for i, o := range outcomes {
			receipts[places[i]], errs[places[i]] = o.receipt, o.err
		}
		return write, Names{}, nil
	})
	return receipts, errs, err
}

// NewID makes an id as the book does.
func NewID(b *Book) uuid.UUID { return b.newID() }

// AppendCommand appends a command as the fingerprint of an entry has it.
func AppendCommand(b []byte, c Command) ([]byte, error) { return appendCommand(b, c) }

// ForgeCursor makes a cursor as whoever has read the source can: of any place, for a query.
func ForgeCursor(q Query, p Position) Cursor { return encodeCursor(queryHash(q), p) }
