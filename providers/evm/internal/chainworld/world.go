// Package chainworld plays the conformance suites against package evm on any chain: a pretend one in the module's own tests, and
// real nodes in those of internal/nodes. It holds what the two have in common: a state store in memory that can fail, the
// keys of an adapter, and a transport that loses requests.
package chainworld

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// Payment is money of somebody else's that goes to an address; of ether when Token is empty.
type Payment struct {
	To, Token string
	Units     *big.Int
}

// Chain is a node that makes blocks when it is told to.
type Chain interface {
	URL() string
	ChainID() uint64
	Now() time.Time // moved by Mine alone
	Height() uint64
	Mine(n int) error
	Reorganise(depth int, drop ...string) error // see providertest.ChainWorld
	NewAddress() string
	Pay(payments ...Payment) (tx string, err error)
	PayFails(p Payment) (tx string, err error)
	PayFake(to string, units *big.Int) (tx string, err error)
	PayInside(to string, wei *big.Int) (tx string, err error)
	Balance(token, address string) (*big.Int, error)
	// Deploy makes a token of one of the kinds of package evmtest, with six decimals.
	Deploy(kind string) (contract string, err error)
	// Endow gives an address something before the test begins.
	Endow(token, address string, units *big.Int) error
	Trap() (string, error)
	MinedAt(tx string) (height uint64, ok bool)
	Forget() error
}

// Congestible is a Chain that can be congested; see providertest.ChainWorld.
type Congestible interface {
	Congest() error
	Unbump() error
}

// What the worlds are configured with.
const (
	Confirmations = 3
	Finality      = 6
)

const (
	sendMethod = "eth_sendRawTransaction"
	stuck      = 3 // blocks
	period     = 12 * time.Second
)

// Secrets that must never be printed.
const (
	secretInURL  = "v3-0123456789abcdef"
	secretInAuth = "bearer-fedcba9876543210"
)

// World is a chain with what an adapter needs to be on it.
type World struct {
	testing.TB
	Chain Chain
	Store *Store
	Keys  Keys
	Ether *currency.Definition
	Token *currency.Definition // a plain one
	// Change is applied to every configuration.
	Change []func(*evm.Config)

	mu        sync.Mutex
	ops       map[string]providers.Operation
	quiet     uint64 // the height up to which something was asked for
	made      int    // requests to make an address that met a fault
	sent      int    // requests to send
	raws      [][]byte
	fault     *fault
	late      []func()
	stranger  bool
	disagree  bool
	lastPaid  string
	addresses []string
}

// fault is what the next request to send meets.
type fault struct {
	acts   bool
	later  bool
	status int
	body   string
	err    error
}

// New makes a world on a chain; rich says that the treasury has ether.
func New(t testing.TB, c Chain, rich bool) *World {
	t.Helper()
	w := &World{TB: t, Chain: c, Store: &Store{}, Keys: NewKeys(t, Seed), ops: map[string]providers.Operation{}}
	w.Ether = w.must(currency.Define(currency.Info{
		ID: currency.AssetID(fmt.Sprintf("eip155:%d/slip44:60", c.ChainID())), Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto,
	}))
	if rich {
		if err := c.Endow("", w.Keys.Treasury.Address, w.Units(w.Ether, "1000000").Big()); err != nil {
			t.Fatal(err)
		}
	}
	w.Token = w.Deploy("plain")
	return w
}

