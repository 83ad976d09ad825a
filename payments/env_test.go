package payments_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

var ether = currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})

var coin = currency.MustDefine(currency.Info{ID: "app:kosh-test/coin", Code: "COIN", Name: "Test Coin", Scale: 2, Kind: currency.Virtual})

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// env is a host with one service over memory and one sandbox that plays everything.
type env struct {
	*testing.T
	ctx     context.Context
	clock   *clock
	store   ledger.Store
	book    *ledger.Book
	sandbox *sandbox.Sandbox
	svc     *payments.Service
	config  payments.Config
	ids     func() uuid.UUID // of the book; nil: as usual
	keys    int
	told    int // transactions that postings has returned
}

// openStore opens the store that tests run on, in memory unless something else is set: the same tests pass on every store.
// See the part "payments on" of .ci/test.
var openStore = func(testing.TB) ledger.Store { return memory.New() }

// oneOrderIn is how many orders there are for one that permutations tries. All of them are tried in memory; on a disk, where a book takes
// its time, some are enough, because every store has the same rules.
var oneOrderIn = 1

// permutations does something in every order of n things.
func permutations(n int, do func(order []int)) {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	count := 0
	var turn func(int)
	turn = func(k int) {
		if k == n {
			if count++; count%oneOrderIn == 0 {
				do(order)
			}
			return
		}
		for i := k; i < n; i++ {
			order[k], order[i] = order[i], order[k]
			turn(k + 1)
			order[k], order[i] = order[i], order[k]
		}
	}
	turn(0)
}

func newEnv(t *testing.T, change ...func(*payments.Config, *sandbox.Config)) *env {
	t.Helper()
	return newEnvOn(t, openStore(t), change...)
}

func newEnvOn(t *testing.T, s ledger.Store, change ...func(*payments.Config, *sandbox.Config)) *env {
	t.Helper()
	e := &env{T: t, ctx: t.Context(), clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}, store: s}
	e.book = ledger.New(e.store, ledger.Config{Clock: e.clock.Now})
	pc := payments.Config{
		TipFee: decimal.RequireFromString("0.05"),
		Assets: currency.MustRegistry(currency.USD, currency.EUR, currency.JPY, ether, coin),
	}
	sc := sandbox.Config{
		Name: "sandbox", Assets: []currency.Asset{currency.USD, currency.EUR, currency.JPY, ether}, Seed: 1,
		Clock: e.clock.Now, Secret: []byte("whsec_test"), CardFee: sandbox.Fee{Rate: decimal.RequireFromString("0.03")},
	}
	for _, f := range change {
		f(&pc, &sc)
	}
	var err error
	e.sandbox, err = sandbox.New(sc)
	require.NoError(t, err)
	e.config = pc
	e.svc, err = payments.New(e.book, pc)
	require.NoError(t, err)
	require.NoError(t, e.svc.Register(e.sandbox))
	return e
}

func (e *env) key() string {
	e.keys++
	return fmt.Sprintf("key-%d", e.keys)
}

func usd(s string) currency.Amount { return currency.MustParse(s, currency.USD) }

func (e *env) link(member, token string) string {
	e.Helper()
	method := providers.Card
	if len(token) >= 8 && token[:8] == "tok_bank" {
		method = providers.Bank
	}
	i, err := e.svc.Link(e.ctx, payments.LinkRequest{Key: e.key(), Actor: payments.Member(member), Member: member, Method: method, Token: token})
	require.NoError(e, err)
	require.Equal(e, payments.Succeeded, i.State)
	return i.ID
}

func (e *env) deposit(member, instrument string, a currency.Amount) payments.Payment {
	e.Helper()
	p, err := e.svc.Deposit(e.ctx, payments.DepositRequest{Key: e.key(), Actor: payments.Member(member), Member: member, Amount: a, Instrument: instrument})
	require.NoError(e, err)
	return p
}

// fund puts money into a wallet by a card that works.
func (e *env) fund(member string, a currency.Amount) payments.Payment {
	e.Helper()
	p := e.deposit(member, e.link(member, sandbox.TokenCard), a)
	require.Equal(e, payments.Succeeded, p.State)
	return p
}

func (e *env) withdraw(member, to string, a currency.Amount) (payments.Payment, error) {
	return e.svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: e.key(), Actor: payments.Member(member), Member: member, Amount: a, To: to})
}

