package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// Harness makes stores to be checked.
type Harness struct {
	// Open returns an empty store of its own for one check. Give it back what it uses with t.Cleanup.
	Open func(t *testing.T) ledger.Store
	// Reopen stops a store and opens another one on the same data, as a restart of the process does; s is not used any
	// more. Nil declares that nothing survives a restart, and the checks about that are skipped.
	Reopen func(t *testing.T, s ledger.Store) ledger.Store
	// Patience is the longest that one check may take before it counts as stuck. Zero means one minute.
	Patience time.Duration
}

// Check is one promise of the [ledger.Store] contract, or one promise of the ledger that only holds when the store
// beneath keeps its own.
type Check struct {
	Name   string     // for go test -run
	Rule   string     // the promise
	Advice string     // what to look at when it is broken
	Run    func(t *T) // finds out
	Reopen bool       // needs Harness.Reopen
}

// Checks returns every check, the simplest first: mend a store in this order.
func Checks() []Check {
	var all []Check
	for _, topic := range [][]Check{
		roundTripChecks, updateChecks, appendChecks, cancelChecks, aliasingChecks, isolationChecks,
		scanChecks, guardChecks, snapshotChecks, reopenChecks,
		bookKeyChecks, bookFundsChecks, bookDocumentChecks, bookListChecks, bookLargeChecks,
	} {
		all = append(all, topic...)
	}
	return all
}

// Run runs every check as a subtest of its own. A store that passes keeps what package ledger needs of it.
func Run(t *testing.T, h Harness) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			if c.Reopen && h.Reopen == nil {
				t.Skip("the harness declares that nothing survives a restart")
			}
			if err := Try(t, h, c); err != nil {
				t.Error(err)
			}
		})
	}
}

// Try runs one check and returns what it found, nil when the promise is kept. It does not fail t, which is for the
// harness only; so a test can show that a broken store is rejected.
func Try(t *testing.T, h Harness, c Check) error {
	t.Helper()
	if h.Patience <= 0 {
		h.Patience = time.Minute
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	defer cancel()
	r := &T{tb: t, harness: h, ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.catch("the check")
		c.Run(r)
	}()
	stuck := time.NewTimer(h.Patience)
	defer stuck.Stop()
	select {
	case <-done:
	case <-stuck.C:
		r.Errorf("the check had not ended after %v: an update waits for ever, or the store is too slow for this check", h.Patience)
	}
	return r.err(c)
}

// T is what a check talks to. It is to a store under test what testing.T is to a test, but it only takes notes.
type T struct {
	tb      *testing.T
	harness Harness
	ctx     context.Context // lives as long as the check, as in testing.T

	mu      sync.Mutex
	found   []string
	omitted int
}

// notesShown is how many findings are told; the first ones say the most.
const notesShown = 5

// Context returns a context that ends with the check.
func (t *T) Context() context.Context { return t.ctx }

// Open returns a new, empty store.
func (t *T) Open() ledger.Store { return t.harness.Open(t.tb) }

// Reopen returns the store as it is after a restart.
func (t *T) Reopen(s ledger.Store) ledger.Store { return t.harness.Reopen(t.tb, s) }

// Errorf notes a finding and goes on. It is safe for concurrent use.
func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.found) >= notesShown {
		t.omitted++
		return
	}
	t.found = append(t.found, fmt.Sprintf(format, args...))
}

// Fatalf notes a finding and ends the calling goroutine.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Failed reports whether anything was found so far.
func (t *T) Failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.found) > 0
}

// Together runs work n times at once, with the numbers from 0, and waits for all.
func (t *T) Together(n int, work func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Add(1)
		go func() {
			defer all.Done()
			defer t.catch(fmt.Sprintf("goroutine %d of the check", i))
			<-start
			work(i)
		}()
	}
	close(start)
	all.Wait()
}

func (t *T) catch(who string) {
	if p := recover(); p != nil {
		t.Errorf("%s panicked: %v\n%s", who, p, debug.Stack())
	}
}

func (t *T) err(c Check) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.found) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ledgertest: %s\n  rule:  %s\n", c.Name, c.Rule)
	for _, f := range t.found {
		fmt.Fprintf(&b, "  found: %s\n", strings.ReplaceAll(f, "\n", "\n         "))
	}
	if t.omitted > 0 {
		fmt.Fprintf(&b, "  found: and %d more\n", t.omitted)
	}
	fmt.Fprintf(&b, "  do:    %s", c.Advice)
	return errors.New(b.String())
}
