package ledger_test

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// Once a day the host signs where the seal stands, and keeps that line where nobody who runs the database can write.
// Years later an auditor takes the line and knows whether anything that was sealed by then has been altered since.
func ExampleBook_Checkpoint() {
	ctx := context.Background()
	book := ledger.New(memory.New(), ledger.Config{Book: "acme"})
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	_, err := book.Record(ctx, ledger.Entry{Key: "open", Commands: []ledger.Command{
		ledger.OpenAccount{Account: bank, Type: ledger.Asset},
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Floor: dollars(0)},
		ledger.Transfer(bank, alice, dollars(10_00)),
	}})
	must(err)
	_, err = book.NumberFeed(ctx, 100) // Book.Run does it all the time
	must(err)

	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	now, err := book.Checkpoint(ctx)
	must(err)
	signed, err := now.Sign(key)
	must(err)
	kept := signed.String()

	checkpoint, err := ledger.ParseCheckpoint(kept)
	must(err)
	must(checkpoint.Verify(key.Public()))
	found, err := book.Verify(ctx, checkpoint)
	must(err)
	fmt.Println(checkpoint.Book, checkpoint.Block, checkpoint.Position, found.OK())
	// Output: acme 1 3 true
}

// Each night only what came since last night's checkpoint is verified.
func ExampleBook_VerifySince() {
	ctx, book, at := exampleBook()
	number := func() ledger.Checkpoint {
		_, err := book.NumberFeed(ctx, 100) // Book.Run does it all the time
		if err != nil {
			panic(err)
		}
		c, err := book.Checkpoint(ctx)
		if err != nil {
			panic(err)
		}
		return c
	}
	yesterday := number()
	if _, err := book.Record(ctx, ledger.Entry{Key: "tip/1", Commands: []ledger.Command{ledger.Transfer(at.ada, at.ben, dollars(3_00))}}); err != nil {
		fmt.Println(err)
		return
	}
	number()
	found, err := book.VerifySince(ctx, yesterday)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found.Transactions, "transaction,", found.Lines, "lines,", found.Accounts, "accounts, problems:", len(found.Problems))
	// Output: 1 transaction, 2 lines, 2 accounts, problems: 0
}
