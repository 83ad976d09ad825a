package currency

import (
	"maps"
	"sync"
	"sync/atomic"

	"golang.org/x/text/language"
)

// Format writes an amount for people, in the manner of a locale: "$1,234.56" for en-US, "1.234,56 €" for de,
// "₹12,34,567.00" for hi. The locale decides digits, separators, grouping, the signs, and the place and spelling of the
// symbol, as the Unicode CLDR records it ([CLDRVersion]; UTS #35 part 3) and ICU prints it. It never decides the number of
// decimals: fiat and virtual assets show all of theirs, crypto assets drop trailing zeros, and nothing is rounded. Assets
// that CLDR does not know have the locale's layout with their own symbol.
//
// A numbering system in the tag is honoured, as in ar-EG-u-nu-latn. A language without data gets CLDR's neutral form,
// "US$ 1,234.56". Amount{} is "".
//
// Format keeps a [Formatter] for each of the tags used lately; with options make your own. It is safe for concurrent use
// and allocates only the string. The result is for the eye: [ParseText] reads [Amount.String], and [ParseLocale] what a
// person types.
func Format(a Amount, tag language.Tag) string { return standardFormatter(tag).Format(a) }

// FormatOptions says how a [Formatter] departs from [Format]. The zero value does not.
type FormatOptions struct {
	// Display is the form of the asset: its symbol, its narrow symbol or its code.
	Display Display
	// Accounting writes negative amounts as accountants do, in many locales in parentheses: "($5.00)".
	Accounting bool
	// Sign says when to write a sign.
	Sign SignDisplay
	// Cash rounds to what can be paid in coins (see [CashStep]): 1.98 is "CHF 2.00". Decimals that no coin has are left
	// out: "2 kr".
	Cash bool
	// Fraction sets the number of decimals; nil means those of the asset.
	Fraction *FractionDigits
	// Rounding is for Cash and Fraction. The zero value rounds half to even; Exact does not round, and then shows all
	// decimals there are.
	Rounding Rounding
}

// FractionDigits is a range for the number of decimals. Trailing zeros are written up to Min and decimals beyond Max are
// rounded. A Max below Min counts as Min; both are at most [MaxScale].
type FractionDigits struct{ Min, Max uint8 }

// Display is the form in which a [Formatter] writes the asset.
type Display uint8

const (
	// ShowSymbol writes the locale's symbol, told apart from every other: "US$" in Canada, "$" in the United States.
	ShowSymbol Display = iota
	// ShowNarrowSymbol writes the sign alone, for places where the asset is clear: "$" for every dollar.
	ShowNarrowSymbol
	// ShowCode writes the ISO 4217 code or ticker: "USD".
	ShowCode
)

// SignDisplay says when a [Formatter] writes a sign.
type SignDisplay uint8

const (
	// SignAuto writes a minus for negative amounts, also for those rounded to zero.
	SignAuto SignDisplay = iota
	// SignAlways writes a plus for all others.
	SignAlways
	// SignExceptZero writes a minus or a plus, but none for what shows as zero.
	SignExceptZero
	// SignNegative is SignAuto without a minus for what shows as zero.
	SignNegative
	// SignNever writes none.
	SignNever
)

// Formatter writes amounts in one locale with fixed options. It is immutable and safe for concurrent use. It prepares the
// affixes of an asset at first use and remembers them for the assets used lately. Get one from [NewFormatter]; the zero
// Formatter is of no use.
type Formatter struct {
	locale  localeIndex
	system  int
	options FormatOptions
	owners  func() map[string]*Definition // for parsing: whose symbol is it

	mu      sync.Mutex                              // to prepare
	layouts atomic.Pointer[map[*Definition]*layout] // replaced, never changed
}

// maxLayouts bounds what a Formatter remembers; more assets than this in one locale begin anew.
const maxLayouts = 512

// NewFormatter returns a formatter for a locale. Making one costs more than using it: keep it.
func NewFormatter(tag language.Tag, o FormatOptions) *Formatter {
	l := findLocale(tag)
	f := &Formatter{locale: l, system: findSystem(tag, l), options: o}
	if o.Fraction != nil {
		d := *o.Fraction // the caller's may change
		d.Min = min(d.Min, MaxScale)
		d.Max = min(max(d.Min, d.Max), MaxScale)
		f.options.Fraction = &d
	}
	f.owners = sync.OnceValue(f.findOwners)
	f.layouts.Store(new(map[*Definition]*layout))
	return f
}

// Format writes an amount, "" for Amount{}. It allocates only the string.
func (f *Formatter) Format(a Amount) string {
	if a.def == nil {
		return ""
	}
	var space [128]byte
	return string(f.layout(a.def).append(space[:0], a.units))
}

// AppendFormat appends to b what Format returns, without allocating when b has room.
func (f *Formatter) AppendFormat(b []byte, a Amount) []byte {
	if a.def == nil {
		return b
	}
	return f.layout(a.def).append(b, a.units)
}

func (f *Formatter) layout(d *Definition) *layout {
	if y := (*f.layouts.Load())[d]; y != nil {
		return y
	}
	return f.prepare(d)
}

func (f *Formatter) prepare(d *Definition) *layout {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := *f.layouts.Load()
	if y := old[d]; y != nil { // another goroutine was first
		return y
	}
	known := make(map[*Definition]*layout, len(old)+1)
	if len(old) < maxLayouts {
		maps.Copy(known, old)
	}
	y := newLayout(f, d)
	known[d] = y
	f.layouts.Store(&known)
	return y
}

// formatters remembers those of Format, up to maxFormatters: tags may come from a request.
var formatters struct {
	mu    sync.Mutex
	byTag atomic.Pointer[map[language.Tag]*Formatter]
}

const maxFormatters = 256

func standardFormatter(tag language.Tag) *Formatter {
	if known := formatters.byTag.Load(); known != nil {
		if f := (*known)[tag]; f != nil {
			return f
		}
	}
	made := NewFormatter(tag, FormatOptions{})
	formatters.mu.Lock()
	defer formatters.mu.Unlock()
	known := make(map[language.Tag]*Formatter)
	if old := formatters.byTag.Load(); old != nil {
		if f := (*old)[tag]; f != nil {
			return f
		}
		if len(*old) < maxFormatters {
			maps.Copy(known, *old)
		}
		for _, f := range *old { // another tag for the same, such as de and de-DE
			if f.locale == made.locale && f.system == made.system {
				made = f
				break
			}
		}
	}
	known[tag] = made
	formatters.byTag.Store(&known)
	return made
}
