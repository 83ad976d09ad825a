package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// exampleBook opens a bank account, two wallets and an account for fees, and gives ada 50 dollars.
func exampleBook() (ctx context.Context, book *ledger.Book, at exampleAccounts) {
	ctx = context.Background()
	noon := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	book = ledger.New(memory.New(), ledger.Config{Book: "acme", Clock: func() time.Time { return noon }})
	at = exampleAccounts{
		bank: ledger.AccountID{Path: "bank/main", Asset: "USD"},
		ada:  ledger.AccountID{Path: "wallet/ada", Asset: "USD"},
		ben:  ledger.AccountID{Path: "wallet/ben", Asset: "USD"},
		fees: ledger.AccountID{Path: "fees/tips", Asset: "USD"},
	}
	_, err := book.Record(ctx, ledger.Entry{
		Key: "setup",
		Commands: []ledger.Command{
			ledger.OpenAccount{Account: at.bank, Type: ledger.Asset},
			ledger.OpenAccount{Account: at.ada, Type: ledger.Liability, Owner: "ada", Floor: dollars(0)},
			ledger.OpenAccount{Account: at.ben, Type: ledger.Liability, Owner: "ben", Floor: dollars(0)},
			ledger.OpenAccount{Account: at.fees, Type: ledger.Income},
			ledger.Transfer(at.bank, at.ada, dollars(50_00)),
		},
	})
	if err != nil {
		panic(err)
	}
	return ctx, book, at
}

type exampleAccounts struct{ bank, ada, ben, fees ledger.AccountID }

// A book is a tenant in a store. Opening accounts and posting to them is one entry: all or nothing.
func Example() {
	ctx := context.Background()
	book := ledger.New(memory.New(), ledger.Config{Book: "acme"})

	usd, _ := currency.Lookup("USD")
	bank := ledger.AccountID{Path: "bank/main", Asset: "USD"}
	wallet := ledger.AccountID{Path: "wallet/ada", Asset: "USD"}

	receipt, err := book.Record(ctx, ledger.Entry{
		Key: "deposit/1",
		Commands: []ledger.Command{
			ledger.OpenAccount{Account: bank, Type: ledger.Asset},
			ledger.OpenAccount{Account: wallet, Type: ledger.Liability, Owner: "ada", Floor: currency.Zero(usd)},
			ledger.Transfer(bank, wallet, currency.MustParse("50.00", usd)),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range receipt.Balances {
		fmt.Println(b.Account, "has", b.Available)
	}
	// Output:
	// bank/main USD has 50.00 USD
	// wallet/ada USD has 50.00 USD
}

// A tip of 5.00 of which the app keeps 5 %. The key makes a retry harmless; a decline comes back as data.
func ExampleBook_Record() {
	ctx, book, at := exampleBook()

	tip := ledger.Entry{
		Key: "tip/1",
		Commands: []ledger.Command{ledger.Post{
			Postings: []ledger.Posting{
				{Account: at.ada, Side: ledger.Debit, Amount: dollars(5_00)},
				{Account: at.ben, Side: ledger.Credit, Amount: dollars(4_75)},
				{Account: at.fees, Side: ledger.Credit, Amount: dollars(25)},
			},
			Note: ledger.Note{Reference: "post/42"},
		}},
	}
	first, _ := book.Record(ctx, tip)
	again, _ := book.Record(ctx, tip)
	fmt.Println("the same receipt:", first.ID == again.ID, "replayed:", again.Replayed)

	_, err := book.Record(ctx, ledger.Entry{Key: "tip/2", Commands: []ledger.Command{ledger.Transfer(at.ada, at.ben, dollars(99_00))}})
	if r, ok := errors.AsType[*ledger.Refusal](err); ok && errors.Is(err, ledger.ErrInsufficientFunds) {
		fmt.Println("declined: wanted", r.Wanted, "of", r.Available)
	}
	// Output:
	// the same receipt: true replayed: true
	// declined: wanted 99.00 USD of 45.00 USD
}

// A book says at any time whether it is in balance, and proves every row again.
func ExampleBook_TrialBalance() {
	ctx, book, at := exampleBook()
	_, err := book.Record(ctx, ledger.Entry{Key: "tip/1", Commands: []ledger.Command{ledger.Transfer(at.ada, at.fees, dollars(1_00))}})
	if err != nil {
		fmt.Println(err)
		return
	}
	trial, _ := book.TrialBalance(ctx, ledger.AsOf{})
	for _, a := range trial.Assets {
		fmt.Println(a.Asset, "debits", a.Debits, "credits", a.Credits, "difference", a.Difference)
	}
	v, _ := book.Verify(ctx)
	fmt.Println(v.Accounts, "accounts,", v.Lines, "lines, problems:", len(v.Problems))
	// Output:
	// USD debits 50.00 USD credits 50.00 USD difference 0.00 USD
	// 4 accounts, 8 lines, problems: 0
}
