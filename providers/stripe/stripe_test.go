package stripe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
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

// effects are the kinds and amounts of a report.
func effects(r providers.Report) (list []string) {
	for _, e := range r.Effects {
		list = append(list, string(e.Kind)+" "+e.Amount.String())
	}
	return list
}

func TestRefundsByHandAreTakeBacks(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.CardRefundFails))
	first, err := p.Submit(t.Context(), op)
	require.NoError(t, err)
	for range 12 { // more than a charge carries in itself
		require.NoError(t, s.RefundByHand(op.Key, 100))
	}
	r, err := p.Lookup(t.Context(), providers.Query{Reference: first.Reference})
	require.NoError(t, err)
	require.NoError(t, r.Validate())
	assert.Len(t, r.Effects, 2+12)
	c.pass(stripetest.RefundFails)
	r, err = p.Lookup(t.Context(), providers.Query{Key: op.Key, Kind: op.Kind})
	require.NoError(t, err)
	require.NoError(t, r.Validate())
	assert.Len(t, r.Effects, 2+12+12, "and come back")
	statement(t, p, s, c)
}

func TestConvertedCharges(t *testing.T) {
	c := newClock()
	s := far(t, c, func(o *stripetest.Options) { o.Settlement, o.Rates = "usd", map[string][2]int64{"jpy": {67, 100}} })
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.CardDisputeWon))
	op.Amount = currency.MustParse("10000", currency.JPY)
	r, err := p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, r.Validate())
	assert.Equal(t, []string{"moved 10000 JPY", "converted -10000 JPY", "converted 67.00 USD", "fee -2.24 USD"}, effects(r))
	c.pass(stripetest.DisputeAfter + stripetest.DecideAfter)
	r, err = p.Lookup(t.Context(), providers.Query{Reference: r.Reference})
	require.NoError(t, err)
	require.NoError(t, r.Validate())
	assert.Equal(t, []string{
		"moved 10000 JPY", "converted -10000 JPY", "converted 67.00 USD", "fee -2.24 USD",
		"disputed -10000 JPY", "converted 10000 JPY", "converted -67.00 USD", "fee -15.00 USD",
		"reinstated 10000 JPY", "converted -10000 JPY", "converted 67.00 USD",
	}, effects(r))
	statement(t, p, s, c)
}

func TestDisputesAreToldAsTheyStand(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card))
	first, err := p.Submit(t.Context(), op)
	require.NoError(t, err)
	assert.True(t, first.Final)
	var last time.Time
	tell := func(state providers.DisputeState, final bool, want ...string) {
		t.Helper()
		r, err := p.Lookup(t.Context(), providers.Query{Reference: first.Reference})
		require.NoError(t, err)
		require.NoError(t, r.Validate())
		require.Len(t, r.Disputes, 1)
		assert.Equal(t, state, r.Disputes[0].State)
		assert.True(t, r.Disputes[0].At.After(last), "%v is not after %v", r.Disputes[0].At, last)
		last = r.Disputes[0].At
		assert.Equal(t, final, r.Final)
		assert.Equal(t, want, effects(r)[2:])
		c.pass(time.Hour)
	}
	require.NoError(t, s.Dispute(op.Key, 80_00))
	tell(providers.DisputeOpen, false, "disputed -80.00 USD", "fee -15.00 USD")
	refused := providers.Operation{Key: uuid.NewString(), Kind: providers.Refund, Method: providers.Card, Amount: usd("1.00"), TargetReference: first.Reference}
	_, err = p.Submit(t.Context(), refused)
	assert.Equal(t, providers.Rejected, providers.CertaintyOf(err))
	assert.ErrorContains(t, err, "charge_disputed")
	require.NoError(t, s.CloseDispute(op.Key, false))
	tell(providers.DisputeLost, true, "disputed -80.00 USD", "fee -15.00 USD")
	require.NoError(t, s.CloseDispute(op.Key, true))
	tell(providers.DisputeWon, true, "disputed -80.00 USD", "fee -15.00 USD", "reinstated 80.00 USD")
	require.NoError(t, s.CloseDispute(op.Key, false))
	tell(providers.DisputeLost, true, "disputed -80.00 USD", "fee -15.00 USD", "reinstated 80.00 USD", "disputed -80.00 USD", "fee -15.00 USD")
	statement(t, p, s, c)

	asked := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.CardInquiry))
	r, err := p.Submit(t.Context(), asked)
	require.NoError(t, err)
	c.pass(stripetest.DisputeAfter)
	inquiry, err := p.Lookup(t.Context(), providers.Query{Reference: r.Reference})
	require.NoError(t, err)
	assert.Equal(t, providers.DisputeInquiry, inquiry.Disputes[0].State)
	assert.Equal(t, r.Effects, inquiry.Effects, "nothing moves")
}

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

