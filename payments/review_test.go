package payments_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// above is a rule that has one thing to say about every amount above a bound.
type above struct {
	bound currency.Amount
	says  ledger.Code
	kinds []payments.Kind
}

func (r above) Reads(payments.Proposal) ledger.Reads { return ledger.Reads{} }

func (r above) Decide(p payments.Proposal, _ ledger.View) ([]ledger.Command, error) {
	if c, err := p.Amount.Cmp(r.bound); err != nil || c <= 0 {
		return nil, nil //nolint:nilerr // another asset
	}
	for _, k := range r.kinds {
		if k == p.Kind {
			return nil, ledger.Refuse(r.says, "", "above "+r.bound.String())
		}
	}
	return nil, nil
}

func reviewed(kinds ...payments.Kind) func(*payments.Config, *sandbox.Config) {
	return func(c *payments.Config, s *sandbox.Config) {
		withRate(c, s)
		c.Rules = []payments.Rule{above{usd("50.00"), payments.ErrReview, kinds}, above{usd("90.00"), "too_much", kinds}}
	}
}

func TestReviewOfATip(t *testing.T) {
	for _, approve := range []bool{true, false} {
		e := newEnv(t, reviewed(payments.Tip))
		e.fund("alice", usd("100.00"))
		e.postings()
		p, err := e.svc.Tip(e.ctx, tipOf(usd("60.00")))
		require.NoError(t, err)
		require.Equal(t, payments.Review, p.State)
		require.Zero(t, p.Moved.Sign())
		again, err := e.svc.Tip(e.ctx, tipOf(usd("60.00")))
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, payments.Review, again.State)
		e.hasWallet("alice", "100.00", "60.00", "0.00")
		require.Equal(t, []string{"review"}, e.cases()[p.ID])
		c, err := e.svc.Case(e.ctx, p.ID)
		require.NoError(t, err)
		require.Equal(t, "above 50.00 USD", c.Findings[0].Text)
		_, err = e.resolve(p.ID, payments.Known, "")
		require.ErrorIs(t, err, payments.ErrUnresolvable)
		_, err = e.resolve(p.ID, payments.AssignTo, "bob")
		require.ErrorIs(t, err, payments.ErrUnresolvable)
		_, err = e.svc.Resolve(e.ctx, payments.ResolveRequest{Key: "x", Actor: payments.Member("alice"), Case: p.ID, Action: payments.Approve, By: "alice", Note: "yes"})
		require.ErrorIs(t, err, payments.ErrForbidden)
		_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: "u", Actor: payments.Member("bob"), Of: p.ID})
		require.ErrorIs(t, err, payments.ErrNotRefundable)
		require.Empty(t, e.postings())
		e.pass(time.Hour)

		if approve {
			_, err = e.resolve(p.ID, payments.Approve, "")
			require.NoError(t, err)
			require.Equal(t, []string{"U 60.00 → U 57.00, V 3.00"}, e.postings())
			e.hasWallet("alice", "40.00", "0.00", "0.00")
			e.hasWallet("bob", "57.00", "0.00", "0.00")
			require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
			_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: "u2", Actor: payments.Member("bob"), Of: p.ID})
			require.NoError(t, err)
			e.hasWallet("alice", "100.00", "0.00", "0.00")
		} else {
			_, err = e.resolve(p.ID, payments.Deny, "")
			require.NoError(t, err)
			require.Empty(t, e.postings())
			e.hasWallet("alice", "100.00", "0.00", "0.00")
			now := e.payment(p.ID)
			require.Equal(t, payments.Failed, now.State)
			require.Equal(t, "denied", now.Reason.Code)
		}
		_, err = e.resolve(p.ID, payments.Approve, "")
		require.ErrorIs(t, err, payments.ErrResolved)
		e.balanced()
	}
}

