package stripe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

// statement checks that List comes to the balance, and that every effect of every operation that Poll tells of is in it, once.
func statement(t *testing.T, p *stripe.Provider, s *stripetest.Server, c *clock) {
	t.Helper()
	movements, cursor, err := p.List(t.Context(), time.Time{}, c.read().Add(time.Hour), "", 100_000)
	require.NoError(t, err)
	require.Empty(t, cursor)
	listed, sums := map[string]providers.Movement{}, map[currency.AssetID]currency.Amount{}
	for _, m := range movements {
		require.NotContains(t, listed, m.ID)
		listed[m.ID] = m
		sum, ok := sums[m.Amount.AssetID()]
		if !ok {
			sum = currency.Zero(m.Amount.Asset())
		}
		sums[m.Amount.AssetID()], err = sum.Add(m.Amount)
		require.NoError(t, err)
	}
	for id, sum := range sums {
		d, _ := currency.Lookup(id)
		held, err := currency.FromMinor(s.Balance(strings.ToLower(string(id))), decimals[id], d)
		require.NoError(t, err)
		assert.Equal(t, held, sum, "the statement in %s against the balance", id)
	}
	c.pass(time.Minute)
	events, _, err := p.Poll(t.Context(), "", 100_000)
	require.NoError(t, err)
	told := map[string]bool{}
	for _, e := range events {
		r := e.Report
		if r == nil {
			found, err := p.Lookup(t.Context(), *e.Lookup)
			require.NoError(t, err)
			r = &found
		}
		require.NoError(t, r.Validate())
		for _, x := range r.Effects {
			told[x.ID] = true
			m := listed[x.ID]
			assert.Equal(t, []any{x.Kind, x.Amount, r.Reference}, []any{m.Kind, m.Amount, m.Reference}, x.ID)
		}
	}
	assert.Len(t, told, len(listed))
}

func TestSettlementsAndFees(t *testing.T) {
	c := newClock()
	s := far(t, c)
	s.TopUp(500_00, "usd")
	p := adapter(t, s, c, newState())
	deposit := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card))
	d, err := p.Submit(t.Context(), deposit)
	require.NoError(t, err)
	w, err := p.Submit(t.Context(), sample(c, providers.Withdrawal, providers.Bank, stripetest.Account))
	require.NoError(t, err)
	s.ChargeFee(9_99, "usd")
	require.NoError(t, s.Sweep("usd"))
	c.pass(time.Minute)
	events, _, err := p.Poll(t.Context(), "", 0)
	require.NoError(t, err)
	var sweep providers.Report
	kinds := map[string]int{}
	for _, e := range events {
		r := e.Report
		if r == nil {
			found, err := p.Lookup(t.Context(), *e.Lookup)
			require.NoError(t, err)
			r = &found
		}
		if r.Kind == providers.Settlement {
			require.NoError(t, r.Validate())
			for _, line := range effects(*r) {
				kinds[line]++
			}
			if len(r.Covers) > 0 {
				sweep = *r
			}
		}
	}
	assert.Equal(t, map[string]int{"settled 500.00 USD": 1, "fee -9.99 USD": 1, "settled -486.81 USD": 1}, kinds)
	assert.Subset(t, sweep.Covers, []string{d.Reference, w.Reference})
	assert.NotContains(t, sweep.Covers, sweep.Reference)
	statement(t, p, s, c)
}

// The newest seconds wait for the next poll: what Stripe makes at once may appear in its lists out of order.
func TestPollLeavesTheNewest(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	_, err := p.Submit(t.Context(), sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card)))
	require.NoError(t, err)
	events, cursor, err := p.Poll(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Empty(t, events)
	assert.Empty(t, cursor)
	c.pass(11 * time.Second)
	events, _, err = p.Poll(t.Context(), cursor, 0)
	require.NoError(t, err)
	assert.Len(t, events, 3)
}

// Stripe's times are whole seconds; a period that begins or ends within one must still have every movement once.
func TestListWithinASecond(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	at := c.read()
	s.TopUp(100, "usd")
	half := at.Add(time.Second / 2)
	for _, tt := range []struct {
		since, until time.Time
		want         int
	}{
		{at, at, 0},
		{at, half, 1},
		{half, at.Add(time.Second), 0},
		{half, at.Add(time.Hour), 0},
		{at.Add(-time.Second / 2), at, 0},
		{at.Add(-time.Second / 2), half, 1},
		{time.Time{}, half, 1},
	} {
		movements, _, err := p.List(t.Context(), tt.since, tt.until, "", 0)
		require.NoError(t, err)
		assert.Len(t, movements, tt.want, "%v to %v", tt.since, tt.until)
	}
}

func TestPollGoesOnWhenItsEventIsGone(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card))
	_, err := p.Submit(t.Context(), op)
	require.NoError(t, err)
	c.pass(time.Minute)
	all, _, err := p.Poll(t.Context(), "", 0)
	require.NoError(t, err)
	again, _, err := p.Poll(t.Context(), "evt_older,txn_older,txn_older", 0)
	require.NoError(t, err)
	assert.Equal(t, all, again)
	for _, cursor := range []string{"x", "evt_1", "evt_1,txn_1", "txn_1,evt_1,txn_1", "evt_1,ch_1,", "evt_1,txn_1,txn_1,"} {
		_, next, err := p.Poll(t.Context(), cursor, 0)
		require.Error(t, err, cursor)
		assert.Equal(t, cursor, next)
	}
	later := adapter(t, s, c, newState(), func(cfg *stripe.Config) { cfg.PollFrom = c.read() })
	none, next, err := later.Poll(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Empty(t, none)
	assert.Empty(t, next)
	for _, cursor := range []string{"x", "txn_1", "txn_1:x", "txn_1:-1", "evt_1:0"} {
		_, _, err := p.List(t.Context(), time.Time{}, c.read(), cursor, 0)
		require.Error(t, err, cursor)
	}
}
