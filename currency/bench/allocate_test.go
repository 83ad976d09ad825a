package main

import (
	"strings"
	"testing"

	gomoney "github.com/Rhymond/go-money"
	"github.com/cockroachdb/apd/v3"
	govalues "github.com/govalues/decimal"
	gvmoney "github.com/govalues/money"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
)

func BenchmarkAllocate(b *testing.B) { race(b, allocation) }
func BenchmarkSplit(b *testing.B)    { race(b, splitting) }

// shares are what allocation uses: 70:20:10, for a creator, the platform and a referrer.
var shares = [3]string{"0.7", "0.2", "0.1"}

// allocation shares a price out so that the parts add up. Libraries without it do what their users must: multiply by
// each fraction, cut to cents, and hand the cents left over to the first parts. That is less work than the largest
// remainders that kosh finds; on these prices the results are the same.
var allocation = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r []currency.Amount
			for i := range n {
				r, _ = p[i&at].Allocate(70, 20, 10)
			}
			return join(r, currency.Amount.Number)
		}
	}},
	{"kosh AllocateInto", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r [3]currency.Amount
			for i := range n {
				_ = p[i&at].AllocateInto(r[:], 70, 20, 10)
			}
			return join(r[:], currency.Amount.Number)
		}
	}},
	{"shopspring", func() func(int) string {
		p, w, cent := all(prices, shopspringPrice), fractions(shopspringPrice), decimal.New(1, -2)
		return func(n int) string {
			var r []decimal.Decimal
			for i := range n {
				r = make([]decimal.Decimal, len(w))
				left := p[i&at]
				for j := range w {
					r[j] = p[i&at].Mul(w[j]).Truncate(2)
					left = left.Sub(r[j])
				}
				for j := 0; left.Sign() > 0; j++ {
					r[j] = r[j].Add(cent)
					left = left.Sub(cent)
				}
			}
			return join(r, fixed)
		}
	}},
	{"govalues/decimal", func() func(int) string {
		p, w, cent := all(prices, govaluesPrice), fractions(govaluesPrice), govalues.MustNew(1, 2)
		return func(n int) string {
			var r []govalues.Decimal
			for i := range n {
				r = make([]govalues.Decimal, len(w))
				left := p[i&at]
				for j := range w {
					r[j], _ = p[i&at].Mul(w[j])
					r[j] = r[j].Trunc(2)
					left, _ = left.Sub(r[j])
				}
				for j := 0; left.IsPos(); j++ {
					r[j], _ = r[j].Add(cent)
					left, _ = left.Sub(cent)
				}
			}
			return join(r, govalues.Decimal.String)
		}
	}},
	{"govalues/money", func() func(int) string {
		p, w, cent := all(prices, gvmoneyPrice), fractions(govaluesPrice), gvmoneyPrice("0.01")
		return func(n int) string {
			var r []gvmoney.Amount
			for i := range n {
				r = make([]gvmoney.Amount, len(w))
				left := p[i&at]
				for j := range w {
					r[j], _ = p[i&at].Mul(w[j])
					r[j] = r[j].TruncToCurr()
					left, _ = left.Sub(r[j])
				}
				for j := 0; left.IsPos(); j++ {
					r[j], _ = r[j].Add(cent)
					left, _ = left.Sub(cent)
				}
			}
			return join(r, gvmoneyNumber)
		}
	}},
	{"apd", func() func(int) string {
		p, w, cent := all(prices, apdPrice), fractions(apdPrice), apd.New(1, -2)
		down := *apdContext
		down.Rounding = apd.RoundDown
		return func(n int) string {
			var r []apd.Decimal
			left := new(apd.Decimal)
			for i := range n {
				r = make([]apd.Decimal, len(w))
				left.Set(p[i&at])
				for j := range w {
					_, _ = down.Mul(&r[j], p[i&at], w[j])
					_, _ = down.Quantize(&r[j], &r[j], -2)
					_, _ = down.Sub(left, left, &r[j])
				}
				for j := 0; left.Sign() > 0; j++ {
					_, _ = down.Add(&r[j], &r[j], cent)
					_, _ = down.Sub(left, left, cent)
				}
			}
			return join(r, func(d apd.Decimal) string { return apdText(&d) })
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r []*gomoney.Money
			for i := range n {
				r, _ = p[i&at].Allocate(70, 20, 10)
			}
			return join(r, cents)
		}
	}},
}

// splitting makes three equal parts; only these libraries have it.
var splitting = []contender{
	{"kosh", func() func(int) string {
		p := all(prices, koshPrice)
		return func(n int) string {
			var r []currency.Amount
			for i := range n {
				r, _ = p[i&at].Split(3)
			}
			return join(r, currency.Amount.Number)
		}
	}},
	{"govalues/money", func() func(int) string {
		p := all(prices, gvmoneyPrice)
		return func(n int) string {
			var r []gvmoney.Amount
			for i := range n {
				r, _ = p[i&at].Split(3)
			}
			return join(r, gvmoneyNumber)
		}
	}},
	{"go-money", func() func(int) string {
		p := all(prices, gomoneyPrice)
		return func(n int) string {
			var r []*gomoney.Money
			for i := range n {
				r, _ = p[i&at].Split(3)
			}
			return join(r, cents)
		}
	}},
}

func fractions[T any](parse func(string) T) (list [3]T) {
	for i, s := range shares {
		list[i] = parse(s)
	}
	return list
}

func gvmoneyNumber(a gvmoney.Amount) string { return a.Decimal().String() }

func join[T any](parts []T, text func(T) string) string {
	list := make([]string, 0, len(parts))
	for _, p := range parts {
		list = append(list, text(p))
	}
	return strings.Join(list, " ")
}
