package sandbox_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func link(m providers.Method, token string) providers.Operation {
	return providers.Operation{Key: key(), Kind: providers.Link, Method: m, Instrument: token, Member: "alice"}
}

func TestLink(t *testing.T) {
	w := newWorld(t)
	r := w.submit(link(providers.Card, sandbox.TokenCard))
	assert.Equal(t, providers.Succeeded, r.State)
	assert.True(t, r.Final)
	require.NotNil(t, r.Instrument)
	assert.Equal(t, "Visa •• 4242", r.Instrument.Label)

	charged := w.submit(deposit(providers.Card, r.Instrument.Token, usd(100)))
	assert.Equal(t, providers.Succeeded, charged.State)

	for token, method := range map[string]providers.Method{
		"tok_nonsense":           providers.Card,
		sandbox.TokenBank:        providers.Card,
		sandbox.TokenBankRefused: providers.Bank,
		sandbox.TokenCardRefused: providers.Card,
		sandbox.AddressRefused:   providers.Chain,
		"not an address":         providers.Chain,
	} {
		r := w.submit(link(method, token))
		assert.Equal(t, providers.Failed, r.State, token)
		assert.NotEmpty(t, r.Reason.Code, token)
	}
	assert.Equal(t, providers.Succeeded, w.submit(link(providers.Chain, "0xabc")).State)
}

func TestCardOutcomes(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		token, code string
		state       providers.State
	}{
		{sandbox.TokenCard, "", providers.Succeeded},
		{sandbox.TokenCardDeclined, "card_declined", providers.Failed},
		{sandbox.TokenCardInsufficient, "insufficient_funds", providers.Failed},
		{sandbox.TokenCardAction, "", providers.ActionRequired},
		{"pm_unknown", "no_such_instrument", providers.Failed},
		{sandbox.TokenBank, "wrong_method", providers.Failed},
	} {
		op := deposit(providers.Card, tt.token, usd(500))
		r := w.submit(op)
		assert.Equal(t, tt.state, r.State, tt.token)
		assert.Equal(t, tt.code, r.Reason.Code, tt.token)
		wantExecuted := 1
		if tt.state == providers.Failed {
			wantExecuted = 0
		}
		assert.Equal(t, wantExecuted, w.Executed(op.Key), tt.token)
	}
	assert.Equal(t, usd(500), w.Balance(currency.USD))
}

func TestCardFee(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) { c.CardFee = sandbox.Fee{Rate: decimal.RequireFromString("0.029"), Fixed: 30} })
	op := deposit(providers.Card, sandbox.TokenCard, usd(10_000))
	q, err := w.Quote(t.Context(), op)
	require.NoError(t, err)
	assert.Equal(t, usd(320), q.Fee)
	r := w.submit(op)
	require.Len(t, r.Effects, 2)
	assert.Equal(t, usd(10_000), r.Effects[0].Amount)
	assert.Equal(t, providers.Fee, r.Effects[1].Kind)
	assert.Equal(t, usd(-320), r.Effects[1].Amount)
	assert.Equal(t, usd(9_680), w.Balance(currency.USD))
}

func TestCardSettlement(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) {
		c.CardSettleAfter = time.Hour
		c.CardFee.Fixed = 30
	})
	op := deposit(providers.Card, sandbox.TokenCard, usd(1000))
	assert.False(t, w.submit(op).Final)
	w.advance(time.Hour)
	r := w.lookup(op)
	assert.True(t, r.Final)
	require.Len(t, r.Effects, 3)
	assert.Equal(t, providers.Settled, r.Effects[2].Kind)
	assert.Equal(t, usd(-970), r.Effects[2].Amount)
	assert.Equal(t, usd(0), w.Balance(currency.USD))
}

