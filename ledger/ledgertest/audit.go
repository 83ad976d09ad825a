package ledgertest

import (
	"context"
	"errors"
	"fmt"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// asRefusal finds the refusal in an error.
func asRefusal(err error) (*ledger.Refusal, bool) { return errors.AsType[*ledger.Refusal](err) }

// auditor goes through a book with a pencil: it knows nothing of how package ledger computes, only what its rows mean.
type auditor struct {
	ctx      context.Context // of one audit
	store    ledger.Store
	book     string
	findings []string

	accounts map[ledger.AccountID]ledger.AccountInfo
	posted   map[moved]currency.Amount // by the lines: debits − credits of a transaction on an account
}

type moved struct {
	transaction ledger.ID
	account     ledger.AccountID
}

// auditBook returns what is wrong with a book that nobody writes to.
func auditBook(ctx context.Context, s ledger.Store, book string) []string {
	a := &auditor{ctx: ctx, store: s, book: book, accounts: map[ledger.AccountID]ledger.AccountInfo{}, posted: map[moved]currency.Amount{}}
	a.eachAccount()
	a.eachTransaction()
	a.eachHold()
	a.theFeed()
	return a.findings
}

func (a *auditor) note(format string, args ...any) {
	if len(a.findings) < notesShown {
		a.findings = append(a.findings, fmt.Sprintf(format, args...))
	}
}

// rows reads a whole list.
func rows[R any](a *auditor, r ledger.Range) []R {
	r.Limit = ledger.MaxPage
	items, err := scanAll(a.ctx, a.store, a.book, r)
	if err != nil {
		a.note("%v", err)
	}
	all := make([]R, len(items))
	for i := range items {
		all[i] = items[i].row.(R)
	}
	return all
}

// plus adds amounts; the zero value of a map counts as nothing.
func (a *auditor) plus(x, y currency.Amount) currency.Amount {
	if !x.IsValid() {
		return y
	}
	sum, err := x.Add(y)
	if err != nil {
		a.note("%v", err)
	}
	return sum
}

func (a *auditor) minus(x currency.Amount) currency.Amount {
	n, err := x.Neg()
	if err != nil {
		a.note("%v", err)
	}
	return n
}

// eachAccount folds the lines of every account.
func (a *auditor) eachAccount() {
	totals := map[currency.AssetID]currency.Amount{}
	for _, info := range rows[ledger.AccountInfo](a, ledger.Range{List: ledger.ListAccounts}) {
		a.accounts[info.ID] = info
		zero := currency.Zero(info.Posted.Asset())
		posted, held := zero, zero
		var last ledger.Line
		for _, l := range rows[ledger.Line](a, ledger.Range{List: ledger.ListLines, Account: info.ID}) {
			if l.Version != last.Version+1 || l.RecordedAt.Before(last.RecordedAt) {
				a.note("%s has line %d of %v after line %d of %v", info.ID, l.Version, l.RecordedAt, last.Version, last.RecordedAt)
			}
			posted, held = a.fold(info, l, posted, held)
			if l.Posted != posted || l.Held != held {
				a.note("line %d of %s says %s posted and %s held; its lines make %s and %s", l.Version, info.ID, l.Posted, l.Held, posted, held)
			}
			last = l
		}
		if info.Version != last.Version || info.Posted != posted || info.Held != held || !info.UpdatedAt.Equal(last.RecordedAt) {
			a.note("%s is at version %d with %s posted and %s held; its lines end at %d with %s and %s", info.ID, info.Version, info.Posted, info.Held, last.Version, posted, held)
		}
		if info.Type.NormalSide() == ledger.Credit {
			posted = a.minus(posted)
		}
		totals[info.ID.Asset] = a.plus(totals[info.ID.Asset], posted)
	}
	for asset, total := range totals {
		if total.Sign() != 0 {
			a.note("all accounts in %s sum to %s", asset, total)
		}
	}
}

func (a *auditor) fold(info ledger.AccountInfo, l ledger.Line, posted, held currency.Amount) (newPosted, newHeld currency.Amount) {
	switch l.Kind {
	case ledger.LinePosted, ledger.LineCaptured:
		debit := l.Amount
		if l.Side == ledger.Credit {
			debit = a.minus(debit)
		}
		m := moved{l.Transaction, info.ID}
		a.posted[m] = a.plus(a.posted[m], debit)
		if info.Type.NormalSide() == ledger.Credit {
			debit = a.minus(debit)
		}
		posted = a.plus(posted, debit)
		if l.Kind == ledger.LineCaptured {
			held = a.plus(held, a.minus(l.Amount))
		}
	case ledger.LineHeld:
		held = a.plus(held, l.Amount)
	case ledger.LineReleased, ledger.LineExpired:
		held = a.plus(held, a.minus(l.Amount))
	case ledger.LineOpened, ledger.LineSet:
	}
	return posted, held
}

// eachTransaction compares postings with lines.
func (a *auditor) eachTransaction() {
	for _, t := range rows[ledger.Transaction](a, ledger.Range{List: ledger.ListTransactions}) {
		balance := map[currency.AssetID]currency.Amount{}
		for _, p := range t.Postings {
			debit := p.Amount
			if p.Side == ledger.Credit {
				debit = a.minus(debit)
			}
			balance[p.Account.Asset] = a.plus(balance[p.Account.Asset], debit)
			m := moved{t.ID, p.Account}
			a.posted[m] = a.plus(a.posted[m], a.minus(debit))
		}
		for asset, sum := range balance {
			if sum.Sign() != 0 {
				a.note("transaction %s is out of balance by %s in %s", t.ID, sum, asset)
			}
		}
	}
	for m, rest := range a.posted {
		if rest.Sign() != 0 {
			a.note("lines and postings of transaction %s on %s differ by %s", m.transaction, m.account, rest)
		}
	}
}

// eachHold compares what is held with the open holds.
func (a *auditor) eachHold() {
	open := map[ledger.AccountID]currency.Amount{}
	for _, h := range rows[ledger.Hold](a, ledger.Range{List: ledger.ListHolds}) {
		rest, err := h.Remaining()
		if err != nil || rest.Sign() < 0 || (h.State == ledger.HoldOpen) != (rest.Sign() > 0) {
			a.note("hold %s in state %d has %s left of %s (%v)", h.ID, h.State, rest, h.Amount, err)
		}
		open[h.Account] = a.plus(open[h.Account], rest)
	}
	for id, info := range a.accounts {
		if held := a.plus(open[id], currency.Zero(info.Held.Asset())); held != info.Held {
			a.note("%s has %s held, its open holds make %s", id, info.Held, held)
		}
	}
}

// theFeed checks that the feed has every change once, in the order in which it happened to each account and document.
func (a *auditor) theFeed() {
	documents := map[ledger.DocumentID]uint64{}
	entries := map[string]bool{}
	for i, c := range rows[ledger.Change](a, ledger.Range{List: ledger.ListFeed}) {
		if c.Position != uint64(i)+1 {
			a.note("the feed has position %d in place %d", c.Position, i+1)
		}
		entries[c.Key] = true
		if c.Kind == ledger.ChangeDocument {
			if c.Version != documents[c.Document]+1 {
				a.note("the feed has version %d of %s after version %d", c.Version, c.Document, documents[c.Document])
			}
			documents[c.Document] = c.Version
		}
	}
	if left := rows[ledger.PendingRow](a, ledger.Range{List: ledger.ListPending}); len(left) > 0 {
		a.note("%d entries are not in the feed", len(left))
	}
	for id, last := range documents {
		versions := rows[ledger.Document](a, ledger.Range{List: ledger.ListVersions, Document: id})
		found, err := a.store.Read(a.ctx, a.book, ledger.Names{Documents: []ledger.DocumentID{id}})
		if err != nil || len(found.Documents) != 1 || uint64(len(versions)) != last || rowText(found.Documents[0]) != rowText(versions[len(versions)-1]) {
			a.note("document %s has %d versions, %d in the feed, and is now %s (%v)", id, len(versions), last, rowText(found.Documents), err)
		}
	}
	for _, k := range rows[ledger.KeyRow](a, ledger.Range{List: ledger.ListKeys}) {
		if k.Refusal == nil && len(k.Receipt.Balances) > 0 && !entries[k.Key] {
			a.note("the changes of entry %s are not in the feed", k.Key)
		}
	}
}