// work steps workers until there is nothing to do now.
func (e *env) work() {
	e.Helper()
	for range 100 {
		n, err := e.svc.Step(e.ctx)
		require.NoError(e, err)
		if n == 0 {
			return
		}
	}
	require.Fail(e, "the worker does not come to rest")
}

// pass lets time pass in steps, with a worker and without webhooks.
func (e *env) pass(d time.Duration) {
	e.Helper()
	for step := time.Hour; d > 0; d -= step {
		e.clock.advance(min(step, d))
		e.work()
	}
}

// hook delivers a webhook and returns the status.
func (e *env) hook(d providers.Delivery) int {
	e.Helper()
	r := httptest.NewRequestWithContext(e.ctx, http.MethodPost, "/webhooks/sandbox", bytesReader(d.Body))
	r.Header = d.Header.Clone()
	w := httptest.NewRecorder()
	e.svc.Webhooks().ServeHTTP(w, r)
	return w.Code
}

func (e *env) payment(id string) payments.Payment {
	e.Helper()
	d, err := e.book.Document(e.ctx, ledger.DocumentID{Kind: "payment", ID: id})
	require.NoError(e, err)
	p, err := e.svc.Payment(e.ctx, payments.Platform(), d.ID)
	require.NoError(e, err)
	return p
}

// wallet is posted, held and owed of a member in an asset.
func (e *env) wallet(member string, a currency.Asset) payments.Wallet {
	e.Helper()
	all, err := e.svc.Wallets(e.ctx, payments.Platform(), member)
	require.NoError(e, err)
	for _, w := range all {
		if w.Asset.ID() == a.ID() {
			return w
		}
	}
	return payments.Wallet{Posted: currency.Zero(a), Held: currency.Zero(a), Available: currency.Zero(a), Owes: currency.Zero(a)}
}

func (e *env) hasWallet(member string, posted, held, owes string) {
	e.Helper()
	w := e.wallet(member, currency.USD)
	require.Equal(e, []string{posted, held, owes}, []string{w.Posted.Number(), w.Held.Number(), w.Owes.Number()}, "posted, held and owed of %s", member)
}

func (e *env) posted(id ledger.AccountID) string {
	e.Helper()
	info, err := e.book.Info(e.ctx, id)
	if ledger.ClassOf(err) == ledger.NotFound && err != nil {
		return "none"
	}
	require.NoError(e, err)
	return info.Posted.Number()
}

// sound checks what must hold whenever nothing is in flight: clearing is the provider's own truth, the book verifies.
func (e *env) sound() {
	e.Helper()
	require.NoError(e, e.sandbox.Audit())
	for _, truth := range e.sandbox.Balances() {
		got := e.posted(payments.ClearingAccount("sandbox", truth.AssetID()))
		if got == "none" {
			got = currency.Zero(truth.Asset()).Number()
		}
		require.Equal(e, truth.Number(), got, "clearing in %s against the provider's truth", truth.AssetID())
	}
	v, err := e.book.Verify(e.ctx)
	require.NoError(e, err)
	require.Empty(e, v.Problems)
}

func (e *env) dump() string { return e.dumpOf(e.store) }

func (e *env) dumpOf(s ledger.Store) string {
	e.Helper()
	b, err := ledgertest.Dump(e.ctx, s, e.book.Name())
	require.NoError(e, err)
	return string(b)
}

func (e *env) cases() map[string][]string {
	e.Helper()
	all := map[string][]string{}
	for c, err := range e.svc.Cases(e.ctx, payments.CaseQuery{}) {
		require.NoError(e, err)
		for _, f := range c.Findings {
			all[c.ID] = append(all[c.ID], f.Code)
		}
	}
	return all
}

func (e *env) request(method, path string) int {
	e.Helper()
	w := httptest.NewRecorder()
	e.svc.Webhooks().ServeHTTP(w, httptest.NewRequestWithContext(e.ctx, method, path, http.NoBody))
	return w.Code
}

// downStore is a store that does not answer.
type downStore struct{}

var errDown = errors.New("the disk is on fire")

func (downStore) Update(context.Context, string, ledger.Names, ledger.Decide) error { return errDown }

func (downStore) Read(context.Context, string, ledger.Names) (ledger.Rows, error) {
	return ledger.Rows{}, errDown
}

func (downStore) Scan(context.Context, string, ledger.Range) (ledger.Rows, error) {
	return ledger.Rows{}, errDown
}
