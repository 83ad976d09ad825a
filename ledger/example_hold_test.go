package ledger_test

import (
	"errors"
	"fmt"

	"github.com/koshpay/kosh/ledger"
)

// A cash-out holds the money first. When the bank says that it paid, the hold is captured; what remains is released.
func ExamplePlaceHold() {
	ctx, book, at := exampleBook()

	placed, err := book.Record(ctx, ledger.Entry{Key: "payout/1/hold", Commands: []ledger.Command{
		ledger.PlaceHold{Account: at.ada, Amount: dollars(20_50), Note: ledger.Note{Description: "20.00 and at most 0.50 for the bank"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("available", placed.Balances[0].Available)

	hold := placed.Results[0].Hold
	_, err = book.Record(ctx, ledger.Entry{Key: "payout/1/spend", Commands: []ledger.Command{ledger.Transfer(at.ada, at.ben, dollars(30_00))}})
	fmt.Println("what is held cannot be spent:", errors.Is(err, ledger.ErrInsufficientFunds))

	captured, err := book.Record(ctx, ledger.Entry{Key: "payout/1/paid", Commands: []ledger.Command{
		ledger.Capture{
			Hold:  ledger.ByID(hold),
			To:    []ledger.Portion{{Account: at.bank, Amount: dollars(20_00)}, {Account: at.fees, Amount: dollars(30)}},
			Final: true,
		},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range captured.Balances {
		fmt.Println(b.Account, "posted", b.Posted, "held", b.Held)
	}
	h, _ := book.Hold(ctx, hold)
	fmt.Println(h.State, h.Captured, "released", h.Released)
	// Output:
	// available 29.50 USD
	// what is held cannot be spent: true
	// bank/main USD posted 30.00 USD held 0.00 USD
	// fees/tips USD posted 0.30 USD held 0.00 USD
	// wallet/ada USD posted 29.70 USD held 0.00 USD
	// captured 20.30 USD released 0.20 USD
}
