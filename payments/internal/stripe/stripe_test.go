package stripe_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

const day = 24 * time.Hour

// mails are the ways that webhooks travel. In each world they also come once before the response.
var mails = map[string]stripetest.Mail{
	"in order":                  {},
	"three times and shuffled":  {Copies: 3, Shuffle: 1},
	"hours late and shuffled":   {Copies: 2, Delay: 7 * time.Hour, Shuffle: 2},
	"days late, after the poll": {Copies: 2, Delay: 3 * day, Shuffle: 3},
}

func TestStories(t *testing.T) {
	for name, mail := range mails {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, mail)
			for _, story := range []struct {
				name string
				tell func(*world)
			}{
				{"card top-up", cardTopUp},
				{"3-D Secure", threeDSecure},
				{"debit returned after the money was spent", returnedDebit},
				{"two partial refunds and a chargeback", chargeback},
				{"payout that bounces three days later", bouncedPayout},
				{"transfer", transfer},
				{"answers that are lost", lostAnswers},
				{"wallet that is frozen, full or closed", frozenWallet},
				{"charged in yen, settled in dollars", yen},
				{"fees and settlement", settlement},
			} {
				inner := *w
				t.Run(story.name, func(t *testing.T) {
					inner.T = t
					story.tell(&inner)
				})
				w.keys, w.sent = inner.keys, inner.sent
			}
			w.pass(40 * day)
			w.sound(0)
			t.Logf("%d webhooks, %d of them before the response; %d operations at Stripe; %d movements reconciled; cases: %s",
				w.hooks.delivered.Load(), w.hooks.early.Load(), len(w.sent), w.matched, w.cases())
		})
	}
}

func cardTopUp(w *world) {
	card := w.link("alice", providers.Card, stripetest.Card)
	p := w.deposit("alice", card, usd("100.00"))
	assert.Equal(w, payments.Succeeded, p.State)
	w.has("alice", "100.00", "0.00", "0.00")
	w.work()
	w.has("alice", "100.00", "0.00", "0.00")
	assert.Equal(w, "3.20", w.posted(payments.FeesAccount("stripe", "USD")), "2.9 % and 30 cents")
	w.sound(0)
	declined := w.deposit("alice", w.link("alice", providers.Card, stripetest.CardDeclined), usd("10.00"))
	assert.Equal(w, payments.Failed, declined.State)
	assert.Equal(w, "card_declined", declined.Reason.Code)
	w.sound(0)
}

func threeDSecure(w *world) {
	card := w.link("bob", providers.Card, stripetest.Card3DS)
	for _, approve := range []bool{true, false} {
		p := w.deposit("bob", card, usd("50.00"))
		require.Equal(w, payments.ActionRequired, p.State)
		require.NotNil(w, p.Action)
		assert.Contains(w, p.Action.Secret, "_secret_")
		again, err := w.svc.Advance(w.ctx, payments.Member("bob"), p.ID)
		require.NoError(w, err)
		assert.Equal(w, p.Action, again.Action, "it can be had again")
		w.sound(1)
		if approve {
			require.NoError(w, w.far.Approve(p.ID))
		} else {
			require.NoError(w, w.far.Deny(p.ID))
		}
		w.pass(4 * day)
		assert.Equal(w, map[bool]payments.State{true: payments.Succeeded, false: payments.Failed}[approve], w.state(p))
		w.has("bob", "50.00", "0.00", "0.00")
		w.sound(0)
	}
}

func returnedDebit(w *world) {
	bank := w.link("carol", providers.Bank, "ctoken_"+stripetest.BankReturned)
	p := w.deposit("carol", bank, usd("200.00"))
	assert.Equal(w, payments.Pending, p.State)
	w.has("carol", "0.00", "0.00", "0.00")
	w.sound(1)
	w.pass(stripetest.DebitAfter + 3*time.Hour)
	w.has("carol", "200.00", "200.00", "0.00")
	_, err := w.svc.Send(w.ctx, payments.TransferRequest{Key: w.key(), Actor: payments.Member("carol"), To: "dave", Amount: usd("150.00")})
	require.ErrorIs(w, err, ledger.ErrInsufficientFunds, "it is provisional")
	w.pass(day + 6*time.Hour)
	w.has("carol", "200.00", "0.00", "0.00")
	_, err = w.svc.Send(w.ctx, payments.TransferRequest{Key: w.key(), Actor: payments.Member("carol"), To: "dave", Amount: usd("150.00")})
	require.NoError(w, err)
	w.pass(4 * day)
	assert.Equal(w, payments.Reversed, w.state(p))
	w.has("carol", "0.00", "0.00", "150.00")
	w.has("dave", "150.00", "0.00", "0.00")
	w.sound(0)
	w.deposit("carol", w.link("carol", providers.Card, stripetest.Card), usd("160.00"))
	w.has("carol", "10.00", "0.00", "0.00")
}

