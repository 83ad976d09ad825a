// Package nodes plays the conformance suites of providers against package evm on nodes that others wrote: go-ethereum's simulated
// chain in this process, anvil over loopback, and, when it is asked for, geth.
package nodes

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
)

// node is what differs between nodes.
type node interface {
	url() string
	chainID() uint64
	// fund gives accounts ether, in wei each.
	fund(wei *big.Int, accounts ...common.Address) error
	mine(at time.Time) error
	// reset takes out the blocks above a height, and empties the pool.
	reset(height uint64) error
	forget() error
}

// chain is a node as a chainworld.Chain. Everything that it sends is signed by go-ethereum.
type chain struct {
	t         testing.TB
	node      node
	build     build
	mu        sync.Mutex
	now       time.Time
	admin     *ecdsa.PrivateKey
	nonce     uint64
	payers    []*ecdsa.PrivateKey
	used      int
	nonces    [payers]uint64
	by        map[string]spent
	helper    common.Address
	kinds     map[common.Address]string
	instant   bool // every transaction makes a block by itself
	congested *big.Int
	held      map[string]hexutil.Bytes // what waited when it became congested, by sender and nonce
}

const payers = 100

// spent is who made a transaction, with which nonce.
type spent struct {
	payer int
	nonce uint64
}

// startOfTime is later than any real clock, because nodes refuse blocks from the past.
var startOfTime = time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)

func open(t testing.TB, n node) *chain {
	t.Helper()
	c := &chain{t: t, node: n, build: contracts(t), now: startOfTime, by: map[string]spent{}, kinds: map[common.Address]string{}}
	keys, accounts := testKeys(t)
	c.admin, c.payers = keys[0], keys[1:]
	ether := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	require.NoError(t, n.fund(new(big.Int).Mul(ether, big.NewInt(2_000_000)), accounts...))
	nonce := hexutil.Uint64(0)
	require.NoError(t, c.ask(&nonce, "eth_getTransactionCount", accounts[0], "latest"))
	c.nonce = uint64(nonce)
	var err error
	c.helper, err = c.create("Helper")
	require.NoError(t, err)
	return c
}

var testKeys = func() func(t testing.TB) ([]*ecdsa.PrivateKey, []common.Address) {
	var once sync.Once
	var keys []*ecdsa.PrivateKey
	var accounts []common.Address
	return func(t testing.TB) ([]*ecdsa.PrivateKey, []common.Address) {
		t.Helper()
		once.Do(func() {
			for i := range payers + 1 {
				key, err := crypto.ToECDSA(crypto.Keccak256(fmt.Appendf(nil, "kosh test payer %d", i)))
				require.NoError(t, err)
				keys, accounts = append(keys, key), append(accounts, crypto.PubkeyToAddress(key.PublicKey))
			}
		})
		return keys, accounts
	}
}()

func (c *chain) ask(result any, method string, params ...any) error {
	return chainworld.Ask(c.node.url(), result, method, params...)
}

// send signs a transaction and gives it to the node.
func (c *chain) send(key *ecdsa.PrivateKey, nonce uint64, to *common.Address, value *big.Int, gas uint64, data []byte) (string, error) {
	var head *types.Header
	if err := c.ask(&head, "eth_getBlockByNumber", "latest", false); err != nil {
		return "", err
	}
	tip := big.NewInt(2_000_000_000)
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(new(big.Int).SetUint64(c.node.chainID())), &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(c.node.chainID()), Nonce: nonce, GasTipCap: tip,
		GasFeeCap: new(big.Int).Add(tip, new(big.Int).Mul(head.BaseFee, big.NewInt(10))), Gas: gas, To: to, Value: value, Data: data,
	})
	if err != nil {
		return "", err
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return "", err
	}
	return tx.Hash().Hex(), c.ask(nil, "eth_sendRawTransaction", hexutil.Bytes(raw))
}

// do sends a transaction of the admin's, and mines it.
func (c *chain) do(to *common.Address, value *big.Int, data []byte) (*types.Receipt, error) {
	hash, err := c.send(c.admin, c.nonce, to, value, 5_000_000, data)
	if err != nil {
		return nil, err
	}
	c.nonce++
	if err := c.Mine(1); err != nil {
		return nil, err
	}
	var r *types.Receipt
	if err := c.ask(&r, "eth_getTransactionReceipt", hash); err != nil {
		return nil, err
	}
	if r == nil || r.Status != 1 {
		return nil, fmt.Errorf("setting up: transaction %s did not go well: %+v", hash, r)
	}
	return r, nil
}

