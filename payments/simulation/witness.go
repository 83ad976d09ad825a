package simulation

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// witness is a store that sees what is written and folds it again with code of its own, so that every update is checked
// at a cost that does not grow with the book. It keeps everything that was ever written, as it should be now.
type witness struct {
	ledger.Store // the memory store; what is read is not looked at

	book     string
	accounts map[ledger.AccountID]*ledger.AccountInfo
	lines    map[ledger.AccountID][]ledger.Line
	reserved map[ledger.AccountID]currency.Amount // sum of open holds
	holds    map[ledger.ID]ledger.Hold
	posted   map[ledger.ID]ledger.Transaction
	order    []ledger.ID // of transactions, as written
	placed   []ledger.ID // holds, as written
	keys     map[string]bool
	owners   map[string]ledger.DocumentID // of references
	total    map[currency.AssetID]currency.Amount
	feed     feedCheck

	money   *ledgerOfPayments
	counted map[ledger.ID]bool // transactions

	updates int
	last    summary // of the last update
	broken  *Breach // the first
}

// summary says what one update wrote.
type summary struct {
	keysOnly bool // nothing but burned keys
	nothing  bool
}

func newWitness(book string, money *ledgerOfPayments) *witness {
	return &witness{
		Store: memory.New(), book: book, money: money, counted: map[ledger.ID]bool{},
		accounts: map[ledger.AccountID]*ledger.AccountInfo{}, lines: map[ledger.AccountID][]ledger.Line{},
		reserved: map[ledger.AccountID]currency.Amount{}, holds: map[ledger.ID]ledger.Hold{},
		posted: map[ledger.ID]ledger.Transaction{}, keys: map[string]bool{}, owners: map[string]ledger.DocumentID{},
		total: map[currency.AssetID]currency.Amount{}, feed: feedCheck{versions: map[ledger.DocumentID]uint64{}},
	}
}

// Update passes the update on and, when it was applied, looks at what it wrote.
func (w *witness) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	var written ledger.Rows
	err := w.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		write, more, err := decide(found)
		written = write
		return write, more, err
	})
	if err != nil || book != w.book {
		return err
	}
	w.updates++
	others := len(written.Accounts) + len(written.Documents) + len(written.Holds) + len(written.Lines) + len(written.Leases) +
		len(written.Feed) + len(written.Pending) + len(written.Delete.Leases) + len(written.Delete.Pending)
	w.last = summary{keysOnly: others == 0 && len(written.Keys) > 0, nothing: others+len(written.Keys) == 0}
	if b := w.observe(&written); b != nil && w.broken == nil {
		w.broken = b
	}
	return nil
}

// observe checks what was written and takes it over.
func (w *witness) observe(rows *ledger.Rows) *Breach {
	before := w.remember(rows)
	for _, check := range []func(*ledger.Rows) *Breach{
		w.seeKeys, w.seeTransactions, w.seeHolds, w.seeLines, w.seeAccounts, w.seeReferences, w.feed.see,
	} {
		if b := check(rows); b != nil {
			return b
		}
	}
	return w.money.see(w, rows, before)
}

// remember keeps the holds that an update writes as they were before it; those that it places have the zero ID.
func (w *witness) remember(rows *ledger.Rows) map[ledger.ID]ledger.Hold {
	if len(rows.Holds) == 0 {
		return nil
	}
	before := make(map[ledger.ID]ledger.Hold, len(rows.Holds))
	for i := range rows.Holds {
		before[rows.Holds[i].ID] = w.holds[rows.Holds[i].ID]
	}
	return before
}

func (w *witness) seeKeys(rows *ledger.Rows) *Breach {
	for i := range rows.Keys {
		k := rows.Keys[i].Key
		if w.keys[k] {
			return breach(OneEffect, "key %q was written twice", k)
		}
		w.keys[k] = true
	}
	return nil
}

