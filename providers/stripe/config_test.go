package stripe_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
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

func TestConfigIsRefused(t *testing.T) {
	good := stripe.Config{Key: "sk_test_x", WebhookSecrets: []string{"whsec_x"}, State: newState(), Assets: []currency.Asset{currency.USD}}
	_, err := stripe.New(good)
	require.NoError(t, err)
	iqd, _ := currency.Lookup("IQD")
	coin := currency.MustDefine(currency.Info{ID: "app:kosh-stripe/coin", Code: "COIN", Name: "Coin", Scale: 2, Kind: currency.Virtual})
	for name, change := range map[string]func(*stripe.Config){
		"no key":                         func(c *stripe.Config) { c.Key = "" },
		"a publishable key":              func(c *stripe.Config) { c.Key = "pk_live_x" },
		"a key with a line break":        func(c *stripe.Config) { c.Key = "sk_live_x\n" },
		"an empty webhook secret":        func(c *stripe.Config) { c.WebhookSecrets = []string{"whsec_x", ""} },
		"half a webhook secret":          func(c *stripe.Config) { c.WebhookSecrets = []string{"whsec_"} },
		"no state":                       func(c *stripe.Config) { c.State = nil },
		"no assets":                      func(c *stripe.Config) { c.Assets = nil },
		"a nil asset":                    func(c *stripe.Config) { c.Assets = []currency.Asset{nil} },
		"an asset twice":                 func(c *stripe.Config) { c.Assets = append(c.Assets, currency.USD) },
		"a coin":                         func(c *stripe.Config) { c.Assets = []currency.Asset{coin} },
		"three decimals Stripe lacks":    func(c *stripe.Config) { c.Assets = []currency.Asset{iqd} },
		"a relative return URL":          func(c *stripe.Config) { c.ReturnURL = "/wallet" },
		"a base URL with a password":     func(c *stripe.Config) { c.BaseURL = "https://me:x@example.com" },
		"a name that is no path segment": func(c *stripe.Config) { c.Name = "Stripe/US" },
		"a negative tolerance":           func(c *stripe.Config) { c.Tolerance = -time.Second },
		"a negative window":              func(c *stripe.Config) { c.BankReturnWindow = -time.Second },
	} {
		c := good
		change(&c)
		_, err := stripe.New(c)
		require.ErrorIs(t, err, stripe.ErrConfig, name)
		assert.NotContains(t, err.Error(), "_x", name)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := stripe.Config{Key: "sk_live_TOPSECRET", WebhookSecrets: []string{"whsec_TOPSECRET"}, State: newState(), Assets: []currency.Asset{currency.USD}}
	p, err := stripe.New(c)
	require.NoError(t, err)
	var log strings.Builder
	for _, v := range []any{c, &c, p, []any{c, p}, map[string]any{"c": c}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
			fmt.Fprintf(&log, verb, v)
		}
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Info("opened", "config", c, "provider", p)
	}
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	log.Write(raw)
	for _, secret := range []string{"TOPSECRET", fmt.Sprintf("%x", "TOPSECRET")} {
		assert.NotContains(t, log.String(), secret)
	}
}

// Wire amounts, read at the pretend Stripe's end. Each line is one of the documentation's own examples or a currency of its tables.
func TestAmountsOnTheWire(t *testing.T) {
	c := newClock()
	s := far(t, c)
	all := []string{
		"USD", "JPY", "KWD", "BHD", "UGX", "ISK", "HUF", "TWD", "MGA", "KRW", "VND", "XAF", "IDR", "RWF", "TND",
	}
	var list []currency.Asset
	for _, id := range all {
		d, ok := currency.Lookup(currency.AssetID(id))
		require.True(t, ok, id)
		list = append(list, d)
	}
	p := adapter(t, s, c, newState(), func(cfg *stripe.Config) { cfg.Assets = list })
	card := s.Instrument(stripetest.Card)
	for _, tt := range []struct {
		kind   providers.Kind
		amount string
		asset  currency.AssetID
		units  int64 // 0: refused before anything is sent
	}{
		{providers.Deposit, "10.00", "USD", 1000},
		{providers.Deposit, "500", "JPY", 500},
		{providers.Deposit, "5.120", "KWD", 5120},
		{providers.Deposit, "5.124", "KWD", 0},
		{providers.Deposit, "5.13", "BHD", 5130},
		{providers.Deposit, "0.015", "TND", 0},
		{providers.Deposit, "5", "UGX", 500},
		{providers.Deposit, "5", "ISK", 500},
		{providers.Deposit, "175.50", "HUF", 17550},
		{providers.Withdrawal, "10.00", "HUF", 1000},
		{providers.Withdrawal, "10.45", "HUF", 0},
		{providers.Withdrawal, "800.00", "TWD", 80000},
		{providers.Withdrawal, "800.45", "TWD", 0},
		{providers.Deposit, "800.45", "TWD", 80045},
		{providers.Deposit, "500.00", "MGA", 500},
		{providers.Deposit, "500.20", "MGA", 0},
		{providers.Deposit, "9000", "KRW", 9000},
		{providers.Deposit, "1", "VND", 1},
		{providers.Deposit, "7", "XAF", 7},
		{providers.Deposit, "70", "RWF", 70},
		{providers.Deposit, "15000.00", "IDR", 1500000},
		{providers.Deposit, "0.49", "USD", 0},
		{providers.Deposit, "49", "JPY", 0},
		{providers.Deposit, "9999999999.99", "USD", 999_999_999_999},
		{providers.Deposit, "10000000000.00", "USD", 0},
	} {
		d, _ := currency.Lookup(tt.asset)
		s.TopUp(1_000_000, strings.ToLower(string(tt.asset)))
		op := sample(c, tt.kind, providers.Card, card)
		if op.Amount = currency.MustParse(tt.amount, d); tt.kind == providers.Withdrawal {
			op.Instrument = stripetest.PayoutCard
		}
		before := s.Requests()
		r, err := p.Submit(t.Context(), op)
		units, _, _ := s.Moved(op.Key)
		assert.Equal(t, tt.units, units, "%s %s", tt.amount, tt.asset)
		if tt.units == 0 {
			require.ErrorIs(t, err, providers.ErrUnsupported, "%s %s", tt.amount, tt.asset)
			assert.Equal(t, providers.NotSent, providers.CertaintyOf(err))
			assert.Equal(t, before, s.Requests())
			continue
		}
		require.NoError(t, err)
		moved, err := r.Effects[0].Amount.Abs()
		require.NoError(t, err)
		assert.Equal(t, op.Amount, moved)
	}
}

func TestCheckSaysWhatToDo(t *testing.T) {
	c := newClock()
	s := far(t, c)
	require.NoError(t, adapter(t, s, c, newState()).Check(t.Context()))
	err := adapter(t, s, c, newState(), func(cfg *stripe.Config) { cfg.Key = "sk_test_revoked" }).Check(t.Context())
	require.ErrorContains(t, err, "Config.Key")
	assert.NotContains(t, err.Error(), "sk_test_revoked")
}
