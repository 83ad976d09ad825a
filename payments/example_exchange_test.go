package payments_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// A member is shown what ten dollars buy, with the fee and the spread apart, and takes the offer while it is good.
func Example_exchange() {
	ctx := context.Background()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	book := ledger.New(memory.New(), ledger.Config{Clock: clock})
	svc := must(payments.New(book, payments.Config{
		// A real source has the market's rate from somewhere, in memory, and takes its own spread off it.
		Rates: func(_ context.Context, from, to currency.Asset) (payments.Price, bool, error) {
			if from.ID() != "USD" || to.ID() != "EUR" {
				return payments.Price{}, false, nil
			}
			return payments.Price{
				Rate:     currency.MustRate(from, to, decimal.RequireFromString("0.915")),
				Market:   currency.MustRate(from, to, decimal.RequireFromString("0.92")),
				Fee:      decimal.RequireFromString("0.01"),
				QuoteFor: 30 * time.Second,
			}, true, nil
		},
	}))
	if err := svc.Register(must(sandbox.New(sandbox.Config{Name: "cards", Assets: []currency.Asset{currency.USD}, Clock: clock}))); err != nil {
		fmt.Println(err)
	}
	alice := payments.Member("alice")
	card := must(svc.Link(ctx, payments.LinkRequest{Key: "1", Actor: alice, Method: providers.Card, Token: sandbox.TokenCard}))
	must(svc.Deposit(ctx, payments.DepositRequest{Key: "2", Actor: alice, Amount: currency.MustParse("50.00", currency.USD), Instrument: card.ID}))

	q := must(svc.QuoteExchange(ctx, payments.ExchangeQuoteRequest{Actor: alice, Amount: currency.MustParse("10.00", currency.USD), To: "EUR"}))
	fmt.Println(q.Amount, "buy", q.Bought, "until", q.Until.Format(time.TimeOnly))
	fmt.Println(q.Rate, "after a fee of", q.Fee)
	fmt.Println("the market would give", q.Spread, "more")
	p := must(svc.Exchange(ctx, payments.ExchangeRequest{Key: "3", Actor: alice, Quote: q.ID}))
	fmt.Println(p.State, p.Bought)

	_, err := svc.Exchange(ctx, payments.ExchangeRequest{Key: "4", Actor: alice, Quote: q.ID})
	fmt.Println("again:", errors.Is(err, payments.ErrQuoteUsed))

	// The other side can be the fixed one: what do twenty euros cost?
	q = must(svc.QuoteExchange(ctx, payments.ExchangeQuoteRequest{Actor: alice, Bought: currency.MustParse("20.00", currency.EUR), From: "USD"}))
	fmt.Println(q.Bought, "cost", q.Amount)
	now = now.Add(time.Minute)
	_, err = svc.Exchange(ctx, payments.ExchangeRequest{Key: "5", Actor: alice, Quote: q.ID})
	fmt.Println("too late:", errors.Is(err, payments.ErrQuoteExpired))
	// Output:
	// 10.00 USD buy 9.05 EUR until 09:00:30
	// 1 USD = 0.915 EUR after a fee of 0.10 USD
	// the market would give 0.05 EUR more
	// succeeded 9.05 EUR
	// again: true
	// 20.00 EUR cost 22.09 USD
	// too late: true
}
