package ledger_test

import (
	"context"
	"fmt"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// Every tip pays a fee into one account: the hottest row of the book. Kept in four parts, writers in several processes seldom
// meet, and the account reads as one. Only who empties it sees the parts.
func ExampleStripes() {
	ctx := context.Background()
	book := ledger.New(memory.New(), ledger.Config{Stripes: ledger.Stripes{"fees": 4}})
	fees := ledger.AccountID{Path: "fees/*", Asset: "USD"}
	wallet, bank := ledger.AccountID{Path: "wallet/ada", Asset: "USD"}, ledger.AccountID{Path: "bank", Asset: "USD"}
	record := func(key string, commands ...ledger.Command) {
		if _, err := book.Record(ctx, ledger.Entry{Key: key, Commands: commands}); err != nil {
			fmt.Println(err)
		}
	}

	// Once, when the process starts: every part is opened.
	record("open/fees/4",
		ledger.OpenAccount{Account: fees, Type: ledger.Income},
		ledger.OpenAccount{Account: bank, Type: ledger.Asset},
		ledger.OpenAccount{Account: wallet, Type: ledger.Liability, Owner: "ada", Floor: dollars(0)},
		ledger.Transfer(bank, wallet, dollars(50_00)))

	// In every request: the part that the entry's key chooses.
	for i := range 20 {
		record(fmt.Sprintf("tip/%d", i), ledger.Transfer(wallet, fees, dollars(5)))
	}
	whole, err := book.Account(fees).Balance(ctx, ledger.AsOf{})
	fmt.Println("earned", whole.Posted, err)

	// On pay-day: from each part what it has.
	var parts []ledger.Command
	for a, err := range book.Accounts(ctx, ledger.Query{Path: "fees/"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if a.Posted.Sign() > 0 {
			parts = append(parts, ledger.Transfer(a.ID, bank, a.Posted))
		}
	}
	record("pay-day/july", parts...)
	whole, err = book.Account(fees).Balance(ctx, ledger.AsOf{})
	fmt.Println(len(parts), "parts leave", whole.Posted, err)
	// Output:
	// earned 1.00 USD <nil>
	// 4 parts leave 0.00 USD <nil>
}
