package payments_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// silent is a provider without webhooks and events, whose statement can be falsified.
type silent struct {
	providers.Provider
	list   providers.Lister
	change func([]providers.Movement) []providers.Movement
	fail   error
}

func (s *silent) List(ctx context.Context, since, until time.Time, cursor string, limit int) ([]providers.Movement, string, error) {
	if s.fail != nil {
		return nil, "", s.fail
	}
	list, next, err := s.list.List(ctx, since, until, cursor, min(limit, 3))
	if s.change != nil {
		list = s.change(list)
	}
	return list, next, err
}

// silence replaces the sandbox's adapter by one that says nothing by itself.
func (e *env) silence() *silent {
	e.Helper()
	s := &silent{Provider: e.sandbox, list: e.sandbox}
	var err error
	e.svc, err = payments.New(e.book, e.config)
	require.NoError(e, err)
	require.NoError(e, e.svc.Register(s))
	return s
}

func (e *env) reconcile(change ...func(*payments.ReconcileRequest)) payments.Reconciliation {
	e.Helper()
	r := payments.ReconcileRequest{Provider: "sandbox", Since: e.clock.Now().Add(-30 * 24 * time.Hour), Until: e.clock.Now().Add(time.Second)}
	for _, f := range change {
		f(&r)
	}
	got, err := e.svc.Reconcile(e.ctx, r)
	require.NoError(e, err)
	return got
}

func TestReconcileABusyMonth(t *testing.T) {
	e := newEnv(t, plainFees)
	p := e.fund("alice", usd("100.00"))
	e.deposit("alice", e.link("alice", sandbox.TokenBankReturned), usd("50.00"))
	e.deposit("alice", e.link("alice", sandbox.TokenCardDisputeAppeals), currency.MustNew(5_000, currency.JPY))
	_, err := e.withdraw("alice", e.link("alice", sandbox.TokenBankBounces), usd("5.00"))
	require.NoError(t, err)
	_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: p.ID, Amount: usd("10.00")})
	require.NoError(t, err)
	_, err = e.sandbox.SendStray(providers.Bank, usd("12.00"))
	require.NoError(t, err)
	e.pass(12 * 24 * time.Hour)
	_, err = e.sandbox.Settle(currency.USD, sandbox.SettleTerms{Fee: usd("0.50")})
	require.NoError(t, err)
	e.pass(time.Hour)
	got := e.reconcile()
	require.True(t, got.OK(), "%+v", got.Mismatches)
	effects := 0
	for _, o := range e.sandbox.Operations() {
		effects += len(o.Effects)
	}
	require.Equal(t, effects, got.Matched)
	require.Len(t, got.Totals, 2)
	for _, total := range got.Totals {
		require.Zero(t, total.Differs.Sign(), "%+v", total)
		require.Equal(t, e.posted(payments.ClearingAccount("sandbox", total.Asset)), total.Ours.Number())
	}
	e.sound()
}

