package ledger_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// edited is a store in which somebody has altered rows.
type edited struct {
	ledger.Store
	edit func(ledger.List, *ledger.Rows)
}

func (e edited) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	rows, err := e.Store.Scan(ctx, book, r)
	e.edit(r.List, &rows)
	return rows, err
}

func (e edited) Read(ctx context.Context, book string, n ledger.Names) (ledger.Rows, error) {
	rows, err := e.Store.Read(ctx, book, n)
	e.edit(0, &rows)
	return rows, err
}

// rich is a small book that has one of everything.
func rich(t *testing.T) *world { return richIn(t, 12) }

// richIn is rich with blocks of so many entries.
func richIn(t *testing.T, entries int) *world {
	w, p := lived(t)
	w.do(ledger.Transfer(alice, bob, dollars(1))) // the dead hold expires
	w.do(ledger.Capture{Hold: ledger.ByID(p.open), To: []ledger.Portion{{Account: bob, Amount: dollars(10)}}})
	w.do(ledger.PlaceHold{Account: alice, Amount: dollars(20), ExpiresAt: w.Now().Add(time.Hour)})
	w.do(ledger.Reverse{Transaction: ledger.ByID(p.paid), Part: ledger.Transfer(alice, bob, dollars(100)).Postings})
	w.do(ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "1"}, Version: 1, State: "done", References: []string{"post/9"}})
	_, err := w.try(ledger.Transfer(alice, bob, dollars(1_000_000)))
	require.ErrorIs(t, err, ledger.Declined)
	for range 12 / entries {
		_, err = w.NumberFeed(t.Context(), entries)
		require.NoError(t, err)
	}
	w.do(ledger.Transfer(bank, alice, dollars(2)))
	w.sound()
	return w
}

func more(a currency.Amount) currency.Amount {
	sum, err := a.Add(dollars(1))
	if err != nil {
		panic(err)
	}
	return sum
}

func onAlice(rows *ledger.Rows, version uint64, edit func(*ledger.Line)) {
	for i := range rows.Lines {
		if rows.Lines[i].Account == alice && rows.Lines[i].Version == version {
			edit(&rows.Lines[i])
		}
	}
}

func dropped[T any](rows *[]T, i int) {
	if i >= 0 && len(*rows) > i {
		*rows = append((*rows)[:i:i], (*rows)[i+1:]...)
	}
}

// editCase is an edit of a rich book, and the kind of problem that it must make.
type editCase struct {
	edit func(ledger.List, *ledger.Rows)
	kind ledger.ProblemKind
}

