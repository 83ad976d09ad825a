package currency

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
)

// Format writes an amount for people, in the manner of a locale: "$1,234.56"
// for en-US, "1.234,56 €" for de, "₹12,34,567.00" for hi. The locale decides
// separators, grouping, and the place and spelling of the symbol, never the
// number of decimals: fiat and virtual assets show all of theirs, crypto
// assets drop trailing zeros, and nothing is rounded. Digits are Latin. A
// language without rules of its own gets a neutral form, "US$ 1,234.56".
// Amount{} is "".
//
// The result is for the eye; [ParseText] reads [Amount.String].
func Format(a Amount, tag language.Tag) string {
	if a.def == nil {
		return ""
	}
	l := matchLocale(tag)
	var space [64]byte
	number := string(appendNumber(space[:0], a.units, a.def.info.Scale))
	number, negative := strings.CutPrefix(number, "-")
	whole, fraction, _ := strings.Cut(number, ".")
	if a.def.info.Kind == Crypto {
		fraction = strings.TrimRight(fraction, "0")
	}

	body := make([]byte, 0, 96)
	body = l.appendGrouped(body, whole)
	if fraction != "" {
		body = append(append(body, l.decimal...), fraction...)
	}
	minus := ""
	if negative {
		minus = l.minus
	}
	symbol := l.symbol(a.def)
	out := make([]byte, 0, 128)
	out = append(out, l.mark...)
	switch l.place {
	case after:
		out = append(append(append(append(out, minus...), body...), nbsp...), symbol...)
	case before:
		out = append(append(out, minus...), symbol...)
		if endsInLetter(symbol) {
			out = append(out, nbsp...)
		}
		out = append(out, body...)
	case beforeSpaced:
		out = append(append(append(append(out, minus...), symbol...), nbsp...), body...)
	case beforeMinus:
		out = append(append(append(append(out, symbol...), nbsp...), minus...), body...)
	}
	return string(out)
}

// endsInLetter asks whether a symbol would run into the digits: CHF 5, but $5.
func endsInLetter(symbol string) bool {
	r, _ := utf8.DecodeLastRuneInString(symbol)
	return !unicode.IsSymbol(r) && !unicode.IsSpace(r)
}

// appendGrouped writes a whole number with the separators of the locale.
func (l *locale) appendGrouped(b []byte, digits string) []byte {
	second := 3
	if l.lakh {
		second = 2
	}
	if len(digits) < 3+max(l.minGroup, 1) {
		return append(b, digits...)
	}
	head := digits[:len(digits)-3]
	for i := range len(head) {
		if i > 0 && (len(head)-i)%second == 0 {
			b = append(b, l.group...)
		}
		b = append(b, head[i])
	}
	return append(append(b, l.group...), digits[len(digits)-3:]...)
}

func (l *locale) symbol(d *Definition) string {
	if s, ok := l.symbols[d.info.ID]; ok {
		return s
	}
	if l.home == d.info.ID {
		return d.info.NarrowSymbol
	}
	return d.info.Symbol
}

func matchLocale(tag language.Tag) *locale {
	m := localeMatcher()
	_, i, confidence := m.matcher.Match(tag)
	want, _ := tag.Base()
	got, _ := m.parsed[i].Base()
	norwegian := got.String() == "nb" && (want.String() == "no" || want.String() == "nn")
	if confidence == language.No || want != got && !norwegian {
		return &locales[0] // the matcher would take English for Swahili
	}
	return &locales[i]
}

type matching struct {
	parsed  []language.Tag
	matcher language.Matcher
}

var localeMatcher = sync.OnceValue(func() matching {
	m := matching{parsed: make([]language.Tag, len(locales))}
	for i, l := range locales {
		m.parsed[i] = language.Make(l.tag)
	}
	m.matcher = language.NewMatcher(m.parsed)
	return m
})
