package ledgertest_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func someRows() ledger.Rows {
	wallet := ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	doc := ledger.Document{DocumentID: ledger.DocumentID{Kind: "withdrawal", ID: "w1"}, Version: 1, Owner: "alice", Due: noon, Body: json.RawMessage(`{"b": 1,  "a": 2}`), CreatedAt: noon}
	return ledger.Rows{
		Accounts:  []ledger.AccountInfo{{ID: wallet, Owner: "alice", Terms: ledger.Terms{Floor: currency.Zero(currency.USD)}, Posted: currency.MustNew(5, currency.USD)}},
		Lines:     []ledger.Line{{Account: wallet, Version: 1, Terms: &ledger.Terms{}}},
		Documents: []ledger.Document{doc},
		Versions:  []ledger.Document{doc},
	}
}

func storeWith(t *testing.T, rows ledger.Rows) *memory.Store {
	s := memory.New()
	require.NoError(t, put(t.Context(), s, "b", rows))
	return s
}

func TestDumpSeesWhatJSONWouldHide(t *testing.T) {
	dump, err := ledgertest.Dump(t.Context(), storeWith(t, someRows()), "b")
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(dump)), "\n") {
		require.True(t, json.Valid([]byte(line)), line)
	}
	for what, change := range map[string]func(*ledger.Rows){
		"no floor is not a floor of zero": func(r *ledger.Rows) { r.Accounts[0].Terms.Floor = currency.Amount{} },
		"another asset":                   func(r *ledger.Rows) { r.Accounts[0].Terms.Floor = currency.Zero(currency.EUR) },
		"the bytes of a body":             func(r *ledger.Rows) { r.Versions[0].Body = json.RawMessage(`{"b":1,"a":2}`) },
		"a pointer to nothing":            func(r *ledger.Rows) { r.Lines[0].Terms = nil },
		"a microsecond":                   func(r *ledger.Rows) { r.Documents[0].Due = noon.Add(time.Microsecond) },
		"the zone":                        func(r *ledger.Rows) { r.Documents[0].UpdatedAt = noon.In(time.FixedZone("x", 60)) },
		"a row more":                      func(r *ledger.Rows) { r.Sequences = []ledger.SequenceRow{{Name: "s"}} },
	} {
		rows := someRows()
		change(&rows)
		other, err := ledgertest.Dump(t.Context(), storeWith(t, rows), "b")
		require.NoError(t, err)
		require.NotEmpty(t, ledgertest.Diff(dump, other), what)
		require.NotEmpty(t, ledgertest.Diff(other, dump), what)
	}
	again, err := ledgertest.Dump(t.Context(), storeWith(t, someRows()).Clone(), "b")
	require.NoError(t, err)
	require.Equal(t, string(dump), string(again))
	require.Empty(t, ledgertest.Diff(dump, again))
	empty, err := ledgertest.Dump(t.Context(), memory.New(), "b")
	require.NoError(t, err)
	require.Empty(t, empty)
}

func TestDumpOfABrokenStore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ledgertest.Dump(ctx, memory.New(), "b")
	require.ErrorIs(t, err, context.Canceled)

	s := memory.New()
	rows := ledger.Rows{}
	for i := range 2 * ledger.MaxPage {
		rows.Keys = append(rows.Keys, ledger.KeyRow{Key: string(rune('a'+i%26)) + strings.Repeat("k", i/26)})
	}
	require.NoError(t, put(t.Context(), s, "b", rows))
	dump, err := ledgertest.Dump(t.Context(), s, "b")
	require.NoError(t, err)
	require.Len(t, strings.Split(strings.TrimSpace(string(dump)), "\n"), len(rows.Keys))
	_, err = ledgertest.Dump(t.Context(), scans{s, func(rows *ledger.Rows, r ledger.Range) {
		if r.List == ledger.ListKeys && r.After != nil {
			*rows, _ = s.Scan(t.Context(), "b", ledger.Range{List: r.List, Limit: r.Limit})
		}
	}}, "b")
	require.ErrorContains(t, err, "never end", "a store that gives the first page for ever does not hang a dump")
}

func TestDiff(t *testing.T) {
	diff := func(a, b string) string {
		return ledgertest.Diff([]byte(strings.ReplaceAll(a, " ", "\n")), []byte(strings.ReplaceAll(b, " ", "\n")))
	}
	require.Empty(t, diff("", ""))
	require.Empty(t, diff("a b c", "a b c"))
	require.Equal(t, "+ a\n", diff("", "a"))
	require.Equal(t, "- b\n", diff("a b c", "a c"))
	require.Equal(t, "- b\n+ x\n", diff("a b c", "a x c"))
	require.Equal(t, "+ a\n", diff("a b", "a a b"))
	require.NotEmpty(t, diff("a b", "b a"))
	require.Contains(t, diff(strings.Repeat("x ", 100), "y"), "more")
}

func TestTryTakesNotes(t *testing.T) {
	check := ledgertest.Check{Name: "n", Rule: "the rule", Advice: "the advice"}
	check.Run = func(c *ledgertest.T) {
		c.Together(3, func(i int) {
			if i == 1 {
				panic("one of three")
			}
			c.Fatalf("found %s", errors.New("this"))
		})
		panic("at the end")
	}
	err := ledgertest.Try(t, harness(), check)
	for _, text := range []string{"the rule", "the advice", "found this", "goroutine 1 of the check panicked: one of three", "the check panicked: at the end"} {
		require.ErrorContains(t, err, text)
	}
	check.Run = func(c *ledgertest.T) { <-c.Context().Done() }
	err = ledgertest.Try(t, ledgertest.Harness{Patience: time.Millisecond}, check)
	require.ErrorContains(t, err, "had not ended")
	check.Run = func(*ledgertest.T) {}
	require.NoError(t, ledgertest.Try(t, harness(), check))
}