func chargeback(w *world) {
	p := w.deposit("erin", w.link("erin", providers.Card, stripetest.Card), usd("100.00"))
	one, two := w.refund(p, usd("30.00")), w.refund(p, usd("20.00"))
	w.pass(day)
	assert.Equal(w, []payments.State{payments.Succeeded, payments.Succeeded}, []payments.State{w.state(one), w.state(two)})
	_, err := w.svc.Send(w.ctx, payments.TransferRequest{Key: w.key(), Actor: payments.Member("erin"), To: "dave", Amount: usd("15.00")})
	require.NoError(w, err)
	w.has("erin", "35.00", "0.00", "0.00")
	w.sound(0)
	disputed := payments.DisputedAccount("stripe", "USD")
	before := w.far.Balance("usd")
	require.NoError(w, w.far.Dispute(p.ID, 50_00))
	w.pass(4 * day)
	assert.Equal(w, int64(65_00), before-w.far.Balance("usd"), "what is disputed, and 15 for the trouble")
	assert.Equal(w, "50.00", w.posted(disputed))
	w.has("erin", "35.00", "35.00", "0.00")
	_, err = w.svc.Refund(w.ctx, payments.RefundRequest{Key: w.key(), Actor: payments.Member("erin"), Of: p.ID, Amount: usd("1.00")})
	require.ErrorIs(w, err, payments.ErrDisputed)
	w.sound(0)
	require.NoError(w, w.far.CloseDispute(p.ID, false))
	w.pass(4 * day)
	assert.Equal(w, "0.00", w.posted(disputed))
	w.has("erin", "0.00", "0.00", "15.00")
	w.sound(0)
	require.NoError(w, w.far.CloseDispute(p.ID, true), "on appeal")
	w.pass(4 * day)
	assert.Equal(w, "0.00", w.posted(disputed))
	w.has("erin", "35.00", "0.00", "0.00")
	w.sound(0)
}

// yen are charged in one currency and settled in another.
func yen(w *world) {
	a := currency.MustParse("10000", currency.JPY)
	p := w.deposit("lena", w.link("lena", providers.Card, stripetest.Card), a)
	w.pass(4 * day)
	assert.Equal(w, payments.Succeeded, w.state(p))
	assert.Equal(w, "10000", w.posted(payments.WalletAccount("lena", "JPY")))
	assert.Equal(w, "0", w.posted(payments.ClearingAccount("stripe", "JPY")))
	w.sound(0)
	back := w.refund(p, currency.MustParse("4000", currency.JPY))
	w.pass(4 * day)
	assert.Equal(w, payments.Succeeded, w.state(back))
	assert.Equal(w, "6000", w.posted(payments.WalletAccount("lena", "JPY")))
	assert.Equal(w, "0", w.posted(payments.ClearingAccount("stripe", "JPY")))
	w.sound(0)
}

func bouncedPayout(w *world) {
	w.deposit("frank", w.link("frank", providers.Card, stripetest.Card), usd("80.00"))
	out := w.withdraw("frank", w.link("frank", providers.Bank, stripetest.PayoutBankBounces), usd("60.00"))
	w.pass(stripetest.PayoutAfter + 3*time.Hour)
	assert.Equal(w, payments.Succeeded, w.state(out))
	w.has("frank", "20.00", "0.00", "0.00")
	w.sound(0)
	w.pass(stripetest.BounceAfter + 4*day)
	assert.Equal(w, payments.Reversed, w.state(out))
	w.has("frank", "80.00", "0.00", "0.00")
	w.sound(0)
}

