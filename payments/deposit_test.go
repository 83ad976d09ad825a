package payments_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }

func TestCardDepositCreditsAtOnceAndPostsTheFee(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("100.00"))
	require.Equal(t, usd("100.00"), p.Moved)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	require.Equal(t, "97.00", e.posted(payments.ClearingAccount("sandbox", "USD")))
	require.Equal(t, "3.00", e.posted(payments.FeesAccount("sandbox", "USD")))
	e.sound()
}

func TestDeclinedCardIsAFailedPayment(t *testing.T) {
	e := newEnv(t)
	p := e.deposit("alice", e.link("alice", sandbox.TokenCardDeclined), usd("10.00"))
	require.Equal(t, payments.Failed, p.State)
	require.Equal(t, "card_declined", p.Reason.Code)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.sound()
}

func TestCardThatNeedsThePerson(t *testing.T) {
	e := newEnv(t)
	p := e.deposit("alice", e.link("alice", sandbox.TokenCardAction), usd("10.00"))
	require.Equal(t, payments.ActionRequired, p.State)
	require.NotNil(t, p.Action)
	require.NoError(t, e.sandbox.Approve(p.ID))
	p, err := e.svc.Advance(e.ctx, payments.Member("alice"), p.ID)
	require.NoError(t, err)
	require.Equal(t, payments.Succeeded, p.State)
	e.hasWallet("alice", "10.00", "0.00", "0.00")
	e.sound()
}

func TestBankDepositIsHeldUntilItCannotBeTakenBack(t *testing.T) {
	e := newEnv(t)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("50.00"))
	require.Equal(t, payments.Pending, p.State)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.pass(30 * time.Hour)
	e.hasWallet("alice", "50.00", "50.00", "0.00")
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("1.00")})
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	e.pass(72 * time.Hour)
	e.hasWallet("alice", "50.00", "0.00", "0.00")
	e.sound()
}

func TestReturnedBankDepositTakesItsOwnHold(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("7.00"))
	p := e.deposit("alice", e.link("alice", sandbox.TokenBankReturned), usd("50.00"))
	e.pass(25 * time.Hour)
	e.hasWallet("alice", "57.00", "50.00", "0.00")
	e.pass(72 * time.Hour)
	e.hasWallet("alice", "7.00", "0.00", "0.00")
	require.Equal(t, payments.Reversed, e.payment(p.ID).State)
	e.sound()
}

func TestMoneyOwedIsRepaidFirstAndStopsCashOut(t *testing.T) {
	// Returned after it was final here: no hold is left, the money is spent, the member owes it.
	e := newEnv(t)
	p := e.fund("alice", usd("20.00"))
	card := e.link("alice", sandbox.TokenCard)
	_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("15.00")})
	require.NoError(t, err)
	e.takeBack(p, usd("20.00"))
	e.hasWallet("alice", "0.00", "0.00", "15.00")
	e.deposit("alice", card, usd("18.00"))
	e.hasWallet("alice", "3.00", "0.00", "0.00")

	e.takeBack(e.fund("carol", usd("4.00")), usd("4.00"))
	e.hasWallet("carol", "0.00", "0.00", "0.00")
}

func TestOwingMemberCannotCashOut(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("20.00"))
	_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("20.00")})
	require.NoError(t, err)
	e.takeBack(p, usd("20.00"))
	before := e.dump()
	_, err = e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("1.00"))
	require.ErrorIs(t, err, payments.ErrOwes)
	require.ErrorIs(t, err, payments.ErrDeclined)
	require.NotEqual(t, before, e.dump(), "a decline burns its key")
}

func TestFrozenWalletSendsFactsToSuspense(t *testing.T) {
	e := newEnv(t)
	bank := e.link("alice", sandbox.TokenBank)
	p := e.deposit("alice", bank, usd("50.00"))
	require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", currency.USD))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	e.pass(100 * time.Hour)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	require.Equal(t, "50.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	require.Contains(t, e.cases()[p.ID], "not_taken")
	e.sound()
}

func TestWrongAmountIsPostedAsItReallyWas(t *testing.T) {
	for seed := range uint64(12) {
		e := newEnv(t, func(_ *payments.Config, c *sandbox.Config) { c.Seed = seed; c.CardFee = sandbox.Fee{} })
		card := e.link("alice", sandbox.TokenCard)
		e.sandbox.Script(sandbox.WrongAmount)
		p := e.deposit("alice", card, usd("40.00"))
		truth := e.sandbox.Balance(currency.USD)
		require.NotEqual(t, usd("40.00"), truth)
		require.Contains(t, e.cases()[p.ID], "amount_differs")
		want := truth
		if c, err := truth.Cmp(usd("40.00")); err == nil && c > 0 {
			want = usd("40.00")
		}
		e.hasWallet("alice", want.Number(), "0.00", "0.00")
		e.sound()
	}
}

func TestChainDepositConfirmsReorganisesAndComesBack(t *testing.T) {
	e := newEnv(t)
	one := currency.MustParse("1.5", ether)
	p, err := e.svc.Deposit(e.ctx, payments.DepositRequest{Key: "addr", Actor: payments.Member("alice"), Member: "alice", Amount: one})
	require.NoError(t, err)
	require.Equal(t, payments.Address, p.Kind)
	require.NotNil(t, p.Action)
	again, err := e.svc.Deposit(e.ctx, payments.DepositRequest{Key: "addr", Actor: payments.Member("alice"), Member: "alice", Amount: one})
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, p.Action.Address, again.Action.Address)

	_, err = e.sandbox.SendTo(p.Action.Address, one)
	require.NoError(t, err)
	e.clock.advance(90 * time.Second)
	e.work()
	require.Equal(t, "0.000000000000000000", e.wallet("alice", ether).Posted.Number(), "one confirmation is not enough")
	e.clock.advance(5 * time.Minute)
	e.work()
	require.Equal(t, "1.500000000000000000", e.wallet("alice", ether).Posted.Number())

	require.NoError(t, e.sandbox.Reorganise(8))
	e.clock.advance(15 * time.Second)
	e.work()
	require.Equal(t, "0.000000000000000000", e.wallet("alice", ether).Posted.Number(), "orphaned")
	e.clock.advance(time.Hour)
	e.work()
	require.Equal(t, "1.500000000000000000", e.wallet("alice", ether).Posted.Number(), "mined again")
	e.sound()

	out, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", currency.MustParse("0.5", ether))
	require.NoError(t, err)
	e.pass(3 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(out.ID).State)
	e.sound()
}
