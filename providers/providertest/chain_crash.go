package providertest

import (
	"errors"
	"fmt"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// everyDeath lets a process do something and die at each of its steps, before the step and, if it changes something, after it, before the
// process hears of it. do begins anew each time: it calls work in the process that will die, and afterwards sees to it that the next
// process makes up for it. Of very many steps it takes those that change something, those after them, and a sample of the others.
func (p *chainProbe) everyDeath(what string, do func(victim *Tap, when string)) {
	const most = 120
	whole := &Tap{}
	do(whole, what+" in one piece")
	steps := whole.taken()
	deaths := 0
	for _, at := range places(steps, most) {
		early := diesAt(at, false)
		do(early, fmt.Sprintf("dead before step %d of %s", at, what))
		if !early.died() { // it is shorter this time
			continue
		}
		deaths++
		last := early.taken()[at-1]
		if late := diesAt(at, true); last.changes {
			do(late, fmt.Sprintf("dead after step %d of %s (%s)", at, what, last.name))
			deaths++
		}
	}
	if deaths == 0 {
		p.fatalf("no process died at %s: let the adapter reach its store, signer and endpoints through the tap alone", what)
	}
	p.note("%s takes %d steps: %d processes died at them", what, len(steps), deaths)
}

// places are the numbers of all steps, or when they are more than most, of those that change something, of those after them, and
// of others at equal distances.
func places(steps []step, most int) (list []int) {
	stride := (len(steps) + most - 1) / most
	for i := range steps {
		if i%stride == 0 || steps[i].changes || steps[i-1].changes {
			list = append(list, i+1)
		}
	}
	return list
}

var crashWithdrawalCheck = ChainCheck{
	Name: "crash-while-withdrawing",
	Rule: "A process may die before or after any step, while it takes a nonce, signs, writes down, sends, notes what it sent. The next one pays exactly " +
		"once, and what another withdrawal does in between is not held up for good.",
	run: func(p *chainProbe) {
		i := 0
		p.everyDeath("a withdrawal", func(victim *Tap, when string) {
			op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
			_, _ = p.Connect(victim).Submit(p.ctx, op)
			p.restart(nil)
			p.drain()
			if i++; i%3 == 0 {
				between := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
				p.insist(between)
				defer p.arrives(between, "sent after a process was "+when)
			}
			if i%2 == 0 { // payments may send it again without looking
				op.Attempt++
				if _, err := p.adapter.Submit(p.ctx, op); err != nil && providers.CertaintyOf(err) == providers.Rejected {
					p.failf("%s: sent again, it is Rejected: %v", when, err)
				}
			}
			p.insist(op)
			p.mine(1)
			p.arrives(op, when)
		})
	},
}

var crashAddressCheck = ChainCheck{
	Name: "crash-while-making-an-address",
	Rule: "An address that was shown is known for ever: the index is written down before. A process that dies in between leaves a gap at worst, never two " +
		"people with one address.",
	run: func(p *chainProbe) {
		a := p.some()
		seen := map[string]string{}
		var paid []string
		p.everyDeath("making an address", func(victim *Tap, when string) {
			op := p.addressFor(a, "alice")
			shown := ""
			if r, err := p.Connect(victim).Submit(p.ctx, op); err == nil {
				shown = p.addressOf(r)
			}
			p.restart(nil)
			after := p.address(a, "bob")
			address := p.addressOf(p.insist(op))
			if shown != "" && shown != address {
				p.failf("%s: %s was shown, and the next process says %s", when, shown, address)
			}
			for _, one := range []string{address, after} {
				if by, taken := seen[one]; taken {
					p.failf("%s: %s was given out %s already", when, one, by)
				}
				seen[one] = when
			}
			paid = append(paid, p.pay(ChainPayment{address, p.Usual(a)}))
		})
		p.mine(p.Confirmations)
		p.drain()
		for _, txid := range paid {
			p.credited(txid, p.Usual(a).Big(), "paid to an address that was made while a process died")
		}
	},
}

var crashScanCheck = ChainCheck{
	Name: "crash-while-scanning",
	Rule: "A process that dies at any step of a scan has skipped nothing and counted nothing twice when the next one polls from the cursor that was kept.",
	run: func(p *chainProbe) {
		a := p.some()
		to := p.address(a, "alice")
		p.everyDeath("a scan", func(victim *Tap, when string) {
			txid := p.pay(ChainPayment{to, p.Usual(a)})
			p.mine(p.Confirmations)
			kept := p.cursor
			p.restart(victim)
			_ = p.scan()
			p.restart(nil)
			p.cursor = kept
			p.drain()
			p.credited(txid, p.Usual(a).Big(), when)
		})
	},
}

var lostAnswerCheck = ChainCheck{
	Name: "unknown-broadcast-pays-once",
	Rule: "When the network takes a transaction and the answer is lost, or the request is, the outcome is unknown: neither NotSent nor Rejected. Looked up " +
		"and sent again it is the same transaction, and pays exactly once.",
	run: func(p *chainProbe) {
		for _, arrives := range []bool{true, false} {
			when := map[bool]string{true: "the network took the transaction and the answer was lost", false: "the transaction was lost on its way"}[arrives]
			op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
			tap := &Tap{}
			if arrives {
				tap.after = func(s step, err error) error { return whenBroadcast(s, err) }
			} else {
				tap.before = func(s step) error { return whenBroadcast(s, nil) }
			}
			r, err := p.Connect(tap).Submit(p.ctx, op)
			if tap.broadcasts() == 0 {
				p.fatalf("Submit sent nothing that the tap calls a broadcast: let the harness say which requests carry a transaction")
			}
			if c := providers.CertaintyOf(err); err != nil && (c == providers.Rejected || c == providers.NotSent) {
				p.failf("%s: the error says %s, which releases the money: %v", when, c, err)
			}
			if err == nil && (r.State == providers.Failed || r.State == providers.Canceled) {
				p.failf("%s: the report says %s", when, r.State)
			}
			op.Attempt++
			for how, tap := range map[string]*Tap{
				"while no endpoint answers":        {before: whenCall},
				"while the signer would refuse":    answering(func([]byte) ([]byte, error) { return nil, providers.ErrSignerRefused }),
				"while all answers":                {},
				"while broadcasts are turned away": {before: func(s step) error { return whenBroadcast(s, nil) }},
			} {
				if _, err := p.Connect(tap).Submit(p.ctx, op); err != nil && providers.CertaintyOf(err) == providers.Rejected {
					p.failf("%s, and it is sent again %s: %v", when, how, err)
				}
				op.Attempt++
			}
			p.insist(op)
			p.arrives(op, when)
		}
	},
}

// errLost is what a tap makes of a request whose answer does not come.
var errLost = errors.New("providertest: connection reset by peer")

func whenBroadcast(s step, err error) error {
	if s.broadcast {
		return errLost
	}
	return err
}

// whenCall is errLost of every request to an endpoint.
func whenCall(s step) error {
	if s.call {
		return errLost
	}
	return nil
}

var endpointDownCheck = ChainCheck{
	Name: "endpoint-down",
	Rule: "While no endpoint answers nothing is decided: no withdrawal is Rejected, no deposit is lost, and when they answer again all goes on.",
	run: func(p *chainProbe) {
		a := p.some()
		txid := p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)})
		p.mine(p.Confirmations)
		tap := &Tap{before: whenCall}
		p.restart(tap)
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		if _, err := p.adapter.Submit(p.ctx, op); err != nil && providers.CertaintyOf(err) == providers.Rejected {
			p.failf("an endpoint that does not answer Rejects a withdrawal: %v", err)
		}
		kept := p.cursor
		if err := p.scan(); err == nil {
			p.failf("Poll finds nothing and no fault while no endpoint answers")
		}
		p.cursor = kept
		p.restart(nil)
		p.drain()
		p.credited(txid, p.Usual(a).Big(), "the endpoint answers again")
		p.insist(op)
		p.arrives(op, "the endpoint answers again")
	},
}

