package payments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// Webhooks of a dispute that is lost and then won on appeal, or only lost, in every order and each twice, end alike.
func TestDisputeWebhooksInAnyOrder(t *testing.T) {
	for token, want := range map[string]string{sandbox.TokenCardDisputeAppeals: "100.00", sandbox.TokenCardDisputeLost: "0.00"} {
		permutations(4, func(order []int) {
			e := newEnv(t, noPolling, plainFees)
			p := e.deposit("alice", e.link("alice", token), usd("100.00"))
			hooks := e.deliveries(20 * 24 * time.Hour)
			hooks = hooks[1:] // the first is of the link
			for _, i := range order {
				if i >= len(hooks) {
					continue
				}
				require.Equal(t, http.StatusNoContent, e.hook(hooks[i]))
				require.Equal(t, http.StatusNoContent, e.hook(hooks[i]))
			}
			e.hasWallet("alice", want, "0.00", "0.00")
			require.Equal(t, "0.00", e.posted(payments.DisputedAccount("sandbox", "USD")), "%v", order)
			e.sound()
			e.balanced()
			now := e.payment(p.ID)
			if want == "0.00" {
				require.Equal(t, providers.DisputeLost, now.Dispute)
				require.Equal(t, payments.Reversed, now.State)
			} else {
				require.Equal(t, providers.DisputeWon, now.Dispute)
				require.Equal(t, payments.Succeeded, now.State)
			}
		})
	}
}

// A decision that is heard of before its money waits for it; money before its decision does too.
func TestDisputeDecisionAndMoneyApart(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("100.00"))
	base, err := e.sandbox.Lookup(e.ctx, providers.Query{Key: p.ID})
	require.NoError(t, err)
	moved := base.Effects[0].ID
	tell := func(id string, hours int, state providers.DisputeState, effects ...providers.Effect) {
		r := base
		r.Effects = append(r.Effects[:len(r.Effects):len(r.Effects)], effects...)
		if state != "" {
			r.Disputes = []providers.Dispute{{ID: "dp", State: state, At: e.clock.Now().Add(time.Duration(hours) * time.Hour)}}
		}
		require.NoError(t, payments.Deliver(e.ctx, e.svc, "sandbox", providers.Event{ID: id, Report: &r}))
	}
	took := providers.Effect{ID: "took", Kind: providers.Disputed, Amount: usd("-80.00"), Reverses: moved, Dispute: "dp"}
	back := providers.Effect{ID: "back", Kind: providers.Reinstated, Amount: usd("80.00"), Reverses: "took", Dispute: "dp"}

	tell("1", 1, providers.DisputeLost)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	tell("2", 1, "", took)
	e.hasWallet("alice", "20.00", "0.00", "0.00")
	tell("3", 0, providers.DisputeOpen)
	e.hasWallet("alice", "20.00", "0.00", "0.00")
	tell("4", 2, providers.DisputeWon)
	e.hasWallet("alice", "20.00", "0.00", "0.00")
	tell("5", 2, "", back)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	tell("6", 3, providers.DisputeLost)
	e.hasWallet("alice", "100.00", "0.00", "0.00")
	e.balanced()
}

func TestDisputeOfAFrozenWallet(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("100.00"))
	require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", "USD", true))
	dispute, err := e.sandbox.OpenDispute(p.ID, usd("100.00"), false)
	require.NoError(t, err)
	e.pass(time.Hour)
	e.hasWallet("alice", "100.00", "100.00", "0.00")
	require.NoError(t, e.sandbox.CloseDispute(dispute, false))
	e.pass(time.Hour)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	require.NoError(t, e.sandbox.CloseDispute(dispute, true))
	e.pass(time.Hour)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	require.Equal(t, "100.00", e.posted(payments.SuspenseAccount("sandbox", "USD")))
	require.Contains(t, e.cases()[p.ID], "not_taken")
	e.sound()
}

func TestDisputeStopsRefundsThatWereNotSent(t *testing.T) {
	e := newDeskEnv(t)
	p := e.fund("alice", usd("100.00"))
	e.work()
	tx, desk := e.begin()
	r, err := desk.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Member("alice"), Of: p.ID, Amount: usd("40.00")})
	require.NoError(t, err)
	e.commit(tx)
	_, err = e.sandbox.OpenDispute(p.ID, usd("100.00"), false)
	require.NoError(t, err)
	for _, d := range e.sandbox.Deliveries(100) {
		require.Equal(t, http.StatusNoContent, e.hook(d))
	}
	e.hasWallet("alice", "100.00", "100.00", "0.00")
	e.clock.advance(time.Second)
	e.work()
	now := e.payment(r.ID)
	require.Equal(t, payments.Failed, now.State)
	require.Equal(t, "disputed", now.Reason.Code)
	require.Zero(t, e.sandbox.Executed(r.ID))
	require.Zero(t, e.payment(p.ID).Refunded.Sign())
	e.hasWallet("alice", "100.00", "60.00", "0.00")
	e.sound()
}

