package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func disputeFee(c *sandbox.Config) { c.DisputeFee = sandbox.Fee{Fixed: 1_500} }

// story is what the events of an operation said, one after another: the disputes' states, and the sum of the effects.
func (w *world) story(op providers.Operation) []string {
	w.t.Helper()
	var told []string
	events, _ := w.poll("")
	for _, e := range events {
		if e.Report == nil || e.Report.Key != op.Key {
			continue
		}
		require.NoError(w.t, e.Report.Validate())
		line := moved(w.t, *e.Report).Number()
		for _, d := range e.Report.Disputes {
			line += " " + string(d.State)
		}
		told = append(told, line)
	}
	return told
}

func TestDisputesByInstrument(t *testing.T) {
	for token, want := range map[string][]string{
		sandbox.TokenCardInquiry:        {"10.00", "10.00 inquiry", "10.00 won"},
		sandbox.TokenCardDisputeWon:     {"10.00", "10.00 inquiry", "-15.00 open", "-5.00 won"},
		sandbox.TokenCardDisputeLost:    {"10.00", "-15.00 open", "-15.00 lost"},
		sandbox.TokenCardDisputeAppeals: {"10.00", "-15.00 open", "-15.00 lost", "-5.00 won"},
	} {
		t.Run(token, func(t *testing.T) {
			w := newWorld(t, disputeFee)
			op := deposit(providers.Card, token, usd(1_000))
			w.submit(op)
			require.Len(t, w.InFlight(), 1, "it may still change")
			for range 5 {
				w.advance(72 * time.Hour)
				w.Balances()
			}
			require.Equal(t, want, w.story(op))
			require.Empty(t, w.InFlight())
			require.True(t, w.lookup(op).Final)
		})
	}
}

func TestDisputeScenes(t *testing.T) {
	w := newWorld(t, disputeFee)
	op := deposit(providers.Card, sandbox.TokenCard, usd(1_000))
	w.submit(op)
	for _, a := range []currency.Amount{usd(0), usd(1_001), currency.MustNew(5, currency.JPY)} {
		_, err := w.OpenDispute(op.Key, a, false)
		require.ErrorIs(t, err, sandbox.ErrScenario, "%v", a)
	}
	_, err := w.OpenDispute(key(), usd(1), false)
	require.ErrorIs(t, err, sandbox.ErrScenario)
	require.ErrorIs(t, w.CloseDispute("dp_none", true), sandbox.ErrScenario)

	inquiry, err := w.OpenDispute(op.Key, usd(400), true)
	require.NoError(t, err)
	require.ErrorIs(t, w.CloseDispute(inquiry, false), sandbox.ErrScenario, "an inquiry cannot be lost")
	require.Equal(t, providers.Succeeded, w.submit(refundOf(op, usd(100))).State, "an inquiry may be answered by a refund")
	require.NoError(t, w.WithdrawDisputed(inquiry))
	require.ErrorIs(t, w.WithdrawDisputed(inquiry), sandbox.ErrScenario)
	failed := w.submit(refundOf(op, usd(100)))
	require.Equal(t, "charge_disputed", failed.Reason.Code)
	_, err = w.OpenDispute(op.Key, usd(601), false)
	require.ErrorIs(t, err, sandbox.ErrScenario, "no part is disputed twice")
	require.NoError(t, w.CloseDispute(inquiry, false))
	require.ErrorIs(t, w.CloseDispute(inquiry, false), sandbox.ErrScenario)
	require.Equal(t, "exceeds_payment", w.submit(refundOf(op, usd(501))).Reason.Code, "what was lost is not refunded again")
	require.Equal(t, providers.Succeeded, w.submit(refundOf(op, usd(500))).State)
	require.NoError(t, w.CloseDispute(inquiry, true), "on appeal")
	require.ErrorIs(t, w.CloseDispute(inquiry, true), sandbox.ErrScenario)

	var kinds []providers.EffectKind
	for _, e := range w.lookup(op).Effects {
		kinds = append(kinds, e.Kind)
		assert.Equal(t, e.Kind == providers.Disputed || e.Kind == providers.Reinstated, e.Dispute == inquiry)
	}
	require.Equal(t, []providers.EffectKind{providers.Moved, providers.Disputed, providers.Fee, providers.Reinstated}, kinds)
}

func TestDisputeReachesTheWebhook(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Card, sandbox.TokenCard, usd(1_000))
	w.submit(op)
	w.Deliveries(10)
	_, err := w.OpenDispute(op.Key, usd(1_000), false)
	require.NoError(t, err)
	hooks := w.Deliveries(10)
	require.Len(t, hooks, 1)
	events, err := w.Receive(t.Context(), hooks[0])
	require.NoError(t, err)
	got, want := *events[0].Report, w.lookup(op)
	require.Equal(t, want.Disputes, got.Disputes)
	require.Equal(t, want.Effects, got.Effects)
}
