package bitcointest

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// maturity is how many blocks must follow one before what it mined can be spent, less its own.
const maturity = 100

// chain is all blocks that were ever seen, and what is unspent at the end of the longest branch.
type chain struct {
	blocks map[chainhash.Hash]*blockEntry
	best   []chainhash.Hash
	coins  map[wire.OutPoint]coin
}

type blockEntry struct {
	msg    *wire.MsgBlock
	height int64
	spent  map[wire.OutPoint]coin // what it spent, while it is on the longest branch
}

type coin struct {
	out    *wire.TxOut
	height int64
	mined  bool // by a coinbase
}

func newChain(genesis *wire.MsgBlock) *chain {
	hash := genesis.BlockHash()
	return &chain{
		blocks: map[chainhash.Hash]*blockEntry{hash: {msg: genesis}},
		best:   []chainhash.Hash{hash},
		coins:  map[wire.OutPoint]coin{},
	}
}

func (c *chain) height() int64 { return int64(len(c.best) - 1) }

// add takes a block in, and returns the transactions of the blocks that are no longer on the longest branch.
func (c *chain) add(b *wire.MsgBlock) (left []*wire.MsgTx, err error) {
	hash := b.BlockHash()
	parent := c.blocks[b.Header.PrevBlock]
	switch {
	case c.blocks[hash] != nil:
		return nil, errors.New("duplicate")
	case parent == nil:
		return nil, errors.New("its parent is unknown")
	case !worked(hash, b.Header.Bits):
		return nil, errors.New("high-hash")
	case len(b.Transactions) == 0 || merkleRoot(b.Transactions) != b.Header.MerkleRoot:
		return nil, errors.New("bad-txnmrklroot")
	}
	e := &blockEntry{msg: b, height: parent.height + 1}
	c.blocks[hash] = e
	if e.height <= c.height() {
		return nil, nil
	}
	var branch []*blockEntry
	for at := e; at.height > c.height() || c.best[at.height] != at.msg.BlockHash(); at = c.blocks[at.msg.Header.PrevBlock] {
		branch = append(branch, at)
	}
	slices.Reverse(branch)
	for c.height() >= branch[0].height {
		left = append(left, c.disconnect()...)
	}
	for _, at := range branch {
		if err := c.connect(at); err != nil {
			return left, err // the branch ends before it; tests that make such blocks are wrong
		}
	}
	return left, nil
}

func (c *chain) connect(e *blockEntry) error {
	e.spent = map[wire.OutPoint]coin{}
	for i, tx := range e.msg.Transactions {
		if i > 0 {
			if _, err := c.check(tx, e.height, nil); err != nil {
				return err
			}
			for _, in := range tx.TxIn {
				e.spent[in.PreviousOutPoint] = c.coins[in.PreviousOutPoint]
				delete(c.coins, in.PreviousOutPoint)
			}
		}
		hash := tx.TxHash()
		for n, out := range tx.TxOut {
			c.coins[*wire.NewOutPoint(&hash, uint32(n))] = coin{out, e.height, i == 0}
		}
	}
	c.best = append(c.best, e.msg.BlockHash())
	return nil
}

func (c *chain) disconnect() (left []*wire.MsgTx) {
	e := c.blocks[c.best[len(c.best)-1]]
	c.best = c.best[:len(c.best)-1]
	for i, tx := range slices.Backward(e.msg.Transactions) {
		hash := tx.TxHash()
		for n := range tx.TxOut {
			delete(c.coins, *wire.NewOutPoint(&hash, uint32(n)))
		}
		if i == 0 {
			continue
		}
		for _, in := range tx.TxIn {
			if was, ok := e.spent[in.PreviousOutPoint]; ok {
				c.coins[in.PreviousOutPoint] = was
			}
		}
		left = append(left, tx)
	}
	return left
}

// errMissing: an input is spent or was never there.
var errMissing = errors.New("bad-txns-inputs-missingorspent")

// check tells what a transaction pays for, if all its inputs are there, are not too young, and are signed. more are outputs of
// transactions that wait.
func (c *chain) check(tx *wire.MsgTx, height int64, more map[wire.OutPoint]*wire.TxOut) (fee int64, err error) {
	prev := txscript.NewMultiPrevOutFetcher(nil)
	for _, in := range tx.TxIn {
		at, ok := c.coins[in.PreviousOutPoint]
		if out := more[in.PreviousOutPoint]; !ok && out != nil {
			at, ok = coin{out: out, height: height}, true
		}
		switch {
		case !ok:
			return 0, errMissing
		case at.mined && height-at.height < maturity:
			return 0, errors.New("bad-txns-premature-spend-of-coinbase")
		}
		prev.AddPrevOut(in.PreviousOutPoint, at.out)
		fee += at.out.Value
	}
	for _, out := range tx.TxOut {
		fee -= out.Value
	}
	if fee < 0 {
		return 0, errors.New("bad-txns-in-belowout")
	}
	hashes := txscript.NewTxSigHashes(tx, prev)
	for i, in := range tx.TxIn {
		out := prev.FetchPrevOutput(in.PreviousOutPoint)
		vm, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, prev)
		if err == nil {
			err = vm.Execute()
		}
		if err != nil {
			return 0, fmt.Errorf("mandatory-script-verify-flag-failed: %w", err)
		}
	}
	return fee, nil
}

// worked tells whether a hash meets its target.
func worked(hash chainhash.Hash, bits uint32) bool {
	slices.Reverse(hash[:])
	return new(big.Int).SetBytes(hash[:]).Cmp(target(bits)) <= 0
}

// target reads the compact form.
func target(bits uint32) *big.Int {
	const mantissaBytes = 3
	t := big.NewInt(int64(bits & 0x007fffff))
	return t.Lsh(t, 8*uint(bits>>24-mantissaBytes))
}

func merkleRoot(txs []*wire.MsgTx) chainhash.Hash {
	level := make([]chainhash.Hash, 0, len(txs)+1)
	for _, tx := range txs {
		level = append(level, tx.TxHash())
	}
	return rootOf(level)
}

func rootOf(level []chainhash.Hash) chainhash.Hash {
	for len(level) > 1 {
		if len(level)%2 == 1 {
			level = append(level, level[len(level)-1])
		}
		var next []chainhash.Hash
		for i := 0; i < len(level); i += 2 {
			next = append(next, chainhash.DoubleHashH(append(level[i][:], level[i+1][:]...)))
		}
		level = next
	}
	return level[0]
}
