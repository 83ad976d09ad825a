package currency

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func TestMixedAssetsAreRefused(t *testing.T) {
	usd, eur := MustNew(100, USD), MustNew(100, EUR)
	for name, op := range map[string]func() error{
		"add":      func() error { _, err := usd.Add(eur); return err },
		"subtract": func() error { _, err := usd.Sub(eur); return err },
		"compare":  func() error { _, err := usd.Cmp(eur); return err },
		"sum":      func() error { _, err := Sum(usd, usd, eur); return err },
		"min":      func() error { _, err := Min(usd, eur); return err },
		"max":      func() error { _, err := Max(usd, eur); return err },
		"round":    func() error { _, err := usd.RoundTo(eur, Up); return err },
	} {
		err := op()
		require.ErrorIs(t, err, ErrAssetMismatch, name)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, [2]AssetID{"USD", "EUR"}, [2]AssetID{e.Asset, e.Other}, name)
	}
}

func TestArithmeticAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 12_000 {
		a := Amount{units: randomUnits(r), def: USD}
		b := Amount{units: randomUnits(r), def: USD}
		n := int64(randomWord(r))
		ba, bb := a.Big(), b.Big()

		got, err := a.Add(b)
		checkResult(t, new(big.Int).Add(ba, bb), got, err, "add")
		got, err = a.Sub(b)
		checkResult(t, new(big.Int).Sub(ba, bb), got, err, "sub")
		got, err = a.Neg()
		checkResult(t, new(big.Int).Neg(ba), got, err, "neg")
		got, err = a.Abs()
		checkResult(t, new(big.Int).Abs(ba), got, err, "abs")
		got, err = a.MulInt(n)
		checkResult(t, new(big.Int).Mul(ba, big.NewInt(n)), got, err, "mul int")
		c, err := a.Cmp(b)
		require.NoError(t, err)
		require.Equal(t, ba.Cmp(bb), c)
		less, err := a.Less(b)
		require.NoError(t, err)
		require.Equal(t, c < 0, less)
		lo, hi := must(Min(a, b)), must(Max(a, b))
		require.False(t, must(hi.Less(lo)))
	}
}

func TestSumNeedsOnlyAResultInRange(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 5_000 {
		amounts := make([]Amount, 1+r.IntN(20))
		want := new(big.Int)
		for i := range amounts {
			amounts[i] = Amount{units: randomUnits(r), def: USD}
			want.Add(want, amounts[i].Big())
		}
		got, err := Sum(amounts...)
		checkResult(t, want, got, err, "sum")
	}
	most := amountOf(t, bigMax, USD)
	least := amountOf(t, bigMin, USD)
	one := MustNew(1, USD)
	require.Equal(t, one, must(Sum(most, one, least)), "the order does not matter")
	_, err := Sum(least, MustNew(-1, USD))
	require.ErrorIs(t, err, ErrOverflow, "−2¹²⁷ is out of range")
}

// The digits of a factor and the scale of the result reach every branch: one
// word, two words, and beyond.
func TestMulAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for range 15_000 {
		a := Amount{units: randomUnits(r), def: USD}
		c := new(big.Int).SetUint64(randomWord(r))
		for range r.IntN(4) {
			c.Mul(c, new(big.Int).SetUint64(randomWord(r)))
		}
		if r.IntN(2) == 0 {
			c.Neg(c)
		}
		exp := r.IntN(140) - 110
		mode := Rounding(r.IntN(int(Exact) + 1))
		got, err := a.Mul(decimal.NewFromBigInt(c, int32(exp)), mode)

		num, den := new(big.Int).Mul(a.Big(), c), big.NewInt(1)
		if exp >= 0 {
			num.Mul(num, pow10Oracle(exp))
		} else {
			den = pow10Oracle(-exp)
		}
		want := roundQuo(num, den, mode)
		if whole := roundQuo(num, den, Down); mode == Exact && !inRange(whole) {
			want = whole // too large comes before too fine
		}
		checkResult(t, want, got, err, a.String()+" · "+c.String()+"e "+mode.String())
	}
}

