package currency

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// The fuzz targets of whole operations; those of single files are beside their tests. Each has an oracle: math/big, or
// another way to the same result. testdata/fuzz holds inputs on which other money libraries went wrong.

// FuzzAmount checks every operation on two amounts with math/big.
func FuzzAmount(f *testing.F) {
	f.Add(int64(0), uint64(1234), int64(0), uint64(5), int64(1075), int16(-3), uint8(0))
	f.Add(int64(math.MaxInt64), uint64(math.MaxUint64), int64(0), uint64(1), int64(-1), int16(0), uint8(1))
	f.Add(int64(math.MinInt64), uint64(1), int64(-1), uint64(math.MaxUint64), int64(math.MinInt64), int16(-100), uint8(7))
	f.Fuzz(func(t *testing.T, ah int64, al uint64, bh int64, bl uint64, c int64, e int16, m uint8) {
		a, errA := FromUnits(ah, al, USD)
		b, errB := FromUnits(bh, bl, USD)
		if errA != nil || errB != nil {
			return
		}
		ba, bb, mode := a.Big(), b.Big(), Rounding(m%uint8(Exact+1))
		got, err := a.Add(b)
		checkResult(t, new(big.Int).Add(ba, bb), got, err, "add")
		got, err = a.Sub(b)
		checkResult(t, new(big.Int).Sub(ba, bb), got, err, "subtract")
		got, err = Sum(a, b, a)
		checkResult(t, new(big.Int).Add(new(big.Int).Lsh(ba, 1), bb), got, err, "sum")
		got, err = a.MulInt(c)
		checkResult(t, new(big.Int).Mul(ba, big.NewInt(c)), got, err, "multiply by an integer")
		require.Equal(t, ba.Cmp(bb), must(a.Cmp(b)))

		exponent := int(e) % 120
		got, err = a.Mul(decimal.New(c, int32(exponent)), mode)
		checkScaled(t, new(big.Int).Mul(ba, big.NewInt(c)), big.NewInt(1), exponent, mode, got, err, "multiply")
		if step := must(b.Abs()); step.Sign() > 0 {
			want := roundQuo(ba, step.Big(), mode)
			if want != nil {
				want.Mul(want, step.Big())
			}
			got, err = a.RoundTo(step, mode)
			checkResult(t, want, got, err, "round")
		}
	})
}

// checkScaled compares a result with num/den·10ᵉ. Exact refuses what is too large before it refuses what is too fine.
func checkScaled(t *testing.T, num, den *big.Int, e int, mode Rounding, got Amount, err error, what string) {
	t.Helper()
	if e >= 0 {
		num = new(big.Int).Mul(num, pow10Oracle(e))
	} else {
		den = new(big.Int).Mul(den, pow10Oracle(-e))
	}
	want := roundQuo(num, den, mode)
	if whole := roundQuo(num, den, Down); mode == Exact && !inRange(whole) {
		want = whole
	}
	checkResult(t, want, got, err, what)
}

// FuzzConvert checks both directions with math/big, and that a rate's JSON reads back.
func FuzzConvert(f *testing.F) {
	f.Add(int64(0), uint64(1000), int64(92), int16(-2), uint8(0), uint8(1))
	f.Add(int64(-1), uint64(1), int64(math.MaxInt64), int16(-60), uint8(2), uint8(18))
	f.Add(int64(math.MaxInt64), uint64(math.MaxUint64), int64(7), int16(99), uint8(7), uint8(7))
	assets := testAssets(f)
	f.Fuzz(func(t *testing.T, hi int64, lo uint64, c int64, e int16, m, pair uint8) {
		from, to := assets[pair%4], assets[pair/4%4]
		exponent := int(e) % 110
		rate, err := NewRate(from, to, decimal.New(c, int32(exponent)))
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidRate)
			require.True(t, from == to || c <= 0 || exponent < -maxRateExponent || exponent > maxRateExponent-19, "refused for nothing: %v", err)
			return
		}
		var back Rate
		require.NoError(t, json.Unmarshal(must(json.Marshal(rate)), &back))
		require.Equal(t, rate, back)

		a, err := FromUnits(hi, lo, from)
		if err != nil {
			return
		}
		mode, shift := Rounding(m%uint8(Exact+1)), int(to.Scale())-int(from.Scale())
		got, err := rate.Convert(a, mode)
		checkScaled(t, new(big.Int).Mul(a.Big(), big.NewInt(c)), big.NewInt(1), exponent+shift, mode, got, err, "convert")
		b := must(FromUnits(hi, lo, to))
		got, err = rate.ConvertBack(b, mode)
		checkScaled(t, b.Big(), big.NewInt(c), -exponent-shift, mode, got, err, "convert back")
	})
}

// FuzzSQL holds Scan to what ParseText says, as text and as bytes, and Value to what Scan reads.
func FuzzSQL(f *testing.F) {
	for _, s := range []string{"1234.56 USD", "-1 JPY", "0.1 app:test/deep", "1234.56", "", "1 USD "} {
		f.Add(s)
	}
	testAssets(f)
	f.Fuzz(func(t *testing.T, s string) {
		want, errText := ParseText(s)
		for _, src := range []any{s, []byte(s)} {
			got := MustNew(7, EUR)
			err := got.Scan(src)
			if errText != nil {
				require.Error(t, err)
				require.ErrorIs(t, err, errText.(*Error).Err) //nolint:errorlint // its own type, to compare the sentinels
				require.Equal(t, MustNew(7, EUR), got, "a failed scan changes nothing")
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want, got)
			value, err := got.Value()
			require.NoError(t, err)
			var back Amount
			require.NoError(t, back.Scan(value))
			require.Equal(t, got, back)
		}
	})
}

// FuzzRateJSON holds the decoder to encoding/json: whatever it accepts is an object of three strings, and reads back.
func FuzzRateJSON(f *testing.F) {
	for _, s := range []string{
		`{"from":"USD","to":"EUR","rate":"0.92"}`, `{"rate":"1","to":"app:test\/deep","from":"JPY"}`, `null`, `{}`,
		`{"from":"USD","to":"EUR","rate":0.92}`, `{"from":"USD","to":"EUR","rate":"1e5"}`, `{"from":"USD","from":"USD","rate":"1"}`,
	} {
		f.Add([]byte(s))
	}
	testAssets(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Rate
		if r.UnmarshalJSON(data) != nil {
			require.Equal(t, Rate{}, r)
			return
		}
		require.True(t, json.Valid(data), "%q", data)
		if !r.IsValid() {
			return // null
		}
		var fields map[string]string
		require.NoError(t, json.Unmarshal(data, &fields), "%q", data)
		require.Len(t, fields, 3)
		require.Equal(t, [2]string{fields["from"], fields["to"]}, [2]string{string(r.From().ID()), string(r.To().ID())})
		require.True(t, decimal.RequireFromString(fields["rate"]).Equal(r.Decimal()))
		var back Rate
		require.NoError(t, back.UnmarshalJSON(must(r.MarshalJSON())))
		require.Equal(t, r, back)
	})
}