var crashReplacingCheck = ChainCheck{
	Name: "crash-while-replacing",
	Rule: "Process after process may die while it replaces what is stuck, each one change further than the one before. Whichever of the transactions the last " +
		"one knows of, the withdrawal is paid once, and its fee is what was really paid.",
	run: func(p *chainProbe) {
		for _, late := range []bool{false, true} {
			op, _ := p.congested(currency.Amount{})
			p.mine(p.Confirmations + 2)
			const most = 60
			deaths := 0
			for at := 1; at <= most; at++ {
				victim := diesAtChange(at, late)
				p.restart(victim)
				kept := p.cursor
				_ = p.scan()
				if p.Bump != nil {
					_ = p.Bump(p.adapter)
				}
				p.cursor = kept
				if !victim.died() {
					break
				}
				deaths++
			}
			p.restart(nil)
			p.arrives(op, fmt.Sprintf("replaced while %d processes died", deaths))
			p.note("%d processes died while they replaced what was stuck", deaths)
		}
	},
}

var crashSweepingCheck = ChainCheck{
	Name: "crash-while-sweeping",
	Rule: "A process may die before or after any change that a scan and a sweep make. Nothing is lost, nothing is taken for a deposit, every fee is reported, and the next one " +
		"sweeps what is left.",
	run: func(p *chainProbe) {
		if p.Sweep == nil {
			p.waive("the adapter does not sweep (no ChainWorld.Sweep)")
		}
		a := p.some()
		to := p.address(a, "alice")
		var paid []string
		sweep := func(victim *Tap) { // some adapters sweep when they poll
			paid = append(paid, p.pay(ChainPayment{to, p.Usual(a)}))
			p.mine(p.Confirmations)
			p.restart(victim)
			kept := p.cursor
			_ = p.scan()
			_ = p.Sweep(p.adapter)
			p.cursor = kept
			p.restart(nil)
			p.mine(1)
			p.drain()
		}
		whole := &Tap{}
		sweep(whole)
		changes := 0
		for _, s := range whole.taken() {
			if s.changes {
				changes++
			}
		}
		for n := 1; n <= changes; n++ {
			for _, late := range []bool{false, true} {
				sweep(diesAtChange(n, late))
			}
		}
		p.note("a scan and a sweep change something %d times: a process died before and after each", changes)
		tap := &Tap{}
		p.restart(tap)
		for range 3 {
			p.must(p.Sweep(p.adapter), "Sweep")
			p.mine(p.Confirmations)
			p.drain()
		}
		if n := len(p.deposits()); n != len(paid) {
			p.failf("%d payments came in, and %d deposits are reported", len(paid), n)
		}
		op := p.withdrawal(p.NewAddress(), p.Usual(a))
		p.send(op)
		p.arrives(op, "after all the sweeping")
	},
}