func edits(w *world) map[string]editCase {
	version := w.info(alice).Version
	return map[string]editCase{
		"a balance in the row": {func(_ ledger.List, r *ledger.Rows) {
			for i := range r.Accounts {
				if r.Accounts[i].ID == alice {
					r.Accounts[i].Posted = more(r.Accounts[i].Posted)
				}
			}
		}, ledger.ProblemAccount},
		"two balances that cancel out": {func(_ ledger.List, r *ledger.Rows) {
			for i := range r.Accounts {
				if r.Accounts[i].ID == alice || r.Accounts[i].ID == bank {
					r.Accounts[i].Posted = more(r.Accounts[i].Posted)
				}
			}
		}, ledger.ProblemAccount},
		"terms in the row": {func(_ ledger.List, r *ledger.Rows) {
			for i := range r.Accounts {
				r.Accounts[i].Terms.DebitsFrozen = false
			}
		}, ledger.ProblemAccount},
		"next expiry too late": {func(_ ledger.List, r *ledger.Rows) {
			for i := range r.Accounts {
				if !r.Accounts[i].NextExpiry.IsZero() {
					r.Accounts[i].NextExpiry = r.Accounts[i].NextExpiry.Add(time.Hour)
				}
			}
		}, ledger.ProblemAccount},
		"version of the row":  {func(_ ledger.List, r *ledger.Rows) { each(r.Accounts, func(a *ledger.AccountInfo) { a.Version++ }) }, ledger.ProblemAccount},
		"a running balance":   {func(_ ledger.List, r *ledger.Rows) { onAlice(r, 3, func(l *ledger.Line) { l.Posted = more(l.Posted) }) }, ledger.ProblemLine},
		"a running hold":      {func(_ ledger.List, r *ledger.Rows) { onAlice(r, 3, func(l *ledger.Line) { l.Held = more(l.Held) }) }, ledger.ProblemLine},
		"an amount of a line": {func(_ ledger.List, r *ledger.Rows) { onAlice(r, 2, func(l *ledger.Line) { l.Amount = more(l.Amount) }) }, ledger.ProblemTransaction},
		"the side of a line":  {func(_ ledger.List, r *ledger.Rows) { onAlice(r, 2, func(l *ledger.Line) { l.Side = ledger.Debit }) }, ledger.ProblemLine},
		"the time of a line": {func(_ ledger.List, r *ledger.Rows) {
			onAlice(r, 2, func(l *ledger.Line) { l.RecordedAt = start.Add(time.Hour) })
		}, ledger.ProblemLine},
		"when a line took effect": {func(_ ledger.List, r *ledger.Rows) { onAlice(r, 2, func(l *ledger.Line) { l.EffectiveAt = start }) }, ledger.ProblemTransaction},
		"terms of a line":         {func(_ ledger.List, r *ledger.Rows) { onAlice(r, 1, func(l *ledger.Line) { l.Terms = &ledger.Terms{} }) }, ledger.ProblemAccount},
		"a floor that was crossed": {func(_ ledger.List, r *ledger.Rows) {
			onAlice(r, 1, func(l *ledger.Line) { l.Terms = &ledger.Terms{Ceiling: dollars(1)} })
		}, ledger.ProblemLine},
		"a line gone": {func(l ledger.List, r *ledger.Rows) { dropped(&r.Lines, 1) }, ledger.ProblemLine},
		"the last line gone": {func(_ ledger.List, r *ledger.Rows) {
			r.Lines = slices.DeleteFunc(r.Lines, func(l ledger.Line) bool { return l.Account == alice && l.Version == version })
		}, ledger.ProblemAccount},
		"a transaction gone": {func(l ledger.List, r *ledger.Rows) { dropped(&r.Transactions, 2) }, ledger.ProblemLine},
		"a posting's amount": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Transactions, func(t *ledger.Transaction) { t.Postings[0].Amount = more(t.Postings[0].Amount) })
		}, ledger.ProblemTransaction},
		"both legs of a transaction": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Transactions, func(t *ledger.Transaction) { t.Postings = ledger.Transfer(fees, bob, dollars(5)).Postings })
		}, ledger.ProblemTransaction},
		"reversed more": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Transactions, func(t *ledger.Transaction) { reversedMore(t) })
		}, ledger.ProblemTransaction},
		"reversed forgotten": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Transactions, func(t *ledger.Transaction) { t.Reversed = nil })
		}, ledger.ProblemTransaction},
		"a transaction's key": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Transactions, func(t *ledger.Transaction) { t.Key = "other" })
		}, ledger.ProblemTransaction},
		"a hold gone": {func(l ledger.List, r *ledger.Rows) { dropped(&r.Holds, 0) }, ledger.ProblemHold},
		"captured of a hold": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Holds, func(h *ledger.Hold) { h.Captured = more(h.Captured) })
		}, ledger.ProblemHold},
		"the state of a hold":     {func(_ ledger.List, r *ledger.Rows) { each(r.Holds, func(h *ledger.Hold) { h.State = ledger.HoldOpen }) }, ledger.ProblemHold},
		"the account of a hold":   {func(_ ledger.List, r *ledger.Rows) { each(r.Holds, func(h *ledger.Hold) { h.Account = bob }) }, ledger.ProblemHold},
		"a document's state":      {func(_ ledger.List, r *ledger.Rows) { each(r.Documents, func(d *ledger.Document) { d.State = "paid" }) }, ledger.ProblemDocument},
		"a past version":          {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Versions, 0) }, ledger.ProblemDocument},
		"the last version":        {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Versions, 1) }, ledger.ProblemDocument},
		"references of a version": {func(_ ledger.List, r *ledger.Rows) { each(r.Versions, func(d *ledger.Document) { d.References = nil }) }, ledger.ProblemDocument},
		"a reference gone":        {func(_ ledger.List, r *ledger.Rows) { dropped(&r.References, 0) }, ledger.ProblemReference},
		"a reference of another": {func(_ ledger.List, r *ledger.Rows) {
			each(r.References, func(x *ledger.ReferenceRow) { x.Document.ID = "2" })
		}, ledger.ProblemReference},
		"a document gone":         {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Documents, 0) }, ledger.ProblemReference},
		"a key gone":              {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Keys, 1) }, ledger.ProblemTransaction},
		"a receipt's transaction": {func(_ ledger.List, r *ledger.Rows) { each(r.Keys, func(k *ledger.KeyRow) { reachOut(k) }) }, ledger.ProblemKey},
		"a receipt's version": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Keys, func(k *ledger.KeyRow) { each(k.Receipt.Balances, func(b *ledger.Balance) { b.Version += 100 }) })
		}, ledger.ProblemKey},
		"a decline that did": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Keys, func(k *ledger.KeyRow) { k.Refusal = ledger.Refuse(ledger.ErrDenied, "", "") })
		}, ledger.ProblemKey},
		"inputs":                {func(_ ledger.List, r *ledger.Rows) { each(r.Keys, func(k *ledger.KeyRow) { k.Inputs = []byte("{") }) }, ledger.ProblemKey},
		"an asset gone":         {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Assets, 0) }, ledger.ProblemAsset},
		"an asset's scale":      {func(_ ledger.List, r *ledger.Rows) { each(r.Assets, func(a *ledger.AssetRow) { a.Scale++ }) }, ledger.ProblemAsset},
		"a change gone":         {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Feed, 3) }, ledger.ProblemFeed},
		"the last change gone":  {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Feed, len(r.Feed)-1) }, ledger.ProblemFeed},
		"a pending change gone": {func(_ ledger.List, r *ledger.Rows) { dropped(&r.Pending, 0) }, ledger.ProblemFeed},
		"a change twice": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Feed, func(c *ledger.Change) { c.Account, c.Version, c.Transaction = alice, 1, ledger.ID{} })
		}, ledger.ProblemFeed},
		"changes out of order": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Feed, func(c *ledger.Change) { c.RecordedAt = start.Add(-time.Duration(c.Position)) })
		}, ledger.ProblemFeed},
		"a position left out": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Feed, func(c *ledger.Change) {
				if c.Position > 4 {
					c.Position++
				}
			})
			each(r.Sequences, func(s *ledger.SequenceRow) { s.Last++ })
		}, ledger.ProblemFeed},
		"the sequence": {func(_ ledger.List, r *ledger.Rows) { each(r.Sequences, func(s *ledger.SequenceRow) { s.Last++ }) }, ledger.ProblemFeed},
		"a balance in another ledger": {func(_ ledger.List, r *ledger.Rows) {
			each(r.Accounts, func(a *ledger.AccountInfo) { a.Posted = more0(a.Posted) })
		}, ledger.ProblemTotal},
	}
}

