package simulation

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
)

// This file is what the witness knows of quotes and of what exchanges come to.

const kindQuote = "quote"

// offer is a quote as it was given: the fields whose meaning the witness knows.
type offer struct {
	Kind     payments.Kind   `json:"kind"`
	Actor    string          `json:"actor"`
	Member   string          `json:"member"`
	Amount   currency.Amount `json:"amount"`
	Fee      currency.Amount `json:"fee"`
	Bought   currency.Amount `json:"bought"`
	Rounding string          `json:"rounding"`
	Until    time.Time       `json:"until"`

	used bool
}

// offered takes a version of a quote: it is fair when it is given, is used up by the next version, and says the same in both.
func (m *ledgerOfPayments) offered(d *ledger.Document) *Breach {
	var now offer
	if err := json.Unmarshal(d.Body, &now); err != nil {
		return breach(Lasting, "quote %s does not read: %v", d.ID, err)
	}
	old, known := m.offers[d.ID]
	switch {
	case known && old.used:
		return breach(OneEffect, "quote %s is used again", d.ID)
	case known && now != old:
		return breach(Lasting, "quote %s was %+v and is %+v", d.ID, old, now)
	case known != (d.State == "used"), known != (d.Version == 2):
		return breach(Legal, "quote %s is %s at version %d", d.ID, d.State, d.Version)
	}
	now.used = known
	m.offers[d.ID] = now
	if known || now.Kind != payments.Exchange {
		return nil
	}
	return m.fair(now.Amount, now.Fee, now.Bought, now.Rounding == currency.Up.String())
}

// takes: a payment that names a quote is what that says, in time and for whom it was given.
func (m *ledgerOfPayments) takes(p *intent) *Breach {
	if p.Quote == "" {
		return nil
	}
	o := m.offers[p.Quote]
	switch {
	case !o.used:
		return breach(OneEffect, "%s %s leaves its quote for others", p.Kind, p.ID)
	case p.Kind != o.Kind, p.Amount != o.Amount, p.Kind == payments.Exchange && (p.Bought != o.Bought || p.Fee != o.Fee):
		return breach(Shares, "%s %s is of %v for %v, the quote says %+v", p.Kind, p.ID, p.Amount, p.Bought, o)
	case p.Member != o.Member, !strings.HasPrefix(p.asked, "req/"+o.Actor+"/"):
		return breach(OwnersOnly, "%s %s of %s (%s) has a quote that %s was given for %s", p.Kind, p.ID, p.Member, p.asked, o.Actor, o.Member)
	case !o.Until.IsZero() && p.at.After(o.Until):
		return breach(Limits, "%s %s of %s has a quote that was good until %s", p.Kind, p.ID, p.at, o.Until)
	}
	return nil
}

// fair: an exchange gives what the market says after the platform's cut, rounded in the platform's favour. Of a wanted amount that
// is the least for which it can be had.
func (m *ledgerOfPayments) fair(amount, fee, bought currency.Amount, wanted bool) *Breach {
	from, to := amount.Asset(), bought.Asset()
	price := market(from.ID(), to.ID(), m.clock())
	given, got := amount.Decimal(), bought.Decimal()
	cut := func(of decimal.Decimal) decimal.Decimal { return of.Mul(m.cut).RoundUp(int32(from.Scale())) }
	buys := func(of decimal.Decimal) decimal.Decimal {
		return of.Sub(cut(of)).Mul(price).Truncate(int32(to.Scale()))
	}
	less := given.Sub(decimal.New(1, -int32(from.Scale())))
	switch {
	case !fee.Decimal().Equal(cut(given)):
		return breach(Shares, "of %v exchanged %v is taken, not %s", amount, fee, cut(given))
	case !wanted && !got.Equal(buys(given)), wanted && (got.GreaterThan(buys(given)) || !got.GreaterThan(buys(less))):
		return breach(Shares, "%v less %v are exchanged for %v, the market gives %s, and %s for a unit less", amount, fee, bought, buys(given), buys(less))
	}
	return nil
}
