package providertest

import (
	"github.com/koshpay/kosh/providers"
)

var confirmationsCheck = ChainCheck{
	Name: "confirmations-count",
	Rule: "A deposit moves nothing with one confirmation less than are wanted, and moves with the last: before, the payer can still take it " +
		"back. Its report shows how far it is, and is final only beyond the window.",
	run: func(p *chainProbe) {
		for _, a := range p.assets() {
			amount := p.Usual(a)
			if p.TakesFee != nil && a.ID() == p.TakesFee.ID() {
				continue
			}
			to := p.address(a, "alice")
			txid := p.pay(ChainPayment{to, amount})
			for n := 1; n < p.Confirmations; n++ {
				p.mine(1)
				p.drain()
				p.credited(txid, nil, "too early")
				if r, ok := p.deposit(txid); ok && (r.Final || r.State != providers.Pending || int(r.Confirmations) != n || int(r.Required) != p.Confirmations) { //nolint:gosec // small
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
