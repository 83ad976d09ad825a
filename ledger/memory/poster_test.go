package memory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// pendingBook is a book with two accounts, and what it has pending.
func pendingBook(t *testing.T) (*memory.Store, *ledger.Book) {
	t.Helper()
	s := memory.New()
	b := ledger.New(s, ledger.Config{})
	for i := range 2 {
		_, err := b.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("open/%d", i), Commands: []ledger.Command{
			ledger.OpenAccount{Account: account(i), Type: ledger.Liability},
		}})
		require.NoError(t, err)
	}
	return s, b
}

func account(i int) ledger.AccountID {
	return ledger.AccountID{Path: fmt.Sprintf("wallet/%d", i), Asset: "USD"}
}

func pay(t *testing.T, b *ledger.Book, key string) ledger.Receipt {
	t.Helper()
	r, err := b.Record(t.Context(), ledger.Entry{Key: key, Commands: []ledger.Command{
		ledger.Transfer(account(0), account(1), currency.MustNew(1, currency.USD)),
	}})
	require.NoError(t, err)
	return r
}

func held(t *testing.T, b *ledger.Book, key string) ledger.Receipt {
	t.Helper()
	r, err := b.Record(t.Context(), ledger.Entry{Key: key, Commands: []ledger.Command{
		ledger.PlaceHold{Account: account(0), Amount: currency.MustNew(1, currency.USD)},
	}})
	require.NoError(t, err)
	return r
}

// What went the short way is found by its id like all else, and is in the feed once and in order, whatever else is pending
// between, before or behind it.
func TestPendingOfBothWays(t *testing.T) {
	for _, short := range [][]bool{{true, true, true}, {false, true, true}, {true, false, true}, {true, true, false}, {false, false, true}} {
		s, b := pendingBook(t)
		_, err := b.NumberFeed(t.Context(), ledger.MaxPage)
		require.NoError(t, err)
		var keys []string
		var ids []ledger.ID
		for i, is := range short {
			key := fmt.Sprintf("e%d", i)
			keys = append(keys, key)
			if !is {
				ids = append(ids, held(t, b, key).ID)
				continue
			}
			r := pay(t, b, key)
			ids = append(ids, r.ID)
			rows, err := s.Read(t.Context(), "main", ledger.Names{Pending: []ledger.ID{r.ID}})
			require.NoError(t, err)
			require.Len(t, rows.Pending, 1)
			require.Equal(t, key, rows.Pending[0].Changes[0].Key)
		}
		c := s.Clone()
		for _, b := range []*ledger.Book{b, ledger.New(c, ledger.Config{})} {
			for i := 0; ; i++ {
				n, err := b.NumberFeed(t.Context(), 2)
				require.NoError(t, err)
				if n == 0 {
					break
				}
				if i < 3 { // an update, which settles what is pending
					ids = append(ids, held(t, b, fmt.Sprintf("between/%d", i)).ID)
				}
			}
			var got []string
			for change, err := range b.Changes(t.Context(), ledger.Query{}) {
				require.NoError(t, err)
				if change.Key[0] == 'e' {
					got = append(got, change.Key)
				}
			}
			require.Equal(t, keys, got)
			v, err := b.Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, v.Problems)
		}
		for _, s := range []*memory.Store{s, c} {
			rows, err := s.Read(t.Context(), "main", ledger.Names{Pending: ids})
			require.NoError(t, err)
			require.Empty(t, rows.Pending, "what is numbered is pending no more")
		}
	}
}

// A clock that goes back puts what is not in the index yet before what is.
func TestPendingWhenTheClockGoesBack(t *testing.T) {
	s := memory.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := ledger.New(s, ledger.Config{Clock: func() time.Time { return now }})
	for i := range 4 {
		_, err := b.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("open/%d", i), Commands: []ledger.Command{
			ledger.OpenAccount{Account: account(i), Type: ledger.Liability},
		}})
		require.NoError(t, err)
	}
	_, err := b.NumberFeed(t.Context(), ledger.MaxPage)
	require.NoError(t, err)
	now = now.Add(time.Hour)
	late := pay(t, b, "late")
	last := held(t, b, "last") // an update
	now = now.Add(-time.Minute)
	early, err := b.Record(t.Context(), ledger.Entry{Key: "early", Commands: []ledger.Command{
		ledger.Transfer(account(2), account(3), currency.MustNew(1, currency.USD)),
	}})
	require.NoError(t, err)
	n, err := b.NumberFeed(t.Context(), ledger.MaxPage)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	pay(t, b, "more")
	_, err = b.Record(t.Context(), ledger.Entry{Key: "an update", Commands: []ledger.Command{ledger.OpenAccount{Account: account(5), Type: ledger.Asset}}})
	require.NoError(t, err)
	rows, err := s.Read(t.Context(), "main", ledger.Names{Pending: []ledger.ID{early.ID, late.ID, last.ID}})
	require.NoError(t, err)
	require.Len(t, rows.Pending, 1)
	require.Equal(t, last.ID, rows.Pending[0].Entry)
}

