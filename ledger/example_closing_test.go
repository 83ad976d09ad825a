package ledger_test

import (
	"fmt"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// Closing the books of a year: every income and expense account is emptied into equity, as of the last moment of the year, in
// one entry. Income earned later stays; what arrives late for the old year is a second closing under another key. Before
// it, the balance at the effective moment is what to move.
func ExampleImport_closingTheBooks() {
	ctx, book, at := exampleBook()
	silvester := time.Date(2025, 12, 31, 23, 59, 59, 0, time.UTC)
	retained := ledger.AccountID{Path: "equity/retained", Asset: "USD"}
	costs := ledger.AccountID{Path: "expense/cards", Asset: "USD"}
	_, err := book.Record(ctx, ledger.Entry{Key: "2025", Commands: []ledger.Command{
		ledger.OpenAccount{Account: costs, Type: ledger.Expense},
		ledger.Import{Postings: ledger.Transfer(at.bank, at.fees, dollars(80_00)).Postings, EffectiveAt: silvester.AddDate(0, -1, 0)},
		ledger.Import{Postings: ledger.Transfer(costs, at.bank, dollars(12_50)).Postings, EffectiveAt: silvester.AddDate(0, -1, 0)},
		ledger.Transfer(at.ada, at.fees, dollars(1_00)), // of this year
	}})
	if err != nil {
		fmt.Println(err)
		return
	}

	last := ledger.AsOf{Effective: silvester}
	income, _ := book.Account(at.fees).Balance(ctx, last)
	expense, _ := book.Account(costs).Balance(ctx, last)
	closing, err := book.Record(ctx, ledger.Entry{Key: "closing/2025", Commands: []ledger.Command{
		ledger.OpenAccount{Account: retained, Type: ledger.Equity},
		ledger.Import{Postings: ledger.Transfer(at.fees, retained, income.Posted).Postings, EffectiveAt: silvester},
		ledger.Import{Postings: ledger.Transfer(retained, costs, expense.Posted).Postings, EffectiveAt: silvester},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range closing.Balances {
		then, _ := book.Account(b.Account).Balance(ctx, last)
		fmt.Println(b.Account.Path, "at the end of 2025", then.Posted, "today", b.Posted)
	}
	// Output:
	// equity/retained at the end of 2025 67.50 USD today 67.50 USD
	// expense/cards at the end of 2025 0.00 USD today 0.00 USD
	// fees/tips at the end of 2025 0.00 USD today 1.00 USD
}
