package bitcointest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
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

// Now is the time of the newest block, which is the time on this chain.
func (m *Miner) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return timeOf(m.height)
}

// Height is that of the newest block.
func (m *Miner) Height() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.height
}

func timeOf(height int64) time.Time { return birth.Add(time.Duration(height) * BlockTime) }

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

func scriptOf(to string) ([]byte, error) {
	a, err := address.DecodeAddress(to, &chaincfg.RegressionNetParams)
	if err != nil {
		return nil, err
	}
	return txscript.PayToAddrScript(a)
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

// Tip is the hash of the newest block.
func (m *Miner) Tip(ctx context.Context) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.branch(ctx) // to know it later, for Return
	if err != nil {
		return "", err
	}
	hash, _, err := m.tip(ctx)
	return hash.String(), err
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

// Received says how much an address, or several, hold by the newest block.
func (m *Miner) Received(ctx context.Context, addresses ...string) (units int64, err error) {
	_, units, err = m.unspent(ctx, false, addresses)
	return units, err
}

// Paid says how many unspent outputs an address has, those that wait for a block included, and what they hold together.
func (m *Miner) Paid(ctx context.Context, to string) (outputs int, units int64, err error) {
	return m.unspent(ctx, true, []string{to})
}

func (m *Miner) unspent(ctx context.Context, waiting bool, addresses []string) (outputs int, units int64, err error) {
	mine := map[string]bool{}
	for _, text := range addresses {
		script, err := scriptOf(text)
		if err != nil {
			return 0, 0, err
		}
		mine[string(script)] = true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	branch, err := m.branch(ctx)
	if err != nil {
		return 0, 0, err
	}
	if waiting {
		txs, err := m.waiting(ctx)
		if err != nil {
			return 0, 0, err
		}
		branch = append(branch, &wire.MsgBlock{Transactions: txs})
	}
	coins := map[wire.OutPoint]int64{}
	for _, b := range branch {
		for _, tx := range b.Transactions {
			for _, in := range tx.TxIn {
				delete(coins, in.PreviousOutPoint)
			}
			hash := tx.TxHash()
			for n, out := range tx.TxOut {
				if mine[string(out.PkScript)] {
					coins[*wire.NewOutPoint(&hash, uint32(n))] = out.Value //nolint:gosec // outputs are few
				}
			}
		}
	}
	for _, n := range coins {
		units += n
	}
	return len(coins), units, nil
}

// branch returns the blocks of the node's best chain, oldest first, without the genesis block. Blocks never change, so each is asked for once.
func (m *Miner) branch(ctx context.Context) (list []*wire.MsgBlock, err error) {
	hash, height, err := m.tip(ctx)
	if err != nil {
		return nil, err
	}
	for range height {
		b := m.blocks[hash]
		if b == nil {
			var text string
			if err := m.call(ctx, &text, "getblock", hash.String(), 0); err != nil {
				return nil, err
			}
			raw, err := hex.DecodeString(text)
			if err != nil {
				return nil, err
			}
			b = &wire.MsgBlock{}
			if err := b.Deserialize(bytes.NewReader(raw)); err != nil {
				return nil, err
			}
			m.blocks[hash] = b
		}
		list = append(list, b)
		hash = b.Header.PrevBlock
	}
	slices.Reverse(list)
	return list, nil
}

func (m *Miner) tip(ctx context.Context) (hash chainhash.Hash, height int64, err error) {
	if err := m.call(ctx, &height, "getblockcount"); err != nil {
		return hash, 0, err
	}
	var text string
	if err := m.call(ctx, &text, "getblockhash", height); err != nil {
		return hash, 0, err
	}
	h, err := chainhash.NewHashFromStr(text)
	if err != nil {
		return hash, 0, err
	}
	return *h, height, nil
}

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
			c := purseCoin{*wire.NewOutPoint(&hash, uint32(n)), out.Value, height, height + 1} //nolint:gosec // outputs are few
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

// call speaks JSON-RPC.
func (m *Miner) call(ctx context.Context, v any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": "miner", "method": method, "params": params})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.node.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(m.node.User, m.node.Password)
	client := m.node.Client
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("bitcointest: %s: %w", method, err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("bitcointest: %s: %w", method, err)
	}
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("bitcointest: %s: status %d: %w", method, res.StatusCode, err)
	}
	if envelope.Error != nil {
		return fmt.Errorf("bitcointest: %s: the node says %d: %s", method, envelope.Error.Code, envelope.Error.Message)
	}
	return json.Unmarshal(envelope.Result, v)
}

// Address is the P2WPKH address of a compressed public key on the regression-test network.
func Address(public [33]byte) string {
	a, err := address.NewAddressWitnessPubKeyHash(address.Hash160(public[:]), &chaincfg.RegressionNetParams)
	if err != nil {
		panic("bitcointest: 20 bytes are refused") // of a hash that has 20
	}
	return a.EncodeAddress()
}

// Ping returns nil when a node answers.
func Ping(ctx context.Context, node bitcoin.Node) error {
	var height int64
	return (&Miner{node: node}).call(ctx, &height, "getblockcount")
}
