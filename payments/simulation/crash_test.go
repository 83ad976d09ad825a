package simulation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// scenario is a payment from request to rest. Every call of the first process to the store and to a provider is a
// point at which it can die.
type scenario struct {
	name   string
	method providers.Method
	token  string
	fault  sandbox.Fault
	state  payments.State // where it ends
	funds  int64          // dollars' cents in the wallet beforehand
	ask    func(*world, *payments.Service, string) (payments.Payment, error)
	// outside says that it begins at the provider: nobody has to ask for it.
	outside bool
}

var alice = payments.Member("alice")

func cents(n int64) currency.Amount { return currency.MustNew(n, currency.USD) }

func takeIn(w *world, s *payments.Service, instrument string) (payments.Payment, error) {
	return s.Deposit(w.ctx, payments.DepositRequest{Key: "it", Actor: alice, Member: "alice", Amount: cents(2_500), Instrument: instrument})
}

func payOut(w *world, s *payments.Service, instrument string) (payments.Payment, error) {
	return s.Withdraw(w.ctx, payments.WithdrawRequest{Key: "it", Actor: alice, Member: "alice", Amount: cents(2_500), To: instrument})
}

func giveBack(w *world, s *payments.Service, _ string) (payments.Payment, error) {
	deposit := w.some(func(p *intent) bool { return p.Kind == payments.Deposit })
	return s.Refund(w.ctx, payments.RefundRequest{Key: "it", Actor: alice, Of: deposit[0].ID, Amount: cents(1_200)})
}

func settleBatch(w *world, s *payments.Service, _ string) (payments.Payment, error) {
	// The second time there is nothing left to settle.
	_, _ = w.sites[0].far.Settle(currency.USD, sandbox.SettleTerms{Fee: cents(25)})
	_, err := s.Step(w.ctx)
	return payments.Payment{}, err
}

var scenarios = []scenario{
	{"card deposit", providers.Card, sandbox.TokenCard, sandbox.None, payments.Succeeded, 0, takeIn, false},
	{"card deposit, declined", providers.Card, sandbox.TokenCardDeclined, sandbox.None, payments.Failed, 0, takeIn, false},
	{"card deposit, lost answer", providers.Card, sandbox.TokenCard, sandbox.LostResponse, payments.Succeeded, 0, takeIn, false},
	{"bank deposit", providers.Bank, sandbox.TokenBank, sandbox.None, payments.Succeeded, 0, takeIn, false},
	{"bank deposit, returned", providers.Bank, sandbox.TokenBankReturned, sandbox.None, payments.Reversed, 0, takeIn, false},
	{"withdrawal", providers.Bank, sandbox.TokenBank, sandbox.None, payments.Succeeded, 4_000, payOut, false},
	{"withdrawal, bounced", providers.Bank, sandbox.TokenBankBounces, sandbox.None, payments.Reversed, 4_000, payOut, false},
	{"withdrawal, lost answer", providers.Bank, sandbox.TokenBank, sandbox.LostResponse, payments.Succeeded, 4_000, payOut, false},
	{"withdrawal, lost request", providers.Bank, sandbox.TokenBank, sandbox.LostRequest, payments.Succeeded, 4_000, payOut, false},
	{"withdrawal, rejected", providers.Bank, sandbox.TokenBank, sandbox.Reject, payments.Failed, 4_000, payOut, false},
	{"refund", providers.Card, sandbox.TokenCard, sandbox.None, payments.Succeeded, 4_000, giveBack, false},
	{"dispute that is lost", providers.Card, sandbox.TokenCardDisputeLost, sandbox.None, payments.Reversed, 0, takeIn, false},
	{"dispute that is won", providers.Card, sandbox.TokenCardDisputeWon, sandbox.None, payments.Succeeded, 0, takeIn, false},
	{"dispute that is won on appeal", providers.Card, sandbox.TokenCardDisputeAppeals, sandbox.None, payments.Succeeded, 0, takeIn, false},
	{"settlement of a batch", providers.Card, sandbox.TokenCard, sandbox.None, payments.Succeeded, 4_000, settleBatch, true},
	{"refund that comes back", providers.Card, sandbox.TokenCardRefundFails, sandbox.None, payments.Reversed, 4_000, giveBack, false},
}

// TestEveryCrash kills the first process before and after every call that it makes for a payment; the second one then
// brings it to the same end. A member who got no answer never comes back in one run, and asks again in another one.
func TestEveryCrash(t *testing.T) {
	t.Parallel()
	points, stride := 0, 1
	if raced {
		stride = 7
	}
	for _, s := range scenarios {
		want, calls := s.play(t, 0, false, true)
		require.Contains(t, want, "payment is "+string(s.state), s.name)
		require.Greater(t, calls, 4, s.name)
		for n := 1; n <= calls; n += stride {
			for _, after := range []bool{false, true} {
				got, asking := s.play(t, n, after, false)
				if got != nothing {
					require.Equal(t, want, got, "%s: died at call %d of %d, after it: %v", s.name, n, calls, after)
				}
				if asking < 0 { // the member got no answer, and asks again
					got, _ = s.play(t, n, after, true)
					require.Equal(t, want, got, "%s: died at call %d of %d, after it: %v; asked again", s.name, n, calls, after)
				}
				points++
			}
		}
	}
	report(t, "crash: %d scenarios, %d points, all recovered", len(scenarios), points)
}

