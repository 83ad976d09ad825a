package providertest

import (
	"slices"

	"github.com/koshpay/kosh/providers"
)

// pollAll reads the whole list in pages.
func (v *verdict) pollAll(poller providers.Poller, cursor string, limit int) (events []providers.Event, next string) {
	const enough = 100_000
	for range enough {
		page, next, err := poller.Poll(v.ctx, cursor, limit)
		if err != nil {
			v.fatalf("Poll after %q: %v", cursor, err)
		}
		if len(page) > limit {
			v.failf("Poll returned %d events, at most %d were wanted", len(page), limit)
		}
		events = append(events, page...)
		if len(page) == 0 && next == cursor {
			return events, next
		}
		cursor = next
	}
	v.fatalf("Poll never came to an end: at the end it returns no event and the cursor it was given")
	return nil, ""
}

func ids(events []providers.Event) []string {
	var list []string
	for _, e := range events {
		if !slices.Contains(list, e.ID) {
			list = append(list, e.ID)
		}
	}
	return list
}

var pollCheck = Check{
	Name: "poll-without-gaps",
	Rule: "From any cursor Poll returns everything after it, in pages of any size, after a restart too; it may repeat, never skip. " +
		"Money that comes unasked is seen nowhere else.",
	run: func(p *probe) {
		poller := p.poller()
		p.each(func(op providers.Operation) { p.submit(op) })
		p.settle()
		all, end := p.pollAll(poller, "", 1000)
		want := ids(all)
		if len(want) == 0 {
			p.fatalf("Poll returned no event about anything that happened")
		}
		for _, limit := range []int{1, 2, 7} {
			paged, _ := p.pollAll(poller, "", limit)
			if got := ids(paged); !slices.Equal(got, want) {
				p.failf("in pages of %d Poll returned %s; in one: %s", limit, quoted(got), quoted(want))
			}
		}
		reopened, ok := providers.As[providers.Poller](p.Reopen())
		if !ok {
			p.fatalf("the provider is a Poller, but not after a restart")
		}
		cursor, seen := "", 0
		for seen < len(want) {
			page, next, err := poller.Poll(p.ctx, cursor, 1)
			if err != nil || len(page) == 0 && next == cursor {
				p.fatalf("Poll after %q: %d events, err %v; %d of %d seen", cursor, len(page), err, seen, len(want))
			}
			seen += len(page)
			cursor = next
			rest, _ := p.pollAll(reopened, cursor, 1000)
			if got := ids(rest); len(got) < len(want)-seen || !slices.Equal(got[len(got)-(len(want)-seen):], want[seen:]) {
				p.failf("after cursor %q and a restart Poll returned %s, want %s", cursor, quoted(got), quoted(want[seen:]))
			}
		}
		op, ok := p.first()
		if !ok {
			return
		}
		r := p.submit(op)
		p.settle()
		fresh, _ := p.pollAll(poller, end, 1000)
		if !slices.ContainsFunc(fresh, func(e providers.Event) bool { return about(e, r.Reference) }) {
			p.failf("after the cursor at the end Poll told nothing of %s %s, which came later", op.Kind, r.Reference)
		}
	},
}

func about(e providers.Event, reference string) bool {
	return e.Report != nil && e.Report.Reference == reference || e.Lookup != nil && e.Lookup.Reference == reference
}

var pollCompleteCheck = Check{
	Name: "poll-tells-all",
	Rule: "What Poll tells of an operation comes to what Lookup knows: every effect, with the same ids. Poll is how lost webhooks heal.",
	run: func(p *probe) {
		poller := p.poller()
		var references []string
		p.each(func(op providers.Operation) { references = append(references, p.submit(op).Reference) })
		p.settle()
		events, _ := p.pollAll(poller, "", 1000)
		for _, reference := range references {
			if !slices.ContainsFunc(events, func(e providers.Event) bool { return about(e, reference) }) {
				p.failf("Poll told nothing of %s", reference)
			}
		}
		p.converge(&sightings{p: &p.verdict}, events, "Poll")
	},
}