func TestReconcileFindsWhatIsMissingAndDiffers(t *testing.T) {
	e := newEnv(t)
	s := e.silence()
	p := e.fund("alice", usd("100.00")) // and a fee: two movements
	other := e.fund("bob", usd("20.00"))
	e.pass(time.Hour)
	require.True(t, e.reconcile().OK())

	// Missing here: money came and nobody told us.
	_, err := e.sandbox.SendStray(providers.Bank, usd("12.00"))
	require.NoError(t, err)
	e.clock.advance(90 * time.Minute)
	got := e.reconcile()
	require.Equal(t, 1, got.Missing)
	require.Equal(t, payments.MissingHere, got.Mismatches[0].Difference)
	require.Equal(t, usd("12.00"), got.Mismatches[0].Theirs.Amount)
	require.Equal(t, 90*time.Minute, got.Mismatches[0].Age)
	require.Equal(t, usd("12.00"), got.Totals[0].Differs)
	require.Empty(t, got.Cases)

	// Missing there: the statement forgets alice's fee; differing: bob's deposit is another amount there.
	s.change = func(list []providers.Movement) (kept []providers.Movement) {
		for _, m := range list {
			if m.Key == p.ID && m.Kind == providers.Fee {
				continue
			}
			if m.Key == other.ID && m.Kind == providers.Moved {
				m.Amount = usd("21.00")
			}
			kept = append(kept, m)
		}
		return kept
	}
	found := map[payments.Difference]string{}
	got = e.reconcile()
	for _, m := range got.Mismatches {
		found[m.Difference] = m.Payment
	}
	require.Equal(t, map[payments.Difference]string{
		payments.MissingHere: "", payments.MissingThere: p.ID, payments.Differing: other.ID,
	}, found)
	require.Equal(t, []int{2, 1, 2}, []int{got.Missing, got.Differing, got.Matched})
	require.Equal(t, usd("16.00"), got.Totals[0].Differs, "12 + 3 + 1")

	// Cases: only of what is old enough, and once however often it is asked.
	require.Empty(t, e.reconcile(func(r *payments.ReconcileRequest) { r.OpenCases, r.Grace = true, 24*time.Hour }).Cases)
	require.Empty(t, e.cases())
	for range 2 {
		got = e.reconcile(func(r *payments.ReconcileRequest) { r.OpenCases, r.Grace = true, time.Hour })
		require.Len(t, got.Cases, 3)
		require.Len(t, e.cases(), 3)
	}
	c, err := e.resolve(got.Cases[0], payments.Known, "")
	require.NoError(t, err)
	require.Equal(t, payments.CaseResolved, c.State)
	require.Len(t, e.reconcile(func(r *payments.ReconcileRequest) { r.MaxFindings = 1 }).Mismatches, 1)

	// A period that has nothing of it.
	quiet := e.reconcile(func(r *payments.ReconcileRequest) { r.Until = r.Since.Add(time.Hour) })
	require.True(t, quiet.OK())
	require.Zero(t, quiet.Matched)
}

func TestReconcileRefusals(t *testing.T) {
	e := newEnv(t)
	s := e.silence()
	e.fund("alice", usd("100.00"))
	before := e.dump()
	now := e.clock.Now()
	good := payments.ReconcileRequest{Provider: "sandbox", Since: now.Add(-time.Hour), Until: now.Add(time.Hour), OpenCases: true}
	ask := func(change func(*payments.ReconcileRequest)) error {
		r := good
		change(&r)
		_, err := e.svc.Reconcile(e.ctx, r)
		return err
	}
	require.NoError(t, ask(func(*payments.ReconcileRequest) {}))
	require.ErrorIs(t, ask(func(r *payments.ReconcileRequest) { r.Provider = "nobody" }), payments.ErrNoProvider)
	require.ErrorIs(t, ask(func(r *payments.ReconcileRequest) { r.Until = r.Since }), payments.ErrInvalid)
	require.ErrorIs(t, ask(func(r *payments.ReconcileRequest) { r.Grace = -1 }), payments.ErrInvalid)
	s.fail = errors.New("503")
	err := ask(func(*payments.ReconcileRequest) {})
	require.ErrorIs(t, err, payments.ErrUnavailable)
	require.ErrorIs(t, err, s.fail)
	s.fail = nil
	s.change = func(list []providers.Movement) []providers.Movement { return append(list, list...) }
	require.ErrorIs(t, ask(func(*payments.ReconcileRequest) {}), payments.ErrUnavailable, "a statement that repeats itself")
	require.Equal(t, before, e.dump())

	var errNew error
	e.svc, errNew = payments.New(e.book, e.config)
	require.NoError(t, errNew)
	require.NoError(t, e.svc.Register(lookOnly{e.sandbox}))
	require.ErrorIs(t, ask(func(*payments.ReconcileRequest) {}), payments.ErrUnsupported)
}
