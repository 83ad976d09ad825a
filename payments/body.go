package payments

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
)

// body writes a document's body as JSON, or reads one, without reflection: a payment is written and read many times in its
// life. One walk over the fields serves both directions, so that they cannot differ, and what it writes is byte for byte
// what encoding/json writes.
//
// Only what is exactly as the walk would have written it is read: every field in its place, no white space. All else, such
// as what a newer program wrote, is left to encoding/json, so that nothing is ever understood in another way than there.
//
// A field has its name with what stands before it, `,"member":`, and an optional one is left out when it is empty.
type body struct {
	reading bool
	out     []byte // what is written
	in      []byte // what is read
	text    string // the same; texts are cut from it
	at      int    // what of it is read
	failed  bool
}

// writeBody returns what the walk writes; false when it cannot.
func writeBody(walk func(*body)) (json.RawMessage, bool) {
	b := body{out: make([]byte, 0, 1024)}
	walk(&b)
	return b.out, !b.failed
}

// readBody lets the walk read; false when the text is not what it would have written, and then what it has read means nothing.
func readBody(in []byte, walk func(*body)) bool {
	b := body{reading: true, in: in, text: string(in)}
	walk(&b)
	return !b.failed && b.at == len(in)
}

// rest is what is not read yet.
func (b *body) rest() string {
	if b.failed {
		return ""
	}
	return b.text[b.at:]
}

// token is a text that is always there.
func (b *body) token(s string) {
	switch {
	case !b.reading:
		b.out = append(b.out, s...)
	case strings.HasPrefix(b.rest(), s):
		b.at += len(s)
	default:
		b.failed = true
	}
}

// begins is the name of an optional field; it tells whether the value follows.
func (b *body) begins(name string, empty bool) bool {
	if !b.reading && !empty {
		b.out = append(b.out, name...)
		return true
	}
	if b.reading && strings.HasPrefix(b.rest(), name) {
		b.at += len(name)
		return true
	}
	return false
}

// text is a field that is a text, of whatever type.
func text[S ~string](b *body, name string, v *S) {
	b.token(name)
	if b.reading {
		*v = S(b.readText())
	} else {
		b.writeText(string(*v))
	}
}

func optionalText[S ~string](b *body, name string, v *S) {
	if b.begins(name, *v == "") {
		text(b, "", v)
	}
}

func (b *body) writeText(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			raw, err := json.Marshal(s)
			b.out, b.failed = append(b.out, raw...), b.failed || err != nil
			return
		}
	}
	b.out = append(append(append(b.out, '"'), s...), '"')
}

func (b *body) readText() string {
	b.token(`"`)
	from, escaped, ascii := b.at, false, true
	for rest, i := b.rest(), 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			b.at += i + 1
			return b.unescaped(from, escaped, ascii)
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			i = len(rest)
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	b.failed = true
	return ""
}

// unescaped is the text that was just read and begins after the quote.
func (b *body) unescaped(from int, escaped, ascii bool) string {
	s := b.text[from : b.at-1]
	if escaped || !ascii && !utf8.ValidString(s) {
		return b.decoded(from)
	}
	return s
}

func (b *body) decoded(from int) (s string) {
	b.failed = b.failed || json.Unmarshal(b.in[from-1:b.at], &s) != nil
	return s
}

// flag is an optional field that is there when it is true.
func (b *body) flag(name string, v *bool) {
	if b.begins(name, !*v) {
		b.token("true")
		*v = true
	}
}

// count is an optional field that is a whole number.
func (b *body) count(name string, v *int) {
	if !b.begins(name, *v == 0) {
		return
	}
	if !b.reading {
		b.out = strconv.AppendInt(b.out, int64(*v), 10)
		return
	}
	digits := b.rest()
	if end := strings.IndexAny(digits, ",}"); end >= 0 {
		digits = digits[:end]
	}
	n, err := strconv.Atoi(digits)
	if err != nil || strconv.Itoa(n) != digits { // such as +1 or 01, which are no JSON
		b.failed = true
		return
	}
	*v = n
	b.at += len(digits)
}

