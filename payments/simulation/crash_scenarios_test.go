package simulation

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// This file is what the tests of crashes play.

var alice, bob = payments.Member("alice"), payments.Member("bob")

func cents(n int64) currency.Amount { return currency.MustNew(n, currency.USD) }

func gwei(n int64) currency.Amount { return currency.MustNew(n*1_000_000_000, ether) }

// is is how the payment of a scenario ends.
func is(s payments.State) string { return "payment is " + string(s) }

const card, bank, chain = providers.Card, providers.Bank, providers.Chain

var reviewed = []verdict{{code: payments.ErrReview, of: 1, kinds: []payments.Kind{payments.Send, payments.Exchange, payments.Withdrawal}}}

var scenarios = []scenario{
	{name: "card link", ends: is(payments.Succeeded), ask: linkCard(sandbox.TokenCard)},
	{name: "card link, refused", ends: is(payments.Failed), ask: linkCard(sandbox.TokenCardRefused)},
	{name: "card deposit", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, ask: takeIn},
	{name: "card deposit, declined", ends: is(payments.Failed), method: card, token: sandbox.TokenCardDeclined, ask: takeIn},
	{name: "card deposit, lost answer", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, fault: sandbox.LostResponse, ask: takeIn},
	{name: "card deposit, lost request", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, fault: sandbox.LostRequest, ask: takeIn},
	{name: "card deposit, slow", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, fault: sandbox.SlowRequest, ask: takeIn},
	{name: "card deposit, garbage", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, fault: sandbox.Garbage, ask: takeIn},
	{name: "card deposit, 429", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, fault: sandbox.RateLimit, ask: takeIn},
	{name: "card deposit, another amount", ends: "1 cases, 1 open", method: card, token: sandbox.TokenCard, fault: sandbox.WrongAmount, ask: takeIn},
	{name: "card deposit that nobody approves", ends: is(payments.Failed), method: card, token: sandbox.TokenCardAction, ask: takeIn},
	{name: "bank deposit", ends: is(payments.Succeeded), method: bank, token: sandbox.TokenBank, ask: takeIn},
	{name: "bank deposit, returned", ends: is(payments.Reversed), method: bank, token: sandbox.TokenBankReturned, ask: takeIn},
	{name: "bank deposit, fails late", ends: is(payments.Failed), method: bank, token: sandbox.TokenBankFails, ask: takeIn},
	{name: "deposit into a frozen wallet", ends: "1 cases, 1 open", method: card, token: sandbox.TokenCard, prepare: frozen, ask: takeIn},
	{name: "withdrawal", ends: is(payments.Succeeded), method: bank, token: sandbox.TokenBank, funds: 4_000, ask: payOut},
	{name: "withdrawal, bounced", ends: is(payments.Reversed), method: bank, token: sandbox.TokenBankBounces, funds: 4_000, ask: payOut},
	{name: "withdrawal, fails late", ends: is(payments.Failed), method: bank, token: sandbox.TokenBankFails, funds: 4_000, ask: payOut},
	{name: "withdrawal, lost answer", ends: is(payments.Succeeded), method: bank, token: sandbox.TokenBank, funds: 4_000, fault: sandbox.LostResponse, ask: payOut},
	{name: "withdrawal, lost request", ends: is(payments.Succeeded), method: bank, token: sandbox.TokenBank, funds: 4_000, fault: sandbox.LostRequest, ask: payOut},
	{name: "withdrawal, rejected", ends: is(payments.Failed), method: bank, token: sandbox.TokenBank, funds: 4_000, fault: sandbox.Reject, ask: payOut},
	{name: "withdrawal, no connection", ends: is(payments.Succeeded), method: bank, token: sandbox.TokenBank, funds: 4_000, fault: sandbox.Refuse, ask: payOut},
	{name: "withdrawal that a person approves", ends: "clearing USD: -25.00 USD", method: bank, token: sandbox.TokenBank, funds: 4_000, rules: reviewed, prepare: waiting(payOut), ask: person(payments.Approve)},
	{name: "withdrawal that a person denies", ends: "0 open", method: bank, token: sandbox.TokenBank, funds: 4_000, rules: reviewed, prepare: waiting(payOut), ask: person(payments.Deny)},
	{name: "refund", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, funds: 4_000, ask: giveBack},
	{name: "refund that comes back", ends: is(payments.Reversed), prepare: deposited(card, sandbox.TokenCardRefundFails), ask: giveBack},
	{name: "refund, lost answer", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCard, funds: 4_000, fault: sandbox.LostResponse, ask: giveBack},
	{name: "dispute that is lost", ends: is(payments.Reversed), method: card, token: sandbox.TokenCardDisputeLost, ask: takeIn},
	{name: "dispute that is won", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCardDisputeWon, ask: takeIn},
	{name: "dispute that is won on appeal", ends: is(payments.Succeeded), method: card, token: sandbox.TokenCardDisputeAppeals, ask: takeIn},
	{name: "settlement of a batch", ends: is(payments.Succeeded), funds: 4_000, conf: batches, ask: settleBatch(sandbox.SettleTerms{Fee: cents(25)}), outside: true},
	{name: "settlement in another currency", ends: "bank/settlement EUR", funds: 4_000, conf: batches, ask: settleBatch(sandbox.SettleTerms{Rate: currency.MustRate(currency.USD, currency.EUR, worth["USD"].Div(worth["EUR"]).Round(4))}), outside: true},
	{name: "monthly fee", ends: "fees USD", funds: 4_000, ask: monthlyFee, outside: true},
	{name: "stray money", ends: "1 cases, 1 open", ask: strayMoney, outside: true},
	{name: "bank address", ends: is(payments.Succeeded), ask: address(cents(100))},
	{name: "transfer to a bank address", ends: is(payments.Succeeded), prepare: addressed(cents(100)), ask: arrival(cents(700)), outside: true},
	{name: "chain deposit", ends: is(payments.Succeeded), prepare: addressed(gwei(1)), ask: arrival(gwei(5)), outside: true},
	{name: "chain deposit that is mined again", ends: "clearing eip155:1/slip44:60: 0.009", restless: true, prepare: credited, ask: reorganised(false), outside: true},
	{name: "chain deposit that is lost", ends: "wallet/bob", restless: true, prepare: credited, ask: reorganised(true), outside: true},
	{name: "chain withdrawal", ends: is(payments.Succeeded), restless: true, prepare: credited, ask: payOutEther("0x52908400098527886E0F7030069857D2E4169EE7")},
	{name: "chain withdrawal that reverts", ends: is(payments.Failed), restless: true, prepare: credited, ask: payOutEther(sandbox.AddressReverts)},
	{name: "send", ends: is(payments.Succeeded), funds: 4_000, ask: sendOn},
	{name: "tip", ends: is(payments.Succeeded), funds: 4_000, ask: tipOn},
	{name: "send that is given back", ends: "wallet/alice USD: 40.00 USD, held 0.00 USD", funds: 4_000, prepare: sent1, ask: undo},
	{name: "send that is given back to a debtor", ends: "clearing USD: -40.00 USD, held 0.00 USD, frozen false\nprovider/all/fees USD: 15.30 USD, held 0.00 USD, frozen false\n0 cases", prepare: indebtedSender, ask: undo},
	{name: "send that a person approves", ends: "wallet/bob USD", funds: 4_000, rules: reviewed, prepare: waiting(sendOn), ask: person(payments.Approve)},
	{name: "exchange", ends: is(payments.Succeeded), funds: 4_000, ask: exchangeIt},
	{name: "exchange that a person approves", ends: "wallet/alice EUR", funds: 4_000, rules: reviewed, prepare: waiting(exchangeIt), ask: person(payments.Approve)},
	{name: "exchange at a quote", ends: is(payments.Succeeded), restless: true, funds: 4_000, prepare: promised, ask: takeQuote},
	{name: "exchange at a quote that a person approves", ends: "wallet/alice EUR", funds: 4_000, rules: reviewed, prepare: waitingQuoted, ask: person(payments.Approve)},
	{name: "coins that are issued", ends: is(payments.Succeeded), ask: issueCoins},
	{name: "case that is assigned", ends: "wallet/bob USD", prepare: suspended, ask: personFor(payments.AssignTo, "bob")},
	{name: "case that is written off", ends: "write-offs USD", prepare: suspended, ask: person(payments.WriteOff)},
	{name: "case that is returned", ends: "refund of 25.00 USD", prepare: suspended, ask: person(payments.Return)},
	{name: "payment that never happened", ends: "0 open", method: bank, token: sandbox.TokenBank, funds: 4_000, conf: keyless, prepare: parked, ask: person(payments.NeverHappened)},
	{name: "debt that is forgiven", ends: "write-offs USD", prepare: indebted, ask: forgive},
	{name: "wallet that is frozen", ends: "frozen true", funds: 4_000, ask: freezeIt},
}

