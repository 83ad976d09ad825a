package providertest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/koshpay/kosh/providers"
)

// deliveries makes things happen and returns the webhooks about them.
func (p *probe) deliveries() []providers.Delivery {
	p.each(func(op providers.Operation) { p.submit(op) })
	p.settle()
	all := p.Deliveries()
	if len(all) == 0 {
		p.fatalf("the far side sent no webhook about anything: World.Deliveries must return those of the samples")
	}
	return all
}

func (p *probe) receive(r providers.Receiver, d providers.Delivery) []providers.Event {
	events, err := r.Receive(p.ctx, d)
	if err != nil {
		p.fatalf("Receive of an authentic delivery: %v\n%s", err, d.Body)
	}
	for _, e := range events {
		switch {
		case e.ID == "":
			p.failf("an event has no id: %s", d.Body)
		case e.Report == nil && e.Lookup == nil:
			p.failf("event %s has neither a report nor a hint what to look up", e.ID)
		case e.Report != nil:
			p.valid(*e.Report, "Receive")
		}
	}
	return events
}

func (p *probe) forged(r providers.Receiver, d providers.Delivery, what string) bool {
	events, err := r.Receive(p.ctx, d)
	if !errors.Is(err, providers.ErrForged) || len(events) > 0 {
		p.failf("Receive of a delivery %s: %d events, err %v; want none and ErrForged. Verify the signature over the raw body, before "+
			"anything is parsed", what, len(events), err)
		return false
	}
	return true
}

func clone(d providers.Delivery) providers.Delivery {
	return providers.Delivery{Header: d.Header.Clone(), Body: bytes.Clone(d.Body), ReceivedAt: d.ReceivedAt}
}

var flippedCheck = Check{
	Name: "webhook-flipped-byte",
	Rule: "A delivery with any byte of its body changed, cut or added, or without its headers, is ErrForged: whoever can reach the URL " +
		"could otherwise credit a wallet.",
	run: func(p *probe) {
		r := p.receiver()
		d := p.deliveries()[0]
		p.receive(r, d)
		for i := range d.Body {
			bad := clone(d)
			bad.Body[i] ^= 1
			if !p.forged(r, bad, "with a flipped bit") {
				return
			}
		}
		cut, longer, bare, empty := clone(d), clone(d), clone(d), clone(d)
		cut.Body = cut.Body[:len(cut.Body)-1]
		longer.Body = append(longer.Body, ' ')
		bare.Header = nil
		empty.Body = nil
		p.forged(r, cut, "that was cut")
		p.forged(r, longer, "with a space behind it")
		p.forged(r, bare, "without headers")
		p.forged(r, empty, "without a body")
		p.receive(r, d)
	},
}

var secretCheck = Check{
	Name: "webhook-wrong-secret",
	Rule: "A delivery signed with another secret is ErrForged, well made as it may be.",
	run: func(p *probe) {
		r := p.receiver()
		for _, d := range p.deliveries() {
			p.forged(r, p.Forge(clone(d)), "signed with another secret")
		}
	},
}

var redeliveryCheck = Check{
	Name: "webhook-redelivery",
	Rule: "The same delivery yields the same events with the same ids and effects, as often as it comes and after a restart: Receive " +
		"changes nothing and remembers nothing.",
	run: func(p *probe) {
		r := p.receiver()
		reopened, ok := providers.As[providers.Receiver](p.Reopen())
		if !ok {
			p.fatalf("the provider is a Receiver, but not after a restart")
		}
		for _, d := range p.deliveries() {
			first := p.receive(r, clone(d))
			for _, again := range [][]providers.Event{p.receive(r, clone(d)), p.receive(reopened, clone(d))} {
				if !reflect.DeepEqual(first, again) {
					p.failf("a redelivery gave %+v, at first %+v", again, first)
				}
			}
		}
	},
}

var orderCheck = Check{
	Name: "webhook-order",
	Rule: "Deliveries in any order come to the same: the effects of all events together are those that Lookup knows. The far side " +
		"promises no order.",
	run: func(p *probe) {
		r := p.receiver()
		all := p.deliveries()
		inOrder := make(map[string][]providers.Event, len(all))
		for _, d := range all {
			inOrder[string(d.Body)] = p.receive(r, clone(d))
		}
		// From the last to the first, then shuffled: nothing that came before may change what comes out.
		rng := rand.New(rand.NewPCG(5, 33)) //nolint:gosec // the same order every time, so that a failure can be looked into
		slices.Reverse(all)
		var events []providers.Event
		for round := range 4 {
			reopened, _ := providers.As[providers.Receiver](p.Reopen())
			for _, d := range all {
				got := p.receive(reopened, clone(d))
				if want := inOrder[string(d.Body)]; !reflect.DeepEqual(got, want) {
					p.failf("in another order a delivery gave %+v, before %+v", got, want)
				}
				if round == 0 {
					events = append(events, got...)
				}
			}
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		}
		l := &sightings{p: &p.verdict}
		p.converge(l, events, "webhooks")
	},
}

// converge checks that events together say what Lookup says.
func (p *probe) converge(l *sightings, events []providers.Event, way string) {
	of := map[string]map[string]bool{} // effect ids by reference
	for _, e := range events {
		r := e.Report
		if r == nil {
			found, err := p.Provider.Lookup(p.ctx, *e.Lookup)
			if err != nil {
				p.failf("event %s hints at an operation that Lookup does not find: %v", e.ID, err)
				continue
			}
			r = &found
		}
		l.add(*r, way)
		if of[r.Reference] == nil {
			of[r.Reference] = map[string]bool{}
		}
		for _, x := range r.Effects {
			of[r.Reference][x.ID] = true
		}
	}
	for reference, ids := range of {
		r, err := p.Provider.Lookup(p.ctx, providers.Query{Reference: reference})
		if err != nil {
			p.failf("Lookup of %s, of which %s told: %v", reference, way, err)
			continue
		}
		l.add(r, "Lookup")
		for _, x := range r.Effects {
			if !ids[x.ID] {
				p.failf("effect %s of %s is known to Lookup, but no event of %s told of it", x.ID, reference, way)
			}
		}
	}
}

var unknownTypeCheck = Check{
	Name: "webhook-unknown-type",
	Rule: "An authentic delivery of an unknown type yields no event and no error: far sides add types, and an error would make them " +
		"switch the webhook off.",
	run: func(p *probe) {
		r := p.receiver()
		if events, err := r.Receive(p.ctx, p.Unknown()); err != nil || len(events) > 0 {
			p.failf("Receive of an unknown type: %d events, err %v; want neither", len(events), err)
		}
	},
}
