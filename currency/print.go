package currency

import (
	"fmt"
	"log/slog"
	"strconv"
)

// Format implements [fmt.Formatter], for logs and tests:
//
//	%v %s  the text form, 1234.56 USD
//	%q     the text form in quotes
//	%f     the number, 1234.56
//	%d     the smallest units, 123456
//	%#v    currency.Amount(1234.56 USD)
//
// The flags + and - and a width work as for numbers and strings; a precision
// is refused, because printing never rounds. For people use the function
// [Format].
func (a Amount) Format(f fmt.State, verb rune) {
	var space [64]byte
	b := space[:0]
	_, precise := f.Precision()
	if precise {
		b = fmt.Appendf(b, "%%!%c(currency.Amount does not round)", verb)
		_, _ = f.Write(b)
		return
	}
	if f.Flag('+') && a.def != nil && a.units.hi >= 0 && verb != 'q' {
		b = append(b, '+')
	}
	switch verb {
	case 'v', 's':
		if verb == 'v' && f.Flag('#') {
			b = append(append(append(space[:0], "currency.Amount("...), a.String()...), ')')
		} else {
			b = append(b, a.String()...)
		}
	case 'q':
		b = strconv.AppendQuote(b, a.String())
	case 'f', 'F':
		b = append(b, a.Number()...)
	case 'd':
		b = appendNumber(b, a.units, 0)
	default:
		b = fmt.Appendf(space[:0], "%%!%c(currency.Amount=%s)", verb, a.String())
	}
	width, _ := f.Width()
	if !f.Flag('-') {
		b = pad(b, width, 0)
	}
	_, _ = f.Write(pad(b, width, len(b)))
}

// pad inserts spaces at an index until b is width long. Everything an amount
// prints is ASCII.
func pad(b []byte, width, at int) []byte {
	n := width - len(b)
	if n <= 0 {
		return b
	}
	out := make([]byte, 0, width)
	out = append(out, b[:at]...)
	for range n {
		out = append(out, ' ')
	}
	return append(out, b[at:]...)
}

// LogValue implements [slog.LogValuer]: the text form.
func (a Amount) LogValue() slog.Value { return slog.StringValue(a.String()) }
