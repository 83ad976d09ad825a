package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
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

// Who gives back what had repaid their own debt gives it from their wallet, as far as that has it, and owes only the rest again
// (found by the simulator, seed 343).
func TestRefundByAFormerDebtor(t *testing.T) {
	for earned, want := range map[string]string{"0.00": "0.00 0.00 20.00", "15.00": "0.00 0.00 5.00", "50.00": "30.00 0.00 0.00"} {
		e := newEnv(t)
		e.owing()
		e.fund("dave", usd("200.00"))
		p := e.send("dave", "alice", usd("20.00"))
		e.send("dave", "alice", usd("40.00"))
		e.hasAlice("0.00 0.00 0.00")
		if earned != "0.00" {
			e.send("dave", "alice", usd(earned))
		}
		_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Member("alice"), Of: p.ID})
		require.NoError(t, err)
		e.hasAlice(want)
		e.balanced()
	}
}

// A frozen wallet gives nothing, whatever it gave it for.
func TestRefundByAFrozenFormerDebtor(t *testing.T) {
	e := newEnv(t)
	e.owing()
	e.fund("dave", usd("200.00"))
	p := e.send("dave", "alice", usd("20.00"))
	e.send("dave", "alice", usd("90.00"))
	e.hasAlice("50.00 0.00 0.00")
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", false))
	_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Member("alice"), Of: p.ID})
	require.ErrorIs(t, err, ledger.ErrAccountFrozen)
	e.hasAlice("50.00 0.00 0.00")
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
}

// Several movements in suspense are assigned together: each repays what the ones before have left of the debt.
func TestSuspenseAssignedToADebtor(t *testing.T) {
	e := newEnv(t, noPolling)
	p := bankDeposit(e)
	var effects []providers.Effect
	for _, id := range []string{"1", "2", "3"} {
		effects = append(effects, providers.Effect{ID: id, Kind: providers.Moved, Amount: usd("10.00"), At: e.clock.Now()})
	}
	effects = append(effects, providers.Effect{ID: "out", Kind: "sundry", Amount: usd("-1.00"), At: e.clock.Now()})
	e.report(about(p, true, effects))
	top := e.fund("alice", usd("15.00"))
	e.send("alice", "bob", usd("25.00"))
	e.takeBack(top, usd("15.00"))
	e.hasWallet("alice", "0.00", "0.00", "15.00")
	e.postings()
	e.resolved(p.ID, payments.AssignTo)
	require.Equal(t, []string{"X 19.00 → R 15.00, U 4.00"}, e.postings())
	e.hasWallet("alice", "4.00", "0.00", "0.00")
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	e.balanced()
}

// Who owes in one asset is not paid out in another: what was bought with money that was taken back would be gone.
func TestDebtorIsNotPaidOutInAnotherAsset(t *testing.T) {
	e := newEnv(t)
	e.owing()
	euros := e.deposit("alice", e.link("alice", sandbox.TokenCard), currency.MustParse("50.00", currency.EUR))
	require.Equal(t, payments.Succeeded, euros.State)
	to := e.link("alice", sandbox.TokenBank)
	before := e.dump()
	_, err := e.withdraw("alice", to, currency.MustParse("10.00", currency.EUR))
	require.ErrorIs(t, err, payments.ErrOwes)
	require.ErrorIs(t, err, payments.ErrDeclined)
	_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: euros.ID, Amount: currency.MustParse("10.00", currency.EUR)})
	require.ErrorIs(t, err, payments.ErrOwes)
	require.NotEqual(t, before, e.dump(), "the declines are on record")
	w := e.wallet("alice", currency.EUR)
	require.Equal(t, []string{"50.00", "0.00"}, []string{w.Posted.Number(), w.Held.Number()})
	_, err = e.svc.Forgive(e.ctx, payments.ForgiveRequest{Key: e.key(), Actor: payments.Platform(), Member: "alice", Amount: usd("60.00"), By: "ines", Note: "old"})
	require.NoError(t, err)
	_, err = e.withdraw("alice", to, currency.MustParse("10.00", currency.EUR))
	require.NoError(t, err)
}

