package currency_test

import (
	"errors"
	"fmt"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
)

func ExampleAmount_Add() {
	sum, err := currency.MustParse("0.10", currency.USD).Add(currency.MustParse("0.20", currency.USD))
	fmt.Println(sum, err)
	// Output:
	// 0.30 USD <nil>
}

func ExampleAmount_Sub() {
	change, err := currency.MustParse("20.00", currency.USD).Sub(currency.MustParse("12.35", currency.USD))
	fmt.Println(change, err)
	// Output:
	// 7.65 USD <nil>
}

func ExampleAmount_Neg() {
	refund, err := currency.MustParse("9.99", currency.EUR).Neg()
	fmt.Println(refund, err)
	// Output:
	// -9.99 EUR <nil>
}

func ExampleAmount_Abs() {
	owed, err := currency.MustParse("-9.99", currency.EUR).Abs()
	fmt.Println(owed, err)
	// Output:
	// 9.99 EUR <nil>
}

// Amounts of different assets have no order, so comparing them is an error and not an answer.
func ExampleAmount_Cmp() {
	price, balance := currency.MustParse("5", currency.USD), currency.MustParse("4.99", currency.USD)
	order, err := balance.Cmp(price)
	fmt.Println(order, err)

	_, err = balance.Cmp(currency.MustParse("5", currency.GBP))
	fmt.Println(errors.Is(err, currency.ErrAssetMismatch))
	// Output:
	// -1 <nil>
	// true
}

func ExampleAmount_Less() {
	short, err := currency.MustParse("4.99", currency.USD).Less(currency.MustParse("5", currency.USD))
	fmt.Println(short, err)
	// Output:
	// true <nil>
}

// Sign answers whether there is anything. There is no IsZero, which encoding/json would take for "leave it out".
func ExampleAmount_Sign() {
	for _, s := range []string{"-1", "0", "0.01"} {
		fmt.Println(currency.MustParse(s, currency.USD).Sign())
	}
	// Output:
	// -1
	// 0
	// 1
}

func ExampleMin() {
	limit, err := currency.Min(currency.MustParse("100", currency.USD), currency.MustParse("75.50", currency.USD))
	fmt.Println(limit, err)
	// Output:
	// 75.50 USD <nil>
}

func ExampleMax() {
	fee, err := currency.Max(currency.MustParse("0.12", currency.USD), currency.MustParse("0.30", currency.USD))
	fmt.Println(fee, err)
	// Output:
	// 0.30 USD <nil>
}

// Begin with Zero where there may be nothing to add: no amounts have no asset.
func ExampleSum() {
	cart := []currency.Amount{currency.MustParse("19.99", currency.USD), currency.MustParse("5.01", currency.USD)}
	total, err := currency.Sum(cart...)
	fmt.Println(total, err)

	total, err = currency.Sum(append([]currency.Amount{currency.Zero(currency.USD)}, nil...)...)
	fmt.Println(total, err)
	// Output:
	// 25.00 USD <nil>
	// 0.00 USD <nil>
}

func ExampleZero() {
	fmt.Println(currency.Zero(currency.JPY), currency.Zero(currency.USD))
	fmt.Println(currency.Zero(currency.USD) == currency.Amount{}, currency.Amount{})
	// Output:
	// 0 JPY 0.00 USD
	// false <invalid amount>
}

func ExampleAmount_IsValid() {
	var tip currency.Amount // optional, and not given
	fmt.Println(tip.IsValid(), currency.Zero(currency.USD).IsValid())
	// Output:
	// false true
}

func ExampleAmount_MulInt() {
	total, err := currency.MustParse("19.99", currency.USD).MulInt(3)
	fmt.Println(total, err)
	// Output:
	// 59.97 USD <nil>
}

func ExampleAmount_Split() {
	parts, err := currency.MustParse("100.00", currency.USD).Split(3)
	fmt.Println(parts, err)
	// Output:
	// [33.34 USD 33.33 USD 33.33 USD] <nil>
}

// In a loop, the parts can go to the same place each time.
func ExampleAmount_AllocateInto() {
	var parts [2]currency.Amount // a creator and the platform
	for _, tip := range []string{"5.00", "0.01"} {
		err := currency.MustParse(tip, currency.USD).AllocateInto(parts[:], 95, 5)
		fmt.Println(parts, err)
	}
	// Output:
	// [4.75 USD 0.25 USD] <nil>
	// [0.01 USD 0.00 USD] <nil>
}

// The rate comes from you, and so does the rounding.
func ExampleConvert() {
	rate := currency.MustRate(currency.EUR, currency.USD, decimal.RequireFromString("1.0842"))
	dollars, err := currency.Convert(currency.MustParse("99.95", currency.EUR), rate, currency.HalfEven)
	fmt.Println(dollars, err)
	// Output:
	// 108.37 USD <nil>
}

// Eight ways to round half a cent and less.
func ExampleRounding() {
	one := currency.MustParse("0.01", currency.USD)
	for mode := currency.HalfEven; mode <= currency.Exact; mode++ {
		half, err := one.Mul(decimal.RequireFromString("-2.5"), mode)
		if err != nil {
			fmt.Println(mode, "refuses")
			continue
		}
		fmt.Println(mode, half.Number())
	}
	// Output:
	// half-even -0.02
	// half-up -0.03
	// half-down -0.02
	// up -0.03
	// down -0.02
	// ceiling -0.02
	// floor -0.03
	// exact refuses
}
