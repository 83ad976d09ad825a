package sqlite_test

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/sqlite"
)

var (
	alice = ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	bob   = ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
)

func usd(number string) currency.Amount { return currency.MustParse(number, currency.USD) }

func openWallets(t testing.TB, book *ledger.Book) {
	t.Helper()
	_, err := book.Record(t.Context(), ledger.Entry{Key: "open", Commands: []ledger.Command{
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Owner: "alice"},
		ledger.OpenAccount{Account: bob, Type: ledger.Liability, Owner: "bob"},
	}})
	require.NoError(t, err)
}

func pay(key string) ledger.Entry {
	return ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(alice, bob, usd("0.01"))}}
}

func requireWhole(t testing.TB, book *ledger.Book) ledger.Verification {
	t.Helper()
	v, err := book.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Problems)
	return v
}

// add writes a sequence, after the first look and before the commit doing something else.
func add(ctx context.Context, s ledger.Store, name string, meanwhile func()) error {
	return s.Update(ctx, "book", ledger.Names{Sequences: []string{name}}, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		if meanwhile != nil {
			meanwhile()
		}
		row := ledger.SequenceRow{Name: name, Last: 1}
		if len(found.Sequences) > 0 {
			row.Last += found.Sequences[0].Last
		}
		return ledger.Rows{Sequences: []ledger.SequenceRow{row}}, ledger.Names{}, nil
	})
}

func last(t testing.TB, s ledger.Store, name string) uint64 {
	t.Helper()
	rows, err := s.Read(t.Context(), "book", ledger.Names{Sequences: []string{name}})
	require.NoError(t, err)
	if len(rows.Sequences) == 0 {
		return 0
	}
	return rows.Sequences[0].Last
}

func TestReadersDoNotWaitForTheWriter(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "book.db"))
	require.NoError(t, add(t.Context(), s, "n", nil))
	err := add(t.Context(), s, "n", func() {
		assert.Equal(t, uint64(1), last(t, s, "n"), "what is not committed is not seen")
		rows, err := s.Scan(t.Context(), "book", ledger.Range{List: ledger.ListSequences, Limit: 10})
		require.NoError(t, err)
		assert.Len(t, rows.Sequences, 1)
	})
	require.NoError(t, err)
	assert.Equal(t, uint64(2), last(t, s, "n"))
}

func TestCancelledWhileWaiting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	s, other := open(t, path), open(t, path)
	for name, waits := range map[string]ledger.Store{"for its turn": s, "for another store": other} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			waited := make(chan error)
			require.NoError(t, add(t.Context(), s, "n", func() {
				go func() {
					waited <- add(ctx, waits, "n", func() { t.Error("decide was called") })
				}()
				cancel() // before, while or after it begins to wait: decide is never called
				require.ErrorIs(t, <-waited, context.Canceled)
			}))
			require.NoError(t, add(t.Context(), waits, "n", nil), "the store goes on")
		})
	}
	assert.Equal(t, uint64(4), last(t, s, "n"))
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	s := open(t, path)
	hasty, err := sqlite.Open(t.Context(), path, sqlite.Options{LockWait: time.Millisecond})
	require.NoError(t, err)
	defer func() { require.NoError(t, hasty.Close()) }()
	require.NoError(t, add(t.Context(), s, "n", func() {
		err := add(t.Context(), hasty, "n", func() { t.Error("decide was called") })
		assert.ErrorIs(t, err, sqlite.Locked)
		assert.ErrorIs(t, err, ledger.Unavailable)
		assert.ErrorContains(t, err, path)
	}))
	require.NoError(t, add(t.Context(), hasty, "n", nil), "and then it can")
	assert.Equal(t, uint64(2), last(t, s, "n"))
}

// TestTwoStores has two stores on one file record on the same accounts in turn: what one remembers of them the other changes.
func TestTwoStores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	books := []*ledger.Book{ledger.New(open(t, path), ledger.Config{}), ledger.New(open(t, path), ledger.Config{})}
	openWallets(t, books[0])
	for i := range 20 {
		_, err := books[i%2].Record(t.Context(), pay(strconv.Itoa(i)))
		require.NoError(t, err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 10 {
				_, err := books[i%2].Record(t.Context(), pay(fmt.Sprintf("%d/%d", i, j)))
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	b, err := books[1].Balances(t.Context(), ledger.AsOf{}, alice, bob)
	require.NoError(t, err)
	assert.Equal(t, []currency.Amount{usd("-1.00"), usd("1.00")}, []currency.Amount{b[0].Posted, b[1].Posted})
	requireWhole(t, books[0])
}

func init() {
	children["pay"] = func(args []string) error { // file, name, how often
		ctx := context.Background()
		s, err := sqlite.Open(ctx, args[0], sqlite.Options{LockWait: time.Minute})
		if err != nil {
			return err
		}
		book := ledger.New(s, ledger.Config{})
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		for i := range n {
			if _, err := book.Record(ctx, pay(args[1]+strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return s.Close()
	}
}

func TestTwoProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{LockWait: time.Minute})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	book := ledger.New(s, ledger.Config{})
	openWallets(t, book)
	const each = 100
	one, two := child(t, "pay", path, "one/", strconv.Itoa(each)), child(t, "pay", path, "two/", strconv.Itoa(each))
	require.NoError(t, one.Start())
	require.NoError(t, two.Start())
	for i := range each {
		_, err := book.Record(t.Context(), pay("here/"+strconv.Itoa(i)))
		require.NoError(t, err)
	}
	require.NoError(t, one.Wait())
	require.NoError(t, two.Wait())
	v := requireWhole(t, book)
	assert.Equal(t, 3*each, v.Transactions)
	b, err := book.Balances(t.Context(), ledger.AsOf{}, bob)
	require.NoError(t, err)
	assert.Equal(t, usd("3.00"), b[0].Posted)
}

func TestBackup(t *testing.T) {
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "book.db"))
	book := ledger.New(s, ledger.Config{Book: "book"})
	openWallets(t, book)
	for i := range 50 {
		_, err := book.Record(t.Context(), pay(strconv.Itoa(i)))
		require.NoError(t, err)
	}
	before, err := ledgertest.Dump(t.Context(), s, "book")
	require.NoError(t, err)
	to := filepath.Join(folder, "it's a backup?.db")
	require.NoError(t, add(t.Context(), s, "n", func() { // while somebody writes
		require.NoError(t, s.Backup(t.Context(), to))
	}))

	copied := open(t, to)
	after, err := ledgertest.Dump(t.Context(), copied, "book")
	require.NoError(t, err)
	assert.Empty(t, ledgertest.Diff(before, after))
	requireWhole(t, ledger.New(copied, ledger.Config{Book: "book"}))

	err = s.Backup(t.Context(), to)
	require.ErrorIs(t, err, fs.ErrExist)
	again, err := ledgertest.Dump(t.Context(), copied, "book")
	require.NoError(t, err)
	assert.Empty(t, ledgertest.Diff(after, again), "the backup that was there is as it was")
	require.ErrorIs(t, s.Backup(t.Context(), filepath.Join(folder, "nowhere", "b.db")), sqlite.CannotOpen)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, s.Backup(ctx, filepath.Join(folder, "late.db")), context.Canceled)
	assert.NoFileExists(t, filepath.Join(folder, "late.db"))
}

func TestClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	require.NoError(t, add(t.Context(), s, "n", nil))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "twice is once")
	_, readErr := s.Read(t.Context(), "book", ledger.Names{})
	_, scanErr := s.Scan(t.Context(), "book", ledger.Range{List: ledger.ListKeys, Limit: 1})
	for name, err := range map[string]error{
		"update": add(t.Context(), s, "n", nil), "read": readErr, "scan": scanErr, "backup": s.Backup(t.Context(), path+".bak"),
	} {
		require.ErrorIs(t, err, sqlite.Closed, name)
		require.ErrorIs(t, err, ledger.Unavailable, name)
	}
	assert.NoFileExists(t, path+".bak")
	assert.NoFileExists(t, path+"-wal", "the log was written back")
	assert.Equal(t, uint64(1), last(t, open(t, path), "n"))
}

// TestLongAccounts compares pages of an account with many lines, and its past balances, with brute force.
func TestLongAccounts(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "book.db"))
	clock := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	book := ledger.New(s, ledger.Config{Book: "book", Clock: func() time.Time { return clock }})
	openWallets(t, book)
	const n = 3_000
	for i := 0; i < n; {
		clock = clock.Add(time.Second)
		var entries []ledger.Entry
		for range 1 + i%300 {
			entries = append(entries, pay(strconv.Itoa(i)))
			i++
		}
		for _, o := range book.RecordAll(t.Context(), entries) {
			require.NoError(t, o.Err)
		}
	}
	var all []ledger.Line
	for l, err := range book.Account(bob).Lines(t.Context(), ledger.Query{}) {
		require.NoError(t, err)
		all = append(all, l)
	}
	for i, l := range all {
		require.Equal(t, uint64(i)+1, l.Version)
	}
	check := func(after, before, limit int, backward bool) {
		r := ledger.Range{List: ledger.ListLines, Account: bob, Limit: limit, Backward: backward}
		if after >= 0 {
			p := all[after].Position()
			r.After = &p
		}
		end := len(all)
		if before >= 0 {
			p := all[before].Position()
			r.Before, end = &p, before
		}
		want := all[min(after+1, end):end]
		if backward {
			want = want[max(0, len(want)-limit):]
		} else {
			want = want[:min(limit, len(want))]
		}
		rows, err := s.Scan(t.Context(), "book", r)
		require.NoError(t, err)
		require.Len(t, rows.Lines, len(want))
		for i := range want {
			at := i
			if backward {
				at = len(want) - 1 - i
			}
			require.Equal(t, want[at], rows.Lines[i])
		}
	}
	for i := range 200 {
		after, before := i*37%len(all)-1, i*101%len(all)
		check(after, before, 1+i%40, i%2 == 0)
		check(after, -1, 1+i%40, i%3 == 0)
	}
	for _, l := range all {
		if l.Version%97 != 0 {
			continue
		}
		at := ledger.AsOf{Recorded: l.RecordedAt.Add(999 * time.Nanosecond)}
		b, err := book.Balances(t.Context(), at, bob)
		require.NoError(t, err)
		want := l
		for _, next := range all[l.Version:] {
			if next.RecordedAt.After(at.Recorded) {
				break
			}
			want = next
		}
		require.Equal(t, want.Version, b[0].Version)
		require.Equal(t, want.Posted, b[0].Posted)
	}
}

// TestSmallCache records with a store that remembers next to no account: entries touch more than it can keep.
func TestSmallCache(t *testing.T) {
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "book.db"), sqlite.Options{CacheAccounts: 2, Readers: 1, CacheKilobytes: 64})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	book := ledger.New(s, ledger.Config{})
	_, err = book.Record(t.Context(), crashOpening())
	require.NoError(t, err)
	for i := range 20 {
		var entries []ledger.Entry
		for j := range 30 {
			e, _ := crashEntry(fmt.Sprintf("%d/%d", i, j))
			entries = append(entries, e)
		}
		for _, o := range book.RecordAll(t.Context(), entries) {
			require.NoError(t, o.Err)
		}
	}
	requireWhole(t, book)
}
