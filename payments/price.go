package payments

import (
	"context"
	"errors"
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
)

// Price is at what the platform exchanges one asset for another.
type Price struct {
	// Rate is how much of the other asset a whole unit of what is given buys, after Fee. A spread is in it.
	Rate currency.Rate
	// Market is the rate that Rate was made from, for quotes to show the spread between the two; zero: they show none.
	Market currency.Rate
	// Fee is the platform's share of what is given, as a fraction of 1, for example 0.005, rounded up to the unit. It is revenue, as
	// that of a tip, and not part of the exchange.
	Fee decimal.Decimal
	// QuoteFor is how long a quote at this price is good. Zero: a minute.
	QuoteFor time.Duration
}

// RateSource gives the price at which the platform exchanges from for to. ok is false when it does not. It must be safe for
// concurrent use. The rates of the two directions are the host's: who sets them so that their product is above 1 pays members
// for going to and fro, and nobody else does, because all that kosh rounds is rounded in the platform's favour.
type RateSource func(ctx context.Context, from, to currency.Asset) (price Price, ok bool, err error)

// FixedRates is a RateSource that knows the rates given, in the direction given, without a fee.
func FixedRates(rates ...currency.Rate) RateSource {
	return func(_ context.Context, from, to currency.Asset) (Price, bool, error) {
		for _, r := range rates {
			if r.From().ID() == from.ID() && r.To().ID() == to.ID() {
				return Price{Rate: r}, true, nil
			}
		}
		return Price{}, false, nil
	}
}

// usualQuoteFor is how long a quote is good whose price does not say.
const usualQuoteFor = time.Minute

// maxFeeDecimals bounds what a fee is expanded to: as many decimals as an asset may have.
const maxFeeDecimals = 30

// check refuses what is no price of this pair.
func (p Price) check(from, to *currency.Definition) error {
	wrong := func(r currency.Rate) bool { return r.From() != from || r.To() != to }
	switch {
	case wrong(p.Rate):
		return errors.New("payments: the rate is of other assets")
	case p.Market.IsValid() && wrong(p.Market):
		return errors.New("payments: the market's rate is of other assets")
	case p.Fee.IsZero():
	case p.Fee.Exponent() < -maxFeeDecimals, p.Fee.Exponent() > 0, p.Fee.IsNegative(), p.Fee.GreaterThanOrEqual(one):
		return errors.New("payments: the fee is not in [0, 1)")
	}
	if p.QuoteFor < 0 {
		return errors.New("payments: quotes would expire before they are given")
	}
	return nil
}

var one = decimal.NewFromInt(1)

// deal is an exchange at a price: amount less fee goes into the platform's position, bought comes out of it.
type deal struct {
	amount, fee, bought currency.Amount
	price               Price
	rounding            currency.Rounding // of the side that was not fixed
}

// sell makes the deal that gives an amount, fee included. What that buys is rounded down, the fee up.
func (p Price) sell(amount currency.Amount) (deal, error) {
	d := deal{amount: amount, price: p, rounding: currency.Down}
	var err error
	if d.fee, err = amount.Mul(p.Fee, currency.Up); err != nil {
		return d, invalid("amount", "%v", err)
	}
	net, err := amount.Sub(d.fee)
	if err != nil {
		return d, invalid("amount", "%v", err)
	}
	rounding := d.rounding
	if planted("round-exchange-up") {
		rounding = currency.Up
	}
	if d.bought, err = p.Rate.Convert(net, rounding); err != nil {
		return d, invalid("amount", "%v", err)
	}
	if d.bought.Sign() <= 0 {
		return d, invalid("amount", "%s buys nothing", amount)
	}
	return d, nil
}

// buy makes the deal that gets an amount. What it costs is rounded up, and is the least that leaves enough after the fee.
func (p Price) buy(bought currency.Amount) (deal, error) {
	d := deal{bought: bought, price: p, rounding: currency.Up}
	net, err := p.Rate.ConvertBack(bought, currency.Up)
	if err != nil {
		return d, invalid("bought", "%v", err)
	}
	scale := int32(net.Asset().Scale())
	gross, rest := net.Decimal().QuoRem(one.Sub(p.Fee), scale)
	if rest.IsPositive() {
		gross = gross.Add(decimal.New(1, -scale))
	}
	if d.amount, err = currency.FromDecimal(gross, net.Asset()); err != nil {
		return d, invalid("bought", "%v", err)
	}
	// At the least amount this is Fee of it, rounded up.
	if d.fee, err = d.amount.Sub(net); err != nil {
		return d, invalid("bought", "%v", err)
	}
	return d, nil
}

// price asks the host's source. Field is what the request calls the asset that is looked for.
func (dk *Desk) price(ctx context.Context, field string, from, to *currency.Definition) (Price, error) {
	none := refuse(ErrInvalid, ErrNoRate, field, "%s is not exchanged for %s", from.ID(), to.ID())
	if dk.config.Rates == nil || from == to {
		return Price{}, none
	}
	price, ok, err := dk.config.Rates(ctx, from, to)
	if err == nil && !ok {
		return Price{}, none
	}
	if err == nil {
		err = price.check(from, to)
	}
	if err != nil {
		r := refuse(ErrUnavailable, ErrNoRate, field, "the rate source failed")
		r.Cause = err
		return Price{}, r
	}
	return price, nil
}
