package memory

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// book is one tenant: rows by name, and the lists that they are in.
type book struct {
	mu sync.RWMutex

	keys         *table[string, ledger.KeyRow]
	accounts     *table[ledger.AccountID, ledger.AccountInfo]
	lines        *history[ledger.Line]
	holds        *table[ledger.ID, ledger.Hold]
	transactions *table[ledger.ID, ledger.Transaction]
	documents    *table[ledger.DocumentID, ledger.Document]
	versions     *history[ledger.Document]
	references   *table[string, ledger.ReferenceRow]
	leases       *table[ledger.DocumentID, ledger.Lease]
	assets       *table[currency.AssetID, ledger.AssetRow]
	pending      *table[ledger.ID, ledger.PendingRow]
	feed         *history[ledger.Change]
	blocks       *history[ledger.Block]
	sequences    *table[string, ledger.SequenceRow]
}

// The lists of the tables that have more than one, by their place in table.in.
const (
	allAccounts, ownedAccounts           = 0, 1
	allHolds, dueHolds                   = 0, 1
	dueHoldsAccount, openHolds           = 2, 3
	kindDocuments, dossier, dueDocuments = 0, 1, 2
	allDocuments                         = 3
)

func newBook() *book {
	return &book{
		keys: newTable(func(k *ledger.KeyRow) string { return k.Key }, copyKey, oneList(ledger.KeyRow.Position)),
		accounts: newTable(func(a *ledger.AccountInfo) ledger.AccountID { return a.ID }, copyPlain[ledger.AccountInfo],
			oneList(ledger.AccountInfo.Position),
			newLists(func(a *ledger.AccountInfo) (group, ledger.Position, bool) {
				return group{a: a.Owner}, a.Position(), true
			})),
		lines: newHistory(
			func(l *ledger.Line) (group, ledger.Position, bool) {
				return accountGroup(l.Account), l.Position(), true
			},
			func(l *ledger.Line) uint64 { return l.Version }, copyLine),
		holds: newTable(func(h *ledger.Hold) ledger.ID { return h.ID }, copyHold,
			oneList(ledger.Hold.Position),
			newLists(func(h *ledger.Hold) (group, ledger.Position, bool) { return group{}, h.DuePosition(), isDue(h) }),
			newLists(func(h *ledger.Hold) (group, ledger.Position, bool) {
				return accountGroup(h.Account), h.DuePosition(), isDue(h)
			}),
			newLists(func(h *ledger.Hold) (group, ledger.Position, bool) {
				return accountGroup(h.Account), h.Position(), h.State == ledger.HoldOpen
			})),
		transactions: newTable(func(t *ledger.Transaction) ledger.ID { return t.ID }, copyTransaction, oneList(ledger.Transaction.Position)),
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
		pending:    newTable(func(p *ledger.PendingRow) ledger.ID { return p.Entry }, copyPending, oneList(ledger.PendingRow.PendingPosition)),
		feed: newHistory(
			func(c *ledger.Change) (group, ledger.Position, bool) { return group{}, c.FeedPosition(), true },
			func(c *ledger.Change) uint64 { return c.Position }, copyPlain[ledger.Change]),
		blocks: newHistory(
			func(k *ledger.Block) (group, ledger.Position, bool) { return group{}, k.Position(), true },
			func(k *ledger.Block) uint64 { return k.Number }, copyBlock),
		sequences: newTable(func(s *ledger.SequenceRow) string { return s.Name }, copyPlain[ledger.SequenceRow], oneList(ledger.SequenceRow.Position)),
	}
}

func isDue(h *ledger.Hold) bool { return h.State == ledger.HoldOpen && !h.ExpiresAt.IsZero() }

// find returns copies of those of the rows named that exist.
func (b *book) find(want ledger.Names) ledger.Rows {
	return ledger.Rows{
		Keys:         b.keys.find(want.Keys),
		Accounts:     b.accounts.find(want.Accounts),
		Holds:        b.holds.find(b.withDue(want.Holds, want.DueHolds)),
		Transactions: b.transactions.find(want.Transactions),
		Documents:    b.documents.find(want.Documents),
		Versions:     b.findVersions(want.Versions),
		References:   b.references.find(want.References),
		Leases:       b.leases.find(want.Leases),
		Assets:       b.assets.find(want.Assets),
		Pending:      b.pending.find(want.Pending),
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
			o.walk(nil, nil, false, func(at ledger.Position, h *ledger.Hold) bool {
				if at.Time.After(d.At) {
					return false
				}
				all = append(all, h.ID)
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
		if d := o.get(ledger.Document{Version: n.Version}.VersionPosition()); d != nil {
			found = append(found, copyDocument(d))
		}
	}
	return found
}

// apply writes the rows, all or none: whatever can go wrong is found before the first one changes.
func (b *book) apply(w ledger.Rows) error {
	if err := b.check(&w); err != nil {
		return err
	}
	for _, id := range w.Delete.Leases {
		b.leases.delete(id)
	}
	for _, id := range w.Delete.Pending {
		b.pending.delete(id)
	}
	for _, id := range w.Delete.Versions {
		b.versions.remove(&ledger.Document{DocumentID: id.DocumentID, Version: id.Version})
	}
	putAll(w.Keys, b.keys.put)
	putAll(w.Accounts, b.accounts.put)
	putAll(w.Lines, b.lines.put)
	putAll(w.Holds, b.holds.put)
	putAll(w.Transactions, b.transactions.put)
	putAll(w.Documents, b.documents.put)
	putAll(w.Versions, b.versions.put)
	putAll(w.References, b.references.put)
	putAll(w.Leases, b.leases.put)
	putAll(w.Assets, b.assets.put)
	putAll(w.Pending, b.pending.put)
	putAll(w.Feed, b.feed.put)
	putAll(w.Blocks, b.blocks.put)
	putAll(w.Sequences, b.sequences.put)
	return nil
}

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
	type lineName struct {
		account ledger.AccountID
		version uint64
	}
	return errors.Join(
		once("key", w.Keys, b.keys.name, func(k *ledger.KeyRow) bool { return b.keys.rows[k.Key] != nil }),
		once("account", w.Accounts, b.accounts.name, nil),
		once("line", w.Lines, func(l *ledger.Line) lineName { return lineName{l.Account, l.Version} }, b.lines.has),
		once("hold", w.Holds, b.holds.name, nil),
		once("transaction", w.Transactions, b.transactions.name, nil),
		once("document", w.Documents, b.documents.name, nil),
		once("version", w.Versions, versionName, func(d *ledger.Document) bool {
			return b.versions.has(d) && !slices.Contains(w.Delete.Versions, versionName(d))
		}),
		once("reference", w.References, b.references.name, nil),
		once("lease", w.Leases, b.leases.name, nil),
		once("asset", w.Assets, b.assets.name, nil),
		once("pending row", w.Pending, b.pending.name, nil),
		once("change", w.Feed, b.feed.number, b.feed.has),
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
	return &book{
		keys:         b.keys.clone(),
		accounts:     b.accounts.clone(),
		lines:        b.lines.clone(),
		holds:        b.holds.clone(),
		transactions: b.transactions.clone(),
		documents:    b.documents.clone(),
		versions:     b.versions.clone(),
		references:   b.references.clone(),
		leases:       b.leases.clone(),
		assets:       b.assets.clone(),
		pending:      b.pending.clone(),
		feed:         b.feed.clone(),
		blocks:       b.blocks.clone(),
		sequences:    b.sequences.clone(),
	}
}
