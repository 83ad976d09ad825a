package currency

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

func TestRateRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		from, to Asset
		value    decimal.Decimal
		want     error
	}{
		"no source":    {nil, EUR, dec("1"), ErrInvalidAsset},
		"no target":    {USD, nil, dec("1"), ErrInvalidAsset},
		"same asset":   {USD, USD, dec("1"), ErrInvalidRate},
		"zero":         {USD, EUR, dec("0"), ErrInvalidRate},
		"negative":     {USD, EUR, dec("-1"), ErrInvalidRate},
		"huge":         {USD, EUR, decimal.New(1, math.MaxInt32), ErrInvalidRate},
		"tiny":         {USD, EUR, decimal.New(1, math.MinInt32), ErrInvalidRate},
		"39 digits":    {USD, EUR, decimal.NewFromBigInt(new(big.Int).Add(pow10Oracle(38), big.NewInt(1)), -38), ErrInvalidRate},
		"10000 digits": {USD, EUR, decimal.NewFromBigInt(pow10Oracle(10000), -10000), ErrInvalidRate},
	} {
		r, err := NewRate(c.from, c.to, c.value)
		require.ErrorIs(t, err, c.want, name)
		require.Equal(t, Rate{}, r)
	}
	rate := MustRate(USD, EUR, dec("0.92"))
	_, err := rate.Convert(MustNew(1, EUR), Up)
	require.ErrorIs(t, err, ErrAssetMismatch)
	_, err = rate.ConvertBack(MustNew(1, USD), Up)
	require.ErrorIs(t, err, ErrAssetMismatch)
	_, err = rate.ConvertBack(Amount{}, Up)
	require.ErrorIs(t, err, ErrInvalidAmount)
	_, err = rate.Convert(MustNew(1, USD), 99)
	require.ErrorIs(t, err, ErrInvalidRounding)
	_, err = Rate{}.Convert(MustNew(1, USD), Up)
	require.ErrorIs(t, err, ErrInvalidRate)
	_, err = Rate{}.ConvertBack(Amount{}, Up)
	require.ErrorIs(t, err, ErrInvalidRate)
}

func TestRate(t *testing.T) {
	r := MustRate(USD, EUR, dec("0.920"))
	require.Equal(t, MustRate(USD, EUR, dec("0.92")), r, "comparable")
	require.Equal(t, "1 USD = 0.92 EUR", r.String())
	require.Same(t, USD, r.From())
	require.Same(t, EUR, r.To())
	require.True(t, r.IsValid())
	require.False(t, Rate{}.IsValid())
	require.Equal(t, "<invalid rate>", Rate{}.String())
	require.Equal(t, "9.20 EUR", must(Convert(MustNew(1000, USD), r, HalfEven)).String())
	require.Equal(t, "10.87 USD", must(r.ConvertBack(MustNew(1000, EUR), HalfEven)).String())

	yen := MustRate(USD, JPY, dec("151.235"))
	require.Equal(t, "1512 JPY", must(yen.Convert(MustNew(1000, USD), Down)).String())
	eth := testAsset(t, "eip155:1/slip44:60", 18)
	price := MustRate(eth, USD, dec("3123.45"))
	require.Equal(t, "0.00 USD", must(price.Convert(MustNew(1, eth), HalfEven)).String())
	require.Equal(t, "0.01 USD", must(price.Convert(MustNew(1, eth), Ceiling)).String())
	require.Equal(t, "1.000000000000000000 eip155:1/slip44:60", must(price.ConvertBack(MustParse("3123.45", USD), Exact)).String())
	require.Panics(t, func() { MustRate(USD, USD, dec("1")) })
}

func TestConvertAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	assets := testAssets(t)
	for range 5_000 {
		from, to := assets[r.IntN(4)], assets[r.IntN(4)]
		c := new(big.Int).SetUint64(randomWord(r))
		if r.IntN(2) == 0 {
			c.Mul(c, new(big.Int).SetUint64(randomWord(r)))
		}
		exp := r.IntN(80) - 60
		rate, err := NewRate(from, to, decimal.NewFromBigInt(c, int32(exp)))
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidRate)
			continue
		}
		mode := Rounding(r.IntN(int(Exact)))
		a := Amount{units: randomUnits(r), def: from}
		num, den := new(big.Int).Mul(a.Big(), c), pow10Oracle(int(from.Scale()))
		num.Mul(num, pow10Oracle(int(to.Scale())))
		if exp >= 0 {
			num.Mul(num, pow10Oracle(exp))
		} else {
			den.Mul(den, pow10Oracle(-exp))
		}
		got, err := rate.Convert(a, mode)
		checkResult(t, roundQuo(num, den, mode), got, err, "convert")

		b := Amount{units: randomUnits(r), def: to}
		num, den = new(big.Int).Mul(b.Big(), pow10Oracle(int(from.Scale()))), new(big.Int).Mul(c, pow10Oracle(int(to.Scale())))
		if exp >= 0 {
			den.Mul(den, pow10Oracle(exp))
		} else {
			num.Mul(num, pow10Oracle(-exp))
		}
		got, err = rate.ConvertBack(b, mode)
		checkResult(t, roundQuo(num, den, mode), got, err, "convert back")
	}
}

func TestRateJSON(t *testing.T) {
	for _, r := range []Rate{{}, MustRate(USD, EUR, dec("0.92")), MustRate(JPY, KWD, decimal.New(123, 50)), MustRate(JPY, KWD, decimal.New(7, -99))} {
		data, err := json.Marshal(r)
		require.NoError(t, err)
		back := MustRate(GBP, EUR, dec("3"))
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, r, back)
	}
	for _, in := range []string{
		`{}`, `1`, `{"from":"USD","to":"EUR","rate":0.92}`, `{"from":"USD","to":"EUR"}`, `{"from":"USD","from":"USD","rate":"1"}`,
		`{"from":"USD","to":"EUR","rate":"1e5"}`, `{"from":"USD","to":"EUR","rate":"-1"}`, `{"from":"USD","to":"EUR","rate":""}`, `{"from":"USD","to":"EUR","rate":"1."}`,
		`{"from":"usd","to":"EUR","rate":"1"}`, `{"from":"USD","to":"eur","rate":"1"}`, `{"from":"USD","to":"USD","rate":"1"}`, `{"from":"USD","to":"EUR","rate":"0"}`,
	} {
		r := MustRate(GBP, EUR, dec("3"))
		require.Error(t, r.UnmarshalJSON([]byte(in)), in)
		require.Equal(t, MustRate(GBP, EUR, dec("3")), r)
	}
}

func TestRoundingNames(t *testing.T) {
	require.Equal(t, "half-even", Rounding(0).String())
	require.Equal(t, "exact", Exact.String())
	require.Equal(t, "Rounding(8)", (Exact + 1).String())
}
