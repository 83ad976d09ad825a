package payments_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// letters are those of DESIGN's table.
var letters = []struct{ path, letter string }{
	{"provider/sandbox/clearing", "C"},
	{"provider/sandbox/fees", "F"},
	{"provider/sandbox/suspense", "X"},
	{"provider/sandbox/disputed", "D"},
	{"bank/settlement", "S"},
	{"position", "P"},
	{"revenue/fees", "V"},
	{"write-offs", "W"},
	{"wallet/", "U"},
	{"receivable/", "R"},
}

func letter(id ledger.AccountID) string {
	for _, l := range letters {
		if strings.HasPrefix(id.Path, l.path) {
			return l.letter
		}
	}
	return id.Path
}

// postings are the transactions recorded since the last call, each as its debits and its credits. Those of
// one entry have no order.
func (e *env) postings() []string {
	e.Helper()
	all := []string{}
	n := 0
	for t, err := range e.book.Transactions(e.ctx, ledger.Query{List: ledger.ListTransactions}) {
		require.NoError(e, err)
		if n++; n <= e.told {
			continue
		}
		side := func(s ledger.Side) string {
			var parts []string
			for _, p := range t.Postings {
				if p.Side != s {
					continue
				}
				part := letter(p.Account) + " " + p.Amount.Number()
				if p.Account.Asset != "USD" {
					part += " " + string(p.Account.Asset)
				}
				parts = append(parts, part)
			}
			slices.Sort(parts)
			return strings.Join(parts, ", ")
		}
		all = append(all, side(ledger.Debit)+" → "+side(ledger.Credit))
	}
	e.told = n
	return all
}

// story is a day in the life of a book, told in postings.
type story struct {
	what string
	do   func(e *env)
	want []string // debit → credit
	u    string   // alice's wallet afterwards: posted, held, owed
}

func plainFees(_ *payments.Config, c *sandbox.Config) {
	c.CardFee = sandbox.Fee{Rate: decimal.RequireFromString("0.03")}
	c.DisputeFee = sandbox.Fee{Fixed: 1_500}
	c.Assets = append(c.Assets, currency.KWD)
}