func TestVerifyFindsEdits(t *testing.T) {
	w := rich(t)
	for name, c := range edits(w) {
		t.Run(name, func(t *testing.T) {
			b := ledger.New(edited{w.store, c.edit}, ledger.Config{Clock: w.clock.Now})
			v, err := b.Verify(t.Context())
			require.NoError(t, err)
			require.False(t, v.OK())
			found := false
			for _, p := range v.Problems {
				found = found || p.Kind == c.kind
				require.NotEmpty(t, p.Detail)
				require.Contains(t, p.String(), p.Detail)
			}
			require.True(t, found, "no problem of kind %s: %v", c.kind, v.Problems)
			again, err := b.Verify(t.Context())
			require.NoError(t, err)
			require.Equal(t, v, again, "the same problems in the same order")
		})
	}
}

func each[T any](rows []T, edit func(*T)) {
	for i := range rows {
		edit(&rows[i])
	}
}

// more0 moves the balances of debit and credit accounts apart.
func more0(a currency.Amount) currency.Amount {
	if a.AssetID() != "USD" || a.Sign() == 0 {
		return a
	}
	return more(a)
}

func reversedMore(t *ledger.Transaction) {
	for i := range t.Reversed {
		t.Reversed[i] = more(t.Reversed[i])
	}
}

func reachOut(k *ledger.KeyRow) {
	for i := range k.Receipt.Results {
		if k.Receipt.Results[i].Transaction != (ledger.ID{}) {
			k.Receipt.Results[i].Transaction = ledger.ID{9}
		}
	}
}

func TestVerifyCounts(t *testing.T) {
	w := rich(t)
	v, err := w.Verify(t.Context())
	require.NoError(t, err)
	require.Positive(t, v.Pending)
	require.Equal(t, [...]int{10, 2, 1, 2, 2, 2}, [...]int{v.Accounts, v.Assets, v.Documents, v.Versions, v.References, 2})
	require.Len(t, collect(t, w.Transactions(t.Context(), ledger.Query{})), v.Transactions)
	require.Len(t, collect(t, w.Holds(t.Context(), ledger.Query{})), v.Holds)
}