// --- before

func (st *stage) link(method providers.Method, token string) string {
	st.Helper()
	i, err := st.first.service.Link(st.ctx, payments.LinkRequest{Key: "link " + token, Actor: alice, Member: "alice", Method: method, Token: token})
	require.NoError(st, err)
	return i.ID
}

func (st *stage) fund(units int64) {
	st.Helper()
	_, err := st.first.service.Deposit(st.ctx, payments.DepositRequest{
		Key: "funds", Actor: alice, Member: "alice", Amount: cents(units), Instrument: st.link(card, sandbox.TokenCard),
	})
	require.NoError(st, err)
}

func frozen(st *stage) string {
	card := st.link(card, sandbox.TokenCard)
	require.NoError(st, st.first.service.OpenWallet(st.ctx, alice, "alice", currency.USD))
	require.NoError(st, st.first.service.Freeze(st.ctx, payments.Platform(), "freeze", "alice", "USD", true))
	return card
}

// suspended is a deposit whose money is in suspense; it returns its case.
func suspended(st *stage) string {
	require.NoError(st, takeIn(st, st.first.service, frozen(st)))
	return st.money.order[len(st.money.order)-1].ID
}

func deposited(method providers.Method, token string) func(*stage) string {
	return func(st *stage) string {
		i := st.link(method, token)
		_, err := st.first.service.Deposit(st.ctx, payments.DepositRequest{Key: "funds", Actor: alice, Member: "alice", Amount: cents(4_000), Instrument: i})
		require.NoError(st, err)
		return i
	}
}

