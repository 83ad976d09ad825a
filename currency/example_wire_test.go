package currency_test

import (
	"encoding/json"
	"fmt"

	"golang.org/x/text/language"

	"github.com/koshpay/kosh/currency"
)

// On the wire an amount is a string with its asset; a bare number is refused.
func ExampleAmount_json() {
	data, err := json.Marshal(currency.MustParse("1234.5", currency.USD))
	fmt.Println(string(data), err)

	var a currency.Amount
	fmt.Println(json.Unmarshal([]byte(`{"amount":1234.5,"asset":"USD"}`), &a))
	// Output:
	// {"amount":"1234.50","asset":"USD"} <nil>
	// currency: unmarshal json: malformed input: the value of amount must be a string: "{\"amount\":1234.5,\"asset\":\"USD\"}"
}

func ExampleParseText() {
	a, err := currency.ParseText("1234.56 USD")
	fmt.Println(a, err)
	fmt.Println(a.Number(), a.AssetID())
	// Output:
	// 1234.56 USD <nil>
	// 1234.56 USD
}

// For people, write as their locale does.
func ExampleFormat() {
	a := currency.MustParse("1234567.5", currency.INR)
	for _, tag := range []language.Tag{language.English, language.Hindi} {
		fmt.Println(currency.Format(a, tag))
	}
	fmt.Printf("%q\n", currency.Format(a, language.German)) // the space does not break
	// Output:
	// ₹1,234,567.50
	// ₹12,34,567.50
	// "1.234.567,50\u00a0₹"
}
