package bitcointest

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// pool is the transactions that wait.
type pool map[chainhash.Hash]*wire.MsgTx

// relayRate is the least that a transaction pays for 1000 virtual bytes, and the least by which one pays more than what it replaces.
const relayRate = 1000

func (p pool) ids() []string {
	list := make([]string, 0, len(p))
	for hash := range p {
		list = append(list, hash.String())
	}
	slices.Sort(list)
	return list
}

func (p pool) outputs() map[wire.OutPoint]*wire.TxOut {
	all := map[wire.OutPoint]*wire.TxOut{}
	for hash, tx := range p {
		for n, out := range tx.TxOut {
			all[*wire.NewOutPoint(&hash, uint32(n))] = out
		}
	}
	return all
}

// prune drops what is in the chain or can no longer be.
func (p pool) prune(c *chain) {
	for again := true; again; {
		again = false
		for hash, tx := range p {
			if _, err := c.check(tx, c.height()+1, p.outputs()); err != nil {
				delete(p, hash)
				again = true
			}
		}
	}
}

// conflicts are the waiting transactions that spend what tx spends.
func (p pool) conflicts(tx *wire.MsgTx) (found []*wire.MsgTx) {
	for _, other := range p {
		if slices.ContainsFunc(other.TxIn, func(in *wire.TxIn) bool {
			return slices.ContainsFunc(tx.TxIn, func(mine *wire.TxIn) bool { return mine.PreviousOutPoint == in.PreviousOutPoint })
		}) {
			found = append(found, other)
		}
	}
	return found
}

func vsize(tx *wire.MsgTx) int64 { return int64(3*tx.SerializeSizeStripped()+tx.SerializeSize()+3) / 4 }

// send takes a transaction into the pool, or refuses it with the code that the node's kind has for the reason.
func (n *Node) send(text string) (any, *rpcError) {
	const undecodable, missing, refused, known = -22, -25, -26, -27
	var tx wire.MsgTx
	if raw, err := hex.DecodeString(text); err != nil || tx.Deserialize(bytes.NewReader(raw)) != nil {
		return nil, &rpcError{undecodable, "TX decode failed"}
	}
	hash := tx.TxHash()
	if n.pool[hash] != nil {
		if n.Core {
			return hash.String(), nil
		}
		return nil, &rpcError{refused, "TX rejected: already have transaction in mempool " + hash.String()}
	}
	for i := range tx.TxOut {
		if _, ok := n.chain.coins[*wire.NewOutPoint(&hash, uint32(i))]; ok {
			return nil, &rpcError{known, "transaction already exists in blockchain"}
		}
	}
	fee, err := n.chain.check(&tx, n.chain.height()+1, n.pool.outputs())
	switch {
	case errors.Is(err, errMissing):
		return nil, &rpcError{missing, "TX rejected: orphan transaction " + hash.String() + ": " + err.Error()}
	case err != nil:
		return nil, &rpcError{refused, "TX rejected: " + err.Error()}
	}
	least := (vsize(&tx)*relayRate + 999) / 1000
	for _, other := range n.pool.conflicts(&tx) {
		if !slices.ContainsFunc(other.TxIn, func(in *wire.TxIn) bool { return in.Sequence <= wire.MaxTxInSequenceNum-2 }) {
			return nil, &rpcError{refused, "txn-mempool-conflict"}
		}
		paid, _ := n.chain.check(other, n.chain.height()+1, n.pool.outputs())
		least += paid
	}
	if fee < least {
		return nil, &rpcError{refused, "insufficient fee"}
	}
	for _, other := range n.pool.conflicts(&tx) {
		delete(n.pool, other.TxHash())
	}
	n.pool[hash] = &tx
	n.pool.prune(n.chain)
	return hash.String(), nil
}
