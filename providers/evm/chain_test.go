package evm_test

import (
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"encoding/json"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/evmtest"
	"github.com/koshpay/kosh/providers/providertest"
)

// tapped is a transport through which a providertest.Tap sees every request.
type tapped struct{ tap *providertest.Tap }

func (t tapped) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	var q struct {
		Method string `json:"method"`
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	err = t.tap.Call(q.Method, q.Method == sendMethod, func() error {
		var errCall error
		answer, errCall = http.DefaultTransport.RoundTrip(r)
		return errCall
	})
	if err != nil {
		if answer != nil {
			_ = answer.Body.Close()
		}
		return nil, err
	}
	return answer, nil
}

const stuckBlocks = 3

// chainWorld is the pretend chain as the chain suite wants it.
func (w *world) chainWorld() *providertest.ChainWorld {
	noReturn, _ := w.deploy(evmtest.NoReturn, "NORET")
	takesFee, _ := w.deploy(evmtest.TakesFee, "TAXED")
	dust := units(testEther, "0.0001")
	steps := []evm.Step{{Confirmations: testConfirms}}
	for _, d := range []*currency.Definition{noReturn, takesFee} {
		require.NoError(w, w.node.FundToken(contractOf(d), w.keys.Treasury.Address, units(d, "1000000").Big()))
	}
	w.change = append(w.change, func(c *evm.Config) {
		c.Endpoints = []evm.Endpoint{{URL: w.node.URL()}, {URL: w.node.OtherURL()}}
		c.StuckAfter = stuckBlocks * 12 * time.Second
		c.Assets[0].Dust = dust
		c.Assets = append(c.Assets, evm.Asset{Asset: noReturn, Confirmations: steps}, evm.Asset{Asset: takesFee, Confirmations: steps})
		for i, from := range []string{"0.5", "0.5", "0.5", "0.5"} {
			c.Assets[i].SweepFrom = units(c.Assets[i].Asset, from)
		}
	})
	return &providertest.ChainWorld{
		Connect: func(tap *providertest.Tap) providers.Provider {
			c := w.config()
			c.State, c.Signer, c.HTTP = tap.State(c.State), tap.Signer(c.Signer), &http.Client{Transport: tapped{tap}, Timeout: 10 * time.Second}
			p, err := evm.New(c)
			require.NoError(w, err)
			return p
		},
		Asset: testEther, Token: w.token,
		Usual: func(a currency.Asset) currency.Amount {
			return units(a, map[bool]string{true: "1.234567890123456789", false: "12.345678"}[a.Scale() == 18])
		},
		Confirmations: testConfirms, Window: testFinality - 1,
		Now:        w.node.Now,
		Mine:       func(n int) error { w.node.Mine(n); return nil },
		NewAddress: w.node.Address,
		Received: func(address string, a currency.Asset) (*big.Int, error) {
			return w.node.Balance(contractOf(a), address)
		},
		Custody: func(a currency.Asset) (*big.Int, error) { return w.custody(a) },
		Pay: func(payments ...providertest.ChainPayment) (string, error) {
			var all []evmtest.Payment
			for _, p := range payments {
				all = append(all, evmtest.Payment{To: p.To, Token: contractOf(p.Amount.Asset()), Units: p.Amount.Big()})
			}
			return w.node.Pay(all...)
		},
		Reorganise: w.node.Reorganise,
		Resume: func(p providers.Provider) error {
			adapter, ok := p.(*evm.Provider)
			if !ok {
				return errors.New("not an adapter of this package")
			}
			return adapter.Resume(w.Context())
		},
		PayRaw: func(to string, a currency.Asset, quantity *big.Int) (string, error) {
			return w.node.Pay(evmtest.Payment{To: to, Token: contractOf(a), Units: quantity})
		},
		PayFails: func(p providertest.ChainPayment) (string, error) {
			return w.node.PayFails(evmtest.Payment{To: p.To, Token: contractOf(p.Amount.Asset()), Units: p.Amount.Big()})
		},
		PayFake: func(to string, quantity *big.Int) (string, error) {
			hash, _, err := w.node.PayFake(to, quantity)
			return hash, err
		},
		NoReturn: noReturn, TakesFee: takesFee, Dust: mustHalf(dust),
		Fails:   func() string { return w.node.Deploy(evmtest.Trap) },
		Congest: func() error { w.node.Congest(); return nil },
		Unbump:  func() error { w.node.Unbump(); return nil },
		Forget:  func() error { w.node.Forget(); return nil },
		Stranger: func(on bool) error {
			w.node.Stranger(on)
			return nil
		},
		Disagree: func(on bool) error {
			w.node.Disagree(on)
			return nil
		},
	}
}

func mustHalf(a currency.Amount) currency.Amount {
	parts, err := a.Split(2)
	if err != nil {
		panic(err)
	}
	return parts[0]
}

// contractOf is a token's contract; empty for ether.
func contractOf(a currency.Asset) string {
	_, contract, _ := strings.Cut(string(a.ID()), "erc20:")
	return contract
}

// custody is what the treasury and all deposit addresses that were ever shown hold.
func (w *world) custody(a currency.Asset) (*big.Int, error) {
	sum := new(big.Int)
	for _, address := range append(w.shown(), w.keys.Treasury.Address) {
		n, err := w.node.Balance(contractOf(a), address)
		if err != nil {
			return nil, err
		}
		sum.Add(sum, n)
	}
	return sum, nil
}

// shown are the first deposit addresses, more than any test makes.
func (w *world) shown() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.addresses) < 200 {
		w.addresses = append(w.addresses, w.keys.Address(w, len(w.addresses)))
	}
	return w.addresses
}

func chainHarness() providertest.ChainHarness {
	return providertest.ChainHarness{
		Open: func(t *testing.T) *providertest.ChainWorld { return newWorld(t).chainWorld() },
		Poor: func(t *testing.T) *providertest.ChainWorld {
			w := newWorld(t)
			all, err := w.node.Balance("", w.keys.Treasury.Address)
			require.NoError(t, err)
			require.NoError(t, w.node.Fund(w.keys.Treasury.Address, new(big.Int).Neg(all)))
			return w.chainWorld()
		},
	}
}

func TestChain(t *testing.T) { providertest.RunChain(t, chainHarness()) }
