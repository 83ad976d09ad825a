package ledger_test

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// Escrow: the buyer's money waits in an account of the order until both sides agree. An account, not a hold, because the money
// is no longer the buyer's to get back alone, and because it may come from several people. The account is opened by the entry
// that fills it and closed by the one that empties it; a closed account refuses what comes late.
func ExampleBook_Record_escrow() {
	ctx, book, at := exampleBook()
	escrow := ledger.AccountID{Path: "escrow/order-7", Asset: "USD"}

	record := func(key string, commands ...ledger.Command) {
		if _, err := book.Record(ctx, ledger.Entry{Key: key, Commands: commands}); err != nil {
			fmt.Println(err)
		}
	}
	record("order-7/pay",
		ledger.OpenAccount{Account: escrow, Type: ledger.Liability, Owner: "order-7", Floor: dollars(0)},
		ledger.Transfer(at.ada, escrow, dollars(30_00)),
	)
	b, _ := book.Account(escrow).Balance(ctx, ledger.AsOf{})
	fmt.Println("waiting:", b.Available)

	// A dispute ends with a third back to the buyer. All of it happens, or nothing.
	record("order-7/settle",
		ledger.Transfer(escrow, at.ada, dollars(10_00)),
		ledger.Transfer(escrow, at.ben, dollars(19_00)),
		ledger.Transfer(escrow, at.fees, dollars(1_00)),
		ledger.SetAccount{Account: escrow, Closed: new(true)},
	)
	record("order-7/late", ledger.Transfer(at.ada, escrow, dollars(1_00)))
	all, _ := book.Balances(ctx, ledger.AsOf{}, at.ada, at.ben, at.fees, escrow)
	for _, b := range all {
		fmt.Println(b.Account.Path, b.Available)
	}
	// Output:
	// waiting: 30.00 USD
	// ledger: account closed: command 0: account escrow/order-7 USD
	// wallet/ada 30.00 USD
	// wallet/ben 19.00 USD
	// fees/tips 1.00 USD
	// escrow/order-7 0.00 USD
}
