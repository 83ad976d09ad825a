package evmtest

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

type block struct {
	number uint64
	hash   eth.Hash
	parent eth.Hash
	time   uint64
	base   *big.Int
	txs    []*transaction
	rcpts  map[eth.Hash]*eth.Receipt
	logs   []eth.Log
	state  *state
}

// transaction is one that somebody sent. It waits, is mined, may be orphaned and mined again.
type transaction struct {
	hash        eth.Hash
	from, to    eth.Address
	nonce       uint64
	value       *big.Int
	data        []byte
	gas         uint64
	tip, maxFee *big.Int
	mined       *block
	// script makes the transactions of Pay and the like: they are nobody's, and cost nothing.
	script   func(s *state) outcome
	replaces *transaction
}

func (n *Node) head() *block { return n.blocks[len(n.blocks)-1] }

// seal makes the next block of what was executed.
func (n *Node) seal(b *block, s *state) {
	if b == nil {
		b = &block{rcpts: map[eth.Hash]*eth.Receipt{}}
	}
	if len(n.blocks) > 0 {
		b.number, b.parent = n.head().number+1, n.head().hash
	}
	n.serial++ // so that no two blocks are alike, whatever is in them
	n.now = n.now.Add(n.options.Period)
	b.time, b.base, b.state = uint64(n.now.Unix()), n.baseFee, s //nolint:gosec // after 1970
	b.hash = eth.Keccak(fmt.Appendf(nil, "evmtest block %d %d %d", n.options.ChainID, b.number, n.serial))
	for _, t := range b.txs {
		t.mined = b
		r := b.rcpts[t.hash]
		r.BlockHash = b.hash
		for k := range r.Logs {
			r.Logs[k].BlockHash, r.Logs[k].TransactionHash = b.hash, t.hash
			r.Logs[k].LogIndex = eth.Uint64(len(b.logs))
			b.logs = append(b.logs, r.Logs[k])
		}
	}
	n.blocks = append(n.blocks, b)
	n.byHash[b.hash] = b
}

// Mine makes blocks. The first holds everything that waits, pays enough and is next in its sender's order.
func (n *Node) Mine(blocks int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mine(blocks)
}

func (n *Node) mine(blocks int) {
	late := n.late
	n.late = nil
	for _, do := range late {
		do()
	}
	for range blocks {
		b := &block{rcpts: map[eth.Hash]*eth.Receipt{}}
		s := n.head().state.clone()
		for n.include(b, s) {
		}
		n.seal(b, s)
	}
}

// include puts the next transaction that fits into a block, if there is one.
func (n *Node) include(b *block, s *state) bool {
	for i, t := range n.pool {
		if n.congested[t.hash] || t.nonce != s.nonces[t.from] {
			continue
		}
		price := new(big.Int)
		if t.script == nil {
			if t.maxFee.Cmp(n.baseFee) < 0 {
				continue
			}
			price.Add(n.baseFee, t.tip)
			if price.Cmp(t.maxFee) > 0 {
				price.Set(t.maxFee)
			}
			if s.of(ether, t.from).Cmp(worst(t)) < 0 {
				continue
			}
		}
		before := s.clone()
		o := n.execute(s, t, false)
		if !o.ok || o.gas > t.gas && t.script == nil {
			*s, o.ok, o.logs = *before, false, nil
			o.gas = min(o.gas, max(t.gas, gasOfEther))
		}
		if t.script == nil {
			s.sub(ether, t.from, new(big.Int).Mul(price, new(big.Int).SetUint64(o.gas)))
		}
		s.nonces[t.from]++
		r := &eth.Receipt{
			TransactionHash: t.hash, GasUsed: eth.Uint64(o.gas), EffectiveGasPrice: eth.NewQuantity(price), Logs: o.logs,
		}
		if o.ok {
			r.Status = 1
		}
		b.txs, b.rcpts[t.hash] = append(b.txs, t), r
		n.pool = slices.Delete(n.pool, i, i+1)
		return true
	}
	return false
}

// worst is the most that a transaction can take from its sender.
func worst(t *transaction) *big.Int {
	w := new(big.Int).Mul(t.maxFee, new(big.Int).SetUint64(t.gas))
	return w.Add(w, t.value)
}

// Reorganise replaces the newest depth blocks by depth+1 empty ones. Their transactions wait again, but for those in drop: their
// senders spent the same nonce elsewhere.
func (n *Node) Reorganise(depth int, drop ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if depth < 1 || depth >= len(n.blocks) {
		return fmt.Errorf("%w: there are not %d blocks to replace", ErrScenario, depth)
	}
	kept := len(n.blocks) - depth
	var orphans []*transaction
	for _, b := range n.blocks[kept:] {
		orphans = append(orphans, b.txs...)
	}
	for _, id := range drop {
		if !slices.ContainsFunc(orphans, func(t *transaction) bool { return t.hash.String() == id }) {
			return fmt.Errorf("%w: no transaction %s in the last %d blocks", ErrScenario, id, depth)
		}
	}
	n.blocks = n.blocks[:kept]
	waiting := n.pool
	n.pool = nil
	var spent []*transaction
	for _, t := range orphans {
		t.mined = nil
		if slices.Contains(drop, t.hash.String()) {
			n.serial++
			other := &transaction{
				hash: eth.Keccak(fmt.Appendf(nil, "evmtest double spend %d", n.serial)), from: t.from, to: t.from, nonce: t.nonce,
				value: new(big.Int), script: func(*state) outcome { return outcome{ok: true, gas: gasOfEther} },
			}
			n.txs[other.hash] = other
			spent = append(spent, other)
			delete(n.txs, t.hash)
			continue
		}
		n.pool = append(n.pool, t)
	}
	rest := n.pool
	n.pool = spent
	n.mine(1)
	n.pool = nil
	n.mine(depth)
	n.pool = append(rest, waiting...)
	return nil
}

// Congest leaves out of blocks what waits now. What takes its place is not left out.
func (n *Node) Congest() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.pool {
		n.congested[t.hash] = true
	}
}

// Unbump brings back what was replaced, in the place of what replaced it, and ends a congestion.
func (n *Node) Unbump() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, t := range n.pool {
		for t.replaces != nil {
			delete(n.txs, t.hash)
			t = t.replaces
		}
		n.txs[t.hash], n.pool[i] = t, t
	}
	n.congested = map[eth.Hash]bool{}
}

// Forget empties the pool of what waits, as a restart of the node may.
func (n *Node) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.pool {
		delete(n.txs, t.hash)
	}
	n.pool = nil
}
