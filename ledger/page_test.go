package ledger_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// crowded is a book with a few hundred of everything.
func crowded(t *testing.T) *world {
	w := newWorld(t)
	w.furnish(1_000_000)
	rng := rand.New(rand.NewPCG(3, 4))
	pick := func(n int) string { return fmt.Sprintf("%d", rng.IntN(n)) }
	for i := range 150 {
		w.clock.advance(time.Duration(rng.IntN(3)) * time.Second)
		id := ledger.AccountID{Path: "w/" + pick(9) + []string{"", "/x", "/x/x", "/~z", "-"}[rng.IntN(5)], Asset: []currency.AssetID{"USD", "EUR", "app:test/coin"}[rng.IntN(3)]}
		open := ledger.OpenAccount{Account: id, Type: ledger.AccountType(rng.IntN(5) + 1), Owner: pick(4)}
		if a, err := w.Info(t.Context(), id); err == nil {
			open.Type, open.Owner = a.Type, a.Owner
		}
		note := ledger.Note{Reference: "post/" + pick(5)}
		post := ledger.Transfer(alice, bob, dollars(1))
		if rng.IntN(3) == 0 {
			post = ledger.Transfer(bankEUR, aliceE, euros(1))
		}
		post.Note = note
		w.do(open, post,
			ledger.PlaceHold{Account: alice, Amount: dollars(1), ExpiresAt: w.Now().Add(time.Duration(rng.IntN(90)+9_000) * time.Minute), Note: note},
			ledger.PutDocument{
				DocumentID: ledger.DocumentID{Kind: "k" + pick(3), ID: fmt.Sprint(i)}, Owner: "o" + pick(3), State: "s" + pick(3), Body: json.RawMessage("{}"),
				Due: w.Now().Add(time.Duration(rng.IntN(10)) * time.Minute),
			})
	}
	_, err := w.NumberFeed(t.Context(), 100)
	require.NoError(t, err)
	return w
}

// Every list, with every filter, in both directions and in pages of any size, equals brute force.
func TestPagesEqualBruteForce(t *testing.T) {
	w := crowded(t)
	rng := rand.New(rand.NewPCG(5, 6))
	half := start.Add(time.Minute)
	pick := func(options ...string) string { return options[rng.IntN(len(options))] }
	for range 1_500 / slowness {
		q := ledger.Query{Backward: rng.IntN(2) == 0}
		switch q.List = ledger.List(rng.IntN(int(ledger.ListDueDocuments)) + 1); q.List {
		case ledger.ListAccounts, ledger.ListOwned:
			q.Owner, q.Path = pick("", "1", "alice", "none"), pick("", "w/", "w/3/", "w/3", "w/3/x", "wallet/alice", "zzz")
			q.Asset, q.Type = currency.AssetID(pick("", "USD", "EUR")), ledger.AccountType(rng.IntN(3))
			if q.List == ledger.ListOwned && q.Owner == "" {
				q.Owner = "2"
			}
		case ledger.ListLines:
			q.Account = alice
		case ledger.ListTransactions, ledger.ListHolds, ledger.ListDueHolds:
			q.Asset, q.Reference = currency.AssetID(pick("", "USD", "EUR")), pick("", "post/1", "none")
		case ledger.ListDocuments:
			q.Kind, q.Owner, q.State = pick("k1", "k2", "none"), pick("", "o1"), pick("", "s1")
		case ledger.ListDossier:
			q.Kind, q.Owner, q.State = pick("", "k1", "k2"), pick("o1", "none"), pick("", "s1")
		case ledger.ListVersions:
			q.Document = ledger.DocumentID{Kind: "k1", ID: fmt.Sprint(rng.IntN(150))}
		case ledger.ListDueDocuments:
			q.Kind, q.Owner, q.State = pick("", "k1"), pick("", "o1"), pick("", "s1")
		default: // the feed has no filter
		}
		switch q.List {
		case ledger.ListLines, ledger.ListTransactions, ledger.ListHolds, ledger.ListDocuments, ledger.ListDossier:
			if rng.IntN(2) == 0 {
				q.Since = half.Add(time.Duration(rng.IntN(60)) * time.Second)
			}
			if rng.IntN(2) == 0 {
				q.Until = half.Add(time.Duration(rng.IntN(90)) * time.Second)
			}
		default: // no such filter
		}
		want := brute(t, w, q)
		q.Limit = []int{0, 1, 2, 7, 100, 1_000}[rng.IntN(6)]
		if q.Limit == 1 && len(want) > 40 {
			q.Limit = 3
		}
		require.Equal(t, want, pages(t, w, q), "%+v", q)
	}
}