func (w *witness) seeTransactions(rows *ledger.Rows) *Breach {
	for i := range rows.Transactions {
		t := rows.Transactions[i]
		sums := map[currency.AssetID]currency.Amount{}
		for _, p := range t.Postings {
			if p.Amount.Sign() <= 0 || p.Amount.AssetID() != p.Account.Asset {
				return breach(Fold, "transaction %s has a posting of %v on %s", t.ID, p.Amount, p.Account).about(p.Account)
			}
			sums[p.Account.Asset] = plus(sums[p.Account.Asset], signed(p.Side, p.Amount))
		}
		for asset, sum := range sums {
			if sum.Sign() != 0 {
				return breach(ZeroSum, "transaction %s is out of balance by %v in %s", t.ID, sum, asset)
			}
		}
		old, known := w.posted[t.ID]
		if !known {
			w.order = append(w.order, t.ID)
		} else if b := sameTransaction(&old, &t); b != nil {
			return b
		}
		w.posted[t.ID] = t
	}
	return nil
}

// sameTransaction: nothing of a transaction changes but what has been reversed of it, which grows up to the posting.
func sameTransaction(old, now *ledger.Transaction) *Breach {
	same := len(old.Postings) == len(now.Postings) && old.Key == now.Key && old.RecordedAt.Equal(now.RecordedAt)
	for i := range now.Postings {
		same = same && old.Postings[i] == now.Postings[i]
	}
	if !same {
		return breach(Lasting, "transaction %s changed", now.ID)
	}
	for i, r := range now.Reversed {
		if r.IsValid() && less(now.Postings[i].Amount, r) || i < len(old.Reversed) && less(r, old.Reversed[i]) {
			return breach(Bounds, "transaction %s: %v reversed of posting %d of %v", now.ID, r, i, now.Postings[i].Amount)
		}
	}
	return nil
}

func (w *witness) seeHolds(rows *ledger.Rows) *Breach {
	for i := range rows.Holds {
		h := rows.Holds[i]
		old, known := w.holds[h.ID]
		rest := minus(minus(h.Amount, h.Captured), h.Released)
		open := h.State == ledger.HoldOpen
		switch {
		case rest.Sign() < 0 || h.Captured.Sign() < 0 || h.Released.Sign() < 0:
			return breach(HoldOnce, "hold %s of %v: %v captured and %v released", h.ID, h.Amount, h.Captured, h.Released).about(h.Account)
		case open != (rest.Sign() > 0):
			return breach(HoldOnce, "hold %s is %v and %v remain", h.ID, h.State, rest).about(h.Account)
		case known && (old.Amount != h.Amount || old.Account != h.Account || old.State != ledger.HoldOpen):
			return breach(HoldOnce, "hold %s was %v of %v on %s and is %v of %v on %s", h.ID, old.State, old.Amount, old.Account, h.State, h.Amount, h.Account).about(h.Account)
		case known && (less(h.Captured, old.Captured) || less(h.Released, old.Released)):
			return breach(HoldOnce, "hold %s shrank", h.ID).about(h.Account)
		}
		sum := w.reserved[h.Account]
		if known {
			sum = minus(sum, minus(minus(old.Amount, old.Captured), old.Released))
		}
		w.reserved[h.Account] = plus(sum, rest)
		if !known {
			w.placed = append(w.placed, h.ID)
		}
		w.holds[h.ID] = h
	}
	return nil
}

func (w *witness) seeLines(rows *ledger.Rows) *Breach {
	for i := range rows.Lines {
		l := rows.Lines[i]
		a := w.accounts[l.Account]
		if a == nil {
			zero := currency.Zero(l.Posted.Asset())
			a = &ledger.AccountInfo{ID: l.Account, Posted: zero, Held: zero}
			for j := range rows.Accounts {
				if rows.Accounts[j].ID == l.Account {
					a.Type, a.Owner = rows.Accounts[j].Type, rows.Accounts[j].Owner
				}
			}
			w.accounts[l.Account] = a
		}
		if b := w.foldLine(a, &l); b != nil {
			return b.about(l.Account)
		}
		w.lines[l.Account] = append(w.lines[l.Account], l)
	}
	for asset, sum := range w.total {
		if sum.Sign() != 0 {
			return breach(ZeroSum, "the trial balance of %s is %v", asset, sum)
		}
	}
	return nil
}

