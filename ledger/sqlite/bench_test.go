//go:build unix

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// The benchmarks of make bench-sqlite. What counts are the ratios within one run, and CPU time.
//
//	KOSH_BENCH_ACCOUNTS    wallets (10,000)
//	KOSH_BENCH_TRANSFERS   transfers a measurement of kosh; naive does a tenth (20,000)
//	KOSH_BENCH_GROWTH      transfers of the growth benchmark (100,000)
//	KOSH_BENCH_KEYS        random or ordered: only these keys in the growth benchmark

func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

const perCall = 1_000

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func wallet(i int) ledger.AccountID {
	return ledger.AccountID{Path: fmt.Sprintf("wallet/%07d", i), Asset: "USD"}
}

// shop is a file with wallets in it.
type shop struct {
	path  string
	store *sqlite.Store
	book  *ledger.Book
	count int
}

func newShop(b *testing.B) *shop {
	b.Helper()
	s := &shop{path: filepath.Join(b.TempDir(), "book.db"), count: setting("KOSH_BENCH_ACCOUNTS", 10_000)}
	var err error
	s.store, err = sqlite.Open(b.Context(), s.path, sqlite.Options{})
	require.NoError(b, err)
	s.book = ledger.New(s.store, ledger.Config{})
	for i := 0; i < s.count; {
		var entries []ledger.Entry
		for ; i < s.count && len(entries) < perCall; i++ {
			entries = append(entries, ledger.Entry{Key: fmt.Sprintf("open/%d", i), Commands: []ledger.Command{
				ledger.OpenAccount{Account: wallet(i), Type: ledger.Liability, Owner: "member"},
			}})
		}
		for _, o := range s.book.RecordAll(b.Context(), entries) {
			require.NoError(b, o.Err)
		}
	}
	s.number(b)
	return s
}

// number gives all that waits its place in the feed.
func (s *shop) number(b *testing.B) {
	b.Helper()
	for n := 1; n > 0; {
		var err error
		n, err = s.book.NumberFeed(b.Context(), ledger.MaxPage)
		require.NoError(b, err)
	}
}

// bytes closes the store and returns the size of the pages that are used.
func (s *shop) bytes(b *testing.B) int64 {
	b.Helper()
	require.NoError(b, s.store.Close())
	return used(b, s.path)
}

