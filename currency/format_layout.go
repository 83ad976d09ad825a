package currency

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// layout is all that a formatter knows about an asset: what to write before and after the digits, and how to write these.
type layout struct {
	positive, negative, plus affixes
	sign                     SignDisplay

	decimal, group     string
	digits             string // ten digits of equal length
	primary, secondary int    // sizes of the groups left of the decimal separator, 0 for none
	minGroup           int    // digits before the first separator

	scale    int // of the asset
	minimum  int // decimals to show
	maximum  int
	step     uint128 // cash, 0 for none
	rounding Rounding

	spelling func() *spelling // for parsing
}

type affixes struct{ before, after string }

const nbsp = "\u00a0"

func newLayout(f *Formatter, d *Definition) *layout {
	numbers := f.numbers()
	y := &layout{
		sign: f.options.Sign, decimal: numbers.decimal, group: numbers.group,
		digits: cldrDigits.get(f.system), minGroup: f.locale.minGroup(),
		scale: int(d.info.Scale), rounding: f.options.Rounding,
	}
	text := numbers.standard
	if f.options.Accounting {
		text = numbers.accounting
	}
	if d.info.Kind == Fiat {
		special, decimal, group := f.locale.special(d.info.Code)
		if special != "" {
			text = special
		}
		if decimal != "" {
			y.decimal = decimal
		}
		if group != "" {
			y.group = group
		}
	}
	p := parsePattern(text)
	y.primary, y.secondary = p.primary, p.secondary
	w := affixWriter{
		pattern: p, minus: numbers.minus, plus: numbers.plus, symbol: f.symbol(d),
		// [:digit:], which these are not
		spacing: cldrSystems.get(f.system) != "hanidec",
	}
	y.positive, y.negative, y.plus = w.write(noSign), w.write(minusSign), w.write(plusSign)
	y.setDecimals(f.options, d)
	y.spelling = sync.OnceValue(func() *spelling { return &spelling{f.findNames(d), f.separators(y)} })
	return y
}

// numbers returns the rules for the numbering system, which are those for Latin digits where the locale has no others.
func (f *Formatter) numbers() numberLayout {
	n, ok := f.locale.layout(f.system)
	if !ok || n.standard == "" {
		latn, _ := f.locale.layout(latinSystem())
		if !ok {
			return latn
		}
		n.standard, n.accounting = latn.standard, latn.accounting
	}
	return n
}

func latinSystem() int {
	i, _ := cldrSystems.find("latn")
	return i
}

func (y *layout) setDecimals(o FormatOptions, d *Definition) {
	y.minimum, y.maximum = y.scale, y.scale
	if d.info.Kind == Crypto {
		y.minimum = 0
	}
	if step := CashStep(d); o.Cash && step > 1 {
		y.step = int128From(step).abs()
		if _, rest := quoRem(y.step, pow10[y.scale]); rest.isZero() {
			y.minimum, y.maximum = 0, 0
		}
	}
	if o.Fraction != nil {
		y.minimum, y.maximum = int(o.Fraction.Min), int(o.Fraction.Max)
	}
}

// symbol returns what stands for the asset. CLDR speaks for ISO 4217, the definition for the rest.
func (f *Formatter) symbol(d *Definition) string {
	if f.options.Display == ShowCode {
		return d.info.Code
	}
	standard, narrow := f.symbols(d)
	if f.options.Display == ShowNarrowSymbol {
		return narrow
	}
	return standard
}

func (f *Formatter) symbols(d *Definition) (standard, narrow string) {
	if d.info.Kind == Fiat {
		return f.locale.symbol(d.info.Code)
	}
	return d.info.Symbol, d.info.NarrowSymbol
}

// pattern is a number pattern of UTS #35 part 3, section 3: "¤#,##0.00;(¤#,##0.00)".
type pattern struct {
	positive, negative affixes
	hasNegative        bool
	primary, secondary int
}

func parsePattern(text string) (p pattern) {
	const number = "#0,."
	cut := func(s string) (a affixes, body string) {
		i, j := strings.IndexAny(s, number), strings.LastIndexAny(s, number)
		return affixes{s[:i], s[j+1:]}, s[i : j+1]
	}
	positive, negative, has := strings.Cut(text, ";")
	var body string
	p.positive, body = cut(positive)
	if has {
		p.negative, _ = cut(negative)
		p.hasNegative = true
	}
	whole, _, _ := strings.Cut(body, ".")
	groups := strings.Split(whole, ",")
	if n := len(groups); n > 1 {
		p.primary = len(groups[n-1])
		p.secondary = p.primary
		if n > 2 {
			p.secondary = len(groups[n-2])
		}
	}
	return p
}

type signKind uint8

const (
	noSign signKind = iota
	minusSign
	plusSign
)

// affixWriter fills the placeholders of a pattern in.
type affixWriter struct {
	pattern             pattern
	minus, plus, symbol string
	spacing             bool
}

// write follows ICU: the sign goes where the negative pattern has one, or else in front of the positive pattern.
func (w *affixWriter) write(kind signKind) affixes {
	p := w.pattern
	from, prepend := p.positive, kind != noSign
	hasMinus := strings.Contains(p.negative.before+p.negative.after, "-")
	if p.hasNegative && (kind == minusSign || kind == plusSign && hasMinus) {
		from, prepend = p.negative, false
	}
	sign := w.minus
	if kind == plusSign {
		sign = w.plus
	}
	fill := func(s string) string { // a symbol may contain a hyphen, so it comes last
		return strings.ReplaceAll(strings.ReplaceAll(s, "-", sign), "¤", w.symbol)
	}
	before, after := fill(from.before), fill(from.after)
	if w.spacing && strings.HasSuffix(from.before, "¤") {
		if r, _ := utf8.DecodeLastRuneInString(w.symbol); spaced(r) {
			before += nbsp
		}
	}
	if w.spacing && strings.HasPrefix(from.after, "¤") {
		if r, _ := utf8.DecodeRuneInString(w.symbol); spaced(r) {
			after = nbsp + after
		}
	}
	if prepend {
		before = sign + before
	}
	return affixes{before, after}
}

// spaced is currencySpacing: [[:^S:]&[:^Z:]] next to a digit, in every locale. CHF 5, but $5.
func spaced(r rune) bool { return !unicode.IsSymbol(r) && !unicode.In(r, unicode.Z) }
