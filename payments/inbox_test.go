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

// inbox are the states of what waits to be understood.
func (e *env) inbox() map[string]int {
	e.Helper()
	states := map[string]int{}
	for d, err := range e.book.Documents(e.ctx, ledger.Query{List: ledger.ListDocuments, Kind: "inbox"}) {
		require.NoError(e, err)
		states[d.State]++
	}
	return states
}

func (e *env) tell(id string, r providers.Report) {
	e.Helper()
	require.NoError(e, payments.Deliver(e.ctx, e.svc, "sandbox", providers.Event{ID: id, Report: &r, At: e.clock.Now()}))
}

// A webhook that names only the provider's reference comes before the answer that says whose it is: it waits, and is told to
// the payment as soon as that is known.
func TestInboxWaitsForTheReference(t *testing.T) {
	e := newEnv(t, func(_ *payments.Config, c *sandbox.Config) { c.CardFee = sandbox.Fee{} })
	card := e.link("alice", sandbox.TokenCard)
	e.work()
	e.sandbox.Script(sandbox.LostResponse)
	p := e.deposit("alice", card, usd("10.00"))
	require.Equal(t, payments.Unknown, p.State)
	truth, err := e.sandbox.Lookup(e.ctx, providers.Query{Key: p.ID})
	require.NoError(t, err)
	fee := providers.Report{
		Reference: truth.Reference, Kind: providers.Deposit, State: providers.Succeeded,
		Effects: []providers.Effect{{ID: "late-fee", Kind: providers.Fee, Amount: usd("-0.40"), At: e.clock.Now()}},
	}
	e.tell("evt-1", fee)
	e.tell("evt-1", fee)
	require.Equal(t, map[string]int{"waiting": 1}, e.inbox(), "once, however often it comes")
	require.Equal(t, "none", e.posted(payments.FeesAccount("sandbox", "USD")))
	e.pass(time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	require.Equal(t, "0.40", e.posted(payments.FeesAccount("sandbox", "USD")))
	require.Equal(t, map[string]int{"told": 1}, e.inbox())
	require.Empty(t, e.cases())
}

// What nobody can explain becomes a case after a time: money of it in suspense, and the person's word ends it.
func TestInboxBecomesACase(t *testing.T) {
	e := newEnv(t)
	e.tell("evt-money", providers.Report{
		Reference: "po_unknown", Kind: providers.Withdrawal, State: providers.Succeeded,
		Effects: []providers.Effect{{ID: "w1", Kind: providers.Moved, Amount: usd("-7.00"), At: e.clock.Now()}},
	})
	e.tell("evt-nothing", providers.Report{Reference: "po_nothing", Kind: providers.Withdrawal, State: providers.Failed})
	e.tell("evt-foreign", providers.Report{
		Key: "4fb0b3a4-55f0-4d6c-9d2b-0c6a4c1b7e11", Reference: "po_foreign", Kind: providers.Withdrawal, State: providers.Succeeded,
		Effects: []providers.Effect{{ID: "w2", Kind: providers.Moved, Amount: usd("-9.00"), At: e.clock.Now()}},
	})
	require.Equal(t, map[string]int{"waiting": 3}, e.inbox())
	e.pass(time.Minute)
	require.Empty(t, e.cases(), "not at once: an answer may be under way")
	e.pass(72 * time.Hour)
	require.Equal(t, map[string]int{"told": 1, "ignored": 1, "left": 1}, e.inbox())
	codes := map[string]int{}
	var left string
	for id, all := range e.cases() {
		for _, code := range all {
			codes[code]++
			if code == "unexplained" {
				left = id
			}
		}
	}
	require.Equal(t, 1, codes["unexplained"], "a key that is not ours may be somebody else's: nothing is posted")
	require.Len(t, e.cases(), 2)
	require.Equal(t, "-7.00", e.posted(payments.SuspenseAccount("sandbox", "USD")), "it went out and nobody is charged")
	_, err := e.resolve(left, payments.WriteOff, "")
	require.ErrorIs(t, err, payments.ErrUnresolvable)
	_, err = e.resolve(left, payments.Known, "")
	require.NoError(t, err)
	e.balanced()
}

// A settlement says what it covers, and a late fee finds its deposit.
func TestSettlementIsAPaymentOfThePlatform(t *testing.T) {
	e := newEnv(t)
	p := e.fund("alice", usd("100.00"))
	reference, err := e.sandbox.Settle(currency.USD, sandbox.SettleTerms{Fee: usd("1.00")})
	require.NoError(t, err)
	e.pass(time.Hour)
	var batch payments.Payment
	for ev, err := range e.svc.Events(e.ctx, 0) {
		require.NoError(t, err)
		if ev.Payment.Kind == payments.Settlement {
			batch = ev.Payment
		}
	}
	require.Equal(t, payments.Succeeded, batch.State)
	evidence, err := e.svc.Evidence(e.ctx, payments.Platform(), batch.ID)
	require.NoError(t, err)
	require.Equal(t, reference, evidence.Reference)
	require.Len(t, evidence.Effects, 2)
	of, err := e.svc.Evidence(e.ctx, payments.Member("alice"), p.ID)
	require.NoError(t, err)
	require.Equal(t, []string{of.Reference}, evidence.Covers)
	_, err = e.svc.Evidence(e.ctx, payments.Member("alice"), batch.ID)
	require.ErrorIs(t, err, payments.ErrForbidden, "it is not a member's business")
	e.sound()
}
