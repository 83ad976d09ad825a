package providertest

import (
	"context"
	"slices"

	"github.com/koshpay/kosh/providers"
)

var pollErrorCheck = Check{
	Name: "poll-error-keeps-cursor",
	Rule: "A Poll that fails returns its error, no event and the cursor that it was given: a cursor that moves on an error skips money that " +
		"is seen nowhere else.",
	run: func(p *probe) {
		poller := p.poller()
		p.each(func(op providers.Operation) { p.submit(op) })
		p.settle()
		all, end := p.pollAll(poller, "", 1000)
		_, second, err := poller.Poll(p.ctx, "", 1)
		if err != nil {
			p.fatalf("Poll from the beginning: %v", err)
		}
		ended, cancel := context.WithCancel(p.ctx)
		cancel()
		for _, cursor := range []string{"", second, end} {
			p.pollFails(ended, poller, cursor, "under an ended context")
			if p.Fault(FailPoll) {
				p.pollFails(p.ctx, poller, cursor, "that meets an error")
			}
		}
		if again, _ := p.pollAll(poller, "", 1000); !slices.Equal(ids(again), ids(all)) {
			p.failf("after polls that failed Poll returns %s, before %s", quoted(ids(again)), quoted(ids(all)))
		}
	},
}

func (p *probe) pollFails(ctx context.Context, poller providers.Poller, cursor, how string) {
	events, next, err := poller.Poll(ctx, cursor, 100)
	if err == nil {
		p.failf("Poll %s after %q returned %d events and no error", how, cursor, len(events))
		return
	}
	if len(events) > 0 || next != cursor {
		p.failf("Poll %s after %q returned %d events and cursor %q; want none, and the cursor stays", how, cursor, len(events), next)
	}
}

var pollWhileCheck = Check{
	Name: "poll-while-it-happens",
	Rule: "What happens between two pages is on a later page: a list that was taken once, or that begins with the newest, skips what comes in " +
		"while it is read.",
	run: func(p *probe) {
		poller := p.poller()
		p.each(func(op providers.Operation) { p.submit(op) })
		p.Advance()
		var events []providers.Event
		var references []string
		cursor, quiet := "", 0
		const between, enough = 5, 10_000
		for page := range enough {
			if page < between {
				if op, ok := p.first(); ok {
					references = append(references, p.submit(op).Reference)
				}
				p.Advance()
			} else if page == between {
				p.settle()
			}
			got, next, err := poller.Poll(p.ctx, cursor, 1)
			if err != nil {
				p.fatalf("Poll after %q: %v", cursor, err)
			}
			events = append(events, got...)
			if len(got) == 0 && next == cursor {
				quiet++
			}
			if cursor = next; quiet > 0 && page > between {
				break
			}
		}
		for _, reference := range references {
			if !slices.ContainsFunc(events, func(e providers.Event) bool { return about(e, reference) }) {
				p.failf("Poll told nothing of %s, which happened between two pages", reference)
			}
		}
		p.converge(&sightings{p: &p.verdict}, events, "Poll")
	},
}

// news collects events by every way there is.
func (p *probe) news() []providers.Event {
	var events []providers.Event
	if r, ok := providers.As[providers.Receiver](p.Provider); ok {
		for _, d := range p.Deliveries() {
			events = append(events, p.receive(r, d)...)
		}
	}
	if poller, ok := providers.As[providers.Poller](p.Provider); ok {
		polled, _ := p.pollAll(poller, "", 1000)
		events = append(events, polled...)
	}
	return events
}

var unaskedCheck = Check{
	Name: "unasked-is-reported",
	Rule: "Money that nobody asked for is reported all the same, once for each time it came, without a key and with a reference that Lookup " +
		"finds: payments puts it into suspense, where a person sees it. What is dropped here is lost.",
	run: func(p *probe) {
		if p.Unasked == nil {
			p.waive("the harness' far side does nothing unasked")
		}
		p.each(func(op providers.Operation) { p.submit(op) })
		before := map[string]bool{}
		for _, e := range p.news() {
			before[reference(e)] = true
		}
		const times = 2
		for range times {
			amount, err := p.Unasked()
			if err != nil {
				p.fatalf("World.Unasked: %v", err)
			}
			p.settle()
			found := map[string]providers.Report{}
			for _, e := range p.news() {
				if before[reference(e)] {
					continue
				}
				q := e.Lookup
				if q == nil {
					q = &providers.Query{Reference: e.Report.Reference, Kind: e.Report.Kind}
				}
				r, err := p.Provider.Lookup(p.ctx, *q)
				if err != nil {
					p.failf("event %s is about %s, which Lookup does not find: %v", e.ID, reference(e), err)
					continue
				}
				p.valid(r, "Lookup")
				if r.Key == "" && r.Kind != providers.Settlement { // our own balance being paid out is no stranger's money
					found[r.Reference] = r
				}
				before[reference(e)] = true
			}
			if len(found) != 1 {
				p.fatalf("%v came unasked and is reported as %d operations without a key, by webhook and Poll together", amount, len(found))
			}
			for _, r := range found {
				if moved, _ := net(r); moved != amount {
					p.failf("%v came unasked and is reported as %v: %+v", amount, moved, r.Effects)
				}
			}
		}
	},
}

// reference is the far side's name of what an event is about.
func reference(e providers.Event) string {
	if e.Report != nil {
		return e.Report.Reference
	}
	return e.Lookup.Reference
}
