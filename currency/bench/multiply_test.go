package main

import (
	"testing"

	gomoney "github.com/Rhymond/go-money"
	bojanz "github.com/bojanz/currency"
	"github.com/cockroachdb/apd/v3"
	govalues "github.com/govalues/decimal"
	gvmoney "github.com/govalues/money"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
)

func BenchmarkMultiply(b *testing.B)      { race(b, multiplication) }
func BenchmarkTimes(b *testing.B)         { race(b, times) }
func BenchmarkMultiplyToken(b *testing.B) { race(b, tokenMultiplication) }

// multiplication multiplies a price by a rate that was read before, and rounds to cents, half to even. bojanz takes a
// rate only as text; go-money multiplies by whole numbers only and is not here.
var multiplication = []contender{
	{"kosh", func() func(int) string {
		p, rate := all(prices, koshPrice), decimal.RequireFromString(taxes)
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = p[i&at].Mul(rate, currency.HalfEven)
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		p, rate := all(prices, shopspringPrice), decimal.RequireFromString(taxes)
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r = p[i&at].Mul(rate).RoundBank(2)
			}
			return fixed(r)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p, rate := all(prices, govaluesPrice), govalues.MustParse(taxes)
		return func(n int) string {
			var r govalues.Decimal
			for i := range n {
				r, _ = p[i&at].Mul(rate)
				r = r.Round(2)
			}
			return r.String()
		}
	}},
	{"govalues/money", func() func(int) string {
		p, rate := all(prices, gvmoneyPrice), govalues.MustParse(taxes)
		return func(n int) string {
			var r gvmoney.Amount
			for i := range n {
				r, _ = p[i&at].Mul(rate)
				r = r.RoundToCurr()
			}
			return r.Decimal().String()
		}
	}},
	{"apd", func() func(int) string {
		p, rate := all(prices, apdPrice), apdPrice(taxes)
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _ = apdContext.Mul(r, p[i&at], rate)
				_, _ = apdContext.Quantize(r, r, -2)
			}
			return apdText(r)
		}
	}},
	{"bojanz", func() func(int) string {
		p := all(prices, bojanzPrice)
		return func(n int) string {
			var r bojanz.Amount
			for i := range n {
				r, _ = p[i&at].Mul(taxes)
				r = r.RoundTo(2, bojanz.RoundHalfEven)
			}
			return r.Number()
		}
	}},
}

// times multiplies a price by a whole number.
var times = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = p[i&at].MulInt(3)
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		p, three := all(prices, shopspringPrice), decimal.NewFromInt(3)
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r = p[i&at].Mul(three)
			}
			return fixed(r)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p, three := all(prices, govaluesPrice), govalues.MustNew(3, 0)
		return func(n int) string {
			var r govalues.Decimal
			for i := range n {
				r, _ = p[i&at].Mul(three)
			}
			return r.String()
		}
	}},
	{"govalues/money", func() func(int) string {
		p, three := all(prices, gvmoneyPrice), govalues.MustNew(3, 0)
		return func(n int) string {
			var r gvmoney.Amount
			for i := range n {
				r, _ = p[i&at].Mul(three)
			}
			return r.Decimal().String()
		}
	}},
	{"apd", func() func(int) string {
		p, three := all(prices, apdPrice), apd.New(3, 0)
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _ = apdContext.Mul(r, p[i&at], three)
			}
			return apdText(r)
		}
	}},
	{"bojanz", func() func(int) string {
		p := all(prices, bojanzPrice)
		return func(n int) string {
			var r bojanz.Amount
			for i := range n {
				r, _ = p[i&at].Mul("3")
			}
			return r.Number()
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r *gomoney.Money
			for i := range n {
				r = p[i&at].Multiply(3)
			}
			return cents(r)
		}
	}},
}

// tokenMultiplication is multiplication with 18 decimals.
var tokenMultiplication = []contender{
	{"kosh", func() func(int) string {
		p, rate := all(tokens, koshToken), decimal.RequireFromString(taxes)
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = p[i&at].Mul(rate, currency.HalfEven)
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		p, rate := all(tokens, shopspringPrice), decimal.RequireFromString(taxes)
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r = p[i&at].Mul(rate).RoundBank(18)
			}
			return r.StringFixed(18)
		}
	}},
	{"apd", func() func(int) string {
		p, rate := all(tokens, apdPrice), apdPrice(taxes)
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _ = apdContext.Mul(r, p[i&at], rate)
				_, _ = apdContext.Quantize(r, r, -18)
			}
			return apdText(r)
		}
	}},
}
