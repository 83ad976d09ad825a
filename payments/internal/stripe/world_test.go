package stripe_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

const secret = "whsec_end_to_end"

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// hooks counts webhooks; those before a response are counted by the pretend Stripe's goroutines.
type hooks struct{ delivered, early atomic.Int64 }

// world is a host with its service and its HTTP server, and the pretend Stripe on the other side of the network.
type world struct {
	*testing.T
	ctx     context.Context
	clock   *clock
	far     *stripetest.Server
	book    *ledger.Book
	svc     *payments.Service
	host    string // where webhooks go
	keys    int
	sent    []string // payments that went to Stripe
	hooks   *hooks
	matched int // movements, when they were last reconciled
}

func newWorld(t *testing.T, mail stripetest.Mail) *world {
	t.Helper()
	w := &world{T: t, hooks: &hooks{}, ctx: t.Context(), clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}}
	var err error
	w.far, err = stripetest.New(stripetest.Options{
		Clock: w.clock.read, Secrets: []string{secret}, Settlement: "usd", Rates: map[string][2]int64{"jpy": {67, 100}},
	})
	require.NoError(t, err)
	t.Cleanup(w.far.Close)
	w.book = ledger.New(memory.New(), ledger.Config{Clock: w.clock.read})
	w.svc, err = payments.New(w.book, payments.Config{
		TipFee: decimal.RequireFromString("0.05"), Assets: currency.MustRegistry(currency.USD, currency.JPY),
	})
	require.NoError(t, err)
	adapter, err := stripe.New(stripe.Config{
		Key: w.far.Key(), BaseURL: w.far.URL(), HTTPClient: w.far.Client(), WebhookSecrets: []string{secret}, Clock: w.clock.read,
		State: w.svc.ProviderState("stripe"), Assets: []currency.Asset{currency.USD, currency.JPY},
		BankReturnWindow: 24 * time.Hour, // shorter than the bank's: money is spent before it is taken back
	})
	require.NoError(t, err)
	require.NoError(t, w.svc.Register(adapter))
	mux := http.NewServeMux()
	mux.Handle("/webhooks/", w.svc.Webhooks())
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.host = server.URL + "/webhooks/stripe"
	w.far.SetMail(mail)
	w.far.OnEvent(func(d providers.Delivery) {
		w.hooks.early.Add(1)
		w.post(d)
	})
	return w
}

// post delivers a webhook across the network.
func (w *world) post(d providers.Delivery) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, w.host, bytes.NewReader(d.Body))
	require.NoError(w, err)
	r.Header = d.Header.Clone()
	answer, err := http.DefaultClient.Do(r)
	require.NoError(w, err)
	require.NoError(w, answer.Body.Close())
	require.Equal(w, http.StatusNoContent, answer.StatusCode)
	w.hooks.delivered.Add(1)
}

// work delivers what is due and steps the worker until there is nothing to do.
func (w *world) work() {
	w.Helper()
	for range 200 {
		due := w.far.Deliveries()
		for _, d := range due {
			w.post(d)
		}
		n, err := w.svc.Step(w.ctx)
		require.NoError(w, err)
		if n == 0 && len(due) == 0 {
			return
		}
	}
	require.Fail(w, "the worker does not come to rest")
}

// pass lets time pass in steps of some hours.
func (w *world) pass(d time.Duration) {
	w.Helper()
	for step := 3 * time.Hour; d > 0; d -= step {
		w.clock.pass(min(step, d))
		w.work()
	}
}

func (w *world) key() string {
	w.keys++
	return fmt.Sprintf("key-%d", w.keys)
}

func usd(s string) currency.Amount { return currency.MustParse(s, currency.USD) }

func (w *world) link(member string, m providers.Method, token string) string {
	w.Helper()
	i, err := w.svc.Link(w.ctx, payments.LinkRequest{Key: w.key(), Actor: payments.Member(member), Method: m, Token: token})
	require.NoError(w, err)
	w.sent = append(w.sent, i.ID)
	if i.State != payments.Succeeded {
		w.pass(time.Hour) // its answer was lost
	}
	return i.ID
}

