package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// cashOut is a host's own function, written when there were only dollars and banks.
func cashOut(e *env, svc *payments.Service, key, member, to string, a currency.Amount) payments.Payment {
	e.Helper()
	p, err := svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: key, Actor: payments.Member(member), Amount: a, To: to})
	require.NoError(e, err)
	return p
}

// The same function pays dollars out to a bank account and ether to an address, and what it returns goes through the same states.
func TestOneCallPaysOutToABankAndToAnAddress(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("50.00"))
	e.receive("alice", eth("1"))
	bank := e.link("alice", sandbox.TokenBank)
	for _, c := range []struct {
		key, to string
		a, left currency.Amount
	}{
		{"dollars", bank, usd("20.00"), usd("30.00")},
		{"ether", outside, eth("0.25"), eth("0.75")},
	} {
		p := cashOut(e, e.svc, c.key, "alice", c.to, c.a)
		require.Equal(t, payments.Pending, p.State)
		require.Equal(t, []any{payments.Withdrawal, "alice", c.to, c.a}, []any{p.Kind, p.Member, p.Instrument, p.Amount})
		require.Equal(t, c.left, e.wallet("alice", c.a.Asset()).Available)
		e.pass(100 * time.Hour)
		again := cashOut(e, e.svc, c.key, "alice", c.to, c.a)
		require.True(t, again.Replayed)
		require.Equal(t, []any{payments.Succeeded, p.ID, c.a}, []any{again.State, again.ID, again.Moved})
		require.Equal(t, c.left, e.wallet("alice", c.a.Asset()).Posted)
		e.sound()
	}
}

// Between members an asset of a chain moves by postings alone: no provider is called, and none needs to be there.
func TestTipsOfAnOnChainAssetTouchNoChain(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	far := &counting{Provider: e.sandbox}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(far))
	alone, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	for i, s := range []*payments.Service{svc, alone} {
		for j := range 10 {
			key := string(rune('a' + 10*i + j))
			p, err := s.Tip(e.ctx, payments.TransferRequest{Key: key, Actor: payments.Member("alice"), To: "bob", Amount: eth("0.02"), Reference: "post-1"})
			require.NoError(t, err)
			require.Equal(t, payments.Succeeded, p.State)
			_, err = s.Send(e.ctx, payments.TransferRequest{Key: "back" + key, Actor: payments.Member("bob"), To: "alice", Amount: eth("0.001")})
			require.NoError(t, err)
			_, err = s.Step(e.ctx)
			require.NoError(t, err)
		}
	}
	require.Zero(t, far.calls())
	e.hasEther("bob", "0.36", "0", "0")
	e.hasEther("alice", "0.62", "0", "0")
	e.sound()
	cashOut(e, svc, "out", "bob", outside, eth("0.3"))
	require.Equal(t, 1, far.calls(), "at the edge it is")
}
