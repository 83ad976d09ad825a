package providertest

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/koshpay/kosh/providers"
)

// countedDeposit pays a usual amount in and lets it count.
func (p *chainProbe) countedDeposit() (txid string) {
	a := p.some()
	txid = p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)})
	p.mine(p.Confirmations)
	p.drain()
	p.credited(txid, p.Usual(a).Big(), "before a reorganisation")
	return txid
}

// movedIDs are the ids of a transaction's Moved effects.
func (p *chainProbe) movedIDs(txid string) (list []string) {
	for id, s := range p.effects.seen {
		if s.effect.Kind == providers.Moved && strings.HasPrefix(s.of, txid) {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

var orphanedCheck = ChainCheck{
	Name: "double-spent-is-taken-back",
	Rule: "A deposit that counted, was orphaned and is spent elsewhere on the branch that won is taken back by a Reversed effect that names it. It " +
		"does not come back.",
	run: func(p *chainProbe) {
		txid := p.countedDeposit()
		p.reorganise(p.Confirmations, txid)
		p.drain()
		p.credited(txid, new(big.Int), "orphaned and spent elsewhere")
		r, ok := p.deposit(txid)
		if !ok || r.Reason.Code != providers.CodeOrphaned {
			p.failf("an orphaned deposit is reported with the code %q, want %q", r.Reason.Code, providers.CodeOrphaned)
		}
		for _, e := range r.Effects {
			if e.Kind == providers.Reversed && (!slices.Contains(p.movedIDs(txid), e.Reverses) || e.ID == e.Reverses) {
				p.failf("the effect %s that takes an orphaned deposit back names %q as what it takes back", e.ID, e.Reverses)
			}
		}
		p.settle()
		p.credited(txid, new(big.Int), "orphaned and spent elsewhere, for good")
	},
}

var minedAgainCheck = ChainCheck{
	Name: "mined-again-is-another-effect",
	Rule: "A deposit that was orphaned and is mined again in another block counts again after its confirmations, as an effect of another id: under " +
		"the old one it would not be posted.",
	run: func(p *chainProbe) {
		amount := p.Usual(p.some()).Big()
		txid := p.countedDeposit()
		for round := 2; round <= 3; round++ {
			p.reorganise(p.Confirmations)
			p.drain()
			p.credited(txid, new(big.Int), "orphaned")
			p.mine(p.Confirmations - 1)
			p.drain()
			p.credited(txid, new(big.Int), "mined again, one confirmation too few")
			p.mine(1)
			p.drain()
			p.credited(txid, amount, "mined again")
			if got := p.movedIDs(txid); len(got) != round {
				p.failf("a deposit that counted in %d blocks has the Moved effects %s, want one for each block", round, quoted(got))
			}
		}
	},
}

var orphanedEarlyCheck = ChainCheck{
	Name: "orphaned-before-it-counts",
	Rule: "A deposit that is orphaned before it counts moves nothing, and counts its confirmations from the beginning when it is mined again.",
	run: func(p *chainProbe) {
		a := p.some()
		gone, back := p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)}), p.pay(ChainPayment{p.address(a, "bob"), p.Usual(a)})
		p.mine(p.Confirmations - 1)
		p.drain()
		p.reorganise(p.Confirmations-1, gone)
		p.drain()
		p.mine(p.Confirmations - 1)
		p.drain()
		p.credited(back, nil, "one confirmation too few since it was mined again")
		p.mine(1)
		p.drain()
		p.credited(back, p.Usual(a).Big(), "mined again")
		p.credited(gone, nil, "orphaned for good before it counted")
	},
}

var duringScanCheck = ChainCheck{
	Name: "reorganised-during-a-scan",
	Rule: "Blocks may be replaced between two requests of one scan. Whichever two, an adapter that takes one block from each branch credits what is on neither.",
	run: func(p *chainProbe) {
		const most = 40
		whole := &Tap{}
		p.reorganisedAt(0, false, whole)
		at := places(whole.taken(), most)
		for _, n := range at {
			for _, drop := range []bool{true, false} {
				p.reorganisedAt(n, drop, &Tap{})
			}
		}
		p.note("a scan takes %d steps: reorganised before %d of them", len(whole.taken()), len(at))
	},
}

