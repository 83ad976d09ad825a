package main

import (
	"encoding/json"
	"testing"

	gomoney "github.com/Rhymond/go-money"
	bojanz "github.com/bojanz/currency"
	"github.com/cockroachdb/apd/v3"
	govalues "github.com/govalues/decimal"
	gvmoney "github.com/govalues/money"
	"github.com/shopspring/decimal"
	"golang.org/x/text/language"

	"github.com/koshpay/kosh/currency"
)

func BenchmarkParse(b *testing.B)      { race(b, parsing) }
func BenchmarkParseToken(b *testing.B) { race(b, tokenParsing) }
func BenchmarkPrint(b *testing.B)      { race(b, printing) }
func BenchmarkJSONEncode(b *testing.B) { race(b, jsonEncoding) }
func BenchmarkJSONDecode(b *testing.B) { race(b, jsonDecoding) }
func BenchmarkFormat(b *testing.B)     { race(b, formatting) }

// parsing reads a price from plain text, in a known currency where the library has currencies. go-money reads no text.
var parsing = []contender{
	{"kosh", func() func(int) string {
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = currency.Parse(prices[i&at], currency.USD)
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r, _ = decimal.NewFromString(prices[i&at])
			}
			return fixed(r)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		return func(n int) string {
			var r govalues.Decimal
			for i := range n {
				r, _ = govalues.Parse(prices[i&at])
			}
			return r.String()
		}
	}},
	{"govalues/money", func() func(int) string {
		return func(n int) string {
			var r gvmoney.Amount
			for i := range n {
				r, _ = gvmoney.ParseAmount("USD", prices[i&at])
			}
			return r.Decimal().String()
		}
	}},
	{"apd", func() func(int) string {
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _, _ = r.SetString(prices[i&at])
			}
			return apdText(r)
		}
	}},
	{"bojanz", func() func(int) string {
		return func(n int) string {
			var r bojanz.Amount
			for i := range n {
				r, _ = bojanz.NewAmount(prices[i&at], "USD")
			}
			return r.Number()
		}
	}},
}

// tokenParsing reads amounts with 18 decimals.
var tokenParsing = []contender{
	{"kosh", func() func(int) string {
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = currency.Parse(tokens[i&at], ether)
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r, _ = decimal.NewFromString(tokens[i&at])
			}
			return r.StringFixed(18)
		}
	}},
	{"apd", func() func(int) string {
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _, _ = r.SetString(tokens[i&at])
			}
			return apdText(r)
		}
	}},
}

// printing writes the number into a buffer that is used again, or makes a string where the library cannot. The currency
// code that kosh's text form adds is cut from the result.
var printing = []contender{
	{"kosh", func() func(int) string {
		p, r := all(prices, koshPrice), make([]byte, 0, 64)
		return func(n int) string {
			for i := range n {
				r, _ = p[i&at].AppendText(r[:0])
			}
			return string(r[:len(r)-len(" USD")])
		}
	}},
	{"shopspring", func() func(int) string {
		p := all(prices, shopspringPrice)
		return func(n int) string {
			var r string
			for i := range n {
				r = p[i&at].StringFixed(2)
			}
			return r
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p, r := all(prices, govaluesPrice), make([]byte, 0, 64)
		return func(n int) string {
			for i := range n {
				r, _ = p[i&at].AppendText(r[:0])
			}
			return string(r)
		}
	}},
	{"govalues/money", func() func(int) string {
		p := all(prices, gvmoneyPrice)
		return func(n int) string {
			var r string
			for i := range n {
				r = p[i&at].String()
			}
			return r[len("USD "):]
		}
	}},
	{"apd", func() func(int) string {
		p, r := all(prices, apdPrice), make([]byte, 0, 64)
		return func(n int) string {
			for i := range n {
				r = p[i&at].Append(r[:0], 'f')
			}
			return string(r)
		}
	}},
	{"bojanz", func() func(int) string {
		p := all(prices, bojanzPrice)
		return func(n int) string {
			var r string
			for i := range n {
				r = p[i&at].Number()
			}
			return r
		}
	}},
}

// jsonEncoding is json.Marshal of an amount with its currency; each library has its own names for the two.
var jsonEncoding = []contender{
	{"kosh", func() func(int) string { return encode(all(prices, koshPrice)) }},
	{"bojanz", func() func(int) string { return encode(all(prices, bojanzPrice)) }},
	{"go-money", func() func(int) string { return encode(all(prices, gomoneyPrice)) }},
}

// jsonDecoding is json.Unmarshal of what jsonEncoding makes.
var jsonDecoding = []contender{
	{"kosh", func() func(int) string { return decode(all(prices, koshPrice), currency.Amount.Number) }},
	{"bojanz", func() func(int) string { return decode(all(prices, bojanzPrice), bojanz.Amount.Number) }},
	{"go-money", func() func(int) string {
		return decode(all(prices, gomoneyPrice), func(m *gomoney.Money) string { return cents(m) })
	}},
}

func encode[T any](p [8]T) func(int) string {
	return func(n int) string {
		var data []byte
		for i := range n {
			data, _ = json.Marshal(p[i&at])
		}
		return amountIn(data)
	}
}

func decode[T any](p [8]T, text func(T) string) func(int) string {
	data := [8][]byte{}
	for i := range p {
		data[i] = must(json.Marshal(p[i]))
	}
	return func(n int) string {
		var r T
		for i := range n {
			if err := json.Unmarshal(data[i&at], &r); err != nil {
				panic(err)
			}
		}
		return text(r)
	}
}

// amountIn finds the number in any of the three forms.
func amountIn(data []byte) string {
	var fields struct {
		Amount, Number json.RawMessage
	}
	if err := json.Unmarshal(data, &fields); err != nil {
		panic(err)
	}
	var text string
	for _, raw := range []json.RawMessage{fields.Amount, fields.Number} {
		if json.Unmarshal(raw, &text) == nil {
			return text
		}
	}
	var units int64
	if err := json.Unmarshal(fields.Amount, &units); err != nil {
		panic(err)
	}
	return cents(gomoney.New(units, "USD"))
}

// formatting writes a price for an American.
var formatting = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r string
			for i := range n {
				r = currency.Format(p[i&at], language.AmericanEnglish)
			}
			return r
		}
	}},
	{"bojanz", func() func(int) string {
		p, formatter := all(prices, bojanzPrice), bojanz.NewFormatter(bojanz.NewLocale("en-US"))
		return func(n int) string {
			var r string
			for i := range n {
				r = formatter.Format(p[i&at])
			}
			return r
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r string
			for i := range n {
				r = p[i&at].Display()
			}
			return r
		}
	}},
}
