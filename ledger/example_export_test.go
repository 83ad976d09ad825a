package ledger_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// A book moves from one store to another, with its keys, its feed and its seals: a retry that was sent to the old one
// still gets its first receipt from the new one.
func ExampleBook_Restore() {
	ctx := context.Background()
	book := ledger.New(memory.New(), ledger.Config{})
	tip := ledger.Entry{Key: "tip 1", Commands: []ledger.Command{
		ledger.OpenAccount{Account: bank, Type: ledger.Asset},
		ledger.OpenAccount{Account: alice, Type: ledger.Liability},
		ledger.Transfer(bank, alice, dollars(5_00)),
	}}
	if _, err := book.Record(ctx, tip); err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := book.Export(ctx, &file); err != nil {
		panic(err)
	}

	moved := ledger.New(memory.New(), ledger.Config{}) // in another database
	if err := moved.Restore(ctx, bytes.NewReader(file.Bytes())); err != nil {
		panic(err)
	}
	receipt, err := moved.Record(ctx, tip)
	fmt.Println(receipt.Replayed, err)
	balance, err := moved.Account(alice).Balance(ctx, ledger.AsOf{})
	fmt.Println(balance.Posted, err)
	// Output:
	// true <nil>
	// 5.00 USD <nil>
}
