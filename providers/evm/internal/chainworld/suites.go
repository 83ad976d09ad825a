package chainworld

import (
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/providertest"
)

// Harness plays providertest.Run on a chain.
func Harness(open func(t *testing.T) Chain) providertest.Harness {
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		w := New(t, open(t), true)
		return &providertest.World{
			Provider: w.Open(),
			Reopen:   func() providers.Provider { return w.Open() },
			Operation: func(k providers.Kind) (providers.Operation, bool) {
				return w.Operation(k, w.Ether.ID())
			},
			OperationIn: w.Operation, Executed: w.Executed, Moved: w.Moved, Requests: w.Requests, Fault: w.Fault, Advance: w.Advance,
			Unasked: func() (currency.Amount, error) {
				a := w.Units(w.Ether, "0.75")
				return a, w.Pay(w.Keys.Treasury.Address, a)
			},
			Pay: w.Pay, Reorganise: w.Reorganise, Secrets: []string{secretInURL, secretInAuth, Seed},
		}
	}}
}

// ChainHarness plays providertest.RunChain on a chain.
func ChainHarness(open func(t *testing.T) Chain) providertest.ChainHarness {
	return providertest.ChainHarness{
		Open: func(t *testing.T) *providertest.ChainWorld { return New(t, open(t), true).chainWorld() },
		Poor: func(t *testing.T) *providertest.ChainWorld { return New(t, open(t), false).chainWorld() },
	}
}

// tapped is a transport through which a providertest.Tap sees every request.
type tapped struct {
	http.RoundTripper
	tap *providertest.Tap
}

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
		answer, errCall = t.RoundTripper.RoundTrip(r) //nolint:bodyclose // closed below, or by whoever asked
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

// configure is how the adapters of the chain suite differ: two endpoints, dust, sweeping, and a short patience.
func (w *World) configure(dust currency.Amount, more ...currency.Asset) {
	w.Change = append(w.Change, func(c *evm.Config) {
		url := w.Chain.URL()
		c.Endpoints = []evm.Endpoint{{URL: url}, {URL: url, Header: http.Header{secondHeader: {"yes"}}}}
		c.StuckAfter = stuck * period
		for _, a := range more {
			c.Assets = append(c.Assets, evm.Asset{Asset: a, Confirmations: []evm.Step{{Confirmations: Confirmations}}})
		}
		for i := range c.Assets {
			c.Assets[i].SweepFrom = w.Units(c.Assets[i].Asset, "0.5")
		}
		c.Assets[0].Dust = dust
	})
}

func (w *World) chainWorld() *providertest.ChainWorld {
	noReturn, takesFee, liar := w.Deploy("no return"), w.Deploy("takes fee"), w.Deploy("liar")
	dust := w.Units(w.Ether, "0.0001")
	w.configure(dust, noReturn, takesFee, liar)
	one := func(p providertest.ChainPayment) Payment {
		return Payment{To: p.To, Token: Contract(p.Amount.Asset()), Units: p.Amount.Big()}
	}
	c := &providertest.ChainWorld{
		Connect: func(tap *providertest.Tap) providers.Provider {
			c := w.Config()
			c.State, c.Signer = tap.State(c.State), tap.Signer(c.Signer)
			c.HTTP = &http.Client{Transport: tapped{w, tap}, Timeout: 20 * time.Second}
			p, err := evm.New(c)
			if err != nil {
				w.Fatal(err)
			}
			return p
		},
		Asset: w.Ether, Token: w.Token, NoReturn: noReturn, TakesFee: takesFee, Lies: liar, Dust: w.Units(w.Ether, "0.00005"),
		Usual: func(a currency.Asset) currency.Amount {
			if a.Scale() == w.Ether.Scale() {
				return w.Units(a, "1.234567890123456789")
			}
			return w.Units(a, "12.345678")
		},
		Confirmations: Confirmations, Window: Finality - 1,
		Now: w.Chain.Now, Mine: w.Chain.Mine, NewAddress: w.Chain.NewAddress, Custody: w.Custody, Reorganise: w.Chain.Reorganise,
		Received: func(address string, a currency.Asset) (*big.Int, error) { return w.Chain.Balance(Contract(a), address) },
		Pay: func(payments ...providertest.ChainPayment) (string, error) {
			all := make([]Payment, len(payments))
			for i, p := range payments {
				all[i] = one(p)
			}
			return w.Chain.Pay(all...)
		},
		Resume: func(p providers.Provider) error {
			adapter, ok := p.(*evm.Provider)
			if !ok {
				return errors.New("not an adapter of package evm")
			}
			return adapter.Resume(w.Context())
		},
		PayRaw: func(to string, a currency.Asset, quantity *big.Int) (string, error) {
			return w.Chain.Pay(Payment{To: to, Token: Contract(a), Units: quantity})
		},
		PayFails: func(p providertest.ChainPayment) (string, error) { return w.Chain.PayFails(one(p)) },
		PayFake:  w.Chain.PayFake,
		Fails: func() string {
			trap, err := w.Chain.Trap()
			if err != nil {
				w.Fatal(err)
			}
			return trap
		},
		Forget: w.Chain.Forget,
		Sweep: func(p providers.Provider) error {
			adapter, ok := p.(*evm.Provider)
			if !ok {
				return errors.New("not an adapter of package evm")
			}
			_, err := adapter.Sweep(w.Context())
			return err
		},
		Stranger: func(on bool) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.stranger = on
			return nil
		},
		Disagree: func(on bool) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.disagree = on
			return nil
		},
	}
	if congestible, ok := w.Chain.(Congestible); ok {
		c.Congest, c.Unbump = congestible.Congest, congestible.Unbump
	}
	return c
}
