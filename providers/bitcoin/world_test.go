package bitcoin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/hdkey"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

const (
	account       = "m/84'/1'/0'"
	password      = "correct-horse-battery"
	confirmations = 2
	finality      = 5
)

var btc = func() currency.Asset {
	a, err := bitcoin.RegTest.Asset()
	if err != nil {
		panic(err)
	}
	return a
}()

func sats(n int64) currency.Amount { return currency.MustNew(n, btc) }

// world is a pretend node, everybody else, and an adapter.
type world struct {
	t      *testing.T
	node   *bitcointest.Node
	miner  *bitcointest.Miner
	wire   *wire
	state  *bitcointest.State
	signer providers.Signer
	config bitcoin.Config
	p      *bitcoin.Provider
}

// wire is the way to the node. The next call that fits meets the fault.
type wire struct {
	next http.RoundTripper

	mu    sync.Mutex
	sends int
	fault func(method string, do func() (*http.Response, error)) (*http.Response, error, bool)
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var call struct{ Method string }
	if err := json.Unmarshal(body, &call); err != nil {
		return nil, err
	}
	do := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return w.next.RoundTrip(again)
	}
	w.mu.Lock()
	if call.Method == "sendrawtransaction" {
		w.sends++
	}
	fault := w.fault
	w.mu.Unlock()
	if fault != nil {
		if res, err, met := fault(call.Method, do); met {
			return res, err
		}
	}
	return do()
}

// once makes the next call that fits meet a fault.
func (w *wire) once(fits func(method string) bool, fault func(do func() (*http.Response, error)) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = func(method string, do func() (*http.Response, error)) (*http.Response, error, bool) {
		if !fits(method) {
			return nil, nil, false
		}
		w.mu.Lock()
		w.fault = nil
		w.mu.Unlock()
		res, err := fault(do)
		return res, err, true
	}
}

func status(code int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

func newWorld(t *testing.T, change ...func(*bitcoin.Config)) *world {
	t.Helper()
	w := &world{t: t, node: bitcointest.NewNode(), state: &bitcointest.State{}}
	w.node.FeeRate = "0.00002"
	var err error
	w.miner, err = bitcointest.NewMiner(t.Context(), w.node.Endpoint())
	require.NoError(t, err)

	seed := bytes.Repeat([]byte{7}, 32)
	path := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, filesigner.Create(path, seed))
	signer, err := filesigner.Open(path, filesigner.Options{})
	require.NoError(t, err)
	w.signer = signer
	xpub, err := signer.Account(account)
	require.NoError(t, err)

	endpoint := w.node.Endpoint()
	w.wire = &wire{next: endpoint.Client.Transport}
	endpoint.Client = &http.Client{Transport: w.wire}
	endpoint.Password = password
	w.config = bitcoin.Config{
		Network: bitcoin.RegTest, Node: endpoint, XPub: xpub, Account: account, StartHeight: 1,
		Confirmations: []bitcoin.Tier{{Confirmations: confirmations}}, Finality: finality, Clock: w.now, BlocksPerCall: 1000,
	}
	for _, f := range change {
		f(&w.config)
	}
	w.p = w.open()
	return w
}

func (w *world) now() time.Time {
	return w.miner.Now()
}

// open makes an adapter as another process would.
func (w *world) open() *bitcoin.Provider {
	p, err := bitcoin.New(w.state, w.signer, w.config)
	require.NoError(w.t, err)
	return p
}

func (w *world) mine(n int) {
	w.t.Helper()
	require.NoError(w.t, w.miner.Mine(w.t.Context(), n))
}

// fund pays to the account's addresses of change, which nobody asked for, until it is final.
func (w *world) fund(coins int, units int64) {
	w.t.Helper()
	var list []bitcointest.Payment
	for i := range coins {
		list = append(list, bitcointest.Payment{To: w.address(1, uint32(i%20)), Units: units})
	}
	_, err := w.miner.Pay(w.t.Context(), list...)
	require.NoError(w.t, err)
	w.mine(finality + 1)
}

// address is one of the account's, derived here.
func (w *world) address(branch, index uint32) string {
	w.t.Helper()
	key, err := hdkey.ParsePublic(w.config.XPub)
	require.NoError(w.t, err)
	for _, i := range []uint32{branch, index} {
		key, err = key.Child(i)
		require.NoError(w.t, err)
	}
	return bitcointest.Address(key.Bytes())
}

func (w *world) stranger() string {
	w.t.Helper()
	a, err := w.miner.NewAddress()
	require.NoError(w.t, err)
	return a
}

// withdrawal is one of an amount to an address of somebody else's.
func (w *world) withdrawal(units int64) providers.Operation {
	return providers.Operation{
		Key: uuid.NewString(), Kind: providers.Withdrawal, Method: providers.Chain, Amount: sats(units), Instrument: w.stranger(), Member: "alice",
		FirstSent: w.now(),
	}
}

// deposit makes an address and pays to it.
func (w *world) deposit(units int64) (reference string) {
	w.t.Helper()
	r, err := w.p.Submit(w.t.Context(), providers.Operation{
		Key: uuid.NewString(), Kind: providers.DepositAddress, Method: providers.Chain, Asset: btc.ID(), Member: "alice", FirstSent: w.now(),
	})
	require.NoError(w.t, err)
	txid, err := w.miner.Pay(w.t.Context(), bitcointest.Payment{To: r.Address, Units: units})
	require.NoError(w.t, err)
	return txid + ":0"
}

func (w *world) lookup(q providers.Query) providers.Report {
	w.t.Helper()
	r, err := w.p.Lookup(w.t.Context(), q)
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	return r
}

// polled reads all events from the beginning, and returns the sum of all effects, each counted once.
func (w *world) polled(p *bitcoin.Provider) (sum int64, effects map[string]providers.Effect) {
	w.t.Helper()
	effects = map[string]providers.Effect{}
	for cursor := ""; ; {
		events, next, err := p.Poll(w.t.Context(), cursor, 500)
		require.NoError(w.t, err)
		for _, e := range events {
			require.NoError(w.t, e.Report.Validate())
			for _, x := range e.Report.Effects {
				if before, ok := effects[x.ID]; ok {
					require.Equal(w.t, before.Amount, x.Amount, x.ID)
				}
				effects[x.ID] = x
			}
		}
		if len(events) == 0 && next == cursor {
			break
		}
		cursor = next
	}
	for _, x := range effects {
		n, _ := x.Amount.Int64()
		sum += n
	}
	return sum, effects
}

// custody is what all addresses of ours hold by the chain.
func (w *world) custody() int64 {
	w.t.Helper()
	var all []string
	for branch := range uint32(2) {
		for i := range uint32(60) {
			all = append(all, w.address(branch, i))
		}
	}
	n, err := w.miner.Received(w.t.Context(), all...)
	require.NoError(w.t, err)
	return n
}

// conserved compares the chain with what was reported, when all is final.
func (w *world) conserved() {
	w.t.Helper()
	w.mine(finality + 1)
	sum, _ := w.polled(w.p)
	require.Equal(w.t, w.custody(), sum, "the chain's custody is the sum of all effects")
}

func jsonNumber(s string) json.Number { return json.Number(s) }
