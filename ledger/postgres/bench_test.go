//go:build unix

package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
)

// The benchmark of make bench-postgres: three ways to record the same transfers into the same tables, in one run and in turns.
//
//	naive  one transaction a transfer, statement by statement, as one writes it by hand
//	kosh   Book.Record by so many callers
//	raw    the rows of so many transfers a commit, in arrays, without a lock, a look or a check: the ceiling
//
// KOSH_BENCH_SECONDS is how long each lasts (2), KOSH_BENCH_ACCOUNTS how many accounts there are (10,000), and KOSH_BENCH_GROWTH how many
// transfers BenchmarkGrowth ends with (100,000). CPU of the server is known only of one that the benchmark itself has started.

func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// field is where a benchmark happens.
type field struct {
	url, schema string
	pool        *pgxpool.Pool
	store       *postgres.Store
	book        *ledger.Book
	wallets     []ledger.AccountID
	numbers     []int64
	keys        atomic.Uint64

	mu    sync.Mutex // of raw
	infos map[ledger.AccountID]ledger.AccountInfo
}

func newField(b *testing.B) *field {
	b.Helper()
	url := serverURL(b)
	f := &field{url: url, schema: newSchema(b, url), infos: map[ledger.AccountID]ledger.AccountInfo{}}
	f.pool = newPool(b, with(b, url, "pool_max_conns", "64"))
	f.store = postgres.New(f.pool, postgres.Options{Schema: f.schema})
	f.book = ledger.New(f.store, ledger.Config{})
	n := setting("KOSH_BENCH_ACCOUNTS", 10_000)
	var entries []ledger.Entry
	for i := range n {
		id := ledger.AccountID{Path: fmt.Sprintf("wallet/%07d", i), Asset: "USD"}
		f.wallets = append(f.wallets, id)
		entries = append(entries, ledger.Entry{Key: "open/" + id.Path, Commands: []ledger.Command{
			ledger.OpenAccount{Account: id, Type: ledger.Liability, Floor: currency.MustNew(-1_000_000_000_000, currency.USD)},
		}})
	}
	for _, o := range f.book.RecordAll(b.Context(), entries) {
		require.NoError(b, o.Err)
	}
	f.number(b)
	rows, err := f.pool.Query(b.Context(), "select id from "+f.schema+".account_terms order by path")
	require.NoError(b, err)
	f.numbers, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(b, err)
	for a, err := range f.book.Accounts(b.Context(), ledger.Query{Limit: ledger.MaxPage}) {
		require.NoError(b, err)
		f.infos[a.ID] = a
	}
	return f
}

func (f *field) number(b *testing.B) {
	for {
		n, err := f.book.NumberFeed(b.Context(), ledger.MaxPage)
		require.NoError(b, err)
		if n == 0 {
			return
		}
	}
}

// key makes keys in order, as UUIDv7s are.
func (f *field) key() string { return fmt.Sprintf("t/%016x", f.keys.Add(1)) }

// two picks the accounts of a transfer; hot ones all pay from the first.
func (f *field) two(rnd *rand.Rand, hot bool) (from, to int) {
	if hot {
		return 0, 1 + rnd.IntN(len(f.wallets)-1)
	}
	from = rnd.IntN(len(f.wallets))
	return from, (from + 1 + rnd.IntN(len(f.wallets)-1)) % len(f.wallets)
}

type way struct {
	name string
	// run records one transfer, or callers of them, and returns how many.
	run func(ctx context.Context, f *field, rnd *rand.Rand, hot bool, callers int) (int, error)
	// alone: one goroutine stands for all callers.
	alone bool
}

var ways = []way{{"naive", naive, false}, {"kosh", throughKosh, false}, {"raw", raw, true}}

func throughKosh(ctx context.Context, f *field, rnd *rand.Rand, hot bool, _ int) (int, error) {
	from, to := f.two(rnd, hot)
	_, err := f.book.Record(ctx, ledger.Entry{Key: f.key(), Commands: []ledger.Command{
		ledger.Transfer(f.wallets[from], f.wallets[to], currency.MustNew(1+rnd.Int64N(10_000), currency.USD)),
	}})
	return 1, err
}