// A refund whose answer was lost may have happened: while the deposit is disputed it is looked up and not sent again.
func TestDisputeNeverSendsALostRefundAgain(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("100.00"))
	e.work()
	e.sandbox.Script(sandbox.LostRequest)
	r, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Member("alice"), Of: p.ID, Amount: usd("40.00")})
	require.NoError(t, err)
	require.Equal(t, payments.Unknown, r.State)
	requests := e.sandbox.Requests()
	dispute, err := e.sandbox.OpenDispute(p.ID, usd("60.00"), false)
	require.NoError(t, err)
	for _, d := range e.sandbox.Deliveries(100) {
		require.Equal(t, http.StatusNoContent, e.hook(d))
	}
	e.pass(6 * time.Hour)
	require.Equal(t, requests, e.sandbox.Requests())
	require.Equal(t, payments.Unknown, e.payment(r.ID).State)
	e.hasWallet("alice", "100.00", "100.00", "0.00")
	require.NoError(t, e.sandbox.CloseDispute(dispute, true))
	e.pass(6 * time.Hour)
	require.Equal(t, 1, e.sandbox.Executed(r.ID), "it is sent when the dispute is over")
	e.hasWallet("alice", "60.00", "0.00", "0.00")
	e.sound()
}

func TestDisputeIsSeenInEventsAndEvidence(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("100.00"))
	dispute, err := e.sandbox.OpenDispute(p.ID, usd("30.00"), true)
	require.NoError(t, err)
	e.pass(time.Hour)
	require.NoError(t, e.sandbox.WithdrawDisputed(dispute))
	e.pass(time.Hour)
	evidence, err := e.svc.Evidence(e.ctx, payments.Member("alice"), p.ID)
	require.NoError(t, err)
	require.Len(t, evidence.Disputes, 1)
	d := evidence.Disputes[0]
	require.Equal(t, dispute, d.ID)
	require.Equal(t, []currency.Amount{usd("30.00"), usd("30.00")}, []currency.Amount{d.Amount, d.Withdrawn})
	require.False(t, d.EvidenceBy.IsZero())
	require.Equal(t, usd("30.00"), evidence.Payment.Disputed)
	_, err = e.svc.Evidence(e.ctx, payments.Member("mallory"), p.ID)
	require.ErrorIs(t, err, payments.ErrForbidden)
	require.NoError(t, e.sandbox.CloseDispute(dispute, false))
	e.pass(time.Hour)
	var types []string
	for ev, err := range e.svc.Events(e.ctx, 0) {
		require.NoError(t, err)
		if ev.Payment.ID == p.ID && ev.Payment.Dispute != "" {
			types = append(types, ev.Type)
		}
	}
	require.Equal(t, []string{"deposit.dispute_inquiry", "deposit.dispute_open", "deposit.dispute_lost"}, types)
}

// A lost webhook about a dispute is made up for by looking, without polling.
func TestDisputeIsFoundByLooking(t *testing.T) {
	e := newEnv(t, plainFees)
	p := e.fund("alice", usd("100.00"))
	e.work()
	e.svc = nil
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(lookOnly{e.sandbox}))
	dispute, err := e.sandbox.OpenDispute(p.ID, usd("100.00"), true)
	require.NoError(t, err)
	e.svc = svc
	for _, d := range e.sandbox.Deliveries(100) {
		d.ReceivedAt = e.clock.Now()
		events, err := e.sandbox.Receive(e.ctx, d)
		require.NoError(t, err)
		for _, event := range events {
			require.NoError(t, payments.Deliver(e.ctx, svc, "sandbox", event))
		}
	}
	require.NoError(t, e.sandbox.WithdrawDisputed(dispute))
	require.NoError(t, e.sandbox.CloseDispute(dispute, false))
	e.pass(60 * 24 * time.Hour)
	require.Equal(t, providers.DisputeLost, e.payment(p.ID).Dispute)
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.sound()
}

// lookOnly is a provider that has neither webhooks nor a list of events.
type lookOnly struct{ providers.Provider }

// A bank that takes a deposit back takes its provisional hold too, so that does not stand in for what is disputed besides.
func TestDisputeOfWhatTheBankTakesBackAtOnce(t *testing.T) {
	e := newEnv(t)
	p := e.deposit("alice", e.link("alice", sandbox.TokenBankReturned), usd("50.00"))
	e.fund("alice", usd("80.00"))
	for e.payment(p.ID).State != payments.Succeeded {
		e.pass(time.Hour)
	}
	_, err := e.sandbox.OpenDispute(p.ID, usd("50.00"), false)
	require.NoError(t, err)
	e.clock.advance(100 * time.Hour) // nobody works until the bank has taken it back too
	e.work()
	require.Equal(t, providers.DisputeOpen, e.payment(p.ID).Dispute)
	e.hasWallet("alice", "80.00", "50.00", "0.00")
	e.sound()
}
