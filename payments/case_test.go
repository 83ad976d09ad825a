package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func (e *env) resolve(id string, action payments.Resolution, member string) (payments.Case, error) {
	return e.svc.Resolve(e.ctx, payments.ResolveRequest{
		Key: e.key(), Actor: payments.Platform(), Case: id, Action: action, Member: member, By: "ines", Note: "called the bank",
	})
}

// strayed makes money that nobody expected lie in suspense, and returns its case.
func (e *env) strayed(a currency.Amount) payments.Case {
	e.Helper()
	_, err := e.sandbox.SendStray(providers.Bank, a)
	require.NoError(e, err)
	e.pass(48 * time.Hour)
	for c, err := range e.svc.Cases(e.ctx, payments.CaseQuery{Code: "unattributed"}) {
		require.NoError(e, err)
		return c
	}
	require.Fail(e, "no case")
	return payments.Case{}
}

func TestCaseStrayMoneyIsAssigned(t *testing.T) {
	e := newEnv(t)
	stray := e.strayed(usd("12.00"))
	e.postings()
	before := e.dump()
	for _, action := range []payments.Resolution{payments.Known, payments.NeverHappened} {
		_, err := e.resolve(stray.ID, action, "")
		require.ErrorIs(t, err, payments.ErrUnresolvable, action)
		require.ErrorIs(t, err, payments.ErrConflict)
	}
	_, err := e.resolve(stray.ID, payments.AssignTo, "")
	require.ErrorIs(t, err, payments.ErrInvalid, "to whom")
	_, err = e.resolve(stray.ID, "sell", "alice")
	require.ErrorIs(t, err, payments.ErrInvalid)
	_, err = e.resolve("nothing", payments.Known, "")
	require.ErrorIs(t, err, payments.ErrNoCase)
	request := payments.ResolveRequest{Key: "r", Actor: payments.Member("mallory"), Case: stray.ID, Action: payments.AssignTo, Member: "mallory", By: "mallory", Note: "mine"}
	_, err = e.svc.Resolve(e.ctx, request)
	require.ErrorIs(t, err, payments.ErrForbidden)
	request.Actor, request.Note = payments.Platform(), ""
	_, err = e.svc.Resolve(e.ctx, request)
	require.ErrorIs(t, err, payments.ErrInvalid, "why")
	require.Equal(t, before, e.dump(), "refusals leave nothing")

	request = payments.ResolveRequest{Key: "r", Actor: payments.Platform(), Case: stray.ID, Action: payments.AssignTo, Member: "alice", By: "ines", Note: "she sent the receipt"}
	for range 2 {
		c, err := e.svc.Resolve(e.ctx, request)
		require.NoError(t, err)
		require.Equal(t, payments.CaseResolved, c.State)
		require.Len(t, c.Resolutions, 1)
		require.Equal(t, "ines", c.Resolutions[0].By)
	}
	require.Equal(t, []string{"X 12.00 → U 12.00"}, e.postings())
	e.hasWallet("alice", "12.00", "0.00", "0.00")
	require.Empty(t, e.cases())
	require.Equal(t, "alice", e.payment(stray.ID).Member)
	_, err = e.resolve(stray.ID, payments.WriteOff, "")
	require.ErrorIs(t, err, payments.ErrResolved)
	request.Member = "bob"
	_, err = e.svc.Resolve(e.ctx, request)
	require.Error(t, err, "the key stands for alice")
	e.sound()
	e.balanced()
}

func TestCaseWriteOff(t *testing.T) {
	e := newEnv(t)
	stray := e.strayed(usd("12.00"))
	e.postings()
	_, err := e.resolve(stray.ID, payments.WriteOff, "")
	require.NoError(t, err)
	require.Equal(t, []string{"X 12.00 → W 12.00"}, e.postings())
	require.Equal(t, "0.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	e.sound()
}

// What a frozen wallet could not take is given to it when it is free again; while it is not, the decision is declined.
func TestCaseOfAFrozenWallet(t *testing.T) {
	e := newEnv(t)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBank), usd("50.00"))
	require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", currency.USD))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	e.pass(100 * time.Hour)
	_, err := e.resolve(p.ID, payments.AssignTo, "")
	require.ErrorIs(t, err, payments.ErrDeclined)
	require.NoError(t, e.svc.Unfreeze(e.ctx, payments.Platform(), e.key(), "alice", "USD"))
	e.postings()
	_, err = e.resolve(p.ID, payments.AssignTo, "")
	require.NoError(t, err)
	require.Equal(t, []string{"X 50.00 → U 50.00"}, e.postings())
	e.hasWallet("alice", "50.00", "0.00", "0.00")
	e.sound()
	// What is taken back afterwards comes from the wallet, for suspense has nothing of it any more.
	e.takeBack(p, usd("50.00"))
	require.Equal(t, []string{"U 50.00 → C 50.00"}, e.postings())
}

