package providers_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/koshpay/kosh/providers"
)

// testNumbers are the numbers that networks and gateways publish for tests.
var testNumbers = map[string]string{
	"Visa":                "4242424242424242",
	"Visa 2":              "4111111111111111",
	"Visa 13":             "4222222222222",
	"Visa 19":             withCheckDigit("400000000000000000"),
	"Mastercard":          "5555555555554444",
	"Mastercard debit":    "5105105105105100",
	"Mastercard 2-series": "2223003122003222",
	"Mastercard 2720":     "2720990000000007",
	"American Express":    "378282246310005",
	"American Express 34": "341111111111111",
	"Discover":            "6011111111111117",
	"Discover 65":         withCheckDigit("650000000000000"),
	"Diners Club":         "30569309025904",
	"Diners Club 36":      "36227206271667",
	"JCB":                 "3566002020360505",
	"UnionPay":            "6200000000000005",
	"UnionPay 19":         "6205500000000000004",
	"Maestro":             "6304000000000000",
	"Maestro 13":          withCheckDigit("501800000000"),
	"RuPay":               withCheckDigit("607400000000000"),
	"RuPay 81":            withCheckDigit("817200000000000"),
}

// withCheckDigit is an independent Luhn: it tries all ten.
func withCheckDigit(digits string) string {
	for c := '0'; ; c++ {
		sum := 0
		all := digits + string(c)
		for i, r := range all {
			d := int(r - '0')
			if (len(all)-i)%2 == 0 {
				d = []int{0, 2, 4, 6, 8, 1, 3, 5, 7, 9}[d]
			}
			sum += d
		}
		if sum%10 == 0 {
			return all
		}
	}
}

func grouped(s, separator string) string {
	var parts []string
	for len(s) > 4 {
		parts, s = append(parts, s[:4]), s[4:]
	}
	return strings.Join(append(parts, s), separator)
}

func TestLooksLikeCardNumber(t *testing.T) {
	fullWidth := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r - '0' + '０'
			}
			return r
		}, s)
	}
	for name, number := range testNumbers {
		for _, text := range []string{
			number, grouped(number, " "), grouped(number, "-"), grouped(number, " - "), grouped(number, "\u00a0"),
			grouped(number, "–"), fullWidth(number), fullWidth(grouped(number, "　")), grouped(number, "\u200b"),
			"pay with " + number + ", please", "card:" + grouped(number, " ") + " 12/34 123", "n°" + number + "!",
			"call 1 800 555 0100 or " + grouped(number, " "), strings.Map(func(r rune) rune {
				if r >= '0' && r <= '9' {
					return r - '0' + '०' // Devanagari
				}
				return r
			}, number),
		} {
			assert.True(t, providers.LooksLikeCardNumber(text), "%s: %q", name, text)
		}
		wrong := number[:len(number)-1] + string('0'+(number[len(number)-1]-'0'+1)%10)
		assert.False(t, providers.LooksLikeCardNumber(wrong), "%s with a wrong check digit", name)
	}
	for _, text := range []string{
		"", "no digits", "12/34", "+1 (800) 555-0100", "2026-01-01 00:00:00",
		"0000000000000000",                      // Luhn and length, but nobody's prefix
		"4242424242424",                         // 13 digits, wrong check digit
		"42424242424242424242424242424242",      // longer than any card
		"a4242" + "b4242c4242d4242",             // not next to each other
		"4242\n\n\n\n4242 4242 4242",            // too far apart
		"0x4111111111111111111111111111111111a", // an address, a longer run
		withCheckDigit("1790000000000000000")[:19],
	} {
		assert.False(t, providers.LooksLikeCardNumber(text), "%q", text)
	}
}

func TestPostIDsAreNotCards(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	// Snowflakes of the large networks: 41 bits of milliseconds since an epoch, 22 bits of machine and sequence. With 19 digits
	// they start with 1, and no card does.
	epoch := time.Date(2010, 11, 4, 1, 42, 54, 657e6, time.UTC)
	for range 20_000 {
		at := time.Date(2018, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rng.Int64N(int64(8 * 365 * 24 * time.Hour))))
		id := at.Sub(epoch).Milliseconds()<<22 | rng.Int64N(1<<22)
		assert.False(t, providers.LooksLikeCardNumber(fmt.Sprint(id)), id)
	}
	// Ids drawn from all 19-digit numbers: the check digit alone would refuse one in ten.
	matches := 0
	for range 100_000 {
		if providers.LooksLikeCardNumber(fmt.Sprintf("see /p/%d", 1e18+rng.Int64N(8e18))) {
			matches++
		}
	}
	assert.Less(t, matches, 2_000, "of 100,000")
}

// Every decimal digit of Unicode must be read as its value: the trick with neighbours must hold for all of them.
func TestDigitsOfEveryScript(t *testing.T) {
	for _, r16 := range unicode.Nd.R16 {
		assertTen(t, rune(r16.Lo), rune(r16.Hi), rune(r16.Stride))
	}
	for _, r32 := range unicode.Nd.R32 {
		assertTen(t, rune(r32.Lo), rune(r32.Hi), rune(r32.Stride))
	}
}

func assertTen(t *testing.T, low, high, stride rune) {
	t.Helper()
	if stride != 1 || (high-low+1)%10 != 0 {
		t.Fatalf("digits %U to %U are not whole tens", low, high)
	}
	for zero := low; zero < high; zero += 10 {
		text := strings.Map(func(r rune) rune { return zero + r - '0' }, "4242424242424242")
		assert.True(t, providers.LooksLikeCardNumber(text), "%U", zero)
	}
}

func FuzzLooksLikeCardNumber(f *testing.F) {
	for _, number := range testNumbers {
		f.Add("x " + grouped(number, "-"))
	}
	f.Fuzz(func(t *testing.T, s string) {
		// The oracle: no letters or far gaps in between, so a text of ASCII digits alone is a card exactly if it is one
		// of the tables' and passes an independent check.
		if strings.Trim(s, "0123456789") != "" || len(s) < 2 {
			_ = providers.LooksLikeCardNumber(s)
			return
		}
		if providers.LooksLikeCardNumber(s) && (len(s) < 13 || len(s) > 19 || withCheckDigit(s[:len(s)-1]) != s) {
			t.Fatalf("%q is not a card number", s)
		}
	})
}
