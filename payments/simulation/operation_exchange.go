package simulation

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// worth is what a whole unit of each asset is worth in dollars, more or less.
var worth = map[currency.AssetID]decimal.Decimal{
	"USD": decimal.RequireFromString("1"), "EUR": decimal.RequireFromString("1.09"),
	"JPY": decimal.RequireFromString("0.0067"), "KWD": decimal.RequireFromString("3.26"),
	ether.ID(): decimal.RequireFromString("2187.5"), coin.ID(): decimal.RequireFromString("0.01"),
}

// swapFor is how long the quote of an exchange is good.
const swapFor = 20 * time.Minute

// market is the rate between two assets at a moment. It moves every quarter of an hour.
func market(from, to currency.AssetID, at time.Time) decimal.Decimal {
	tide := func(a currency.AssetID) decimal.Decimal {
		return decimal.New(100+(at.Unix()/900+int64(a[0]))%5, -2)
	}
	return worth[from].Mul(tide(from)).DivRound(worth[to].Mul(tide(to)), 12)
}

// exchange turns one asset into another, at the market's price or at a quote.
func (w *world) exchange(p *process) {
	from, to := w.asset(), w.asset()
	if from == to {
		to = coin
		if from == to {
			to = currency.EUR
		}
	}
	member := w.richest(from)
	r := payments.ExchangeRequest{Member: member, Amount: w.part(w.available(member, from)), To: to.ID()}
	if w.dice.chance(500) {
		r.Quote = w.swap(p, &r, from, to)
	}
	if len(w.swaps) > 0 && w.dice.chance(350) { // once more, or late
		old := pick(w.dice, w.swaps...)
		r = payments.ExchangeRequest{Member: old.Member, Amount: old.Amount, To: old.Bought.AssetID(), Quote: old.ID}
		if w.dice.chance(400) {
			r.Member = pick(w.dice, w.members...)
		}
	}
	r.Actor = payments.Member(r.Member)
	r.Key = w.keyOf(r.Actor)
	w.make(p, &request{
		what:  r.Key + " exchange " + r.Amount.String() + " of " + r.Member + " for " + string(r.To) + " " + r.Quote,
		actor: r.Actor, kind: payments.Exchange, member: r.Member, amount: r.Amount, quote: r.Quote,
		call: func(s *payments.Service, altered bool) (payments.Payment, error) {
			now := r
			if altered {
				now.Amount = oneMore(now.Amount)
			}
			return s.Exchange(w.asking, now)
		},
	})
}

// swap asks for the price of an exchange, sometimes for what is wanted, and makes the request what it was told.
func (w *world) swap(p *process, r *payments.ExchangeRequest, from, to *currency.Definition) string {
	ask := payments.ExchangeQuoteRequest{Actor: payments.Member(r.Member), Member: r.Member, Amount: r.Amount, To: r.To}
	if w.dice.chance(400) {
		ask.Amount, ask.To, ask.Bought, ask.From = currency.Amount{}, "", w.amount(to), from.ID()
	}
	faults := p.faults
	q, err := p.service.QuoteExchange(w.asking, ask)
	w.note("  price %s: %v for %v%s", q.ID, q.Amount, q.Bought, cause(err))
	if err != nil {
		if ledger.ClassOf(err) == ledger.Unavailable && p.faults == faults && !p.dead && w.asking.Err() == nil {
			w.fail(breach(Answered, "price: %v", err))
		}
		return ""
	}
	w.swaps = append(w.swaps, q)
	r.Amount, r.To = q.Amount, q.Bought.AssetID()
	return q.ID
}
