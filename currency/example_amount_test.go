package currency_test

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
)

// An amount is exact, knows its asset, and refuses what would lose money.
func ExampleAmount() {
	price := currency.MustParse("19.99", currency.USD)
	shipping := currency.MustNew(500, currency.USD) // 500 cents

	total, err := price.Add(shipping)
	fmt.Println(total, err)

	_, err = total.Add(currency.MustParse("5", currency.EUR))
	fmt.Println(errors.Is(err, currency.ErrAssetMismatch), err)

	_, err = currency.Parse("19.999", currency.USD)
	fmt.Println(errors.Is(err, currency.ErrPrecision), err)
	// Output:
	// 24.99 USD <nil>
	// true currency: add: amounts of different assets (USD and EUR)
	// true currency: parse: too many decimal places: "19.999" (USD)
}

// A bill is shared so that the parts add up again: three times 33.33 is not 100.
func ExampleAmount_Allocate() {
	bill := currency.MustParse("100.00", currency.USD)
	parts, err := bill.Allocate(1, 1, 1)
	fmt.Println(parts, err)

	tip := currency.MustParse("5.00", currency.USD)
	parts, err = tip.Allocate(95, 5) // a creator and the platform
	fmt.Println(parts, err)
	// Output:
	// [33.34 USD 33.33 USD 33.33 USD] <nil>
	// [4.75 USD 0.25 USD] <nil>
}

// Rounding is never silent: say how, or ask for Exact.
func ExampleAmount_Mul() {
	price := currency.MustParse("9.99", currency.USD)
	tax := decimal.RequireFromString("0.0825")

	up, _ := price.Mul(tax, currency.HalfUp)
	down, _ := price.Mul(tax, currency.Down)
	_, err := price.Mul(tax, currency.Exact)
	fmt.Println(up, down, err)
	// Output:
	// 0.82 USD 0.82 USD currency: multiply: too many decimal places (USD)
}

// Swiss coins end at five centimes.
func ExampleAmount_RoundTo() {
	step, err := currency.CashIncrement(currency.CHF)
	if err != nil {
		fmt.Println(err)
		return
	}
	cash, err := currency.MustParse("12.33", currency.CHF).RoundTo(step, currency.HalfUp)
	fmt.Println(cash, err)
	// Output:
	// 12.35 CHF <nil>
}

// A provider's exponent is the provider's business: this one wants shillings
// times a hundred although ISO 4217 gives them no decimals.
func ExampleFromMinor() {
	ugx, _ := currency.Lookup("UGX")
	amount, err := currency.FromMinor(150000, 2, ugx)
	fmt.Println(amount, err)

	wire, err := amount.Minor(2)
	fmt.Println(wire, err)
	// Output:
	// 1500 UGX <nil>
	// 150000 <nil>
}

func ExampleRate() {
	rate, err := currency.NewRate(currency.USD, currency.JPY, decimal.RequireFromString("151.235"))
	if err != nil {
		fmt.Println(err)
		return
	}
	yen, err := rate.Convert(currency.MustParse("10.00", currency.USD), currency.Down)
	fmt.Println(rate, "→", yen, err)

	cost, err := rate.ConvertBack(currency.MustParse("2000", currency.JPY), currency.Up)
	fmt.Println(cost, err)
	// Output:
	// 1 USD = 151.235 JPY → 1512 JPY <nil>
	// 13.23 USD <nil>
}