func transfer(w *world) {
	w.deposit("grace", w.link("grace", providers.Card, stripetest.Card), usd("80.00"))
	out := w.withdraw("grace", w.link("grace", providers.Bank, stripetest.Account), usd("60.00"))
	assert.Equal(w, payments.Succeeded, out.State)
	w.has("grace", "20.00", "0.00", "0.00")
	require.NoError(w, w.far.ReverseTransfer(out.ID, 60_00))
	w.pass(4 * day)
	w.has("grace", "80.00", "0.00", "0.00")
	w.sound(0)
}

func lostAnswers(w *world) {
	for i, f := range []stripetest.Fault{
		stripetest.LostRequest, stripetest.LostResponse, stripetest.StoredError, stripetest.ServerError, stripetest.ServerError, stripetest.Garbage,
		stripetest.Garbage, stripetest.TooManyRequests, stripetest.Forbidden, stripetest.Refuse, stripetest.LateRequest,
	} {
		member := fmt.Sprintf("heidi%d", i)
		w.far.Script(f)
		card := w.link(member, providers.Card, stripetest.Card)
		w.far.Script(f)
		p := w.deposit(member, card, usd("40.00"))
		w.pass(day)
		require.Equal(w, payments.Succeeded, w.state(p), "fault %d", f)
		w.has(member, "40.00", "0.00", "0.00")
		w.far.Script(f)
		account := w.link(member, providers.Bank, stripetest.Account)
		out := w.withdraw(member, account, usd("15.00"))
		w.far.Script(f)
		back := w.refund(p, usd("5.00"))
		w.pass(day)
		require.Equal(w, []payments.State{payments.Succeeded, payments.Succeeded}, []payments.State{w.state(out), w.state(back)}, "fault %d", f)
		w.has(member, "20.00", "0.00", "0.00")
		w.far.Script()
		w.sound(0)
	}
}

// frozenWallet is about facts that a wallet cannot take: it is frozen, closed, or at its ceiling.
func frozenWallet(w *world) {
	set := func(member string, change ledger.SetAccount) error {
		change.Account = payments.WalletAccount(member, "USD")
		_, err := w.book.Record(w.ctx, ledger.Entry{Key: w.key(), Commands: []ledger.Command{change}})
		return err
	}
	ceiling := usd("10.00")
	for member, shut := range map[string]func() error{
		"ivan": func() error { return w.svc.Freeze(w.ctx, payments.Platform(), w.key(), "ivan", "USD", true) },
		"judy": func() error { return set("judy", ledger.SetAccount{Ceiling: &ceiling}) },
		"karl": func() error {
			_, err := w.svc.Send(w.ctx, payments.TransferRequest{Key: w.key(), Actor: payments.Member("karl"), To: "dave", Amount: usd("10.00")})
			if err != nil {
				return err
			}
			return set("karl", ledger.SetAccount{Closed: new(true)})
		},
	} {
		card := w.link(member, providers.Card, stripetest.Card3DS)
		w.deposit(member, w.link(member, providers.Card, stripetest.Card), usd("10.00"))
		p := w.deposit(member, card, usd("33.00"))
		require.NoError(w, shut())
		before := currency.MustParse(w.posted(payments.SuspenseAccount("stripe", "USD")), currency.USD)
		require.NoError(w, w.far.Approve(p.ID))
		w.pass(4 * day)
		assert.Equal(w, payments.Succeeded, w.state(p), member)
		had := "10.00"
		if member == "karl" {
			had = "0.00"
		}
		w.has(member, had, "0.00", "0.00")
		more, err := currency.MustParse(w.posted(payments.SuspenseAccount("stripe", "USD")), currency.USD).Sub(before)
		require.NoError(w, err)
		assert.Equal(w, usd("33.00"), more, "%s: it is in suspense", member)
		w.sound(0)
	}
	assert.Contains(w, w.cases(), "not_taken")
}

func settlement(w *world) {
	w.far.PayByHand(12_00, "usd")
	w.far.ChargeFee(2_50, "usd")
	w.pass(6 * day)
	w.sound(0)
	assert.Contains(w, w.cases(), "unattributed")
	require.NoError(w, w.far.Sweep("usd"))
	w.pass(6 * day)
	assert.Zero(w, w.far.Balance("usd"))
	w.sound(0)
}
