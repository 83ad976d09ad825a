package main

import (
	"fmt"
	"math/big"
	"testing"

	gomoney "github.com/Rhymond/go-money"
	bojanz "github.com/bojanz/currency"
	"github.com/cockroachdb/apd/v3"
	govalues "github.com/govalues/decimal"
	gvmoney "github.com/govalues/money"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
)

// contender does one operation n times, going through prices in turn, and says what the last one gave. start prepares
// what a program would have at hand, so that only the operation is measured.
type contender struct {
	lib   string
	start func() func(n int) string
}

// race runs the contenders of one operation and leaves the lines that this folder's program makes a table of.
func race(b *testing.B, contenders []contender) {
	for _, c := range contenders {
		b.Run(c.lib, func(b *testing.B) {
			run := c.start()
			run(len(prices))
			b.ReportAllocs()
			b.ResetTimer()
			run(b.N)
		})
	}
}

// TestContendersAgree is why the ratios mean something: for every price, every library gives the same answer.
func TestContendersAgree(t *testing.T) {
	for name, contenders := range races {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, "kosh", contenders[0].lib)
			for n := 1; n <= len(prices); n++ {
				want := contenders[0].start()(n)
				require.NotEmpty(t, want)
				for _, c := range contenders[1:] {
					require.Equal(t, want, c.start()(n), "%s, price %d", c.lib, n-1)
				}
			}
		})
	}
}

// races lists what is compared, for the test; each has its Benchmark function.
var races = map[string][]contender{
	"Add": addition, "Compare": comparison, "Parse": parsing,
	"Multiply": multiplication, "Times": times, "Allocate": allocation, "Split": splitting, "Sum": summation,
	"AddToken": tokenAddition, "MultiplyToken": tokenMultiplication, "ParseToken": tokenParsing,
	"Print": printing, "JSONEncode": jsonEncoding, "JSONDecode": jsonDecoding, "Format": formatting,
}

// prices have eight lengths and values, so that no branch is predicted by heart. Their last digits are such that the
// allocation methods of all libraries agree on 70:20:10.
var prices = [8]string{"1234.51", "19.92", "0.54", "99.95", "250000.01", "7.12", "33.34", "648.05"}

// tokens are amounts of a token with 18 decimals.
var tokens = [8]string{
	"1.500000000000000001", "0.000000000000000777", "3200.000000000000000000", "17.123456789012345678",
	"0.100000000000000000", "250000.000000000000000001", "64.999999999999999999", "5.000000000012000000",
}

// ether is the token.
var ether = currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})

// at walks through the prices.
const at = len(prices) - 1

// taxes is the rate of the multiplications.
const taxes = "1.0825"

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// all reads the prices with one library's parser.
func all[T any](texts [8]string, parse func(string) T) (list [8]T) {
	for i, s := range texts {
		list[i] = parse(s)
	}
	return list
}

func koshPrice(s string) currency.Amount       { return currency.MustParse(s, currency.USD) }
func koshToken(s string) currency.Amount       { return currency.MustParse(s, ether) }
func shopspringPrice(s string) decimal.Decimal { return decimal.RequireFromString(s) }
func govaluesPrice(s string) govalues.Decimal  { return govalues.MustParse(s) }
func gvmoneyPrice(s string) gvmoney.Amount     { return gvmoney.MustParseAmount("USD", s) }
func bojanzPrice(s string) bojanz.Amount       { return must(bojanz.NewAmount(s, "USD")) }

func apdPrice(s string) *apd.Decimal {
	d, _, err := apd.NewFromString(s)
	return must(d, err)
}

// gomoneyPrice counts cents: go-money reads no text.
func gomoneyPrice(s string) *gomoney.Money {
	n, _ := koshPrice(s).Int64()
	return gomoney.New(n, "USD")
}

// apdContext has digits enough for every price and token here, and rounds as the others do.
var apdContext = func() *apd.Context {
	c := apd.BaseContext.WithPrecision(40)
	c.Rounding = apd.RoundHalfEven
	return c
}()

// cents writes go-money's integers as the others write theirs.
func cents(m *gomoney.Money) string {
	n := m.Amount()
	return fmt.Sprintf("%d.%02d", n/100, n%100)
}

// fixed writes what need not have two decimals with two.
func fixed(d decimal.Decimal) string { return d.StringFixed(2) }

func apdText(d *apd.Decimal) string { return d.Text('f') }

func sign(n int) string { return big.NewInt(int64(n)).String() }
