package payments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func (e *env) giveBack(key, id string, method providers.Method) (payments.Case, error) {
	return e.svc.Resolve(e.ctx, payments.ResolveRequest{
		Key: key, Actor: payments.Platform(), Case: id, Action: payments.Return, Method: method, By: "ines", Note: "not ours",
	})
}

func TestReturnOfStrayMoney(t *testing.T) {
	e := newEnv(t)
	stray := e.strayed(usd("12.00"))
	e.postings()
	_, err := e.giveBack("g", stray.ID, "")
	require.ErrorIs(t, err, payments.ErrInvalid, "nobody knows how it came")
	_, err = e.giveBack("g", stray.ID, providers.Chain)
	require.ErrorIs(t, err, payments.ErrUnsupported)
	for range 2 {
		c, err := e.giveBack("g", stray.ID, providers.Bank)
		require.NoError(t, err)
		require.Equal(t, payments.CaseResolved, c.State)
	}
	require.Empty(t, e.postings(), "held, and not gone yet")
	e.pass(100 * time.Hour)
	require.Equal(t, []string{"X 12.00 → C 12.00"}, e.postings())
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	_, err = e.giveBack("g", stray.ID, providers.Bank)
	require.NoError(t, err, "a replay, though nothing is left")
	require.Empty(t, e.cases())
	require.Equal(t, usd("12.00"), e.payment(stray.ID).Refunded)
	e.sound()
	e.balanced()
}

func TestReturnThatIsRefusedLeavesTheMoneyWhereItWas(t *testing.T) {
	e := newEnv(t)
	stray := e.strayed(usd("12.00"))
	e.postings()
	_, err := e.giveBack("g", stray.ID, providers.Card) // the far side knows no such card payment
	require.NoError(t, err)
	e.clock.advance(time.Second)
	e.work()
	require.Empty(t, e.postings())
	require.Contains(t, e.cases()[stray.ID], "return_failed")
	require.Equal(t, "12.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	_, err = e.resolve(stray.ID, payments.AssignTo, "alice")
	require.NoError(t, err)
	e.hasWallet("alice", "12.00", "0.00", "0.00")
	require.Equal(t, []string{"X 12.00 → U 12.00"}, e.postings())
	e.sound()
}

// What a frozen wallet could not take goes back to the card, comes back again because the card's bank refuses it, and is
// in suspense once more.
func TestReturnThatComesBack(t *testing.T) {
	e := newEnv(t, plainFees)
	card := e.link("alice", sandbox.TokenCardRefundFails)
	require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", usd("1.00").Asset()))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	p := e.deposit("alice", card, usd("50.00"))
	require.Contains(t, e.cases()[p.ID], "not_taken")
	e.postings()
	_, err := e.giveBack("g", p.ID, "")
	require.NoError(t, err)
	e.clock.advance(time.Second)
	e.work()
	require.Equal(t, []string{"X 50.00 → C 50.00"}, e.postings())
	e.pass(72 * time.Hour)
	require.Equal(t, []string{"C 50.00 → X 50.00"}, e.postings())
	require.Contains(t, e.cases()[p.ID], "return_failed")
	evidence, err := e.svc.Evidence(e.ctx, payments.Platform(), p.ID)
	require.NoError(t, err)
	require.Equal(t, usd("50.00"), evidence.Effects[0].Suspense)
	_, err = e.resolve(p.ID, payments.WriteOff, "")
	require.NoError(t, err)
	require.Equal(t, []string{"X 50.00 → W 50.00"}, e.postings())
	e.sound()
	e.balanced()
}

func TestReturnRefusals(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("5.00"))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	out := e.takeBackOf(p)
	_, err := e.giveBack("g", out, providers.Bank)
	require.ErrorIs(t, err, payments.ErrNoCase)
	stray := e.strayed(usd("12.00"))
	_, err = e.giveBack("g1", stray.ID, providers.Bank)
	require.NoError(t, err)
	_, err = e.giveBack("g2", stray.ID, providers.Bank)
	require.ErrorIs(t, err, payments.ErrConflict, "it is on its way already")
}