// pages reads all pages of a query as text.
func pages(t *testing.T, w *world, q ledger.Query) (all []string) {
	t.Helper()
	for {
		page, err := w.Page(t.Context(), q)
		require.NoError(t, err)
		limit := q.Limit
		if limit == 0 {
			limit = ledger.DefaultPage
		}
		require.LessOrEqual(t, len(page.Items), limit)
		for _, it := range page.Items {
			all = append(all, text(t, it))
		}
		if page.Next == "" {
			return all
		}
		require.Len(t, page.Items, limit)
		require.Equal(t, page.Items[limit-1].Cursor, page.Next)
		q.After = page.Next
	}
}

func text(t *testing.T, it ledger.Item) string {
	t.Helper()
	it.Cursor = ""
	raw, err := json.Marshal(it)
	require.NoError(t, err)
	return string(raw)
}

// brute reads the whole list from the store, unfiltered, and keeps what the query says in the plainest way.
func brute(t *testing.T, w *world, q ledger.Query) (all []string) {
	t.Helper()
	rows, err := w.store.Scan(t.Context(), w.Name(), ledger.Range{
		List: q.List, Account: q.Account, Document: q.Document, Kind: q.Kind, Owner: q.Owner, Limit: ledger.MaxPage,
	})
	require.NoError(t, err)
	within := func(at time.Time) bool {
		return (q.Since.IsZero() || !at.Before(q.Since)) && (q.Until.IsZero() || at.Before(q.Until))
	}
	keep := func(ok bool, it ledger.Item) {
		if ok {
			all = append(all, text(t, it))
		}
	}
	for _, a := range rows.Accounts {
		below := q.Path == "" || a.ID.Path == q.Path || strings.HasSuffix(q.Path, "/") && strings.HasPrefix(a.ID.Path, q.Path)
		keep(below && (q.Owner == "" || a.Owner == q.Owner) && (q.Asset == "" || a.ID.Asset == q.Asset) && (q.Type == 0 || a.Type == q.Type), ledger.Item{Account: &a})
	}
	for _, l := range rows.Lines {
		keep(within(l.RecordedAt), ledger.Item{Line: &l})
	}
	for _, x := range rows.Transactions {
		asset := q.Asset == ""
		for _, p := range x.Postings {
			asset = asset || p.Account.Asset == q.Asset
		}
		keep(asset && within(x.RecordedAt) && (q.Reference == "" || x.Reference == q.Reference), ledger.Item{Transaction: &x})
	}
	for _, h := range rows.Holds {
		keep((q.Asset == "" || h.Account.Asset == q.Asset) && within(h.PlacedAt) && (q.Reference == "" || h.Reference == q.Reference), ledger.Item{Hold: &h})
	}
	for _, d := range append(rows.Documents, rows.Versions...) {
		keep((q.Kind == "" || d.Kind == q.Kind) && (q.Owner == "" || d.Owner == q.Owner) && (q.State == "" || d.State == q.State) && within(d.CreatedAt), ledger.Item{Document: &d})
	}
	for _, c := range rows.Feed {
		keep(true, ledger.Item{Change: &c})
	}
	if q.Backward {
		slices.Reverse(all)
	}
	return all
}

