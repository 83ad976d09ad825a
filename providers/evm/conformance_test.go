package evm_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/evmtest"
	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
	"github.com/koshpay/kosh/providers/providertest"
)

const (
	testChain     = 31337
	testConfirms  = 3
	testFinality  = 6
	secretInURL   = "v3-0123456789abcdef"
	secretInAuth  = "bearer-fedcba9876543210"
	sendMethod    = "eth_sendRawTransaction"
	depositMarker = `"kind":"deposit_address"`
)

var testEther = currency.MustDefine(currency.Info{ID: "eip155:31337/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})

// world is a pretend chain with an adapter on it.
type world struct {
	testing.TB
	node   *evmtest.Node
	store  *chainworld.Store
	keys   chainworld.Keys
	token  *currency.Definition
	at     string // the token's contract
	client *http.Client
	change []func(*evm.Config)

	mu        sync.Mutex
	ops       map[string]providers.Operation
	quietFrom uint64 // height after which nothing new was asked for
	made      int    // requests to make an address
	refuse    bool
	late      []func()
	lastPaid  string
	addresses []string
}

func units(a currency.Asset, decimal string) currency.Amount {
	n, err := currency.Parse(decimal, a)
	if err != nil {
		panic(err)
	}
	return n
}

func newWorld(t testing.TB, change ...func(*evm.Config)) *world {
	t.Helper()
	node, err := evmtest.New(evmtest.Options{ChainID: testChain})
	require.NoError(t, err)
	t.Cleanup(node.Close)
	w := &world{
		TB: t, node: node, store: &chainworld.Store{}, keys: chainworld.NewKeys(t, chainworld.Seed), ops: map[string]providers.Operation{},
		change: change,
	}
	w.token, w.at = w.deploy(evmtest.Plain, "USDX")
	require.NoError(t, node.Fund(w.keys.Treasury.Address, units(testEther, "1000000").Big()))
	require.NoError(t, node.FundToken(w.at, w.keys.Treasury.Address, units(w.token, "1000000").Big()))
	w.client = &http.Client{Transport: w, Timeout: 10 * time.Second}
	return w
}

// deploy makes a token with six decimals.
func (w *world) deploy(k evmtest.Kind, code string) (*currency.Definition, string) {
	w.Helper()
	at := w.node.Deploy(k)
	id := currency.AssetID(fmt.Sprintf("eip155:%d/erc20:%s", testChain, strings.ToLower(at)))
	return currency.MustDefine(currency.Info{ID: id, Code: code, Name: code, Scale: 6, Kind: currency.Crypto}), at
}

func (w *world) config() evm.Config {
	steps := []evm.Step{{Confirmations: testConfirms}}
	c := evm.Config{
		ChainID: testChain, State: w.store, Signer: w.keys.Signer, Treasury: w.keys.Treasury, Deposits: w.keys.Deposits,
		DepositKeys: w.keys.DepositKeys, Finality: testFinality, StuckAfter: 30 * 24 * time.Hour, HTTP: w.client, Now: w.node.Now,
		Endpoints: []evm.Endpoint{{URL: w.node.URL() + "/" + secretInURL, Header: http.Header{"Authorization": {secretInAuth}}}},
		Assets:    []evm.Asset{{Asset: testEther, Confirmations: steps}, {Asset: w.token, Confirmations: steps}},
	}
	for _, f := range w.change {
		f(&c)
	}
	return c
}

func (w *world) open() *evm.Provider {
	w.Helper()
	p, err := evm.New(w.config())
	require.NoError(w, err)
	return p
}

// RoundTrip sees every request to the node.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte(sendMethod)) {
		w.mu.Lock()
		w.quietFrom = w.node.Height()
		refuse := w.refuse
		w.refuse = false
		w.mu.Unlock()
		if refuse {
			w.node.Fail(sendMethod)
			return nil, fmt.Errorf("dial: %w", syscall.ECONNREFUSED)
		}
		defer w.store.Set(nil, nil)
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *world) operation(k providers.Kind, asset currency.AssetID) (providers.Operation, bool) {
	op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: providers.Chain, Member: "alice", FirstSent: w.node.Now()}
	d, ok := currency.Lookup(asset)
	if !ok {
		return op, false
	}
	switch k {
	case providers.DepositAddress:
		op.Asset = asset
	case providers.Withdrawal:
		op.Amount, op.Instrument = units(d, "1.25"), w.node.Address()
	default:
		return op, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ops[op.Key] = op
	w.quietFrom = w.node.Height()
	return op, true
}

func (w *world) executed(key string) int {
	w.mu.Lock()
	op := w.ops[key]
	w.mu.Unlock()
	if op.Kind == providers.DepositAddress {
		if w.store.Has("op/" + key) {
			return 1
		}
		return 0
	}
	return w.node.Executed(op.Instrument)
}

func (w *world) moved(key string) (currency.Amount, bool) {
	w.mu.Lock()
	op := w.ops[key]
	w.mu.Unlock()
	token := ""
	if op.Amount.AssetID() != testEther.ID() {
		_, token, _ = strings.Cut(string(op.Amount.AssetID()), "erc20:")
	}
	n, err := w.node.Balance(token, op.Instrument)
	require.NoError(w, err)
	a, err := currency.FromBig(n, op.Amount.Asset())
	require.NoError(w, err)
	return a, a.Sign() != 0
}

func (w *world) advance() bool {
	w.mu.Lock()
	late := w.late
	w.late = nil
	w.mu.Unlock()
	for _, do := range late {
		do()
	}
	w.node.Mine(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.node.Height() <= w.quietFrom+testFinality+1
}

// fault arms the node for a withdrawal and the store for an address, whichever comes first.
func (w *world) fault(f providertest.Fault) bool {
	w.node.Fail(sendMethod)
	w.node.Fail("eth_chainId")
	w.store.Set(nil, nil)
	w.mu.Lock()
	w.refuse = false
	w.mu.Unlock()
	acts := w.node.Height()%2 == 0
	switch f {
	case providertest.LostRequest:
		w.arm(false, evmtest.Fault{}, "i/o timeout")
	case providertest.LostResponse:
		w.arm(true, evmtest.Fault{Acts: true}, "connection reset by peer")
	case providertest.ServerError:
		w.arm(acts, evmtest.Fault{Acts: acts, Status: 503}, "503")
	case providertest.Garbage:
		w.arm(acts, evmtest.Fault{Acts: acts, Body: "<html>"}, "invalid character '<'")
	case providertest.RateLimit:
		w.arm(false, evmtest.Fault{Status: 429}, "429")
	case providertest.Refuse:
		w.arm(false, evmtest.Fault{}, "connection refused")
		w.mu.Lock()
		w.refuse = true
		w.mu.Unlock()
	case providertest.Slow:
		w.node.Fail(sendMethod, evmtest.Fault{Later: true})
		w.store.Set(nil, w.once(func(key string, v []byte) (bool, error) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.late = append(w.late, func() { _ = w.store.Put(key, v, 0) })
			return false, errors.New("i/o timeout")
		}))
	case providertest.FailLookup:
		w.store.Set(func(key string) error {
			if !strings.HasPrefix(key, "op/") {
				return nil
			}
			w.store.Loading = nil
			return errors.New("i/o timeout")
		}, nil)
	case providertest.FailPoll:
		w.node.Fail("eth_chainId", evmtest.Fault{})
	case providertest.NoFault:
	default:
		return false
	}
	return true
}

func (w *world) arm(stored bool, f evmtest.Fault, text string) {
	w.node.Fail(sendMethod, f)
	w.store.Set(nil, w.once(func(string, []byte) (bool, error) { return stored, errors.New(text) }))
}

// once meets the write that makes an address, once.
func (w *world) once(do func(key string, v []byte) (bool, error)) func(string, []byte) (bool, error) {
	return func(key string, v []byte) (bool, error) {
		if !strings.HasPrefix(key, "op/") || !bytes.Contains(v, []byte(depositMarker)) {
			return false, nil
		}
		w.store.Storing = nil // the store calls with its lock held
		w.node.Fail(sendMethod)
		w.mu.Lock()
		w.made++
		w.mu.Unlock()
		return do(key, v)
	}
}

func harness(change ...func(*evm.Config)) providertest.Harness {
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		w := newWorld(t, change...)
		return &providertest.World{
			Provider: w.open(),
			Reopen:   func() providers.Provider { return w.open() },
			Operation: func(k providers.Kind) (providers.Operation, bool) {
				return w.operation(k, testEther.ID())
			},
			OperationIn: w.operation,
			Executed:    w.executed,
			Moved:       w.moved,
			Requests: func() int {
				w.mu.Lock()
				defer w.mu.Unlock()
				return w.node.Requests() + w.made
			},
			Fault:   w.fault,
			Advance: w.advance,
			Unasked: func() (currency.Amount, error) {
				a := units(testEther, "0.75")
				_, err := w.node.Pay(evmtest.Payment{To: w.keys.Treasury.Address, Units: a.Big()})
				w.busy()
				return a, err
			},
			Pay: func(address string, amount currency.Amount) (err error) {
				w.lastPaid, err = w.node.Pay(evmtest.Payment{To: address, Units: amount.Big()})
				w.busy()
				return err
			},
			Reorganise: func() error {
				height, ok := w.node.MinedAt(w.lastPaid)
				if !ok {
					return errors.New("the last payment is in no block")
				}
				w.busy()
				return w.node.Reorganise(int(w.node.Height() - height + 1)) //nolint:gosec // small
			},
			Secrets: []string{secretInURL, secretInAuth, chainworld.Seed},
		}
	}}
}

func (w *world) busy() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.quietFrom = w.node.Height()
}

func TestConformance(t *testing.T) { providertest.Run(t, harness()) }
