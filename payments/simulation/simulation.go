package simulation

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/koshpay/kosh/ledger"
)

// Config says which world to play.
type Config struct {
	Seed uint64
	Ops  int // operations, before everything comes to rest
	// Keep names the operations to do, of the first Ops; nil means all. Every operation has chance of its own, so that leaving
	// one out does not change what the others try.
	Keep []int
	// Dump writes a book as text, for comparing books before and after a refusal: ledgertest.Dump. Nil leaves those
	// comparisons out.
	Dump func(ctx context.Context, s ledger.Store, book string) ([]byte, error)
	// Bare leaves out every fault that is drawn: for scripted worlds.
	Bare bool
}

// Result says how a world went.
type Result struct {
	Seed     uint64
	Ops      int
	Crashes  int // of processes
	Webhooks int // deliveries
	Faults   int // calls of the store and of providers that failed
	Overlaps int // calls in the middle of which the other process acted
	Payments int
	Updates  int      // of the store, each of them checked
	Trace    [32]byte // hash of everything that happened
	Failure  *Failure // nil: everything held

	met map[cell]int
}

// Failure is a broken invariant with all that is needed to understand it.
type Failure struct {
	Seed    uint64
	Op      int   // how many operations it took
	Ops     int   // how many were asked for
	Keep    []int // those that were done, if not all
	Breach  *Breach
	Steps   []string // the last lines of the trace
	Journal []string // of the accounts concerned
}

// Error shows the failure: what broke, what led to it, and how to see it again.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d broke after %d operations: %v\n", f.Seed, f.done(), f.Breach)
	for _, s := range f.Steps {
		fmt.Fprintf(&b, "    %s\n", s)
	}
	if len(f.Journal) > 0 {
		b.WriteString("journal:\n")
		for _, s := range f.Journal {
			fmt.Fprintf(&b, "    %s\n", s)
		}
	}
	fmt.Fprintf(&b, "again: make sim SEED=%d OPS=%d", f.Seed, f.Ops)
	if f.Keep != nil {
		fmt.Fprintf(&b, " KEEP=%s", Spans(f.Keep))
	}
	return b.String()
}

// done is how many operations were really done.
func (f *Failure) done() int {
	if f.Keep == nil {
		return f.Op
	}
	return len(f.Keep)
}

// Run plays one world.
func Run(c Config) Result {
	w, err := newWorld(c)
	if err != nil {
		return Result{Seed: c.Seed, Failure: &Failure{Seed: c.Seed, Breach: breach(Sane, "the world cannot be made: %v", err)}}
	}
	w.ops, w.keep = c.Ops, c.Keep
	for n := range c.Ops {
		if c.Keep != nil && !slices.Contains(c.Keep, n) {
			continue
		}
		w.operate(n)
		w.result.Ops++
		if n%w.auditEvery == w.auditEvery-1 {
			w.fail(w.audit())
		}
		if w.breach() != nil {
			return w.end(n + 1)
		}
	}
	w.rest()
	return w.end(c.Ops)
}

// end makes the result.
func (w *world) end(op int) Result {
	w.trace.hash.Sum(w.result.Trace[:0])
	w.result.Payments = len(w.money.order)
	w.result.Updates, w.result.met = w.truth.updates, w.seen
	if b := w.breach(); b != nil {
		w.result.Failure = &Failure{
			Seed: w.result.Seed, Op: op, Ops: w.ops, Keep: w.keep, Breach: b, Steps: w.trace.last(), Journal: w.journal(b),
		}
	}
	return *w.result
}

// journal writes the lines of the accounts that a breach is about.
func (w *world) journal(b *Breach) []string {
	const most = 25
	var text []string
	for _, id := range b.Accounts {
		lines := w.truth.lines[id]
		for _, l := range lines[max(0, len(lines)-most):] {
			note := ledger.Note{}
			if t, ok := w.truth.posted[l.Transaction]; ok {
				note = t.Note
			} else if h, ok := w.truth.holds[l.Hold]; ok {
				note = h.Note
			}
			var meta []string
			for k, v := range note.Meta {
				meta = append(meta, k+"="+v)
			}
			sort.Strings(meta)
			text = append(text, fmt.Sprintf("%s %d %v %v: posted %v, held %v; payment %s %v",
				id, l.Version, l.Kind, l.Amount, l.Posted, l.Held, note.Reference, meta))
		}
	}
	return text
}