func waiting(ask func(*stage, *payments.Service, string) error) func(*stage) string {
	return func(st *stage) string {
		to := ""
		if all := st.instruments("alice"); len(all) > 0 {
			to = all[0].ID
		}
		require.NoError(st, ask(st, st.first.service, to))
		return st.money.order[len(st.money.order)-1].ID
	}
}

func parked(st *stage) string {
	st.far.Script(sandbox.LostRequest)
	return waiting(payOut)(st)
}

// indebted is a deposit that was spent and then taken back.
func indebted(st *stage) string {
	require.NoError(st, takeIn(st, st.first.service, st.link(card, sandbox.TokenCardDisputeLost)))
	require.NoError(st, sendOn(st, st.first.service, ""))
	return ""
}

// indebtedSender is a send whose payer owes since.
func indebtedSender(st *stage) string {
	indebted(st)
	id := st.money.order[len(st.money.order)-1].ID
	st.settleDown(st.first)
	return id
}

func addressed(a currency.Amount) func(*stage) string {
	return func(st *stage) string {
		require.NoError(st, address(a)(st, st.first.service, ""))
		st.settleDown(st.first)
		return st.addresses()[0].Instrument
	}
}

// credited is ether that came in and is not final yet.
func credited(st *stage) string {
	to := addressed(gwei(1))(st)
	tx, err := st.far.SendTo(to, gwei(9_000_000))
	require.NoError(st, err)
	for range 5 {
		st.now = st.now.Add(time.Minute)
		st.step(st.first)
	}
	require.Equal(st, gwei(9_000_000), st.available("alice", ether))
	require.NoError(st, sendEther(st, st.first.service))
	return tx
}

func sendEther(st *stage, s *payments.Service) error {
	_, err := s.Send(st.ctx, payments.TransferRequest{Key: "some", Actor: alice, From: "alice", To: "bob", Amount: gwei(2_000_000)})
	return err
}

func sent1(st *stage) string {
	require.NoError(st, sendOn(st, st.first.service, ""))
	return st.money.order[len(st.money.order)-1].ID
}

func batches(c *sandbox.Config) { c.CardSettleAfter = 0 } // cards are not settled by themselves

func keyless(c *sandbox.Config) { c.NoKeys = true }

// --- asking

func linkCard(token string) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, _ string) error {
		_, err := s.Link(st.ctx, payments.LinkRequest{Key: "it", Actor: alice, Member: "alice", Method: card, Token: token})
		return err
	}
}

func takeIn(st *stage, s *payments.Service, instrument string) error {
	_, err := s.Deposit(st.ctx, payments.DepositRequest{Key: "in", Actor: alice, Member: "alice", Amount: cents(2_500), Instrument: instrument})
	return err
}

func payOut(st *stage, s *payments.Service, instrument string) error {
	_, err := s.Withdraw(st.ctx, payments.WithdrawRequest{Key: "out", Actor: alice, Member: "alice", Amount: cents(2_500), To: instrument})
	return err
}

func payOutEther(to string) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, _ string) error {
		_, err := s.Withdraw(st.ctx, payments.WithdrawRequest{Key: "out", Actor: alice, Member: "alice", Amount: gwei(3_000_000), To: to})
		return err
	}
}

