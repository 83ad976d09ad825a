package ledgertest

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// epoch is when the worlds of this package begin.
var epoch = time.Date(2026, time.March, 1, 9, 30, 0, 1_000, time.UTC)

// gem is an asset with the most decimals that there are.
var gem = currency.MustDefine(currency.Info{ID: "app:ledgertest/gem", Code: "GEM", Name: "Gem", Scale: currency.MaxScale, Kind: currency.Virtual})

// scribe writes rows into a book as the rule book would: every account's row agrees with its last line, every hold has its
// account, every reference its document, every entry its key and its changes. A store may rely on that much (keep a foreign
// key, rebuild an account from its lines). It remembers what it wrote in a model.
type scribe struct {
	t     *T
	store ledger.Store
	book  string
	model *model
	rnd   *rand.Rand
	now   time.Time
	count int
}

// newScribe begins a book. Two scribes in two books that do the same make rows of the same names.
func newScribe(t *T, s ledger.Store, book string) *scribe {
	return &scribe{t: t, store: s, book: book, model: newModel(), rnd: rand.New(rand.NewPCG(7, 11)), now: epoch} //nolint:gosec // repeatable on purpose
}

func (sc *scribe) id() ledger.ID { return randomID(sc.rnd) }

// randomID makes a UUIDv7 whose order says nothing, as ids of several processes do.
func randomID(rnd *rand.Rand) ledger.ID {
	var id ledger.ID
	binary.BigEndian.PutUint64(id[:8], rnd.Uint64())
	binary.BigEndian.PutUint64(id[8:], rnd.Uint64())
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// amount makes an amount in the asset of an account.
func (sc *scribe) amount(account ledger.AccountID, units int64) currency.Amount {
	asset, ok := currency.Lookup(account.Asset)
	if !ok {
		sc.t.Fatalf("the check uses an unknown asset %s", account.Asset)
	}
	return currency.MustNew(units, asset)
}

// write writes rows, naming all of them, and remembers them.
func (sc *scribe) write(w ledger.Rows) {
	if err := writeRows(sc.t.Context(), sc.store, sc.book, w); err != nil {
		sc.t.Fatalf("Update of a good write failed: %v\nwrite: %s", err, rowText(w))
	}
	sc.model.apply(w)
}

// writeRows writes rows whatever is there, naming all of them.
func writeRows(ctx context.Context, s ledger.Store, book string, w ledger.Rows) error {
	return s.Update(ctx, book, namesOf(w), func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return w, ledger.Names{}, nil
	})
}

// namesOf names the rows of a write.
func namesOf(w ledger.Rows) ledger.Names {
	m := newModel()
	m.apply(w)
	n := m.names()
	for id := range m.lines {
		if _, named := m.accounts[id]; !named {
			n.Accounts = append(n.Accounts, id)
		}
	}
	n.Leases = append(n.Leases, w.Delete.Leases...)
	n.Pending = append(n.Pending, w.Delete.Pending...)
	for _, id := range w.Delete.Versions { // its document is what keeps a version from changing
		n.Documents = append(n.Documents, id.DocumentID)
	}
	return n
}

// draft is one entry while it is being written.
type draft struct {
	*scribe
	id       ledger.ID
	key      string
	at       time.Time
	accounts map[ledger.AccountID]ledger.AccountInfo // those changed
	write    ledger.Rows
	changes  []ledger.Change
}

// entry begins an entry, a microsecond or more after the last one.
func (sc *scribe) entry() *draft {
	sc.count++
	sc.now = sc.now.Add(time.Duration(1+sc.rnd.IntN(3)) * time.Microsecond)
	return &draft{scribe: sc, id: sc.id(), key: fmt.Sprintf("entry-%d", sc.count), at: sc.now, accounts: map[ledger.AccountID]ledger.AccountInfo{}}
}

// record writes the entry.
func (d *draft) record() {
	receipt := ledger.Receipt{ID: d.id, Key: d.key, RecordedAt: d.at}
	for _, a := range d.accounts {
		d.write.Accounts = append(d.write.Accounts, a)
		receipt.Balances = append(receipt.Balances, ledger.Balance{Account: a.ID, Version: a.Version, Posted: a.Posted, Held: a.Held, Available: d.sum(a.Posted, a.Held, -1)})
	}
	d.write.Keys = append(d.write.Keys, ledger.KeyRow{Key: d.key, Inputs: []byte(`{"n":` + fmt.Sprint(d.count) + `}`), Receipt: receipt})
	if len(d.changes) > 0 {
		d.write.Pending = append(d.write.Pending, ledger.PendingRow{Entry: d.id, RecordedAt: d.at, Changes: d.changes})
	}
	d.scribe.write(d.write)
}

