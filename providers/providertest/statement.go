package providertest

import (
	"context"
	"fmt"
	"time"

	"github.com/koshpay/kosh/providers"
)

var statementCheck = Check{
	Name: "statement-lists-all",
	Rule: "List gives every movement exactly once, with the ids and amounts of the reports, in pages of any size and in periods that abut: it is " +
		"what payments compares its books with, so a gap or a repeat is money that is missed or made up.",
	run: func(p *probe) {
		lister, ok := providers.As[providers.Lister](p.Provider)
		if !ok {
			p.waive("the provider is no Lister")
		}
		known := map[string]providers.Effect{}
		var times []time.Time
		var ops []providers.Operation
		p.each(func(op providers.Operation) { p.submit(op); ops = append(ops, op) })
		p.settle()
		for _, op := range ops {
			for _, e := range p.lookup(op).Effects {
				known[e.ID] = e
				times = append(times, e.At)
			}
		}
		if len(known) == 0 {
			p.waive("none of the samples moves money")
		}
		since, until, middle := times[0], times[0], times[len(times)/2]
		for _, at := range times {
			if at.Before(since) {
				since = at
			}
			if at.After(until) {
				until = at
			}
		}
		since, until = since.Add(-time.Second), until.Add(time.Second) // far sides round times
		whole := p.list(lister, since, until, 1000)
		p.listed(whole, known)
		for _, limit := range []int{1, 2, 7} {
			if paged := p.list(lister, since, until, limit); fmt.Sprint(movementIDs(paged)) != fmt.Sprint(movementIDs(whole)) {
				p.failf("in pages of %d List gives %v; in one: %v", limit, movementIDs(paged), movementIDs(whole))
			}
		}
		middle = middle.Truncate(time.Second)
		halves := append(p.list(lister, since, middle, 1000), p.list(lister, middle, until, 1000)...)
		p.listed(halves, known)
		if len(halves) != len(whole) {
			p.failf("List gives %d movements in two periods that abut, and %d in one", len(halves), len(whole))
		}
		ended, cancel := context.WithCancel(p.ctx)
		cancel()
		if got, next, err := lister.List(ended, since, until, "", 10); err == nil || len(got) > 0 || next != "" {
			p.failf("List under an ended context: %d movements, cursor %q, err %v; want its error and nothing else", len(got), next, err)
		}
	},
}

// list reads a period in pages.
func (p *probe) list(lister providers.Lister, since, until time.Time, limit int) []providers.Movement {
	var all []providers.Movement
	cursor := ""
	const enough = 100_000
	for range enough {
		page, next, err := lister.List(p.ctx, since, until, cursor, limit)
		if err != nil {
			p.fatalf("List after %q: %v", cursor, err)
		}
		if len(page) > limit {
			p.failf("List returned %d movements, at most %d were wanted", len(page), limit)
		}
		all = append(all, page...)
		if next == "" {
			return all
		}
		cursor = next
	}
	p.fatalf("List never came to an end: after the last movement the cursor is empty")
	return nil
}

// listed checks movements against the effects that reports told of.
func (p *probe) listed(movements []providers.Movement, known map[string]providers.Effect) {
	seen := map[string]bool{}
	for _, m := range movements {
		if seen[m.ID] {
			p.failf("List gives movement %s twice", m.ID)
		}
		seen[m.ID] = true
		if e, ok := known[m.ID]; ok && (e.Amount != m.Amount || e.Kind != m.Kind) {
			p.failf("List gives %s %v under id %s, of which a report says %s %v", m.Kind, m.Amount, m.ID, e.Kind, e.Amount)
		}
	}
	for id, e := range known {
		if !seen[id] {
			p.failf("effect %s (%s %v) was reported, and List does not give it", id, e.Kind, e.Amount)
		}
	}
}

func movementIDs(movements []providers.Movement) []string {
	list := make([]string, len(movements))
	for i, m := range movements {
		list[i] = m.ID
	}
	return list
}
