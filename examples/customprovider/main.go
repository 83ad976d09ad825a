// Command customprovider shows how a host adds a way to pay of its own: a gift-card scheme, whose provider is voucher.go,
// whole. The scheme is a pretend one, on the loopback interface. Write your own adapter like this one: first the far side that
// your tests can talk to (internal/scheme), then the provider until voucher_test.go passes; go doc
// github.com/koshpay/kosh/providers takes you through it step by step.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/examples/customprovider/internal/scheme"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
)

func main() {
	var closing []func()
	shop := scheme.Open(func(f func()) { closing = append(closing, f) })
	err := topUp(context.Background(), shop)
	for _, end := range closing {
		end()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// topUp is Alice with a gift card of 50 dollars.
func topUp(ctx context.Context, shop *scheme.Scheme) error {
	svc, err := payments.New(ledger.New(memory.New(), ledger.Config{}), payments.Config{})
	if err != nil {
		return err
	}
	if err := svc.Register(NewVouchers(shop.URL, scheme.Secret)); err != nil {
		return err
	}
	alice, code := payments.Member("alice"), shop.Sell(5000)
	card, err := svc.Link(ctx, payments.LinkRequest{Key: "1", Actor: alice, Member: "alice", Method: method, Token: code})
	if err != nil {
		return err
	}
	fmt.Println(card.Label)

	deposit := payments.DepositRequest{
		Key: "2", Actor: alice, Member: "alice", Instrument: card.ID, Amount: currency.MustParse("40.00", currency.USD),
	}
	paid, err := svc.Deposit(ctx, deposit)
	if err != nil {
		return err
	}
	fmt.Println("topped up:", paid.State, paid.Moved)

	deposit.Key = "3" // another 40 dollars, of which the card has 10
	refused, err := svc.Deposit(ctx, deposit)
	if err != nil && !errors.Is(err, payments.ErrDeclined) {
		return err
	}
	fmt.Println("too much:", refused.State, refused.Reason.Code)

	back, err := svc.Refund(ctx, payments.RefundRequest{
		Key: "4", Actor: alice, Of: paid.ID, Amount: currency.MustParse("15.00", currency.USD),
	})
	if err != nil {
		return err
	}
	fmt.Println("given back:", back.State, back.Moved)

	wallets, err := svc.Wallets(ctx, alice, "alice")
	if err != nil {
		return err
	}
	for _, w := range wallets {
		fmt.Println("alice has", w.Available)
	}
	return nil
}
