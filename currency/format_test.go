package currency

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
)

func TestFormat(t *testing.T) {
	eth := testAsset(t, "eip155:1/slip44:60", 18)
	coin := testAsset(t, "app:format/coin", 2)
	for _, c := range []struct {
		tag, amount string
		asset       Asset
		want        string // _ is a no-break space, ~ a narrow one
	}{
		{"en-US", "1234.56", USD, "$1,234.56"},
		{"en", "-1234.56", USD, "-$1,234.56"},
		{"en", "999", EUR, "€999.00"},
		{"en", "1234567", JPY, "¥1,234,567"},
		{"en", "1234.5", CHF, "CHF_1,234.50"},
		{"en-CA", "1234.56", USD, "US$1,234.56"},
		{"en-CA", "1234.56", CAD, "$1,234.56"},
		{"en-AU", "1", AUD, "$1.00"},
		{"en-GB", "1000000", GBP, "£1,000,000.00"},
		{"en-IN", "1234567.89", INR, "₹12,34,567.89"},
		{"hi", "-123456789", INR, "-₹12,34,56,789.00"},
		{"hi", "1234", INR, "₹1,234.00"},
		{"hi", "123", INR, "₹123.00"},
		{"de", "1234567.89", EUR, "1.234.567,89_€"},
		{"de", "-0.5", EUR, "-0,50_€"},
		{"de-CH", "1234.5", CHF, "CHF_1'234.50"},
		{"fr", "1234.56", EUR, "1~234,56_€"},
		{"fr-CA", "1234.56", CAD, "1_234,56_$"},
		{"es", "1234.56", EUR, "1234,56_€"},
		{"es", "12345.67", EUR, "12.345,67_€"},
		{"es-MX", "1234.56", MXN, "$1,234.56"},
		{"es-AR", "1234.56", EUR, "EUR_1.234,56"},
		{"pt-BR", "1234.56", BRL, "R$_1.234,56"},
		{"pt-PT", "1234.56", EUR, "1234,56_€"},
		{"it", "1234.56", EUR, "1234,56_€"},
		{"nl", "-1234.56", EUR, "€_-1.234,56"},
		{"sv", "-1234.56", SEK, "\u22121_234,56_kr"},
		{"no", "1", EUR, "1,00_€"},
		{"pl", "1234.5", PLN, "1234,50_zł"},
		{"tr", "1.5", USD, "$1,50"},
		{"ja", "1234567", JPY, "￥1,234,567"},
		{"zh", "1234.56", CNY, "¥1,234.56"},
		{"zh-TW", "1", USD, "US$1.00"},
		{"ko", "1234567", KRW, "₩1,234,567"},
		{"ar", "-1234.5", EUR, "\u200f\u200e-1,234.50_€"},
		{"ar-EG", "-1234.5", EUR, "\u061c-\u200f١٬٢٣٤٫٥٠_€"},
		{"ar-EG-u-nu-latn", "-1234.5", EUR, "\u200f\u200e-1,234.50_€"},
		{"mr", "1234567", INR, "₹१,२३४,५६७.००"},
		{"sw", "1234.56", USD, "US$_1,234.56"},
		{"zh-u-nu-hanidec", "12", CHF, "CHF一二.〇〇"}, // [:digit:] these are not, so no space
		{"tlh", "1234.56", USD, "US$_1,234.56"},    // CLDR has no Klingon
		{"und", "1234.56", USD, "US$_1,234.56"},
		{"en", "1.500000000000000000", eth, "TST_1.5"},
		{"de", "1234", eth, "1.234_TST"},
		{"en", "0.000000000000000001", eth, "TST_0.000000000000000001"},
		{"en", "5", coin, "TST_5.00"},
		{"de", "1701411834604692317316873037158841057.27", EUR, "1.701.411.834.604.692.317.316.873.037.158.841.057,27_€"},
	} {
		want := strings.NewReplacer("_", nbsp, "~", "\u202f").Replace(c.want)
		require.Equal(t, want, Format(MustParse(c.amount, c.asset), language.MustParse(c.tag)), c.tag)
	}
	require.Empty(t, Format(Amount{}, language.English))
	require.NotEmpty(t, Format(Zero(USD), language.Tag{}))
}

