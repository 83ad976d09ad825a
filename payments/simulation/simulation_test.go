package simulation

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger/ledgertest"
)

// lines are for the end: what a passing test prints, make test does not show.
var lines struct {
	sync.Mutex
	all []string
}

// report prints a line now, and again when all tests have ended.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	t.Logf(format, args...)
	lines.Lock()
	defer lines.Unlock()
	lines.all = append(lines.all, fmt.Sprintf(format, args...))
}

func TestMain(m *testing.M) {
	debug.SetGCPercent(1600) // worlds are small and short
	code := m.Run()
	for _, line := range lines.all {
		fmt.Println(line)
	}
	os.Exit(code)
}

// number reads a number from the environment.
func number(t *testing.T, name string, usual uint64) (n uint64, given bool) {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual, false
	}
	n, err := strconv.ParseUint(text, 10, 64)
	require.NoError(t, err, name)
	return n, true
}

// TestSimulation plays worlds: KOSH_SIM_SEEDS of them from KOSH_SIM_FIRST on, KOSH_SIM_OPS operations each, as many as fit into
// KOSH_SIM_FOR; or the one of KOSH_SIM_SEED, of which KOSH_SIM_KEEP names the operations to do.
func TestSimulation(t *testing.T) {
	usual := uint64(300)
	if raced {
		usual = 25
	}
	seeds, _ := number(t, "KOSH_SIM_SEEDS", usual)
	ops, _ := number(t, "KOSH_SIM_OPS", 300)
	seed, one := number(t, "KOSH_SIM_SEED", 0)
	first, _ := number(t, "KOSH_SIM_FIRST", 0) // of the seeds
	var keep []int
	if text := os.Getenv("KOSH_SIM_KEEP"); text != "" {
		var err error
		keep, err = Numbers(text)
		require.NoError(t, err)
	}
	if one {
		seeds, first = 1, seed
	}
	matrix := Matrix{}
	most := time.Duration(0) // all of them
	if text := os.Getenv("KOSH_SIM_FOR"); text != "" {
		var err error
		most, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	var (
		mu    sync.Mutex
		sum   Result
		done  uint64
		next  atomic.Uint64
		group sync.WaitGroup
	)
	began, cpu := time.Now(), cpuTime(t)
	for range min(2, seeds) {
		group.Go(func() {
			for {
				n := next.Add(1) - 1
				if n >= seeds || t.Failed() || most > 0 && time.Since(began) > most {
					return
				}
				c := Config{Seed: first + n, Ops: int(ops), Keep: keep, Dump: ledgertest.Dump}
				r := Run(c)
				if r.Failure != nil {
					_, f := Shrink(c, r.Failure)
					t.Errorf("%v", f)
				}
				mu.Lock()
				done++
				matrix.Add(&r)
				sum.Updates += r.Updates
				sum.Ops += r.Ops
				sum.Crashes += r.Crashes
				sum.Webhooks += r.Webhooks
				sum.Faults += r.Faults
				sum.Overlaps += r.Overlaps
				sum.Payments += r.Payments
				if one {
					t.Logf("seed %d: trace %x", r.Seed, r.Trace)
				} else if done%50 == 0 {
					t.Logf("%d of %d seeds after %s", done, seeds, time.Since(began).Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	used := cpuTime(t) - cpu
	a := func(n int) int64 { return int64(n) * int64(time.Second) / max(int64(used), 1) }
	report(t, "simulation: %d seeds, %d operations, %d payments, %d crashes, %d webhooks, %d faults, %d overlapping calls; "+
		"a CPU-second does %d operations, with %d updates of the store, each of them checked",
		done, sum.Ops, sum.Payments, sum.Crashes, sum.Webhooks, sum.Faults, sum.Overlaps, a(sum.Ops), a(sum.Updates))
	if !one && !t.Failed() {
		empty, all := matrix.Empty()
		t.Logf("fault × payment × state, by how often they met:\n%s", matrix)
		report(t, "matrix: %d of %d reachable cells met; empty: %s", all-len(empty), all, strings.Join(empty, ", "))
	}
}

// cpuTime is what this process has used so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestSameSeedSameTrace: a failure that cannot be played again cannot be understood.
func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	traces := map[[32]byte]uint64{}
	for seed := range uint64(6) {
		c := Config{Seed: 1000 + seed, Ops: 120, Dump: ledgertest.Dump}
		first, again := Run(c), Run(c)
		assert.Equal(t, first.Trace, again.Trace, "seed %d", c.Seed)
		assert.Equal(t, first.Webhooks, again.Webhooks, "seed %d", c.Seed)
		_, seen := traces[first.Trace]
		assert.False(t, seen, "seeds %d and %d play the same world", c.Seed, traces[first.Trace])
		traces[first.Trace] = c.Seed
	}
}
