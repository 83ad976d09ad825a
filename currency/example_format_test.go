package currency_test

import (
	"errors"
	"fmt"

	"golang.org/x/text/language"

	"github.com/koshpay/kosh/currency"
)

// A formatter is made once for a locale and a purpose, here a balance sheet.
func ExampleNewFormatter() {
	f := currency.NewFormatter(language.AmericanEnglish, currency.FormatOptions{Accounting: true})
	fmt.Println(f.Format(currency.MustParse("1234.5", currency.USD)))
	fmt.Println(f.Format(currency.MustParse("-1234.5", currency.USD)))
	// Output:
	// $1,234.50
	// ($1,234.50)
}

// The symbol tells one dollar from another, the narrow one does not, and the code is for those who know it.
func ExampleFormatOptions_display() {
	canada := language.MustParse("en-CA")
	for _, d := range []currency.Display{currency.ShowSymbol, currency.ShowNarrowSymbol, currency.ShowCode} {
		f := currency.NewFormatter(canada, currency.FormatOptions{Display: d})
		fmt.Printf("%+q\n", f.Format(currency.MustNew(500, currency.USD)))
	}
	// Output:
	// "US$5.00"
	// "$5.00"
	// "USD\u00a05.00"
}

// Prices at a till are rounded to coins: five centimes, one krona.
func ExampleFormatOptions_cash() {
	f := currency.NewFormatter(language.Swedish, currency.FormatOptions{Cash: true, Rounding: currency.HalfUp})
	fmt.Printf("%+q\n", f.Format(currency.MustParse("7.98", currency.CHF)))
	fmt.Printf("%+q\n", f.Format(currency.MustParse("7.50", currency.SEK)))
	// Output:
	// "8,00\u00a0CHF"
	// "8\u00a0kr"
}

// A wallet shows four decimals of ether at most; all others still count.
func ExampleFormatOptions_fraction() {
	ether := currency.MustDefine(currency.Info{
		ID: "eip155:10/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto, Symbol: "Ξ",
	})
	f := currency.NewFormatter(language.English, currency.FormatOptions{
		Fraction: &currency.FractionDigits{Max: 4},
		Rounding: currency.Down,
		Sign:     currency.SignExceptZero,
	})
	fmt.Printf("%+q\n", f.Format(currency.MustParse("1.234567", ether)))
	// Output:
	// "+\u039e\u00a01.2345"
}

// A table of many amounts is written into one buffer, without allocating.
func ExampleFormatter_AppendFormat() {
	f := currency.NewFormatter(language.MustParse("hi-IN"), currency.FormatOptions{})
	line := make([]byte, 0, 80)
	for _, rupees := range []string{"99", "1234567.5", "-20"} {
		line = f.AppendFormat(line, currency.MustParse(rupees, currency.INR))
		line = append(line, "; "...)
	}
	fmt.Println(string(line))
	// Output:
	// ₹99.00; ₹12,34,567.50; -₹20.00;
}

// What a person types is read in their locale, with or without the symbol.
func ExampleParseLocale() {
	for _, typed := range []string{"1.234,56", "€ 1234,56", "1 234,56 EUR", "−5"} {
		a, err := currency.ParseLocale(typed, currency.EUR, language.German)
		fmt.Println(a, err)
	}
	// Output:
	// 1234.56 EUR <nil>
	// 1234.56 EUR <nil>
	// 1234.56 EUR <nil>
	// -5.00 EUR <nil>
}

// What could mean something else is refused.
func ExampleParseLocale_refused() {
	read := func(typed string, a currency.Asset, tag language.Tag) error {
		_, err := currency.ParseLocale(typed, a, tag)
		return err
	}
	fmt.Println(read("1,50", currency.USD, language.English)) // an hour's parking, or a comma astray?
	fmt.Println(read("1,234", currency.EUR, language.German)) // a thousandth of a cent cannot be paid
	fmt.Println(read("$5", currency.CAD, language.English))   // whose dollar?
	fmt.Println(errors.Is(read("1,234", currency.KWD, language.English), currency.ErrAmbiguousNumber))
	// Output:
	// currency: parse locale: malformed input: want a number with separators where the locale has them: "1,50" (USD)
	// currency: parse locale: too many decimal places: "1,234" (EUR)
	// currency: parse locale: amounts of different assets: "$5" (CAD and USD)
	// true
}

// A field reads what the same formatter writes.
func ExampleFormatter_Parse() {
	f := currency.NewFormatter(language.MustParse("ar-EG"), currency.FormatOptions{Display: currency.ShowCode})
	a, err := f.Parse("١٬٢٣٤٫٥٠ KWD", currency.KWD)
	fmt.Println(a, err)
	// Output:
	// 1234.500 KWD <nil>
}
