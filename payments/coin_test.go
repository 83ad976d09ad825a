package payments_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

func coins(s string) currency.Amount { return currency.MustParse(s, coin) }

// coinEnv sells a coin for a cent and redeems it for 0.7 of one.
func coinEnv(t *testing.T) *env {
	t.Helper()
	return newEnv(t, func(c *payments.Config, s *sandbox.Config) {
		s.CardFee = sandbox.Fee{}
		c.Rates = payments.FixedRates(
			currency.MustRate(currency.USD, coin, decimal.RequireFromString("100")),
			currency.MustRate(coin, currency.USD, decimal.RequireFromString("0.007")),
		)
	})
}

func (e *env) exchange(member string, a currency.Amount, to currency.Asset) (payments.Payment, error) {
	return e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: e.key(), Actor: payments.Member(member), Amount: a, To: to.ID()})
}

func (e *env) issue(a currency.Amount) (payments.Payment, error) {
	return e.svc.Issue(e.ctx, payments.IssueRequest{Key: e.key(), Actor: payments.Platform(), Amount: a})
}

func (e *env) burn(a currency.Amount) (payments.Payment, error) {
	return e.svc.Burn(e.ctx, payments.BurnRequest{Key: e.key(), Actor: payments.Platform(), Amount: a})
}

// held is what everybody has of the coin: members, and the platform in its position, its fees and what nobody owns yet.
func (e *env) held() currency.Amount {
	e.Helper()
	sum := currency.Zero(coin)
	for a, err := range e.book.Accounts(e.ctx, ledger.Query{}) {
		require.NoError(e, err)
		if a.ID.Asset != coin.ID() || a.ID == payments.SupplyAccount(coin.ID()) {
			continue
		}
		posted := a.Posted
		if a.Type == ledger.Asset || a.Type == ledger.Expense {
			posted, err = posted.Neg()
			require.NoError(e, err)
		}
		sum, err = sum.Add(posted)
		require.NoError(e, err)
	}
	return sum
}

func TestCoinIsIssuedSoldRedeemedAndBurned(t *testing.T) {
	e := coinEnv(t)
	e.fund("alice", usd("10.00"))
	_, err := e.burn(coins("1.00"))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds, "there is none")
	p, err := e.issue(coins("1000.00"))
	require.NoError(t, err)
	require.Equal(t, payments.Issue, p.Kind)
	p, err = e.exchange("alice", usd("2.00"), coin)
	require.NoError(t, err)
	require.Equal(t, coins("200.00"), p.Bought)
	_, err = e.burn(coins("800.01"))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds, "what members have is theirs")
	_, err = e.tip(e.key(), "alice", "bob", coins("100.00"))
	require.NoError(t, err)
	e.postings()
	p, err = e.exchange("bob", coins("95.00"), currency.USD)
	require.NoError(t, err)
	require.Equal(t, usd("0.66"), p.Bought, "0.665 rounded down")
	require.Len(t, e.postings(), 1)
	e.hasWallet("bob", "0.66", "0.00", "0.00")
	p, err = e.burn(coins("895.00"))
	require.NoError(t, err)
	require.Equal(t, []any{payments.Burn, payments.Succeeded, coins("895.00")}, []any{p.Kind, p.State, p.Moved})
	require.Equal(t, []string{"P 895.00 app:kosh-test/coin → supply 895.00 app:kosh-test/coin"}, e.postings())
	require.Equal(t, "105.00", e.posted(payments.SupplyAccount(coin.ID())), "alice has 100 and the platform its 5 %")
	require.Equal(t, coins("105.00"), e.held())

	request := payments.BurnRequest{Key: "b", Actor: payments.Member("alice"), Amount: coins("1.00")}
	_, err = e.svc.Burn(e.ctx, request)
	require.ErrorIs(t, err, payments.ErrForbidden)
	_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Platform(), Of: p.ID})
	require.Error(t, err, "what is burned is gone")
	e.sound()
}

// After every step of random sequences: supply = Σ issued − Σ burned = Σ held by all, and what was refused changed none of them.
func TestCoinSupplyIsIssuedLessBurned(t *testing.T) {
	members := []string{"alice", "bob", "carol"}
	done := map[string]int{}
	for seed := range uint64(10) {
		dice := rand.New(rand.NewPCG(seed, 7))
		e := coinEnv(t)
		for _, m := range members {
			e.fund(m, usd("100.00"))
		}
		issued, burned := coins("0.00"), coins("0.00")
		var tips []payments.Payment
		some := func(a currency.Asset) currency.Amount { return currency.MustNew(dice.Int64N(20_000)+1, a) }
		for range 120 {
			m := members[dice.IntN(len(members))]
			other := members[dice.IntN(len(members))]
			var p payments.Payment
			var err error
			what := []string{"issue", "burn", "sell", "redeem", "tip", "send", "undo", "freeze"}[dice.IntN(8)]
			switch what {
			case "issue":
				if p, err = e.issue(some(coin)); err == nil {
					issued, err = issued.Add(p.Amount)
					require.NoError(t, err)
				}
			case "burn":
				if p, err = e.burn(some(coin)); err == nil {
					burned, err = burned.Add(p.Amount)
					require.NoError(t, err)
				}
			case "sell":
				_, err = e.exchange(m, currency.MustNew(dice.Int64N(200)+1, currency.USD), coin)
			case "redeem":
				_, err = e.exchange(m, some(coin), currency.USD)
			case "tip":
				if p, err = e.tip(e.key(), m, other, some(coin)); err == nil {
					tips = append(tips, p)
				}
			case "send":
				_, err = e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member(m), To: other, Amount: some(coin)})
			case "undo":
				if len(tips) == 0 {
					continue
				}
				of := tips[dice.IntN(len(tips))]
				_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member(of.Counterparty), Of: of.ID})
			case "freeze":
				if e.wallet(m, coin).Asset == nil {
					continue
				}
				_ = e.svc.Freeze(e.ctx, payments.Platform(), e.key(), m, coin.ID(), false)
				_, err = e.exchange(m, some(coin), currency.USD)
				require.ErrorIs(t, err, payments.ErrDeclined)
				require.NoError(t, e.svc.Unfreeze(e.ctx, payments.Platform(), e.key(), m, coin.ID()))
			}
			if err == nil {
				done[what]++
			} else {
				require.True(t, ledger.ClassOf(err) == payments.ErrDeclined || ledger.ClassOf(err) == payments.ErrInvalid, "%s: %v", what, err)
			}
			supply := currency.Zero(coin)
			if s := e.posted(payments.SupplyAccount(coin.ID())); s != "none" {
				supply = coins(s)
			}
			outstanding, err := issued.Sub(burned)
			require.NoError(t, err)
			require.Equal(t, outstanding, supply, "after %s", what)
			require.Equal(t, supply, e.held(), "after %s", what)
			require.GreaterOrEqual(t, supply.Sign(), 0)
			e.clock.advance(time.Second)
		}
		e.sound()
		e.balanced()
	}
	for _, what := range []string{"issue", "burn", "sell", "redeem", "tip", "send", "undo"} {
		require.Greater(t, done[what], 10, what)
	}
}