func TestAction(t *testing.T) {
	w := newWorld(t)
	approve := deposit(providers.Card, sandbox.TokenCardAction, usd(100))
	deny := deposit(providers.Card, sandbox.TokenCardAction, usd(100))
	forget := deposit(providers.Card, sandbox.TokenCardAction, usd(100))
	for _, op := range []providers.Operation{approve, deny, forget} {
		r := w.submit(op)
		require.NotNil(t, r.Action)
		assert.Equal(t, "redirect", r.Action.Kind)
	}
	require.NoError(t, w.Approve(approve.Key))
	require.ErrorIs(t, w.Approve(approve.Key), sandbox.ErrScenario)
	require.NoError(t, w.Deny(deny.Key))
	w.advance(2 * time.Hour)
	assert.Equal(t, providers.Succeeded, w.lookup(approve).State)
	assert.Equal(t, "action_denied", w.lookup(deny).Reason.Code)
	assert.Equal(t, "action_expired", w.lookup(forget).Reason.Code)
	assert.Nil(t, w.lookup(forget).Action)
	assert.Equal(t, usd(100), w.Balance(currency.USD))
}

func TestRefund(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Card, sandbox.TokenCard, usd(1000))
	paid := w.submit(op)
	part := w.submit(refundOf(op, usd(400)))
	assert.Equal(t, usd(-400), moved(t, part))
	assert.Equal(t, "exceeds_payment", w.submit(refundOf(op, usd(601))).Reason.Code)

	byReference := refundOf(op, usd(600))
	byReference.Target, byReference.TargetReference = "", paid.Reference
	assert.Equal(t, providers.Succeeded, w.submit(byReference).State)
	assert.Equal(t, "exceeds_payment", w.submit(refundOf(op, usd(1))).Reason.Code)
	assert.Equal(t, usd(0), w.Balance(currency.USD))

	other := refundOf(op, currency.MustNew(1, currency.JPY))
	assert.Equal(t, "wrong_asset", w.submit(other).Reason.Code)
	stranger := refundOf(op, usd(1))
	stranger.Target = key()
	assert.Equal(t, "no_such_payment", w.submit(stranger).Reason.Code)
	mixed := refundOf(op, usd(1))
	mixed.Target, mixed.TargetReference = key(), paid.Reference
	assert.Equal(t, "no_such_payment", w.submit(mixed).Reason.Code)
	declinedOp := deposit(providers.Card, sandbox.TokenCardDeclined, usd(5))
	w.submit(declinedOp)
	assert.Equal(t, "not_captured", w.submit(refundOf(declinedOp, usd(5))).Reason.Code)
}

func TestRefundThatComesBackCanBeTriedAgain(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Card, sandbox.TokenCardRefundFails, usd(1000))
	w.submit(op)
	back := refundOf(op, usd(1000))
	assert.False(t, w.submit(back).Final)
	w.advance(24 * time.Hour)
	r := w.lookup(back)
	require.Len(t, r.Effects, 2)
	assert.Equal(t, providers.Reversed, r.Effects[1].Kind)
	assert.Equal(t, r.Effects[0].ID, r.Effects[1].Reverses)
	assert.True(t, r.Final)
	assert.Equal(t, usd(1000), w.Balance(currency.USD))
	assert.Equal(t, providers.Succeeded, w.submit(refundOf(op, usd(1000))).State)
}

func TestCancel(t *testing.T) {
	w := newWorld(t)
	cancel := func(op providers.Operation) providers.Operation {
		return providers.Operation{Key: key(), Kind: providers.Cancel, Method: op.Method, Target: op.Key}
	}
	waiting := deposit(providers.Card, sandbox.TokenCardAction, usd(100))
	w.submit(waiting)
	assert.Equal(t, providers.Succeeded, w.submit(cancel(waiting)).State)
	assert.Equal(t, providers.Canceled, w.lookup(waiting).State)
	require.ErrorIs(t, w.Approve(waiting.Key), sandbox.ErrScenario)
	assert.Equal(t, "not_cancelable", w.submit(cancel(waiting)).Reason.Code)

	pending := withdrawal(providers.Bank, sandbox.TokenBank, usd(100))
	w.submit(pending)
	assert.Equal(t, providers.Succeeded, w.submit(cancel(pending)).State)
	w.advance(100 * time.Hour)
	assert.Equal(t, providers.Canceled, w.lookup(pending).State)
	assert.Equal(t, 0, w.Executed(pending.Key))

	paid := deposit(providers.Card, sandbox.TokenCard, usd(100))
	w.submit(paid)
	assert.Equal(t, "not_cancelable", w.submit(cancel(paid)).Reason.Code)
	unknown := paid
	unknown.Key = key()
	assert.Equal(t, "no_such_operation", w.submit(cancel(unknown)).Reason.Code)
}
