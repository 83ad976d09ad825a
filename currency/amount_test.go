package currency

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func TestAmountIsSmallAndComparable(t *testing.T) {
	require.LessOrEqual(t, unsafe.Sizeof(Amount{}), uintptr(24))
	prices := map[Amount]string{MustParse("1.50", USD): "coffee"}
	require.Equal(t, "coffee", prices[MustParse("1.5", USD)])
	require.NotContains(t, prices, MustParse("1.5", EUR))
}

func TestConstructorsRefuse(t *testing.T) {
	tooBig := new(big.Int).Add(bigMax, big.NewInt(1))
	var nilDefinition *Definition
	cases := []struct {
		name string
		make func() (Amount, error)
		want error
	}{
		{"nil asset", func() (Amount, error) { return New(1, nil) }, ErrInvalidAsset},
		{"nil definition", func() (Amount, error) { return New(1, nilDefinition) }, ErrInvalidAsset},
		{"zero definition", func() (Amount, error) { return New(1, new(Definition)) }, ErrInvalidAsset},
		{"the asset of no amount", func() (Amount, error) { return New(1, Amount{}.Asset()) }, ErrInvalidAsset},
		{"units −2¹²⁷", func() (Amount, error) { return FromUnits(math.MinInt64, 0, USD) }, ErrOverflow},
		{"units without asset", func() (Amount, error) { return FromUnits(0, 0, nil) }, ErrInvalidAsset},
		{"big 2¹²⁷", func() (Amount, error) { return FromBig(tooBig, USD) }, ErrOverflow},
		{"big −2¹²⁷", func() (Amount, error) { return FromBig(new(big.Int).Neg(tooBig), USD) }, ErrOverflow},
		{"big 2²⁵⁶", func() (Amount, error) { return FromBig(new(big.Int).Lsh(tooBig, 129), USD) }, ErrOverflow},
		{"big nil", func() (Amount, error) { return FromBig(nil, USD) }, ErrInvalidAmount},
		{"big without asset", func() (Amount, error) { return FromBig(big.NewInt(1), nil) }, ErrInvalidAsset},
		{"decimal with too many places", func() (Amount, error) { return FromDecimal(dec("1.234"), USD) }, ErrPrecision},
		{"decimal 1E1000000000", func() (Amount, error) { return FromDecimal(decimal.New(1, 1_000_000_000), USD) }, ErrOverflow},
		{"decimal 1E-1000000000", func() (Amount, error) { return FromDecimal(decimal.New(1, -1_000_000_000), USD) }, ErrPrecision},
		{"decimal MinInt32", func() (Amount, error) { return FromDecimal(decimal.New(7, math.MinInt32), USD) }, ErrPrecision},
		{"decimal MaxInt32", func() (Amount, error) { return FromDecimal(decimal.New(7, math.MaxInt32), USD) }, ErrOverflow},
		{"decimal of 100 digits", func() (Amount, error) { return FromDecimal(decimal.NewFromBigInt(pow10Oracle(100), 0), USD) }, ErrOverflow},
		{"decimal of 10000 digits", func() (Amount, error) { return FromDecimal(decimal.NewFromBigInt(pow10Oracle(10000), -10000), USD) }, ErrOverflow},
		{"decimal without asset", func() (Amount, error) { return FromDecimal(dec("1"), nil) }, ErrInvalidAsset},
		{"minor of a finer scale", func() (Amount, error) { return FromMinor(int64(1), 3, USD) }, ErrPrecision},
		{"minor scale 255", func() (Amount, error) { return FromMinor(int64(math.MaxInt64), 255, USD) }, ErrPrecision},
		{"minor too big", func() (Amount, error) { return FromMinor(bigMax, 1, USD) }, ErrOverflow},
		{"minor nil", func() (Amount, error) { return FromMinor((*big.Int)(nil), 1, USD) }, ErrInvalidAmount},
		{"minor without asset", func() (Amount, error) { return FromMinor(1, 1, nil) }, ErrInvalidAsset},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, err := c.make()
			require.ErrorIs(t, err, c.want)
			require.Equal(t, Amount{}, a)
			var detail *Error
			require.ErrorAs(t, err, &detail)
			require.NotEmpty(t, detail.Op)
		})
	}
	require.False(t, Zero(nil).IsValid())
}

func TestConstructorsAccept(t *testing.T) {
	require.Equal(t, "12.34 USD", MustNew(1234, USD).String())
	require.Equal(t, "-92233720368547758.08 USD", MustNew(math.MinInt64, USD).String())
	require.Equal(t, MustNew(1234, USD), must(FromDecimal(dec("12.340"), USD)))
	require.Equal(t, MustNew(1200, USD), must(FromDecimal(decimal.New(12, 0), USD)))
	require.Equal(t, MustNew(120000, USD), must(FromDecimal(decimal.New(12, 2), USD)))
	require.Equal(t, Zero(USD), must(FromDecimal(decimal.New(0, 1_000_000_000), USD)))
	require.Equal(t, Zero(USD), must(FromDecimal(decimal.Decimal{}, USD)))
	require.Equal(t, MustNew(10, USD), must(FromDecimal(decimal.NewFromBigInt(pow10Oracle(40), -41), USD)))
	require.Equal(t, bigMax.String(), amountOf(t, bigMax, USD).Big().String())
	require.Equal(t, bigMin.String(), amountOf(t, bigMin, USD).Big().String())
}