func (w *World) must(d *currency.Definition, err error) *currency.Definition {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// Deploy makes a token and gives the treasury a million of it.
func (w *World) Deploy(kind string) *currency.Definition {
	w.Helper()
	at, err := w.Chain.Deploy(kind)
	if err != nil {
		w.Fatal(err)
	}
	d := w.must(currency.Define(currency.Info{
		ID:   currency.AssetID(fmt.Sprintf("eip155:%d/erc20:%s", w.Chain.ChainID(), strings.ToLower(at))),
		Code: "TOKEN", Name: kind, Scale: 6, Kind: currency.Crypto,
	}))
	if err := w.Chain.Endow(at, w.Keys.Treasury.Address, w.Units(d, "1000000").Big()); err != nil {
		w.Fatal(err)
	}
	return d
}

// Units reads an amount.
func (w *World) Units(a currency.Asset, decimal string) currency.Amount {
	w.Helper()
	amount, err := currency.Parse(decimal, a)
	if err != nil {
		w.Fatal(err)
	}
	return amount
}

// Contract is a token's; empty for ether.
func Contract(a currency.Asset) string {
	_, contract, _ := strings.Cut(string(a.ID()), "erc20:")
	return contract
}

// Config is that of an adapter in this world.
func (w *World) Config() evm.Config {
	steps := []evm.Step{{Confirmations: Confirmations}}
	c := evm.Config{
		ChainID: w.Chain.ChainID(), State: w.Store, Signer: w.Keys.Signer, Treasury: w.Keys.Treasury, Deposits: w.Keys.Deposits,
		DepositKeys: w.Keys.DepositKeys, Finality: Finality, StuckAfter: 30 * 24 * time.Hour, Now: w.Chain.Now,
		HTTP:      &http.Client{Transport: w, Timeout: 20 * time.Second},
		Endpoints: []evm.Endpoint{{URL: w.Chain.URL() + "/?key=" + secretInURL, Header: http.Header{"Authorization": {secretInAuth}}}},
		Assets:    []evm.Asset{{Asset: w.Ether, Confirmations: steps}, {Asset: w.Token, Confirmations: steps}},
	}
	for _, f := range w.Change {
		f(&c)
	}
	return c
}

// Open makes an adapter.
func (w *World) Open() *evm.Provider {
	w.Helper()
	p, err := evm.New(w.Config())
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// Ask puts a question to the node, past the adapter's transport.
func (w *World) Ask(result any, method string, params ...any) error {
	return Ask(w.Chain.URL(), result, method, params...)
}

// Ask puts a question to a node.
func Ask(url string, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	answer, err := http.Post(url, "application/json", bytes.NewReader(body)) //nolint:gosec // the node of a test
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	var got struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return err
	}
	if got.Error != nil {
		return fmt.Errorf("%s: %s", method, got.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(got.Result, result)
}

// Operation is a sample that goes well.
func (w *World) Operation(k providers.Kind, asset currency.AssetID) (providers.Operation, bool) {
	op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: providers.Chain, Member: "alice", FirstSent: w.Chain.Now()}
	d, ok := currency.Lookup(asset)
	if !ok {
		return op, false
	}
	switch k {
	case providers.DepositAddress:
		op.Asset = asset
	case providers.Withdrawal:
		op.Amount, op.Instrument = w.Units(d, "1.25"), w.Chain.NewAddress()
	default:
		return op, false
	}
	w.busy()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops[op.Key] = op
	return op, true
}

func (w *World) op(key string) providers.Operation {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ops[key]
}

// Executed counts how often a key moved money, or made an address.
func (w *World) Executed(key string) (n int) {
	op := w.op(key)
	if op.Kind == providers.DepositAddress {
		if w.Store.Has(w.Context(), "op/"+key) {
			n++
		}
		return n
	}
	to, err := eth.ParseAddress(op.Instrument)
	if err != nil {
		return 0 // a sample that is refused
	}
	w.mu.Lock()
	raws := w.raws
	w.mu.Unlock()
	seen := map[eth.Hash]bool{}
	for _, raw := range raws {
		tx, err := eth.DecodeTx(raw)
		if err != nil {
			w.Fatal(err)
		}
		into := tx.To
		if inner, _, ok := eth.ParseTransfer(tx.Data); ok {
			into = inner
		}
		if into != to || seen[tx.Hash] {
			continue
		}
		seen[tx.Hash] = true
		var known *eth.BlockTx
		var receipt *eth.Receipt
		if err := errors.Join(w.Ask(&known, "eth_getTransactionByHash", tx.Hash), w.Ask(&receipt, "eth_getTransactionReceipt", tx.Hash)); err != nil {
			w.Fatal(err)
		}
		if known != nil && (receipt == nil || receipt.Status == 1) {
			n++
		}
	}
	return n
}

// Moved is what the chain says that a key moved.
func (w *World) Moved(key string) (currency.Amount, bool) {
	op := w.op(key)
	n, err := w.Chain.Balance(Contract(op.Amount.Asset()), op.Instrument)
	if err != nil {
		w.Fatal(err)
	}
	a, err := currency.FromBig(n, op.Amount.Asset())
	if err != nil {
		w.Fatal(err)
	}
	return a, a.Sign() != 0
}

// Custody is what the treasury and all deposit addresses that were ever shown hold.
func (w *World) Custody(a currency.Asset) (*big.Int, error) {
	w.mu.Lock()
	for len(w.addresses) < int(w.shown()) {
		w.addresses = append(w.addresses, w.Keys.Address(w, len(w.addresses)))
	}
	all := append([]string{w.Keys.Treasury.Address}, w.addresses...)
	w.mu.Unlock()
	sum := new(big.Int)
	for _, address := range all {
		n, err := w.Chain.Balance(Contract(a), address)
		if err != nil {
			return nil, err
		}
		sum.Add(sum, n)
	}
	return sum, nil
}

// shown is how many deposit addresses there are.
func (w *World) shown() uint32 {
	raw, _, err := w.Store.Load(w.Context(), "addresses")
	if err != nil || raw == nil {
		return 0
	}
	var c struct {
		Next uint32 `json:"next"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		w.Fatal(err)
	}
	return c.Next
}

// Pay sends one payment.
func (w *World) Pay(to string, amount currency.Amount) (err error) {
	w.busy()
	w.lastPaid, err = w.Chain.Pay(Payment{To: to, Token: Contract(amount.Asset()), Units: amount.Big()})
	return err
}

// Reorganise takes the last payment out of the chain.
func (w *World) Reorganise() error {
	height, ok := w.Chain.MinedAt(w.lastPaid)
	if !ok {
		return errors.New("the last payment is in no block")
	}
	w.busy()
	return w.Chain.Reorganise(int(w.Chain.Height() - height + 1)) //nolint:gosec // small
}

func (w *World) busy() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.quiet = w.Chain.Height()
}

// Advance makes a block, and says whether something may still change.
func (w *World) Advance() bool {
	w.mu.Lock()
	late := w.late
	w.late = nil
	w.mu.Unlock()
	for _, do := range late {
		do()
	}
	if err := w.Chain.Mine(1); err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Chain.Height() <= w.quiet+Finality+1
}
