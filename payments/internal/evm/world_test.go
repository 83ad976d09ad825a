package evm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/evmtest"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

const (
	chainID     = 31337
	confirms    = 3
	finality    = 6
	treasuryKey = "m/44'/60'/1'/0/0"
	depositKeys = "m/44'/60'/0'/0"
)

var ether = currency.MustDefine(currency.Info{ID: "eip155:31337/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})

// world is a host with its book on a pretend chain.
type world struct {
	testing.TB
	ctx       context.Context
	node      *evmtest.Node
	book      *ledger.Book
	signer    *filesigner.Signer
	treasury  string
	xpub      string
	dollar    *currency.Definition // a token
	contract  string
	svc       *payments.Service
	adapter   *evm.Provider
	death     *death
	addresses []string // deposit addresses that were shown
	keys      int
	late      time.Duration // by how much the host's clock is ahead of the chain's
	sweep     bool
}

func newWorld(t testing.TB) *world {
	t.Helper()
	node, err := evmtest.New(evmtest.Options{ChainID: chainID})
	require.NoError(t, err)
	t.Cleanup(node.Close)
	w := &world{TB: t, ctx: t.Context(), node: node, death: &death{}}
	seed := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, filesigner.Create(seed, []byte("a seed of 32 bytes worth nothing")))
	w.signer, err = filesigner.Open(seed, filesigner.Options{})
	require.NoError(t, err)
	w.xpub, err = w.signer.Account(depositKeys)
	require.NoError(t, err)
	public, err := w.signer.PublicKey(w.ctx, treasuryKey)
	require.NoError(t, err)
	w.treasury, err = evm.AddressOf(public)
	require.NoError(t, err)
	w.contract = node.Deploy(evmtest.Plain)
	w.dollar, err = currency.Define(currency.Info{
		ID: currency.AssetID(fmt.Sprintf("eip155:%d/erc20:%s", chainID, strings.ToLower(w.contract))), Code: "USDX", Name: "US Dollar token",
		Scale: 6, Kind: currency.Crypto,
	})
	require.NoError(t, err)
	require.NoError(t, node.Fund(w.treasury, w.amount(ether, "10").Big()))
	require.NoError(t, node.FundToken(w.contract, w.treasury, w.amount(w.dollar, "1000").Big()))
	w.book = ledger.New(memory.New(), ledger.Config{Clock: w.now})
	w.start()
	return w
}

// start is a process that begins: a service and an adapter on the book.
func (w *world) start() {
	w.Helper()
	var err error
	w.svc, err = payments.New(w.book, payments.Config{
		TipFee: decimal.RequireFromString("0.05"), Assets: currency.MustRegistry(currency.USD, ether, w.dollar),
	})
	require.NoError(w, err)
	steps := []evm.Step{{Confirmations: confirms}}
	assets := []evm.Asset{{Asset: ether, Confirmations: steps, Dust: w.amount(ether, "0.0001")}, {Asset: w.dollar, Confirmations: steps}}
	if w.sweep {
		assets[0].SweepFrom, assets[1].SweepFrom = w.amount(ether, "0.5"), w.amount(w.dollar, "5")
	}
	w.adapter, err = evm.New(evm.Config{
		ChainID: chainID, Endpoints: []evm.Endpoint{{URL: w.node.URL()}}, Assets: assets, Signer: mortalSigner{w.signer, w.death},
		Treasury: evm.Account{Address: w.treasury, Key: treasuryKey}, Deposits: w.xpub, DepositKeys: depositKeys,
		State: mortalState{w.svc.ProviderState("evm"), w.death}, Finality: finality, Now: w.now,
		HTTP: &http.Client{Transport: mortalNetwork{w.death}}, OnError: func(err error) { w.Logf("tending: %v", err) },
	})
	require.NoError(w, err)
	require.NoError(w, w.svc.Register(w.adapter))
}

func (w *world) amount(a currency.Asset, decimal string) currency.Amount {
	w.Helper()
	amount, err := currency.Parse(decimal, a)
	require.NoError(w, err)
	return amount
}

func (w *world) key() string {
	w.keys++
	return fmt.Sprintf("key-%d", w.keys)
}

func (w *world) now() time.Time { return w.node.Now().Add(w.late) }

// wait passes time without blocks, until what came unexplained was looked at often enough to be in suspense.
func (w *world) wait() {
	w.Helper()
	for range 12 {
		w.late += 30 * time.Minute
		w.work()
	}
}

// mine makes blocks, and lets the worker see each.
func (w *world) mine(n int) {
	w.Helper()
	for range n {
		w.node.Mine(1)
		w.work()
	}
}

func (w *world) work() {
	w.Helper()
	for range 200 {
		n, err := w.svc.Step(w.ctx)
		require.NoError(w, err)
		if n == 0 {
			return
		}
	}
	require.Fail(w, "the worker does not come to rest")
}

// settle lets everything become final.
func (w *world) settle() {
	w.Helper()
	w.mine(4 * finality)
}

// address asks for a deposit address.
func (w *world) address(member string, a currency.Asset) string {
	w.Helper()
	p, err := w.svc.Deposit(w.ctx, payments.DepositRequest{Key: w.key(), Actor: payments.Member(member), Amount: w.amount(a, "1")})
	require.NoError(w, err)
	require.NotNil(w, p.Action)
	w.addresses = append(w.addresses, p.Action.Address)
	return p.Action.Address
}

func contractOf(a currency.Asset) string {
	_, contract, _ := strings.Cut(string(a.ID()), "erc20:")
	return contract
}

// pay is somebody's payment on the chain.
func (w *world) pay(to string, amount currency.Amount) string {
	w.Helper()
	id, err := w.node.Pay(evmtest.Payment{To: to, Token: contractOf(amount.Asset()), Units: amount.Big()})
	require.NoError(w, err)
	return id
}

func (w *world) withdraw(member, to string, amount currency.Amount) payments.Payment {
	w.Helper()
	p, err := w.svc.Withdraw(w.ctx, payments.WithdrawRequest{Key: w.key(), Actor: payments.Member(member), Amount: amount, To: to})
	require.NoError(w, err)
	return p
}

func (w *world) payment(id string) payments.Payment {
	w.Helper()
	p, err := w.svc.Payment(w.ctx, payments.Platform(), id)
	require.NoError(w, err)
	return p
}

// posted is an account's balance in smallest units.
func (w *world) posted(id ledger.AccountID) *big.Int {
	w.Helper()
	balances, err := w.book.Balances(w.ctx, ledger.AsOf{}, id)
	if errors.Is(err, ledger.NotFound) {
		return new(big.Int)
	}
	require.NoError(w, err)
	return balances[0].Posted.Big()
}

func (w *world) wallet(member string, a currency.Asset) *big.Int {
	w.Helper()
	return w.posted(payments.WalletAccount(member, a.ID()))
}

// custody is what the chain says that our addresses hold.
func (w *world) custody(a currency.Asset) *big.Int {
	w.Helper()
	sum := new(big.Int)
	for _, address := range append([]string{w.treasury}, w.addresses...) {
		n, err := w.node.Balance(contractOf(a), address)
		require.NoError(w, err)
		sum.Add(sum, n)
	}
	return sum
}

// conserved compares the chain with the ledger: what our addresses hold is the provider's clearing account and what is in flight.
func (w *world) conserved(a currency.Asset, inFlight *big.Int, when string) {
	w.Helper()
	ledgerHas := w.posted(payments.ClearingAccount("evm", a.ID()))
	want := new(big.Int).Add(ledgerHas, inFlight)
	require.Zero(w, want.Cmp(w.custody(a)), "%s: the chain says %s %s, the ledger %s and %s in flight", when, w.custody(a), a.Code(), ledgerHas, inFlight)
}

// sound is what must hold when nothing is in flight.
func (w *world) sound(when string) {
	w.Helper()
	w.conserved(ether, new(big.Int), when)
	w.conserved(w.dollar, new(big.Int), when)
	trial, err := w.book.TrialBalance(w.ctx, ledger.AsOf{})
	require.NoError(w, err)
	require.True(w, trial.Balanced(), "%+v", trial.Assets)
	v, err := w.book.Verify(w.ctx)
	require.NoError(w, err)
	require.Empty(w, v.Problems)
}

// opening reports what was in the treasury before, and lets it into the books.
func (w *world) opening() {
	w.Helper()
	w.work()
	w.mine(finality)
	_, err := w.adapter.Reconcile(w.ctx)
	require.NoError(w, err)
	w.wait()
	w.sound("at the opening")
}

func (w *world) findings() map[string]int {
	w.Helper()
	codes := map[string]int{}
	for c, err := range w.svc.Cases(w.ctx, payments.CaseQuery{}) {
		require.NoError(w, err)
		for _, f := range c.Findings {
			codes[f.Code]++
		}
	}
	return codes
}

// death ends a process at one of its steps: it panics there, and whoever drives the process sees to it that nobody goes on.
type death struct {
	countdown int
	late      bool // the step is done first
	steps     int
	name      string
}

var errDied = errors.New("the process is gone")

func (d *death) take(name string, do func() error) error {
	d.steps++
	if d.countdown--; d.countdown == 0 {
		d.name = name
		if d.late {
			_ = do()
		}
		panic(errDied)
	}
	return do()
}

type mortalState struct {
	providers.StateStore
	death *death
}

func (s mortalState) Store(ctx context.Context, key string, v []byte, version uint64) (next uint64, err error) {
	err = s.death.take("store "+key, func() error {
		next, err = s.StateStore.Store(ctx, key, v, version)
		return err
	})
	return next, err
}

type mortalSigner struct {
	providers.Signer
	death *death
}

func (s mortalSigner) Sign(ctx context.Context, r providers.SignRequest) (signature []byte, err error) {
	err = s.death.take("sign", func() error {
		signature, err = s.Signer.Sign(ctx, r)
		return err
	})
	return signature, err
}

// mortalNetwork may die at what goes to the network; what is only asked changes nothing.
type mortalNetwork struct{ death *death }

func (n mortalNetwork) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if !strings.Contains(string(body), "eth_sendRawTransaction") {
		return http.DefaultTransport.RoundTrip(r)
	}
	err = n.death.take("broadcast", func() error {
		answer, err = http.DefaultTransport.RoundTrip(r) //nolint:bodyclose // whoever asked closes it
		return err
	})
	return answer, err
}
