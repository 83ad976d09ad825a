package bitcointest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

func timeOf(height int64) time.Time { return birth.Add(time.Duration(height) * BlockTime) }

// waiting returns what the next block holds, what is spent by others after it.
func (m *Miner) waiting(ctx context.Context) (txs []*wire.MsgTx, err error) {
	var ids []string
	if err := m.call(ctx, &ids, "getrawmempool"); err != nil {
		return nil, err
	}
	// A node may list for a moment what a block has already.
	spent := map[wire.OutPoint]bool{}
	branch, err := m.branch(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range branch {
		for _, tx := range b.Transactions {
			for _, in := range tx.TxIn {
				spent[in.PreviousOutPoint] = true
			}
		}
	}
	take := func(text string) error {
		raw, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		var tx wire.MsgTx
		if err := tx.Deserialize(bytes.NewReader(raw)); err != nil {
			return err
		}
		for _, in := range tx.TxIn {
			if spent[in.PreviousOutPoint] {
				return nil
			}
		}
		for _, in := range tx.TxIn {
			spent[in.PreviousOutPoint] = true
		}
		txs = append(txs, &tx)
		return nil
	}
	for _, txid := range sorted(m.revive) {
		if err := take(m.revive[txid]); err != nil {
			return nil, err
		}
	}
	slices.Sort(ids)
	for _, txid := range ids {
		if _, ok := m.seen[txid]; !ok {
			var raw string
			if m.call(ctx, &raw, "getrawtransaction", txid) != nil {
				continue // it is gone since
			}
			m.seen[txid] = raw
		}
		if m.withheld[txid] {
			continue
		}
		if err := take(m.seen[txid]); err != nil {
			return nil, err
		}
	}
	return ordered(txs), nil
}

// ordered puts what is spent before what spends it.
func ordered(txs []*wire.MsgTx) (list []*wire.MsgTx) {
	byHash := map[chainhash.Hash]*wire.MsgTx{}
	for _, tx := range txs {
		byHash[tx.TxHash()] = tx
	}
	done := map[*wire.MsgTx]bool{}
	var visit func(tx *wire.MsgTx)
	visit = func(tx *wire.MsgTx) {
		if done[tx] {
			return
		}
		done[tx] = true
		for _, in := range tx.TxIn {
			if parent := byHash[in.PreviousOutPoint.Hash]; parent != nil {
				visit(parent)
			}
		}
		list = append(list, tx)
	}
	for _, tx := range txs {
		visit(tx)
	}
	return list
}

func sorted(m map[string]string) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// extend makes a block, submits it, and puts what it makes into the purse. branch tells blocks of one height apart.
func (m *Miner) extend(
	ctx context.Context, parent chainhash.Hash, height int64, branch uint32, reward []byte, txs []*wire.MsgTx,
) (hash chainhash.Hash, err error) {
	const halving, subsidy = 150, 50 * 100_000_000
	units := int64(subsidy) >> (height / halving)
	b := wire.MsgBlock{Transactions: append([]*wire.MsgTx{coinbase(height, branch, reward, units)}, txs...)}
	if slices.ContainsFunc(txs, (*wire.MsgTx).HasWitness) {
		commit(b.Transactions)
	}
	b.Header = wire.BlockHeader{
		Version: 0x20000000, PrevBlock: parent, MerkleRoot: merkleRoot(b.Transactions),
		Timestamp: timeOf(height), Bits: chaincfg.RegressionNetParams.PowLimitBits,
	}
	for !worked(b.BlockHash(), b.Header.Bits) {
		b.Header.Nonce++
	}
	if err := m.submit(ctx, &b); err != nil {
		return hash, fmt.Errorf("bitcointest: block %d: %w", height, err)
	}
	for i, tx := range b.Transactions {
		hash := tx.TxHash()
		for n, out := range tx.TxOut {
			c := purseCoin{*wire.NewOutPoint(&hash, uint32(n)), out.Value, height, height + 1}
			if i == 0 {
				c.young = height + maturity
			}
			if bytes.Equal(out.PkScript, anybody) && out.Value > 0 {
				m.purse = append(m.purse, c)
			}
		}
	}
	m.height = max(m.height, height)
	return b.BlockHash(), nil
}

func (m *Miner) submit(ctx context.Context, b *wire.MsgBlock) error {
	var refused *string
	if err := m.call(ctx, &refused, "submitblock", serialize(b)); err != nil {
		return err
	}
	if refused != nil {
		return errors.New(*refused)
	}
	return nil
}

func coinbase(height int64, branch uint32, reward []byte, units int64) *wire.MsgTx {
	script, _ := txscript.NewScriptBuilder().AddInt64(height).AddData(binary.BigEndian.AppendUint32(nil, branch)).Script() // is short
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	tx.AddTxOut(wire.NewTxOut(units, reward))
	return tx
}

// commit makes the coinbase commit to the witnesses (BIP-141).
func commit(txs []*wire.MsgTx) {
	reserved := make([]byte, chainhash.HashSize)
	level := []chainhash.Hash{{}}
	for _, tx := range txs[1:] {
		level = append(level, tx.WitnessHash())
	}
	root := rootOf(level)
	commitment := chainhash.DoubleHashB(append(root[:], reserved...))
	txs[0].TxIn[0].Witness = wire.TxWitness{reserved}
	txs[0].AddTxOut(wire.NewTxOut(0, append([]byte{txscript.OP_RETURN, 0x24, 0xaa, 0x21, 0xa9, 0xed}, commitment...)))
}
