package evmtest

import (
	"fmt"
	"math/big"

	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// Payment is money of somebody else's that goes to an address.
type Payment struct {
	To    string
	Token string   // empty: ether
	Units *big.Int // smallest units
}

// Deploy makes a contract and returns its address.
func (n *Node) Deploy(k Kind) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.fresh(string(k))
	n.kinds[a] = k
	return a.String()
}

// Pay sends one transaction that makes payments, out of a purse without bottom, and returns its hash. It waits for a block. Several
// payments are of tokens: a transaction carries ether to one address.
func (n *Node) Pay(payments ...Payment) (string, error) { return n.pay(true, payments) }

// PayFails sends a transaction that would make a payment, is mined and fails.
func (n *Node) PayFails(payment Payment) (string, error) { return n.pay(false, []Payment{payment}) }

func (n *Node) pay(ok bool, payments []Payment) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	type call struct {
		token, to eth.Address
		units     *big.Int
	}
	var calls []call
	t := n.purse()
	for _, p := range payments {
		to, err := eth.ParseAddress(p.To)
		if err != nil {
			return "", err
		}
		token, err := n.contract(p.Token)
		if err != nil {
			return "", err
		}
		if token == ether {
			if len(payments) > 1 {
				return "", fmt.Errorf("%w: a transaction carries ether to one address", ErrScenario)
			}
			t.to, t.value = to, p.Units
		}
		calls = append(calls, call{token, to, p.Units})
	}
	t.script = func(s *state) (o outcome) {
		o = outcome{ok: ok, gas: gasOfEther}
		if !ok {
			return o
		}
		for _, c := range calls {
			if c.token == ether {
				s.add(ether, c.to, c.units)
				continue
			}
			s.add(c.token, t.from, c.units)
			o.logs = append(o.logs, n.transfer(s, c.token, t.from, c.to, c.units)...)
		}
		return o
	}
	return n.wait(t), nil
}

// PayFake makes a contract that is no token say that it moved units to an address, and returns the transaction's hash and the
// contract's address.
func (n *Node) PayFake(to string, units *big.Int) (hash, contract string, err error) {
	at, err := eth.ParseAddress(to)
	if err != nil {
		return "", "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t, fake := n.purse(), n.fresh("fake")
	t.to = fake
	t.script = func(*state) outcome {
		return outcome{ok: true, gas: gasOfToken, logs: []eth.Log{event(fake, t.from, at, units)}}
	}
	return n.wait(t), fake.String(), nil
}

// PayInside makes a contract send ether to an address: neither a transaction's value nor an event tells of it.
func (n *Node) PayInside(to string, wei *big.Int) (string, error) {
	at, err := eth.ParseAddress(to)
	if err != nil {
		return "", err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.purse()
	t.to = n.fresh("contract")
	t.script = func(s *state) outcome {
		s.add(ether, at, wei)
		return outcome{ok: true, gas: gasOfToken}
	}
	return n.wait(t), nil
}

// purse begins a transaction of somebody who has whatever it takes.
func (n *Node) purse() *transaction {
	from := n.fresh("payer")
	return &transaction{
		hash: eth.Keccak(fmt.Appendf(nil, "evmtest transaction %d", n.serial)), from: from, value: new(big.Int), gas: 1_000_000,
		tip: new(big.Int), maxFee: new(big.Int),
	}
}

func (n *Node) wait(t *transaction) string {
	n.txs[t.hash] = t
	n.pool = append(n.pool, t)
	if n.options.Instant {
		n.mine(1)
	}
	return t.hash.String()
}
