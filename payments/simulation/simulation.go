package simulation

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/koshpay/kosh/ledger"
)

// Config says which world to play.
type Config struct {
	Seed uint64
	Ops  int // operations, before everything comes to rest
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
	Trace    [32]byte // hash of everything that happened
	Failure  *Failure // nil: everything held
}

// Failure is a broken invariant with all that is needed to understand it.
type Failure struct {
	Seed    uint64
	Op      int // how many operations it took
	Breach  *Breach
	Steps   []string // the last lines of the trace
	Journal []string // of the accounts concerned
}

// Error shows the failure: what broke, what led to it, and how to see it again.
func (f *Failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d broke after %d operations: %v\n", f.Seed, f.Op, f.Breach)
	for _, s := range f.Steps {
		fmt.Fprintf(&b, "    %s\n", s)
	}
	if len(f.Journal) > 0 {
		b.WriteString("journal:\n")
		for _, s := range f.Journal {
			fmt.Fprintf(&b, "    %s\n", s)
		}
	}
	fmt.Fprintf(&b, "again: make sim SEED=%d OPS=%d", f.Seed, f.Op)
	return b.String()
}

// auditEvery is after how many operations the providers' truth is compared.
const auditEvery = 8

// Run plays one world.
func Run(c Config) Result {
	w, err := newWorld(c)
	if err != nil {
		return Result{Seed: c.Seed, Failure: &Failure{Seed: c.Seed, Breach: breach(Sane, "the world cannot be made: %v", err)}}
	}
	for n := range c.Ops {
		w.operate(n)
		w.result.Ops++
		if n%auditEvery == auditEvery-1 {
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
	if b := w.breach(); b != nil {
		w.result.Failure = &Failure{Seed: w.result.Seed, Op: op, Breach: b, Steps: w.trace.last(), Journal: w.journal(b)}
	}
	return *w.result
}

// Shrink looks for the smallest number of operations with which a world still fails.
func Shrink(c Config, f *Failure) (Config, *Failure) {
	low, high := 0, min(f.Op, c.Ops)
	for low < high {
		middle := (low + high) / 2
		try := c
		try.Ops = middle
		if r := Run(try); r.Failure != nil {
			high, f = middle, r.Failure
		} else {
			low = middle + 1
		}
	}
	c.Ops = high
	return c, f
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
