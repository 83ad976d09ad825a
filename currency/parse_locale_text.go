package currency

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// normalize reduces the variants that a keyboard, a phone or a copied text has of the same character, as the lenient
// parsing of UTS #35 part 3 wants it. It leaves digits as they are.
func normalize(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	return canon(s), true
}

func canon(s string) string {
	return strings.Trim(strings.Map(canonRune, s), " ")
}

func canonRune(r rune) rune {
	switch r {
	case '\u200e', '\u200f', '\u061c', '\u2066', '\u2067', '\u2068', '\u2069':
		return -1 // marks and isolates; an override changes what a reader sees and is no number
	case '\t':
		return ' '
	case '\u2212', '\u2010', '\u2011', '\u2012', '\u2013', '\ufe63', '\uff0d': // minus, hyphens, dashes
		return '-'
	case '\ufe62', '\uff0b':
		return '+'
	case '\u2019', '\u02bc', '\uff07':
		return '\''
	case '\uff0c', '\ufe50':
		return ','
	case '\uff0e', '\ufe52':
		return '.'
	case '\uff08':
		return '('
	case '\uff09':
		return ')'
	}
	if unicode.Is(unicode.Zs, r) {
		return ' '
	}
	return r
}

// around is a text that loses what surrounds its number.
type around struct {
	text         string
	minus, plus  int
	open, closed int
}

// stripHead takes signs, an opening parenthesis and, if not empty, the name, which must be there, from the front.
func (p *around) stripHead(name string) bool {
	for {
		p.text = strings.TrimLeft(p.text, " ")
		switch {
		case name != "" && len(p.text) >= len(name) && strings.EqualFold(p.text[:len(name)], name):
			p.text, name = p.text[len(name):], ""
		case strings.HasPrefix(p.text, "-"):
			p.text = p.text[1:]
			p.minus++
		case strings.HasPrefix(p.text, "+"):
			p.text = p.text[1:]
			p.plus++
		case strings.HasPrefix(p.text, "("):
			p.text = p.text[1:]
			p.open++
		default:
			return name == ""
		}
	}
}

// stripTail does the same at the end, where a sign is read only in locales that write it there.
func (p *around) stripTail(name string, y *layout) bool {
	for {
		p.text = strings.TrimRight(p.text, " ")
		switch n := len(p.text) - len(name); {
		case name != "" && n >= 0 && strings.EqualFold(p.text[n:], name):
			p.text, name = p.text[:n], ""
		case strings.HasSuffix(p.text, ")"):
			p.text = p.text[:len(p.text)-1]
			p.closed++
		case strings.HasSuffix(p.text, "-") && strings.Contains(canon(y.negative.after), "-"):
			p.text = p.text[:len(p.text)-1]
			p.minus++
		case strings.HasSuffix(p.text, "+") && strings.Contains(canon(y.plus.after), "+"):
			p.text = p.text[:len(p.text)-1]
			p.plus++
		default:
			return name == ""
		}
	}
}

func (p *around) signsAgree() bool {
	return p.open == p.closed && p.minus+p.plus+p.open <= 1
}

func (p *around) negative() bool { return p.minus+p.open > 0 }

func containsFold(text, name string) bool {
	for i := 0; i+len(name) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(name)], name) {
			return true
		}
	}
	return false
}

type separators struct{ decimal, group string }

// number is a number in parts, in ASCII digits.
type number struct {
	whole, fraction string
	unclear         bool // its one separator of groups could be a decimal one
}

func (n number) plain(negative bool) string {
	s := n.whole
	if s == "" {
		s = "0"
	}
	if n.fraction != "" {
		s += "." + n.fraction
	}
	if negative {
		s = "-" + s
	}
	return s
}

// readNumber reads digits and separators. Groups must be where the locale has them, or of three; a space may stand for the
// separator, because it can be nothing else.
func (y *layout) readNumber(text string, s separators) (n number, ok bool) {
	var digits []byte
	var groups []int // where each begins
	var separator string
	zero, decimal := rune(-1), -1
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		value, of, digit := digitOf(r, y.digits)
		switch {
		case digit && (zero < 0 || zero == of):
			zero = of
			digits = append(digits, '0'+byte(value))
		case digit:
			return number{}, false
		case decimal < 0 && s.decimal != "" && strings.HasPrefix(text[i:], s.decimal):
			decimal, size = len(digits), len(s.decimal)
		case decimal < 0 && s.group != "" && strings.HasPrefix(text[i:], s.group):
			if separator != "" && separator != s.group {
				return number{}, false
			}
			separator, size = s.group, len(s.group)
			groups = append(groups, len(digits))
		case decimal < 0 && r == ' ':
			if separator != "" && separator != " " {
				return number{}, false
			}
			separator = " "
			groups = append(groups, len(digits))
		default:
			return number{}, false
		}
		i += size
	}
	if len(digits) == 0 || decimal == len(digits) {
		return number{}, false
	}
	n.whole = string(digits)
	if decimal >= 0 {
		n.whole, n.fraction = n.whole[:decimal], n.whole[decimal:]
	}
	if len(groups) > 0 {
		if n.whole == "" || n.whole[0] == '0' || !y.groupsFit(groups, len(n.whole)) {
			return number{}, false
		}
		n.unclear = len(groups) == 1 && decimal < 0 && (separator == "." || separator == "," || separator == "\u060c")
	}
	return n, true
}

// groupsFit checks where separators are in a whole number of some digits.
func (y *layout) groupsFit(at []int, digits int) bool {
	fit := func(primary, secondary int) bool {
		next := digits - primary
		for i := len(at) - 1; i >= 0; i-- {
			if at[i] != next || next <= 0 {
				return false
			}
			next -= secondary
		}
		return next <= 0 // no separator is missing
	}
	return fit(3, 3) || y.primary > 0 && fit(y.primary, y.secondary)
}

// digitOf returns the value of a decimal digit and the zero of its script. The layout's digits are among them, which for
// Chinese numerals Unicode does not call so.
func digitOf(r rune, own string) (value int, zero rune, ok bool) {
	if r >= '0' && r <= '9' {
		return int(r - '0'), '0', true
	}
	if i := strings.IndexRune(own, r); i >= 0 {
		first, width := utf8.DecodeRuneInString(own)
		return i / width, first, true
	}
	for _, t := range unicode.Nd.R16 {
		if lo, hi := rune(t.Lo), rune(t.Hi); r >= lo && r <= hi {
			return int(r-lo) % 10, r - (r-lo)%10, true
		}
	}
	for _, t := range unicode.Nd.R32 {
		if lo, hi := rune(t.Lo), rune(t.Hi); r >= lo && r <= hi {
			return int(r-lo) % 10, r - (r-lo)%10, true
		}
	}
	return 0, 0, false
}
