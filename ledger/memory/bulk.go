package memory

import (
	"unsafe"

	"github.com/koshpay/kosh/ledger"
)

// bulk is room for what the rows of one answer consist of: a few large pieces instead of several small ones a row. The nil
// bulk is for single rows.
type bulk struct {
	texts    texts
	lend     bool // what is read is done with before the next row is: texts are those of the records themselves
	rows     int  // still to come, about
	postings []ledger.Posting
	changes  []ledger.Change
}

// bulkRows is how many rows share a piece at most: whoever keeps one keeps the piece.
const bulkRows = 128

func newBulk(rows int) *bulk {
	if rows <= few {
		return nil
	}
	return &bulk{rows: rows}
}

func (b *bulk) text(s []byte) string {
	if b == nil || len(s) == 0 {
		return string(s)
	}
	if b.lend {
		return unsafe.String(&s[0], len(s)) //nolint:gosec // a text that was written does not change
	}
	return b.texts.keepBytes(s)
}

func (b *bulk) takePostings(n int) []ledger.Posting {
	if b == nil {
		return make([]ledger.Posting, n)
	}
	if b.lend {
		b.postings = sized(b.postings, n)
		return b.postings
	}
	return take(b, &b.postings, n)
}

func (b *bulk) takeChanges(n int) []ledger.Change {
	if b == nil {
		return make([]ledger.Change, n)
	}
	return take(b, &b.changes, n)
}

// take cuts n elements off a piece, and makes another when there are too few.
func take[T any](b *bulk, piece *[]T, n int) []T {
	if n == 0 {
		return []T{}
	}
	if len(*piece) < n {
		rows := max(1, min(b.rows, bulkRows))
		b.rows -= rows
		*piece = make([]T, rows*n)
	}
	taken := (*piece)[:n:n]
	*piece = (*piece)[n:]
	return taken
}
