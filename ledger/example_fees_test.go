package ledger_test

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// Fees: the app keeps 7.5 % and shares the rest among three authors 50 : 30 : 20. Amounts are divided by currency's Allocate, so
// that the parts sum to the whole to the last cent, and one posting a party says who got what.
func ExamplePost_fees() {
	ctx, book, at := exampleBook()
	price := dollars(9_99)
	parts, err := price.Allocate(75, 925)
	if err != nil {
		fmt.Println(err)
		return
	}
	shares, err := parts[1].Allocate(50, 30, 20)
	if err != nil {
		fmt.Println(err)
		return
	}
	kept := ledger.AccountID{Path: "fees/sales", Asset: "USD"}
	commands := []ledger.Command{ledger.OpenAccount{Account: kept, Type: ledger.Income}}
	sale := ledger.Post{Postings: []ledger.Posting{
		{Account: at.ada, Side: ledger.Debit, Amount: price},
		{Account: kept, Side: ledger.Credit, Amount: parts[0]},
	}}
	for i, author := range []string{"ben", "cleo", "dan"} {
		wallet := ledger.AccountID{Path: "wallet/" + author, Asset: "USD"}
		commands = append(commands, ledger.OpenAccount{Account: wallet, Type: ledger.Liability, Owner: author, Floor: dollars(0)})
		sale.Postings = append(sale.Postings, ledger.Posting{Account: wallet, Side: ledger.Credit, Amount: shares[i]})
	}
	receipt, err := book.Record(ctx, ledger.Entry{Key: "sale/1", Commands: append(commands, sale)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range receipt.Balances {
		fmt.Println(b.Account.Path, b.Posted)
	}
	// Output:
	// fees/sales 0.75 USD
	// wallet/ada 40.01 USD
	// wallet/ben 4.62 USD
	// wallet/cleo 2.77 USD
	// wallet/dan 1.85 USD
}
