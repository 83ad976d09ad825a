package sandbox_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// batch is the report of a settlement.
func (w *world) batch(reference string) providers.Report {
	w.t.Helper()
	r, err := w.Lookup(w.t.Context(), providers.Query{Reference: reference})
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	require.Equal(w.t, providers.Settlement, r.Kind)
	return r
}

func TestSettleEmptiesTheBalance(t *testing.T) {
	w := newWorld(t)
	a := w.submit(deposit(providers.Card, sandbox.TokenCard, usd(1_000)))
	b := w.submit(deposit(providers.Card, sandbox.TokenCard, usd(500)))
	reference, err := w.Settle(currency.USD, sandbox.SettleTerms{Fee: usd(25)})
	require.NoError(t, err)
	r := w.batch(reference)
	require.Equal(t, []string{a.Reference, b.Reference}, r.Covers)
	require.Equal(t, "-15.00", moved(t, r).Number())
	require.Zero(t, w.Balance(currency.USD).Sign())

	_, err = w.Settle(currency.USD, sandbox.SettleTerms{})
	require.ErrorIs(t, err, sandbox.ErrScenario, "nothing is left")
	c := w.submit(deposit(providers.Card, sandbox.TokenCard, usd(300)))
	reference, err = w.Settle(currency.USD, sandbox.SettleTerms{})
	require.NoError(t, err)
	require.Equal(t, []string{c.Reference}, w.batch(reference).Covers)

	reference, err = w.ChargeFee(usd(900))
	require.NoError(t, err)
	require.Equal(t, "-9.00", moved(t, w.batch(reference)).Number())
	_, err = w.ChargeFee(usd(0))
	require.ErrorIs(t, err, sandbox.ErrScenario)
}

func TestSettleInAnotherCurrency(t *testing.T) {
	w := newWorld(t)
	w.submit(deposit(providers.Card, sandbox.TokenCard, currency.MustNew(15_000, currency.JPY)))
	rate := currency.MustRate(currency.JPY, currency.USD, decimal.RequireFromString("0.0067"))
	reference, err := w.Settle(currency.JPY, sandbox.SettleTerms{Rate: rate})
	require.NoError(t, err)
	var got []string
	for _, e := range w.batch(reference).Effects {
		got = append(got, string(e.Kind)+" "+e.Amount.String())
	}
	require.Equal(t, []string{"converted -15000 JPY", "converted 100.50 USD", "settled -100.50 USD"}, got)
	require.Zero(t, w.Balance(currency.JPY).Sign())
	require.Zero(t, w.Balance(currency.USD).Sign())
}

func TestListIsEveryMovementOnceInPages(t *testing.T) {
	w := newWorld(t, disputeFee)
	began := w.now
	var want []string
	for range 5 {
		op := deposit(providers.Card, sandbox.TokenCard, usd(1_000))
		w.submit(op)
		_, err := w.OpenDispute(op.Key, usd(1_000), false)
		require.NoError(t, err)
		w.advance(time.Hour)
	}
	for _, o := range w.Operations() {
		for _, e := range o.Effects {
			want = append(want, o.Key+" "+e.ID)
		}
	}
	list := func(since, until time.Time, limit int) (got []string) {
		for cursor := ""; ; {
			page, next, err := w.List(t.Context(), since, until, cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(page), limit)
			for _, m := range page {
				got = append(got, m.Key+" "+m.ID)
			}
			if cursor = next; cursor == "" {
				return got
			}
		}
	}
	require.Equal(t, want, list(began, w.now, 100))
	require.Equal(t, want, list(began, w.now, 2))
	require.Equal(t, want[3:6], list(began.Add(time.Hour), began.Add(2*time.Hour), 2), "since is in, until is out")
	_, _, err := w.List(t.Context(), began, w.now, "x", 1)
	require.Error(t, err)
}