func used(b *testing.B, path string) (bytes int64) {
	b.Helper()
	db := openDB(b, path)
	require.NoError(b, db.QueryRowContext(b.Context(), `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&bytes))
	return bytes
}

// transfer is the n-th transfer of a measurement.
type transfer struct {
	key      string
	from, to int
	amount   int64
}

func (s *shop) transfer(n int, hot, random bool) transfer {
	rnd := rand.New(rand.NewPCG(11, uint64(n)))
	t := transfer{key: fmt.Sprintf("t/%016x", n), from: 1 + rnd.IntN(s.count-1), amount: 1 + rnd.Int64N(10_000)}
	if !hot {
		t.to = (t.from + 1 + rnd.IntN(s.count-2)) % s.count
	}
	if random {
		t.key = fmt.Sprintf("t/%016x", rnd.Uint64())
	}
	return t
}

func (t transfer) entry() ledger.Entry {
	return ledger.Entry{Key: t.key, Commands: []ledger.Command{ledger.Transfer(wallet(t.from), wallet(t.to), currency.MustNew(t.amount, currency.USD))}}
}

// result is one line of the table.
type result struct {
	rate, cpu, bytes float64 // transfers a second, CPU microseconds a transfer, bytes a transfer
	p50, p99         time.Duration
}

// measure has callers record n transfers, one at a time each.
func measure(b *testing.B, callers, n int, record func(i int) error) (r result) {
	b.Helper()
	times := make([]time.Duration, n)
	var next atomic.Int64
	var all sync.WaitGroup
	start, cpu := time.Now(), cpuTime()
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1) - 1); i < n; i = int(next.Add(1) - 1) {
				before := time.Now()
				if err := record(i); err != nil {
					b.Error(err)
					return
				}
				times[i] = time.Since(before)
			}
		})
	}
	all.Wait()
	r.rate = float64(n) / time.Since(start).Seconds()
	r.cpu = float64((cpuTime() - cpu).Nanoseconds()) / 1_000 / float64(n)
	slices.Sort(times)
	r.p50, r.p99 = times[n/2], times[n*99/100]
	return r
}

// naive is what a host writes without kosh: the same columns, indexes and durability, one transaction a transfer, nothing checked
// but the key. It has prepared statements and one connection, because several would only wait for each other.
type naive struct {
	db    *sql.DB
	stmts map[string]*sql.Stmt
}

func (n *naive) stmt(b *testing.B, text string) *sql.Stmt {
	b.Helper()
	s, err := n.db.PrepareContext(b.Context(), text)
	require.NoError(b, err)
	return s
}

func newNaive(b *testing.B, path string) *naive {
	b.Helper()
	n := &naive{db: openDB(b, path), stmts: map[string]*sql.Stmt{}}
	n.db.SetMaxOpenConns(1)
	for name, text := range map[string]string{
		"key":     `SELECT 1 FROM kosh_entry WHERE book = 1 AND key = ?`,
		"account": `SELECT a.id, b.version, b.posted, b.head FROM kosh_account a JOIN kosh_balance b ON b.account = a.id WHERE a.book = 1 AND a.path = ? AND a.asset = 'USD'`,
		"entry":   `INSERT INTO kosh_entry (book, key, uuid, recorded_at, inputs, receipt) VALUES (1, ?, ?, ?, ?, ?)`,
		"tx":      `INSERT INTO kosh_tx (book, uuid, entry, recorded_at, postings, imported) VALUES (1, ?, ?, ?, ?, 0)`,
		"line":    `INSERT INTO kosh_line (account, version, kind, side, amount, posted, held, tx, recorded_at, prev) VALUES (?, ?, 2, ?, ?, ?, 0, ?, ?, ?)`,
		"balance": `UPDATE kosh_balance SET version = ?, posted = ?, updated_at = ?, head = ? WHERE account = ?`,
		"pending": `INSERT INTO kosh_pending (book, uuid, recorded_at, entry, changes) VALUES (1, ?, ?, ?, ?)`,
	} {
		n.stmts[name] = n.stmt(b, text)
	}
	return n
}

func (n *naive) record(ctx context.Context, t transfer) (err error) {
	tx, err := n.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback()
		}
	}()
	exec := func(name string, args ...any) int64 {
		if err != nil {
			return 0
		}
		r, failed := tx.StmtContext(ctx, n.stmts[name]).ExecContext(ctx, args...) //nolint:sqlclosecheck // the transaction closes it
		if err = failed; err != nil {
			return 0
		}
		id, _ := r.LastInsertId()
		return id
	}
	var one int
	err = tx.StmtContext(ctx, n.stmts["key"]).QueryRowContext(ctx, t.key).Scan(&one) //nolint:sqlclosecheck // the transaction closes it
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("key %s: %w", t.key, err)
	}
	err = nil
	id, entry := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	at, small := time.Now().UnixMicro(), make([]byte, 40)
	key := exec("entry", t.key, entry[:], at, small, small)
	row := exec("tx", id[:], key, at, small[:24])
	for side, account := range []int{t.from, t.to} {
		var a, version, posted int64
		var head sql.NullInt64
		if err == nil {
			err = tx.StmtContext(ctx, n.stmts["account"]).QueryRowContext(ctx, wallet(account).Path).Scan(&a, &version, &posted, &head) //nolint:sqlclosecheck // the transaction closes it
		}
		posted += t.amount * int64(2*side-1)
		line := exec("line", a, version+1, side+1, t.amount, posted, row, at, head)
		exec("balance", version+1, posted, at, line, a)
	}
	exec("pending", entry[:], at, key, small)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// BenchmarkCallers compares naive and kosh at several numbers of callers and prints a table.
func BenchmarkCallers(b *testing.B) {
	total := setting("KOSH_BENCH_TRANSFERS", 20_000)
	for b.Loop() {
		fmt.Printf("\n%-8s %7s | %-33s | %-33s | %s\n", "accounts", "callers", "naive: CPU µs  bytes   p50     p99", "kosh:  CPU µs  bytes   p50     p99", "kosh / naive: rate  CPU")
		for _, hot := range []bool{false, true} {
			for _, callers := range []int{1, 16, 64, 256, 1_024} {
				n := min(total, 200*callers+total/10)
				plain := measureNaive(b, callers, max(n/10, callers), hot)
				kosh := measureKosh(b, callers, n, hot)
				name := "uniform"
				if hot {
					name = "one hot"
				}
				fmt.Printf("%-8s %7d | %13.0f %6.0f %6s %7s | %13.0f %6.0f %6s %7s | %18.1f %5.2f\n", name, callers,
					plain.cpu, plain.bytes, brief(plain.p50), brief(plain.p99), kosh.cpu, kosh.bytes, brief(kosh.p50), brief(kosh.p99),
					kosh.rate/plain.rate, kosh.cpu/plain.cpu)
			}
		}
	}
}

func brief(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1_000)
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

func measureNaive(b *testing.B, callers, n int, hot bool) result {
	b.Helper()
	s := newShop(b)
	before := s.bytes(b)
	plain := newNaive(b, s.path)
	r := measure(b, callers, n, func(i int) error { return plain.record(b.Context(), s.transfer(i, hot, false)) })
	require.NoError(b, plain.db.Close())
	r.bytes = float64(used(b, s.path)-before) / float64(n)
	return r
}

func measureKosh(b *testing.B, callers, n int, hot bool) result {
	b.Helper()
	s := newShop(b)
	empty := used(b, s.path)
	r := measure(b, callers, n, func(i int) error {
		_, err := s.book.Record(b.Context(), s.transfer(i, hot, false).entry())
		return err
	})
	s.number(b)
	r.bytes = float64(s.bytes(b)-empty) / float64(n)
	return r
}

// BenchmarkGrowth asks whether a book that has grown is slower: the rate of the last fifth over that of the first, the feed included,
// with keys that begin with the time and with random ones; and what a page of the latest lines and a past balance then cost.
func BenchmarkGrowth(b *testing.B) {
	for b.Loop() {
		total := setting("KOSH_BENCH_GROWTH", 100_000)
		fmt.Printf("\n%-12s %10s %8s | %-22s | %-18s | %-18s | %s\n", "keys", "transfers", "bytes", "last / first: rate CPU", "last 50 p50   p99", "past    p50   p99", "transfers/s, CPU µs of the last fifth")
		for _, random := range []bool{false, true} {
			if only := os.Getenv("KOSH_BENCH_KEYS"); only != "" && (only == "random") != random {
				continue
			}
			s := newShop(b)
			window := max(perCall, total/20/perCall*perCall)
			var windows []result
			for done := 0; done < total; done += window {
				last := s.grow(b, done, window, random)
				windows = append(windows, last)
				fmt.Printf("# %d: %.0f transfers/s, %.0f CPU µs\n", done+window, last.rate, last.cpu)
			}
			fifth := max(1, len(windows)/5)
			first, last := mean(windows[:fifth]), mean(windows[len(windows)-fifth:])
			page50, page99 := s.latency(b, func(id ledger.AccountID, _ time.Time) error {
				rows, err := s.store.Scan(b.Context(), s.book.Name(), ledger.Range{List: ledger.ListLines, Account: id, Backward: true, Limit: 50})
				if err == nil && len(rows.Lines) == 0 {
					err = fmt.Errorf("no lines of %v", id)
				}
				return err
			})
			past50, past99 := s.latency(b, func(id ledger.AccountID, at time.Time) error {
				_, err := s.book.Balances(b.Context(), ledger.AsOf{Recorded: at}, id)
				return err
			})
			name := "time-ordered"
			if random {
				name = "random"
			}
			bytes := float64(s.bytes(b)) / float64(total)
			fmt.Printf("%-12s %10d %8.0f | %18.2f %.2f | %12s %6s | %12s %6s | %.0f, %.0f\n", name, total, bytes,
				last.rate/first.rate, last.cpu/first.cpu, brief(page50), brief(page99), brief(past50), brief(past99), last.rate, last.cpu)
		}
	}
}

// mean is what several windows of the same size took together.
func mean(windows []result) (r result) {
	for _, w := range windows {
		r.rate += 1 / w.rate
		r.cpu += w.cpu / float64(len(windows))
	}
	r.rate = float64(len(windows)) / r.rate
	return r
}

// grow records transfers 1,000 at a time and numbers the feed.
func (s *shop) grow(b *testing.B, done, n int, random bool) (r result) {
	b.Helper()
	var wall, cpu time.Duration
	entries := make([]ledger.Entry, perCall)
	for at := done; at < done+n; at += perCall {
		for i := range entries {
			entries[i] = s.transfer(at+i, false, random).entry()
		}
		start, used := time.Now(), cpuTime()
		for _, o := range s.book.RecordAll(b.Context(), entries) {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
		}
		s.number(b)
		wall, cpu = wall+time.Since(start), cpu+cpuTime()-used
	}
	return result{rate: float64(n) / wall.Seconds(), cpu: float64(cpu.Microseconds()) / float64(n)}
}

// latency asks a question about random accounts and moments.
func (s *shop) latency(b *testing.B, ask func(ledger.AccountID, time.Time) error) (p50, p99 time.Duration) {
	b.Helper()
	rnd := rand.New(rand.NewPCG(17, 19))
	times := make([]time.Duration, 2_000)
	for i := range times {
		id := wallet(rnd.IntN(s.count))
		info, err := s.book.Info(b.Context(), id)
		require.NoError(b, err)
		at := info.OpenedAt.Add(time.Duration(rnd.Int64N(int64(info.UpdatedAt.Sub(info.OpenedAt)) + 1)))
		start := time.Now()
		require.NoError(b, ask(id, at))
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2], times[len(times)*99/100]
}
