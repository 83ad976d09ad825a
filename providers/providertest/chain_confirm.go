package providertest

import (
	"fmt"
	"math/big"
	"strings"
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var confirmationsCheck = ChainCheck{
	Name: "confirmations-count",
	Rule: "A deposit moves nothing with one confirmation less than are wanted, and moves with the last: before, the payer can still take it " +
		"back. Its report shows how far it is, and is final only beyond the window.",
	run: func(p *chainProbe) {
		for _, a := range p.assets() {
			amount := p.Usual(a)
			if !p.keepsWhole(a) {
				continue
			}
			to := p.address(a, "alice")
			txid := p.pay(ChainPayment{to, amount})
			for n := 1; n < p.Confirmations; n++ {
				p.mine(1)
				p.drain()
				p.credited(txid, nil, "too early")
				if r, ok := p.deposit(txid); ok && (r.Final || r.State != providers.Pending || int(r.Confirmations) != n || int(r.Required) != p.Confirmations) {
					p.failf("with %d of %d confirmations a deposit is reported as %s with %d of %d, final %v", n, p.Confirmations, r.State, r.Confirmations, r.Required, r.Final)
				}
			}
			p.mine(1)
			p.drain()
			p.credited(txid, amount.Big(), "with the last confirmation")
			r, _ := p.deposit(txid)
			if r.State != providers.Succeeded || r.Final || r.Address != to {
				p.failf("a deposit that counts is reported as %s, final %v, with the address %q, want %s, not final, %q", r.State, r.Final, r.Address, providers.Succeeded, to)
			}
			if r.Member != "" && r.Member != "alice" {
				p.failf("a payment to alice's address is reported as %s's", r.Member)
			}
			for range p.Window + 1 {
				p.mine(1)
				p.drain()
			}
			if r, _ := p.deposit(txid); !r.Final {
				p.failf("a deposit with more confirmations than the window of %d is not final", p.Window)
			}
		}
	},
}

var severalCheck = ChainCheck{
	Name: "several-in-one-transaction",
	Rule: "Each output or log is a deposit of its own, two equal ones to one address too: a deposit's identity includes the output's index.",
	run: func(p *chainProbe) {
		a := p.some()
		amount := p.Usual(a)
		mine, yours := p.address(a, "alice"), p.address(a, "bob")
		txid := p.pay(ChainPayment{mine, amount}, ChainPayment{p.NewAddress(), amount}, ChainPayment{mine, amount}, ChainPayment{yours, amount})
		p.mine(p.Confirmations)
		p.drain()
		p.credited(txid, times(3, amount), "3 of 4 payments of one transaction are to our addresses")
		references := map[string]string{}
		for _, r := range p.reports {
			if strings.HasPrefix(r.Reference, txid+":") {
				references[r.Reference] = r.Address
			}
		}
		n := 0
		for _, to := range references {
			if to == mine {
				n++
			}
		}
		if len(references) != 3 || n != 2 {
			p.failf("3 payments of one transaction, 2 of them to %s, are reported as %v: want 3 references, each the transaction and an index", mine, references)
		}
	},
}

var failedCheck = ChainCheck{
	Name: "failed-pays-nothing",
	Rule: "A transaction that is mined and fails pays nothing, whatever it says it would have paid.",
	run: func(p *chainProbe) {
		if p.PayFails == nil {
			p.waive("what fails is not mined on the harness' chain (no ChainWorld.PayFails)")
		}
		for _, a := range []currency.Asset{p.Asset, p.some()} {
			to := p.address(a, "alice")
			txid, err := p.PayFails(ChainPayment{to, p.Usual(a)})
			p.must(err, "PayFails")
			p.mine(p.Confirmations)
			p.drain()
			p.credited(txid, nil, "a failed transaction")
		}
	},
}

var zeroCheck = ChainCheck{
	Name: "zero-is-nothing",
	Rule: "A payment of nothing is no deposit: anybody can send as many as they like, and an effect of nothing is invalid. What comes after it counts.",
	run: func(p *chainProbe) {
		if p.PayRaw == nil {
			p.waive("nobody can pay nothing on the harness' chain (no ChainWorld.PayRaw)")
		}
		for _, a := range []currency.Asset{p.Asset, p.some()} {
			to := p.address(a, "alice")
			txid, err := p.PayRaw(to, a, new(big.Int))
			p.must(err, "PayRaw")
			later := p.pay(ChainPayment{to, p.Usual(a)})
			p.mine(p.Confirmations)
			p.drain()
			p.credited(txid, nil, "a payment of nothing")
			if _, ok := p.deposit(txid); ok {
				p.failf("a payment of nothing is reported as a deposit")
			}
			p.credited(later, p.Usual(a).Big(), "after a payment of nothing")
		}
	},
}

var dustCheck = ChainCheck{
	Name: "dust-is-called-dust",
	Rule: "What is less than it costs to collect is reported as it moved, with the address and the code dust, so that payments keeps it apart: an " +
		"attacker who sends thousands of such must not fill wallets, and our custody must still be whole.",
	run: func(p *chainProbe) {
		if !p.Dust.IsValid() {
			p.waive("the adapter has no least amount (no ChainWorld.Dust)")
		}
		to := p.address(p.Asset, "alice")
		txid := p.pay(ChainPayment{to, p.Dust})
		p.mine(p.Confirmations)
		p.drain()
		p.credited(txid, p.Dust.Big(), "dust")
		if r, ok := p.deposit(txid); ok && (r.Reason.Code != providers.CodeDust || r.State != providers.Succeeded || r.Address != to) {
			p.failf("dust is reported as %s with the code %q and the address %q, want %s, %q, %q", r.State, r.Reason.Code, r.Address, providers.Succeeded, providers.CodeDust, to)
		}
	},
}

var addressesCheck = ChainCheck{
	Name: "addresses-are-distinct",
	Rule: "Each operation has an address of its own, the same for ever, after a restart and with two processes that make some at once too: " +
		"of two people with one address nobody knows who paid.",
	run: func(p *chainProbe) {
		const each = 8
		other := p.Connect(nil)
		var ops []providers.Operation
		var group sync.WaitGroup
		errs := make([]error, 2*each)
		for i := range 2 * each {
			ops = append(ops, p.addressFor(p.Asset, fmt.Sprintf("member-%d", i)))
		}
		for i, op := range ops {
			adapter := p.adapter
			if i%2 == 1 {
				adapter = other
			}
			group.Go(func() { _, errs[i] = adapter.Submit(p.ctx, op) })
		}
		group.Wait()
		p.restart(nil)
		seen := map[string]string{}
		for i, op := range ops {
			if errs[i] != nil && providers.CertaintyOf(errs[i]) == providers.Rejected {
				p.failf("an address is refused while another process makes one: %v", errs[i])
			}
			address := p.addressOf(p.insist(op))
			if by, taken := seen[address]; taken {
				p.failf("%s is the address of two operations, %s and %s", address, by, op.Key)
			}
			seen[address] = op.Key
			if again := p.addressOf(p.send(op)); again != address {
				p.failf("%s had the address %s and has %s", op.Key, address, again)
			}
		}
	},
}

// times is n amounts, in units.
func times(n int64, a currency.Amount) *big.Int { return new(big.Int).Mul(big.NewInt(n), a.Big()) }
