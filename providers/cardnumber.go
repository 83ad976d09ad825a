package providers

import (
	"strings"
	"unicode"
)

// LooksLikeCardNumber tells whether a free text contains what is very probably a card number: whole groups of digits, next to
// each other or with spaces and dashes between them, that together have a major network's prefix and length and a right
// check digit (ISO/IEC 7812-1, Luhn). Digits of every script count, full-width ones included.
//
// All three are asked for because the check digit alone is right for one number in ten: it would refuse one tip in ten
// whose note quotes a post's id. A number inside a longer run of digits is not looked for, for the same reason.
func LooksLikeCardNumber(s string) bool {
	groups := digitGroups(s)
	for i := range groups {
		digits := ""
		for j := i; j < len(groups); j++ {
			if j > i && !groups[j].joined {
				break
			}
			digits += groups[j].digits
			if len(digits) > maxCardDigits {
				break
			}
			if isCardDigits(digits) {
				return true
			}
		}
	}
	return false
}

const (
	minCardDigits = 13
	maxCardDigits = 19
	// maxSeparators is how many spaces and dashes may stand between two groups of one number: "4242 - 4242".
	maxSeparators = 3
)

// network is an issuer identification range: prefixes from low to high, of the same number of digits, and the lengths its
// card numbers have.
type network struct {
	low, high string
	lengths   []int
}

// networks holds the ranges that major networks publish. Where two share one (Discover, RuPay and UnionPay), either fits.
var networks = []network{
	{"4", "4", []int{13, 16, 19}},                       // Visa
	{"51", "55", []int{16}},                             // Mastercard
	{"2221", "2720", []int{16}},                         // Mastercard
	{"34", "34", []int{15}},                             // American Express
	{"37", "37", []int{15}},                             // American Express
	{"6011", "6011", []int{16, 17, 18, 19}},             // Discover
	{"644", "659", []int{16, 17, 18, 19}},               // Discover
	{"300", "305", []int{14}},                           // Diners Club
	{"309", "309", []int{14}},                           // Diners Club
	{"36", "36", []int{14}},                             // Diners Club
	{"38", "39", []int{14}},                             // Diners Club
	{"3528", "3589", []int{16, 17, 18, 19}},             // JCB
	{"62", "62", []int{16, 17, 18, 19}},                 // UnionPay
	{"5018", "5018", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"5020", "5020", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"5038", "5038", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"5893", "5893", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"6304", "6304", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"6759", "6759", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"6761", "6763", []int{13, 14, 15, 16, 17, 18, 19}}, // Maestro
	{"60", "60", []int{16}},                             // RuPay
	{"81", "82", []int{16}},                             // RuPay; 81 also UnionPay
	{"508", "508", []int{16}},                           // RuPay
	{"353", "353", []int{16}},                           // RuPay with JCB
	{"356", "356", []int{16}},                           // RuPay with JCB
}

// isCardNumber tells whether s is a card number and nothing else.
func isCardNumber(s string) bool {
	if strings.ContainsFunc(s, unicode.IsLetter) {
		return false
	}
	digits := ""
	for _, g := range digitGroups(s) {
		if digits += g.digits; len(digits) > maxCardDigits {
			return false
		}
	}
	return isCardDigits(digits)
}

func isCardDigits(digits string) bool {
	if len(digits) < minCardDigits || len(digits) > maxCardDigits {
		return false
	}
	for _, n := range networks {
		if p := digits[:len(n.low)]; p < n.low || p > n.high {
			continue
		}
		for _, l := range n.lengths {
			if l == len(digits) {
				return luhn(digits)
			}
		}
	}
	return false
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// digitGroup is a run of digits; joined says that only separators stand between it and the group before.
type digitGroup struct {
	digits string
	joined bool
}

func digitGroups(s string) []digitGroup {
	var groups []digitGroup
	var run []byte
	separators, broken := 0, true
	flush := func() {
		if len(run) > 0 {
			groups = append(groups, digitGroup{string(run), !broken && separators <= maxSeparators})
			run, separators, broken = run[:0], 0, false
		}
	}
	for _, r := range s {
		if d, ok := digitOf(r); ok {
			run = append(run, d)
			continue
		}
		if unicode.Is(unicode.Cf, r) {
			continue // zero-width characters hide a number from the filter, not from a reader
		}
		flush()
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '−' {
			separators++
		} else {
			broken = true
		}
	}
	flush()
	return groups
}

// digitOf returns the ASCII digit of a decimal digit in any script.
func digitOf(r rune) (byte, bool) {
	const ascii = "0123456789"
	if r < 0x80 {
		if r < '0' || r > '9' {
			return 0, false
		}
		return ascii[r-'0'], true
	}
	if !unicode.IsDigit(r) {
		return 0, false
	}
	// Unicode encodes the ten digits of a script next to each other, so their value is the distance to the first.
	n := 0
	for n < 9 && unicode.IsDigit(r-1) && !zeroDigit(r) {
		r--
		n++
	}
	return ascii[n], true
}

// zeroDigit tells whether r begins a ten inside a longer range; only the mathematical alphanumerics hold several tens in one.
func zeroDigit(r rune) bool {
	const mathFirst, mathLast = 0x1D7CE, 0x1D7FF
	return r >= mathFirst && r <= mathLast && (r-mathFirst)%10 == 0
}
