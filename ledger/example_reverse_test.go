package ledger_test

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// A refund takes back a part of a transaction, never more than what remains of it.
func ExampleReverse() {
	ctx, book, at := exampleBook()
	tip, _ := book.Record(ctx, ledger.Entry{Key: "tip/1", Commands: []ledger.Command{ledger.Transfer(at.ada, at.ben, dollars(10_00))}})
	transaction := ledger.ByID(tip.Results[0].Transaction)

	refund := func(key string, cents int64) {
		_, err := book.Record(ctx, ledger.Entry{Key: key, Commands: []ledger.Command{
			// The postings as they stood, with what is taken back of each.
			ledger.Reverse{Transaction: transaction, Part: ledger.Transfer(at.ada, at.ben, dollars(cents)).Postings},
		}})
		if err != nil {
			fmt.Println(err)
		}
	}
	refund("refund/1", 7_00)
	refund("refund/2", 7_00)
	t, _ := book.Transaction(ctx, transaction.ID)
	fmt.Println("reversed", t.Reversed[0], "of", t.Postings[0].Amount)
	// Output:
	// ledger: already reversed: command 0: part[0]: account wallet/ada USD: wanted 7.00 USD, available 3.00 USD: more than remains of the posting
	// reversed 7.00 USD of 10.00 USD
}