// reorganisedAt pays a deposit in and replaces its block before one step of the scan that finds it; drop: for good.
func (p *chainProbe) reorganisedAt(n int, drop bool, tap *Tap) {
	a := p.some()
	txid := p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)})
	p.mine(p.Confirmations)
	var dropped []string
	want := p.Usual(a).Big()
	if drop {
		dropped, want = []string{txid}, nil
	}
	var broken error
	done := false
	tap.before = func(s step) error {
		if s.n == n {
			done, broken = true, p.Reorganise(p.Confirmations, dropped...)
		}
		return nil
	}
	p.restart(tap)
	_ = p.scan() // which may give up, if it says so
	p.must(broken, "Reorganise")
	p.restart(nil)
	p.mine(p.Confirmations)
	p.drain()
	if !done {
		want = p.Usual(a).Big()
	} else if drop && p.paidIn(txid) != nil {
		want = new(big.Int) // it counted, and was taken back
	}
	p.credited(txid, want, fmt.Sprintf("reorganised before step %d of a scan", n))
}

var tooDeepCheck = ChainCheck{
	Name: "too-deep-halts",
	Rule: "A reorganisation deeper than the window takes back what was final: the adapter halts, moves nothing and sends nothing, also after a " +
		"restart, until a person has looked. Then it goes on along the branch that won.",
	run: func(p *chainProbe) {
		p.mine(p.Window)
		p.drain()
		txid := p.countedDeposit()
		before := len(p.effects.seen)
		p.reorganise(p.Window + 1)
		p.halted("a reorganisation deeper than the window")
		if len(p.effects.seen) != before {
			p.failf("an adapter that halts reported effects all the same: %s", p.listed(p.some().ID()))
		}
		p.must(p.Resume(p.adapter), "Resume")
		p.mine(p.Confirmations)
		p.drain()
		p.credited(txid, p.Usual(p.some()).Big(), "mined again and resumed")
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		p.send(op)
		p.arrives(op, "after it was resumed")
	},
}

// halted checks that the adapter has halted, and stays so in another process.
func (p *chainProbe) halted(why string) {
	tap := &Tap{}
	for _, when := range []string{why, why + ", after a restart"} {
		if err := p.scan(); !errors.Is(err, providers.ErrHalted) {
			p.fatalf("%s: Poll returns %v, want ErrHalted", when, err)
		}
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		_, err := p.adapter.Submit(p.ctx, op)
		if !errors.Is(err, providers.ErrHalted) {
			p.failf("%s: Submit returns %v, want ErrHalted", when, err)
		}
		p.restart(tap)
	}
	if n := len(tap.signed()); n > 0 {
		p.failf("%s: the adapter had %d transactions signed", why, n)
	}
}

var strangerCheck = ChainCheck{
	Name: "another-chain-halts",
	Rule: "Endpoints that answer for another chain than the configured one, a test network say, credit play money and take signatures that are good " +
		"elsewhere: the adapter halts.",
	run: func(p *chainProbe) {
		if p.Stranger == nil {
			p.waive("adapters are not told which chain they are on (no ChainWorld.Stranger)")
		}
		p.must(p.Stranger(true), "Stranger")
		p.restart(nil)
		p.halted("another chain answers")
		p.must(p.Stranger(false), "Stranger")
		p.must(p.Resume(p.adapter), "Resume")
		p.inAndOut(p.Asset)
	},
}

var disagreeCheck = ChainCheck{
	Name: "endpoints-that-disagree-halt",
	Rule: "Endpoints that tell of different blocks below the window cannot both be right: the adapter halts, rather than believe the one it asked first.",
	run: func(p *chainProbe) {
		if p.Disagree == nil {
			p.waive("there is one endpoint (no ChainWorld.Disagree)")
		}
		p.mine(p.Window + 2)
		p.drain()
		p.must(p.Disagree(true), "Disagree")
		p.mine(1)
		p.restart(nil)
		p.halted("two endpoints disagree")
		p.must(p.Disagree(false), "Disagree")
		p.must(p.Resume(p.adapter), "Resume")
		p.inAndOut(p.Asset)
	},
}
