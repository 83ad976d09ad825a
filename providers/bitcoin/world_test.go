package bitcoin_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

	mu    sync.Mutex
	later time.Duration // that passed without a block
}

// wire is the way to the node. The next call that fits meets the fault.
type wire struct {
	next http.RoundTripper

	mu    sync.Mutex
	sends int
	late  []func()
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

func sending(method string) bool { return method == "sendrawtransaction" }
func asking(method string) bool  { return !sending(method) }

func status(code int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

var (
	errReset = errors.New("connection reset by peer")
	errDial  = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
)

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
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.miner.Now().Add(w.later)
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later += d
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
		list = append(list, bitcointest.Payment{To: w.address(1, uint32(i%20)), Units: units}) //nolint:gosec // small
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

// made is how many addresses were made for a key, by the documents.
func (w *world) made(key string) (n int) {
	w.t.Helper()
	for page := 0; ; page++ {
		value, version, err := w.state.Load(w.t.Context(), fmt.Sprintf("addresses/%d", page))
		require.NoError(w.t, err)
		if version == 0 {
			return n
		}
		n += strings.Count(string(value), `"key":"`+key+`"`)
	}
}
