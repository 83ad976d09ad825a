package ledger_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// filters are all fields of a query that filter, by the name in the refusal, with values to choose from.
var filters = map[string]func(q *ledger.Query, rng *rand.Rand, p *plainly){
	"account": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		q.Account = []ledger.AccountID{alice, alice, aliceE, bob, bank, fees, nobody}[rng.IntN(7)]
	},
	"document": func(q *ledger.Query, rng *rand.Rand, p *plainly) {
		q.Document = p.documents[rng.IntN(len(p.documents))].DocumentID
	},
	"kind": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		q.Kind = []string{"case", "tip", "none"}[rng.IntN(3)]
	},
	"owner": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		q.Owner = []string{"alice", "bob", "none"}[rng.IntN(3)]
	},
	"path": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		q.Path = []string{"wallet/", "w/", "w/1", "wallet/alice", "zzz"}[rng.IntN(5)]
	},
	"asset": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		q.Asset = []currency.AssetID{"USD", "EUR", "JPY"}[rng.IntN(3)]
	},
	"state": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		states := []string{"open", "done", "none", "captured"}
		switch q.List {
		case ledger.ListAccounts, ledger.ListOwned:
			states = []string{"open", "frozen", "closed"}
		case ledger.ListHolds:
			states = []string{"open", "captured", "released", "expired"}
		default:
		}
		q.State = states[rng.IntN(len(states))]
	},
	"type": func(q *ledger.Query, rng *rand.Rand, _ *plainly) { q.Type = ledger.AccountType(rng.IntN(5) + 1) },
	"reference": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		q.Reference = []string{"post/1", "post/2", "none", fmt.Sprintf("ref/%d", rng.IntN(160)), fmt.Sprintf("ref/%d", rng.IntN(160))}[rng.IntN(5)]
	},
	"since": func(q *ledger.Query, rng *rand.Rand, _ *plainly) {
		from := start
		if q.List == ledger.ListDueHolds {
			from = start.Add(900 * time.Second)
		}
		if rng.IntN(3) > 0 {
			q.Since = from.Add(time.Duration(rng.IntN(100)) * time.Second)
		}
		if rng.IntN(3) > 0 || q.Since.IsZero() {
			q.Until = from.Add(time.Duration(60+rng.IntN(120)) * time.Second)
		}
	},
	"line":   func(q *ledger.Query, rng *rand.Rand, _ *plainly) { q.Line = ledger.LineKind(rng.IntN(7) + 1) },
	"change": func(q *ledger.Query, rng *rand.Rand, _ *plainly) { q.Change = ledger.ChangeKind(rng.IntN(5) + 1) },
}

// documented reads the table of Query: which filters each list needs and which it has.
func documented(t *testing.T) map[ledger.List]struct{ needs, has []string } {
	t.Helper()
	source, err := os.ReadFile("query.go")
	require.NoError(t, err)
	lists := map[string]ledger.List{}
	for i, name := range []string{
		"Accounts", "Owned", "Lines", "Transactions", "Holds", "Documents", "Dossier", "Versions", "Feed", "DueHolds", "DueDocuments",
	} {
		lists["List"+name] = ledger.List(i + 1)
	}
	lists["ListOpenHolds"] = ledger.ListOpenHolds
	table := map[ledger.List]struct{ needs, has []string }{}
	_, rest, _ := strings.Cut(string(source), "//\tlist ")
	heading, rest, _ := strings.Cut(rest, "\n")
	needs, serves, means := strings.Index(heading, "needs")+len("list "), strings.Index(heading, "order")+len("list "), strings.Index(heading, "Since and")+len("list ")
	var list ledger.List
	for line := range strings.Lines(rest) {
		row, in := strings.CutPrefix(strings.TrimRight(line, "\n"), "//\t")
		if !in {
			break
		}
		row += strings.Repeat(" ", 120)
		if name := strings.Fields(row[:needs]); len(name) > 0 {
			require.Contains(t, lists, name[0])
			list = lists[name[0]]
		}
		lower := func(words string) (names []string) {
			for _, word := range strings.Fields(words) {
				if word = strings.ToLower(word); word != "until" { // goes with since
					names = append(names, word)
				}
			}
			return names
		}
		e := table[list]
		e.needs, e.has = append(e.needs, lower(row[needs:serves])...), append(e.has, lower(row[serves:means])...)
		table[list] = e
	}
	require.Len(t, table, len(lists))
	return table
}