// naive writes what a careful programmer writes by hand: lock in order, check, insert, update, commit.
func naive(ctx context.Context, f *field, rnd *rand.Rand, hot bool, _ int) (int, error) {
	from, to := f.two(rnd, hot)
	amount := 1 + rnd.Int64N(10_000)
	key, id := f.key(), uuid.Must(uuid.NewV7())
	s := f.schema + "."
	return 1, pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "select id, version, posted::bigint, held::bigint from "+s+"account where book = 'main' and id = any($1) order by id for update", []int64{f.numbers[from], f.numbers[to]})
		if err != nil {
			return err
		}
		type state struct{ ID, Version, Posted, Held int64 }
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[state])
		if err != nil {
			return err
		}
		var taken bool
		if err := tx.QueryRow(ctx, "select exists (select from "+s+"tx where book = 'main' and key = $1 and keyed)", key).Scan(&taken); err != nil || taken {
			return fmt.Errorf("key taken %v: %w", taken, err)
		}
		now := time.Now()
		if _, err := tx.Exec(ctx, "insert into "+s+"tx values ($1, $2, true, true, 'main', $3, $4, $5, $6)", id, now, key, make([]byte, 29), make([]byte, 35), make([]byte, 12)); err != nil {
			return err
		}
		for _, a := range found {
			units, side := amount, 2
			if a.ID == f.numbers[from] {
				units, side = -amount, 1
			}
			if a.Posted+units < -1_000_000_000_000 {
				return ledger.ErrInsufficientFunds
			}
			if _, err := tx.Exec(ctx, "insert into "+s+"entry values ($1, $2, $3, $4, 2, $5, 'main', $6, $7, $8, '')", a.ID, a.Version+1, now, id, side, amount, a.Posted+units, a.Held); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "update "+s+"account set version = version + 1, posted = $2, updated_at = $3 where book = 'main' and id = $1", a.ID, a.Posted+units, now); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "insert into "+s+"pending values ($1, $2, 'main', $3)", now, uuid.Must(uuid.NewV7()), make([]byte, 40))
		return err
	})
}

// raw writes the rows of as many transfers as there would be callers. It knows all balances beforehand.
func raw(ctx context.Context, f *field, rnd *rand.Rand, hot bool, callers int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(callers, 1_000)
	now := time.Now().UTC().Truncate(time.Microsecond)
	var w ledger.Rows
	touched := map[ledger.AccountID]bool{}
	for range n {
		from, to := f.two(rnd, hot)
		amount := currency.MustNew(1+rnd.Int64N(10_000), currency.USD)
		entry, id, key := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), f.key()
		receipt := ledger.Receipt{ID: entry, Key: key, RecordedAt: now, Results: []ledger.Result{{Transaction: id}}}
		t := ledger.Transaction{ID: id, Key: key, RecordedAt: now, EffectiveAt: now}
		for side, at := range []int{from, to} {
			info := f.infos[f.wallets[at]]
			p := ledger.Posting{Account: info.ID, Side: ledger.Side(side + 1), Amount: amount}
			if side == 0 {
				info.Posted, _ = info.Posted.Sub(amount)
			} else {
				info.Posted, _ = info.Posted.Add(amount)
			}
			info.Version, info.UpdatedAt = info.Version+1, now
			f.infos[info.ID] = info
			touched[info.ID] = true
			t.Postings = append(t.Postings, p)
			w.Lines = append(w.Lines, ledger.Line{
				Account: info.ID, Version: info.Version, Kind: ledger.LinePosted, Side: p.Side, Amount: amount, Posted: info.Posted, Held: info.Held,
				Transaction: id, RecordedAt: now, EffectiveAt: now,
			})
			receipt.Balances = append(receipt.Balances, ledger.Balance{Account: info.ID, Version: info.Version, Posted: info.Posted, Held: info.Held, Available: info.Posted})
		}
		w.Transactions = append(w.Transactions, t)
		w.Keys = append(w.Keys, ledger.KeyRow{Key: key, Inputs: []byte(`"post:0123456789012345678901"`), Receipt: receipt})
		w.Pending = append(w.Pending, ledger.PendingRow{Entry: entry, RecordedAt: now, Changes: []ledger.Change{{
			Entry: entry, Key: key, RecordedAt: now, Kind: ledger.ChangeTransaction, Transaction: id,
		}}})
	}
	for id := range touched {
		w.Accounts = append(w.Accounts, f.infos[id])
	}
	return n, f.store.WriteUnchecked(ctx, f.book.Name(), w)
}

// cost is what a stretch of work took.
type cost struct {
	transfers      int
	wall           time.Duration
	client, server time.Duration
	wal            int64
	waits          []time.Duration
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// serverCPU sums up the server's processes, those that ended included.
func serverCPU() time.Duration {
	if shared.server == nil {
		return 0
	}
	total := time.Duration(0)
	for i, pid := range append([]int{shared.server.PID()}, shared.server.Children()...) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		of := fields[11:13] // its own
		if i == 0 {
			of = fields[11:15] // and, of the first process, its children's that ended
		}
		for _, f := range of {
			ticks, _ := strconv.Atoi(f)
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total
}

func (f *field) wal(b *testing.B) (lsn int64) {
	require.NoError(b, f.pool.QueryRow(b.Context(), "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").Scan(&lsn))
	return lsn
}

// measure runs a way for a while.
func (f *field) measure(b *testing.B, w way, hot bool, callers int) (c cost) {
	duration := time.Duration(setting("KOSH_BENCH_SECONDS", 2)) * time.Second
	goroutines := callers
	if w.alone {
		goroutines = 1
	}
	waits := make([][]time.Duration, goroutines)
	counts := make([]int, goroutines)
	walBefore, client, server, start := f.wal(b), ownCPU(), serverCPU(), time.Now()
	var all sync.WaitGroup
	for i := range goroutines {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			for time.Since(start) < duration {
				began := time.Now()
				n, err := w.run(b.Context(), f, rnd, hot, callers)
				if err != nil {
					b.Error(err)
					return
				}
				counts[i] += n
				waits[i] = append(waits[i], time.Since(began))
			}
		})
	}
	all.Wait()
	c.wall, c.client, c.server = time.Since(start), ownCPU()-client, serverCPU()-server
	c.wal = f.wal(b) - walBefore
	for i := range counts {
		c.transfers += counts[i]
		c.waits = append(c.waits, waits[i]...)
	}
	slices.Sort(c.waits)
	return c
}

