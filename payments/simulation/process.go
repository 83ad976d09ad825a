package simulation

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

var (
	errDead  = errors.New("simulation: this process is dead")
	errStore = errors.New("simulation: the store did not answer")
	errDown  = errors.New("simulation: the provider does not answer")
)

// process is one instance of the host: a service with its own adapters over the store that all share. It can die at any
// call to the outside; then every later call fails, so that what the code does after it is as if it never ran.
type process struct {
	world   *world
	name    string
	skew    time.Duration // of its clock
	service *payments.Service
	handler http.Handler

	fuse   int // calls left until it dies; 0: it lives on
	wait   int // calls left until whoever asks gives up; 0: they wait
	cancel func()
	after  bool // it dies after that call, not before
	dead   bool
	calls  int // updates and provider calls so far

	writes   int // updates applied that left more than a burned key
	faults   int // calls that did not go well
	overlaps int // calls in the middle of which another process acted
}

// newProcess starts a process.
func (w *world) newProcess(name string) (*process, error) {
	p := &process{world: w, name: name}
	if !w.calm && w.skew > 0 {
		p.skew = w.dice.duration(-w.skew, w.skew)
	}
	clock := func() time.Time { return w.now.Add(p.skew) }
	book := ledger.New(store{p}, ledger.Config{Clock: clock, NewID: w.ids.id, Book: w.truth.book})
	config := w.config
	config.Rates = func(ctx context.Context, from, to currency.Asset) (payments.Price, bool, error) {
		if w.fault(p, w.rates.rateSource) {
			return payments.Price{}, false, errStore
		}
		return w.config.Rates(ctx, from, to)
	}
	config.Worker = name
	if w.screening != nil {
		config.Screen = func(_ context.Context, r payments.ScreenRequest) (payments.Verdict, error) {
			if p.dead || w.fault(p, w.rates.screener) {
				return payments.Verdict{}, errStore
			}
			return payments.Verdict{Decision: w.screening.screens(r.Kind, r.Member, r.Amount)}, nil
		}
	}
	var err error
	if p.service, err = payments.New(book, config); err != nil {
		return nil, err
	}
	p.handler = p.service.Webhooks()
	for _, s := range w.sites {
		if err := p.service.Register(adapter{p, s, s.far.Reconnect()}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// arm makes the process die at the nth call from now, before or after it happened.
func (p *process) arm(n int, after bool) { p.fuse, p.after = n, after }

// call makes one call to the outside that the process may not survive. About is the payment that it is about, if one is.
func (p *process) call(about string, do func() error) error {
	if p.dead {
		return errDead
	}
	if p.world.meanwhile(p) {
		p.world.cover(overlap, about)
	}
	p.calls++
	fatal := p.fuse == 1
	p.fuse = max(p.fuse-1, 0)
	if fatal && !p.after {
		p.world.cover(crashBefore, about)
		return p.die()
	}
	if p.wait == 1 {
		p.cancel()
		p.faults++
		p.world.result.Faults++
		p.world.note("  %s: whoever asked gives up at call %d", p.name, p.calls)
		p.world.cover(canceled, about)
	}
	p.wait = max(p.wait-1, 0)
	err := do()
	if fatal {
		p.world.cover(crashAfter, about)
		return p.die()
	}
	return err
}

func (p *process) die() error {
	p.dead = true
	p.faults++
	p.world.result.Crashes++
	p.world.note("  %s died at its call %d", p.name, p.calls)
	return errDead
}

// store is the store as a process sees it.
type store struct{ p *process }

var _ ledger.Store = store{}

// Update implements ledger.Store.
func (s store) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	w := s.p.world
	about := ""
	for _, d := range want.Documents {
		if d.Kind == "payment" {
			about = max(about, d.ID) // names have no order
		}
	}
	return s.p.call(about, func() error { //nolint:contextcheck // another process acts meanwhile, on a context of its own
		if w.fault(s.p, w.rates.storeBefore) {
			w.cover(storeBefore, about)
			return errStore
		}
		if !w.calm && w.dice.chance(w.rates.storeAgain) {
			w.cover(storeAgain, about)
			decide = twice(decide)
		}
		if err := w.truth.Update(ctx, book, want, decide); err != nil {
			return err
		}
		if !w.truth.last.keysOnly && !w.truth.last.nothing {
			s.p.writes++
		}
		if w.fault(s.p, w.rates.storeAfter) {
			w.cover(storeAfter, about)
			return errStore // it is applied all the same
		}
		return nil
	})
}

// twice decides again, as a store does whose first try met somebody else's.
func twice(decide ledger.Decide) ledger.Decide {
	return func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		write, more, err := decide(found)
		if err != nil || !more.Empty() { // what it asks for must be answered, or it is taken for absent
			return write, more, err
		}
		return decide(found)
	}
}

// Read implements ledger.Store.
func (s store) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	if err := s.reachable(); err != nil {
		return ledger.Rows{}, err
	}
	return s.p.world.truth.Read(ctx, book, want)
}