// The table of filters is true: what it names is taken, what it does not is refused by name, and what a list needs is asked
// for.
func TestEveryFilterIsTakenOrRefused(t *testing.T) {
	w := thicket(t, 1)
	p := plain(t, w)
	rng := rand.New(rand.NewPCG(1, 1))
	before := dump(t, w.store, w.Name())
	for list, e := range documented(t) {
		with := func(names ...string) ledger.Query {
			q := ledger.Query{List: list}
			for _, name := range names {
				filters[name](&q, rng, p)
			}
			return q
		}
		refused := func(q ledger.Query, name string) {
			t.Helper()
			_, err := w.Page(t.Context(), q)
			require.ErrorIs(t, err, ledger.ErrInvalid, "%v %s", list, name)
			require.ErrorContains(t, err, name)
		}
		for name := range filters {
			_, err := w.Page(t.Context(), with(append(e.needs, name)...))
			switch {
			case slices.Contains(e.needs, name):
				require.NoError(t, err)
				refused(with(slices.DeleteFunc(slices.Clone(e.needs), func(n string) bool { return n == name })...), name)
			case slices.Contains(e.has, name):
				require.NoError(t, err, "%v %s", list, name)
			default:
				refused(with(append(e.needs, name)...), name)
			}
		}
		for name, alter := range map[string]func(*ledger.Query){
			"state": func(q *ledger.Query) { q.State = "opne" }, "type": func(q *ledger.Query) { q.Type = 6 }, "line": func(q *ledger.Query) { q.Line = 8 },
			"change": func(q *ledger.Query) { q.Change = 6 }, "owner": func(q *ledger.Query) { q.Owner = "a\x00" }, "kind": func(q *ledger.Query) { q.Kind = "\xff" },
			"reference": func(q *ledger.Query) { q.Reference = strings.Repeat("r", ledger.MaxReferenceBytes+1) }, "path": func(q *ledger.Query) { q.Path = "//" },
			"asset": func(q *ledger.Query) { q.Asset = "\n" }, "account": func(q *ledger.Query) { q.Account.Path = "fees/*" }, "document": func(q *ledger.Query) { q.Document.ID = "\n" },
			"since": func(q *ledger.Query) { q.Since = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
		} {
			q := with(e.needs...)
			if alter(&q); name == "state" && list != ledger.ListAccounts && list != ledger.ListOwned && list != ledger.ListHolds && slices.Contains(e.has, name) {
				continue // the host's own words
			}
			_, err := w.Page(t.Context(), q)
			require.ErrorIs(t, err, ledger.Invalid, "%v %s", list, name)
		}
	}
	require.Equal(t, before, dump(t, w.store, w.Name()))
}

// A filtered list equals brute force: any list, any of its filters together, both directions, pages of any size, and every
// page from a Book that was opened again.
func TestFilteredListsEqualBruteForce(t *testing.T) {
	table := documented(t)
	lists := slices.Sorted(maps.Keys(table))
	found := map[string]int{}
	for seed := range uint64(2) {
		w := thicket(t, seed)
		p := plain(t, w)
		rng := rand.New(rand.NewPCG(seed, 2))
		for range 1_000 {
			q := ledger.Query{List: lists[rng.IntN(len(lists))], Backward: rng.IntN(2) == 0}
			e := table[q.List]
			chosen := slices.Clone(e.needs)
			if len(e.has) > 0 && rng.IntN(2) == 0 {
				chosen = append(chosen, e.has[rng.IntN(len(e.has))])
			} else {
				chosen = append(chosen, slices.DeleteFunc(slices.Clone(e.has), func(string) bool { return rng.IntN(1+len(e.has)/2) > 0 })...)
			}
			for _, name := range chosen {
				filters[name](&q, rng, p)
			}
			want := p.ask(q)
			q.Limit = []int{0, 2, 7, 100, 1_000}[rng.IntN(5)]
			if len(want) < 40 {
				q.Limit = 1 + rng.IntN(5)
			}
			var got []string
			for pages := 0; ; pages++ {
				again := ledger.New(w.store, ledger.Config{})
				page, err := again.Page(t.Context(), q)
				require.NoError(t, err)
				for _, it := range page.Items {
					got = append(got, text(t, it))
				}
				if q.After = page.Next; q.After == "" {
					break
				}
				require.Less(t, pages, 2_000)
			}
			require.Equal(t, want, got, "%+v", q)
			if len(want) > 0 {
				for _, name := range chosen {
					found[q.List.String()+" "+name]++
				}
			}
		}
	}
	for list, e := range table {
		for _, name := range append(e.needs, e.has...) {
			require.Positive(t, found[list.String()+" "+name], "%v by %s never found anything", list, name)
		}
	}
}

// A sparse filter never makes one call read without bound, in either direction, and its pages lead to what there is.
func TestSparseFiltersAreBounded(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000_000)
	rare := func() ledger.Post {
		p := ledger.Transfer(bank, alice, dollars(1))
		p.Reference = "rare"
		return p
	}
	w.do(rare())
	for range 22 {
		c := make([]ledger.Command, ledger.MaxCommands)
		for i := range c {
			c[i] = ledger.Transfer(alice, bob, dollars(1))
		}
		w.do(c...)
	}
	w.do(rare())
	for n := 1; n > 0; {
		var err error
		n, err = w.NumberFeed(t.Context(), 1)
		require.NoError(t, err)
	}
	for _, q := range []ledger.Query{
		{List: ledger.ListTransactions, Reference: "rare"},
		{List: ledger.ListTransactions, Owner: "alice", Reference: "rare"},
		{List: ledger.ListTransactions, Account: alice, Reference: "rare"},
		{List: ledger.ListLines, Account: alice, Reference: "rare"},
		{List: ledger.ListFeed, Reference: "rare"},
		{List: ledger.ListFeed, Account: bank, Change: ledger.ChangeTransaction},
	} {
		for _, q.Backward = range []bool{false, true} {
			q.Limit, q.After = 5, ""
			var items, calls int
			for {
				counted := &examining{Store: w.store}
				page, err := ledger.New(counted, ledger.Config{}).Page(t.Context(), q)
				require.NoError(t, err)
				require.LessOrEqual(t, counted.rows, 21_000, "%+v", q)
				items, calls = items+len(page.Items), calls+1
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			want := 2
			if q.Account == bank {
				want = 3
			}
			require.Equal(t, want, items, "%+v", q)
			require.Equal(t, 2, calls, "%+v", q)
		}
	}
}

// A cursor is of its book's query whatever store the book lies in, and of no other.
func TestCursorsSurviveARestore(t *testing.T) {
	w := thicket(t, 3)
	q := ledger.Query{List: ledger.ListFeed, Owner: "alice", Limit: 5}
	page, err := w.Page(t.Context(), q)
	require.NoError(t, err)
	s := memory.New()
	moved := ledger.New(s, ledger.Config{})
	require.NoError(t, moved.Restore(t.Context(), strings.NewReader(string(exported(t, w.Book)))))
	q.After = page.Next
	here, err := w.Page(t.Context(), q)
	require.NoError(t, err)
	there, err := moved.Page(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, here, there)
	for name, alter := range filters {
		if name == "owner" || name == "path" || name == "type" || name == "line" {
			continue // given, or not of this list
		}
		other := q
		alter(&other, rand.New(rand.NewPCG(1, 1)), plain(t, w))
		_, err := w.Page(t.Context(), other)
		require.ErrorIs(t, err, ledger.ErrInvalid, name)
		require.ErrorContains(t, err, "after", name)
	}
}