func (c cost) each(d time.Duration) float64 {
	return float64(d.Microseconds()) / float64(max(c.transfers, 1))
}

func (c cost) report(b *testing.B) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(c.transfers)/c.wall.Seconds(), "transfers/s")
	b.ReportMetric(c.each(c.client), "client-µs")
	b.ReportMetric(c.each(c.server), "server-µs")
	b.ReportMetric(float64(c.wal)/float64(max(c.transfers, 1)), "WAL-B")
	if n := len(c.waits); n > 0 {
		b.ReportMetric(float64(c.waits[n/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(c.waits[n*99/100].Microseconds())/1000, "p99-ms")
	}
}

func BenchmarkPostgres(b *testing.B) {
	fields := map[string]*field{}
	for _, w := range ways {
		fields[w.name] = newField(b)
	}
	for _, hot := range []bool{false, true} {
		for _, callers := range []int{1, 16, 64, 256, 1_024} {
			for _, w := range ways {
				shape := "uniform"
				if hot {
					shape = "hot"
				}
				b.Run(fmt.Sprintf("%s/%d/%s", shape, callers, w.name), func(b *testing.B) {
					fields[w.name].measure(b, w, hot, callers).report(b)
				})
			}
		}
	}
}

// BenchmarkGrowth fills a book, and measures what a transfer leaves in the tables and how long the two commonest reads of history
// take then.
func BenchmarkGrowth(b *testing.B) {
	f := newField(b)
	size := func() (bytes int64) {
		_, err := f.pool.Exec(b.Context(), "vacuum "+f.schema+".pending")
		require.NoError(b, err)
		require.NoError(b, f.pool.QueryRow(b.Context(), "select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'r' and c.relname not in ('pending', 'account')", f.schema).Scan(&bytes))
		return bytes
	}
	total, done := setting("KOSH_BENCH_GROWTH", 100_000), 0
	before := size()
	rnd := rand.New(rand.NewPCG(3, 3))
	for done < total {
		var entries []ledger.Entry
		part, start, client, server, walBefore := max(total/5, 1), time.Now(), ownCPU(), serverCPU(), f.wal(b)
		for range part {
			from, to := f.two(rnd, rnd.IntN(10) == 0) // the first wallet has a long history
			entries = append(entries, ledger.Entry{Key: f.key(), Commands: []ledger.Command{ledger.Transfer(f.wallets[from], f.wallets[to], currency.MustNew(1+rnd.Int64N(10_000), currency.USD))}})
		}
		for _, o := range f.book.RecordAll(b.Context(), entries) {
			require.NoError(b, o.Err)
		}
		f.number(b)
		done += part
		b.Run(fmt.Sprintf("to %d", done), func(b *testing.B) {
			c := cost{transfers: part, wall: time.Since(start), client: ownCPU() - client, server: serverCPU() - server, wal: f.wal(b) - walBefore}
			c.report(b)
			b.ReportMetric(float64(size()-before)/float64(done), "table-B")
		})
	}
	read := func(name string, work func(id ledger.AccountID) error) {
		b.Run(name, func(b *testing.B) {
			var c cost
			for i := range 2_000 {
				id := f.wallets[0]
				if i%2 == 1 {
					id = f.wallets[rnd.IntN(len(f.wallets))]
				}
				began := time.Now()
				require.NoError(b, work(id))
				c.waits = append(c.waits, time.Since(began))
			}
			slices.Sort(c.waits)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(c.waits[len(c.waits)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(c.waits[len(c.waits)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
	lines, err := f.book.Page(b.Context(), ledger.Query{List: ledger.ListLines, Account: f.wallets[0], Limit: 1})
	require.NoError(b, err)
	first := lines.Items[0].Line.RecordedAt
	span := time.Since(first)
	read("last 50 lines", func(id ledger.AccountID) error {
		_, err := f.book.Page(b.Context(), ledger.Query{List: ledger.ListLines, Account: id, Limit: 50, Backward: true})
		return err
	})
	read("past balance", func(id ledger.AccountID) error {
		at := first.Add(time.Duration(rnd.Int64N(int64(span))))
		_, err := f.store.Scan(b.Context(), f.book.Name(), ledger.Range{List: ledger.ListLines, Account: id, Before: &ledger.Position{Time: at.Truncate(time.Microsecond)}, Backward: true, Limit: 1})
		return err
	})
}
