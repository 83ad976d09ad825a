package ledger_test

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// The feed tells everything that happened, once and in order. Whoever follows it keeps the last position.
func ExampleBook_Feed() {
	ctx, book, at := exampleBook()
	_, err := book.Record(ctx, ledger.Entry{Key: "tip/1", Commands: []ledger.Command{
		ledger.Transfer(at.ada, at.ben, dollars(1_00)),
		ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "1"}, Owner: "ada", State: "paid"},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Book.Run does this all the time.
	if _, err := book.NumberFeed(ctx, 100); err != nil {
		fmt.Println(err)
		return
	}
	for c, err := range book.Feed(ctx, 5) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.Position, c.Key, "changed a", c.Kind)
	}
	// Output:
	// 6 tip/1 changed a transaction
	// 7 tip/1 changed a document
}