// What waits for a person when its payer comes to owe is not carried out any more: denied, it repays.
func TestReviewedPaymentOfADebtor(t *testing.T) {
	for _, kind := range []payments.Kind{payments.Send, payments.Withdrawal, payments.Exchange} {
		e := newEnv(t, reviewed(kind))
		top := e.fund("alice", usd("100.00"))
		var p payments.Payment
		var err error
		switch kind {
		case payments.Send:
			p = e.send("alice", "bob", usd("70.00"))
		case payments.Withdrawal:
			p, err = e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("70.00"))
		default:
			p, err = e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: e.key(), Actor: payments.Member("alice"), Amount: usd("70.00"), To: "EUR"})
		}
		require.NoError(t, err)
		require.Equal(t, payments.Review, p.State, "%s", kind)
		e.takeBack(top, usd("100.00"))
		e.hasWallet("alice", "70.00", "70.00", "70.00")
		_, err = e.resolve(p.ID, payments.Approve, "")
		require.ErrorIs(t, err, payments.ErrUnresolvable, "%s", kind)
		e.hasWallet("alice", "70.00", "70.00", "70.00")
		require.Equal(t, payments.Review, e.payment(p.ID).State)
		e.resolved(p.ID, payments.Deny)
		e.hasWallet("alice", "0.00", "0.00", "0.00")
	}
}

// A payout that is not sent yet when its member comes to owe is not sent at all, and what it holds repays. One that may have been
// sent is looked up, and not sent again while the debt lasts.
func TestUnsentPayoutOfADebtor(t *testing.T) {
	e := newDeskEnv(t)
	top := e.fund("alice", usd("100.00"))
	to := e.link("alice", sandbox.TokenBank)
	tx, desk := e.begin()
	p, err := desk.Withdraw(e.ctx, payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: usd("70.00"), To: to})
	require.NoError(t, err)
	require.Equal(t, payments.Created, p.State)
	e.commit(tx)
	e.takeBack(top, usd("100.00"))
	e.hasWallet("alice", "70.00", "70.00", "70.00")
	e.clock.advance(time.Minute)
	e.work()
	now := e.payment(p.ID)
	require.Equal(t, payments.Failed, now.State)
	require.Equal(t, "owes", now.Reason.Code)
	require.Zero(t, e.sandbox.Executed(p.ID))
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.balanced()
}

func TestLostPayoutOfADebtorIsNotSentAgain(t *testing.T) {
	e := newEnv(t)
	top := e.fund("alice", usd("100.00"))
	to := e.link("alice", sandbox.TokenBank)
	e.sandbox.Script(sandbox.LostRequest)
	p, err := e.withdraw("alice", to, usd("70.00"))
	require.NoError(t, err)
	require.Equal(t, payments.Unknown, p.State)
	e.takeBack(top, usd("100.00"))
	e.pass(6 * time.Hour)
	require.Zero(t, e.sandbox.Executed(p.ID))
	require.Equal(t, payments.Unknown, e.payment(p.ID).State)
	e.hasWallet("alice", "70.00", "70.00", "70.00")
	_, err = e.svc.Forgive(e.ctx, payments.ForgiveRequest{Key: e.key(), Actor: payments.Platform(), Member: "alice", Amount: usd("70.00"), By: "ines", Note: "ours"})
	require.NoError(t, err)
	e.pass(6 * time.Hour)
	require.Equal(t, 1, e.sandbox.Executed(p.ID), "the debt is gone, and it is sent")
}

func (e *env) resolved(id string, action payments.Resolution) {
	e.Helper()
	_, err := e.resolve(id, action, "")
	require.NoError(e, err)
}