func TestReviewStrictestVerdictWins(t *testing.T) {
	e := newEnv(t, reviewed(payments.Tip))
	e.fund("alice", usd("100.00"))
	_, err := e.svc.Tip(e.ctx, tipOf(usd("95.00")))
	require.ErrorIs(t, err, ledger.Code("too_much"))
	require.ErrorIs(t, err, payments.ErrDeclined)
	require.Empty(t, e.cases(), "who is denied is not reviewed")
	r := tipOf(usd("60.00"))
	r.Key, r.Actor, r.From, r.To = "poor", payments.Member("bob"), "bob", "alice"
	_, err = e.svc.Tip(e.ctx, r)
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	require.Empty(t, e.cases())
}

func TestReviewOfAnExchange(t *testing.T) {
	e := newEnv(t, reviewed(payments.Exchange))
	e.fund("alice", usd("100.00"))
	p, err := e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: "x", Actor: payments.Member("alice"), Amount: usd("60.00"), To: "EUR"})
	require.NoError(t, err)
	require.Equal(t, payments.Review, p.State)
	e.hasWallet("alice", "100.00", "60.00", "0.00")
	e.postings()
	_, err = e.resolve(p.ID, payments.Approve, "")
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"U 60.00 → P 60.00", "P 54.00 EUR → U 54.00 EUR"}, e.postings())
	e.balanced()
}

// What a provider carries out is not sent before somebody approves, and never when they do not.
func TestReviewOfWhatAProviderDoes(t *testing.T) {
	for _, approve := range []bool{true, false} {
		e := newEnv(t, reviewed(payments.Withdrawal, payments.Refund, payments.Deposit))
		card := e.link("alice", sandbox.TokenCard)
		bank := e.link("alice", sandbox.TokenBank)
		for range 4 {
			e.deposit("alice", card, usd("40.00"))
		}
		of := e.deposit("alice", card, usd("49.00"))
		requests := e.sandbox.Requests()
		out, err := e.withdraw("alice", bank, usd("60.00"))
		require.NoError(t, err)
		in := e.deposit("alice", card, usd("70.00"))
		e.pass(10 * time.Hour)
		for _, p := range []payments.Payment{out, in} {
			now, err := e.svc.Advance(e.ctx, payments.Member("alice"), p.ID)
			require.NoError(t, err)
			require.Equal(t, payments.Review, now.State)
		}
		require.Equal(t, requests, e.sandbox.Requests())
		e.hasWallet("alice", "209.00", "60.00", "0.00")
		action := payments.Deny
		if approve {
			action = payments.Approve
		}
		for _, p := range []payments.Payment{out, in} {
			_, err := e.resolve(p.ID, action, "")
			require.NoError(t, err)
		}
		e.pass(80 * time.Hour)
		if approve {
			require.Equal(t, requests+2, e.sandbox.Requests())
			e.hasWallet("alice", "219.00", "0.00", "0.00")
		} else {
			require.Equal(t, requests, e.sandbox.Requests())
			e.hasWallet("alice", "209.00", "0.00", "0.00")
			require.Equal(t, payments.Failed, e.payment(out.ID).State)
		}
		require.Equal(t, payments.Succeeded, e.payment(of.ID).State)
		require.Empty(t, e.cases())
		e.sound()
	}
}

func TestReviewOfARefundKeepsItsReservation(t *testing.T) {
	e := newEnv(t, reviewed(payments.Refund))
	of := e.fund("alice", usd("80.00"))
	ask := func(a string) (payments.Payment, error) {
		return e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: of.ID, Amount: usd(a)})
	}
	p, err := ask("60.00")
	require.NoError(t, err)
	require.Equal(t, payments.Review, p.State)
	_, err = ask("21.00")
	require.ErrorIs(t, err, payments.ErrNotRefundable, "60 of 80 is reserved")
	_, err = e.resolve(p.ID, payments.Deny, "")
	require.NoError(t, err)
	require.Zero(t, e.payment(of.ID).Refunded.Sign())
	_, err = ask("50.00")
	require.NoError(t, err)
	e.hasWallet("alice", "30.00", "0.00", "0.00")
	e.sound()
}
