package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func TestTermsBindTheOffers(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) {
		c.Terms = func(o providers.Offer) providers.Offer {
			if o.Asset == "USD" {
				o.Min, o.Step = usd(50), usd(5)
			}
			return o
		}
	})
	for units, want := range map[int64]bool{45: false, 50: true, 51: false, 55: true} {
		_, err := w.Submit(t.Context(), deposit(providers.Card, sandbox.TokenCard, usd(units)))
		if want {
			require.NoError(t, err, units)
			continue
		}
		require.ErrorIs(t, err, providers.ErrUnsupported, units)
		assert.Equal(t, providers.NotSent, providers.CertaintyOf(err), units)
	}
	w.submit(deposit(providers.Card, sandbox.TokenCard, currency.MustNew(1, currency.JPY)))
	assert.Equal(t, 3, w.Requests(), "what is refused is not sent")

	_, err := sandbox.New(sandbox.Config{
		Assets: []currency.Asset{currency.USD},
		Terms:  func(o providers.Offer) providers.Offer { o.Min = usd(0); return o },
	})
	require.ErrorIs(t, err, providers.ErrInvalid)
}

func TestRateLimitDoesNothing(t *testing.T) {
	w := newWorld(t)
	w.Script(sandbox.RateLimit)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	_, err := w.Submit(t.Context(), op)
	require.Error(t, err)
	detail, ok := errors.AsType[*providers.Error](err)
	require.True(t, ok)
	assert.Equal(t, providers.NotSent, detail.Certainty)
	assert.Equal(t, time.Second, detail.RetryAfter)
	assert.Equal(t, 0, w.Executed(op.Key))
	w.submit(op)
	assert.Equal(t, 1, w.Executed(op.Key))
}

func TestFailPolls(t *testing.T) {
	w := newWorld(t)
	w.submit(deposit(providers.Card, sandbox.TokenCard, usd(100)))
	w.FailPolls(1)
	events, next, err := w.Poll(t.Context(), "", 10)
	require.Error(t, err)
	assert.Empty(t, events)
	assert.Empty(t, next, "the cursor stays")
	events, _, err = w.Poll(t.Context(), "", 10)
	require.NoError(t, err)
	assert.Len(t, events, 1)
}

func TestRekeyedAdapterHasSecretsOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.submit(deposit(providers.Card, sandbox.TokenCard, usd(100)))
	d := w.Deliveries(1)[0]
	signed := func(secret string) providers.Delivery {
		return providers.Delivery{Header: sandbox.Sign([]byte(secret), w.now, d.Body), Body: d.Body, ReceivedAt: w.now}
	}
	both, err := w.Rekeyed([]byte("new"), []byte("old"))
	require.NoError(t, err)
	for _, secret := range []string{"new", "old"} {
		events, err := both.Receive(t.Context(), signed(secret))
		require.NoError(t, err, secret)
		assert.Len(t, events, 1, secret)
	}
	_, err = both.Receive(t.Context(), d)
	require.ErrorIs(t, err, providers.ErrForged, "the far side's own is not among them")
	none, err := w.Rekeyed()
	require.NoError(t, err)
	for _, forged := range []providers.Delivery{d, signed("")} {
		_, err = none.Receive(t.Context(), forged)
		require.ErrorIs(t, err, providers.ErrForged)
	}
	_, err = w.Rekeyed([]byte("new"), nil)
	require.ErrorIs(t, err, sandbox.ErrConfig)
}
