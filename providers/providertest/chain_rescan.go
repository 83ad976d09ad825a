package providertest

import (
	"maps"
	"slices"
	"sync"

	"github.com/koshpay/kosh/providers"
)

var rescanCheck = ChainCheck{
	Name: "rescan-credits-once",
	Rule: "Polls from the beginning, from any cursor, after a restart and in a second process tell of the same effects under the same ids: whoever reads " +
		"a block twice credits once.",
	run: func(p *chainProbe) {
		first := p.countedDeposit()
		middle := p.cursor
		second := p.countedDeposit()
		p.reorganise(p.Confirmations)
		p.mine(p.Confirmations)
		p.drain()
		want := slices.Sorted(maps.Keys(p.effects.seen))
		for _, adapter := range []func(){func() {}, func() { p.restart(nil) }, func() { p.restart(nil) }} {
			for _, from := range []string{"", middle, p.cursor} {
				adapter()
				p.cursor = from
				p.drain()
				if got := slices.Sorted(maps.Keys(p.effects.seen)); !slices.Equal(got, want) {
					p.fatalf("Poll from %q again tells of other effects: %s; before: %s", from, quoted(got), quoted(want))
				}
			}
		}
		for _, txid := range []string{first, second} {
			p.credited(txid, p.Usual(p.some()).Big(), "after all the polls")
		}
	},
}

var restartCreditsCheck = ChainCheck{
	Name: "restart-credits-once",
	Rule: "An adapter that is started anew between any two blocks knows its addresses, its transactions and how far it was: nothing is missed, nothing " +
		"counts twice.",
	run: func(p *chainProbe) {
		a := p.some()
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		p.send(op)
		to := p.address(a, "alice")
		var paid []string
		for range 2 * p.Confirmations {
			paid = append(paid, p.pay(ChainPayment{to, p.Usual(a)}))
			p.mine(1)
			p.restart(nil)
			p.drain()
		}
		p.settle()
		for _, txid := range paid {
			p.credited(txid, p.Usual(a).Big(), "with a restart after every block")
		}
		p.paidOut(op, "with a restart after every block")
	},
}

var pagesCheck = ChainCheck{
	Name: "pages-skip-nothing",
	Rule: "Poll tells of every deposit in pages of any size: deposits are seen nowhere else.",
	run: func(p *chainProbe) {
		a := p.some()
		var paid []string
		for i := range 7 {
			payments := []ChainPayment{{p.address(a, "alice"), p.Usual(a)}}
			if p.Token != nil && i%2 == 0 {
				payments = append(payments, ChainPayment{p.address(a, "bob"), p.Usual(a)})
			}
			paid = append(paid, p.pay(payments...))
		}
		p.mine(p.Confirmations)
		for _, limit := range []int{1, 2, 3} {
			seen := map[string]bool{}
			events, _ := p.pollAll(p.poller(), "", limit)
			for _, e := range events {
				p.heard(e)
				if e.Report != nil {
					seen[e.Report.Reference] = true
				} else {
					seen[e.Lookup.Reference] = true
				}
			}
			for _, txid := range paid {
				if !slices.ContainsFunc(slices.Collect(maps.Keys(seen)), func(r string) bool { return len(r) > len(txid) && r[:len(txid)] == txid }) {
					p.failf("in pages of %d Poll does not tell of %s", limit, txid)
				}
			}
		}
		for i, txid := range paid {
			n := int64(1)
			if p.Token != nil && i%2 == 0 {
				n = 2
			}
			p.credited(txid, times(n, p.Usual(a)), "read in pages")
		}
	},
}

var twoScannersCheck = ChainCheck{
	Name: "two-processes-scan",
	Rule: "Two processes that poll at once, on one store, tell of the same effects: neither loses what the other found, and nothing counts twice.",
	run: func(p *chainProbe) {
		a := p.some()
		to := p.address(a, "alice")
		var paid []string
		var pollers []providers.Poller
		for range 2 {
			p.restart(nil)
			pollers = append(pollers, p.poller())
		}
		for range p.Confirmations + 1 {
			paid = append(paid, p.pay(ChainPayment{to, p.Usual(a)}))
			p.mine(1)
			pages := make([][]providers.Event, len(pollers))
			errs := make([]error, len(pollers))
			var group sync.WaitGroup
			for i, poller := range pollers {
				group.Go(func() {
					const all = 1000
					pages[i], _, errs[i] = poller.Poll(p.ctx, "", all)
				})
			}
			group.Wait()
			for i, page := range pages {
				if errs[i] != nil {
					p.note("one of two processes that poll at once: %v", errs[i])
				}
				for _, e := range page {
					p.heard(e)
				}
			}
		}
		p.settle()
		for _, txid := range paid {
			p.credited(txid, p.Usual(a).Big(), "with two processes")
		}
	},
}
