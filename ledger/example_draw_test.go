package ledger_test

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// A chargeback takes what the wallet has and books the rest as owed; it happened, so a freeze does not stop it. What the member
// is paid later repays the debt first.
func ExampleDraw() {
	ctx, book, at := exampleBook()
	owes := ledger.AccountID{Path: "receivable/ada", Asset: "USD"}
	for _, e := range []ledger.Entry{
		{Key: "chargeback/1", Commands: []ledger.Command{
			ledger.OpenAccount{Account: owes, Type: ledger.Asset, Owner: "ada", Floor: dollars(0)},
			ledger.Draw{Amount: dollars(70_00), From: []ledger.AccountID{at.ada, owes}, To: []ledger.AccountID{at.bank}, Fact: true},
		}},
		{Key: "deposit/2", Commands: []ledger.Command{
			ledger.Draw{Amount: dollars(25_00), From: []ledger.AccountID{at.bank}, To: []ledger.AccountID{owes, at.ada}},
		}},
	} {
		receipt, err := book.Record(ctx, e)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, b := range receipt.Balances {
			fmt.Println(e.Key, b.Account.Path, b.Posted)
		}
	}
	// Output:
	// chargeback/1 bank/main -20.00 USD
	// chargeback/1 receivable/ada 20.00 USD
	// chargeback/1 wallet/ada 0.00 USD
	// deposit/2 bank/main 5.00 USD
	// deposit/2 receivable/ada 0.00 USD
	// deposit/2 wallet/ada 5.00 USD
}
