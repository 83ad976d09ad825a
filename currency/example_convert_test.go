package currency_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
)

// Parse reads plain numbers and nothing else; what a person typed in a locale is another matter.
func ExampleParse() {
	for _, s := range []string{"1234.5", "1,234.50", "1e3", "0.005"} {
		a, err := currency.Parse(s, currency.USD)
		fmt.Println(a, err)
	}
	// Output:
	// 1234.50 USD <nil>
	// <invalid amount> currency: parse: malformed input: want digits, as in 1234.56: "1,234.50" (USD)
	// <invalid amount> currency: parse: malformed input: want digits, as in 1234.56: "1e3" (USD)
	// <invalid amount> currency: parse: too many decimal places: "0.005" (USD)
}

// A decimal must fit exactly. Round it first, if that is what you mean.
func ExampleFromDecimal() {
	price := decimal.RequireFromString("12.345")
	_, err := currency.FromDecimal(price, currency.USD)
	fmt.Println(errors.Is(err, currency.ErrPrecision))

	a, err := currency.FromDecimal(price.RoundBank(2), currency.USD)
	fmt.Println(a, err)
	// Output:
	// true
	// 12.34 USD <nil>
}

// A chain counts in 256 bits. What does not fit is refused, never cut.
func ExampleFromBig() {
	wei, _ := new(big.Int).SetString("1500000000000000000", 10)
	ether := currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})
	a, err := currency.FromBig(wei, ether)
	fmt.Println(a.Number(), err)

	_, err = currency.FromBig(new(big.Int).Lsh(wei, 128), ether)
	fmt.Println(errors.Is(err, currency.ErrOverflow))
	// Output:
	// 1.500000000000000000 <nil>
	// true
}

// Two columns of a database hold any amount.
func ExampleFromUnits() {
	hi, lo := currency.MustParse("-12.34", currency.USD).Units()
	a, err := currency.FromUnits(hi, lo, currency.USD)
	fmt.Println(hi, lo, a, err)
	// Output:
	// -1 18446744073709550382 -12.34 USD <nil>
}

func ExampleAmount_Units() {
	hi, lo := currency.MustParse("12.34", currency.USD).Units()
	fmt.Println(hi, lo)
	// Output:
	// 0 1234
}

func ExampleAmount_AppendText() {
	line := []byte("total ")
	line, err := currency.MustParse("12.34", currency.USD).AppendText(line)
	fmt.Println(string(line), err)
	// Output:
	// total 12.34 USD <nil>
}

// A text column holds the text form, and NULL holds no amount.
func ExampleAmount_Scan() {
	var a currency.Amount
	fmt.Println(a.Scan("12.34 USD"), a)
	fmt.Println(a.Scan(nil), a.IsValid())
	fmt.Println(a.Scan(int64(1234)))
	// Output:
	// <nil> 12.34 USD
	// <nil> false
	// currency: scan: malformed input: cannot read an amount from int64
}

func ExampleAmount_Value() {
	value, err := currency.MustParse("12.34", currency.USD).Value()
	fmt.Println(value, err)
	// Output:
	// 12.34 USD <nil>
}

// Amounts print themselves, in logs too.
func ExampleAmount_printing() {
	a := currency.MustParse("1234.50", currency.USD)
	fmt.Printf("%v|%f|%d|%+v|%14v|\n", a, a, a, a, a)

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	logger.Info("paid", "amount", a)
	// Output:
	// 1234.50 USD|1234.50|123450|+1234.50 USD|   1234.50 USD|
	// level=INFO msg=paid amount="1234.50 USD"
}

// Branch on the sentinel, read the particulars from the Error.
func ExampleError() {
	_, err := currency.MustParse("1", currency.USD).Add(currency.MustParse("1", currency.EUR))
	if errors.Is(err, currency.ErrAssetMismatch) {
		if e, ok := errors.AsType[*currency.Error](err); ok {
			fmt.Println(e.Op, e.Asset, e.Other)
		}
	}
	// Output:
	// add USD EUR
}
