package bitcointest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers/bitcoin"
)

// Payment is one output of a transaction of somebody else's.
type Payment struct {
	To    string
	Units int64 // satoshi
}

// BlockTime is how much time passes with a block.
const BlockTime = 10 * time.Minute

// birth is when the first block after the genesis block is mined: in the past of every real node's clock, with room for years of blocks.
var birth = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)

// Miner is everybody but us, on a node in regression-test mode. It is safe for concurrent use; its methods work one at a time.
type Miner struct {
	node bitcoin.Node

	mu       sync.Mutex
	purse    []purseCoin // oldest first
	from     map[string]purseCoin
	withheld map[string]bool   // transactions that blocks leave out
	seen     map[string]string // every transaction that ever waited, serialized
	revive   map[string]string // transactions that the next block holds though they were replaced
	blocks   map[chainhash.Hash]*wire.MsgBlock
	others   int
	height   int64
	reward   []byte
}

// purseCoin is an output that anybody can spend.
type purseCoin struct {
	at    wire.OutPoint
	units int64
	mined int64 // the height of its block
	young int64 // the height from which on it can be spent
}

// anybody is a script that is true, and what an output to its hash is locked with (P2WSH).
var anybody = func() []byte {
	hash := sha256.Sum256([]byte{txscript.OP_TRUE})
	return append([]byte{txscript.OP_0, sha256.Size}, hash[:]...)
}()

// NewMiner makes the first blocks of a new chain, whose coins it pays with.
func NewMiner(ctx context.Context, node bitcoin.Node) (*Miner, error) {
	m := &Miner{node: node, from: map[string]purseCoin{}, withheld: map[string]bool{}, seen: map[string]string{}, revive: map[string]string{}, blocks: map[chainhash.Hash]*wire.MsgBlock{}, reward: anybody}
	const purse = 30
	return m, m.Mine(ctx, maturity+purse)
}

// NewAddress returns an address of somebody else's, never used before.
func (m *Miner) NewAddress() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others++
	hash := sha256.Sum256(fmt.Appendf(nil, "somebody else %d", m.others))
	a, err := address.NewAddressWitnessPubKeyHash(hash[:20], &chaincfg.RegressionNetParams)
	if err != nil {
		return "", err
	}
	return a.EncodeAddress(), nil
}

// Mine makes n blocks. The first holds what waits, but for what is withheld.
func (m *Miner) Mine(ctx context.Context, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	tip, height, err := m.tip(ctx)
	if err != nil {
		return err
	}
	for range n {
		txs, err := m.waiting(ctx)
		if err != nil {
			return err
		}
		height++
		if tip, err = m.extend(ctx, tip, height, 0, m.reward, txs); err != nil {
			return err
		}
		m.revive = map[string]string{}
	}
	return nil
}

// MineTo makes one block, as Mine does, whose reward goes to an address.
func (m *Miner) MineTo(ctx context.Context, to string) error {
	script, err := scriptOf(to)
	if err != nil {
		return err
	}
	m.mu.Lock()
	m.reward = script
	m.mu.Unlock()
	err = m.Mine(ctx, 1)
	m.mu.Lock()
	m.reward = anybody
	m.mu.Unlock()
	return err
}