func (c *chain) create(name string) (common.Address, error) {
	code, err := hex.DecodeString(c.build.Contracts[name])
	if err != nil || len(code) == 0 {
		return common.Address{}, errors.Join(err, fmt.Errorf("no contract %s was compiled", name))
	}
	r, err := c.do(nil, new(big.Int), code)
	if err != nil {
		return common.Address{}, err
	}
	return r.ContractAddress, nil
}

// names of the contracts of the kinds of package evmtest.
var names = map[string]string{
	"plain": "Plain", "no return": "NoReturn", "takes fee": "TakesFee", "liar": "Liar", "returns false": "ReturnsFalse",
}

func (c *chain) Deploy(kind string) (string, error) {
	a, err := c.create(names[kind])
	c.kinds[a] = kind
	return a.Hex(), err
}

func (c *chain) Trap() (string, error) {
	// Within a check its address must be new; a block more does no harm, but it must not hold what waits, so it comes ready made.
	a, err := c.create("Trap")
	return a.Hex(), err
}

func (c *chain) Endow(token, address string, units *big.Int) error {
	to := common.HexToAddress(address)
	if token == "" {
		_, err := c.do(&to, units, nil)
		return err
	}
	contract := common.HexToAddress(token)
	signature := "mint(address,uint256)"
	if c.kinds[contract] == "takes fee" {
		signature = "endow(address,uint256)"
	}
	data, err := call(signature, to, units)
	if err != nil {
		return err
	}
	_, err = c.do(&contract, new(big.Int), data)
	return err
}

// call encodes a call by go-ethereum's ABI.
func call(signature string, args ...any) ([]byte, error) {
	var types abi.Arguments
	list := strings.TrimSuffix(signature[strings.Index(signature, "(")+1:], ")")
	for _, name := range strings.Split(list, ",") {
		kind, err := abi.NewType(name, "", nil)
		if err != nil {
			return nil, err
		}
		types = append(types, abi.Argument{Type: kind})
	}
	packed, err := types.Pack(args...)
	return append(crypto.Keccak256([]byte(signature))[:4], packed...), err
}

func (c *chain) URL() string     { return c.node.url() }
func (c *chain) ChainID() uint64 { return c.node.chainID() }

func (c *chain) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *chain) Height() uint64 {
	var n hexutil.Uint64
	require.NoError(c.t, c.ask(&n, "eth_blockNumber"))
	return uint64(n)
}

func (c *chain) Mine(n int) error {
	for range n {
		c.mu.Lock()
		c.now = c.now.Add(12 * time.Second)
		at := c.now
		c.mu.Unlock()
		if c.congested != nil {
			if err := c.ask(nil, "anvil_setNextBlockBaseFeePerGas", hexutil.EncodeBig(c.congested)); err != nil {
				return err
			}
		}
		before := c.Height()
		if err := c.node.mine(at); err != nil {
			return err
		}
		if after := c.Height(); after != before+1 && !c.instant {
			return fmt.Errorf("a block was asked for at height %d, and the height is %d", before, after)
		}
	}
	return nil
}

func (c *chain) NewAddress() string {
	var a common.Address
	_, err := rand.Read(a[:])
	require.NoError(c.t, err)
	return a.Hex()
}

func (c *chain) Balance(token, address string) (*big.Int, error) {
	of := common.HexToAddress(address)
	if token == "" {
		var n hexutil.Big
		err := c.ask(&n, "eth_getBalance", of, "latest")
		return n.ToInt(), err
	}
	data, err := call("balanceOf(address)", of)
	if err != nil {
		return nil, err
	}
	var out hexutil.Bytes
	err = c.ask(&out, "eth_call", map[string]any{"to": token, "data": hexutil.Bytes(data)}, "latest")
	return new(big.Int).SetBytes(out), err
}

func (c *chain) MinedAt(tx string) (uint64, bool) {
	var r *types.Receipt
	require.NoError(c.t, c.ask(&r, "eth_getTransactionReceipt", tx))
	if r == nil {
		return 0, false
	}
	return r.BlockNumber.Uint64(), true
}

// pay sends a transaction of the payer whose turn it is.
func (c *chain) pay(to common.Address, value *big.Int, gas uint64, data []byte) (string, error) {
	who := c.used % len(c.payers)
	hash, err := c.send(c.payers[who], c.nonces[who], &to, value, gas, data)
	if err != nil {
		return "", err
	}
	c.by[hash] = spent{who, c.nonces[who]}
	c.nonces[who]++
	c.used++
	return hash, nil
}