// foldLine takes one line over into the account and compares the running balances.
func (w *witness) foldLine(a *ledger.AccountInfo, l *ledger.Line) *Breach {
	before := minus(a.Posted, a.Held)
	switch l.Kind {
	case ledger.LinePosted, ledger.LineCaptured:
		if h := w.holds[l.Hold]; l.Kind == ledger.LineCaptured && !h.ExpiresAt.IsZero() && !l.RecordedAt.Before(h.ExpiresAt) {
			return breach(HoldOnce, "hold %s was captured at %s and ended at %s", h.ID, l.RecordedAt, h.ExpiresAt)
		}
		change := signed(l.Side, l.Amount)
		w.total[l.Account.Asset] = plus(w.total[l.Account.Asset], change)
		if a.Type.NormalSide() == ledger.Credit {
			change = minus(currency.Zero(change.Asset()), change)
		}
		a.Posted = plus(a.Posted, change)
		if l.Kind == ledger.LineCaptured {
			a.Held = minus(a.Held, l.Amount)
		}
	case ledger.LineHeld:
		a.Held = plus(a.Held, l.Amount)
	case ledger.LineReleased, ledger.LineExpired:
		a.Held = minus(a.Held, l.Amount)
	case ledger.LineOpened, ledger.LineSet:
		if l.Terms != nil {
			a.Terms = *l.Terms
		}
	}
	switch {
	case l.Version != a.Version+1:
		return breach(Fold, "%s has line %d after line %d", l.Account, l.Version, a.Version)
	case l.Posted != a.Posted || l.Held != a.Held:
		return breach(Fold, "line %d of %s says posted %v, held %v; the fold is %v, %v", l.Version, l.Account, l.Posted, l.Held, a.Posted, a.Held)
	case l.RecordedAt.Before(a.UpdatedAt):
		return breach(Fold, "line %d of %s goes back in time", l.Version, l.Account)
	}
	a.Version, a.UpdatedAt = l.Version, l.RecordedAt
	if available := minus(a.Posted, a.Held); a.Terms.Floor.IsValid() && less(available, a.Terms.Floor) && less(available, before) {
		return breach(Bounds, "%s has %v available, its floor is %v", l.Account, available, a.Terms.Floor)
	}
	if a.Terms.Ceiling.IsValid() && less(a.Terms.Ceiling, a.Posted) {
		return breach(Bounds, "%s has %v, its ceiling is %v", l.Account, a.Posted, a.Terms.Ceiling)
	}
	return nil
}

func (w *witness) seeAccounts(rows *ledger.Rows) *Breach {
	for i := range rows.Accounts {
		now := rows.Accounts[i]
		a := w.accounts[now.ID]
		if a == nil {
			return breach(Fold, "%s was written without a line", now.ID)
		}
		if now.Version != a.Version || now.Posted != a.Posted || now.Held != a.Held || now.Terms != a.Terms || now.Owner != a.Owner || now.Type != a.Type {
			return breach(Fold, "%s is %+v; its lines say %+v", now.ID, now, *a).about(now.ID)
		}
		if sum := plus(currency.Zero(now.Held.Asset()), w.reserved[now.ID]); now.Held != sum {
			return breach(HeldSum, "%s has %v held, its open holds are %v", now.ID, now.Held, sum).about(now.ID)
		}
	}
	return nil
}

func (w *witness) seeReferences(rows *ledger.Rows) *Breach {
	for _, r := range rows.References {
		if owner, taken := w.owners[r.Reference]; taken && owner != r.Document {
			return breach(OneEffect, "reference %s went from %s to %s", r.Reference, owner, r.Document)
		}
		w.owners[r.Reference] = r.Document
	}
	return nil
}

// feedCheck sees that positions have no gaps and that the versions of every document come in order.
type feedCheck struct {
	position uint64
	versions map[ledger.DocumentID]uint64
}

func (f *feedCheck) see(rows *ledger.Rows) *Breach {
	for _, c := range rows.Feed {
		if c.Position != f.position+1 {
			return breach(Delivered, "position %d of the feed follows %d", c.Position, f.position)
		}
		f.position = c.Position
		if c.Kind != ledger.ChangeDocument {
			continue
		}
		if c.Version != f.versions[c.Document]+1 {
			return breach(Delivered, "the feed has version %d of %s after version %d", c.Version, c.Document, f.versions[c.Document])
		}
		f.versions[c.Document] = c.Version
	}
	return nil
}