// A deposit that a frozen wallet could not take, and that the payer's bank took back, must not go back a second time.
func TestReturnOfWhatIsDisputed(t *testing.T) {
	for _, token := range []string{sandbox.TokenCardDisputeLost, sandbox.TokenCardDisputeWon} {
		e := newEnv(t)
		card := e.link("alice", token)
		require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", usd("1.00").Asset()))
		require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
		p := e.deposit("alice", card, usd("50.00"))
		require.Contains(t, e.cases()[p.ID], "not_taken")
		for e.payment(p.ID).Dispute != providers.DisputeOpen {
			e.pass(time.Hour)
		}
		_, err := e.giveBack(e.key(), p.ID, "")
		require.ErrorIs(t, err, payments.ErrUnresolvable, "nobody has decided")
		for e.payment(p.ID).Dispute == providers.DisputeOpen {
			e.pass(time.Hour)
		}
		_, err = e.giveBack(e.key(), p.ID, "")
		if token == sandbox.TokenCardDisputeLost {
			require.ErrorIs(t, err, payments.ErrUnresolvable, "the payer has it already")
			require.Equal(t, "50.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
		} else {
			require.NoError(t, err)
			e.pass(100 * time.Hour)
			require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
		}
		e.sound()
		e.balanced()
	}
}

// A bank takes a deposit back while what a frozen wallet could not take of it is on its way back already: the payer gets it twice,
// and owes it.
func TestReturnOfWhatTheBankTakesBack(t *testing.T) {
	e := newEnv(t)
	from := e.link("alice", sandbox.TokenBankReturned)
	require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", usd("1.00").Asset()))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	p := e.deposit("alice", from, usd("50.00"))
	for e.payment(p.ID).State != payments.Succeeded {
		e.pass(time.Hour)
	}
	_, err := e.giveBack("g", p.ID, "")
	require.NoError(t, err)
	e.pass(100 * time.Hour)
	require.Equal(t, payments.Reversed, e.payment(p.ID).State)
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	e.hasWallet("alice", "0.00", "0.00", "50.00")
	require.Empty(t, e.cases())
	e.sound()
	e.balanced()
}

// A late word about a return that failed must not end the one that was tried since.
func TestReturnAfterOneThatFailed(t *testing.T) {
	e := newEnv(t, noPolling)
	stray := e.strayed(usd("12.00"))
	e.sandbox.Deliveries(1000)
	e.sandbox.Script(sandbox.Decline)
	_, err := e.giveBack("first", stray.ID, providers.Bank)
	require.NoError(t, err)
	e.clock.advance(time.Second)
	e.work()
	require.Contains(t, e.cases()[stray.ID], "return_failed")
	late := e.deliveries(time.Minute)
	require.NotEmpty(t, late)
	_, err = e.giveBack("second", stray.ID, providers.Bank)
	require.NoError(t, err)
	for _, d := range late {
		require.Equal(t, http.StatusNoContent, e.hook(d))
	}
	e.sandbox.Script(sandbox.Decline)
	e.clock.advance(time.Second)
	e.work()
	require.Contains(t, e.cases(), stray.ID, "the second failed too, and a person must know")
	require.Equal(t, "12.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	_, err = e.giveBack("third", stray.ID, providers.Bank)
	require.NoError(t, err)
	e.pass(100 * time.Hour)
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	require.Empty(t, e.cases())
	e.sound()
	e.balanced()
}

// takeBackOf takes a deposit back and returns its id.
func (e *env) takeBackOf(p payments.Payment) string {
	e.Helper()
	e.takeBack(p, p.Amount)
	return p.ID
}

// A debit that its bank returns while what it brought is on its way back from suspense has paid the member twice: they owe it.
func TestReturnOfWhatIsReturnedMeanwhile(t *testing.T) {
	e := newEnv(t)
	bank := e.link("alice", sandbox.TokenBankReturned)
	require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", usd("1.00").Asset()))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	p := e.deposit("alice", bank, usd("50.00"))
	e.pass(25 * time.Hour)
	require.Contains(t, e.cases()[p.ID], "not_taken")
	_, err := e.giveBack("g", p.ID, "")
	require.NoError(t, err)
	e.pass(200 * time.Hour)
	e.hasWallet("alice", "0.00", "0.00", "50.00")
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	evidence, err := e.svc.Evidence(e.ctx, payments.Platform(), p.ID)
	require.NoError(t, err)
	require.Zero(t, evidence.Effects[0].Suspense.Sign())
	e.sound()
	e.balanced()
}
