package payments_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// deliveries lets time pass without a worker and collects what the far side would call.
func (e *env) deliveries(d time.Duration) []providers.Delivery {
	var all []providers.Delivery
	for range 20 {
		e.clock.advance(d / 20)
		all = append(all, e.sandbox.Deliveries(100)...)
	}
	return all
}

func noPolling(_ *payments.Config, c *sandbox.Config) { c.Tolerance = 1000 * time.Hour }

func TestWebhooksThriceInAnyOrderChangeTheBooksOnce(t *testing.T) {
	for name, arrange := range map[string]func([]providers.Delivery) []providers.Delivery{
		"in order":  func(d []providers.Delivery) []providers.Delivery { return d },
		"thrice":    func(d []providers.Delivery) []providers.Delivery { return slices.Concat(d, d, d) },
		"backwards": func(d []providers.Delivery) []providers.Delivery { slices.Reverse(d); return slices.Concat(d, d) },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, noPolling)
			e.fund("bob", usd("5.00"))
			p := e.deposit("alice", e.link("alice", sandbox.TokenBankReturned), usd("50.00"))
			out, err := e.withdraw("bob", e.link("bob", sandbox.TokenBankBounces), usd("5.00"))
			require.NoError(t, err)
			hooks := e.deliveries(100 * time.Hour)
			require.NotEmpty(t, hooks)
			for _, d := range arrange(hooks) {
				require.Equal(t, http.StatusNoContent, e.hook(d))
			}
			require.Equal(t, payments.Reversed, e.payment(p.ID).State)
			require.Equal(t, payments.Reversed, e.payment(out.ID).State)
			e.hasWallet("alice", "0.00", "0.00", "0.00")
			e.hasWallet("bob", "5.00", "0.00", "0.00")
			require.Empty(t, e.cases())
			e.sound()
		})
	}
}

// countedStore counts what is written.
type countedStore struct {
	ledger.Store
	updates *int
}

func (c countedStore) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	*c.updates++
	return c.Store.Update(ctx, book, want, decide)
}

// TestWebhookOfWhatIsKnown: what comes again, by a webhook or a poll, locks no row and asks no screener.
func TestWebhookOfWhatIsKnown(t *testing.T) {
	updates, asked := 0, 0
	e := newEnvOn(t, countedStore{openStore(t), &updates}, noPolling, func(c *payments.Config, _ *sandbox.Config) {
		c.Screen = func(context.Context, payments.ScreenRequest) (payments.Verdict, error) {
			asked++
			return payments.Verdict{Decision: payments.ScreenAllow}, nil
		}
	})
	e.deposit("alice", e.link("alice", sandbox.TokenBankReturned), usd("50.00"))
	hooks := e.deliveries(100 * time.Hour)
	require.NotEmpty(t, hooks)
	for again := range 3 {
		before, questions := updates, asked
		for _, d := range hooks {
			require.Equal(t, http.StatusNoContent, e.hook(d))
		}
		require.Equal(t, again > 0, updates == before, "%d updates of the store", updates-before)
		require.True(t, again == 0 || asked == questions)
	}
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.sound()
}

// early is a provider whose webhook overtakes its answer.
type early struct {
	*sandbox.Sandbox
	deliver func()
}

func (e early) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	r, err := e.Sandbox.Submit(ctx, op)
	e.deliver()
	return r, err
}

func TestWebhookBeforeTheAnswer(t *testing.T) {
	e := newEnv(t, noPolling)
	var err error
	e.svc, err = payments.New(e.book, payments.Config{})
	require.NoError(t, err)
	hooked := 0
	require.NoError(t, e.svc.Register(early{e.sandbox, func() {
		e.clock.advance(time.Second)
		for _, d := range e.sandbox.Deliveries(100) {
			require.Equal(t, http.StatusNoContent, e.hook(d))
			hooked++
		}
	}}))
	p := e.fund("alice", usd("10.00"))
	require.Positive(t, hooked)
	require.Equal(t, payments.Succeeded, p.State)
	e.hasWallet("alice", "10.00", "0.00", "0.00")
	e.sound()
}

func TestWebhookRefusals(t *testing.T) {
	e := newEnv(t, noPolling)
	e.fund("alice", usd("10.00"))
	hooks := e.deliveries(time.Hour)
	require.NotEmpty(t, hooks)
	before := e.dump()
	forged := providers.Delivery{Header: hooks[0].Header.Clone(), Body: slices.Clone(hooks[0].Body)}
	forged.Body[len(forged.Body)/2] ^= 1
	require.Equal(t, http.StatusBadRequest, e.hook(forged))
	require.Equal(t, http.StatusBadRequest, e.hook(providers.Delivery{Header: http.Header{}, Body: hooks[0].Body}))
	require.Equal(t, http.StatusRequestEntityTooLarge, e.hook(providers.Delivery{Header: hooks[0].Header, Body: []byte(strings.Repeat("x", 1<<20+1))}))
	require.Equal(t, before, e.dump())
	for path, want := range map[string]int{"/webhooks/nobody": http.StatusNotFound, "/": http.StatusNotFound} {
		require.Equal(t, want, e.request(http.MethodPost, path))
	}
	require.Equal(t, http.StatusMethodNotAllowed, e.request(http.MethodGet, "/webhooks/sandbox"))
}

