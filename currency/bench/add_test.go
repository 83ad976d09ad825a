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

func BenchmarkAdd(b *testing.B)      { race(b, addition) }
func BenchmarkCompare(b *testing.B)  { race(b, comparison) }
func BenchmarkSum(b *testing.B)      { race(b, summation) }
func BenchmarkAddToken(b *testing.B) { race(b, tokenAddition) }

// addition adds two prices, with whatever checks of currency and range the library makes.
var addition = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = p[i&at].Add(p[(i+3)&at])
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		p := all(prices, shopspringPrice)
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r = p[i&at].Add(p[(i+3)&at])
			}
			return fixed(r)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p := all(prices, govaluesPrice)
		return func(n int) string {
			var r govalues.Decimal
			for i := range n {
				r, _ = p[i&at].Add(p[(i+3)&at])
			}
			return r.String()
		}
	}},
	{"govalues/money", func() func(int) string {
		p := all(prices, gvmoneyPrice)
		return func(n int) string {
			var r gvmoney.Amount
			for i := range n {
				r, _ = p[i&at].Add(p[(i+3)&at])
			}
			return r.Decimal().String()
		}
	}},
	{"apd", func() func(int) string {
		p := all(prices, apdPrice)
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _ = apdContext.Add(r, p[i&at], p[(i+3)&at])
			}
			return apdText(r)
		}
	}},
	{"bojanz", func() func(int) string {
		p := all(prices, bojanzPrice)
		return func(n int) string {
			var r bojanz.Amount
			for i := range n {
				r, _ = p[i&at].Add(p[(i+3)&at])
			}
			return r.Number()
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r *gomoney.Money
			for i := range n {
				r, _ = p[i&at].Add(p[(i+3)&at])
			}
			return cents(r)
		}
	}},
}

// comparison orders two prices.
var comparison = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r, _ = p[i&at].Cmp(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
	{"shopspring", func() func(int) string {
		p := all(prices, shopspringPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r = p[i&at].Cmp(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p := all(prices, govaluesPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r = p[i&at].Cmp(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
	{"govalues/money", func() func(int) string {
		p := all(prices, gvmoneyPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r, _ = p[i&at].Cmp(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
	{"apd", func() func(int) string {
		p := all(prices, apdPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r = p[i&at].Cmp(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
	{"bojanz", func() func(int) string {
		p := all(prices, bojanzPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r, _ = p[i&at].Cmp(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r int
			for i := range n {
				r, _ = p[i&at].Compare(p[(i+3)&at])
			}
			return sign(r)
		}
	}},
}

// summation adds the eight prices up, in one call where there is one.
var summation = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r currency.Amount
			for range n {
				r, _ = currency.Sum(p[:]...)
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		p := all(prices, shopspringPrice)
		return func(n int) string {
			var r decimal.Decimal
			for range n {
				r = decimal.Sum(p[0], p[1:]...)
			}
			return fixed(r)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p := all(prices, govaluesPrice)
		return func(n int) string {
			var r govalues.Decimal
			for range n {
				r, _ = govalues.Sum(p[:]...)
			}
			return r.String()
		}
	}},
	{"govalues/money", func() func(int) string {
		p := all(prices, gvmoneyPrice)
		return func(n int) string {
			var r gvmoney.Amount
			for range n {
				r = p[0]
				for _, v := range p[1:] {
					r, _ = r.Add(v)
				}
			}
			return r.Decimal().String()
		}
	}},
	{"apd", func() func(int) string {
		p := all(prices, apdPrice)
		return func(n int) string {
			r := new(apd.Decimal)
			for range n {
				r.SetInt64(0)
				for _, v := range p {
					_, _ = apdContext.Add(r, r, v)
				}
			}
			return apdText(r)
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r *gomoney.Money
			for range n {
				r, _ = p[0].Add(p[1:]...)
			}
			return cents(r)
		}
	}},
}

// tokenAddition adds amounts with 18 decimals. go-money has no such currency, govalues no more than 19 digits.
var tokenAddition = []contender{
	{"kosh", func() func(int) string {
		p := all(tokens, koshToken)
		return func(n int) string {
			var r currency.Amount
			for i := range n {
				r, _ = p[i&at].Add(p[(i+3)&at])
			}
			return r.Number()
		}
	}},
	{"shopspring", func() func(int) string {
		p := all(tokens, shopspringPrice)
		return func(n int) string {
			var r decimal.Decimal
			for i := range n {
				r = p[i&at].Add(p[(i+3)&at])
			}
			return r.StringFixed(18)
		}
	}},
	{"apd", func() func(int) string {
		p := all(tokens, apdPrice)
		return func(n int) string {
			r := new(apd.Decimal)
			for i := range n {
				_, _ = apdContext.Add(r, p[i&at], p[(i+3)&at])
			}
			return apdText(r)
		}
	}},
}
