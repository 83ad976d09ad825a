package sandbox

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Record is an operation as the far side's books have it.
type Record struct {
	Key       string // empty when nobody asked for it
	Reference string
	Kind      providers.Kind
	Method    providers.Method
	State     providers.State
	Final     bool
	Amount    currency.Amount // as asked for
	Effects   []providers.Effect
	Target    string // of a refund, the deposit's reference
	Disputes  []providers.Dispute

	Quarantined []providers.Quarantined
	Member      string
	Address     string
	At          time.Time // of the last change
}

func (o *operation) record() Record {
	r := Record{
		Key: o.request.Key, Reference: o.reference, Kind: o.request.Kind, Method: o.request.Method, State: o.state,
		Final: o.final, Amount: o.request.Amount, Effects: slices.Clone(o.effects), Member: o.member, Address: o.address, At: o.at,
		Disputes: slices.Clone(o.disputes), Quarantined: slices.Clone(o.quarantined),
	}
	if o.target != nil {
		r.Target = o.target.reference
	}
	return r
}

// Balance is what the far side holds for us now: the sum of all effects that have happened, made known or not. It may be
// negative: the sandbox lends what we pay out.
func (s *Sandbox) Balance(asset currency.Asset) currency.Amount {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	return orZero(f.books.held[asset.ID()], currency.Zero(asset))
}

// Balances is Balance of every asset that ever moved, in the order of their ids.
func (s *Sandbox) Balances() []currency.Amount {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	list := make([]currency.Amount, 0, len(f.books.held))
	for _, id := range slices.Sorted(maps.Keys(f.books.held)) {
		list = append(list, f.books.held[id])
	}
	return list
}

// Executed says how often money moved because of a key, or is still on its way; of a link or an address, how often it
// was made. What was declined, rejected or canceled is 0. More than 1 is a bug of whoever submitted.
func (s *Sandbox) Executed(key string) int {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	n := 0
	for _, o := range f.byKey[key] {
		if o.executed() {
			n++
		}
	}
	return n
}

// Requests says how many submits tried to reach the far side so far, refused connections included.
func (s *Sandbox) Requests() int {
	s.far.enter()
	defer s.far.mu.Unlock()
	return s.far.requests
}

// Operations returns everything that the far side knows of, oldest first.
func (s *Sandbox) Operations() []Record { return s.records(func(*operation) bool { return true }) }

// InFlight returns the operations that may still change, oldest first.
func (s *Sandbox) InFlight() []Record {
	return s.records(func(o *operation) bool { return !o.final || o.disputing() })
}

func (s *Sandbox) records(want func(*operation) bool) []Record {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	var wanted []*operation
	for _, o := range f.operations {
		if want(o) {
			wanted = append(wanted, o)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	list := make([]Record, len(wanted)) // a record is large: none is moved
	for i, o := range wanted {
		list[i] = o.record()
	}
	return list
}

// NextChange returns when something is due to happen by itself, so that a simulator need not step through quiet hours.
// Webhooks on their way are not counted.
func (s *Sandbox) NextChange() (time.Time, bool) {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	if len(f.agenda.queue) == 0 {
		return time.Time{}, false
	}
	return f.agenda.queue[0].at, true
}

// Audit checks the far side against itself: its books against the operations' effects, refunds against deposits, every report
// and every event that it gave out. An error is a bug of the sandbox.
func (s *Sandbox) Audit() error {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	for _, check := range []func() error{f.auditBooks, f.auditOperations, f.auditEvents} {
		if err := check(); err != nil {
			return fmt.Errorf("%w: %w", errBooks, err)
		}
	}
	return nil
}

func (f *farSide) auditBooks() error {
	if f.books.broken != nil {
		return f.books.broken
	}
	held := make(map[currency.AssetID]currency.Amount)
	effects := 0
	for _, o := range f.operations {
		for _, e := range o.effects {
			effects++
			if f.books.posted[e.ID] != e {
				return fmt.Errorf("effect %s of %s is not as it was posted", e.ID, o.reference)
			}
			held[e.Amount.AssetID()] = f.books.add(orZero(held[e.Amount.AssetID()], e.Amount), e.Amount)
		}
	}
	if effects != len(f.books.posted) {
		return fmt.Errorf("%d effects posted, %d known", len(f.books.posted), effects)
	}
	if !maps.Equal(held, f.books.held) {
		return fmt.Errorf("effects add up to %v, held are %v", held, f.books.held)
	}
	for c, a := range f.books.parties {
		held[c.asset] = f.books.sub(held[c.asset], a)
	}
	for _, rest := range held {
		if rest.Sign() != 0 {
			return fmt.Errorf("%v came from nobody", rest)
		}
	}
	return nil
}

func (f *farSide) auditOperations() error {
	refunded := make(map[*operation]currency.Amount)
	for _, o := range f.operations {
		if err := o.snapshot(f.now).Validate(); err != nil {
			return fmt.Errorf("%s: %w", o.reference, err)
		}
		if o.target == nil || o.state == providers.Failed || o.state == providers.Canceled {
			continue
		}
		if _, standing := o.standing(); standing || !o.moved() {
			refunded[o.target] = f.books.add(orZero(refunded[o.target], o.moving), o.moving)
		}
	}
	for target, sum := range refunded {
		if target.refunded != sum {
			return fmt.Errorf("%s: refunds add up to %v, %v were counted", target.reference, sum, target.refunded)
		}
		if f.books.sub(target.moving, sum).Sign() < 0 {
			return fmt.Errorf("%s: refunded %v of %v", target.reference, sum, target.moving)
		}
	}
	if !f.cfg.NoKeys {
		for key, all := range f.byKey {
			for i := 1; i < len(all); i++ {
				if all[i].sentAt.Sub(all[i-1].sentAt) <= f.cfg.KeyRetention && all[i-1].request == all[i].request {
					return fmt.Errorf("key %s: %s and %s within its retention", key, all[i-1].reference, all[i].reference)
				}
			}
		}
	}
	return nil
}

// auditEvents checks that reports only ever grew, and that the last event of an operation says how it stands.
func (f *farSide) auditEvents() error {
	last := make(map[string]providers.Report)
	for _, e := range f.events {
		r := e.report
		before := last[r.Reference]
		if len(r.Effects) < len(before.Effects) || !slices.Equal(r.Effects[:len(before.Effects)], before.Effects) {
			return fmt.Errorf("event %s: effects of %s changed", e.id, r.Reference)
		}
		if before.Final && slices.Equal(before.Disputes, r.Disputes) {
			return fmt.Errorf("event %s: %s changed after it was final", e.id, r.Reference)
		}
		last[r.Reference] = r
	}
	for _, o := range f.operations {
		if r := last[o.reference]; r.State != o.state || len(r.Effects) != len(o.effects) || r.Final != o.final || !slices.Equal(r.Disputes, o.disputes) {
			return fmt.Errorf("the last event of %s is not how it stands", o.reference)
		}
	}
	return nil
}
