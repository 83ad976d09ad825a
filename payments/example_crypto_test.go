package payments_test

import (
	"context"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// chainHost is a host with a chain, and alice, who has one ether; step lets the worker work for an hour.
func chainHost(c payments.Config) (svc *payments.Service, step func()) {
	ctx := context.Background()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	c.Assets = currency.MustRegistry(ether)
	svc = must(payments.New(ledger.New(memory.New(), ledger.Config{Clock: clock}), c))
	chain := must(sandbox.New(sandbox.Config{
		Name: "chain", Methods: []providers.Method{providers.Chain}, Assets: []currency.Asset{ether}, Clock: clock,
	}))
	if err := svc.Register(chain); err != nil {
		fmt.Println(err)
	}
	step = func() {
		now = now.Add(time.Hour)
		for range 3 {
			must(svc.Step(ctx))
		}
	}
	address := must(svc.Deposit(ctx, payments.DepositRequest{Key: "address", Actor: payments.Member("alice"), Amount: currency.MustParse("1", ether)}))
	must(chain.SendTo(address.Action.Address, currency.MustParse("1", ether)))
	step()
	return svc, step
}

// The member sees what the network may charge at most, and pays what it does charge.
func Example_quote() {
	ctx := context.Background()
	svc, step := chainHost(payments.Config{WithdrawalFees: payments.MemberBears})
	alice := payments.Member("alice")
	q := must(svc.Quote(ctx, payments.QuoteRequest{
		Actor: alice, Amount: currency.MustParse("0.25", ether), To: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	}))
	fmt.Println("at most", q.Fee.Decimal(), "on top, until", q.Until.Format(time.TimeOnly))
	p := must(svc.Withdraw(ctx, payments.WithdrawRequest{Key: "w", Actor: alice, Amount: q.Amount, To: q.To, Quote: q.ID}))
	w := must(svc.Wallets(ctx, alice, "alice"))[0]
	fmt.Println(p.State, "with", w.Held.Decimal(), "held")
	step()
	p = must(svc.Payment(ctx, alice, p.ID))
	w = must(svc.Wallets(ctx, alice, "alice"))[0]
	fmt.Println(p.State, "for", p.FeeBorne.Decimal(), "leaving", w.Available.Decimal())
	// Output:
	// at most 0.0002 on top, until 10:10:00
	// pending with 0.2502 held
	// succeeded for 0.0001 leaving 0.7499
}

// A host asks its analyst before anything goes to an address. The member learns what they may know.
func ExampleScreener() {
	ctx := context.Background()
	svc, _ := chainHost(payments.Config{Screen: func(_ context.Context, r payments.ScreenRequest) (payments.Verdict, error) {
		if r.Kind == payments.Withdrawal && r.Address == "0xmixer" { // a real one asks a service
			return payments.Verdict{
				Decision: payments.ScreenDeny, Code: "destination", Public: "We cannot send to this address.",
				Private: "mixer, sanctioned in 2022", Evidence: "report 4711",
			}, nil
		}
		return payments.Verdict{Decision: payments.ScreenAllow}, nil
	}})
	alice := payments.Member("alice")
	p := must(svc.Withdraw(ctx, payments.WithdrawRequest{Key: "w", Actor: alice, Amount: currency.MustParse("0.25", ether), To: "0xmixer"}))
	w := must(svc.Wallets(ctx, alice, "alice"))[0]
	fmt.Println(p.State, p.Reason.Public, "Available:", w.Available.Decimal())
	fmt.Println(must(svc.Screening(ctx, payments.Platform(), p.ID)).Private)
	// Output:
	// failed We cannot send to this address. Available: 1
	// mixer, sanctioned in 2022
}