func TestIteratorsFollowTheirLists(t *testing.T) {
	w := crowded(t)
	ctx := t.Context()
	require.Len(t, collect(t, w.Accounts(ctx, ledger.Query{Owner: "alice", Limit: 2})), 3)
	require.Len(t, collect(t, w.Transactions(ctx, ledger.Query{Limit: 7})), 151)
	require.Len(t, collect(t, w.Holds(ctx, ledger.Query{Limit: 7})), 150)
	due := collect(t, w.Holds(ctx, ledger.Query{List: ledger.ListDueHolds, Limit: 7}))
	require.True(t, slices.IsSortedFunc(due, func(a, b ledger.Hold) int { return a.ExpiresAt.Compare(b.ExpiresAt) }))
	kind, owner := collect(t, w.Documents(ctx, ledger.Query{Kind: "k1"})), collect(t, w.Documents(ctx, ledger.Query{Owner: "o1"}))
	require.NotEmpty(t, kind)
	require.NotEmpty(t, owner)
	require.Len(t, collect(t, w.Versions(ctx, ledger.Query{Document: kind[0].DocumentID})), 1)
	for _, err := range w.Transactions(ctx, ledger.Query{}) {
		require.NoError(t, err)
		break // a caller may stop
	}
	require.ErrorIs(t, lastError(t, w.Accounts(ctx, ledger.Query{List: ledger.ListFeed})), ledger.ErrInvalid)
	require.ErrorIs(t, lastError(t, w.Lines(ctx, ledger.Query{})), ledger.ErrInvalid)
	lines := collect(t, w.Account(alice).Lines(ctx, ledger.Query{Backward: true}))
	require.Equal(t, w.info(alice).Version, lines[0].Version)
}