// Reorganise replaces the newest depth blocks by one more, that hold none of their transactions. Those wait again, but for those that are
// dropped: the first new block spends their money elsewhere.
func (m *Miner) Reorganise(ctx context.Context, depth int, drop ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, height, err := m.tip(ctx)
	if err != nil {
		return err
	}
	at := height - int64(depth)
	var fork string
	if err := m.call(ctx, &fork, "getblockhash", at); err != nil {
		return err
	}
	parent, err := chainhash.NewHashFromStr(fork)
	if err != nil {
		return err
	}
	branch, err := m.branch(ctx)
	if err != nil {
		return err
	}
	var again []*wire.MsgTx
	for _, b := range branch[at:] {
		again = append(again, b.Transactions[1:]...)
	}
	var elsewhere []*wire.MsgTx
	for _, txid := range drop {
		spent, ok := m.from[txid]
		if !ok {
			return fmt.Errorf("bitcointest: %s is no transaction of Pay", txid)
		}
		const fee = 5000
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(wire.NewTxIn(&spent.at, nil, wire.TxWitness{{txscript.OP_TRUE}}))
		tx.AddTxOut(wire.NewTxOut(spent.units-fee, anybody))
		elsewhere = append(elsewhere, tx)
	}
	// Coins of the blocks that go are gone, or come again with a later block.
	m.purse = slices.DeleteFunc(m.purse, func(c purseCoin) bool { return c.mined > at })
	tip := *parent
	for i := range depth + 1 {
		if tip, err = m.extend(ctx, tip, at+int64(i)+1, uint32(height), anybody, elsewhere); err != nil { //nolint:gosec // small
			return err
		}
		elsewhere = nil
	}
	// Nodes take them up by themselves, in their own time. What conflicts with the new blocks, or is there already, is refused.
	for _, tx := range again {
		var txid string
		_ = m.call(ctx, &txid, "sendrawtransaction", serialize(tx))
	}
	return nil
}

// Return makes n empty blocks on one that Tip returned: enough of them, and the chain comes back to it.
func (m *Miner) Return(ctx context.Context, tip string, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	hash, err := chainhash.NewHashFromStr(tip)
	if err != nil {
		return err
	}
	height := int64(0)
	for at := m.blocks[*hash]; at != nil; at = m.blocks[at.Header.PrevBlock] {
		height++
	}
	at := *hash
	for range n {
		height++
		if at, err = m.extend(ctx, at, height, uint32(m.height), anybody, nil); err != nil { //nolint:gosec // small
			return err
		}
	}
	return nil
}

// Pay sends one transaction that makes all payments, and returns its id.
func (m *Miner) Pay(ctx context.Context, payments ...Payment) (txid string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	total, tx := 5000+100*int64(len(payments)), wire.NewMsgTx(2) // the fee
	for _, p := range payments {
		script, err := scriptOf(p.To)
		if err != nil {
			return "", err
		}
		tx.AddTxOut(wire.NewTxOut(p.Units, script))
		total += p.Units
	}
	i := slices.IndexFunc(m.purse, func(c purseCoin) bool { return c.units >= total && c.young <= m.height })
	if i < 0 {
		return "", errors.New("bitcointest: the miner has no coin that is large enough; mine more blocks")
	}
	spent := m.purse[i]
	m.purse = slices.Delete(m.purse, i, i+1)
	tx.AddTxIn(wire.NewTxIn(&spent.at, nil, wire.TxWitness{{txscript.OP_TRUE}}))
	if rest := spent.units - total; rest > 1000 {
		tx.AddTxOut(wire.NewTxOut(rest, anybody))
	}
	if err := m.call(ctx, &txid, "sendrawtransaction", serialize(tx)); err != nil {
		return "", err
	}
	m.from[txid] = spent
	return txid, nil
}

// Restart restarts a node that forgets everything by then, and gives its blocks back to it: what waited is forgotten.
func (m *Miner) Restart(ctx context.Context, restart func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	branch, err := m.branch(ctx)
	if err != nil {
		return err
	}
	if err := restart(); err != nil {
		return err
	}
	for _, b := range branch {
		if err := m.submit(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// Withhold makes blocks leave out what waits now. What takes its place is not left out.
func (m *Miner) Withhold(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.waiting(ctx); err != nil {
		return err
	}
	var ids []string
	if err := m.call(ctx, &ids, "getrawmempool"); err != nil {
		return err
	}
	for _, txid := range ids {
		m.withheld[txid] = true
	}
	return nil
}

// Release makes the next block hold what was withheld, and not what took its place.
func (m *Miner) Release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for txid := range m.withheld {
		m.revive[txid] = m.seen[txid]
	}
	m.withheld = map[string]bool{}
}
