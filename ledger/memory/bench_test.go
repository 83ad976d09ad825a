//go:build unix

package memory_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// The benchmarks of make bench-ledger. Each runs once, through Book.Record or RecordAll on the memory store, with full
// history, keys and a numbered feed; what it reports is CPU time of the whole process, garbage collection included, so that
// it does not matter what else the machine does. Entries are built beforehand. The feed is numbered after every 1,000
// entries, which is about as often as Book.Run does it in a busy book, and counts like everything else.
//
//	transfers/cpu-s   entries recorded, numbered and sealed a second of CPU time
//	recorded/cpu-s    entries recorded a second, without the time that numbering and sealing took; of callers at the same
//	                  time it cannot be told apart
//	allocs/transfer   allocations, the feed's included
//	kept-B/transfer   bytes of the heap that stay, the accounts' own not counted
//	slowest-ms        the longest that one call took on the wall clock: growing tables, collection, or the machine
//
// KOSH_BENCH_ACCOUNTS and KOSH_BENCH_TRANSFERS say how much; KOSH_BENCH_GROWTH how far BenchmarkGrowth goes.

func setting(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

const perCall = 1_000

// bench is a book with many wallets.
type bench struct {
	*ledger.Book
	b     *testing.B
	paths []ledger.AccountID // as the program has them
	given []ledger.AccountID // as the book gives them out
	rnd   *rand.Rand
	zipf  *rand.Zipf
	key   uint64
}

func newBench(b *testing.B) *bench {
	b.Helper()
	n := setting("KOSH_BENCH_ACCOUNTS", 100_000)
	w := &bench{b: b, Book: ledger.New(memory.New(), ledger.Config{}), rnd: rand.New(rand.NewPCG(1, 2))}
	w.zipf = rand.NewZipf(w.rnd, 1.1, 1, uint64(n-1))
	w.paths = make([]ledger.AccountID, n)
	floor := currency.MustNew(-1_000_000_000_000, currency.USD)
	for i := 0; i < n; {
		var entries []ledger.Entry
		for ; i < n && len(entries) < perCall; i++ {
			w.paths[i] = walletID(i)
			entries = append(entries, ledger.Entry{Key: fmt.Sprintf("open/%d", i), Commands: []ledger.Command{
				ledger.OpenAccount{Account: w.paths[i], Type: ledger.Liability, Owner: "member", Floor: floor},
			}})
		}
		for _, o := range w.RecordAll(b.Context(), entries) {
			require.NoError(b, o.Err)
		}
	}
	w.feed()
	for a, err := range w.Accounts(b.Context(), ledger.Query{}) {
		require.NoError(b, err)
		w.given = append(w.given, w.Account(a.ID).ID())
	}
	require.Equal(b, w.paths, w.given)
	return w
}

func walletID(i int) ledger.AccountID {
	return ledger.AccountID{Path: fmt.Sprintf("wallet/%07d", i), Asset: "USD"}
}

// feed numbers everything that is pending.
func (w *bench) feed() {
	for {
		n, err := w.NumberFeed(w.b.Context(), ledger.MaxPage)
		if err != nil {
			w.b.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// nextKey makes keys of 18 bytes in no order.
func (w *bench) nextKey() string {
	w.key++
	return fmt.Sprintf("t/%016x", rand.NewPCG(7, w.key).Uint64())
}

// choice picks accounts.
type choice struct {
	zipf    bool
	handles bool // of the accounts' handles, as the book gave them out; else new strings
	kept    bool // the program's own strings
}

func (w *bench) account(c choice) ledger.AccountID {
	i := w.rnd.IntN(len(w.paths))
	if c.zipf {
		i = int(w.zipf.Uint64())
	}
	switch {
	case c.handles:
		return w.given[i]
	case c.kept:
		return w.paths[i]
	}
	return walletID(i)
}

func (w *bench) transfers(n int, c choice) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		from, to := w.account(c), w.account(c)
		for from.Path == to.Path {
			to = w.account(choice{handles: c.handles, kept: c.kept})
		}
		entries[i] = ledger.Entry{Key: w.nextKey(), Commands: []ledger.Command{
			ledger.Transfer(from, to, currency.MustNew(1+w.rnd.Int64N(10_000), currency.USD)),
		}}
	}
	return entries
}

// fourLegs are tips with a fee: one account pays, three are paid.
func (w *bench) fourLegs(n int) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		p := ledger.Post{}
		for leg, amount := range []int64{100, 90, 7, 3} {
			side := ledger.Credit
			if leg == 0 {
				side = ledger.Debit
			}
			at := w.paths[(w.rnd.IntN(len(w.paths)/4)*4+leg)%len(w.paths)]
			p.Postings = append(p.Postings, ledger.Posting{Account: at, Side: side, Amount: currency.MustNew(amount, currency.USD)})
		}
		entries[i] = ledger.Entry{Key: w.nextKey(), Commands: []ledger.Command{p}}
	}
	return entries
}

