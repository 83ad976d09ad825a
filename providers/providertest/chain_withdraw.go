package providertest

import (
	"errors"
	"math/big"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var withdrawalCheck = ChainCheck{
	Name: "withdrawal-counts",
	Rule: "A withdrawal moves nothing in our books with one confirmation less than are wanted, and moves with the last: the amount, and what the network " +
		"took as a fee of its own in the chain's own asset.",
	run: func(p *chainProbe) {
		for _, a := range p.assets() {
			if !p.keepsWhole(a) {
				continue
			}
			op := p.withdrawal(p.NewAddress(), p.Usual(a))
			p.send(op)
			for range p.Confirmations - 1 {
				p.mine(1)
				p.drain()
				if n := p.moved(op.Key, a.ID(), providers.Moved); n.Sign() != 0 {
					p.failf("a withdrawal of %v moved %v units too early", op.Amount, n)
				}
			}
			p.mine(1)
			p.drain()
			p.paidOut(op, "with the last confirmation")
			if fee := p.moved(op.Key, p.Asset.ID(), providers.Fee); fee.Sign() >= 0 {
				p.failf("a withdrawal's fees come to %v units of %s, want less than 0", fee, p.Asset.ID())
			}
			if r := p.byKey[op.Key]; r.Final || r.Reference == "" {
				p.failf("a withdrawal that counts has the reference %q, final %v", r.Reference, r.Final)
			}
			p.settle()
			if r := p.byKey[op.Key]; !r.Final {
				p.failf("a withdrawal beyond the window is not final")
			}
		}
	},
}

var eightCheck = ChainCheck{
	Name: "eight-at-once",
	Rule: "Withdrawals at once take neither one nonce or output twice nor leave a nonce out: all arrive, each once.",
	run: func(p *chainProbe) {
		p.allArrive("8 withdrawals at once", p.adapter)
	},
}

var twoProcessesSendCheck = ChainCheck{
	Name: "two-processes-send",
	Rule: "Two processes on one store that send in turn, and that send the same eight withdrawals at once, pay each once.",
	run: func(p *chainProbe) {
		processes := []providers.Provider{p.adapter, p.Connect(nil)}
		for i := range 4 {
			op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
			if _, err := processes[i%2].Submit(p.ctx, op); err != nil {
				p.failf("2 processes that send in turn: %v", err)
			}
			p.insist(op)
			defer p.arrives(op, "sent by 2 processes in turn")
		}
		p.allArrive("8 withdrawals at once from two processes", processes...)
	},
}

// allArrive sends eight withdrawals at once, each by all the processes.
func (p *chainProbe) allArrive(what string, processes ...providers.Provider) {
	const n = 8
	var ops []providers.Operation
	for range n {
		ops = append(ops, p.withdrawal(p.NewAddress(), p.Usual(p.Asset)))
	}
	errs := make([]error, n*len(processes))
	var group sync.WaitGroup
	for i, op := range ops {
		for j, process := range processes {
			group.Go(func() { _, errs[i*len(processes)+j] = process.Submit(p.ctx, op) })
		}
	}
	group.Wait()
	for _, err := range errs {
		if err != nil && providers.CertaintyOf(err) == providers.Rejected {
			p.failf("%s: one is Rejected: %v", what, err)
		}
	}
	for _, op := range ops {
		p.insist(op)
	}
	for _, op := range ops {
		p.arrives(op, what)
	}
}

var tooMuchCheck = ChainCheck{
	Name: "more-than-there-is",
	Rule: "What our addresses cannot pay, with what is signed already counted, is refused before it is signed, as NotSent or Rejected: signed, it would wait " +
		"for ever and hold up what comes after it.",
	run: func(p *chainProbe) {
		all := p.custody(p.Asset)
		part := new(big.Int).Quo(new(big.Int).Mul(all, big.NewInt(3)), big.NewInt(5))
		first := p.withdrawal(p.NewAddress(), p.units(part, p.Asset))
		p.refused(p.withdrawal(p.NewAddress(), p.units(new(big.Int).Add(all, big.NewInt(1)), p.Asset)), "", "more than all that there is")
		p.send(first)
		p.refused(p.withdrawal(p.NewAddress(), p.units(part, p.Asset)), "", "more than what is left")
		p.arrives(first, "three fifths of what there is")
		after := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		p.send(after)
		p.arrives(after, "after what was refused")
	},
}

func (p *chainProbe) units(n *big.Int, a currency.Asset) currency.Amount {
	amount, err := currency.FromBig(n, a)
	if err != nil {
		p.fatalf("the harness gave the adapter %v units of %s: %v", n, a.ID(), err)
	}
	return amount
}

// refused checks that a withdrawal is refused and nothing of it signed or sent. An empty code stands for any; with one it
// must be Rejected.
func (p *chainProbe) refused(op providers.Operation, code, what string) {
	tap := &Tap{}
	r, err := p.Connect(tap).Submit(p.ctx, op)
	if err == nil && r.State == providers.Failed && code == "" {
		return
	}
	c := providers.CertaintyOf(err)
	if err == nil || c != providers.Rejected && c != providers.NotSent {
		p.failf("%s: Submit returns the report %q and the error %v, want NotSent or Rejected", what, r.State, err)
	}
	if e, _ := errors.AsType[*providers.Error](err); code != "" && (e == nil || c != providers.Rejected || e.Code != code) {
		p.failf("%s: Submit returns %v, want Rejected with the code %s", what, err, code)
	}
	if n := len(tap.signed()); n > 0 {
		p.failf("%s: %d transactions were signed", what, n)
	}
	if n := tap.broadcasts(); n > 0 {
		p.failf("%s: %d transactions were sent", what, n)
	}
	p.mine(1)
	p.nothing(op.Instrument, op.Amount.Asset(), what)
}

var noGasCheck = ChainCheck{
	Name: "no-gas",
	Rule: "A token withdrawal that the sender cannot pay the network for is refused before it is signed.",
	poor: true,
	run: func(p *chainProbe) {
		a := p.token()
		p.refused(p.withdrawal(p.NewAddress(), p.Usual(a)), "", "a sender without gas")
	},
}

var revertedCheck = ChainCheck{
	Name: "failed-withdrawal-costs",
	Rule: "A withdrawal that is mined and fails moves nothing but its fee, and is Failed only when it is final: before, a reorganisation could still have it " +
		"succeed.",
	run: func(p *chainProbe) {
		if p.Fails == nil {
			p.waive("nothing that is mined fails on the harness' chain (no ChainWorld.Fails)")
		}
		op := p.withdrawal(p.Fails(), p.Usual(p.Asset))
		p.send(op)
		for n := 1; n <= p.Window; n++ {
			p.mine(1)
			p.drain()
			if r := p.byKey[op.Key]; r.State != providers.Pending {
				p.failf("a withdrawal that failed %d blocks ago, of a window of %d, is reported as %s", n, p.Window, r.State)
			}
		}
		p.settle()
		if r := p.byKey[op.Key]; r.State != providers.Failed || !r.Final {
			p.failf("a withdrawal that failed for good is reported as %s, final %v", r.State, r.Final)
		}
		if n := p.moved(op.Key, p.Asset.ID(), providers.Moved, providers.Reversed); n.Sign() != 0 {
			p.failf("a withdrawal that failed moved %v units", n)
		}
		if fee := p.moved(op.Key, p.Asset.ID(), providers.Fee); fee.Sign() >= 0 {
			p.failf("the fees of a withdrawal that failed come to %v units, want less than 0", fee)
		}
	},
}

var withdrawalOrphanedCheck = ChainCheck{
	Name: "withdrawal-orphaned",
	Rule: "A withdrawal that counted and is orphaned is taken back in our books, with its fee; mined again it counts again under other ids. It is paid once.",
	run: func(p *chainProbe) {
		op := p.withdrawal(p.NewAddress(), p.Usual(p.Asset))
		p.send(op)
		p.mine(p.Confirmations)
		p.drain()
		p.paidOut(op, "before a reorganisation")
		p.reorganise(p.Confirmations)
		p.drain()
		if n := p.moved(op.Key, op.AssetID(), providers.Moved, providers.Reversed); n.Sign() != 0 {
			p.failf("the effects of an orphaned withdrawal come to %v units, want 0", n)
		}
		p.arrives(op, "mined again")
	},
}

var ownAddressCheck = ChainCheck{
	Name: "withdrawal-to-ourselves",
	Rule: "A member who withdraws to another member's address pays them: a withdrawal and a deposit, and our custody is what it was but for the fee.",
	run: func(p *chainProbe) {
		for _, a := range []currency.Asset{p.Asset, p.some()} {
			to := p.address(a, "bob")
			op := p.withdrawal(to, p.Usual(a))
			p.send(op)
			p.mine(p.Confirmations)
			p.drain()
			in, seen := new(big.Int), map[string]bool{}
			for _, r := range p.reports {
				if r.Kind != providers.Deposit || r.Address != to {
					continue
				}
				for _, e := range r.Effects {
					if !seen[e.ID] {
						in.Add(in, e.Amount.Big())
					}
					seen[e.ID] = true
				}
			}
			if in.Cmp(op.Amount.Big()) != 0 {
				p.failf("a withdrawal of %v to another member's address comes in as %v units", op.Amount, in)
			}
			if out := p.moved(op.Key, a.ID(), providers.Moved); out.CmpAbs(op.Amount.Big()) != 0 {
				p.failf("a withdrawal of %v to another member's address goes out as %v units", op.Amount, out)
			}
		}
	},
}

var sweepCheck = ChainCheck{
	Name: "sweeping-costs-and-moves-nothing",
	Rule: "What is collected from our addresses, and what they are given to pay for it, are neither deposits nor withdrawals; what the network takes for " +
		"it is a Fee of a Settlement, which a reorganisation takes back.",
	run: func(p *chainProbe) {
		if p.Sweep == nil {
			p.waive("the adapter does not sweep (no ChainWorld.Sweep)")
		}
		tap := &Tap{}
		p.restart(tap)
		for _, a := range []currency.Asset{p.Asset, p.some()} {
			p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)})
		}
		p.mine(p.Confirmations)
		p.drain()
		before := len(p.deposits())
		for range 3 {
			fees := p.settlementFees()
			p.must(p.Sweep(p.adapter), "Sweep")
			p.mine(p.Confirmations)
			p.drain()
			p.reorganise(p.Confirmations)
			p.drain()
			if orphaned := p.settlementFees(); orphaned.Cmp(fees) != 0 {
				p.failf("the fees of sweeping that was orphaned come to %v units, want the %v before it", orphaned, fees)
			}
			p.mine(p.Confirmations)
			p.drain()
		}
		purposes := map[providers.Purpose]int{}
		for _, r := range tap.signed() {
			purposes[r.Intent.Purpose]++
		}
		p.note("signed for sweeping: %v", purposes)
		if purposes[providers.PurposeSweep] == 0 {
			p.failf("after ChainWorld.Sweep nothing was signed as a sweep")
		}
		if n := len(p.deposits()); n != before {
			p.failf("sweeping made %d deposits", n-before)
		}
		if fees := p.settlementFees(); fees.Sign() >= 0 {
			p.failf("the fees of sweeping come to %v units, want less than 0", fees)
		}
	},
}

// settlementFees is the sum of all effects of settlements.
func (p *chainProbe) settlementFees() *big.Int {
	sum := new(big.Int)
	for _, r := range p.reports {
		for _, e := range r.Effects {
			if r.Kind == providers.Settlement {
				sum.Add(sum, e.Amount.Big())
			}
		}
	}
	return sum
}

func (p *chainProbe) deposits() (references []string) {
	for reference, r := range p.reports {
		if r.Kind == providers.Deposit {
			references = append(references, reference)
		}
	}
	return references
}
