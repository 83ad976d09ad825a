package ledger_test

import (
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// A currency exchange is one transaction that balances in each currency by itself, through a position account in each. The
// positions say what the app has bought and sold; valued at today's rate, their sum is the gain or loss of having done so.
// Give the entry Inputs: the rate was looked up, and an honest retry at another rate must get the first receipt.
func ExamplePost_exchange() {
	ctx, book, at := exampleBook()
	adaEUR := ledger.AccountID{Path: "wallet/ada", Asset: "EUR"}
	positionUSD := ledger.AccountID{Path: "position", Asset: "USD"}
	positionEUR := ledger.AccountID{Path: "position", Asset: "EUR"}

	type request struct{ Member, Sell, Buy string }
	exchange := func(got int64) (ledger.Receipt, error) {
		return book.Record(ctx, ledger.Entry{
			Key: "exchange/1", Inputs: request{"ada", "20.00 USD", "EUR"},
			Commands: []ledger.Command{
				ledger.OpenAccount{Account: positionUSD, Type: ledger.Equity},
				ledger.OpenAccount{Account: positionEUR, Type: ledger.Equity},
				ledger.OpenAccount{Account: adaEUR, Type: ledger.Liability, Owner: "ada", Floor: euros(0)},
				ledger.Post{Postings: []ledger.Posting{
					{Account: at.ada, Side: ledger.Debit, Amount: dollars(20_00)},
					{Account: positionUSD, Side: ledger.Credit, Amount: dollars(20_00)},
					{Account: positionEUR, Side: ledger.Debit, Amount: euros(got)},
					{Account: adaEUR, Side: ledger.Credit, Amount: euros(got)},
				}},
			},
		})
	}
	receipt, err := exchange(18_40)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range receipt.Balances {
		fmt.Println(b.Account, b.Posted)
	}
	again, _ := exchange(18_37) // the rate moved between the tries
	fmt.Println("the same exchange:", again.ID == receipt.ID)
	// Output:
	// position EUR -18.40 EUR
	// position USD 20.00 USD
	// wallet/ada EUR 18.40 EUR
	// wallet/ada USD 30.00 USD
	// the same exchange: true
}