func (c *chain) Pay(payments ...chainworld.Payment) (string, error) {
	first := payments[0]
	if first.Token == "" {
		if len(payments) > 1 {
			return "", errors.New("a transaction carries ether to one address")
		}
		return c.pay(common.HexToAddress(first.To), first.Units, 21_000, nil)
	}
	var to []common.Address
	var units []*big.Int
	for _, p := range payments {
		to, units = append(to, common.HexToAddress(p.To)), append(units, p.Units)
	}
	data, err := call("many(address,address[],uint256[])", common.HexToAddress(first.Token), to, units)
	if err != nil {
		return "", err
	}
	return c.pay(c.helper, new(big.Int), 1_000_000, data)
}

func (c *chain) PayFails(p chainworld.Payment) (string, error) {
	to := common.HexToAddress(p.To)
	if p.Token == "" {
		data, err := call("forwardAndFail(address)", to)
		if err != nil {
			return "", err
		}
		return c.pay(c.helper, p.Units, 200_000, data)
	}
	data, err := call("mintAndFail(address,address,uint256)", common.HexToAddress(p.Token), to, p.Units)
	if err != nil {
		return "", err
	}
	return c.pay(c.helper, new(big.Int), 200_000, data)
}

func (c *chain) PayFake(to string, units *big.Int) (string, error) {
	data, err := call("fake(address,uint256)", common.HexToAddress(to), units)
	if err != nil {
		return "", err
	}
	return c.pay(c.helper, new(big.Int), 200_000, data)
}

func (c *chain) PayInside(to string, wei *big.Int) (string, error) {
	data, err := call("forward(address)", common.HexToAddress(to))
	if err != nil {
		return "", err
	}
	return c.pay(c.helper, wei, 200_000, data)
}

func (c *chain) Forget() error { return c.node.forget() }

// waiting returns the raw bytes of what waits, in each sender's order.
func (c *chain) waiting() (map[string]hexutil.Bytes, []string, error) {
	var pool map[string]map[common.Address]map[string]struct {
		Hash common.Hash `json:"hash"`
	}
	if err := c.ask(&pool, "txpool_content"); err != nil {
		return nil, nil, err
	}
	raws, order := map[string]hexutil.Bytes{}, []string{}
	for _, state := range []string{"pending", "queued"} {
		for from, txs := range pool[state] {
			for n := range 10_000 {
				tx, ok := txs[fmt.Sprint(n)]
				if !ok {
					if len(txs) == 0 {
						break
					}
					continue
				}
				raw, err := c.raw(tx.Hash)
				if err != nil {
					return nil, nil, err
				}
				id := fmt.Sprintf("%s/%d", from, n)
				raws[id] = raw
				order = append(order, id)
			}
		}
	}
	return raws, order, nil
}

func (c *chain) raw(hash common.Hash) (raw hexutil.Bytes, err error) {
	err = c.ask(&raw, "eth_getRawTransactionByHash", hash)
	if err == nil && len(raw) == 0 {
		err = fmt.Errorf("the node does not give transaction %s out", hash)
	}
	return raw, err
}

func (c *chain) Reorganise(depth int, drop ...string) error {
	height := c.Height()
	var orphans []hexutil.Bytes
	for n := height - uint64(depth) + 1; n <= height; n++ {
		var b struct {
			Transactions []common.Hash `json:"transactions"`
		}
		if err := c.ask(&b, "eth_getBlockByNumber", hexutil.EncodeUint64(n), false); err != nil {
			return err
		}
		for _, hash := range b.Transactions {
			if contains(drop, hash.Hex()) {
				continue
			}
			raw, err := c.raw(hash)
			if err != nil {
				return err
			}
			orphans = append(orphans, raw)
		}
	}
	raws, order, err := c.waiting()
	if err != nil {
		return err
	}
	if err := c.node.reset(height - uint64(depth)); err != nil {
		return err
	}
	for _, id := range drop {
		by, ok := c.by[id]
		if !ok {
			return fmt.Errorf("transaction %s is nobody's", id)
		}
		self := crypto.PubkeyToAddress(c.payers[by.payer].PublicKey)
		if _, err := c.send(c.payers[by.payer], by.nonce, &self, big.NewInt(1), 21_000, nil); err != nil {
			return err
		}
	}
	if err := c.Mine(depth + 1); err != nil {
		return err
	}
	for _, id := range order {
		orphans = append(orphans, raws[id])
	}
	for _, raw := range orphans {
		if err := c.ask(nil, "eth_sendRawTransaction", raw); err != nil && !strings.Contains(err.Error(), "nonce too low") {
			return err
		}
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, one := range list {
		if strings.EqualFold(one, s) {
			return true
		}
	}
	return false
}