func TestATransferThatIsReversed(t *testing.T) {
	c := newClock()
	s := far(t, c)
	s.TopUp(500_00, "usd")
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Withdrawal, providers.Bank, stripetest.Account)
	_, err := p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, s.ReverseTransfer(op.Key, 30_00))
	require.NoError(t, s.ReverseTransfer(op.Key, 70_00))
	r, err := p.Lookup(t.Context(), providers.Query{Key: op.Key, Kind: op.Kind})
	require.NoError(t, err)
	require.NoError(t, r.Validate())
	assert.Equal(t, []string{"moved -100.00 USD", "reversed 30.00 USD", "reversed 70.00 USD"}, effects(r))
	assert.Equal(t, "transfer_reversed", r.Reason.Code)
	statement(t, p, s, c)

	poor := sample(c, providers.Withdrawal, providers.Bank, stripetest.Account)
	poor.Amount = usd("500.01")
	_, err = p.Submit(t.Context(), poor)
	assert.Equal(t, providers.Rejected, providers.CertaintyOf(err))
	assert.ErrorContains(t, err, "balance_insufficient")
	for _, to := range []string{"acct_unknown", stripetest.AccountInactive, "cus_1/pm_1"} {
		bad := sample(c, providers.Withdrawal, providers.Bank, to)
		_, err = p.Submit(t.Context(), bad)
		assert.Equal(t, providers.Rejected, providers.CertaintyOf(err), to)
	}
}

// What moved and came back is a success that was taken back: "failed" would say that nothing ever moved.
func TestWhatCameBackHadSucceeded(t *testing.T) {
	c := newClock()
	s := far(t, c)
	s.TopUp(500_00, "usd")
	p := adapter(t, s, c, newState())
	deposit := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.CardRefundFails))
	d, err := p.Submit(t.Context(), deposit)
	require.NoError(t, err)
	for _, tt := range []struct {
		op    providers.Operation
		after time.Duration
		code  string
	}{
		{sample(c, providers.Deposit, providers.Bank, s.Instrument(stripetest.BankReturned)), stripetest.DebitAfter + stripetest.ReturnAfter, "account_closed"},
		{sample(c, providers.Withdrawal, providers.Bank, stripetest.PayoutBankBounces), stripetest.PayoutAfter + stripetest.BounceAfter, "account_closed"},
		{providers.Operation{
			Key: uuid.NewString(), Kind: providers.Refund, Method: providers.Card, Amount: usd("100.00"), TargetReference: d.Reference,
		}, stripetest.RefundFails, "lost_or_stolen_card"},
	} {
		_, err := p.Submit(t.Context(), tt.op)
		require.NoError(t, err)
		c.pass(tt.after)
		r, err := p.Lookup(t.Context(), providers.Query{Key: tt.op.Key, Kind: tt.op.Kind})
		require.NoError(t, err)
		require.NoError(t, r.Validate())
		assert.Equal(t, []any{providers.Succeeded, true, tt.code}, []any{r.State, r.Final, r.Reason.Code}, "%s", tt.op.Kind)
	}
	failed := sample(c, providers.Deposit, providers.Bank, s.Instrument(stripetest.BankInsufficient))
	_, err = p.Submit(t.Context(), failed)
	require.NoError(t, err)
	c.pass(stripetest.DebitAfter)
	r, err := p.Lookup(t.Context(), providers.Query{Key: failed.Key, Kind: failed.Kind})
	require.NoError(t, err)
	assert.Equal(t, []any{providers.Failed, true, "insufficient_funds"}, []any{r.State, r.Final, r.Reason.Code})
	assert.Empty(t, r.Effects)
}

func TestAReferenceOfAnotherOperation(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	r, err := p.Submit(t.Context(), sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card)))
	require.NoError(t, err)
	for _, q := range []providers.Query{
		{Key: uuid.NewString(), Reference: r.Reference},
		{Reference: "pi_none"},
		{Reference: "re_none"},
		{Reference: "tr_none"},
		{Reference: "po_none"},
		{Reference: "seti_none"},
		{Reference: "cs_none"},
		{Reference: "txn_none"},
		{Reference: "acct_none"},
		{Reference: "acct_none/x"},
		{Reference: "in_1"},
		{Reference: "pi_1/../refunds"},
		{Reference: "pi_1?expand=x"},
		{Reference: "pi_"},
		{Key: uuid.NewString()},
		{Key: "x", Kind: providers.Cancel},
	} {
		got, err := p.Lookup(t.Context(), q)
		require.ErrorIs(t, err, providers.ErrNotFound, "%+v", q)
		assert.Empty(t, got)
	}
	_, err = p.Lookup(t.Context(), providers.Query{})
	require.Error(t, err)
	assert.NotErrorIs(t, err, providers.ErrNotFound)
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

func TestCheckSaysWhatToDo(t *testing.T) {
	c := newClock()
	s := far(t, c)
	require.NoError(t, adapter(t, s, c, newState()).Check(t.Context()))
	err := adapter(t, s, c, newState(), func(cfg *stripe.Config) { cfg.Key = "sk_test_revoked" }).Check(t.Context())
	require.ErrorContains(t, err, "Config.Key")
	assert.NotContains(t, err.Error(), "sk_test_revoked")
}
