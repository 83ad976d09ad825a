package providers_test

import (
	"fmt"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// A bank debit through its life: it is taken, it settles, and two days later it comes back. Effects are added, never changed.
func ExampleReport_Validate() {
	ten := currency.MustParse("10.00", currency.USD)
	back, err := ten.Neg()
	if err != nil {
		panic(err)
	}
	r := providers.Report{
		Key: "0190c1f2-7f3e-7cc3-98c4-dc0c0c07398f", Reference: "tr_1", Kind: providers.Deposit, State: providers.Pending,
	}
	fmt.Println("taken:", r.Validate())

	r.State = providers.Succeeded
	r.Effects = append(r.Effects, providers.Effect{ID: "tr_1/settled", Kind: providers.Moved, Amount: ten})
	fmt.Println("settled:", r.Validate())

	r.Final, r.Reason = true, providers.Reason{Code: "R01", Public: "The bank account did not have enough money."}
	r.Effects = append(r.Effects, providers.Effect{ID: "tr_1/returned", Kind: providers.Reversed, Amount: back, Reverses: "tr_1/settled"})
	fmt.Println("returned:", r.Validate())

	r.State, r.Effects = providers.Failed, r.Effects[:1]
	fmt.Println("failed, and the money stays:", r.Validate())
	// Output:
	// taken: <nil>
	// settled: <nil>
	// returned: <nil>
	// failed, and the money stays: providers: invalid report: Effects[0] stays moved, but the report is finally negative
}
