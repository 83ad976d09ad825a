package evmtest

import (
	"maps"
	"math/big"

	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// Kind is what a contract does.
type Kind string

// The kinds of contract. All are tokens but the last two.
const (
	Plain        Kind = "plain"         // an ERC-20 token as the standard has it
	NoReturn     Kind = "no return"     // transfer returns nothing, as that of Tether
	TakesFee     Kind = "takes fee"     // keeps a hundredth of what is transferred, and says so in a second event
	Liar         Kind = "liar"          // keeps a hundredth of what is transferred, and its event says that all arrived
	ReturnsFalse Kind = "returns false" // moves nothing, and transfer returns false
	Reverts      Kind = "reverts"       // turns ether down
	Trap         Kind = "trap"          // turns ether down when it is mined, not when gas is estimated
)

// ether stands for the chain's own asset among tokens.
var ether = eth.Address{}

// state is who holds what after a block. Amounts are never changed in place.
type state struct {
	held   map[eth.Address]map[eth.Address]*big.Int // by token, by holder
	nonces map[eth.Address]uint64
}

func newState() *state {
	return &state{held: map[eth.Address]map[eth.Address]*big.Int{}, nonces: map[eth.Address]uint64{}}
}

func (s *state) clone() *state {
	c := &state{held: make(map[eth.Address]map[eth.Address]*big.Int, len(s.held)), nonces: maps.Clone(s.nonces)}
	for token, holders := range s.held {
		c.held[token] = maps.Clone(holders)
	}
	return c
}

func (s *state) of(token, holder eth.Address) *big.Int {
	if n := s.held[token][holder]; n != nil {
		return n
	}
	return new(big.Int)
}

func (s *state) add(token, holder eth.Address, units *big.Int) {
	if s.held[token] == nil {
		s.held[token] = map[eth.Address]*big.Int{}
	}
	s.held[token][holder] = new(big.Int).Add(s.of(token, holder), units)
}

func (s *state) sub(token, holder eth.Address, units *big.Int) {
	s.add(token, holder, new(big.Int).Neg(units))
}

// collector is where tokens that take a fee put it.
var collector = eth.Address{0xfe, 0xe5}

const (
	gasOfEther = 21_000
	gasOfToken = 51_234
	gasOfTrap  = 25_000
)

// outcome is what executing a transaction did.
type outcome struct {
	ok   bool
	gas  uint64
	logs []eth.Log
}

// execute runs a transaction's call, without what it costs. What fails changes nothing.
func (n *Node) execute(s *state, t *transaction, estimate bool) outcome {
	if t.script != nil {
		return t.script(s)
	}
	kind := n.kinds[t.to]
	switch {
	case kind == Reverts || kind == Trap && !estimate:
		return outcome{gas: gasOfTrap}
	case kind == Trap:
		return outcome{ok: true, gas: gasOfTrap}
	case kind == "" || len(t.data) == 0:
		if s.of(ether, t.from).Cmp(t.value) < 0 {
			return outcome{gas: gasOfEther}
		}
		s.sub(ether, t.from, t.value)
		s.add(ether, t.to, t.value)
		return outcome{ok: true, gas: gasOfEther}
	}
	to, units, ok := eth.ParseTransfer(t.data)
	if !ok || t.value.Sign() > 0 || s.of(t.to, t.from).Cmp(units) < 0 {
		return outcome{gas: gasOfToken / 2}
	}
	return outcome{ok: true, gas: gasOfToken, logs: n.transfer(s, t.to, t.from, to, units)}
}

// transfer moves a token as its contract does, and returns the events.
func (n *Node) transfer(s *state, token, from, to eth.Address, units *big.Int) []eth.Log {
	fee := new(big.Int).Div(units, big.NewInt(100))
	rest := new(big.Int).Sub(units, fee)
	switch n.kinds[token] {
	case ReturnsFalse:
		return nil
	case TakesFee:
		s.sub(token, from, units)
		s.add(token, to, rest)
		s.add(token, collector, fee)
		return []eth.Log{event(token, from, to, rest), event(token, from, collector, fee)}
	case Liar:
		s.sub(token, from, units)
		s.add(token, to, rest)
		s.add(token, collector, fee)
	default:
		s.sub(token, from, units)
		s.add(token, to, units)
	}
	return []eth.Log{event(token, from, to, units)}
}

func event(token, from, to eth.Address, units *big.Int) eth.Log {
	data := make([]byte, 32)
	units.FillBytes(data)
	return eth.Log{Address: token, Topics: []eth.Hash{eth.TopicTransfer, eth.Topic(from), eth.Topic(to)}, Data: data}
}