// Scan implements ledger.Store.
func (s store) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if err := s.reachable(); err != nil {
		return ledger.Rows{}, err
	}
	return s.p.world.truth.Scan(ctx, book, r)
}

func (s store) reachable() error {
	if s.p.dead {
		return errDead
	}
	if s.p.world.fault(s.p, s.p.world.rates.storeRead) {
		return errStore
	}
	return nil
}

// adapter is a provider as a process sees it.
type adapter struct {
	p    *process
	site *site
	*sandbox.Sandbox
}

var (
	_ providers.Provider = adapter{}
	_ providers.Receiver = adapter{}
	_ providers.Poller   = adapter{}
	_ providers.Quoter   = adapter{}
)

// Submit implements providers.Provider.
func (a adapter) Submit(ctx context.Context, op providers.Operation) (report providers.Report, err error) {
	err = a.p.call(op.Key, func() error { //nolint:contextcheck // another process acts meanwhile, on a context of its own
		a.p.world.beforeSubmit(a.site, op)
		if err = a.down(op.Key, a.site.outage); err != nil {
			return a.count(err)
		}
		report, err = a.Sandbox.Submit(ctx, op)
		a.p.world.coverSubmit(&op, &report, err)
		a.p.world.meanwhile(a.p) //nolint:contextcheck // a webhook may overtake the answer, on a context of its own
		return a.count(err)
	})
	return report, err
}

// Lookup implements providers.Provider.
func (a adapter) Lookup(ctx context.Context, q providers.Query) (report providers.Report, err error) {
	err = a.p.call(q.Key, func() error { //nolint:contextcheck // another process acts meanwhile, on a context of its own
		if err = a.down(q.Key, providers.Maybe); err != nil {
			return a.count(err)
		}
		if report, err = a.Sandbox.Lookup(ctx, q); err != nil {
			fault := lookupFails
			if errors.Is(err, providers.ErrNotFound) {
				fault = lookupFindsNothing
			}
			a.p.world.cover(fault, q.Key)
		}
		return a.count(err)
	})
	return report, err
}

// Poll implements providers.Poller.
func (a adapter) Poll(ctx context.Context, cursor string, limit int) (events []providers.Event, next string, err error) {
	next = cursor
	err = a.p.call("", func() error { //nolint:contextcheck // another process acts meanwhile, on a context of its own
		if err = a.down("", providers.Maybe); err != nil {
			return a.count(err)
		}
		events, next, err = a.Sandbox.Poll(ctx, cursor, limit)
		return a.count(err)
	})
	return events, next, err
}

// Quote implements providers.Quoter.
func (a adapter) Quote(ctx context.Context, op providers.Operation) (q providers.Quote, err error) {
	err = a.p.call("", func() error { //nolint:contextcheck // another process acts meanwhile, on a context of its own
		if err = a.down("", providers.NotSent); err != nil {
			return a.count(err)
		}
		q, err = a.Sandbox.Quote(ctx, op)
		return a.count(err)
	})
	return q, err
}

// down is the error of a far side that is away for a while: it refuses connections, or lets everybody wait.
func (a adapter) down(key string, c providers.Certainty) error {
	if !a.p.world.now.Before(a.site.downUntil) {
		return nil
	}
	a.p.world.cover(outage, key)
	return &providers.Error{Certainty: c, Err: errDown}
}

func (a adapter) count(err error) error {
	if err != nil && !errors.Is(err, providers.ErrNotFound) {
		a.p.faults++
		a.p.world.result.Faults++
	}
	return err
}
