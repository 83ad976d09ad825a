package payments

import (
	"cmp"
	"context"
	"time"

	"github.com/koshpay/kosh/currency"
)

// ExchangeQuoteRequest asks what an exchange would come to. One side is fixed: Amount and To, for what an amount buys, or Bought and
// From, for what an amount costs.
type ExchangeQuoteRequest struct {
	Actor  Actor
	Member string           // empty: the actor
	Amount currency.Amount  // what is to be given, fee included
	To     currency.AssetID // for which asset
	Bought currency.Amount  // what is wanted
	From   currency.AssetID // of which asset
}

// ExchangeQuote is the price of one exchange, with both sides fixed. Whoever asked for it gives its ID to Exchange, once, before
// Until passes by the ledger's clock.
type ExchangeQuote struct {
	ID     string
	Member string
	Amount currency.Amount // what the member gives, Fee included
	Fee    currency.Amount // the platform's, in Amount's asset; may be zero
	Bought currency.Amount // what the member gets
	Rate   currency.Rate   // of Amount less Fee
	// Rounding is how the side that was not fixed was rounded, in the platform's favour always: Down is what is bought of a fixed
	// Amount, Up what is given for a fixed Bought.
	Rounding currency.Rounding
	// Market is what Rate was made from, and Spread what Amount less Fee would have bought more at it, in Bought's asset; negative if
	// Rate is the better one. Both are zero values if the host's Price has no Market.
	Market currency.Rate
	Spread currency.Amount
	Until  time.Time
}

// QuoteExchange fixes the price of one exchange and records it. It moves and holds nothing: whether the member has the money, and
// the platform the coins, is seen by [Service.Exchange]. Each call makes another quote. A source of rates that does not answer,
// or answers nonsense, is ErrNoRate of class Unavailable.
func (s *Service) QuoteExchange(ctx context.Context, r ExchangeQuoteRequest) (ExchangeQuote, error) {
	return s.desk.QuoteExchange(ctx, r)
}

// QuoteExchange is [Service.QuoteExchange], good when the host commits.
func (dk *Desk) QuoteExchange(ctx context.Context, r ExchangeQuoteRequest) (ExchangeQuote, error) {
	r.Member = cmp.Or(r.Member, r.Actor.member)
	if err := first(checkMember("member", r.Member), dk.checkSides(r)); err != nil {
		return ExchangeQuote{}, err
	}
	if err := dk.authorize(ctx, r.Actor, ActExchange, r.Member); err != nil {
		return ExchangeQuote{}, err
	}
	d, err := dk.deal(ctx, r)
	if err != nil {
		return ExchangeQuote{}, err
	}
	id := dk.config.NewID().String()
	q, err := dk.give(ctx, id, quote{
		Kind: Exchange, Actor: r.Actor.String(), Member: r.Member, Amount: d.amount, To: string(d.bought.AssetID()), Fee: d.fee, Bought: d.bought,
		Rate: d.price.Rate, Market: d.price.Market, Rounding: d.rounding.String(),
	}, cmp.Or(d.price.QuoteFor, usualQuoteFor))
	if err != nil {
		return ExchangeQuote{}, err
	}
	return q.exchange(id)
}

// checkSides wants one side as an amount and the other as an asset.
func (dk *Desk) checkSides(r ExchangeQuoteRequest) error {
	switch {
	case !r.Bought.IsValid() && r.From == "":
		return first(dk.checkAmount("amount", r.Amount), dk.checkAsset("to", r.To))
	case r.Amount.IsValid():
		return invalid("bought", "and what is given cannot both be fixed")
	case r.To != "":
		return invalid("to", "goes with an amount that is given; name the asset to give in from")
	default:
		return first(dk.checkAmount("bought", r.Bought), dk.checkAsset("from", r.From))
	}
}

// deal prices a request, its sides having been checked.
func (dk *Desk) deal(ctx context.Context, r ExchangeQuoteRequest) (deal, error) {
	wanted := r.Bought.IsValid()
	other := r.To
	if wanted {
		other = r.From
	}
	asset, err := dk.config.Assets.Lookup(other)
	if err != nil {
		return deal{}, err
	}
	if wanted {
		price, err := dk.price(ctx, "from", asset, r.Bought.Asset())
		if err != nil {
			return deal{}, err
		}
		return price.buy(r.Bought)
	}
	price, err := dk.price(ctx, "to", r.Amount.Asset(), asset)
	if err != nil {
		return deal{}, err
	}
	return price.sell(r.Amount)
}

// exchange is the public view of the quote of an exchange.
func (q quote) exchange(id string) (ExchangeQuote, error) {
	e := ExchangeQuote{
		ID: id, Member: q.Member, Amount: q.Amount, Fee: q.Fee, Bought: q.Bought, Rate: q.Rate, Rounding: currency.Down, Market: q.Market, Until: q.Until,
	}
	if q.Rounding == currency.Up.String() {
		e.Rounding = currency.Up
	}
	if !q.Market.IsValid() {
		return e, nil
	}
	net, err := q.Amount.Sub(q.Fee)
	if err != nil {
		return e, err
	}
	worth, err := q.Market.Convert(net, currency.Down)
	if err != nil {
		return e, err
	}
	e.Spread, err = worth.Sub(q.Bought)
	return e, err
}

// priceExchange says what an exchange gives and gets: as its quote has it, or at the price of the moment.
func (dk *Desk) priceExchange(ctx context.Context, r ExchangeRequest, rec *record) error {
	if r.Quote == "" || r.To != "" && planted("requote") {
		d, err := dk.deal(ctx, ExchangeQuoteRequest{Amount: r.Amount, To: r.To})
		rec.Quote = r.Quote
		rec.Amount, rec.Fee, rec.Bought, rec.Rate = d.amount, d.fee, d.bought, d.price.Rate
		return err
	}
	q, err := dk.given(ctx, r.Quote, Exchange, r.Actor, r.Member)
	if err != nil {
		return err
	}
	if r.Amount != (currency.Amount{}) && r.Amount != q.Amount || r.To != "" && r.To != q.Bought.AssetID() {
		return refuse(ErrInvalid, ErrNoQuote, "quote", "is for %s against %s", q.Amount, q.Bought)
	}
	rec.Quote = r.Quote
	rec.Amount, rec.Fee, rec.Bought, rec.Rate = q.Amount, q.Fee, q.Bought, q.Rate
	return first(dk.checkAmount("quote", q.Amount), dk.checkAmount("quote", q.Bought))
}
