package providertest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
)

type modelClock func() time.Time

const (
	blockTime  = 12 * time.Second
	quoteValid = 10 * time.Minute
)

// modelHarness is a harness of the reference adapter, with a flaw or without.
func modelHarness(f flaw) providertest.ChainHarness {
	return providertest.ChainHarness{
		Open: func(t *testing.T) *providertest.ChainWorld { return modelWorld(f, big.NewInt(1e15)) },
		Poor: func(t *testing.T) *providertest.ChainWorld { return modelWorld(f, new(big.Int)) },
	}
}

// modelWorld is a model chain with a reference adapter, whose hot address has so much ether.
func modelWorld(f flaw, funds *big.Int) *providertest.ChainWorld {
	c := &modelChain{known: map[string]modelTx{}, banned: map[string]bool{}, keys: map[string][]byte{}, id: modelID}
	genesis := modelState{map[string]*big.Int{}, map[string]uint64{}}
	signer := &modelSigner{chain: c}
	hot, err := signer.PublicKey(context.Background(), "hot")
	if err != nil {
		panic(err)
	}
	genesis.add(ether.ID(), modelAddress(hot), funds)
	for _, token := range []*currency.Definition{coin, mute} {
		genesis.add(token.ID(), modelAddress(hot), big.NewInt(1e12))
	}
	c.seal(&modelBlock{state: genesis})
	store, now, addresses := &memoryStore{}, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 0
	processes := 0
	locked := func(do func() error) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		return do()
	}
	pay := func(outputs []modelOutput, change func(tx *modelTx)) (txid string, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		addresses++
		tx := modelTx{Outputs: outputs, Salt: addresses}
		change(&tx)
		return c.send(tx)
	}
	outputs := func(payments []providertest.ChainPayment) (list []modelOutput) {
		for _, p := range payments {
			list = append(list, modelOutput{p.To, p.Amount.AssetID(), p.Amount.Big()})
		}
		return list
	}
	asIs := func(*modelTx) {}
	w := &providertest.ChainWorld{
		Connect: func(tap *providertest.Tap) providers.Provider {
			processes++
			a := &reference{
				number: processes,
				store:  tap.State(store), signer: tap.Signer(signer), node: &node{c, tap}, flaw: f,
				now: func() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return now },
			}
			if f == inMemory {
				a.memory = &book{Nonces: map[string]uint64{}}
			}
			return a
		},
		Asset: ether, Token: coin, NoReturn: mute, TakesFee: taxed, Lies: liar,
		Usual:         func(a currency.Asset) currency.Amount { return currency.MustNew(1_234_567_891, a) },
		Confirmations: wanted, Window: window, Now: func() time.Time { return now },
		Dust: currency.MustNew(dust-1, ether),
		Mine: func(n int) error {
			return locked(func() error {
				c.mine(n)
				now = now.Add(time.Duration(n) * blockTime)
				return nil
			})
		},
		NewAddress: func() string { addresses++; return fmt.Sprintf("0x%020d", addresses) },
		Received: func(address string, a currency.Asset) (*big.Int, error) {
			return c.head().state.balance(a.ID(), address), nil
		},
		Custody: func(a currency.Asset) (*big.Int, error) {
			sum := new(big.Int)
			for public := range c.keys {
				sum.Add(sum, c.head().state.balance(a.ID(), modelAddress([]byte(public))))
			}
			return sum, nil
		},
		Pay: func(payments ...providertest.ChainPayment) (string, error) { return pay(outputs(payments), asIs) },
		Reorganise: func(depth int, drop ...string) error {
			return locked(func() error { return c.reorganise(depth, drop) })
		},
		Resume: func(p providers.Provider) error { return p.(*reference).Resume(context.Background()) },
		PayRaw: func(to string, a currency.Asset, quantity *big.Int) (string, error) {
			return pay([]modelOutput{{to, a.ID(), quantity}}, asIs)
		},
		PayFails: func(p providertest.ChainPayment) (string, error) {
			return pay(outputs([]providertest.ChainPayment{p}), func(tx *modelTx) { tx.Fails = true })
		},
		PayFake: func(to string, quantity *big.Int) (string, error) {
			return pay([]modelOutput{{to, modelID + "/erc20:0x000000000000000000000000000000000000fa4e", quantity}}, func(tx *modelTx) { tx.Fake = true })
		},
		Fails: func() string { return failing },
		Congest: func() error {
			return locked(func() error {
				for _, tx := range c.pool {
					c.floor = max(c.floor, 2*tx.Price)
				}
				return nil
			})
		},
		Unbump: func() error { return locked(func() error { c.unbump(); return nil }) },
		Forget: func() error { return locked(func() error { c.pool = nil; return nil }) },
		Sweep:  func(p providers.Provider) error { return p.(*reference).Sweep(context.Background()) },
		Stranger: func(on bool) error {
			return locked(func() error {
				c.id = map[bool]string{false: modelID, true: "eip155:1"}[on]
				return nil
			})
		},
		Disagree: func(on bool) error { return locked(func() error { c.lies = on; return nil }) },
	}
	return w
}

// modelSigner makes a key for every name.
type modelSigner struct{ chain *modelChain }