func TestNumberChangesNothingWhenItIsRefused(t *testing.T) {
	s, b := pendingBook(t)
	_, err := b.NumberFeed(t.Context(), ledger.MaxPage)
	require.NoError(t, err)
	pay(t, b, "one")
	before, err := s.Scan(t.Context(), "main", ledger.Range{List: ledger.ListPending, Limit: 10})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		seal func(uint64) (ledger.Block, bool)
	}{
		"refused": {t.Context(), func(uint64) (ledger.Block, bool) { return ledger.Block{}, false }},
		"another block": {t.Context(), func(last uint64) (ledger.Block, bool) {
			return ledger.Block{Number: 1, First: last + 1, Last: last + 1}, true
		}},
		"another length": {t.Context(), func(last uint64) (ledger.Block, bool) {
			return ledger.Block{Number: 9, First: last + 1, Last: last + 2}, true
		}},
		"numbered already": {t.Context(), func(last uint64) (ledger.Block, bool) { return ledger.Block{Number: 9, First: last, Last: last}, true }},
		"a context that ends": {ended, func(last uint64) (ledger.Block, bool) {
			return ledger.Block{Number: 9, First: last + 1, Last: last + 1}, true
		}},
	} {
		n, _ := s.Number(c.ctx, "main", 10, "feed", func(*ledger.Change, *ledger.Transaction) {}, c.seal)
		require.Zero(t, n, name)
		after, err := s.Scan(t.Context(), "main", ledger.Range{List: ledger.ListPending, Limit: 10})
		require.NoError(t, err)
		require.Equal(t, before, after, name)
		feed, err := s.Scan(t.Context(), "main", ledger.Range{List: ledger.ListFeed, Limit: 10})
		require.NoError(t, err)
		require.Len(t, feed.Feed, 2, name)
	}
	n, err := b.NumberFeed(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestPostChangesNothingWhenItIsRefused(t *testing.T) {
	s, b := pendingBook(t)
	first := pay(t, b, "one")
	dump := func() (all []any) {
		for _, list := range []ledger.List{ledger.ListAccounts, ledger.ListTransactions, ledger.ListKeys, ledger.ListPending} {
			rows, err := s.Scan(t.Context(), "main", ledger.Range{List: list, Limit: 100})
			require.NoError(t, err)
			all = append(all, rows)
		}
		return all
	}
	before := dump()
	entry := func(change func(e *ledger.PlainEntry)) []*ledger.PlainEntry {
		e := &ledger.PlainEntry{
			ID: ledger.ID{1}, Key: "two", Transaction: ledger.ID{2}, Note: new(ledger.Note), Accounts: []ledger.AccountID{account(0), account(1)},
			Postings: ledger.Transfer(account(0), account(1), currency.MustNew(1, currency.USD)).Postings,
		}
		e.Of[1] = 1
		change(e)
		return []*ledger.PlainEntry{e}
	}
	yes := func(*ledger.PlainEntry, []ledger.AccountInfo, []currency.Amount) bool { return true }
	no := func(*ledger.PlainEntry, []ledger.AccountInfo, []currency.Amount) bool { return false }
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx     context.Context
		entries []*ledger.PlainEntry
		decide  ledger.DecidePlain
	}{
		"refused":               {t.Context(), entry(func(*ledger.PlainEntry) {}), no},
		"a context that ended":  {ended, entry(func(*ledger.PlainEntry) {}), yes},
		"a key that has a row":  {t.Context(), entry(func(e *ledger.PlainEntry) { e.Key = "one" }), yes},
		"no such account":       {t.Context(), entry(func(e *ledger.PlainEntry) { e.Accounts[1] = account(2) }), yes},
		"a transaction that is": {t.Context(), entry(func(e *ledger.PlainEntry) { e.Transaction = first.Results[0].Transaction }), yes},
		"nothing":               {t.Context(), nil, yes},
	} {
		n, _ := s.Post(c.ctx, "main", c.entries, c.decide)
		require.Zero(t, n, name)
		require.Equal(t, before, dump(), name)
	}
}

// A transaction that came the short way and is reversed later becomes another row; its key, its lines and its place in the feed
// say what they said.
func TestReversingWhatWentTheShortWay(t *testing.T) {
	s, b := pendingBook(t)
	first, second := pay(t, b, "first"), pay(t, b, "second")
	_, err := b.Record(t.Context(), ledger.Entry{Key: "undo", Commands: []ledger.Command{
		ledger.Reverse{Transaction: ledger.ByID(first.Results[0].Transaction), All: true},
	}})
	require.NoError(t, err)
	_, err = b.NumberFeed(t.Context(), ledger.MaxPage)
	require.NoError(t, err)
	for _, s := range []*memory.Store{s, s.Clone()} {
		rows, err := s.Read(t.Context(), "main", ledger.Names{
			Keys:         []string{"first", "second"},
			Transactions: []ledger.ID{first.Results[0].Transaction, second.Results[0].Transaction},
		})
		require.NoError(t, err)
		require.Len(t, rows.Keys, 2)
		require.Equal(t, first, rows.Keys[0].Receipt)
		require.Equal(t, second, rows.Keys[1].Receipt)
		require.Len(t, rows.Transactions, 2)
		require.Len(t, rows.Transactions[0].Reversed, 2)
		require.Equal(t, "first", rows.Transactions[0].Key)
		require.Nil(t, rows.Transactions[1].Reversed)
		b := ledger.New(s, ledger.Config{})
		var listed []ledger.ID
		for x, err := range b.Transactions(t.Context(), ledger.Query{}) {
			require.NoError(t, err)
			listed = append(listed, x.ID)
		}
		require.Len(t, listed, 3)
		v, err := b.Verify(t.Context())
		require.NoError(t, err)
		require.Empty(t, v.Problems)
		again := pay(t, b, "first")
		require.True(t, again.Replayed)
	}
}