// Money that was held when a debt came to be repays it when it is given back, whatever held it.
func TestReleasedMoneyRepaysFirst(t *testing.T) {
	var top, held payments.Payment
	var dispute string
	for name, days := range map[string][]story{
		"a payout that fails": {
			{"held", func(e *env) {
				top = e.fund("alice", usd("100.00"))
				var err error
				held, err = e.withdraw("alice", e.link("alice", sandbox.TokenBankFails), usd("80.00"))
				require.NoError(e, err)
				e.postings()
				e.takeBack(top, usd("50.00"))
			}, []string{"R 30.00, U 20.00 → C 50.00"}, "80.00 80.00 30.00"},
			{"failed", func(e *env) { e.pass(200 * time.Hour) }, []string{"U 30.00 → R 30.00"}, "50.00 0.00 0.00"},
		},
		"less than is owed": {
			{"held", func(e *env) {
				top = e.fund("alice", usd("100.00"))
				_, err := e.withdraw("alice", e.link("alice", sandbox.TokenBankFails), usd("30.00"))
				require.NoError(e, err)
				e.postings()
				e.takeBack(top, usd("100.00"))
			}, []string{"R 30.00, U 70.00 → C 100.00"}, "30.00 30.00 30.00"},
			{"failed", func(e *env) { e.pass(200 * time.Hour) }, []string{"U 30.00 → R 30.00"}, "0.00 0.00 0.00"},
		},
		"a deposit that is final": {
			{"held", func(e *env) {
				top = e.fund("alice", usd("100.00"))
				held = e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("40.00"))
				for e.payment(held.ID).State != payments.Succeeded {
					e.pass(time.Hour)
				}
				e.send("alice", "bob", usd("50.00"))
				e.send("alice", "bob", usd("50.00"))
				e.postings()
				e.takeBack(top, usd("100.00"))
			}, []string{"R 100.00 → C 100.00"}, "40.00 40.00 100.00"},
			{"final", func(e *env) { e.pass(100 * time.Hour) }, []string{"U 40.00 → R 40.00"}, "0.00 0.00 60.00"},
		},
		"a dispute that is won": {
			{"held", func(e *env) {
				top, held = e.fund("alice", usd("100.00")), e.fund("alice", usd("25.00"))
				e.send("alice", "bob", usd("60.00"))
				e.send("alice", "bob", usd("35.00"))
				var err error
				dispute, err = e.sandbox.OpenDispute(held.ID, usd("25.00"), false)
				require.NoError(e, err)
				e.pass(time.Hour)
				e.postings()
				e.takeBack(top, usd("10.00"))
			}, []string{"R 5.00, U 5.00 → C 10.00"}, "25.00 25.00 5.00"},
			{"won", func(e *env) {
				require.NoError(e, e.sandbox.CloseDispute(dispute, true))
				e.pass(time.Hour)
			}, []string{"C 25.00 → D 25.00", "U 5.00 → R 5.00"}, "20.00 0.00 0.00"},
		},
		"what a person denies": {
			{"held", func(e *env) {
				top = e.fund("alice", usd("100.00"))
				p, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), To: "bob", Amount: usd("70.00")})
				require.NoError(e, err)
				require.Equal(e, payments.Review, p.State)
				held = p
				e.postings()
				e.takeBack(top, usd("100.00"))
			}, []string{"R 70.00, U 30.00 → C 100.00"}, "70.00 70.00 70.00"},
			{"denied", func(e *env) { e.resolved(held.ID, payments.Deny) }, []string{"U 70.00 → R 70.00"}, "0.00 0.00 0.00"},
		},
		"what a person says never happened": {
			{"held", func(e *env) {
				top = e.fund("alice", usd("100.00"))
				to := e.link("alice", sandbox.TokenBank)
				e.sandbox.Script(sandbox.LostRequest)
				var err error
				held, err = e.withdraw("alice", to, usd("60.00"))
				require.NoError(e, err)
				e.pass(48 * time.Hour)
				require.True(e, e.payment(held.ID).Parked)
				e.postings()
				e.takeBack(top, usd("100.00"))
			}, []string{"R 60.00, U 40.00 → C 100.00"}, "60.00 60.00 60.00"},
			{"never", func(e *env) { e.resolved(held.ID, payments.NeverHappened) }, []string{"U 60.00 → R 60.00"}, "0.00 0.00 0.00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, func(c *payments.Config, s *sandbox.Config) {
				s.NoKeys = true // what is lost is parked
				c.Rules = []payments.Rule{above{usd("60.00"), payments.ErrReview, []payments.Kind{payments.Send}}}
			})
			for _, day := range days {
				day.do(e)
				require.ElementsMatch(t, day.want, e.postings(), "%s: %s", name, day.what)
				e.hasAlice(day.u)
			}
			e.balanced()
			v, err := e.book.Verify(e.ctx)
			require.NoError(t, err)
			require.Empty(t, v.Problems)
		})
	}
}