// holds place a hold and capture it at once, in one entry.
func (w *bench) holds(n int) []ledger.Entry {
	entries := make([]ledger.Entry, n)
	for i := range entries {
		at := w.rnd.IntN(len(w.paths) - 1)
		amount := currency.MustNew(1+w.rnd.Int64N(10_000), currency.USD)
		entries[i] = ledger.Entry{Key: w.nextKey(), Commands: []ledger.Command{
			ledger.PlaceHold{Account: w.paths[at], Amount: amount},
			ledger.Capture{Hold: ledger.Nth(0), To: []ledger.Portion{{Account: w.paths[at+1], Amount: amount}}},
		}}
	}
	return entries
}

// meter counts what a benchmark costs while it runs.
type meter struct {
	cpu     time.Duration
	feed    time.Duration // of cpu, spent on numbering and sealing
	allocs  uint64
	heap    uint64
	slowest time.Duration
	count   int
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// run measures work on entries that were built beforehand.
func (m *meter) run(entries []ledger.Entry, work func([]ledger.Entry)) {
	before, cpu := mallocs(), cpuTime()
	work(entries)
	m.cpu += cpuTime() - cpu
	m.allocs += mallocs() - before
	m.count += len(entries)
}

func (m *meter) call(f func()) {
	start := time.Now()
	f()
	m.slowest = max(m.slowest, time.Since(start))
}

// number numbers and seals what is pending, and counts it apart.
func (m *meter) number(w *bench) {
	cpu := cpuTime()
	w.feed()
	m.feed += cpuTime() - cpu
}

func (m *meter) rate() float64 { return float64(m.count) / m.cpu.Seconds() }

func (m *meter) report(b *testing.B) {
	b.ReportMetric(m.rate(), "transfers/cpu-s")
	if m.feed > 0 {
		b.ReportMetric(float64(m.count)/(m.cpu-m.feed).Seconds(), "recorded/cpu-s")
	}
	b.ReportMetric(float64(m.allocs)/float64(m.count), "allocs/transfer")
	b.ReportMetric(float64(m.heap)/float64(m.count), "kept-B/transfer")
	b.ReportMetric(float64(m.slowest.Microseconds())/1000, "slowest-ms")
	b.ReportMetric(0, "ns/op")
}

// The ways to record.

type way func(*bench, *meter, []ledger.Entry)

func oneByOne(w *bench, m *meter, entries []ledger.Entry) {
	for i := range entries {
		m.call(func() {
			if _, err := w.Record(w.b.Context(), entries[i]); err != nil {
				w.b.Fatal(err)
			}
		})
		if i%perCall == perCall-1 {
			m.number(w)
		}
	}
	m.number(w)
}

func together(w *bench, m *meter, entries []ledger.Entry) {
	for ; len(entries) > 0; entries = entries[min(perCall, len(entries)):] {
		m.call(func() {
			for _, o := range w.RecordAll(w.b.Context(), entries[:min(perCall, len(entries))]) {
				if o.Err != nil {
					w.b.Fatal(o.Err)
				}
			}
		})
		m.number(w)
	}
}

// byCallers are 1,000 goroutines, each with one entry at a time.
func byCallers(w *bench, _ *meter, entries []ledger.Entry) {
	var next atomic.Int64
	var feeding sync.Mutex
	var wg sync.WaitGroup
	for range perCall {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(entries)); i = next.Add(1) - 1 {
				if _, err := w.Record(w.b.Context(), entries[i]); err != nil {
					w.b.Error(err)
				}
				if i%perCall == perCall-1 && feeding.TryLock() { // one at a time, as its lease sees to
					w.feed()
					feeding.Unlock()
				}
			}
		})
	}
	wg.Wait()
	w.feed()
}

// measure records entries, building some at a time so that they need little room.
func (w *bench) measure(total int, build func(n int) []ledger.Entry, record way) *meter {
	m := new(meter)
	start := heap()
	for m.count < total {
		m.run(build(min(50_000, total-m.count)), func(entries []ledger.Entry) { record(w, m, entries) })
	}
	if end := heap(); end > start {
		m.heap = end - start
	}
	return m
}

