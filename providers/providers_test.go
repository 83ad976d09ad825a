package providers_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

type plain struct{ providers.Provider }

type polling struct{ providers.Provider }

func (polling) Poll(context.Context, string, int) ([]providers.Event, string, error) {
	return nil, "", nil
}

type wrapper struct {
	providers.Provider
	inner providers.Provider
}

func (w wrapper) Unwrap() providers.Provider { return w.inner }

func TestAs(t *testing.T) {
	_, ok := providers.As[providers.Poller](nil)
	assert.False(t, ok)
	_, ok = providers.As[providers.Poller](plain{})
	assert.False(t, ok)
	_, ok = providers.As[providers.Poller](polling{})
	assert.True(t, ok)
	_, ok = providers.As[providers.Poller](wrapper{inner: wrapper{inner: polling{}}})
	assert.True(t, ok)
	_, ok = providers.As[providers.Poller](wrapper{inner: nil})
	assert.False(t, ok)
	outer, ok := providers.As[wrapper](wrapper{inner: polling{}})
	require.True(t, ok)
	assert.Equal(t, polling{}, outer.inner, "the outermost wins")
}

func TestCertaintyOf(t *testing.T) {
	cause := errors.New("no route")
	for _, tt := range []struct {
		err  error
		want providers.Certainty
	}{
		{nil, providers.Maybe},
		{cause, providers.Maybe},
		{context.DeadlineExceeded, providers.Maybe},
		{&providers.Error{}, providers.Maybe},
		{&providers.Error{Certainty: providers.NotSent}, providers.NotSent},
		{fmt.Errorf("adapter: %w", &providers.Error{Certainty: providers.Rejected}), providers.Rejected},
		{errors.Join(cause, &providers.Error{Certainty: providers.Duplicate}), providers.Duplicate},
	} {
		assert.Equal(t, tt.want, providers.CertaintyOf(tt.err), "%v", tt.err)
	}
	err := &providers.Error{Certainty: providers.NotSent, Code: "E1", Public: "Try later.", Err: cause}
	require.ErrorIs(t, err, cause)
	assert.Equal(t, "providers: not sent: E1: Try later.: no route", err.Error())
	assert.Equal(t, "maybe rejected duplicate maybe", fmt.Sprint(
		providers.Maybe, " ", providers.Rejected, " ", providers.Duplicate, " ", providers.Certainty(9)))
}

func usd(cents int64) currency.Amount { return currency.MustNew(cents, currency.USD) }

func descriptor() providers.Descriptor {
	return providers.Descriptor{
		Name: "acme-1", KeyRetention: time.Hour, VisibleAfter: time.Second,
		Offers: []providers.Offer{
			{Kind: providers.Link, Method: providers.Card},
			{Kind: providers.Cancel, Method: providers.Card},
			{
				Kind: providers.Deposit, Method: providers.Card, Asset: "USD", Exponent: 2,
				Min: usd(50), Max: usd(100_000), Step: usd(5),
			},
			{Kind: providers.Deposit, Method: providers.Card, Asset: "JPY", Exponent: 2},
			{Kind: providers.Deposit, Method: providers.Card, Asset: "KWD", Exponent: 2},
			{Kind: providers.DepositAddress, Method: providers.Bank, Asset: "USD", Exponent: 2},
		},
	}
}

func TestOffer(t *testing.T) {
	d := descriptor()
	o, ok := d.Offer(providers.Deposit, providers.Card, "USD")
	assert.True(t, ok)
	assert.Equal(t, usd(50), o.Min)
	_, ok = d.Offer(providers.Deposit, providers.Bank, "USD")
	assert.False(t, ok)
	_, ok = d.Offer(providers.Deposit, providers.Card, "EUR")
	assert.False(t, ok)
	_, ok = d.Offer(providers.Link, providers.Card, "EUR")
	assert.True(t, ok, "a link is about no asset")
}

func TestSupports(t *testing.T) {
	d := descriptor()
	kwd, _ := currency.Lookup("KWD")
	op := func(a currency.Amount) providers.Operation {
		return providers.Operation{Kind: providers.Deposit, Method: providers.Card, Amount: a}
	}
	for _, a := range []currency.Amount{
		usd(50), usd(55), usd(100_000), currency.MustNew(1, currency.JPY), currency.MustNew(1230, kwd),
	} {
		require.NoError(t, d.Supports(op(a)), a)
	}
	for _, a := range []currency.Amount{
		{},
		usd(0), usd(-50), usd(45), usd(51), usd(100_005), currency.MustNew(100, currency.EUR),
		currency.MustNew(1234, kwd), // three decimals do not fit two on the wire
	} {
		require.ErrorIs(t, d.Supports(op(a)), providers.ErrUnsupported, a)
	}
	require.NoError(t, d.Supports(providers.Operation{Kind: providers.Link, Method: providers.Card}))
	require.NoError(t, d.Supports(providers.Operation{Kind: providers.DepositAddress, Method: providers.Bank, Asset: "USD"}))
	require.ErrorIs(t, d.Supports(providers.Operation{Kind: "dance", Method: providers.Card}), providers.ErrUnsupported)
}
