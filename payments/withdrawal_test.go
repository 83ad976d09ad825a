package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

func TestWithdrawalHoldsThenLeaves(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("100.00"))
	p, err := e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("60.00"))
	require.NoError(t, err)
	require.Equal(t, payments.Pending, p.State)
	e.hasWallet("alice", "100.00", "60.00", "0.00")
	_, err = e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("40.01"))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	e.pass(26 * time.Hour)
	e.hasWallet("alice", "40.00", "0.00", "0.00")
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	e.sound()
}

func TestBouncedPayoutComesBack(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("100.00"))
	p, err := e.withdraw("alice", e.link("alice", sandbox.TokenBankBounces), usd("60.00"))
	require.NoError(t, err)
	e.pass(26 * time.Hour)
	e.hasWallet("alice", "40.00", "0.00", "0.00")
	e.pass(72 * time.Hour)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	require.Equal(t, payments.Reversed, e.payment(p.ID).State)
	e.sound()
}

func TestFailedPayoutReleasesTheHold(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("100.00"))
	p, err := e.withdraw("alice", e.link("alice", sandbox.TokenBankFails), usd("60.00"))
	require.NoError(t, err)
	e.pass(48 * time.Hour)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	require.Equal(t, payments.Failed, e.payment(p.ID).State)
	e.sound()
}

// Every way to lose an answer ends with the money moved at most once and the books agreeing with the provider.
func TestPayoutFaults(t *testing.T) {
	for _, c := range []struct {
		fault sandbox.Fault
		after payments.State // right after the call
		ends  payments.State
		sent  int
	}{
		{sandbox.LostResponse, payments.Unknown, payments.Succeeded, 1},
		{sandbox.LostRequest, payments.Unknown, payments.Succeeded, 1},
		{sandbox.ServerError, payments.Unknown, payments.Succeeded, 1},
		{sandbox.Garbage, payments.Unknown, payments.Succeeded, 1},
		{sandbox.Refuse, payments.Created, payments.Succeeded, 1},
		{sandbox.Reject, payments.Failed, payments.Failed, 0},
		{sandbox.Decline, payments.Failed, payments.Failed, 0},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			e := newEnv(t)
			e.fund("alice", usd("100.00"))
			bank := e.link("alice", sandbox.TokenBank)
			e.sandbox.Script(c.fault)
			p, err := e.withdraw("alice", bank, usd("60.00"))
			require.NoError(t, err)
			require.Equal(t, c.after, p.State)
			if c.sent == 1 {
				e.hasWallet("alice", "100.00", "60.00", "0.00")
			} else {
				e.hasWallet("alice", "100.00", "0.00", "0.00")
			}
			e.pass(100 * time.Hour)
			require.Equal(t, c.ends, e.payment(p.ID).State)
			require.Equal(t, c.sent, e.sandbox.Executed(p.ID))
			e.sound()
		})
	}
}

func TestForgottenKeyIsParkedNotSentAgain(t *testing.T) {
	e := newEnv(t, func(_ *payments.Config, c *sandbox.Config) { c.KeyRetention = time.Hour })
	e.fund("alice", usd("100.00"))
	bank := e.link("alice", sandbox.TokenBank)
	e.sandbox.Script(sandbox.LostRequest)
	p, err := e.withdraw("alice", bank, usd("60.00"))
	require.NoError(t, err)
	e.clock.advance(2 * time.Hour) // no worker for longer than the provider keeps keys
	e.pass(48 * time.Hour)
	got := e.payment(p.ID)
	require.Equal(t, payments.Unknown, got.State)
	require.True(t, got.Parked)
	require.Equal(t, 0, e.sandbox.Executed(p.ID))
	require.Contains(t, e.cases()[p.ID], "lost")
	e.hasWallet("alice", "100.00", "60.00", "0.00")
	e.sound()
}

func TestRefundToSource(t *testing.T) {
	e := newEnv(t)
	d := e.fund("alice", usd("100.00"))
	refund := func(amount string) (payments.Payment, error) {
		return e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: d.ID, Amount: usd(amount)})
	}
	r, err := refund("30.00")
	require.NoError(t, err)
	require.Equal(t, payments.Succeeded, r.State)
	e.hasWallet("alice", "70.00", "0.00", "0.00")
	_, err = refund("70.01")
	require.ErrorIs(t, err, payments.ErrNotRefundable)
	_, err = refund("70.00")
	require.NoError(t, err)
	require.Equal(t, "100.00", e.payment(d.ID).Refunded.Number())
	_, err = refund("0.01")
	require.ErrorIs(t, err, payments.ErrNotRefundable)
	e.sound()
}

func TestRefundThatFailsLaterGivesBack(t *testing.T) {
	e := newEnv(t)
	d := e.deposit("alice", e.link("alice", sandbox.TokenCardRefundFails), usd("100.00"))
	r, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: d.ID, Amount: usd("100.00")})
	require.NoError(t, err)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.pass(100 * time.Hour)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	require.Equal(t, payments.Reversed, e.payment(r.ID).State)
	require.Equal(t, "0.00", e.payment(d.ID).Refunded.Number())
	e.sound()
}

// What certainly was not sent has no age: what is sent days later is not taken for lost at once, as a forgotten key would be.
func TestWhatWasNotSentHasNoAge(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("100.00"))
	bank := e.link("alice", sandbox.TokenBank)
	e.sandbox.Script(sandbox.Refuse, sandbox.SlowRequest)
	p, err := e.withdraw("alice", bank, usd("60.00"))
	require.NoError(t, err)
	require.Equal(t, payments.Created, p.State)
	e.clock.advance(10 * 24 * time.Hour) // nobody works
	e.work()
	e.clock.advance(2 * time.Second)
	now, err := e.svc.Advance(e.ctx, payments.Member("alice"), p.ID)
	require.NoError(t, err)
	require.False(t, now.Parked, "it was sent two seconds ago")
	e.pass(72 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	require.Empty(t, e.cases())
	require.Equal(t, 1, e.sandbox.Executed(p.ID))
	e.sound()
}
