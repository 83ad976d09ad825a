package payments_test

import (
	"fmt"
	"strings"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// sample is a text with a name for people.
type sample struct{ name, text string }

var huge = strings.Repeat("x", 1<<20)

// controls are all control characters, C0, DEL and C1.
func controls() (all []sample) {
	for r := range rune(0xa0) {
		if r < 0x20 || r >= 0x7f {
			all = append(all, sample{fmt.Sprintf("control %U", r), "a" + string(r) + "b"})
		}
	}
	return all
}

// invisible are characters that change what a reader sees without being seen: direction (Unicode's Bidi_Control), lines,
// what a byte-order mark or an annotation hides, tags outside a flag, and what is no character at all.
func invisible() (all []sample) {
	for _, r := range []rune{
		0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
		0x2028, 0x2029, 0xfeff, 0xfff9, 0xfffa, 0xfffb, 0xe0001, 0xfdd0, 0xfffe, 0xffff, 0x10ffff,
	} {
		all = append(all, sample{fmt.Sprintf("%U", r), "pay " + string(r) + "bob"})
	}
	return all
}

func badUTF8() []sample {
	return []sample{
		{"a stray byte", "a\xffb"},
		{"a stray continuation", "a\x80"},
		{"an overlong NUL", "a\xc0\x80"},
		{"an overlong slash", "a\xc0\xaf"},
		{"half a surrogate pair", "a\xed\xa0\x80"},
		{"beyond Unicode", "a\xf4\x90\x80\x80"},
		{"cut short", "a\xe2\x82"},
	}
}

// cardNumbers are public test numbers, as people type them.
func cardNumbers() []sample {
	return []sample{
		{"Visa", "4242424242424242"},
		{"Visa in groups", "my card is 4242 4242 4242 4242, thanks"},
		{"Visa with dashes", "4242-4242-4242-4242"},
		{"Visa with wide gaps", "4242 - 4242 - 4242 - 4242"},
		{"Mastercard", "5555555555554444"},
		{"Mastercard of the 2 series", "2223003122003222"},
		{"American Express", "378282246310005"},
		{"American Express in groups", "3782 822463 10005"},
		{"Discover", "6011111111111117"},
		{"JCB", "3566002020360505"},
		{"Diners", "30569309025904"},
		{"UnionPay", "6200000000000005"},
		{"full-width digits", "４２４２４２４２４２４２４２４２"},
		{"Arabic digits", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"},
		{"with zero-width joiners", "4242\u200d4242\u200d4242\u200d4242"},
		{"in words", "pan=4242424242424242;cvv=123"},
	}
}

func texts(all ...[]sample) (joined []sample) {
	for _, a := range all {
		joined = append(joined, a...)
	}
	return joined
}

func badTexts() (rows []bad) {
	text := func(s sample, is error) bad {
		return bad{name: s.name, put: func(_ *world, f *form) { f.text = s.text }, is: is, class: payments.ErrInvalid}
	}
	for _, s := range texts(controls(), invisible(), badUTF8(), []sample{
		{"one byte too long", strings.Repeat("x", ledger.MaxTextBytes+1)},
		{"one character too long", strings.Repeat("ü", ledger.MaxTextBytes/2+1)},
		{"a megabyte", huge},
	}) {
		rows = append(rows, text(s, ledger.ErrInvalid))
	}
	for _, s := range cardNumbers() {
		rows = append(rows, text(s, payments.ErrCardNumber))
	}
	return rows
}

// badReferences are the host's own ids. They may have any digits.
func badReferences() (rows []bad) {
	for _, s := range texts(invisible(), badUTF8(), []sample{
		{"NUL", "post\x00"},
		{"a line feed", "post\n1"},
		{"an escape sequence", "post\x1b[2J"},
		{"one byte too long", strings.Repeat("x", ledger.MaxNameBytes+1)},
		{"a megabyte", huge},
	}) {
		rows = append(rows, bad{name: s.name, put: func(_ *world, f *form) { f.reference = s.text }, is: ledger.ErrInvalid, class: payments.ErrInvalid})
	}
	return rows
}

// badTravelRules are bad in the same ways.
func badTravelRules() []bad {
	rows := badReferences()
	for i, row := range rows {
		rows[i].put = func(w *world, f *form) {
			of := *f
			row.put(w, &of)
			f.travel = of.reference
		}
	}
	return rows
}

// lookalikes are texts that a reader takes for alice, and a machine does not.
func lookalikes() []sample {
	return []sample{
		{"a Cyrillic a", "аlice"},
		{"a Cyrillic c and e", "aliсе"},
		{"a Latin alpha", "ɑlice"},
		{"a dotless i", "alıce"},
		{"full-width", "ａｌｉｃｅ"},
		{"mathematical", "𝒶𝓁𝒾𝒸ℯ"},
		{"a ligature", "ﬁona"},
		{"with an accent after it", "alice\u0301"},
		{"with a soft hyphen", "ali\u00adce"},
		{"with a zero-width space", "ali\u200bce"},
		{"with a zero-width joiner", "alice\u200d"},
		{"with a word joiner", "\u2060alice"},
		{"backwards", "\u202eecila"},
		{"with an Arabic digit", "alice٠"},
		{"with a no-break space", "alice\u00a0"},
	}
}

// badNames could be no segment of an account's path.
func badNames() []sample {
	return texts(lookalikes(), badUTF8(), []sample{
		{"a space after it", "alice "},
		{"a space before it", " alice"},
		{"a slash", "alice/x"},
		{"a slash after it", "alice/"},
		{"a path upwards", "../bob"},
		{"a dot", "."},
		{"two dots", ".."},
		{"a backslash", `alice\x`},
		{"a percent sign", "alice%2fx"},
		{"a wildcard", "alic*"},
		{"a quote", "alice'--"},
		{"markup", "<b>alice</b>"},
		{"an emoji", "alice🙂"},
		{"NUL", "alice\x00"},
		{"a line feed", "alice\n"},
		{"101 bytes", strings.Repeat("a", 101)},
		{"a megabyte", huge},
	})
}

func badMembers() (rows []bad) {
	for _, s := range badNames() {
		rows = append(rows, bad{name: s.name, put: func(_ *world, f *form) { f.member = s.text }, is: ledger.ErrInvalid, class: payments.ErrInvalid})
	}
	return rows
}

// badTokens are one-time tokens that no provider gave.
func badTokens() (rows []bad) {
	for _, s := range texts(invisible(), badUTF8(), lookalikes(), controls(), []sample{
		{"empty", ""},
		{"one byte too long", strings.Repeat("x", ledger.MaxNameBytes+1)},
		{"a megabyte", huge},
		{"a space before it", " tok_card"},
		{"a line feed after it", "tok_card\n"},
	}) {
		rows = append(rows, bad{name: s.name, put: func(_ *world, f *form) { f.token = s.text }, is: ledger.ErrInvalid, class: payments.ErrInvalid})
	}
	for _, s := range cardNumbers() {
		rows = append(rows, bad{name: s.name, put: func(_ *world, f *form) { f.token = s.text }, is: payments.ErrCardNumber, class: payments.ErrInvalid})
	}
	return rows
}

func badMethods() (rows []bad) {
	method := func(s sample, is error) {
		rows = append(rows, bad{name: s.name, put: func(_ *world, f *form) { f.method = providers.Method(s.text) }, is: is, class: payments.ErrInvalid})
	}
	for _, s := range texts(invisible(), badUTF8(), []sample{{"empty", ""}, {"NUL", "card\x00"}, {"a megabyte", huge}}) {
		method(s, ledger.ErrInvalid)
	}
	method(sample{"unknown", "pigeon"}, payments.ErrUnsupported)
	method(sample{"upper case", "Card"}, payments.ErrUnsupported)
	method(sample{"Cyrillic", "саrd"}, payments.ErrUnsupported)
	return append(rows, bad{name: "an unknown provider", put: func(_ *world, f *form) { f.provider = "nobody" }, is: payments.ErrUnsupported, class: payments.ErrInvalid})
}