func (w *world) deposit(member, instrument string, a currency.Amount) payments.Payment {
	w.Helper()
	p, err := w.svc.Deposit(w.ctx, payments.DepositRequest{Key: w.key(), Actor: payments.Member(member), Amount: a, Instrument: instrument})
	require.NoError(w, err)
	w.sent = append(w.sent, p.ID)
	return p
}

func (w *world) withdraw(member, to string, a currency.Amount) payments.Payment {
	w.Helper()
	p, err := w.svc.Withdraw(w.ctx, payments.WithdrawRequest{Key: w.key(), Actor: payments.Member(member), Amount: a, To: to})
	require.NoError(w, err)
	w.sent = append(w.sent, p.ID)
	return p
}

func (w *world) refund(of payments.Payment, a currency.Amount) payments.Payment {
	w.Helper()
	p, err := w.svc.Refund(w.ctx, payments.RefundRequest{Key: w.key(), Actor: payments.Member(of.Member), Of: of.ID, Amount: a})
	require.NoError(w, err)
	w.sent = append(w.sent, p.ID)
	return p
}

// state is how a payment stands now.
func (w *world) state(p payments.Payment) payments.State {
	w.Helper()
	now, err := w.svc.Payment(w.ctx, payments.Platform(), p.ID)
	require.NoError(w, err)
	return now.State
}

// has checks what a member has posted, held and owes.
func (w *world) has(member, posted, held, owes string) {
	w.Helper()
	all, err := w.svc.Wallets(w.ctx, payments.Platform(), member)
	require.NoError(w, err)
	got := []string{"0.00", "0.00", "0.00"}
	for _, x := range all {
		if x.Asset.ID() == "USD" {
			got = []string{x.Posted.Number(), x.Held.Number(), x.Owes.Number()}
		}
	}
	require.Equal(w, []string{posted, held, owes}, got, "posted, held and owed of %s", member)
}

func (w *world) posted(id ledger.AccountID) string {
	w.Helper()
	info, err := w.book.Info(w.ctx, id)
	if ledger.ClassOf(err) == ledger.NotFound {
		return map[currency.AssetID]string{"USD": "0.00", "JPY": "0"}[id.Asset]
	}
	require.NoError(w, err)
	return info.Posted.Number()
}

// sound checks what must hold: clearing is what the pretend Stripe holds for us, to the cent, but for the operations that may
// still move; the trial balance is zero in every asset; nothing was done twice; the book verifies.
func (w *world) sound(inFlight int) {
	w.Helper()
	require.NoError(w, w.far.Audit())
	require.Len(w, w.far.InFlight(), inFlight)
	for _, a := range []*currency.Definition{currency.USD, currency.JPY} {
		code := strings.ToLower(a.Code())
		truth := currency.MustNew(w.far.Balance(code)-w.far.Undecided(code), a)
		require.Equal(w, truth.Number(), w.posted(payments.ClearingAccount("stripe", a.ID())), "clearing in %s against Stripe's balance", a.ID())
	}
	trial, err := w.book.TrialBalance(w.ctx, ledger.AsOf{})
	require.NoError(w, err)
	require.True(w, trial.Balanced(), "%+v", trial.Assets)
	matched, err := w.svc.Reconcile(w.ctx, payments.ReconcileRequest{
		Provider: "stripe", Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Until: w.clock.read().Add(time.Hour),
	})
	require.NoError(w, err)
	require.True(w, matched.OK(), "%+v", matched.Mismatches)
	w.matched = matched.Matched
	for _, id := range w.sent {
		require.LessOrEqual(w, w.far.Executed(id), 1, "payment %s", id)
	}
	v, err := w.book.Verify(w.ctx)
	require.NoError(w, err)
	require.Empty(w, v.Problems)
}

// cases are the codes of all findings.
func (w *world) cases() string {
	w.Helper()
	var codes []string
	for c, err := range w.svc.Cases(w.ctx, payments.CaseQuery{}) {
		require.NoError(w, err)
		for _, f := range c.Findings {
			codes = append(codes, f.Code)
		}
	}
	return strings.Join(codes, " ")
}
