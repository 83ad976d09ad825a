package currency

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// ErrAmbiguousNumber is a number that a person may have meant in two ways, such as "1.234" of an asset with three or more
// decimals. Ask again; guessing wrong is wrong by a factor of a thousand.
var ErrAmbiguousNumber = errors.New("number can be read in several ways")

// maxLocaleLen bounds what is read: forty digits of four bytes, their separators, and a name on either side.
const maxLocaleLen = 512

// ParseLocale reads what a person typed into a field for an asset, in the manner of their locale: "1.234,56 €" for de,
// "$1,234.56" or "1234.56" for en, "(5.00)", "−5". It reads everything that [Format] writes for the tag, back to the same
// amount, and what people write in its place:
//
//   - the asset's symbol or code, or none, on either side; an ISO code or symbol of another asset is [ErrAssetMismatch]
//   - a sign before or after the symbol, the minus in any of its forms, or parentheses around it all
//   - decimal digits of any script, but of one
//   - groups or no groups; separators where the locale or the groups of three have them, or spaces instead
//   - no-break and narrow spaces, apostrophes and full-width punctuation in their variants; marks for the direction of
//     text count for nothing
//
// It never guesses. A separator in the wrong place ("1,23" in en) is [ErrSyntax]. More decimals than the asset has, even
// zeros, are [ErrPrecision], as in [Parse]: so "1,234" is 1234 dollars in en and an error in de. "1.234" alone in de is 1234
// euros, but [ErrAmbiguousNumber] for an asset with three or more decimals, for which "1.234,0" and "1234" are clear, as is
// what names the asset, because so Format writes it. Text longer than 512 bytes is [ErrSyntax] unread.
func ParseLocale(s string, a Asset, tag language.Tag) (Amount, error) {
	return standardFormatter(tag).Parse(s, a)
}

// Parse is [ParseLocale] for the formatter's locale. With ShowNarrowSymbol it takes the narrow symbol for this asset's, as
// it writes it; otherwise only where no other currency has it: "$5" for Canadian dollars is [ErrAssetMismatch] in en-US.
func (f *Formatter) Parse(s string, a Asset) (Amount, error) {
	const op = "parse locale"
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	fail := func(sentinel error, other AssetID, detail string) (Amount, error) {
		return Amount{}, &Error{Op: op, Asset: d.info.ID, Other: other, Input: clip(s), Err: sentinel, Detail: detail}
	}
	if len(s) > maxLocaleLen {
		return fail(ErrSyntax, "", "too long")
	}
	text, ok := normalize(s)
	if !ok {
		return fail(ErrSyntax, "", "not UTF-8")
	}
	best := f.read(text, d)
	if best.err == nil {
		return best.amount, nil
	}
	if errors.Is(best.err, ErrSyntax) {
		if other := f.otherAsset(text, d); other != nil {
			return fail(ErrAssetMismatch, other.info.ID, "")
		}
	}
	return fail(best.err, "", best.detail)
}

// spelling is how an asset may be written in a locale.
type spelling struct {
	names      []string // not empty, normalized
	separators []separators
}

// reading is one way to take a text.
type reading struct {
	amount Amount
	err    error // a bare sentinel
	detail string
}

var unread = reading{err: ErrSyntax, detail: "want a number with separators where the locale has them"}

// read tries every way to divide the text into names and a number. Two that disagree are ambiguous, for example when the
// symbol of a coin ends in a digit.
func (f *Formatter) read(text string, d *Definition) reading {
	best := unread
	names := []string{""}
	y := f.layout(d)
	for _, name := range y.spelling().names {
		if containsFold(text, name) {
			names = append(names, name)
		}
	}
	found := false
	for _, head := range names {
		for _, tail := range names {
			r := y.readBetween(text, head, tail, d)
			switch {
			case r.err == nil && found && r.amount != best.amount:
				return reading{err: ErrAmbiguousNumber}
			case r.err == nil:
				best, found = r, true
			case errors.Is(r.err, ErrAmbiguousNumber):
				return r
			case !found && !errors.Is(r.err, ErrSyntax):
				best = r
			}
		}
	}
	return best
}

// readBetween reads a number with these names around it.
func (y *layout) readBetween(text, head, tail string, d *Definition) reading {
	p := around{text: text}
	if !p.stripHead(head) || !p.stripTail(tail, y) || !p.signsAgree() {
		return unread
	}
	best := unread
	for _, s := range y.spelling().separators {
		number, ok := y.readNumber(p.text, s)
		if !ok || number.whole == "" && head != "" {
			continue // "kr.5" is no half
		}
		if number.unclear && head == "" && tail == "" && d.info.Scale >= 3 {
			return reading{err: ErrAmbiguousNumber, detail: "a thousand, or a decimal separator?"}
		}
		a, err := Parse(number.plain(p.negative()), d)
		if err == nil {
			return reading{amount: a}
		}
		best = reading{err: errors.Unwrap(err)}
	}
	return best
}

// separators returns those that may be meant: the locale's for its digits and for Latin ones, and the Arabic ones, which
// mean nothing else. Sets that differ in a character's role would be guessing, so such a set is left out.
func (f *Formatter) separators(y *layout) []separators {
	own := separators{canon(y.decimal), canon(y.group)}
	sets := []separators{own}
	if latin, ok := f.locale.layout(latinSystem()); ok {
		sets = appendSet(sets, separators{canon(latin.decimal), canon(latin.group)})
	}
	return appendSet(sets, separators{"\u066b", "\u066c"})
}

func appendSet(sets []separators, s separators) []separators {
	for _, t := range sets {
		if s == t || s.decimal == t.group || s.group == t.decimal {
			return sets
		}
	}
	return append(sets, s)
}

// findNames returns what may stand for the asset in this locale, the form of the formatter among them.
func (f *Formatter) findNames(d *Definition) []string {
	standard, narrow := f.symbols(d)
	names := []string{canon(standard), canon(d.info.Code), canon(f.symbol(d))}
	for _, s := range []string{narrow, d.info.Symbol, d.info.NarrowSymbol} {
		if other := f.owners()[canon(s)]; other == nil || other == d {
			names = append(names, canon(s))
		}
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(s string) bool { return s == "" })
}

// findOwners returns the ISO currencies by what the locale calls them.
func (f *Formatter) findOwners() map[string]*Definition {
	owners := make(map[string]*Definition, 2*len(isoCurrent))
	f.locale.eachSymbol(func(code, standard string) {
		if d := isoByCode[AssetID(code)]; d != nil && d.info.Withdrawn == "" {
			owners[canon(standard)] = d
		}
	})
	for i := range isoCurrent {
		code := isoCurrent[i].code
		owners[code] = isoByCode[AssetID(code)]
	}
	return owners
}

// otherAsset finds the currency that was named instead.
func (f *Formatter) otherAsset(text string, d *Definition) *Definition {
	named := strings.TrimFunc(text, func(r rune) bool {
		_, _, digit := digitOf(r, "")
		return digit || strings.ContainsRune(" +-().,'\u066b\u066c", r)
	})
	for _, name := range []string{strings.TrimSpace(text), named, strings.ToUpper(named)} {
		if other := f.owners()[name]; other != nil && other != d {
			return other
		}
	}
	return nil
}