func giveBack(st *stage, s *payments.Service, _ string) error {
	deposit := st.some(func(p *intent) bool { return p.Kind == payments.Deposit })
	_, err := s.Refund(st.ctx, payments.RefundRequest{Key: "back", Actor: alice, Of: deposit[0].ID, Amount: cents(1_200)})
	return err
}

func undo(st *stage, s *payments.Service, id string) error {
	_, err := s.Refund(st.ctx, payments.RefundRequest{Key: "undo", Actor: bob, Of: id})
	return err
}

func sendOn(st *stage, s *payments.Service, _ string) error {
	_, err := s.Send(st.ctx, payments.TransferRequest{Key: "send", Actor: alice, From: "alice", To: "bob", Amount: cents(2_000)})
	return err
}

func tipOn(st *stage, s *payments.Service, _ string) error {
	_, err := s.Tip(st.ctx, payments.TransferRequest{Key: "tip", Actor: alice, From: "alice", To: "bob", Amount: cents(2_000)})
	return err
}

func exchangeIt(st *stage, s *payments.Service, _ string) error {
	_, err := s.Exchange(st.ctx, payments.ExchangeRequest{Key: "swap", Actor: alice, Member: "alice", Amount: cents(1_000), To: "EUR"})
	return err
}

// promised is the price of an exchange; it returns the quote.
func promised(st *stage) string {
	q, err := st.first.service.QuoteExchange(st.ctx, payments.ExchangeQuoteRequest{Actor: alice, Bought: currency.MustNew(900, currency.EUR), From: "USD"})
	require.NoError(st, err)
	return q.ID
}

func waitingQuoted(st *stage) string {
	quote := promised(st)
	return waiting(func(st *stage, s *payments.Service, _ string) error { return takeQuote(st, s, quote) })(st)
}

func takeQuote(st *stage, s *payments.Service, quote string) error {
	_, err := s.Exchange(st.ctx, payments.ExchangeRequest{Key: "swap", Actor: alice, Quote: quote})
	return err
}

func issueCoins(st *stage, s *payments.Service, _ string) error {
	_, err := s.Issue(st.ctx, payments.IssueRequest{Key: "issue", Actor: payments.Platform(), Amount: currency.MustNew(500, coin)})
	return err
}

func freezeIt(st *stage, s *payments.Service, _ string) error {
	return s.Freeze(st.ctx, payments.Platform(), "freeze", "alice", "USD", true)
}

func forgive(st *stage, s *payments.Service, _ string) error {
	_, err := s.Forgive(st.ctx, payments.ForgiveRequest{Key: "forgive", Actor: payments.Platform(), Member: "alice", Amount: cents(1_500), By: "ann", Note: "bad luck"})
	return err
}

func person(action payments.Resolution) func(*stage, *payments.Service, string) error {
	return personFor(action, "")
}

func personFor(action payments.Resolution, member string) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, id string) error {
		_, err := s.Resolve(st.ctx, payments.ResolveRequest{Key: "decide", Actor: payments.Platform(), Case: id, Action: action, Member: member, By: "ann", Note: "because"})
		return err
	}
}

func address(a currency.Amount) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, _ string) error {
		_, err := s.Deposit(st.ctx, payments.DepositRequest{Key: "address", Actor: alice, Member: "alice", Amount: a})
		return err
	}
}

// --- what begins outside happens once, however often a process looks for it.

func once(st *stage, do func() error) {
	if st.number == 0 {
		st.number = 1
		require.NoError(st, do())
	}
}

func working(st *stage, s *payments.Service) error {
	_, _ = s.Step(st.ctx) // whoever takes over does the rest
	return nil
}

func settleBatch(terms sandbox.SettleTerms) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, _ string) error {
		once(st, func() error { _, err := st.far.Settle(currency.USD, terms); return err })
		return working(st, s)
	}
}

func monthlyFee(st *stage, s *payments.Service, _ string) error {
	once(st, func() error { _, err := st.far.ChargeFee(cents(77)); return err })
	return working(st, s)
}

func strayMoney(st *stage, s *payments.Service, _ string) error {
	once(st, func() error { _, err := st.far.SendStray(bank, cents(77)); return err })
	return working(st, s)
}

func arrival(a currency.Amount) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, to string) error {
		once(st, func() error { _, err := st.far.SendTo(to, a); return err })
		return working(st, s)
	}
}

func reorganised(lost bool) func(*stage, *payments.Service, string) error {
	return func(st *stage, s *payments.Service, tx string) error {
		once(st, func() error {
			if lost {
				return st.far.Reorganise(8, tx)
			}
			return st.far.Reorganise(8)
		})
		return working(st, s)
	}
}