func TestWebhookIsNotAcknowledgedWhenTheStoreIsDown(t *testing.T) {
	e := newEnv(t, noPolling)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("10.00"))
	hooks := e.deliveries(26 * time.Hour)
	broken, err := payments.New(ledger.New(downStore{}, ledger.Config{Clock: e.clock.Now}), payments.Config{})
	require.NoError(t, err)
	require.NoError(t, broken.Register(e.sandbox))
	working := e.svc
	e.svc = broken
	for _, d := range hooks {
		require.Equal(t, http.StatusServiceUnavailable, e.hook(d))
	}
	e.svc = working
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	for _, d := range hooks {
		require.Equal(t, http.StatusNoContent, e.hook(d))
	}
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
}

func TestStrayMoneyGoesToSuspenseWithACase(t *testing.T) {
	e := newEnv(t)
	_, err := e.sandbox.SendStray(providers.Bank, usd("12.00"))
	require.NoError(t, err)
	e.pass(48 * time.Hour)
	require.Equal(t, "12.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	require.Len(t, e.cases(), 1)
	e.sound()
}

func (e *env) events(after uint64) []payments.Event {
	e.Helper()
	all := []payments.Event{}
	for ev, err := range e.svc.Events(e.ctx, after) {
		require.NoError(e, err)
		all = append(all, ev)
	}
	return all
}

func TestEventsAreInOrderAndResume(t *testing.T) {
	e := newEnv(t)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("10.00"))
	e.pass(100 * time.Hour)
	var types []string
	var last uint64
	seen := map[string]payments.Payment{}
	for ev, err := range e.svc.Events(e.ctx, 0) {
		require.NoError(t, err)
		require.Greater(t, ev.Position, last)
		before := seen[ev.Payment.ID]
		require.Greater(t, ev.Payment.Version, before.Version, "in order")
		before.Version, before.UpdatedAt = ev.Payment.Version, ev.Payment.UpdatedAt
		require.NotEqual(t, before, ev.Payment, "an event says something new")
		seen[ev.Payment.ID] = ev.Payment
		last = ev.Position
		if ev.Payment.ID == p.ID {
			types = append(types, ev.Type)
		}
	}
	all := e.events(0)
	for i, ev := range all {
		require.Equal(t, all[i+1:], e.events(ev.Position), "what is told does not depend on where one begins")
	}
	require.Equal(t, []string{"deposit.created", "deposit.submitting", "deposit.pending"}, types[:3])
	require.Equal(t, "deposit.succeeded", types[len(types)-1])
	for ev, err := range e.svc.Events(e.ctx, last) {
		require.Fail(t, "nothing is left after the last position", "%v %v", ev, err)
	}
}

func TestStatement(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("10.00"))
	_, err := e.tip("t", "alice", "bob", usd("4.00"))
	require.NoError(t, err)
	_, err = e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("5.00"))
	require.NoError(t, err)
	var got []string
	for l, err := range e.svc.Statement(e.ctx, payments.Member("alice"), "alice", "USD", time.Time{}, time.Time{}) {
		require.NoError(t, err)
		got = append(got, string(l.Kind)+" "+l.Counterparty+" "+l.Amount.Number()+" "+l.Held.Number()+" = "+l.Posted.Number()+" "+l.HeldAfter.Number())
	}
	require.Equal(t, []string{"deposit  10.00 0.00 = 10.00 0.00", "tip bob -4.00 0.00 = 6.00 0.00", "withdrawal  0.00 5.00 = 6.00 5.00"}, got)
	for _, err := range e.svc.Statement(e.ctx, payments.Member("bob"), "alice", "USD", time.Time{}, time.Time{}) {
		require.ErrorIs(t, err, payments.ErrForbidden)
	}
}

// Whoever hangs up before the signature was looked at is not told that it is wrong: some providers stop after such answers.
func TestWebhookOfSomebodyWhoHangsUp(t *testing.T) {
	e := newEnv(t, noPolling)
	e.fund("alice", usd("5.00"))
	hooks := e.deliveries(time.Hour)
	require.NotEmpty(t, hooks)
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	whole := e.ctx
	e.ctx = ctx
	require.Equal(t, http.StatusServiceUnavailable, e.hook(hooks[0]))
	e.ctx = whole
	require.Equal(t, http.StatusNoContent, e.hook(hooks[0]))
}