func (d *draft) changed(c ledger.Change) {
	c.Entry, c.Key, c.RecordedAt = d.id, d.key, d.at
	d.changes = append(d.changes, c)
}

// open opens an account and makes its asset known to the book.
func (d *draft) open(id ledger.AccountID, kind ledger.AccountType, owner string, terms ledger.Terms) {
	zero := d.amount(id, 0)
	asset := zero.Asset()
	row := ledger.AssetRow{ID: asset.ID(), Code: asset.Code(), Name: asset.Name(), Scale: asset.Scale(), Kind: asset.Kind()}
	if _, known := d.model.assets[id.Asset]; !known && !slices.Contains(d.write.Assets, row) {
		d.write.Assets = append(d.write.Assets, row)
	}
	d.accounts[id] = ledger.AccountInfo{ID: id, Type: kind, Owner: owner, Terms: terms, Opening: terms, OpenedAt: d.at, Posted: zero, Held: zero}
	d.line(ledger.Line{Account: id, Kind: ledger.LineOpened, Terms: &terms})
	d.changed(ledger.Change{Kind: ledger.ChangeAccount, Account: id, Version: 1})
}

// line adds a line to an account and brings the account's row along.
func (d *draft) line(l ledger.Line) {
	a, open := d.accounts[l.Account]
	if !open {
		if a, open = d.model.accounts[l.Account]; !open {
			d.t.Fatalf("the check uses account %s before it is open", l.Account)
		}
	}
	switch l.Kind {
	case ledger.LinePosted, ledger.LineCaptured:
		sign := 1
		if l.Side != a.Type.NormalSide() {
			sign = -1
		}
		a.Posted = d.sum(a.Posted, l.Amount, sign)
		if l.Kind == ledger.LineCaptured {
			a.Held = d.sum(a.Held, l.Amount, -1)
		}
	case ledger.LineHeld:
		a.Held = d.sum(a.Held, l.Amount, 1)
	case ledger.LineReleased, ledger.LineExpired:
		a.Held = d.sum(a.Held, l.Amount, -1)
	case ledger.LineOpened, ledger.LineSet:
		a.Terms = *l.Terms
	}
	a.Version++
	if _, again := d.accounts[l.Account]; !again { // else of the same entry, at the same time
		if a.UpdatedAt = a.UpdatedAt.Add(time.Microsecond); d.at.After(a.UpdatedAt) {
			a.UpdatedAt = d.at
		}
	}
	l.Version, l.Posted, l.Held, l.RecordedAt = a.Version, a.Posted, a.Held, a.UpdatedAt
	if l.EffectiveAt.IsZero() {
		l.EffectiveAt = d.at
	}
	d.accounts[l.Account] = a
	d.write.Lines = append(d.write.Lines, l)
}

func (d *draft) sum(a, b currency.Amount, sign int) currency.Amount {
	add := a.Add
	if sign < 0 {
		add = a.Sub
	}
	s, err := add(b)
	if err != nil {
		d.t.Fatalf("the check's own arithmetic: %v", err)
	}
	return s
}

// post records a transaction from one account to another.
func (d *draft) post(debit, credit ledger.AccountID, amount currency.Amount, note ledger.Note) ledger.Transaction {
	t := ledger.Transaction{ID: d.scribe.id(), Key: d.key, RecordedAt: d.at, EffectiveAt: d.at, Note: note, Postings: []ledger.Posting{
		{Account: debit, Side: ledger.Debit, Amount: amount}, {Account: credit, Side: ledger.Credit, Amount: amount},
	}}
	for _, p := range t.Postings {
		d.line(ledger.Line{Account: p.Account, Kind: ledger.LinePosted, Side: p.Side, Amount: amount, Transaction: t.ID})
	}
	d.write.Transactions = append(d.write.Transactions, t)
	d.changed(ledger.Change{Kind: ledger.ChangeTransaction, Transaction: t.ID})
	return t
}

// hold places a hold; expires zero means no deadline.
func (d *draft) hold(account ledger.AccountID, amount currency.Amount, expires time.Time) ledger.Hold {
	zero := d.amount(account, 0)
	h := ledger.Hold{ID: d.scribe.id(), Key: d.key, Account: account, Amount: amount, Captured: zero, Released: zero, State: ledger.HoldOpen, PlacedAt: d.at, ExpiresAt: expires, UpdatedAt: d.at}
	d.line(ledger.Line{Account: account, Kind: ledger.LineHeld, Amount: amount, Hold: h.ID})
	a := d.accounts[account]
	if !expires.IsZero() && (a.NextExpiry.IsZero() || expires.Before(a.NextExpiry)) {
		a.NextExpiry = expires
		d.accounts[account] = a
	}
	d.write.Holds = append(d.write.Holds, h)
	d.changed(ledger.Change{Kind: ledger.ChangeHold, Account: account, Hold: h.ID, Version: d.accounts[account].Version, State: "open", Amount: amount})
	return h
}

