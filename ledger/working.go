package ledger

import (
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// working is the book as far as one step can see it: the rows that were named, with everything that the entries of the
// step have changed so far laid over them. Entries run on it one after the other; each begins with begin and, when it is
// refused, ends with rollback, which leaves no trace of it. So many entries can share one Update, and a refusal never
// fails its neighbours.
//
// Nothing here depends on the order of a map: what is written comes out in the order in which it was first touched.
type working struct {
	clock time.Time

	keys         table[string, KeyRow]
	accounts     table[AccountID, AccountInfo]
	holds        table[ID, Hold]
	transactions table[ID, Transaction]
	documents    table[DocumentID, Document]
	references   table[string, ReferenceRow]
	leases       table[DocumentID, Lease]
	assets       table[currency.AssetID, AssetRow]
	history      table[VersionID, Document] // versions that were named, and those erased

	lines    []Line
	versions []Document
	pending  []PendingRow
	outcomes []outcome

	timed   map[AccountID][]ID      // holds with a deadline that were found or placed, an account
	horizon map[AccountID]time.Time // up to where all of them are known
	missing Names                   // rows that an entry needs and that nobody has read yet
	mark    struct{ lines, versions, pending int }
}

// newWorking lays an empty overlay over the rows found for the names asked for. A name that was asked for and not found
// is absent; a name that was not asked for is unknown.
func newWorking(clock time.Time, asked Names, found Rows) *working {
	w := new(working)
	w.reset(clock, asked, found)
	return w
}

// reset makes a working as good as new and keeps its space: nothing of it is kept by a store or a caller.
func (w *working) reset(clock time.Time, asked Names, found Rows) {
	w.clock, w.missing, w.timed, w.horizon = clock, Names{}, nil, nil
	w.lines, w.versions, w.pending = again(w.lines), again(w.versions), again(w.pending)
	w.keys.load(asked.Keys, found.Keys, func(k *KeyRow) string { return k.Key })
	w.accounts.load(asked.Accounts, found.Accounts, func(a *AccountInfo) AccountID { return a.ID })
	w.holds.load(asked.Holds, found.Holds, func(h *Hold) ID { return h.ID })
	w.transactions.load(asked.Transactions, found.Transactions, func(t *Transaction) ID { return t.ID })
	w.documents.load(asked.Documents, found.Documents, func(d *Document) DocumentID { return d.DocumentID })
	w.references.load(asked.References, found.References, func(r *ReferenceRow) string { return r.Reference })
	w.leases.load(asked.Leases, found.Leases, func(l *Lease) DocumentID { return l.Document })
	w.assets.load(asked.Assets, found.Assets, func(a *AssetRow) currency.AssetID { return a.ID })
	w.history.load(asked.Versions, found.Versions, versionName)
	for i := range found.Holds {
		w.watch(&found.Holds[i])
	}
	for _, d := range asked.DueHolds {
		if w.horizon == nil {
			w.horizon = make(map[AccountID]time.Time)
		}
		if at, ok := w.horizon[d.Account]; !ok || d.At.After(at) {
			w.horizon[d.Account] = d.At
		}
	}
}

// muchSpace is how many elements are kept for the next batch; more is left to the collector.
const muchSpace = 8 * maxBatch

// again returns an empty slice in the space of one that is done with.
func again[T any](s []T) []T {
	if cap(s) > muchSpace {
		return nil
	}
	clear(s) // so that it holds nothing alive
	return s[:0]
}

// watch remembers an open hold that has a deadline.
func (w *working) watch(h *Hold) {
	if h.State != HoldOpen || h.ExpiresAt.IsZero() {
		return
	}
	if w.timed == nil {
		w.timed = make(map[AccountID][]ID)
	}
	w.timed[h.Account] = append(w.timed[h.Account], h.ID)
}

// begin starts an entry.
func (w *working) begin() {
	w.keys.begin()
	w.accounts.begin()
	w.holds.begin()
	w.transactions.begin()
	w.documents.begin()
	w.references.begin()
	w.assets.begin()
	w.history.begin()
	w.mark.lines, w.mark.versions, w.mark.pending = len(w.lines), len(w.versions), len(w.pending)
}

// rollback takes back everything since begin.
func (w *working) rollback() {
	w.keys.rollback()
	w.accounts.rollback()
	w.holds.rollback()
	w.transactions.rollback()
	w.documents.rollback()
	w.references.rollback()
	w.assets.rollback()
	w.history.rollback()
	w.lines, w.versions, w.pending = w.lines[:w.mark.lines], w.versions[:w.mark.versions], w.pending[:w.mark.pending]
}

// rows returns everything that is to be written.
func (w *working) rows() Rows {
	rows := Rows{
		Keys:         w.keys.changed(),
		Accounts:     w.accounts.changed(),
		Lines:        w.lines,
		Holds:        w.holds.changed(),
		Transactions: w.transactions.changed(),
		Documents:    w.documents.changed(),
		Versions:     w.versions,
		References:   w.references.changed(),
		Assets:       w.assets.changed(),
		Pending:      w.pending,
	}
	w.erase(&rows)
	return rows
}

// table is the overlay of one kind of row.
type table[K comparable, R any] struct {
	cells map[K]*cell[R]
	dirty []K // in the order of the first change
	undo  []saved[K, R]
	entry int // the number of the entry that runs
	mark  int // len(dirty) when it began

	space []cell[R] // of cells; a cell never moves
	out   []R       // what changed returned
}

// cell is one row that was named. A row that does not exist has a cell too.
type cell[R any] struct {
	row    R
	exists bool
	dirty  bool
	entry  int // the entry that saved it last
}

type saved[K comparable, R any] struct {
	key   K
	old   cell[R]
	fresh bool // the cell itself was made by the entry
}

// load begins with the rows found for the names asked for.
func (t *table[K, R]) load(asked []K, found []R, name func(*R) K) {
	if len(t.cells) > muchSpace {
		t.cells = nil
	}
	clear(t.cells)
	t.dirty, t.undo, t.out = again(t.dirty), again(t.undo), again(t.out)
	t.entry, t.mark, t.space = 0, 0, again(t.space)
	if len(asked)+len(found) == 0 {
		return
	}
	if t.cells == nil {
		t.cells = make(map[K]*cell[R], len(asked)+len(found))
	}
	for i := range found {
		c := t.cell()
		c.row, c.exists = found[i], true
		t.cells[name(&found[i])] = c
	}
	for i, k := range asked {
		if i < len(found) && name(&found[i]) == k {
			continue // most often all are there, in the order asked for
		}
		if _, named := t.cells[k]; !named {
			t.cells[k] = t.cell()
		}
	}
}

// cell returns an empty cell.
func (t *table[K, R]) cell() *cell[R] {
	if len(t.space) == cap(t.space) {
		t.space = make([]cell[R], 0, max(4, min(2*cap(t.space), muchSpace))) // those handed out stay where they are
	}
	t.space = t.space[:len(t.space)+1]
	return &t.space[len(t.space)-1]
}

// get returns a row, and whether it exists and was named at all. The row must not be changed but by put.
func (t *table[K, R]) get(k K) (row *R, exists, named bool) {
	c := t.cells[k]
	if c == nil {
		return nil, false, false
	}
	return &c.row, c.exists, true
}

// put replaces a row or adds it.
func (t *table[K, R]) put(k K, row R) {
	c := t.cells[k]
	fresh := c == nil
	if fresh {
		if t.cells == nil {
			t.cells = make(map[K]*cell[R])
		}
		c = t.cell()
		t.cells[k] = c
	}
	if c.entry != t.entry {
		t.undo = append(t.undo, saved[K, R]{k, *c, fresh})
		c.entry = t.entry
	}
	if !c.dirty {
		c.dirty = true
		t.dirty = append(t.dirty, k)
	}
	c.row, c.exists = row, true
}

func (t *table[K, R]) begin() {
	t.entry++
	t.undo, t.mark = t.undo[:0], len(t.dirty)
}

func (t *table[K, R]) rollback() {
	for _, s := range t.undo {
		if s.fresh {
			delete(t.cells, s.key)
		} else {
			*t.cells[s.key] = s.old
		}
	}
	t.undo, t.dirty = t.undo[:0], t.dirty[:t.mark]
}

func (t *table[K, R]) changed() []R {
	if len(t.dirty) == 0 {
		return nil
	}
	t.out = slices.Grow(t.out, len(t.dirty))
	for _, k := range t.dirty {
		t.out = append(t.out, t.cells[k].row)
	}
	return t.out
}

// earliest returns the first deadline of the account's open holds that are known.
func (w *working) earliest(id AccountID) (first time.Time) {
	for _, hold := range w.timed[id] {
		h, exists, _ := w.holds.get(hold)
		if exists && h.State == HoldOpen && (first.IsZero() || h.ExpiresAt.Before(first)) {
			first = h.ExpiresAt
		}
	}
	return first
}

// due returns the account's open holds whose deadline has come, by deadline and id.
func (w *working) due(id AccountID, now time.Time) []Hold {
	var due []Hold
	for _, hold := range w.timed[id] {
		h, exists, _ := w.holds.get(hold)
		if exists && h.State == HoldOpen && h.dead(now) {
			due = append(due, *h)
		}
	}
	slices.SortFunc(due, func(a, b Hold) int { return a.DuePosition().Compare(b.DuePosition()) })
	return slices.CompactFunc(due, func(a, b Hold) bool { return a.ID == b.ID })
}