// The postings of DESIGN section 5's table, one story a row.
func TestPostingsAreThoseOfTheTable(t *testing.T) {
	var p payments.Payment
	var dispute string
	pass := func(d time.Duration) func(*env) { return func(e *env) { e.pass(d) } }
	topUp := func(token string) func(*env) {
		return func(e *env) { p = e.deposit("alice", e.link("alice", token), usd("100.00")) }
	}
	spend := func(a string) func(*env) {
		return func(e *env) {
			_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd(a)})
			require.NoError(e, err)
		}
	}
	open := func(a string, inquiry bool) func(*env) {
		return func(e *env) {
			var err error
			dispute, err = e.sandbox.OpenDispute(p.ID, usd(a), inquiry)
			require.NoError(e, err)
			e.pass(time.Hour)
		}
	}
	decide := func(won bool) func(*env) {
		return func(e *env) { require.NoError(e, e.sandbox.CloseDispute(dispute, won)); e.pass(time.Hour) }
	}
	refund := func(a string) func(*env) {
		return func(e *env) {
			_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: p.ID, Amount: usd(a)})
			require.NoError(e, err)
		}
	}
	for name, days := range map[string][]story{
		"card top-up 100, fee 3, settled": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"settled", func(e *env) {
				_, err := e.sandbox.Settle(currency.USD, sandbox.SettleTerms{})
				require.NoError(e, err)
				e.pass(time.Hour)
			}, []string{"S 97.00 → C 97.00"}, "100.00 0.00 0.00"},
		},
		"batch with a fee of its own, and a monthly fee": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"settled", func(e *env) {
				_, err := e.sandbox.Settle(currency.USD, sandbox.SettleTerms{Fee: usd("0.25")})
				require.NoError(e, err)
				e.pass(time.Hour)
			}, []string{"F 0.25 → C 0.25", "S 96.75 → C 96.75"}, "100.00 0.00 0.00"},
			{"month", func(e *env) {
				_, err := e.sandbox.ChargeFee(usd("9.00"))
				require.NoError(e, err)
				e.pass(time.Hour)
			}, []string{"F 9.00 → C 9.00"}, "100.00 0.00 0.00"},
		},
		"charged in yen, settled in dollars": {
			{"top-up", func(e *env) {
				e.deposit("alice", e.link("alice", sandbox.TokenCard), currency.MustNew(15_000, currency.JPY))
			}, []string{"C 15000 JPY → U 15000 JPY", "F 450 JPY → C 450 JPY"}, "0.00 0.00 0.00"},
			{"settled", func(e *env) {
				rate := currency.MustRate(currency.JPY, currency.USD, decimal.RequireFromString("0.0067"))
				_, err := e.sandbox.Settle(currency.JPY, sandbox.SettleTerms{Rate: rate})
				require.NoError(e, err)
				e.pass(time.Hour)
			}, []string{"P 14550 JPY → C 14550 JPY", "C 97.48 → P 97.48", "S 97.48 → C 97.48"}, "0.00 0.00 0.00"},
		},
		"bank top-up": {
			{"asked", topUp(sandbox.TokenBank), []string{}, "0.00 0.00 0.00"},
			{"moved", pass(30 * time.Hour), []string{"C 100.00 → U 100.00"}, "100.00 100.00 0.00"},
			{"final", pass(80 * time.Hour), []string{}, "100.00 0.00 0.00"},
		},
		"bank top-up that is returned": {
			{"moved", func(e *env) { topUp(sandbox.TokenBankReturned)(e); e.pass(30 * time.Hour) }, []string{"C 100.00 → U 100.00"}, "100.00 100.00 0.00"},
			{"returned", pass(80 * time.Hour), []string{"U 100.00 → C 100.00"}, "0.00 0.00 0.00"},
		},
		"returned after it was spent, and repaid from later income": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"spent", spend("70.00"), []string{"U 70.00 → U 70.00"}, "30.00 0.00 0.00"},
			{"returned", func(e *env) { e.takeBack(p, usd("100.00")) }, []string{"R 70.00, U 30.00 → C 100.00"}, "0.00 0.00 70.00"},
			{"income", func(e *env) {
				_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("bob"), From: "bob", To: "alice", Amount: usd("20.00")})
				require.NoError(e, err)
			}, []string{"U 20.00 → R 20.00"}, "0.00 0.00 50.00"},
			{"top-up again", topUp(sandbox.TokenCard), []string{"C 100.00 → R 50.00, U 50.00", "F 3.00 → C 3.00"}, "50.00 0.00 0.00"},
		},
		"cash out that bounces": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"created", func(e *env) {
				_, err := e.withdraw("alice", e.link("alice", sandbox.TokenBankBounces), usd("60.00"))
				require.NoError(e, err)
			}, []string{}, "100.00 60.00 0.00"},
			{"effect", pass(26 * time.Hour), []string{"U 60.00 → C 60.00"}, "40.00 0.00 0.00"},
			{"bounced", pass(72 * time.Hour), []string{"C 60.00 → U 60.00"}, "100.00 0.00 0.00"},
		},
		"refunds in parts, one of which fails later": {
			{"top-up", topUp(sandbox.TokenCardRefundFails), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"first", refund("30.00"), []string{"U 30.00 → C 30.00"}, "70.00 0.00 0.00"},
			{"second", refund("70.00"), []string{"U 70.00 → C 70.00"}, "0.00 0.00 0.00"},
			{"too much", func(e *env) {
				_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: p.ID, Amount: usd("0.01")})
				require.ErrorIs(e, err, payments.ErrNotRefundable)
			}, []string{}, "0.00 0.00 0.00"},
			{"both fail", pass(72 * time.Hour), []string{"C 30.00 → U 30.00", "C 70.00 → U 70.00"}, "100.00 0.00 0.00"},
			{"again", refund("100.00"), []string{"U 100.00 → C 100.00"}, "0.00 0.00 0.00"},
		},
		"dispute: inquiry": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"inquiry", open("100.00", true), []string{}, "100.00 0.00 0.00"},
			{"refunded", refund("10.00"), []string{"U 10.00 → C 10.00"}, "90.00 0.00 0.00"},
			{"over", decide(true), []string{}, "90.00 0.00 0.00"},
		},
		"dispute: won": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"spent", spend("25.00"), []string{"U 25.00 → U 25.00"}, "75.00 0.00 0.00"},
			{"withdrawn", open("100.00", false), []string{"D 100.00 → C 100.00", "F 15.00 → C 15.00"}, "75.00 75.00 0.00"},
			{"refused", func(e *env) {
				_, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: p.ID, Amount: usd("1.00")})
				require.ErrorIs(e, err, payments.ErrDisputed)
				require.ErrorIs(e, err, payments.ErrDeclined)
			}, []string{}, "75.00 75.00 0.00"},
			{"won", decide(true), []string{"C 100.00 → D 100.00"}, "75.00 0.00 0.00"},
			{"refunded", refund("1.00"), []string{"U 1.00 → C 1.00"}, "74.00 0.00 0.00"},
		},
		"dispute: lost, and won on appeal": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"spent", spend("60.00"), []string{"U 60.00 → U 60.00"}, "40.00 0.00 0.00"},
			{"withdrawn", open("100.00", false), []string{"D 100.00 → C 100.00", "F 15.00 → C 15.00"}, "40.00 40.00 0.00"},
			{"income", func(e *env) {
				_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("bob"), From: "bob", To: "alice", Amount: usd("5.00")})
				require.NoError(e, err)
			}, []string{"U 5.00 → U 5.00"}, "45.00 40.00 0.00"},
			{"lost", decide(false), []string{"U 40.00 → D 40.00", "R 55.00, U 5.00 → D 60.00"}, "0.00 0.00 55.00"},
			{"appeal", decide(true), []string{"C 100.00 → D 100.00", "D 100.00 → R 55.00, U 45.00"}, "45.00 0.00 0.00"},
		},
		"dispute of a bank debit that is not final": {
			{"moved", func(e *env) { topUp(sandbox.TokenBank)(e); e.pass(30 * time.Hour) }, []string{"C 100.00 → U 100.00"}, "100.00 100.00 0.00"},
			{"withdrawn", open("80.00", false), []string{"D 80.00 → C 80.00", "F 15.00 → C 15.00"}, "100.00 100.00 0.00"},
			{"final", pass(80 * time.Hour), []string{}, "100.00 100.00 0.00"},
			{"lost", decide(false), []string{"U 80.00 → D 80.00"}, "20.00 0.00 0.00"},
		},
		"dispute: a part, lost": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"withdrawn", open("30.00", false), []string{"D 30.00 → C 30.00", "F 15.00 → C 15.00"}, "100.00 30.00 0.00"},
			{"lost", decide(false), []string{"U 30.00 → D 30.00"}, "70.00 0.00 0.00"},
			{"rest refunded", refund("70.00"), []string{"U 70.00 → C 70.00"}, "0.00 0.00 0.00"},
		},
		"dispute of what was refunded": {
			{"top-up", topUp(sandbox.TokenCard), []string{"C 100.00 → U 100.00", "F 3.00 → C 3.00"}, "100.00 0.00 0.00"},
			{"refunded", refund("100.00"), []string{"U 100.00 → C 100.00"}, "0.00 0.00 0.00"},
			{"withdrawn", open("100.00", false), []string{"D 100.00 → C 100.00", "F 15.00 → C 15.00"}, "0.00 0.00 0.00"},
			{"lost", decide(false), []string{"R 100.00 → D 100.00"}, "0.00 0.00 100.00"},
			{"case", func(e *env) { require.Contains(e, e.cases()[p.ID], "disputed_and_refunded") }, []string{}, "0.00 0.00 100.00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, plainFees)
			for _, day := range days {
				day.do(e)
				require.ElementsMatch(t, day.want, e.postings(), day.what)
				w := e.wallet("alice", currency.USD)
				require.Equal(t, day.u, fmt.Sprintf("%s %s %s", w.Posted.Number(), w.Held.Number(), w.Owes.Number()), day.what)
			}
			e.balanced()
			if !strings.HasPrefix(name, "returned after") { // told through a poll of its own
				e.sound()
			}
		})
	}
}

// balanced: the trial balance is zero in every asset.
func (e *env) balanced() {
	e.Helper()
	b, err := e.book.TrialBalance(e.ctx, ledger.AsOf{})
	require.NoError(e, err)
	require.True(e, b.Balanced())
}