func TestFormatOptions(t *testing.T) {
	eth := testAsset(t, "eip155:1/slip44:60", 18)
	for _, c := range []struct {
		tag     string
		options FormatOptions
		amount  string
		asset   Asset
		want    string
	}{
		{"en-CA", FormatOptions{}, "5", USD, "US$5.00"},
		{"en-CA", FormatOptions{Display: ShowNarrowSymbol}, "5", USD, "$5.00"},
		{"en-CA", FormatOptions{Display: ShowCode}, "5", USD, "USD_5.00"},
		{"en", FormatOptions{Accounting: true}, "-5", USD, "($5.00)"},
		{"en", FormatOptions{Accounting: true, Sign: SignAlways}, "5", USD, "+$5.00"},
		{"de-CH", FormatOptions{Sign: SignAlways}, "5", CHF, "CHF+5.00"},
		{"en", FormatOptions{Sign: SignAlways}, "0", USD, "+$0.00"},
		{"en", FormatOptions{Sign: SignExceptZero}, "0", USD, "$0.00"},
		{"en", FormatOptions{Sign: SignNever}, "-5", USD, "$5.00"},
		{"en", FormatOptions{Fraction: &FractionDigits{}}, "-0.4", USD, "-$0"},
		{"en", FormatOptions{Fraction: &FractionDigits{}, Sign: SignNegative}, "-0.4", USD, "$0"},
		{"en", FormatOptions{Fraction: &FractionDigits{}, Sign: SignNegative}, "-5.4", USD, "-$5"},
		{"en", FormatOptions{Fraction: &FractionDigits{Min: 3}}, "5.4", USD, "$5.400"},
		{"en", FormatOptions{Fraction: &FractionDigits{Min: 3}}, "5", JPY, "¥5.000"},
		{"en", FormatOptions{Fraction: &FractionDigits{Max: 2}}, "5.40", USD, "$5.4"},
		{"en", FormatOptions{Fraction: &FractionDigits{Max: 1}}, "1.25", USD, "$1.2"},
		{"en", FormatOptions{Fraction: &FractionDigits{Max: 1}, Rounding: HalfUp}, "1.25", USD, "$1.3"},
		{"en", FormatOptions{Fraction: &FractionDigits{Max: 1}, Rounding: Floor}, "-1.21", USD, "-$1.3"},
		{"en", FormatOptions{Fraction: &FractionDigits{Max: 1}, Rounding: Exact}, "1.25", USD, "$1.25"},
		{"en", FormatOptions{Fraction: &FractionDigits{Min: 2, Max: 4}}, "1.00005", eth, "TST_1.00"},
		{"en", FormatOptions{Fraction: &FractionDigits{Min: 2, Max: 4}}, "1.000050000000000001", eth, "TST_1.0001"},
		{"en", FormatOptions{Fraction: &FractionDigits{Max: 2}}, "999.999", eth, "TST_1,000"},
		{"en", FormatOptions{Cash: true}, "1.98", CHF, "CHF_2.00"},
		{"en", FormatOptions{Cash: true}, "1.975", KWD, "KWD_1.975"},
		{"sv", FormatOptions{Cash: true}, "1.50", SEK, "2_kr"},
		{"sv", FormatOptions{Cash: true, Rounding: Down}, "1.99", SEK, "1_kr"},
		{"sv", FormatOptions{Cash: true, Rounding: Exact}, "1.50", SEK, "1,5_kr"},
		{"sv", FormatOptions{Cash: true, Fraction: &FractionDigits{Min: 2}}, "1.50", SEK, "2,00_kr"},
		{"en", FormatOptions{Cash: true, Rounding: 99}, "1.98", CHF, "CHF_1.98"},
	} {
		want := strings.ReplaceAll(c.want, "_", nbsp)
		f := NewFormatter(language.MustParse(c.tag), c.options)
		require.Equal(t, want, f.Format(MustParse(c.amount, c.asset)), "%+v", c)
		require.Equal(t, "x"+want, string(f.AppendFormat([]byte("x"), MustParse(c.amount, c.asset))))
	}
	f := NewFormatter(language.English, FormatOptions{})
	require.Empty(t, f.Format(Amount{}))
	require.Empty(t, f.AppendFormat(nil, Amount{}))
}

// The largest amounts have 39 digits, and rounding must not overflow.
func TestFormatExtremes(t *testing.T) {
	huge := testAsset(t, "app:format/huge", 0)
	fine := testAsset(t, "app:format/fine", MaxScale)
	for _, a := range []Amount{{units: int128{hi: -1 << 63}, def: huge}, {units: int128{hi: 1<<63 - 1, lo: 1<<64 - 1}, def: fine}} {
		for mode := HalfEven; mode <= Exact; mode++ {
			for _, d := range []*FractionDigits{nil, {}, {Min: 255, Max: 255}, {Max: 29}} {
				require.NotEmpty(t, NewFormatter(language.English, FormatOptions{Fraction: d, Rounding: mode}).Format(a))
			}
		}
	}
	a := Amount{units: int128{hi: 1<<63 - 1, lo: 1<<64 - 1}, def: huge}
	require.Equal(t, "TST"+nbsp+"170,141,183,460,469,231,731,687,303,715,884,105,727", Format(a, language.English))
}

// What Format writes, it reads: any asset, any locale that CLDR has.
func TestFormatRoundTrip(t *testing.T) {
	eth := testAsset(t, "eip155:1/slip44:60", 18)
	coin := testAsset(t, "app:format/coin", 2)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range cldrLocales.len() {
		tag, err := language.Parse(cldrLocales.get(i))
		if err != nil {
			continue // younger than the language package
		}
		for _, asset := range []Asset{eth, coin, JPY, KWD, INR, ISO()[random.IntN(len(ISO()))], WithdrawnISO()[random.IntN(len(WithdrawnISO()))]} {
			d, err := Intern(asset)
			require.NoError(t, err)
			a := Amount{units: int128{hi: random.Int64() >> random.IntN(64), lo: random.Uint64()}, def: d}
			if random.IntN(2) == 0 {
				a.units = int128From(random.Int64() >> random.IntN(64))
			}
			text := Format(a, tag)
			if b, err := ParseLocale(text, asset, tag); err != nil || a != b {
				t.Fatalf("%s %+q: %v, %v", tag, text, b, err)
			}
		}
	}
}

