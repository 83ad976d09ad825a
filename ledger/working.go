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
// Nothing here depends on the order of a map: what is written comes out in the order in which it was changed last.
type working struct {
	clock time.Time
	alone bool        // one entry runs, and no other
	asked []AccountID // the accounts that were asked for

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

	changes  []Change  // of all entries
	results  []Result  // room for those of receipts, which are given away
	balances []Balance // likewise
	postings []Posting // likewise, of transactions that a capture makes
	step     step      // the entry that runs
	plain    plainRun

	timed   map[AccountID][]ID      // holds with a deadline that were found or placed, an account
	horizon map[AccountID]time.Time // up to where all of them are known
	missing Names                   // rows that an entry needs and that nobody has read yet
	named   Names                   // by the command of a guard that is looked at
	mark    struct{ lines, versions, pending, changes int }
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
	w.asked = asked.Accounts
	w.clock, w.missing, w.timed, w.horizon = clock, Names{}, nil, nil
	w.lines, w.versions, w.pending, w.changes = again(w.lines), again(w.versions), again(w.pending), again(w.changes)
	w.keys.load(asked.Keys, found.Keys, func(k *KeyRow) string { return k.Key }, hashText)
	w.accounts.load(asked.Accounts, found.Accounts, func(a *AccountInfo) AccountID { return a.ID }, hashAccount)
	w.holds.load(asked.Holds, found.Holds, func(h *Hold) ID { return h.ID }, hashID)
	w.transactions.load(asked.Transactions, found.Transactions, func(t *Transaction) ID { return t.ID }, hashID)
	w.documents.load(asked.Documents, found.Documents, func(d *Document) DocumentID { return d.DocumentID }, hashDocument)
	w.references.load(asked.References, found.References, func(r *ReferenceRow) string { return r.Reference }, hashText)
	w.leases.load(asked.Leases, found.Leases, func(l *Lease) DocumentID { return l.Document }, hashDocument)
	w.assets.load(asked.Assets, found.Assets, func(a *AssetRow) currency.AssetID { return a.ID }, hashAsset)
	w.history.load(asked.Versions, found.Versions, versionName, hashVersion)
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

// carve takes n elements that are given away from a block, and makes another block of so many when there are too few. Who
// keeps one receipt keeps its block, so blocks are small.
func carve[T any](block *[]T, n, length int) []T {
	if len(*block) < n {
		*block = make([]T, max(n, length))
	}
	taken := (*block)[:n:n]
	*block = (*block)[n:]
	return taken
}

// carved is how many results or balances a block has: those of one entry when it is alone.
func (w *working) carved() int {
	if w.alone {
		return 0
	}
	return 32
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
	w.mark.lines, w.mark.versions, w.mark.pending, w.mark.changes = len(w.lines), len(w.versions), len(w.pending), len(w.changes)
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
	w.changes = w.changes[:w.mark.changes]
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
