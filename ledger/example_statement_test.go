package ledger_test

import (
	"fmt"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// A statement is an account's lines, newest first, with the balance after each. The balance at any past moment is one
// look-up.
func ExampleAccount() {
	ctx, book, at := exampleBook()
	for i, cents := range []int64{3_00, 4_50} {
		_, err := book.Record(ctx, ledger.Entry{
			Key: fmt.Sprintf("tip/%d", i),
			Commands: []ledger.Command{ledger.Post{
				Postings:    ledger.Transfer(at.ada, at.ben, dollars(cents)).Postings,
				EffectiveAt: time.Date(2026, 6, 29+i, 0, 0, 0, 0, time.UTC),
			}},
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	ada := book.Account(at.ada)
	for l, err := range ada.Lines(ctx, ledger.Query{Backward: true}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if l.Kind == ledger.LineOpened {
			continue
		}
		fmt.Println(l.Version, l.Kind, l.Side, l.Amount, "→", l.Posted)
	}
	before, _ := ada.Balance(ctx, ledger.AsOf{Effective: time.Date(2026, 6, 29, 23, 0, 0, 0, time.UTC)})
	fmt.Println("in effect on 29 June:", before.Posted)
	// Output:
	// 4 posted debit 4.50 USD → 42.50 USD
	// 3 posted debit 3.00 USD → 47.00 USD
	// 2 posted credit 50.00 USD → 50.00 USD
	// in effect on 29 June: -3.00 USD
}