// Whatever the locale, the digits are those of the amount.
func TestFormatKeepsEveryDigit(t *testing.T) {
	for i := range cldrLocales.len() {
		tag, err := language.Parse(cldrLocales.get(i) + "-u-nu-latn")
		if err != nil {
			continue // younger than the language package
		}
		for _, a := range []Amount{MustNew(-123456789, USD), MustNew(100, KWD), MustNew(1_000_000, JPY), MustNew(5, EUR)} {
			digits := strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r
				}
				return -1
			}, Format(a, tag))
			require.Equal(t, strings.Trim(strings.ReplaceAll(a.Number(), ".", ""), "-"), digits, tag)
		}
	}
}

func TestFormatAllocations(t *testing.T) {
	a, tag := MustParse("-1234567.89", INR), language.MustParse("mr-IN")
	f := NewFormatter(tag, FormatOptions{Accounting: true})
	buf := make([]byte, 0, 128)
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = Format(a, tag) }), 1.0, "its result")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = f.Format(a) }), 1.0, "its result")
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = f.AppendFormat(buf[:0], a) }))
}

// Tags and assets may come from a request, so what is remembered is bounded, also when many ask at once.
func TestFormatIsBoundedAndConcurrent(t *testing.T) {
	var group sync.WaitGroup
	f := NewFormatter(language.English, FormatOptions{})
	for worker := range 4 {
		group.Go(func() {
			for i := range maxLayouts {
				a := Zero(MustDefine(Info{ID: AssetID(fmt.Sprintf("app:bound/c%d", i)), Code: "C", Kind: Virtual}))
				assert.Equal(t, "C"+nbsp+"0", f.Format(a))
				tag := language.MustParse(fmt.Sprintf("de-u-nu-latn-x-a%d", (i+worker*100)%(2*maxFormatters)))
				assert.Equal(t, "1,00"+nbsp+"€", Format(MustNew(100, EUR), tag))
			}
		})
	}
	group.Wait()
	f.Format(Zero(EUR))
	f.Format(Zero(USD))
	require.LessOrEqual(t, len(*f.layouts.Load()), maxLayouts+1)
	require.LessOrEqual(t, len(*formatters.byTag.Load()), maxFormatters+1)
}

// What CLDR adds to a binary: the tables themselves. The strings of a linked table are counted with their offsets.
func TestTableSize(t *testing.T) {
	size := len(cldrCodes) + len(cldrRecords) + 2*(len(cldrLayouts)+len(cldrParents)+len(cldrRecordAt)+len(cldrAliasOf))
	for _, p := range []packed{cldrStrings, cldrLocales, cldrAliases, cldrSystems, cldrDigits} {
		size += len(p.text) + 2*len(p.at)
	}
	t.Logf("%d locales in %d bytes", cldrLocales.len(), size)
	require.Less(t, size, 150_000)
}

// A currency that is added to the ISO tables has no symbols before "go generate".
func TestTableKnowsISO(t *testing.T) {
	for _, list := range [][]*Definition{ISO(), WithdrawnISO()} {
		for _, d := range list {
			_, ok := currencyIndex(d.Code())
			require.True(t, ok, "%s: run go generate ./currency", d)
		}
	}
}

func TestISODate(t *testing.T) {
	for _, r := range isoWithdrawn {
		require.LessOrEqual(t, r.withdrawn, ISODate[:len("2006-01")], r.code)
	}
}

func TestFindLocale(t *testing.T) {
	for tag, want := range map[string]string{
		"und": "und", "und-CH": "und", "tlh": "und", "de": "de", "de-DE": "de", "de-CH": "de-CH", "de-Latn-CH": "de-CH",
		"en-US": "en", "en-AU": "en-AU", "es-MX": "es-MX", "es-ES": "es", "iw": "he", "in": "id", "tl": "fil", "sh": "sr-Latn",
		"zh-TW": "zh-Hant", "zh-HK": "zh-Hant-HK", "zh-MO": "zh-Hant-MO", "zh-CN": "zh-Hans", "zh-SG": "zh-Hans-SG",
		"cmn-Hans-CN": "zh-Hans", "sr-ME": "sr-Latn-ME", "sr-BA": "sr-Cyrl-BA", "pa-PK": "pa-Arab", "uz-AF": "uz-Arab",
		"sd-IN": "sd-Deva", "ms-ID": "ms-ID", "ca-ES-valencia": "ca-ES-valencia", "el-polyton": "el-polyton", "nb-NO": "no",
		"fr-US-u-nu-thai": "fr",
	} {
		require.Equal(t, want, cldrLocales.get(int(findLocale(language.MustParse(tag)))), tag)
	}
}
