package providertest

import (
	"slices"

	"github.com/koshpay/kosh/providers"
)

// sightings are the effects that were ever reported.
type sightings struct {
	p    *verdict
	seen map[string]sighting
}

type sighting struct {
	effect providers.Effect
	of     string // the operation's reference, or of a chain's withdrawal its key
}

func (l *sightings) add(r providers.Report, from string) { l.addOf(r.Reference, r, from) }

// addOf is add of a report about an operation by a name that does not change.
func (l *sightings) addOf(of string, r providers.Report, from string) {
	if l.seen == nil {
		l.seen = map[string]sighting{}
	}
	l.p.valid(r, from)
	for _, e := range r.Effects {
		before, ok := l.seen[e.ID]
		switch {
		case !ok:
			l.seen[e.ID] = sighting{e, of}
		case before.of != of:
			l.p.failf("effect %s belongs to %s and to %s: payments would post only one of them", e.ID, before.of, of)
		case !sameEffect(before.effect, e):
			l.p.failf("effect %s was %+v and became %+v: the same id must always be the same movement", e.ID, before.effect, e)
		}
	}
}

var effectsCheck = Check{
	Name: "effects-are-stable",
	Rule: "An effect has the same id, kind and amount in every report, by every way, for ever. A posting belongs to (operation, effect id): " +
		"a new id for an old movement posts it twice.",
	run: func(p *probe) {
		p.each(func(op providers.Operation) {
			l := &sightings{p: &p.verdict}
			l.add(p.submit(op), "Submit")
			if p.descriptor.KeyRetention > 0 {
				if r, err := p.Provider.Submit(p.ctx, op); err == nil {
					l.add(r, "Submit")
				}
			}
			for {
				more := p.Advance()
				l.add(p.lookup(op), "Lookup")
				l.add(p.lookup(op), "Lookup")
				if !more {
					break
				}
			}
			if r, err := p.Reopen().Lookup(p.ctx, query(op)); err == nil {
				l.add(r, "Lookup")
			} else {
				p.failf("Lookup of a %s after a restart: %v", op.Kind, err)
			}
			if op.Amount.IsValid() {
				p.movedOnce(op, l)
			}
		})
	},
}

// movedOnce checks that what was ever reported comes to what was asked for.
func (p *probe) movedOnce(op providers.Operation, l *sightings) {
	var all providers.Report
	for _, s := range l.seen {
		all.Effects = append(all.Effects, s.effect)
	}
	moved, ok := net(all)
	if !ok {
		p.failf("the harness' sample of a %s went well, but no effect says that money moved", op.Kind)
	} else if moved != op.Amount {
		p.failf("a %s of %v is reported as %v in all: %+v", op.Kind, op.Amount, moved, all.Effects)
	}
}

var finalCheck = Check{
	Name: "final-is-final",
	Rule: "After Final nothing changes: payments lifts the provisional hold then. What is finally negative stays so, and an offer whose " +
		"deposits may be taken back says Provisional.",
	run: func(p *probe) {
		p.each(func(op providers.Operation) {
			if r := p.untilFinal(op); !r.Final {
				p.failf("a %s that nothing more happens to was never Final: its provisional hold would stay for ever", op.Kind)
			}
		})
		if p.Returned == nil {
			return
		}
		op, ok := p.Returned()
		if !ok {
			return
		}
		p.untilFinal(op)
		if r := p.lookup(op); !slices.ContainsFunc(r.Effects, func(e providers.Effect) bool { return e.Kind == providers.Reversed }) {
			p.failf("World.Returned's deposit was taken back, but no Reversed effect says so: %+v", r)
		}
		if o, ok := p.descriptor.Offer(op.Kind, op.Method, op.AssetID()); ok && !o.Provisional {
			p.failf("deposits by %s in %s may be taken back, but the offer does not say Provisional: the member could cash out at once",
				op.Method, op.AssetID())
		}
	},
}

// untilFinal submits, waits for Final, and then for changes that must not come.
func (p *probe) untilFinal(op providers.Operation) providers.Report {
	r := p.submit(op)
	for more := true; more && !r.Final; {
		more = p.Advance()
		r = p.lookup(op)
	}
	p.settle()
	if later := p.lookup(op); r.Final && !same(r, later) {
		p.failf("a final %s changed from %+v to %+v", op.Kind, r, later)
	}
	return r
}

var distinctCheck = Check{
	Name: "operations-are-distinct",
	Rule: "Two operations under two keys are two, alike as they may be, and share no reference and no effect id: a member may tip the " +
		"same amount twice.",
	run: func(p *probe) {
		l := &sightings{p: &p.verdict}
		references := map[string]string{}
		p.each(func(op providers.Operation) {
			twin, ok := p.sample(op.Kind)
			if !ok || twin.Key == op.Key {
				p.fatalf("the harness must give every sample a new key")
			}
			for _, one := range []providers.Operation{op, twin} {
				r := p.submit(one)
				if other, taken := references[r.Reference]; taken {
					p.failf("keys %s and %s share reference %s", other, one.Key, r.Reference)
				}
				references[r.Reference] = one.Key
			}
			p.settle()
			for _, one := range []providers.Operation{op, twin} {
				p.executed(one, 1, "an operation just like it")
				l.add(p.lookup(one), "Lookup")
			}
		})
	},
}
