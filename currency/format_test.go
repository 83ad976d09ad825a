package currency

import (
	"strings"
	"testing"

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
		{"de-CH", "1234.5", CHF, "CHF_1’234.50"},
		{"fr", "1234.56", EUR, "1~234,56_€"},
		{"fr-CA", "1234.56", CAD, "1_234,56_$"},
		{"es", "1234.56", EUR, "1234,56_€"},
		{"es", "12345.67", EUR, "12.345,67_€"},
		{"es-MX", "1234.56", MXN, "$1,234.56"},
		{"es-AR", "1234.56", EUR, "€_1.234,56"},
		{"pt-BR", "1234.56", BRL, "R$_1.234,56"},
		{"pt-PT", "1234.56", EUR, "1234,56_€"},
		{"it", "1234.56", EUR, "1.234,56_€"},
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
		{"sw", "1234.56", USD, "US$_1,234.56"}, // no rules of its own
		{"und", "1234.56", USD, "US$_1,234.56"},
		{"en", "1.500000000000000000", eth, "TST_1.5"},
		{"de", "1234", eth, "1.234_TST"},
		{"en", "0.000000000000000001", eth, "TST_0.000000000000000001"},
		{"en", "5", coin, "TST_5.00"},
		{"de", "1701411834604692317316873037158841057.27", EUR, "1.701.411.834.604.692.317.316.873.037.158.841.057,27_€"},
	} {
		want := strings.NewReplacer("_", nbsp, "~", nnbsp).Replace(c.want)
		require.Equal(t, want, Format(MustParse(c.amount, c.asset), language.MustParse(c.tag)), c.tag)
	}
	require.Empty(t, Format(Amount{}, language.English))
	require.NotEmpty(t, Format(Zero(USD), language.Tag{}))
}

// Whatever the locale, the digits are those of the amount.
func TestFormatKeepsEveryDigit(t *testing.T) {
	digitsOf := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, s)
	}
	for _, l := range locales {
		for _, a := range []Amount{MustNew(-123456789, USD), MustNew(100, KWD), MustNew(1_000_000, JPY), MustNew(5, EUR)} {
			got := Format(a, language.MustParse(l.tag))
			require.Equal(t, digitsOf(a.Number()), digitsOf(got), l.tag)
			require.Equal(t, a.Sign() < 0, strings.ContainsAny(got, hyphen+minus), l.tag)
		}
	}
}
