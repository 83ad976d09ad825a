package providertest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/koshpay/kosh/currency"
)

// modelChain is a chain of accounts, nonces, gas and tokens, small enough to read: what the checks of chains are themselves tested
// on. Its blocks are real in what matters: each names its parent, a transaction is in one or in none, and the state is a function of the
// blocks.
type modelChain struct {
	mu     sync.Mutex
	blocks []*modelBlock
	pool   []modelTx
	known  map[string]modelTx // every transaction that was ever sent, by hash
	banned map[string]bool    // double-spent on the branch that won
	floor  int64              // the least price that blocks take
	salt   int                // so that no two branches have the same hashes
	keys   map[string][]byte  // secrets by public key: see verify
	lies   bool               // the second endpoint tells of other blocks
	id     string             // CAIP-2
}

type modelBlock struct {
	Height       int
	Hash, Parent string
	Txs          []mined
	state        modelState // after it
}

// modelState is what accounts have.
type modelState struct {
	balances map[string]*big.Int // by asset and address
	nonces   map[string]uint64
}

func (s modelState) clone() modelState {
	return modelState{maps.Clone(s.balances), maps.Clone(s.nonces)}
}

func (s modelState) balance(asset currency.AssetID, address string) *big.Int {
	if b := s.balances[string(asset)+" "+address]; b != nil {
		return b
	}
	return new(big.Int)
}

func (s modelState) add(asset currency.AssetID, address string, n *big.Int) {
	s.balances[string(asset)+" "+address] = new(big.Int).Add(s.balance(asset, address), n)
}

// modelTx is a transaction. Those of strangers have no public key: they have all the money in the world and sign nothing.
type modelTx struct {
	Public    []byte
	Nonce     uint64
	Price     int64
	Outputs   []modelOutput
	Fails     bool   // mined, and nothing happens
	Fake      bool   // only says that it pays
	Salt      int    // tells strangers' transactions apart
	Signature []byte // not signed itself
}

type modelOutput struct {
	To       string
	Asset    currency.AssetID
	Quantity *big.Int
}

// mined is a transaction in a block, with the logs of what was paid.
type mined struct {
	Hash string
	Tx   modelTx
	OK   bool
	Cost int64 // in the chain's own asset
	Logs []modelOutput
}

func (tx modelTx) digest() [32]byte {
	tx.Signature = nil
	text, err := json.Marshal(tx)
	if err != nil {
		panic(err)
	}
	return sha256.Sum256(text)
}

func (tx modelTx) hash() string {
	text, err := json.Marshal(tx)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return "0x" + hex.EncodeToString(sum[:16])
}

// gas is what a transaction takes, whether it fails or not.
func (tx modelTx) gas() int64 {
	if strings.Contains(string(tx.Outputs[0].Asset), "erc20") {
		return 50
	}
	return 21
}

func (tx modelTx) from() string {
	if tx.Public == nil {
		return ""
	}
	return modelAddress(tx.Public)
}

func modelAddress(public []byte) string {
	sum := sha256.Sum256(public)
	return "0x" + hex.EncodeToString(sum[:10])
}

// order is that of secp256k1, as Signer says. The model's signatures are no curve's, but as malleable: s and order-s verify both, and
// the chain takes the lower one.
var order, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16)

func isHigh(s *big.Int) bool { return new(big.Int).Lsh(s, 1).Cmp(order) > 0 }

func modelSign(secret []byte, digest [32]byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(digest[:])
	r := mac.Sum(nil)
	mac.Write(r)
	s := new(big.Int).Mod(new(big.Int).SetBytes(mac.Sum(nil)), order)
	if isHigh(s) {
		s.Sub(order, s)
	}
	return append(r, s.FillBytes(make([]byte, 32))...)
}

// verify says whether a signature is one of a public key, in either form.
func (c *modelChain) verify(public []byte, digest [32]byte, signature []byte) bool {
	secret, ok := c.keys[string(public)]
	if !ok || len(signature) != 64 {
		return false
	}
	want := modelSign(secret, digest)
	s := new(big.Int).SetBytes(signature[32:])
	if isHigh(s) {
		s.Sub(order, s)
	}
	return bytes.Equal(want[:32], signature[:32]) && s.Cmp(new(big.Int).SetBytes(want[32:])) == 0
}

func (c *modelChain) head() *modelBlock { return c.blocks[len(c.blocks)-1] }

// Errors of send, as nodes word them.
var (
	errKnown       = errors.New("already known")
	errNonceTooLow = errors.New("nonce too low")
	errUnderpriced = errors.New("replacement transaction underpriced")
	errBadTx       = errors.New("invalid sender")
	errNoFunds     = errors.New("insufficient funds for gas * price + value")
)

// send takes a transaction into the pool, as a node does.
func (c *modelChain) send(tx modelTx) (string, error) {
	hash := tx.hash()
	if tx.Public == nil {
		c.known[hash] = tx
		c.pool = append(c.pool, tx)
		return hash, nil
	}
	if !c.verify(tx.Public, tx.digest(), tx.Signature) || isHigh(new(big.Int).SetBytes(tx.Signature[32:])) {
		return "", errBadTx
	}
	if slices.ContainsFunc(c.pool, func(o modelTx) bool { return o.hash() == hash }) {
		return "", errKnown
	}
	if tx.Nonce < c.head().state.nonces[tx.from()] {
		return "", errNonceTooLow
	}
	if !affords(c.head().state, tx) {
		return "", errNoFunds
	}
	for i, o := range c.pool {
		if o.from() == tx.from() && o.Nonce == tx.Nonce {
			if tx.Price*10 < o.Price*11 {
				return "", errUnderpriced
			}
			c.known[hash] = tx
			c.pool[i] = tx
			return hash, nil
		}
	}
	c.known[hash] = tx
	c.pool = append(c.pool, tx)
	return hash, nil
}

