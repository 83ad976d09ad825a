package providertest

import (
	"math/big"

	"github.com/koshpay/kosh/providers"
)

// power is 2^n.
func power(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

// raw pays a quantity of the token, and a usual amount after it to another address.
func (p *chainProbe) raw(quantity *big.Int) (txid string) {
	if p.PayRaw == nil {
		p.waive("nobody can pay such quantities on the harness' chain (no ChainWorld.PayRaw)")
	}
	a := p.token()
	to := p.address(a, "whale")
	txid, err := p.PayRaw(to, a, quantity)
	p.must(err, "PayRaw")
	p.mine(p.Confirmations)
	p.drain()
	after := p.pay(ChainPayment{p.address(p.Asset, "alice"), p.Usual(p.Asset)})
	p.mine(p.Confirmations)
	p.drain()
	p.credited(after, p.Usual(p.Asset).Big(), "after a quantity of "+quantity.String())
	return txid
}

// quarantines checks that a quantity that no amount holds is kept whole and moves nothing.
func (p *chainProbe) quarantines(quantity *big.Int) {
	txid := p.raw(quantity)
	p.credited(txid, nil, "a quantity of "+quantity.String())
	r, ok := p.deposit(txid)
	if !ok || len(r.Quarantined) != 1 || r.State != providers.Succeeded {
		p.fatalf("a quantity of %v is reported as %+v: want a deposit that %s, with one Quarantined", quantity, r, providers.Succeeded)
	}
	q := r.Quarantined[0]
	if q.Quantity != quantity.String() || q.Asset != string(p.Token.ID()) {
		p.failf("a quantity of %v of %s is quarantined as %s of %s", quantity, p.Token.ID(), q.Quantity, q.Asset)
	}
}

var largestCheck = ChainCheck{
	Name: "largest-amount-is-exact",
	Rule: "2^127-1 units, the largest amount there is, are credited to the unit.",
	run: func(p *chainProbe) {
		quantity := new(big.Int).Sub(power(127), big.NewInt(1))
		p.credited(p.raw(quantity), quantity, "the largest amount")
	},
}

var tooLargeCheck = ChainCheck{
	Name: "too-large-is-quarantined",
	Rule: "2^127 units fit into no amount. They are quarantined whole, never cut or wrapped, and the cursor goes on: one such payment must not " +
		"keep everybody else's deposits out.",
	run: func(p *chainProbe) { p.quarantines(power(127)) },
}

var largestOfAllCheck = ChainCheck{
	Name: "largest-word-is-quarantined",
	Rule: "2^256-1 units, which is -1 to who takes it for signed, are quarantined whole, and the cursor goes on.",
	run: func(p *chainProbe) {
		p.quarantines(new(big.Int).Sub(power(256), big.NewInt(1)))
	},
}
