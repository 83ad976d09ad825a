package providertest_test

import (
	"errors"
	"math/big"
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers/providertest"
)

// node is the adapter's client: each request passes the tap.
type node struct {
	chain *modelChain
	tap   *providertest.Tap
}

func ask[T any](n *node, name string, broadcast bool, do func(c *modelChain) (T, error)) (answer T, err error) {
	err = n.tap.Call(name, broadcast, func() error {
		n.chain.mu.Lock()
		defer n.chain.mu.Unlock()
		answer, err = do(n.chain)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return answer, nil
}

func (n *node) id() (string, error) {
	return ask(n, "id", false, func(c *modelChain) (string, error) { return c.id, nil })
}

func (n *node) height() (int, error) {
	return ask(n, "height", false, func(c *modelChain) (int, error) { return c.head().Height, nil })
}

func (n *node) block(height int) (*modelBlock, error) {
	return ask(n, "block", false, func(c *modelChain) (*modelBlock, error) {
		if height >= len(c.blocks) {
			return nil, errors.New("no such block")
		}
		return c.blocks[height], nil
	})
}

// second is what the other endpoint says of a block.
func (n *node) second(height int) (string, error) {
	return ask(n, "block of the second", false, func(c *modelChain) (string, error) {
		if height >= len(c.blocks) {
			return "", errors.New("no such block")
		}
		if c.lies {
			return "0x11e5", nil
		}
		return c.blocks[height].Hash, nil
	})
}

func (n *node) balance(asset currency.AssetID, address, block string) (*big.Int, error) {
	return ask(n, "balance", false, func(c *modelChain) (*big.Int, error) {
		for _, b := range slices.Backward(c.blocks) {
			if block == "" || b.Hash == block {
				return b.state.balance(asset, address), nil
			}
		}
		return nil, errors.New("no such block")
	})
}

func (n *node) price() (int64, error) {
	return ask(n, "price", false, func(c *modelChain) (int64, error) { return max(c.floor, usualPrice), nil })
}

const usualPrice = 1000

// verifies is the adapter's own arithmetic, not a request.
func (n *node) verifies(public []byte, digest [32]byte, signature []byte) bool {
	n.chain.mu.Lock()
	defer n.chain.mu.Unlock()
	return n.chain.verify(public, digest, signature)
}

func (n *node) nonce(address string) (uint64, error) {
	return ask(n, "nonce", false, func(c *modelChain) (uint64, error) { return c.head().state.nonces[address], nil })
}

// knows says whether a transaction waits or is mined.
func (n *node) knows(hash string) (bool, error) {
	return ask(n, "transaction", false, func(c *modelChain) (bool, error) {
		if slices.ContainsFunc(c.pool, func(tx modelTx) bool { return tx.hash() == hash }) {
			return true, nil
		}
		for _, b := range c.blocks {
			if slices.ContainsFunc(b.Txs, func(m mined) bool { return m.Hash == hash }) {
				return true, nil
			}
		}
		return false, nil
	})
}

func (n *node) send(tx modelTx) error {
	_, err := ask(n, "send", true, func(c *modelChain) (string, error) { return c.send(tx) })
	return err
}
