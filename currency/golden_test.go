package currency

import (
	"bufio"
	"compress/gzip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"
)

// icuFaults are the lines of the golden file, as "locale currency style", that ICU gets wrong, each with the reason.
var icuFaults = map[string]string{}

var goldenStyles = map[string]FormatOptions{
	"standard":       {},
	"accounting":     {Accounting: true},
	"code":           {Display: ShowCode},
	"narrow":         {Display: ShowNarrowSymbol},
	"plus":           {Sign: SignAlways},
	"accountingplus": {Accounting: true, Sign: SignExceptZero},
	"tenths":         {Fraction: &FractionDigits{Max: 1}},
	"cash":           {Cash: true},
}

// TestGolden compares every text with what ICU writes, byte for byte. testdata/golden.js makes the file.
func TestGolden(t *testing.T) {
	t.Parallel()
	formatters := map[string]*Formatter{}
	equal, total, locales, shown := 0, 0, map[string]bool{}, 0
	eachGolden(t, func(g golden) {
		options, ok := goldenStyles[g.style]
		require.True(t, ok, g.style)
		f := formatters[g.locale+g.style]
		if f == nil {
			f = NewFormatter(language.MustParse(g.locale), options)
			formatters[g.locale+g.style] = f
		}
		locales[g.locale] = true
		for i, want := range g.texts {
			total++
			switch got := f.Format(g.amounts[i]); {
			case got == want || icuFaults[g.key()] != "":
				equal++
			case shown < 50:
				shown++
				t.Errorf("%s, %s: %+q, ICU writes %+q", g.key(), g.amounts[i], got, want)
			default:
				t.Fail()
			}
		}
	})
	t.Logf("%d of %d equal in %d locales, %d lines on the allow-list", equal, total, len(locales), len(icuFaults))
}

type golden struct {
	locale, style string
	asset         *Definition
	amounts       []Amount
	texts         []string
}

func (g *golden) key() string { return g.locale + " " + g.asset.Code() + " " + g.style }

func eachGolden(t testing.TB, f func(golden)) {
	t.Helper()
	file, err := os.Open("testdata/golden.tsv.gz")
	require.NoError(t, err)
	defer func() { _ = file.Close() }() // only read
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	lines := bufio.NewScanner(unzipped)
	require.True(t, lines.Scan())
	require.True(t, strings.HasSuffix(lines.Text(), " cldr "+CLDRVersion), "the golden file must be of the same CLDR")
	require.True(t, lines.Scan())
	values := strings.Split(lines.Text(), "\t")
	amounts := map[*Definition][]Amount{}
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		require.Len(t, fields, 3+len(values))
		d, ok := Lookup(AssetID(fields[1]))
		require.True(t, ok, fields[1])
		if amounts[d] == nil {
			for _, v := range values {
				whole, fraction, _ := strings.Cut(v, ".")
				if scale := min(int(d.Scale()), len(fraction)); scale > 0 {
					whole += "." + fraction[:scale]
				}
				amounts[d] = append(amounts[d], MustParse(whole, d))
			}
		}
		f(golden{locale: fields[0], style: fields[2], asset: d, amounts: amounts[d], texts: fields[3:]})
	}
	require.NoError(t, lines.Err())
}