func BenchmarkLedger(b *testing.B) {
	total := setting("KOSH_BENCH_TRANSFERS", 200_000)
	type mix = func(w *bench, n int) []ledger.Entry
	of := func(c choice) mix { return func(w *bench, n int) []ledger.Entry { return w.transfers(n, c) } }
	for _, c := range []struct {
		name   string
		build  mix
		record way
	}{
		{"one-by-one/uniform/path", of(choice{}), oneByOne},
		{"one-by-one/uniform/handle", of(choice{handles: true}), oneByOne},
		{"1000-a-batch/uniform/path", of(choice{}), together},
		{"1000-a-batch/uniform/handle", of(choice{handles: true}), together},
		{"1000-a-batch/zipf/handle", of(choice{zipf: true, handles: true}), together},
		{"1000-callers/uniform/handle", of(choice{handles: true}), byCallers},
		{"1000-callers/zipf/handle", of(choice{zipf: true, handles: true}), byCallers},
		{"1000-a-batch/4-legs", (*bench).fourLegs, together},
		{"1000-a-batch/hold-capture", (*bench).holds, together},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newBench(b)
			for b.Loop() {
				w.measure(total, func(n int) []ledger.Entry { return c.build(w, n) }, c.record).report(b)
			}
		})
	}
	b.Run("bare-loop", func(b *testing.B) {
		w := newBench(b)
		for b.Loop() {
			l := newBare(w)
			w.measure(total, func(n int) []ledger.Entry { return w.transfers(n, choice{kept: true}) }, l.record).report(b)
			runtime.KeepAlive(l)
		}
	})
}

// bare writes the same facts without any rule, lock, outcome or snapshot: what a program would do that needs no ledger.
type bare struct {
	accounts map[ledger.AccountID]*bareAccount
	keys     map[string][sha256.Size]byte
	lines    []bareLine
	ids      []ledger.ID
	feed     []uint32
}

type bareAccount struct {
	last   uint32
	posted int64
}

type bareLine struct {
	transaction, previous uint32
	amount, posted, time  int64
}

func newBare(w *bench) *bare {
	l := &bare{accounts: make(map[ledger.AccountID]*bareAccount, len(w.paths)), keys: map[string][sha256.Size]byte{}}
	for _, id := range w.paths {
		l.accounts[id] = new(bareAccount)
	}
	return l
}

func (l *bare) record(w *bench, _ *meter, entries []ledger.Entry) {
	var space []byte
	for i := range entries {
		p := entries[i].Commands[0].(ledger.Post)
		space = space[:0]
		for j := range p.Postings {
			units, _ := p.Postings[j].Amount.Int64()
			space = binary.LittleEndian.AppendUint64(append(space, p.Postings[j].Account.Path...), uint64(units))
		}
		if _, there := l.keys[entries[i].Key]; there {
			w.b.Fatal("a key twice")
		}
		l.keys[entries[i].Key] = sha256.Sum256(space)
		var id ledger.ID
		binary.BigEndian.PutUint64(id[:], uint64(len(l.ids)))
		for j := range p.Postings {
			a := l.accounts[p.Postings[j].Account]
			units, _ := p.Postings[j].Amount.Int64()
			if p.Postings[j].Side == ledger.Debit {
				units = -units
			}
			a.posted += units
			l.lines = append(l.lines, bareLine{uint32(len(l.ids)), a.last, units, a.posted, int64(i)})
			a.last = uint32(len(l.lines))
		}
		l.ids, l.feed = append(l.ids, id), append(l.feed, uint32(len(l.ids)))
	}
}

// BenchmarkGrowth asks whether a book that has grown tenfold is slower: the rate of the last tenth over that of the first.
func BenchmarkGrowth(b *testing.B) {
	for b.Loop() {
		w := newBench(b)
		total := setting("KOSH_BENCH_GROWTH", 500_000)
		build := func(n int) []ledger.Entry { return w.transfers(n, choice{handles: true}) }
		first := w.measure(total/10, build, together)
		middle := w.measure(total-2*(total/10), build, together)
		last := w.measure(total/10, build, together)
		last.slowest = max(first.slowest, middle.slowest, last.slowest)
		last.report(b)
		b.ReportMetric(last.rate()/first.rate(), "end/start")
	}
}