// span reads up to the first end, which is included.
func (b *body) span(end byte) []byte {
	n := strings.IndexByte(b.rest(), end)
	if n < 0 {
		b.failed = true
		return nil
	}
	from := b.at
	b.at += n + 1
	return b.in[from:b.at]
}

// amount is a field that is an amount.
func (b *body) amount(name string, v *currency.Amount) {
	b.token(name)
	switch {
	case !b.reading && v.IsValid():
		b.token(`{"amount":"`)
		text, err := v.AppendText(b.out) // the number, a space, the asset
		asset := v.AssetID()             // whose characters need no escape
		b.out, b.failed = text[:len(text)-len(asset)-1], b.failed || err != nil
		b.token(`","asset":"`)
		b.token(string(asset))
		b.token(`"}`)
	case !b.reading:
		b.token("null")
	case strings.HasPrefix(b.rest(), "null"):
		b.token("null")
		*v = currency.Amount{}
	default:
		b.failed = v.UnmarshalJSON(b.span('}')) != nil || b.failed
	}
}

func (b *body) optionalAmount(name string, v *currency.Amount) {
	if b.begins(name, !v.IsValid()) {
		b.amount("", v)
	}
}

// rate is an optional field that is a rate, whose assets need no escape either.
func (b *body) rate(name string, v *currency.Rate) {
	if !b.begins(name, !v.IsValid()) {
		return
	}
	if b.reading {
		b.failed = v.UnmarshalJSON(b.span('}')) != nil || b.failed
		return
	}
	text, err := v.MarshalJSON()
	b.out, b.failed = append(b.out, text...), b.failed || err != nil
}

// moment is an optional field that is a time.
func (b *body) moment(name string, v *time.Time) {
	if !b.begins(name, v.IsZero()) {
		return
	}
	b.token(`"`)
	var err error
	if b.reading {
		quoted := b.span('"')
		err = v.UnmarshalText(quoted[:max(len(quoted)-1, 0)])
	} else {
		b.out, err = v.AppendText(b.out)
		b.token(`"`)
	}
	b.failed = b.failed || err != nil
}

// id is an optional field that is a UUID.
func (b *body) id(name string, v *uuid.UUID) {
	if !b.begins(name, *v == uuid.Nil) {
		return
	}
	if !b.reading {
		b.writeText(v.String())
		return
	}
	var err error
	*v, err = uuid.Parse(b.readText())
	b.failed = b.failed || err != nil
}

// list is an optional field that is an array.
func list[T any](b *body, name string, all *[]T, element func(*body, *T)) {
	if !b.begins(name, len(*all) == 0) {
		return
	}
	b.token("[")
	for i := 0; b.more(i, len(*all)); i++ {
		if b.reading {
			*all = append(*all, *new(T))
		}
		element(b, &(*all)[i])
	}
	b.token("]")
}

// more tells whether there is another element or field after i of them, of n when writing.
func (b *body) more(i, n int) bool {
	if b.failed || !b.reading && i == n || b.reading && i > 0 && !strings.HasPrefix(b.rest(), ",") {
		return false
	}
	if i > 0 {
		b.token(",")
	}
	return true
}

func texts(b *body, s *string) { text(b, "", s) }

// amounts is an optional field that is an object of amounts, by name in order.
func (b *body) amounts(name string, all *map[string]currency.Amount) {
	if !b.begins(name, len(*all) == 0) {
		return
	}
	b.token("{")
	names := slices.Sorted(maps.Keys(*all))
	if b.reading {
		*all = map[string]currency.Amount{}
	}
	for i := 0; b.more(i, len(names)); i++ {
		var key string
		if !b.reading {
			key = names[i]
		}
		text(b, "", &key)
		a := (*all)[key]
		b.amount(":", &a)
		if b.reading {
			(*all)[key] = a
		}
	}
	b.token("}")
}