func TestFiltersThatDoNotApplyAreRefused(t *testing.T) {
	w := newWorld(t)
	for field, q := range map[string]ledger.Query{
		"list": {List: ledger.ListKeys}, "account": {List: ledger.ListLines}, "kind": {List: ledger.ListHolds, Kind: "x"}, "owner": {List: ledger.ListDossier},
		"document": {List: ledger.ListVersions}, "state": {List: ledger.ListAccounts, State: "x"}, "since": {List: ledger.ListFeed, Since: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"path": {List: ledger.ListHolds, Path: "x"}, "type": {List: ledger.ListTransactions, Type: ledger.Asset}, "reference": {List: ledger.ListAccounts, Reference: "x"},
		"asset": {List: ledger.ListLines, Account: alice, Asset: "USD"}, "limit": {List: ledger.ListAccounts, Limit: -1}, "after": {List: ledger.ListAccounts, After: "x"},
	} {
		_, err := w.Page(t.Context(), q)
		require.ErrorIs(t, err, ledger.ErrInvalid)
		require.Contains(t, err.Error(), field)
	}
	_, err := w.Page(t.Context(), ledger.Query{})
	require.ErrorIs(t, err, ledger.ErrInvalid)
	_, err = w.Page(t.Context(), ledger.Query{List: 99})
	require.ErrorIs(t, err, ledger.ErrInvalid)
}

func TestCursorsAreOfTheirQuery(t *testing.T) {
	w := crowded(t)
	q := ledger.Query{List: ledger.ListTransactions, Limit: 5, Asset: "USD"}
	page, err := w.Page(t.Context(), q)
	require.NoError(t, err)
	for i, it := range page.Items { // every item's cursor is a place
		q.After, q.Limit = it.Cursor, i+1
		next, err := w.Page(t.Context(), q)
		require.NoError(t, err)
		require.NotEqual(t, it.Transaction.ID, next.Items[0].Transaction.ID)
		if i+1 < len(page.Items) {
			require.Equal(t, page.Items[i+1].Transaction.ID, next.Items[0].Transaction.ID)
		}
	}
	refused := func(q ledger.Query) {
		t.Helper()
		_, err := w.Page(t.Context(), q)
		require.ErrorIs(t, err, ledger.ErrInvalid)
		require.Contains(t, err.Error(), "after")
	}
	q.After = page.Next
	for _, other := range []func(*ledger.Query){
		func(q *ledger.Query) { q.Asset = "" }, func(q *ledger.Query) { q.Backward = true }, func(q *ledger.Query) { q.List = ledger.ListHolds },
		func(q *ledger.Query) { q.Since = start },
	} {
		o := q
		other(&o)
		refused(o)
	}
	for i := range len(q.After) {
		altered := []byte(q.After)
		altered[i] ^= 1
		o := q
		o.After = ledger.Cursor(altered)
		refused(o)
		o.After = q.After[:i]
		if i > 0 {
			refused(o)
		}
	}
	q.After += "A"
	refused(q)
}

// A cursor is no secret, so somebody may make one. It leads to nothing that its query does not.
func TestForgedCursorsLeadNowhere(t *testing.T) {
	w := crowded(t)
	all := collect(t, w.Accounts(t.Context(), ledger.Query{}))
	lines := collect(t, w.Lines(t.Context(), ledger.Query{Account: alice}))
	first, last := lines[0].Position(), lines[len(lines)-1].Position()
	middle := lines[len(lines)/2].RecordedAt
	for name, c := range map[string]struct {
		q  ledger.Query
		at ledger.Position
	}{
		"accounts of others":           {ledger.Query{List: ledger.ListAccounts, Path: "wallet/bob"}, ledger.Position{}},
		"accounts of others, backward": {ledger.Query{List: ledger.ListAccounts, Path: "wallet/", Backward: true}, ledger.Position{A: "z"}},
		"owned by oneself, elsewhere":  {ledger.Query{List: ledger.ListOwned, Owner: "alice", Path: "wallet/"}, all[0].Position()},
		"lines from before":            {ledger.Query{List: ledger.ListLines, Account: alice, Since: middle}, first},
		"lines from after":             {ledger.Query{List: ledger.ListLines, Account: alice, Until: middle, Backward: true}, last},
		"transactions from before":     {ledger.Query{List: ledger.ListTransactions, Since: middle}, ledger.Position{Time: start}},
		"text that no store can read":  {ledger.Query{List: ledger.ListAccounts}, ledger.Position{A: "a\x00"}},
		"text that no store can have":  {ledger.Query{List: ledger.ListDocuments}, ledger.Position{Time: start, A: "k", B: "\xff"}},
		"a time that no store can have": {
			ledger.Query{List: ledger.ListTransactions}, ledger.Position{Time: time.Date(-5_000, 1, 1, 0, 0, 0, 0, time.UTC)},
		},
	} {
		c.q.After = ledger.ForgeCursor(c.q, c.at)
		page, err := w.Page(t.Context(), c.q)
		require.ErrorIs(t, err, ledger.ErrInvalid, "%s: %d items", name, len(page.Items))
		require.ErrorContains(t, err, "after", name)
	}
}

// A filter that almost nothing passes does not make a page read for ever.
func TestRareFilterIsBounded(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000_000)
	var scans int
	counting := ledger.New(scanned{w.store, &scans}, ledger.Config{Clock: w.clock.Now})
	for range 25 {
		var c []ledger.Command
		for range ledger.MaxCommands {
			c = append(c, ledger.Transfer(alice, bob, dollars(1)))
		}
		w.do(c...)
	}
	rare := ledger.Transfer(alice, bob, dollars(1))
	rare.Reference = "rare"
	w.do(rare)
	page, err := counting.Page(t.Context(), ledger.Query{List: ledger.ListTransactions, Reference: "rare", Limit: ledger.MaxPage})
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.NotEmpty(t, page.Next)
	require.Equal(t, 20, scans)
	require.Len(t, collect(t, w.Transactions(t.Context(), ledger.Query{Reference: "rare", Limit: ledger.MaxPage})), 1)
}
