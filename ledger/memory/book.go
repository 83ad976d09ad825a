package memory

import (
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// book is one tenant: rows by name, and the lists that they are in.
type book struct {
	name string
	mu   sync.RWMutex

	// What every posting writes lies in records of bytes; all else is little beside it, and lies in Go values.
	space        *arena
	seed         maphash.Seed
	write        writer
	scratch      scratch
	mainAsset    currency.AssetID // of the first account: hashed as nothing
	assetNumbers []*currency.Definition
	numberOf     map[*currency.Definition]uint32

	accounts     *accounts // with their lines
	keys         *keys
	transactions *transactions
	pending      *pending
	feed         feed

	holds      *table[ledger.ID, ledger.Hold]
	documents  *table[ledger.DocumentID, ledger.Document]
	versions   *history[ledger.Document]
	references *table[string, ledger.ReferenceRow]
	leases     *table[ledger.DocumentID, ledger.Lease]
	assets     *table[currency.AssetID, ledger.AssetRow]
	blocks     *history[ledger.Block]
	sequences  *table[string, ledger.SequenceRow]
}

// The lists of the tables that have more than one, by their place in table.in.
const (
	allHolds, dueHolds                   = 0, 1
	dueHoldsAccount, openHolds           = 2, 3
	kindDocuments, dossier, dueDocuments = 0, 1, 2
	allDocuments                         = 3
)

func newBook() *book {
	b := newRows()
	b.space, b.seed, b.numberOf = new(arena), maphash.MakeSeed(), make(map[*currency.Definition]uint32)
	b.write.book = b
	b.accounts, b.keys = newAccounts(b), newKeys(b.space, b.seed)
	b.transactions, b.pending = newTransactions(b.space), newPending(b, &arena{counts: true})
	return b
}

// newRows returns a book with what lies in Go values.
func newRows() *book {
	return &book{
		holds: newTable(func(h *ledger.Hold) ledger.ID { return h.ID }, copyHold,
			oneList(ledger.Hold.Position),
			newLists(func(h *ledger.Hold) (group, ledger.Position, bool) {
				if !isDue(h) {
					return group{}, ledger.Position{}, false
				}
				return group{}, h.DuePosition(), true
			}),
			newLists(func(h *ledger.Hold) (group, ledger.Position, bool) {
				if !isDue(h) {
					return group{}, ledger.Position{}, false
				}
				return accountGroup(h.Account), h.DuePosition(), true
			}),
			newLists(func(h *ledger.Hold) (group, ledger.Position, bool) {
				if h.State != ledger.HoldOpen {
					return group{}, ledger.Position{}, false
				}
				return accountGroup(h.Account), h.Position(), true
			})),
		documents: newTable(func(d *ledger.Document) ledger.DocumentID { return d.DocumentID }, copyDocument,
			newLists(func(d *ledger.Document) (group, ledger.Position, bool) { return group{a: d.Kind}, d.Position(), true }),
			newLists(func(d *ledger.Document) (group, ledger.Position, bool) { return group{a: d.Owner}, d.Position(), true }),
			newLists(func(d *ledger.Document) (group, ledger.Position, bool) {
				return group{}, d.DuePosition(), !d.Due.IsZero()
			}),
			oneList(ledger.Document.Position)),
		versions: newHistory(
			func(d *ledger.Document) (group, ledger.Position, bool) {
				return documentGroup(d.DocumentID), d.VersionPosition(), true
			},
			func(d *ledger.Document) uint64 { return d.Version }, copyDocument),
		references: newTable(func(r *ledger.ReferenceRow) string { return r.Reference }, copyPlain[ledger.ReferenceRow], oneList(ledger.ReferenceRow.Position)),
		leases:     newTable(func(l *ledger.Lease) ledger.DocumentID { return l.Document }, copyPlain[ledger.Lease], oneList(ledger.Lease.Position)),
		assets:     newTable(func(a *ledger.AssetRow) currency.AssetID { return a.ID }, copyPlain[ledger.AssetRow], oneList(ledger.AssetRow.Position)),
		blocks: newHistory(
			func(k *ledger.Block) (group, ledger.Position, bool) { return group{}, k.Position(), true },
			func(k *ledger.Block) uint64 { return k.Number }, copyBlock),
		sequences: newTable(func(s *ledger.SequenceRow) string { return s.Name }, copyPlain[ledger.SequenceRow], oneList(ledger.SequenceRow.Position)),
	}
}

func isDue(h *ledger.Hold) bool { return h.State == ledger.HoldOpen && !h.ExpiresAt.IsZero() }

// find returns copies of those of the rows named that exist.
func (b *book) find(want ledger.Names) ledger.Rows { return b.findWith(want, new(scratch), false) }

// findToWrite is find for who writes: what it found it keeps at hand.
func (b *book) findToWrite(want ledger.Names) ledger.Rows {
	b.keys.ask(want.Keys, &b.scratch)
	b.transactions.begin()
	b.pending.settle()
	return b.findWith(want, &b.scratch, true)
}

func (b *book) findWith(want ledger.Names, s *scratch, writes bool) ledger.Rows {
	return ledger.Rows{
		Keys:         b.findKeys(want.Keys, s, writes),
		Accounts:     b.accounts.findAll(want.Accounts, s),
		Holds:        b.holds.find(b.withDue(want.Holds, want.DueHolds)),
		Transactions: b.transactions.find(want.Transactions, s, b.readTransactions(len(want.Transactions))),
		Documents:    b.documents.find(want.Documents),
		Versions:     b.findVersions(want.Versions),
		References:   b.references.find(want.References),
		Leases:       b.leases.find(want.Leases),
		Assets:       b.assets.find(want.Assets),
		Pending:      b.pending.find(want.Pending, s),
		Sequences:    b.sequences.find(want.Sequences),
	}
}

// withDue adds the open holds that are due to those named.
func (b *book) withDue(named []ledger.ID, due []ledger.DueHolds) []ledger.ID {
	if len(due) == 0 {
		return named
	}
	all := slices.Clone(named)
	for _, d := range due {
		if o := b.holds.in[dueHoldsAccount].groups[accountGroup(d.Account)]; o != nil {
			o.walk(nil, nil, false, func(e entry[ledger.Hold]) bool {
				if e.at.Time.After(d.At) {
					return false
				}
				all = append(all, e.row.ID)
				return true
			})
		}
	}
	return all
}

func (b *book) findVersions(names []ledger.VersionID) []ledger.Document {
	var found []ledger.Document
	for _, n := range distinct(names) {
		o := b.versions.groups[documentGroup(n.DocumentID)]
		if o == nil {
			continue
		}
		if e, there := o.get(ledger.Document{Version: n.Version}.VersionPosition()); there {
			found = append(found, copyDocument(e.row))
		}
	}
	return found
}

// apply writes the rows, all or none: whatever can go wrong is found before the first one changes.
func (b *book) apply(w ledger.Rows) error {
	if err := b.check(&w); err != nil {
		return err
	}
	if b.space.full() || b.pending.space.full() {
		return errFull
	}
	for _, id := range w.Delete.Leases {
		b.leases.delete(id)
	}
	for _, id := range w.Delete.Pending {
		b.pending.remove(id)
	}
	for _, id := range w.Delete.Versions {
		b.versions.remove(&ledger.Document{DocumentID: id.DocumentID, Version: id.Version})
	}
	b.putTransactions(w.Transactions) // first: lines, keys and changes refer to them
	b.accounts.putAll(w.Accounts, b.scratch.accounts)
	b.putLines(w.Lines, &b.scratch)
	putAll(w.Keys, b.putKey) // then: they refer to transactions and lines, and changes to them
	putAll(w.Holds, b.holds.put)
	putAll(w.Documents, b.documents.put)
	putAll(w.Versions, b.versions.put)
	putAll(w.References, b.references.put)
	putAll(w.Leases, b.leases.put)
	putAll(w.Assets, b.assets.put)
	putAll(w.Pending, b.pending.put)
	putAll(w.Feed, b.putChange)
	putAll(w.Blocks, b.blocks.put)
	putAll(w.Sequences, b.sequences.put)
	return nil
}

var errFull = errors.New("memory: a book has at most 16 gigabytes of history")

func putAll[R any](rows []R, put func(*R)) {
	for i := range rows {
		put(&rows[i])
	}
}

func (b *book) check(w *ledger.Rows) error {
	d := w.Delete
	for _, id := range d.Versions {
		if !slices.ContainsFunc(w.Versions, func(d ledger.Document) bool { return versionName(&d) == id }) {
			return errors.New("memory: a version is deleted and not written again")
		}
	}
	d.Leases, d.Pending, d.Versions = nil, nil, nil
	if !d.Empty() {
		return errors.New("memory: only leases, pending rows and versions are ever deleted")
	}
	s := &b.scratch
	switch {
	case b.accounts.twice(w.Accounts, s):
		return errors.New("memory: an account is written twice in one update")
	case twiceID(w.Transactions, s, func(t *ledger.Transaction) ledger.ID { return t.ID }):
		return errors.New("memory: a transaction is written twice in one update")
	case twiceID(w.Pending, s, func(p *ledger.PendingRow) ledger.ID { return p.Entry }):
		return errors.New("memory: a pending row is written twice in one update")
	}
	if err := b.checkLines(w.Lines, s); err != nil {
		return err
	}
	if err := b.checkKeys(w.Keys, s); err != nil {
		return err
	}
	if err := b.checkFeed(w.Feed); err != nil {
		return err
	}
	return errors.Join(
		once("hold", w.Holds, b.holds.name, nil),
		once("document", w.Documents, b.documents.name, nil),
		once("version", w.Versions, versionName, func(d *ledger.Document) bool {
			return b.versions.has(d) && !slices.Contains(w.Delete.Versions, versionName(d))
		}),
		once("reference", w.References, b.references.name, nil),
		once("lease", w.Leases, b.leases.name, nil),
		once("asset", w.Assets, b.assets.name, nil),
		once("block", w.Blocks, b.blocks.number, b.blocks.has),
		once("sequence", w.Sequences, b.sequences.name, nil),
	)
}

func versionName(d *ledger.Document) ledger.VersionID {
	return ledger.VersionID{DocumentID: d.DocumentID, Version: d.Version}
}

// once says what is wrong with the rows to be written of one kind: a name that occurs twice, or a row of a kind that
// is only ever added and that there already says is there.
func once[R any, K comparable](kind string, rows []R, name func(*R) K, already func(*R) bool) error {
	if repeats(rows, name) {
		return fmt.Errorf("memory: a %s is written twice in one update", kind)
	}
	if already == nil {
		return nil
	}
	for i := range rows {
		if already(&rows[i]) {
			return fmt.Errorf("memory: %s %v is there already", kind, name(&rows[i]))
		}
	}
	return nil
}

func (b *book) clone() *book {
	b.mu.RLock()
	defer b.mu.RUnlock()
	c := &book{
		name: b.name, space: b.space.clone(), seed: b.seed, mainAsset: b.mainAsset,
		assetNumbers: slices.Clone(b.assetNumbers), numberOf: maps.Clone(b.numberOf),
		holds:      b.holds.clone(),
		documents:  b.documents.clone(),
		versions:   b.versions.clone(),
		references: b.references.clone(),
		leases:     b.leases.clone(),
		assets:     b.assets.clone(),
		blocks:     b.blocks.clone(),
		sequences:  b.sequences.clone(),
	}
	c.write.book = c
	c.accounts, c.keys = b.accounts.clone(c), b.keys.clone(c.space)
	c.transactions, c.pending, c.feed = b.transactions.clone(c.space), b.pending.clone(c), b.feed.clone()
	return c
}

// reader reads a record.
func (b *book) reader(at ref) reader { return reader{book: b, at: at, buf: b.space.from(at)} }

// assetNumber returns the number of an asset, and gives it one when it has none.
func (b *book) assetNumber(def *currency.Definition) uint32 {
	n, known := b.numberOf[def]
	if !known {
		n = uint32(len(b.assetNumbers)) //nolint:gosec // assets are few
		b.assetNumbers, b.numberOf[def] = append(b.assetNumbers, def), n
	}
	return n
}
