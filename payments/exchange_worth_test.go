package payments_test

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// worths says what a unit of each asset is worth, and prices every pair by that, cut off after some digits.
type worths struct {
	of     map[currency.AssetID]*big.Rat
	digits int32
	fee    decimal.Decimal
}

func (w worths) rates(_ context.Context, from, to currency.Asset) (payments.Price, bool, error) {
	exact := new(big.Rat).Quo(w.of[from.ID()], w.of[to.ID()])
	cut := decimal.NewFromBigInt(exact.Num(), 0).DivRound(decimal.NewFromBigInt(exact.Denom(), 0), w.digits+40).Truncate(w.digits)
	r, err := currency.NewRate(from, to, cut)
	return payments.Price{Rate: r, Market: r, Fee: w.fee}, true, err
}

// wealth is what a member's wallets are worth.
func (w worths) wealth(e *env, member string) *big.Rat {
	e.Helper()
	sum := new(big.Rat)
	wallets, err := e.svc.Wallets(e.ctx, payments.Platform(), member)
	require.NoError(e, err)
	for _, has := range wallets {
		sum.Add(sum, w.worth(has.Posted))
	}
	return sum
}

func (w worths) worth(a currency.Amount) *big.Rat {
	return new(big.Rat).Mul(a.Decimal().Rat(), w.of[a.AssetID()])
}

// Whatever a member exchanges, at quotes of either side or without, to and fro and in rings: at rates that give nothing away nobody
// is ever the richer for it, and the platform takes its fee and less than a unit of what it rounds.
func TestExchangesNeverMakeAMemberRicher(t *testing.T) {
	assets := []*currency.Definition{currency.USD, currency.JPY, ether, coin}
	done := map[string]int{}
	for seed := range uint64(6) {
		dice := rand.New(rand.NewPCG(seed, 11))
		w := worths{of: map[currency.AssetID]*big.Rat{}, digits: 12 + dice.Int32N(10), fee: decimal.New(dice.Int64N(3)*dice.Int64N(30), -3)}
		for i, a := range assets {
			w.of[a.ID()] = big.NewRat(1+dice.Int64N(1_000), 1+dice.Int64N(1_000))
			if i == 2 {
				w.of[a.ID()].Mul(w.of[a.ID()], big.NewRat(2_000, 1))
			}
		}
		e := newEnv(t, func(c *payments.Config, s *sandbox.Config) {
			c.Rates = w.rates
			s.CardFee = sandbox.Fee{}
		})
		_, err := e.issue(coins("100000000.00"))
		require.NoError(t, err)
		e.fund("alice", usd("5000.00"))
		for range 120 {
			from, to := assets[dice.IntN(len(assets))], assets[dice.IntN(len(assets))]
			has := e.wallet("alice", from).Available
			if from == to || has.Sign() <= 0 {
				continue
			}
			before := w.wealth(e, "alice")
			give := has
			if dice.IntN(3) > 0 {
				parts, err := has.Allocate(1+dice.Int64N(9), 1+dice.Int64N(9))
				require.NoError(t, err)
				give = parts[0]
			}
			if dice.IntN(5) == 0 {
				give = currency.MustNew(1, from)
			}
			if give.Sign() <= 0 {
				continue
			}
			how := []string{"at once", "what it buys", "what it costs"}[dice.IntN(3)]
			p, q := payments.Payment{}, payments.ExchangeQuote{}
			switch how {
			case "at once":
				p, err = e.exchange("alice", give, to)
			case "what it buys":
				if q, err = e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Amount: give, To: to.ID()}); err == nil {
					p, err = e.svc.Exchange(e.ctx, e.take(q))
				}
			default:
				q, err = e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Amount: give, To: to.ID()})
				if err == nil {
					q, err = e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Bought: q.Bought, From: from.ID()})
					require.NoError(t, err)
					c, err := q.Amount.Cmp(give)
					require.NoError(t, err)
					require.LessOrEqual(t, c, 0, "what an amount buys costs no more than that")
				}
				if err == nil {
					p, err = e.svc.Exchange(e.ctx, e.take(q))
				}
			}
			if err != nil {
				require.ErrorIs(t, err, payments.ErrInvalid, "%s %v", how, give) // it buys nothing
				continue
			}
			done[how]++
			net, err := p.Amount.Sub(p.Fee)
			require.NoError(t, err)
			lost := new(big.Rat).Sub(before, w.wealth(e, "alice"))
			require.GreaterOrEqual(t, lost.Sign(), 0, "%s: %v for %v made alice richer", how, p.Amount, p.Bought)
			// What was bought is less than a unit below what the rate says, or what was given less than a unit and its fee above it.
			exact := new(big.Rat).Mul(net.Decimal().Rat(), p.Rate.Decimal().Rat())
			short := exact.Sub(exact, p.Bought.Decimal().Rat())
			unit := decimal.New(1, -int32(to.Scale())).Rat()
			if how == "what it costs" {
				unit = new(big.Rat).Mul(decimal.New(1, -int32(from.Scale())).Rat(), p.Rate.Decimal().Rat())
			}
			require.GreaterOrEqual(t, short.Sign(), 0)
			require.Negative(t, short.Cmp(unit), "%s: %v less %v for %v at %v", how, p.Amount, p.Fee, p.Bought, p.Rate)
			fee, err := p.Amount.Mul(w.fee, currency.Up)
			require.NoError(t, err)
			require.Equal(t, fee, p.Fee, how)
		}
		e.balanced() // every asset sums to zero
		e.sound()
	}
	for _, how := range []string{"at once", "what it buys", "what it costs"} {
		require.Greater(t, done[how], 50, how)
	}
}