func affords(s modelState, tx modelTx) bool {
	need := map[currency.AssetID]*big.Int{ether.ID(): big.NewInt(tx.gas() * tx.Price)}
	for _, o := range tx.Outputs {
		if need[o.Asset] == nil {
			need[o.Asset] = new(big.Int)
		}
		need[o.Asset].Add(need[o.Asset], o.Quantity)
	}
	for asset, n := range need {
		if s.balance(asset, tx.from()).Cmp(n) < 0 {
			return false
		}
	}
	return true
}

// mine makes n blocks.
func (c *modelChain) mine(n int) {
	for range n {
		parent := c.head()
		b := &modelBlock{Height: parent.Height + 1, Parent: parent.Hash, state: parent.state.clone()}
		slices.SortStableFunc(c.pool, func(x, y modelTx) int { return int(x.Nonce) - int(y.Nonce) })
		var rest []modelTx
		for _, tx := range c.pool {
			if m, ok := c.apply(b.state, tx); ok {
				b.Txs = append(b.Txs, m)
			} else if !c.banned[tx.hash()] && (tx.Public == nil || tx.Nonce >= b.state.nonces[tx.from()]) {
				rest = append(rest, tx)
			}
		}
		c.pool = rest
		c.seal(b)
	}
}

func (c *modelChain) seal(b *modelBlock) {
	sum := sha256.Sum256(fmt.Append(nil, b.Height, b.Parent, c.salt))
	b.Hash = "0x" + hex.EncodeToString(sum[:8])
	c.blocks = append(c.blocks, b)
}

func (c *modelChain) apply(s modelState, tx modelTx) (mined, bool) {
	m := mined{Hash: tx.hash(), Tx: tx, OK: !tx.Fails}
	if c.banned[m.Hash] {
		return m, false
	}
	if tx.Public != nil {
		if tx.Nonce != s.nonces[tx.from()] || tx.Price < c.floor || !affords(s, tx) {
			return m, false
		}
		m.Cost = tx.gas() * tx.Price
		s.nonces[tx.from()]++
		s.add(ether.ID(), tx.from(), big.NewInt(-m.Cost))
		m.OK = tx.Outputs[0].To != failing
	}
	for _, o := range tx.Outputs {
		switch {
		case !m.OK:
		case tx.Fake:
			m.Logs = append(m.Logs, o)
		default:
			if tx.Public != nil {
				s.add(o.Asset, tx.from(), new(big.Int).Neg(o.Quantity))
			}
			arrives := new(big.Int).Set(o.Quantity)
			if o.Asset == taxed.ID() || o.Asset == liar.ID() {
				arrives.Sub(arrives, new(big.Int).Quo(arrives, big.NewInt(50)))
			}
			s.add(o.Asset, o.To, arrives)
			if o.Asset != liar.ID() {
				o.Quantity = arrives
			}
			m.Logs = append(m.Logs, o)
		}
	}
	return m, true
}

// reorganise replaces the newest blocks.
func (c *modelChain) reorganise(depth int, drop []string) error {
	if depth >= len(c.blocks) {
		return fmt.Errorf("the chain has %d blocks", len(c.blocks))
	}
	gone := slices.Clone(c.blocks[len(c.blocks)-depth:])
	c.blocks = c.blocks[:len(c.blocks)-depth]
	c.salt++
	for _, hash := range drop {
		c.banned[hash] = true
	}
	for range depth + 1 {
		c.seal(&modelBlock{Height: c.head().Height + 1, Parent: c.head().Hash, state: c.head().state.clone()})
	}
	for _, b := range gone {
		for _, m := range b.Txs {
			if !c.banned[m.Hash] {
				c.pool = append(c.pool, m.Tx)
			}
		}
	}
	return nil
}

// unbump puts the cheapest of the transactions that were sent with one nonce back into the pool.
func (c *modelChain) unbump() {
	c.floor = 0
	for i, tx := range c.pool {
		for _, other := range c.known {
			if tx.Public != nil && other.from() == tx.from() && other.Nonce == tx.Nonce && other.Price < c.pool[i].Price {
				c.pool[i] = other
			}
		}
	}
}

// failing is an address to which nothing can be paid.
const failing = "0xfa11ed"

// ether and the tokens of the model chain.
var (
	ether = modelAsset("slip44:60", "mETH", 18)
	coin  = modelAsset("erc20:0x00000000000000000000000000000000000c0141", "mUSD", 6)
	mute  = modelAsset("erc20:0x000000000000000000000000000000000000dead", "mMUTE", 6)
	taxed = modelAsset("erc20:0x0000000000000000000000000000000000007a8e", "mTAX", 6) // says so
	liar  = modelAsset("erc20:0x00000000000000000000000000000000000011e5", "mLIE", 6) // takes as much, and does not say so
)

const modelID = "eip155:99"

func modelAsset(name, code string, scale uint8) *currency.Definition {
	return currency.MustDefine(currency.Info{ID: currency.AssetID(modelID + "/" + name), Code: code, Name: code, Scale: scale, Kind: currency.Crypto})
}