func (s *modelSigner) PublicKey(_ context.Context, key string) ([]byte, error) {
	s.chain.mu.Lock()
	defer s.chain.mu.Unlock()
	public := append([]byte{2}, fmt.Appendf(make([]byte, 0, 32), "%-32s", key)...)
	s.chain.keys[string(public)] = []byte("secret of " + key)
	return public, nil
}

func (s *modelSigner) Sign(_ context.Context, r providers.SignRequest) ([]byte, error) {
	return modelSign([]byte("secret of "+r.Key), r.Digest), nil
}

// memoryStore is a StateStore whose values outlive their adapters.
type memoryStore struct {
	mu       sync.Mutex
	values   map[string]json.RawMessage
	versions map[string]uint64
}

func (m *memoryStore) Load(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]byte(nil), m.values[key]...), m.versions[key], nil
}

func (m *memoryStore) Store(_ context.Context, key string, value []byte, version uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.versions[key] != version {
		return 0, providers.ErrStateConflict
	}
	if m.values == nil {
		m.values, m.versions = map[string]json.RawMessage{}, map[string]uint64{}
	}
	m.values[key], m.versions[key] = append([]byte(nil), value...), version+1
	return version + 1, nil
}

func TestTheReferenceAdapterConforms(t *testing.T) {
	providertest.RunChain(t, modelHarness(sound))
}

// What the suite needs and a harness lacks fails every check that needs it, and is named.
func TestAnIncompleteChainHarnessFails(t *testing.T) {
	for name, change := range map[string]func(w *providertest.ChainWorld){
		"ChainWorld.Connect":       func(w *providertest.ChainWorld) { w.Connect = nil },
		"ChainWorld.Asset":         func(w *providertest.ChainWorld) { w.Asset = nil },
		"ChainWorld.Usual":         func(w *providertest.ChainWorld) { w.Usual = nil },
		"ChainWorld.Confirmations": func(w *providertest.ChainWorld) { w.Confirmations = 1 },
		"ChainWorld.Window":        func(w *providertest.ChainWorld) { w.Window = wanted - 1 },
		"ChainWorld.Now":           func(w *providertest.ChainWorld) { w.Now = nil },
		"ChainWorld.Mine":          func(w *providertest.ChainWorld) { w.Mine = nil },
		"ChainWorld.NewAddress":    func(w *providertest.ChainWorld) { w.NewAddress = nil },
		"ChainWorld.Received":      func(w *providertest.ChainWorld) { w.Received = nil },
		"ChainWorld.Custody":       func(w *providertest.ChainWorld) { w.Custody = nil },
		"ChainWorld.Pay":           func(w *providertest.ChainWorld) { w.Pay = nil },
		"ChainWorld.Reorganise":    func(w *providertest.ChainWorld) { w.Reorganise = nil },
		"ChainWorld.Resume":        func(w *providertest.ChainWorld) { w.Resume = nil },
		"ChainWorld.Unbump":        func(w *providertest.ChainWorld) { w.Unbump = nil },
	} {
		f := chainCheck(t, "confirmations-count").Inspect(t, changedWorld(change))
		require.Len(t, f.Failures, 1, name)
		assert.Contains(t, f.Failures[0], name)
	}
	f := chainCheck(t, "confirmations-count").Inspect(t, providertest.ChainHarness{Open: func(*testing.T) *providertest.ChainWorld { return nil }})
	require.Len(t, f.Failures, 1)
}

// What a chain does not have is waived, and says what is missing; nothing else is.
func TestWhatAChainLacksIsWaived(t *testing.T) {
	bare := changedWorld(func(w *providertest.ChainWorld) {
		w.Token, w.NoReturn, w.TakesFee, w.Lies, w.Dust = nil, nil, nil, nil, currency.Amount{}
		w.PayRaw, w.PayFails, w.PayFake, w.Fails, w.Congest, w.Forget, w.Sweep, w.Stranger, w.Disagree = nil, nil, nil, nil, nil, nil, nil, nil, nil
	})
	var waived []string
	for _, c := range providertest.ChainChecks() {
		f := c.Inspect(t, bare)
		assert.Empty(t, f.Failures, c.Name)
		if f.Waived != "" {
			waived = append(waived, c.Name)
		}
	}
	assert.Equal(t, []string{
		"failed-pays-nothing", "zero-is-nothing", "dust-is-called-dust", "fake-token-credits-nothing", "token-without-return-value", "token-that-takes-a-fee", "token-that-lies",
		"largest-amount-is-exact", "too-large-is-quarantined", "largest-word-is-quarantined", "another-chain-halts", "endpoints-that-disagree-halt",
		"crash-while-replacing", "crash-while-sweeping", "no-gas", "failed-withdrawal-costs", "sweeping-costs-and-moves-nothing",
		"stuck-is-replaced", "original-is-mined-first", "replacement-keeps-the-cap", "forgotten-is-sent-again",
	}, waived)
}

func chainCheck(t *testing.T, name string) providertest.ChainCheck {
	t.Helper()
	for _, c := range providertest.ChainChecks() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s", name)
	return providertest.ChainCheck{}
}

// changedWorld is the reference adapter's harness with a change to its world.
func changedWorld(change func(w *providertest.ChainWorld)) providertest.ChainHarness {
	h := modelHarness(sound)
	return providertest.ChainHarness{Open: func(t *testing.T) *providertest.ChainWorld {
		w := h.Open(t)
		change(w)
		return w
	}}
}
