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

func TestDebit(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Bank, sandbox.TokenBank, usd(1000))
	assert.Equal(t, providers.Pending, w.submit(op).State)
	assert.Len(t, w.InFlight(), 1)
	w.advance(24*time.Hour - 1)
	assert.Equal(t, providers.Pending, w.lookup(op).State)
	w.advance(1)
	r := w.lookup(op)
	assert.Equal(t, providers.Succeeded, r.State)
	assert.False(t, r.Final)
	assert.Equal(t, usd(1000), moved(t, r))
	w.advance(48 * time.Hour)
	assert.True(t, w.lookup(op).Final)
	assert.Empty(t, w.InFlight())

	events, _ := w.poll("")
	require.Len(t, events, 3)
	assert.Equal(t, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), events[1].At, "as if somebody had called just then")
}

func TestDebitThatIsReturned(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Bank, sandbox.TokenBankReturned, usd(1000))
	w.submit(op)
	w.advance(30 * time.Hour)
	assert.Equal(t, providers.Succeeded, w.lookup(op).State)
	// A return takes the whole back, whatever was refunded meanwhile: banks do not know of each other's refunds.
	back := refundOf(op, usd(100))
	w.submit(back)
	w.advance(200 * time.Hour)
	r := w.lookup(op)
	assert.Equal(t, "R01", r.Reason.Code)
	assert.True(t, r.Final)
	assert.Equal(t, usd(0), moved(t, r))
	assert.Equal(t, usd(-100), w.Balance(currency.USD))
	assert.Equal(t, "not_captured", w.submit(refundOf(op, usd(1))).Reason.Code)
}

func TestPayouts(t *testing.T) {
	w := newWorld(t)
	good := withdrawal(providers.Bank, sandbox.TokenBank, usd(100))
	bounces := withdrawal(providers.Bank, sandbox.TokenBankBounces, usd(200))
	fails := withdrawal(providers.Bank, sandbox.TokenBankFails, usd(400))
	toCard := withdrawal(providers.Card, sandbox.TokenCard, usd(800))
	all := []providers.Operation{good, bounces, fails, toCard}
	for _, op := range all {
		assert.Equal(t, providers.Pending, w.submit(op).State)
	}
	w.advance(24 * time.Hour)
	assert.Equal(t, usd(-100), moved(t, w.lookup(good)))
	assert.Equal(t, usd(-200), moved(t, w.lookup(bounces)))
	assert.Equal(t, providers.Failed, w.lookup(fails).State)
	assert.Equal(t, usd(-1100), w.Balance(currency.USD))
	w.advance(24 * time.Hour)
	r := w.lookup(bounces)
	assert.Equal(t, usd(0), moved(t, r))
	assert.Equal(t, "R03", r.Reason.Code)
	w.advance(24 * time.Hour)
	for _, op := range all {
		assert.True(t, w.lookup(op).Final)
	}
	assert.Equal(t, usd(-900), w.Balance(currency.USD))
	assert.Equal(t, providers.Failed, w.submit(withdrawal(providers.Bank, sandbox.TokenBankRefused, usd(1))).State)
}

func TestBankRefundCountsFromTheStart(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Bank, sandbox.TokenBank, usd(1000))
	w.submit(op)
	assert.Equal(t, "not_captured", w.submit(refundOf(op, usd(1000))).Reason.Code)
	w.advance(24 * time.Hour)
	first := refundOf(op, usd(1000))
	assert.Equal(t, providers.Pending, w.submit(first).State)
	assert.Equal(t, "exceeds_payment", w.submit(refundOf(op, usd(1))).Reason.Code)
	w.submit(providers.Operation{Key: key(), Kind: providers.Cancel, Method: providers.Bank, Target: first.Key})
	assert.Equal(t, providers.Pending, w.submit(refundOf(op, usd(1000))).State, "a canceled refund reserves nothing")
	w.advance(24 * time.Hour)
	assert.Equal(t, usd(0), w.Balance(currency.USD))
}

func TestBankTransferComesUnasked(t *testing.T) {
	w := newWorld(t)
	op := providers.Operation{
		Key: key(), Kind: providers.DepositAddress, Method: providers.Bank, Asset: "USD", Member: "alice",
	}
	r := w.submit(op)
	require.NotNil(t, r.Action)
	assert.Equal(t, "bank_details", r.Action.Kind)
	assert.Equal(t, r.Address, r.Action.Details["account"])
	_, cursor := w.poll("")

	_, err := w.SendTo(r.Address, usd(100), usd(100))
	require.NoError(t, err)
	_, err = w.SendStray(providers.Bank, usd(7))
	require.NoError(t, err)
	events, _ := w.poll(cursor)
	require.Len(t, events, 3)
	for _, e := range events[:2] {
		assert.Empty(t, e.Report.Key)
		assert.Equal(t, "alice", e.Report.Member)
		assert.Equal(t, r.Address, e.Report.Address)
		assert.Equal(t, usd(100), moved(t, *e.Report))
	}
	assert.NotEqual(t, events[0].Report.Reference, events[1].Report.Reference)
	assert.Empty(t, events[2].Report.Member)
	assert.Equal(t, usd(207), w.Balance(currency.USD))
	_, err = w.SendTo("nowhere", usd(1))
	require.ErrorIs(t, err, sandbox.ErrScenario)
}