func TestMulTies(t *testing.T) {
	for _, c := range []struct {
		in   string
		want map[Rounding]string
	}{
		{"0.5", map[Rounding]string{HalfEven: "0", HalfUp: "1", HalfDown: "0", Up: "1", Down: "0", Ceiling: "1", Floor: "0"}},
		{"1.5", map[Rounding]string{HalfEven: "2", HalfUp: "2", HalfDown: "1", Up: "2", Down: "1", Ceiling: "2", Floor: "1"}},
		{"-0.5", map[Rounding]string{HalfEven: "0", HalfUp: "-1", HalfDown: "0", Up: "-1", Down: "0", Ceiling: "0", Floor: "-1"}},
		{"-2.5", map[Rounding]string{HalfEven: "-2", HalfUp: "-3", HalfDown: "-2", Up: "-3", Down: "-2", Ceiling: "-2", Floor: "-3"}},
		{"0.49", map[Rounding]string{HalfEven: "0", HalfUp: "0", HalfDown: "0", Up: "1", Down: "0", Ceiling: "1", Floor: "0"}},
		{"-0.51", map[Rounding]string{HalfEven: "-1", HalfUp: "-1", HalfDown: "-1", Up: "-1", Down: "0", Ceiling: "0", Floor: "-1"}},
		{"0.50000000000000000000000000000000000000000000000001", map[Rounding]string{HalfEven: "1", HalfDown: "1"}},
		{"0.49999999999999999999999999999999999999999999999999", map[Rounding]string{HalfEven: "0", HalfUp: "0"}},
	} {
		for mode, want := range c.want {
			got, err := MustNew(1, JPY).Mul(dec(c.in), mode)
			require.NoError(t, err)
			require.Equal(t, want, got.Number(), "%s %v", c.in, mode)
		}
		_, err := MustNew(1, JPY).Mul(dec(c.in), Exact)
		require.ErrorIs(t, err, ErrPrecision)
	}
	_, err := MustNew(1, JPY).Mul(dec("1"), Exact+1)
	require.ErrorIs(t, err, ErrInvalidRounding)
	_, err = MustNew(1, JPY).Mul(dec("1e999"), Exact+1)
	require.ErrorIs(t, err, ErrInvalidRounding)
}

// A product of more than 38 digits is divided in two steps; what the first one
// cut off still counts.
func TestMulRemembersTheFirstRemainder(t *testing.T) {
	a := amountOf(t, new(big.Int).Add(pow10Oracle(38), big.NewInt(1)), JPY)
	just := func(units string, coefficient int64, mode Rounding) {
		got, err := a.Mul(decimal.New(coefficient, -40), mode)
		require.NoError(t, err)
		require.Equal(t, units, got.Number(), "%d %v", coefficient, mode)
	}
	just("1", 50, HalfDown) // a little above one half
	just("2", 150, HalfEven)
	just("3", 250, HalfEven)
	just("0", 49, HalfUp)
	just("2", 100, Up) // a little above one
	_, err := a.Mul(decimal.New(100, -40), Exact)
	require.ErrorIs(t, err, ErrPrecision)
}

func TestHugeExponentsAreNotExpanded(t *testing.T) {
	one := MustNew(1, USD)
	_, err := one.Mul(decimal.New(1, math.MaxInt32), HalfEven)
	require.ErrorIs(t, err, ErrOverflow)
	got, err := one.Mul(decimal.New(1, math.MinInt32), HalfEven)
	require.NoError(t, err)
	require.Equal(t, Zero(USD), got)
	got, err = one.Mul(decimal.New(1, math.MinInt32), Up)
	require.NoError(t, err)
	require.Equal(t, one, got)
	got, err = Zero(USD).Mul(decimal.New(1, math.MaxInt32), HalfEven)
	require.NoError(t, err)
	require.Equal(t, Zero(USD), got)
}

func TestRoundToAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 12_000 {
		a := Amount{units: randomUnits(r), def: USD}
		step, err := Amount{units: randomUnits(r), def: USD}.Abs()
		require.NoError(t, err)
		if step.Sign() == 0 {
			continue
		}
		mode := Rounding(r.IntN(int(Exact) + 1))
		got, err := a.RoundTo(step, mode)
		want := roundQuo(a.Big(), step.Big(), mode)
		if want != nil {
			want.Mul(want, step.Big())
		}
		checkResult(t, want, got, err, "round")
	}
}

func TestRoundToRefusesAndRounds(t *testing.T) {
	_, err := MustNew(1, USD).RoundTo(Zero(USD), Up)
	require.ErrorIs(t, err, ErrInvalidRounding)
	_, err = MustNew(1, USD).RoundTo(MustNew(-5, USD), Up)
	require.ErrorIs(t, err, ErrInvalidRounding)
	_, err = MustNew(1, USD).RoundTo(MustNew(5, USD), 99)
	require.ErrorIs(t, err, ErrInvalidRounding)

	step, err := CashIncrement(CHF)
	require.NoError(t, err)
	for in, want := range map[string]string{"1.02": "1.00", "1.03": "1.05", "-1.03": "-1.05", "1.025": ""} {
		a, err := Parse(in, CHF)
		if want == "" {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, want, must(a.RoundTo(step, HalfUp)).Number())
	}
}
