package currency

//go:generate go run ./internal/cldrgen -to cldr_data.go

import (
	"sort"
	"strings"
)

const (
	// CLDRVersion is the version of the Unicode Common Locale Data Repository that [Format] follows.
	CLDRVersion = cldrVersion
	// ISODate is the day as of which the ISO 4217 tables stand, up to amendment 180.
	ISODate = "2026-01-01"
)

// The generated tables hold every locale as its difference from its parent (UTS #35 part 1, 4.1.3), as
// internal/cldrgen writes it: numbers are uvarints, strings are numbers in cldrStrings.

// packed is a list of strings in one, which costs a binary two bytes an item instead of sixteen.
type packed struct {
	text string
	at   []uint16
}

func (p *packed) len() int         { return len(p.at) - 1 }
func (p *packed) get(i int) string { return p.text[p.at[i]:p.at[i+1]] }

// find looks a string up in a sorted list.
func (p *packed) find(s string) (int, bool) {
	return sort.Find(p.len(), func(i int) int { return strings.Compare(s, p.get(i)) })
}

// record reads the data of one locale.
type record struct {
	text string
	at   int
}

func (r *record) number() int {
	n := 0
	for shift := 0; ; shift += 7 {
		c := r.text[r.at]
		r.at++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
}

func (r *record) string() string { return cldrStrings.get(r.number()) }

func (r *record) skip(n int) {
	for ; n > 0; n-- {
		r.number()
	}
}

// localeIndex is a row of cldrLocales.
type localeIndex int

func (l localeIndex) record() record { return record{text: cldrRecords, at: int(cldrRecordAt[l])} }

// parent returns what the locale inherits from; the root has none.
func (l localeIndex) parent() (localeIndex, bool) {
	p := localeIndex(cldrParents[l])
	return p, p != l
}

// up calls f with the locale and its ancestors until f is done.
func (l localeIndex) up(f func(r record) (done bool)) {
	for ok := true; ok && !f(l.record()); {
		l, ok = l.parent()
	}
}

// system returns the default numbering system.
func (l localeIndex) system() (system int) {
	l.up(func(r record) bool {
		n := r.number()
		system = n - 1
		return n > 0
	})
	return system
}

// minGroup returns how many digits must precede the first separator.
func (l localeIndex) minGroup() (n int) {
	l.up(func(r record) bool {
		r.skip(1)
		n = r.number()
		return n > 0
	})
	return n
}

// numberLayout is how a numbering system writes money.
type numberLayout struct {
	decimal, group, minus, plus, standard, accounting string
}

// layout finds the rules for a numbering system; a locale may have none of its own.
func (l localeIndex) layout(system int) (y numberLayout, ok bool) {
	l.up(func(r record) bool {
		r.skip(2)
		for n := r.number(); n > 0 && !ok; n-- {
			found, row := r.number(), r.number()
			if found == system {
				s := cldrLayouts[6*row:]
				at := func(i int) string { return cldrStrings.get(int(s[i])) }
				y, ok = numberLayout{at(0), at(1), at(2), at(3), at(4), at(5)}, true
			}
		}
		return ok
	})
	return y, ok
}

// symbol returns how an ISO currency is written, and with the sign alone.
func (l localeIndex) symbol(code string) (standard, narrow string) {
	standard = code
	i, ok := currencyIndex(code)
	if !ok {
		return code, code
	}
	l.up(func(r record) bool {
		r.skip(2)
		r.skip(2 * r.number())
		last := 0
		for n := r.number(); n > 0 && last <= i; n-- {
			last += r.number()
			s, t := r.string(), r.string()
			if last == i {
				if s != "" {
					standard = s
				}
				narrow = t
				return true
			}
		}
		return false
	})
	if narrow == "" {
		narrow = standard
	}
	return standard, narrow
}

// eachSymbol calls f with every ISO currency that is not written as its code.
func (l localeIndex) eachSymbol(f func(code, standard string)) {
	var done [len(cldrCodes) / 3]bool
	l.up(func(r record) bool {
		r.skip(2)
		r.skip(2 * r.number())
		i := 0
		for n := r.number(); n > 0; n-- {
			i += r.number()
			standard := r.string()
			r.skip(1)
			if !done[i] && standard != "" {
				f(cldrCodes[3*i:3*i+3], standard)
			}
			done[i] = true
		}
		return false
	})
}

// special returns the pattern and separators of a currency that has its own, such as the escudo's $; empty ones are the
// locale's.
func (l localeIndex) special(code string) (pattern, decimal, group string) {
	i, ok := currencyIndex(code)
	if !ok {
		return "", "", ""
	}
	l.up(func(r record) bool {
		r.skip(2)
		r.skip(2 * r.number())
		r.skip(3 * r.number())
		for n := r.number(); n > 0; n-- {
			if r.number() == i {
				pattern, decimal, group = r.string(), r.string(), r.string()
				return true
			}
			r.skip(3)
		}
		return false
	})
	return pattern, decimal, group
}

func currencyIndex(code string) (int, bool) {
	if len(code) != 3 {
		return 0, false
	}
	n := len(cldrCodes) / 3
	return sort.Find(n, func(i int) int { return strings.Compare(code, cldrCodes[3*i:3*i+3]) })
}
