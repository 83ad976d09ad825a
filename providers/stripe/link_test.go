package stripe_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

func TestLinks(t *testing.T) {
	c := newClock()
	s := far(t, c)
	kept := newState()
	p := adapter(t, s, c, kept, func(cfg *stripe.Config) { cfg.ReturnURL = "https://app.example/wallet" })
	link := func(m providers.Method, token string) providers.Operation {
		return providers.Operation{Key: uuid.NewString(), Kind: providers.Link, Method: m, Member: "alice", Instrument: token, FirstSent: c.read()}
	}
	t.Run("what becomes of a token", func(t *testing.T) {
		for _, tt := range []struct {
			method providers.Method
			token  string
			state  providers.State
			label  string
		}{
			{providers.Card, stripetest.Card, providers.Succeeded, "Visa •• 4242"},
			{providers.Card, "ctoken_" + stripetest.Card, providers.Succeeded, "Visa •• 4242"},
			{providers.Bank, "ctoken_" + stripetest.Bank, providers.Succeeded, "STRIPE TEST BANK •• 6789"},
			{providers.Card, stripetest.CardLinkDeclined, providers.Failed, ""},
			{providers.Bank, "ctoken_" + stripetest.BankUnlinkable, providers.Failed, ""},
			{providers.Bank, stripetest.Account, providers.Succeeded, "Stripe account"},
			{providers.Bank, stripetest.AccountInactive, providers.Failed, ""},
			{providers.Bank, stripetest.PayoutBank, providers.Succeeded, "STRIPE TEST BANK •• 6789"},
			{providers.Card, stripetest.PayoutCard, providers.Succeeded, "Visa •• 5556"},
			{providers.Card, stripetest.PayoutBank, providers.Failed, ""},
			{providers.Bank, "ba_unknown", providers.Failed, ""},
		} {
			op := link(tt.method, tt.token)
			r, err := p.Submit(t.Context(), op)
			require.NoError(t, err, tt.token)
			require.NoError(t, r.Validate())
			assert.Equal(t, tt.state, r.State, tt.token)
			if tt.state == providers.Succeeded {
				assert.Equal(t, tt.label, r.Instrument.Label)
				assert.Equal(t, tt.method, r.Instrument.Method)
			} else {
				assert.NotEmpty(t, r.Reason.Code, tt.token)
			}
			for _, q := range []providers.Query{{Key: op.Key, Kind: op.Kind}, {Reference: r.Reference}, {Key: op.Key, Reference: r.Reference}, {Key: op.Key}} {
				again, err := p.Lookup(t.Context(), q)
				require.NoError(t, err)
				assert.Equal(t, r, again)
			}
		}
		assert.Len(t, kept.values, 1+6, "one customer, and six links to where money is paid out")
	})
	t.Run("what is refused unsent", func(t *testing.T) {
		before := s.Requests()
		for token, method := range map[string]providers.Method{
			stripetest.Bank: providers.Bank, "tok_visa": providers.Card, "src_1": providers.Card, "4111": providers.Card,
		} {
			_, err := p.Submit(t.Context(), link(method, token))
			assert.Equal(t, providers.Rejected, providers.CertaintyOf(err), token)
		}
		bare := adapter(t, s, c, newState())
		_, err := bare.Submit(t.Context(), link(providers.Card, stripe.TokenCheckout))
		assert.ErrorContains(t, err, "ReturnURL")
		_, err = p.Submit(t.Context(), link(providers.Card, "4242424242424242"))
		require.ErrorIs(t, err, providers.ErrInvalid)
		assert.Equal(t, before, s.Requests())
	})
	t.Run("by the device", func(t *testing.T) {
		op := link(providers.Bank, stripe.TokenElements)
		r, err := p.Submit(t.Context(), op)
		require.NoError(t, err)
		require.Equal(t, providers.ActionRequired, r.State)
		assert.Equal(t, "client_secret", r.Action.Kind)
		assert.Contains(t, r.Action.Secret, "_secret_")
		require.NoError(t, s.ConfirmSetup(op.Key, stripetest.Bank))
		r, err = p.Lookup(t.Context(), providers.Query{Reference: r.Reference})
		require.NoError(t, err)
		assert.Equal(t, providers.Succeeded, r.State)
		assert.Nil(t, r.Action)
	})
	t.Run("by Checkout", func(t *testing.T) {
		op := link(providers.Card, stripe.TokenCheckout)
		r, err := p.Submit(t.Context(), op)
		require.NoError(t, err)
		require.Equal(t, providers.ActionRequired, r.State)
		assert.Equal(t, "redirect", r.Action.Kind)
		assert.True(t, strings.HasPrefix(r.Action.URL, "https://checkout."))
		require.NoError(t, s.CompleteCheckout(op.Key, stripetest.Card))
		for _, q := range []providers.Query{{Reference: r.Reference}, {Key: op.Key, Kind: op.Kind, SentAt: op.FirstSent}} {
			done, err := p.Lookup(t.Context(), q)
			require.NoError(t, err)
			assert.Equal(t, providers.Succeeded, done.State)
			assert.Equal(t, r.Reference, done.Reference)
			charged, err := p.Submit(t.Context(), sample(c, providers.Deposit, providers.Card, done.Instrument.Token))
			require.NoError(t, err)
			assert.Equal(t, providers.Succeeded, charged.State)
		}
	})
	t.Run("a state store that fails", func(t *testing.T) {
		broken := adapter(t, s, c, brokenState{})
		before := s.Requests()
		for _, token := range []string{stripetest.Card, stripetest.Account} {
			_, err := broken.Submit(t.Context(), link(map[bool]providers.Method{true: providers.Card, false: providers.Bank}[token == stripetest.Card], token))
			assert.Equal(t, providers.NotSent, providers.CertaintyOf(err), token)
			assert.ErrorContains(t, err, "state store")
		}
		assert.Equal(t, before, s.Requests())
	})
}

type brokenState struct{ providers.StateStore }

func (brokenState) Load(context.Context, string) ([]byte, uint64, error) {
	return nil, 0, errors.New("the disk is on fire")
}
