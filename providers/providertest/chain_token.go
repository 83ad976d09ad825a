package providertest

import (
	"math/big"

	"github.com/koshpay/kosh/currency"
)

var fakeCheck = ChainCheck{
	Name: "fake-token-credits-nothing",
	Rule: "Anybody can write a contract that says it paid. Only contracts that the host enabled are believed; the rest moves nothing, and what comes " +
		"after it counts.",
	run: func(p *chainProbe) {
		if p.PayFake == nil {
			p.waive("nobody can write contracts on the harness' chain (no ChainWorld.PayFake)")
		}
		a := p.token()
		to := p.address(a, "alice")
		fake, err := p.PayFake(to, p.Usual(a).Big())
		p.must(err, "PayFake")
		txid := p.pay(ChainPayment{to, p.Usual(a)})
		p.mine(p.Confirmations)
		p.drain()
		p.credited(fake, nil, "a contract that nobody enabled")
		p.credited(txid, p.Usual(a).Big(), "after a fake token")
		for _, q := range p.quarantined {
			p.note("what a fake token said is quarantined: %s %s %s", q.Code, q.Quantity, q.Asset)
		}
	},
}

var noReturnCheck = ChainCheck{
	Name: "token-without-return-value",
	Rule: "Some tokens return nothing from a transfer. They come in and go out like others: an adapter that waits for true has money that it " +
		"cannot pay out.",
	run: func(p *chainProbe) {
		if p.NoReturn == nil {
			p.waive("the harness' chain has no such token (no ChainWorld.NoReturn)")
		}
		p.inAndOut(p.NoReturn)
	},
}

// inAndOut pays an amount in, and withdraws it.
func (p *chainProbe) inAndOut(a currency.Asset) {
	txid := p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)})
	p.mine(p.Confirmations)
	p.drain()
	p.credited(txid, p.Usual(a).Big(), "paid in")
	op := p.withdrawal(p.NewAddress(), p.Usual(a))
	p.send(op)
	p.arrives(op, "paid out")
}

var takesFeeCheck = ChainCheck{
	Name: "token-that-takes-a-fee",
	Rule: "Of some tokens less arrives than was sent. What is credited is what arrived: otherwise the first to withdraw takes what the last one paid in.",
	run:  func(p *chainProbe) { p.arrivesLess(p.TakesFee, "TakesFee") },
}

var liesCheck = ChainCheck{
	Name: "token-that-lies",
	Rule: "A token's log may say more than arrives. What is credited is what arrived, by the balance, or nothing.",
	run:  func(p *chainProbe) { p.arrivesLess(p.Lies, "Lies") },
}

// arrivesLess pays a token in of which less arrives, and compares what is credited with our balance.
func (p *chainProbe) arrivesLess(a currency.Asset, hook string) {
	if a == nil {
		p.waive("the harness' chain has no such token (no ChainWorld." + hook + ")")
	}
	before := p.custody(a)
	txid := p.pay(ChainPayment{p.address(a, "alice"), p.Usual(a)})
	p.mine(p.Confirmations)
	p.drain()
	arrived := new(big.Int).Sub(p.custody(a), before)
	if arrived.Sign() <= 0 || arrived.Cmp(p.Usual(a).Big()) >= 0 {
		p.fatalf("the harness' token let %v of %v arrive, want less", arrived, p.Usual(a).Big())
	}
	p.credited(txid, arrived, "less than was sent arrived")
}