// nothing is how the world ends when the request was never recorded and nobody asked again.
const nothing = "nothing happened"

// play runs a scenario in a world of its own and returns how it ends, and how many calls the first process made: -1 when
// it died before the member had an answer.
func (s scenario) play(t *testing.T, n int, after, again bool) (end string, calls int) {
	t.Helper()
	w := quietWorld(t, s.outside)
	first, second := w.workers[0], w.workers[1]
	link, err := first.service.Link(w.ctx, payments.LinkRequest{Key: "link", Actor: alice, Member: "alice", Method: s.method, Token: s.token})
	require.NoError(t, err)
	if s.funds > 0 {
		source := link
		if s.method != providers.Card {
			source, err = first.service.Link(w.ctx, payments.LinkRequest{Key: "card", Actor: alice, Member: "alice", Method: providers.Card, Token: sandbox.TokenCard})
			require.NoError(t, err)
		}
		_, err = first.service.Deposit(w.ctx, payments.DepositRequest{Key: "funds", Actor: alice, Member: "alice", Amount: cents(s.funds), Instrument: source.ID})
		require.NoError(t, err)
	}
	w.quieten(t, first)
	before := len(w.money.order)
	w.sites[0].far.Script(s.fault)

	calls = first.calls
	first.arm(n, after)
	_, err = s.ask(w, first.service, link.ID)
	unanswered := first.dead
	if first.dead && again {
		_, err = s.ask(w, second.service, link.ID)
	}
	if !first.dead || again {
		require.NoError(t, err, "%s at call %d", s.name, n)
	}
	if len(w.money.order) == before && !s.outside {
		require.False(t, again)
		return nothing, -1
	}
	w.quieten(t, first, second)
	if calls = first.calls - calls; unanswered {
		calls = -1
	}
	for _, check := range []func() *Breach{w.audit, w.settled, w.explained, w.delivered, w.verified} {
		w.workers[0] = second
		w.fail(check())
	}
	if b := w.breach(); b != nil {
		require.Fail(t, b.Error(), "%s at call %d, after it: %v\n%s", s.name, n, after, strings.Join(w.trace.last(), "\n"))
	}
	return w.ending(w.money.order[before:]), calls
}

// quietWorld is a world with one provider, no rules and no faults. With batches, cards are not settled by themselves.
func quietWorld(t *testing.T, batches bool) *world {
	t.Helper()
	settleAfter := 30 * time.Hour
	if batches {
		settleAfter = 0
	}
	w, err := newWorld(Config{Seed: 1, Bare: true})
	require.NoError(t, err)
	w.calm = true
	w.config.Rules, w.limit.Kinds, w.money.limit.Kinds, w.money.verdicts = nil, nil, nil, nil
	far, err := sandbox.New(sandbox.Config{
		Name: "all", Seed: 1, Clock: w.clock, Secret: []byte("whsec_all"), Assets: []currency.Asset{currency.USD},
		CardFee: sandbox.Fee{Fixed: 30}, DisputeFee: sandbox.Fee{Fixed: 1_500}, CardSettleAfter: settleAfter, SettleAfter: 20 * time.Hour, PayoutAfter: 20 * time.Hour,
		KeyRetention: 30 * 24 * time.Hour, // longer than any step, so that nothing is parked
	})
	require.NoError(t, err)
	w.sites = []*site{{name: "all", far: far, assets: fiat[:1]}}
	for i := range w.workers {
		require.NoError(t, w.restart(i))
	}
	return w
}

// steps are how long the clock waits between rounds.
var steps = []time.Duration{20 * time.Second, 3 * time.Minute, 26 * time.Hour}

// quieten lets the first process that is alive work until everything is done.
func (w *world) quieten(t *testing.T, processes ...*process) {
	t.Helper()
	left := ""
	for round := range maxRounds {
		worked := false
		for _, p := range processes {
			if p.dead || worked {
				continue
			}
			w.step(p)
			if !p.dead {
				w.pump(p, 100)
			}
			worked = !p.dead
		}
		if left = w.unfinished(); left == "" {
			return
		}
		// Long enough for leases and time-outs, then for banks. Every step has calls, and every call is a point to die at.
		w.now = w.now.Add(steps[min(round, len(steps)-1)])
	}
	require.Fail(t, "never comes to rest: "+left)
}

// ending is everything that matters of how a world ended.
func (w *world) ending(made []*intent) string {
	var b strings.Builder
	for _, p := range made {
		fmt.Fprintf(&b, "%s's payment is %s: %s of %v, moved %v, %d effects, executed %d\n",
			p.Member, p.state, p.Kind, p.Amount, p.moved(), len(p.Effects), w.sites[0].far.Executed(p.ID))
	}
	usd := currency.USD.ID()
	for _, account := range []struct{ Path string }{
		{payments.WalletAccount("alice", usd).Path},
		{payments.ReceivableAccount("alice", usd).Path},
		{payments.ClearingAccount("all", usd).Path},
		{payments.FeesAccount("all", usd).Path},
		{payments.SuspenseAccount("all", usd).Path},
		{payments.BankAccount(usd).Path},
		{payments.DisputedAccount("all", usd).Path},
	} {
		for id, a := range w.truth.accounts {
			if id.Path == account.Path {
				fmt.Fprintf(&b, "%s: %v, held %v\n", id, a.Posted, a.Held)
			}
		}
	}
	fmt.Fprintf(&b, "%d cases", len(w.money.cases))
	return b.String()
}
