package providers_test

import (
	"errors"
	"fmt"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// A descriptor that is written carefully refuses for the adapter: the wrong asset, too much, a fraction of a step.
func ExampleDescriptor_Supports() {
	d := providers.Descriptor{
		Name: "vouchers",
		Offers: []providers.Offer{{
			Kind: providers.Deposit, Method: "voucher", Asset: "USD", Exponent: 2,
			Min: currency.MustParse("5.00", currency.USD), Max: currency.MustParse("200.00", currency.USD),
			Step: currency.MustParse("5.00", currency.USD), // gift cards come in fives
		}},
	}
	for _, amount := range []currency.Amount{
		currency.MustParse("25.00", currency.USD), currency.MustParse("26.00", currency.USD),
		currency.MustParse("205.00", currency.USD), currency.MustParse("25.00", currency.EUR),
	} {
		err := d.Supports(providers.Operation{Kind: providers.Deposit, Method: "voucher", Amount: amount})
		fmt.Println(amount, err == nil, err == nil || errors.Is(err, providers.ErrUnsupported))
	}
	// Output:
	// 25.00 USD true true
	// 26.00 USD false true
	// 205.00 USD false true
	// 25.00 EUR false true
}