// release gives the whole of a hold back.
func (d *draft) release(h ledger.Hold) ledger.Hold {
	h.Released, h.State, h.UpdatedAt = h.Amount, ledger.HoldReleased, d.at
	d.line(ledger.Line{Account: h.Account, Kind: ledger.LineReleased, Amount: h.Amount, Hold: h.ID})
	a := d.accounts[h.Account]
	a.NextExpiry = time.Time{}
	for _, other := range d.model.holds {
		if other.ID != h.ID && other.Account == h.Account && other.State == ledger.HoldOpen && !other.ExpiresAt.IsZero() &&
			(a.NextExpiry.IsZero() || other.ExpiresAt.Before(a.NextExpiry)) {
			a.NextExpiry = other.ExpiresAt
		}
	}
	d.accounts[h.Account] = a
	d.write.Holds = append(d.write.Holds, h)
	d.changed(ledger.Change{Kind: ledger.ChangeHold, Account: h.Account, Hold: h.ID, Version: d.accounts[h.Account].Version, State: "released", Amount: h.Amount})
	return h
}

// document writes the next version of a document, with references of its own from then on.
func (d *draft) document(doc ledger.Document) ledger.Document {
	old := d.model.documents[doc.DocumentID]
	doc.Version, doc.CreatedAt, doc.UpdatedAt = old.Version+1, d.at, d.at
	if old.Version > 0 {
		doc.CreatedAt = old.CreatedAt
	}
	for _, r := range doc.References {
		if _, taken := d.model.references[r]; !taken {
			d.write.References = append(d.write.References, ledger.ReferenceRow{Reference: r, Document: doc.DocumentID})
		}
	}
	d.write.Documents = append(d.write.Documents, doc)
	d.write.Versions = append(d.write.Versions, doc)
	d.changed(ledger.Change{Kind: ledger.ChangeDocument, Document: doc.DocumentID, Version: doc.Version, State: doc.State})
	return doc
}

// block seals the feed up to a position, with hashes that hash nothing: a store cannot know.
func (sc *scribe) block(last uint64) ledger.Block {
	b := ledger.Block{Number: 1, First: 1, Last: last, SealedAt: sc.now}
	if n := len(sc.model.blocks); n > 0 {
		before := sc.model.blocks[n-1]
		b.Number, b.First, b.Previous = before.Number+1, before.Last+1, before.Hash
	}
	for i := 0; i < len(b.Hash); i += 8 {
		binary.BigEndian.PutUint64(b.Hash[i:], sc.rnd.Uint64())
	}
	b.Marks = bytes.Repeat(b.Hash[:8], int(b.Last-b.First+1)) //nolint:gosec // a test's few
	return b
}

// erase takes the body of a version that was written.
func (sc *scribe) erase(d ledger.Document) {
	erased := d
	erased.Body, erased.Erased = nil, ledger.Erasure{At: sc.now, Reason: "asked for", Digest: ledger.Hash{1, 2, 3}}
	w := ledger.Rows{Versions: []ledger.Document{erased}}
	w.Delete.Versions = []ledger.VersionID{{DocumentID: d.DocumentID, Version: d.Version}}
	if now := sc.model.documents[d.DocumentID]; now.Version == d.Version {
		w.Documents = []ledger.Document{erased}
	}
	sc.write(w)
}

// number moves the changes of up to n entries from pending to the feed, the oldest first.
func (sc *scribe) number(n int) {
	waiting := pick(sc.model.all(ledger.Range{List: ledger.ListPending}), ledger.Range{List: ledger.ListPending, Limit: n})
	if len(waiting) == 0 {
		return
	}
	last := sc.model.sequences["feed"].Last
	var w ledger.Rows
	for _, i := range waiting {
		p := i.row.(ledger.PendingRow)
		for _, c := range p.Changes {
			last++
			c.Position = last
			w.Feed = append(w.Feed, c)
		}
		w.Delete.Pending = append(w.Delete.Pending, p.Entry)
	}
	w.Blocks = []ledger.Block{sc.block(last)}
	w.Sequences = []ledger.SequenceRow{{Name: "feed", Last: last}}
	sc.write(w)
}
