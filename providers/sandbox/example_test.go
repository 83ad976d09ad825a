package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// A response that is lost is the fault that costs most money elsewhere. Here it is on demand.
func ExampleSandbox_Script() {
	ctx := context.Background()
	bank, err := sandbox.New(sandbox.Config{Assets: []currency.Asset{currency.USD}, Secret: []byte("whsec_demo")})
	if err != nil {
		fmt.Println(err)
		return
	}
	op := providers.Operation{
		Key: "0190c1f2-7f3e-7cc3-98c4-dc0c0c07398f", Kind: providers.Deposit, Method: providers.Card,
		Amount: currency.MustParse("20.00", currency.USD), Instrument: sandbox.TokenCard,
	}

	bank.Script(sandbox.LostResponse)
	_, err = bank.Submit(ctx, op)
	fmt.Println("submit:", providers.CertaintyOf(err))

	report, err := bank.Lookup(ctx, providers.Query{Key: op.Key})
	fmt.Println("lookup:", report.State, report.Effects[0].Amount, err)

	again, err := bank.Submit(ctx, op)
	fmt.Println("again: ", again.State, again.Reference == report.Reference, err)
	fmt.Println("truth: ", bank.Balance(currency.USD), "executed", bank.Executed(op.Key), bank.Audit())

	// Output:
	// submit: maybe
	// lookup: succeeded 20.00 USD <nil>
	// again:  succeeded true <nil>
	// truth:  20.00 USD executed 1 <nil>
}

// A debit that the bank returns days later, with a clock that only the example moves.
func ExampleSandbox_Poll() {
	ctx := context.Background()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	bank, err := sandbox.New(sandbox.Config{
		Assets: []currency.Asset{currency.USD}, Clock: func() time.Time { return now },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = bank.Submit(ctx, providers.Operation{
		Key: "0190c1f2-7f3e-7cc3-98c4-dc0c0c07398f", Kind: providers.Deposit, Method: providers.Bank,
		Amount: currency.MustParse("20.00", currency.USD), Instrument: sandbox.TokenBankReturned,
	})
	now = now.Add(7 * 24 * time.Hour)
	events, _, errPoll := bank.Poll(ctx, "", 10)
	fmt.Println(errors.Join(err, errPoll))
	for _, e := range events {
		fmt.Printf("%s: %s, final %v, effects %d, reason %q\n",
			e.At.Format("Jan 2"), e.Report.State, e.Report.Final, len(e.Report.Effects), e.Report.Reason.Code)
	}

	// Output:
	// <nil>
	// Jan 1: pending, final false, effects 0, reason ""
	// Jan 2: succeeded, final false, effects 1, reason ""
	// Jan 3: succeeded, final true, effects 2, reason "R01"
}
