package payments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
)

// owing gives bob 40.00 of alice's 100.00 and leaves alice owing 60.00, with nothing in her wallet.
func (e *env) owing() (sent payments.Payment) {
	e.Helper()
	top := e.fund("alice", usd("100.00"))
	sent = e.send("alice", "bob", usd("40.00"))
	e.send("alice", "carol", usd("20.00"))
	e.takeBack(top, usd("100.00"))
	e.hasWallet("alice", "0.00", "0.00", "60.00")
	return sent
}

func (e *env) send(from, to string, a currency.Amount) payments.Payment {
	e.Helper()
	p, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member(from), To: to, Amount: a})
	require.NoError(e, err)
	return p
}

// What a debtor is given back repays what they owe, like all that comes in.
func TestRefundToADebtorRepaysFirst(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		e := newEnv(t)
		sent := e.owing()
		e.postings()
		refund := payments.RefundRequest{Key: "r", Actor: payments.Member("bob"), Of: sent.ID}
		if frozen {
			require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", false))
		}
		for range 2 {
			p, err := e.svc.Refund(e.ctx, refund)
			require.NoError(t, err)
			require.Equal(t, payments.Reversed, p.State)
			e.hasWallet("alice", "0.00", "0.00", "20.00")
			e.hasWallet("bob", "0.00", "0.00", "0.00")
		}
		require.ElementsMatch(t, []string{"U 40.00 → U 40.00", "U 40.00 → R 40.00"}, e.postings())
		e.balanced()
	}
}

// What is more than the debt is theirs.
func TestRefundBeyondTheDebt(t *testing.T) {
	e := newEnv(t)
	sent := e.owing()
	e.fund("dave", usd("50.00"))
	e.send("dave", "alice", usd("50.00"))
	e.hasWallet("alice", "0.00", "0.00", "10.00")
	_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Member("bob"), Of: sent.ID})
	require.NoError(t, err)
	e.hasWallet("alice", "30.00", "0.00", "0.00")
}