func TestCaseOfMoneyThatWentOut(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("10.00"))
	p, err := e.withdraw("alice", e.link("alice", sandbox.TokenBank), usd("4.00"))
	require.NoError(t, err)
	report, err := e.sandbox.Lookup(e.ctx, providers.Query{Key: p.ID})
	require.NoError(t, err)
	report.State = providers.Succeeded
	report.Effects = []providers.Effect{{ID: "w", Kind: providers.Moved, Amount: usd("-13.00"), At: e.clock.Now()}}
	require.NoError(t, payments.Deliver(e.ctx, e.svc, "sandbox", providers.Event{ID: "w", Report: &report}))
	e.hasWallet("alice", "6.00", "0.00", "0.00")
	require.Contains(t, e.cases()[p.ID], "amount_differs")
	e.postings()
	_, err = e.resolve(p.ID, payments.AssignTo, "alice")
	require.NoError(t, err)
	require.Equal(t, []string{"R 3.00, U 6.00 → X 9.00"}, e.postings())
	e.hasWallet("alice", "0.00", "0.00", "3.00")
	e.balanced()
}

func TestCaseOfAParkedPayout(t *testing.T) {
	e := newEnv(t, func(_ *payments.Config, c *sandbox.Config) { c.NoKeys = true })
	e.fund("alice", usd("10.00"))
	bank := e.link("alice", sandbox.TokenBank)
	e.sandbox.Script(sandbox.LostRequest)
	p, err := e.withdraw("alice", bank, usd("4.00"))
	require.NoError(t, err)
	e.pass(48 * time.Hour)
	require.True(t, e.payment(p.ID).Parked)
	_, err = e.resolve(p.ID, payments.Known, "")
	require.ErrorIs(t, err, payments.ErrUnresolvable)
	e.hasWallet("alice", "10.00", "4.00", "0.00")
	c, err := e.resolve(p.ID, payments.NeverHappened, "")
	require.NoError(t, err)
	require.Equal(t, payments.CaseResolved, c.State)
	e.hasWallet("alice", "10.00", "0.00", "0.00")
	require.Equal(t, payments.Failed, e.payment(p.ID).State)
	e.pass(48 * time.Hour)
	e.hasWallet("alice", "10.00", "0.00", "0.00")
	e.sound()
}

func TestCaseQueries(t *testing.T) {
	e := newEnv(t)
	stray := e.strayed(usd("12.00"))
	p := e.fund("alice", usd("100.00"))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	e.takeBack(p, usd("1.00"))
	late := e.deposit("alice", e.link("alice", sandbox.TokenCard), usd("5.00"))
	count := func(q payments.CaseQuery) (ids []string) {
		for c, err := range e.svc.Cases(e.ctx, q) {
			require.NoError(t, err)
			ids = append(ids, c.ID)
		}
		return ids
	}
	require.Equal(t, []string{stray.ID, late.ID}, count(payments.CaseQuery{}))
	require.Equal(t, []string{late.ID}, count(payments.CaseQuery{Member: "alice"}))
	require.Equal(t, []string{stray.ID}, count(payments.CaseQuery{Code: "unattributed", Provider: "sandbox"}))
	require.Empty(t, count(payments.CaseQuery{Provider: "other"}))
	_, err := e.resolve(stray.ID, payments.WriteOff, "")
	require.NoError(t, err)
	require.Equal(t, []string{stray.ID}, count(payments.CaseQuery{State: payments.CaseResolved}))
	require.Equal(t, []string{late.ID}, count(payments.CaseQuery{}))
}

func TestForgive(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("20.00"))
	_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("15.00")})
	require.NoError(t, err)
	e.takeBack(p, usd("20.00"))
	e.hasWallet("alice", "0.00", "0.00", "15.00")
	e.postings()
	r := payments.ForgiveRequest{Key: "f", Actor: payments.Platform(), Member: "alice", Amount: usd("10.00"), By: "ines", Note: "bankrupt"}
	for i := range 2 {
		p, err := e.svc.Forgive(e.ctx, r)
		require.NoError(t, err)
		require.Equal(t, i == 1, p.Replayed)
		require.Equal(t, payments.Forgiven, p.Kind)
	}
	require.Equal(t, []string{"W 10.00 → R 10.00"}, e.postings())
	r.Key = "more"
	_, err = e.svc.Forgive(e.ctx, r)
	require.ErrorIs(t, err, payments.ErrNotOwed)
	r.Key, r.Actor = "own", payments.Member("alice")
	_, err = e.svc.Forgive(e.ctx, r)
	require.ErrorIs(t, err, payments.ErrForbidden)
	r.Actor, r.Member = payments.Platform(), "nobody"
	_, err = e.svc.Forgive(e.ctx, r)
	require.ErrorIs(t, err, payments.ErrNotOwed)
	e.hasWallet("alice", "0.00", "0.00", "5.00")
	e.balanced()
}
