package sqlite

import "strings"

// A statement that inserts many rows at once costs half of what as many statements cost.

type bulkKind int

// The tables that are written in bulk.
const (
	bulkBalance bulkKind = iota
	bulkLine
	bulkEntry
	bulkTx
	bulkPending
	bulkFeed
	bulkKinds
)

const bulkRows = 32

var bulkQueries = [bulkKinds]struct {
	one, many *query
	columns   int
}{
	bulkBalance: insertInto("INSERT OR REPLACE INTO", "kosh_balance", "account", "version", "posted", "held", "updated_at", "expiry", "head", "lines", "marks"),
	bulkLine: insertInto("INSERT INTO", "kosh_line", "id", "account", "version", "kind", "side", "amount", "posted", "held", "tx", "hold",
		"recorded_at", "effective_at", "terms", "prev", "back", "skip"),
	bulkEntry: insertInto("INSERT INTO", "kosh_entry", "id", "book", "key", "uuid", "recorded_at", "inputs", "receipt", "refusal"),
	bulkTx: insertInto("INSERT INTO", "kosh_tx", "id", "book", "uuid", "entry", "key", "recorded_at", "effective_at", "postings", "imported",
		"reference", "description", "meta", "reverses", "reversed"),
	bulkPending: insertInto("INSERT OR REPLACE INTO", "kosh_pending", "book", "uuid", "recorded_at", "entry", "changes"),
	bulkFeed:    insertInto("INSERT INTO", "kosh_feed", "book", "position", "entry", "change"),
}

func insertInto(verb, table string, columns ...string) (b struct {
	one, many *query
	columns   int
},
) {
	head := verb + " " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	b.one, b.columns = newQuery(head+row), len(columns)
	b.many = newQuery(head + strings.TrimSuffix(strings.Repeat(row+", ", bulkRows), ", "))
	return b
}

// bulks collects rows until there are enough for one statement.
type bulks struct {
	waiting [bulkKinds][]any
	room    []any
}

// values is empty room for the values of one row, used again for the next.
func (b *bulks) values() []any { return b.room[:0] }

func (b *bulks) add(s session, kind bulkKind, values []any) error {
	b.room = values
	q := &bulkQueries[kind]
	w := append(b.waiting[kind], values...)
	if len(w) == bulkRows*q.columns {
		b.waiting[kind] = w[:0]
		return s.exec(q.many, w...)
	}
	b.waiting[kind] = w
	return nil
}

// reset forgets what waits, after a failure.
func (b *bulks) reset() {
	for i := range b.waiting {
		b.waiting[i] = b.waiting[i][:0]
	}
}

// flush writes what waits.
func (b *bulks) flush(s session, kind bulkKind) error {
	q := &bulkQueries[kind]
	w := b.waiting[kind]
	b.waiting[kind] = w[:0]
	for ; len(w) > 0; w = w[q.columns:] {
		if err := s.exec(q.one, w[:q.columns]...); err != nil {
			return err
		}
	}
	return nil
}
