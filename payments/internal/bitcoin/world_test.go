package bitcoin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/hdkey"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

const (
	account       = "m/84'/1'/0'"
	confirmations = 3
	finality      = 8
)

var btc = func() currency.Asset {
	a, err := bitcoin.RegTest.Asset()
	if err != nil {
		panic(err)
	}
	return a
}()

func sats(n int64) currency.Amount { return currency.MustNew(n, btc) }

var errCrash = errors.New("the process is gone")

// crash ends the adapter's process at one of its steps: a write to its state, a signature, a broadcast. From then on nothing works until
// another one takes over.
type crash struct {
	mu        sync.Mutex
	countdown int // 0: never
	after     bool
	dead      bool
	steps     int
}

// take does a step, unless the process is gone or goes now.
func (c *crash) take(changes bool, do func() error) error {
	c.mu.Lock()
	dies := false
	if changes && !c.dead {
		c.steps++
		dies = c.steps == c.countdown
	}
	skip := c.dead || dies && !c.after
	c.dead = c.dead || dies
	c.mu.Unlock()
	if skip {
		return errCrash
	}
	if err := do(); err != nil || !dies {
		return err
	}
	return errCrash
}

type crashState struct {
	*crash
	next providers.StateStore
}

func (s crashState) Load(ctx context.Context, key string) (value []byte, version uint64, err error) {
	err = s.take(false, func() error { value, version, err = s.next.Load(ctx, key); return err })
	return value, version, err
}

func (s crashState) Store(ctx context.Context, key string, value []byte, version uint64) (next uint64, err error) {
	err = s.take(true, func() error { next, err = s.next.Store(ctx, key, value, version); return err })
	return next, err
}

type crashSigner struct {
	*crash
	providers.Signer
}

func (s crashSigner) Sign(ctx context.Context, r providers.SignRequest) (signature []byte, err error) {
	err = s.take(true, func() error { signature, err = s.Signer.Sign(ctx, r); return err })
	return signature, err
}

type crashWire struct {
	*crash
	next http.RoundTripper
}

func (w crashWire) RoundTrip(r *http.Request) (res *http.Response, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var call struct{ Method string }
	if err := json.Unmarshal(body, &call); err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	err = w.take(call.Method == "sendrawtransaction", func() error {
		res, err = w.next.RoundTrip(again) //nolint:bodyclose // it is handed on
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// world is a host with its service, a pretend node, and everybody else.
type world struct {
	*testing.T
	ctx    context.Context
	node   *bitcointest.Node
	miner  *bitcointest.Miner
	signer *filesigner.Signer
	crash  *crash
	book   *ledger.Book
	svc    *payments.Service
	ours   []string
	paid   string // the transaction of play
	quote  string // and its quote

	mu    sync.Mutex
	later time.Duration
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, ctx: t.Context(), node: bitcointest.NewNode(), crash: &crash{}}
	w.node.FeeRate = "0.00002"
	var err error
	w.miner, err = bitcointest.NewMiner(w.ctx, w.node.Endpoint())
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, filesigner.Create(path, bytes.Repeat([]byte{5}, 32)))
	w.signer, err = filesigner.Open(path, filesigner.Options{})
	require.NoError(t, err)
	w.book = ledger.New(memory.New(), ledger.Config{Clock: w.now})
	w.start()
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.miner.Now().Add(w.later)
}

// start is a process that begins: it has the book and nothing else.
func (w *world) start() {
	w.Helper()
	xpub, err := w.signer.Account(account)
	require.NoError(w, err)
	w.svc, err = payments.New(w.book, payments.Config{
		TipFee: decimal.RequireFromString("0.05"), Assets: currency.MustRegistry(currency.USD, btc), WithdrawalFees: payments.MemberBears,
		MaxNotSent: 100,
	})
	require.NoError(w, err)
	endpoint := w.node.Endpoint()
	endpoint.Client = &http.Client{Transport: crashWire{w.crash, endpoint.Client.Transport}}
	adapter, err := bitcoin.New(crashState{w.crash, w.svc.ProviderState("bitcoin")}, crashSigner{w.crash, w.signer}, bitcoin.Config{
		Network: bitcoin.RegTest, Node: endpoint, XPub: xpub, Account: account, Clock: w.now,
		Confirmations: []bitcoin.Tier{{Confirmations: confirmations}}, Finality: finality, QuoteFor: 24 * time.Hour,
	})
	require.NoError(w, err)
	require.NoError(w, w.svc.Register(adapter))
	if w.ours != nil {
		return
	}
	root, err := hdkey.ParsePublic(xpub)
	require.NoError(w, err)
	for branch := range uint32(2) {
		b, err := root.Child(branch)
		require.NoError(w, err)
		for i := range uint32(25) {
			key, err := b.Child(i)
			require.NoError(w, err)
			w.ours = append(w.ours, bitcointest.Address(key.Bytes()))
		}
	}
}

// restart is another process that takes over from one that is gone.
func (w *world) restart() {
	w.Helper()
	w.crash.dead, w.crash.countdown = false, 0
	w.start()
}

// work steps the worker until there is nothing to do. While the process is gone it fails, and that is all.
func (w *world) work() {
	w.Helper()
	for range 200 {
		n, err := w.svc.Step(w.ctx)
		if w.crash.dead {
			return
		}
		require.NoError(w, err)
		if n == 0 {
			return
		}
	}
	require.Fail(w, "the worker does not come to rest")
}

// mine makes blocks, and lets the worker hear of each.
func (w *world) mine(n int) {
	w.Helper()
	for range n {
		require.NoError(w, w.miner.Mine(w.ctx, 1))
		w.work()
	}
}

// tick lets enough time pass for the worker to poll.
func (w *world) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.later += time.Minute
}

func (w *world) pass() {
	w.Helper()
	w.tick()
	w.work()
}

// address makes one for a member.
func (w *world) address(key, member string) string {
	w.Helper()
	p, err := w.svc.Deposit(w.ctx, payments.DepositRequest{Key: key, Actor: payments.Member(member), Amount: sats(1)})
	if err != nil || p.Action == nil {
		return ""
	}
	return p.Action.Address
}

func (w *world) wallet(member string) (posted, held, owes int64) {
	w.Helper()
	list, err := w.svc.Wallets(w.ctx, payments.Member(member), member)
	require.NoError(w, err)
	for _, one := range list {
		if one.Asset.ID() == btc.ID() {
			posted, _ = one.Posted.Int64()
			held, _ = one.Held.Int64()
			owes, _ = one.Owes.Int64()
		}
	}
	return posted, held, owes
}

// balance is the debit balance of an account.
func (w *world) balance(id ledger.AccountID) int64 {
	w.Helper()
	b, err := w.book.Account(id).Balance(w.ctx, ledger.AsOf{})
	if ledger.ClassOf(err) == ledger.NotFound {
		return 0
	}
	require.NoError(w, err)
	n, _ := b.Posted.Int64()
	return n
}

// custody compares what the chain says that our addresses hold with what the book says. flight is what is in blocks and not in the book yet.
func (w *world) custody(flight int64) {
	w.Helper()
	chain, err := w.miner.Received(w.ctx, w.ours...)
	require.NoError(w, err)
	require.Equal(w, chain, w.balance(payments.ClearingAccount("bitcoin", btc.ID()))+flight, "the chain's custody is the book's, and what is in flight")
}
