package stripe_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

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
	// A debit is booked when it is made; it counts when it has succeeded. One that fails came and went.
	failed := sample(c, providers.Deposit, providers.Bank, s.Instrument(stripetest.BankInsufficient))
	pending, err := p.Submit(t.Context(), failed)
	require.NoError(t, err)
	for range 2 {
		assert.Equal(t, []any{providers.Pending, false}, []any{pending.State, pending.Final})
		assert.Empty(t, pending.Effects)
		pending, err = p.Lookup(t.Context(), providers.Query{Reference: pending.Reference})
		require.NoError(t, err)
	}
	assert.Positive(t, s.Undecided("usd"))
	c.pass(stripetest.DebitAfter)
	assert.Zero(t, s.Undecided("usd"))
	r, err := p.Lookup(t.Context(), providers.Query{Key: failed.Key, Kind: failed.Kind})
	require.NoError(t, err)
	require.NoError(t, r.Validate())
	assert.Equal(t, []any{true, "insufficient_funds"}, []any{r.Final, r.Reason.Code})
	assert.Equal(t, []string{"moved 100.00 USD", "fee -0.80 USD", "reversed -100.00 USD", "fee 0.80 USD"}, effects(r))
	statement(t, p, s, c)
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
