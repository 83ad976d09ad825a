package payments_test

import (
	"context"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// An in-app coin needs no provider: the host issues it, sells it for dollars, members tip with it, and what comes back is burned.
func Example_coin() {
	ctx := context.Background()
	chirp := currency.MustDefine(currency.Info{ID: "app:chirp/coin", Code: "CHIRP", Name: "Chirp", Scale: 0, Kind: currency.Virtual})
	book := ledger.New(memory.New(), ledger.Config{})
	svc := must(payments.New(book, payments.Config{
		Assets: currency.MustRegistry(currency.USD, chirp),
		Rates: payments.FixedRates(
			currency.MustRate(currency.USD, chirp, decimal.RequireFromString("100")),   // sold: a cent each
			currency.MustRate(chirp, currency.USD, decimal.RequireFromString("0.008")), // redeemed: 0.8 cents each
		),
	}))
	if err := svc.Register(must(sandbox.New(sandbox.Config{Name: "cards", Assets: []currency.Asset{currency.USD}}))); err != nil {
		fmt.Println(err)
	}
	alice, bob, host := payments.Member("alice"), payments.Member("bob"), payments.Platform()
	card := must(svc.Link(ctx, payments.LinkRequest{Key: "1", Actor: alice, Method: providers.Card, Token: sandbox.TokenCard}))
	must(svc.Deposit(ctx, payments.DepositRequest{Key: "2", Actor: alice, Amount: currency.MustParse("20.00", currency.USD), Instrument: card.ID}))

	supply := func(after string) {
		s := must(book.Info(ctx, payments.SupplyAccount(chirp.ID())))
		fmt.Println(after, s.Posted)
	}
	must(svc.Issue(ctx, payments.IssueRequest{Key: "3", Actor: host, Amount: currency.MustParse("10000", chirp)}))
	supply("issued:")
	bought := must(svc.Exchange(ctx, payments.ExchangeRequest{Key: "4", Actor: alice, Amount: currency.MustParse("5.00", currency.USD), To: chirp.ID()}))
	fmt.Println("alice buys", bought.Bought)
	must(svc.Tip(ctx, payments.TransferRequest{Key: "5", Actor: alice, To: "bob", Amount: currency.MustParse("300", chirp)}))
	redeemed := must(svc.Exchange(ctx, payments.ExchangeRequest{Key: "6", Actor: bob, Amount: currency.MustParse("250", chirp), To: "USD"}))
	fmt.Println("bob gets", redeemed.Bought)
	must(svc.Burn(ctx, payments.BurnRequest{Key: "7", Actor: host, Amount: currency.MustParse("9750", chirp)}))
	supply("what members have:")
	// Output:
	// issued: 10000 app:chirp/coin
	// alice buys 500 app:chirp/coin
	// bob gets 2.00 USD
	// what members have: 250 app:chirp/coin
}