// Providers count in exponents of their own: a shilling without decimals times
// a hundred, a dinar in thousandths or hundredths.
func TestMinorUnitsOfProviders(t *testing.T) {
	ugx, _ := Lookup("UGX")
	require.Equal(t, "5 UGX", must(FromMinor(500, 2, ugx)).String())
	require.Equal(t, "500 JPY", must(FromMinor(int64(500), 0, JPY)).String())
	require.Equal(t, "-5.000 KWD", must(FromMinor(big.NewInt(-500), 2, KWD)).String())
	require.Equal(t, "0.00 USD", must(FromMinor(0, 255, USD)).String())

	n, err := must(Parse("5", ugx)).Minor(2)
	require.NoError(t, err)
	require.Equal(t, "500", n.String())
	_, err = must(Parse("5.001", KWD)).Minor(2)
	require.ErrorIs(t, err, ErrPrecision)
	_, err = Amount{}.Minor(2)
	require.ErrorIs(t, err, ErrInvalidAmount)

	// More of the provider's units than 128 bits hold, and fewer of ours.
	huge := new(big.Int).Mul(bigMax, pow10Oracle(10))
	a, err := FromMinor(huge, 12, USD)
	require.NoError(t, err)
	require.Equal(t, bigMax.String(), a.Big().String())
}

func TestMinorRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 5_000 {
		a := Amount{units: randomUnits(r), def: KWD}
		scale := uint8(r.IntN(256))
		n, err := a.Minor(scale)
		if scale >= 3 {
			require.NoError(t, err)
		}
		if err != nil {
			require.ErrorIs(t, err, ErrPrecision)
			continue
		}
		back, err := FromMinor(n, scale, KWD)
		require.NoError(t, err)
		require.Equal(t, a, back)
	}
}

func TestUnitsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 5_000 {
		a := Amount{units: randomUnits(r), def: USD}
		hi, lo := a.Units()
		require.Equal(t, a, must(FromUnits(hi, lo, USD)))
		require.Equal(t, a, must(FromBig(a.Big(), USD)))
		require.Equal(t, a, must(FromDecimal(a.Decimal(), USD)))
		require.Equal(t, a, must(Parse(a.Decimal().StringFixed(2), USD)))
		require.Equal(t, a.Big().Sign(), a.Sign())
	}
}

func TestTheInvalidAmount(t *testing.T) {
	var a Amount
	usd := MustNew(1, USD)
	require.False(t, a.IsValid())
	require.Zero(t, a.Sign())
	require.Nil(t, a.Asset())
	require.Equal(t, AssetID(""), a.Asset().ID(), "a nil definition answers")
	require.Equal(t, AssetID(""), a.AssetID())
	require.Equal(t, "<invalid amount>", a.String())
	require.Empty(t, a.Number())
	require.Equal(t, "0", a.Decimal().String())
	require.NotEqual(t, a, Zero(USD))
	for name, op := range map[string]func() error{
		"add":      func() error { _, err := a.Add(a); return err },
		"add left": func() error { _, err := a.Add(usd); return err },
		"subtract": func() error { _, err := usd.Sub(a); return err },
		"negate":   func() error { _, err := a.Neg(); return err },
		"abs":      func() error { _, err := a.Abs(); return err },
		"compare":  func() error { _, err := a.Cmp(a); return err },
		"less":     func() error { _, err := a.Less(usd); return err },
		"min":      func() error { _, err := Min(usd, a); return err },
		"max":      func() error { _, err := Max(a, usd); return err },
		"multiply": func() error { _, err := a.Mul(dec("2"), HalfEven); return err },
		"times":    func() error { _, err := a.MulInt(2); return err },
		"allocate": func() error { _, err := a.Allocate(1); return err },
		"split":    func() error { _, err := a.Split(1); return err },
		"round":    func() error { _, err := a.RoundTo(usd, Up); return err },
		"sum":      func() error { _, err := Sum(usd, a); return err },
		"sum none": func() error { _, err := Sum(); return err },
		"convert":  func() error { _, err := MustRate(USD, EUR, dec("1")).Convert(a, Up); return err },
	} {
		require.ErrorIs(t, op(), ErrInvalidAmount, name)
	}
}

func TestErrorSaysWhatHappened(t *testing.T) {
	_, err := Parse("1.234", USD)
	require.EqualError(t, err, `currency: parse: too many decimal places: "1.234" (USD)`)
	_, err = MustNew(1, USD).Add(MustNew(1, EUR))
	require.EqualError(t, err, "currency: add: amounts of different assets (USD and EUR)")
	_, err = ParseText(string(make([]byte, 5000)))
	require.Less(t, len(err.Error()), 500, "an error repeats only a little of its input")
}
