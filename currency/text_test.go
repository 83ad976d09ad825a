package currency

import (
	"errors"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"": ErrSyntax, " ": ErrSyntax, "-": ErrSyntax, ".": ErrSyntax, "-.": ErrSyntax, "+1": ErrSyntax, "--1": ErrSyntax,
		"1.": ErrSyntax, ".5": ErrSyntax, "-.5": ErrSyntax, "1..2": ErrSyntax, "1.2.3": ErrSyntax, "1-": ErrSyntax, "1 ": ErrSyntax, " 1": ErrSyntax,
		"1,000": ErrSyntax, "1_000": ErrSyntax, "1'000": ErrSyntax, "1e3": ErrSyntax, "1E1000000000": ErrSyntax, "0x10": ErrSyntax,
		"NaN": ErrSyntax, "Inf": ErrSyntax, "null": ErrSyntax, "١٢": ErrSyntax, "１２": ErrSyntax, "1\x00": ErrSyntax, "1\n": ErrSyntax, "−1": ErrSyntax,
		"$1": ErrSyntax, "1 USD": ErrSyntax, "\xff": ErrSyntax, strings.Repeat("0", 81): ErrSyntax, strings.Repeat("9", 1<<20): ErrSyntax,
		"1.234": ErrPrecision, "1.230": ErrPrecision, "0.000": ErrPrecision, "-1.999": ErrPrecision,
		"1701411834604692317316873037158841057.28":   ErrOverflow, // 2¹²⁷ cents
		"-1701411834604692317316873037158841057.28":  ErrOverflow,
		strings.Repeat("9", 39):                      ErrOverflow,
		strings.Repeat("9", 80):                      ErrOverflow,
		"3402823669209384634633746074317682114.57":   ErrOverflow, // wraps to 1 cent
		"34028236692093846346337460743176821145.700": ErrPrecision,
	} {
		a, err := Parse(in, USD)
		require.ErrorIs(t, err, want, "%.50q", in)
		require.Equal(t, Amount{}, a)
	}
	_, err := Parse("1", nil)
	require.ErrorIs(t, err, ErrInvalidAsset)
	_, err = Parse("1.0", JPY)
	require.ErrorIs(t, err, ErrPrecision)
	require.Panics(t, func() { MustParse("x", USD) })
}

func TestParse(t *testing.T) {
	deep := testAsset(t, "app:parse/deep", 30)
	for _, c := range []struct {
		in    string
		asset Asset
		want  string
	}{
		{"0", USD, "0.00"},
		{"-0", USD, "0.00"},
		{"-0.00", USD, "0.00"},
		{"007.5", USD, "7.50"},
		{"-0.01", USD, "-0.01"},
		{"1234.5", USD, "1234.50"},
		{"1234", JPY, "1234"},
		{"0.001", KWD, "0.001"},
		{"1701411834604692317316873037158841057.27", USD, "1701411834604692317316873037158841057.27"},
		{"-1701411834604692317316873037158841057.27", USD, "-1701411834604692317316873037158841057.27"},
		{"0.000000000000000000000000000001", deep, "0.000000000000000000000000000001"},
		{"170141183.460469231731687303715884105727", deep, "170141183.460469231731687303715884105727"},
		{strings.Repeat("0", 80), USD, "0.00"},
	} {
		a, err := Parse(c.in, c.asset)
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, a.Number())
	}
}

// parseOracle reads a number with a regular grammar and math/big.
func parseOracle(s string, scale int) (*big.Int, error) {
	if len(s) > maxNumberLen {
		return nil, ErrSyntax
	}
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, ErrSyntax
	}
	if len(fraction) > scale {
		return nil, ErrPrecision
	}
	v, _ := new(big.Int).SetString(whole+fraction+strings.Repeat("0", scale-len(fraction)), 10)
	if strings.HasPrefix(s, "-") {
		v.Neg(v)
	}
	if !inRange(v) {
		return nil, ErrOverflow
	}
	return v, nil
}

func checkParse(t *testing.T, s string, d *Definition) {
	t.Helper()
	want, fault := parseOracle(s, int(d.Scale()))
	got, err := Parse(s, d)
	if fault != nil {
		require.ErrorIs(t, err, fault, "%q", s)
		return
	}
	require.NoError(t, err, "%q", s)
	require.Zero(t, want.Cmp(got.Big()), "%q", s)
	back, err := Parse(got.Number(), d)
	require.NoError(t, err)
	require.Equal(t, got, back, "the printed number reads back")
}

func TestParseAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	assets := []*Definition{JPY, USD, KWD, testAsset(t, "app:parse/wei", 18), testAsset(t, "app:parse/deep", 30)}
	const alphabet = "0123456789000999.-+ e"
	for range 12_000 {
		b := make([]byte, r.IntN(50))
		for i := range b {
			b[i] = alphabet[r.IntN(12+r.IntN(10))]
		}
		checkParse(t, string(b), assets[r.IntN(len(assets))])
	}
}

func TestTextRefuses(t *testing.T) {
	for in, want := range map[string]error{
		"USD": ErrSyntax, "1234.56": ErrSyntax, "1234.56USD": ErrSyntax, "1234.56  USD": ErrSyntax, " 1 USD": ErrSyntax, "1 USD ": ErrSyntax,
		"USD 1": ErrSyntax, "1 usd": ErrSyntax, "1 US$": ErrSyntax, "1 ": ErrSyntax, "1\tUSD": ErrSyntax, "1\u00a0USD": ErrSyntax, "<invalid amount>": ErrSyntax,
		"1.234 USD": ErrPrecision, "1 app:text/unknown": ErrUnknownAsset, "1 XYZ": ErrSyntax, "1e9 USD": ErrSyntax, "NaN USD": ErrSyntax,
		strings.Repeat("9", 50) + " USD": ErrOverflow, "1 " + strings.Repeat("a", 1<<16): ErrSyntax,
	} {
		_, err := ParseText(in)
		require.ErrorIs(t, err, want, "%.50q", in)
		a := MustNew(7, EUR)
		require.ErrorIs(t, a.UnmarshalText([]byte(in)), want)
		require.Equal(t, MustNew(7, EUR), a, "a failed decode changes nothing")
	}
	_, err := ParseText("")
	require.ErrorIs(t, err, ErrSyntax)
}

func TestTextRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 11))
	for range 5_000 {
		d := testAssets(t)[r.IntN(4)]
		a := Amount{units: randomUnits(r), def: d}
		require.Equal(t, a, must(ParseText(a.String())))
		text, err := a.MarshalText()
		require.NoError(t, err)
		require.Equal(t, a.String(), string(text))
		var back Amount
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, a, back)
	}
	text, err := Amount{}.MarshalText()
	require.NoError(t, err)
	require.Empty(t, text)
	back := MustNew(1, USD)
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, Amount{}, back)
}

func testAssets(t testing.TB) []*Definition {
	return []*Definition{
		USD, JPY,
		testAsset(t, "eip155:1/erc20:0x00000000000000000000000000000000000000ff", 18),
		testAsset(t, "app:test/deep", 30),
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1234.56", "-0.5", "1e9", "", "00000000000000000000000000000000000000.1", "170141183460469231731687303715884105727"} {
		f.Add(s, uint8(2))
	}
	assets := []*Definition{JPY, USD, KWD, testAsset(f, "app:parse/wei", 18), testAsset(f, "app:parse/deep", 30)}
	f.Fuzz(func(t *testing.T, s string, i uint8) { checkParse(t, s, assets[int(i)%len(assets)]) })
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"1234.56 USD", "-1 JPY", "0.1 app:test/deep", "1 USD ", "1"} {
		f.Add(s)
	}
	testAssets(f)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseText(s)
		var viaBytes Amount
		errBytes := viaBytes.UnmarshalText([]byte(s))
		if s != "" {
			require.Equal(t, err == nil, errBytes == nil, "strings and bytes agree")
			require.Equal(t, a, viaBytes)
		}
		number, id, ok := strings.Cut(s, " ")
		d, known := Lookup(AssetID(id))
		if err != nil {
			if ok && known {
				_, fault := parseOracle(number, int(d.Scale()))
				require.ErrorIs(t, err, fault)
			}
			require.True(t, errors.Is(err, ErrSyntax) || errors.Is(err, ErrPrecision) || errors.Is(err, ErrOverflow) || errors.Is(err, ErrUnknownAsset))
			return
		}
		require.True(t, known)
		want, fault := parseOracle(number, int(d.Scale()))
		require.NoError(t, fault)
		require.Zero(t, want.Cmp(a.Big()))
		require.Equal(t, a, must(ParseText(a.String())))
	})
}
