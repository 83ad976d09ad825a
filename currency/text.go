package currency

// The text form is "1234.56 USD": the number with exactly the asset's decimals,
// a space, the ID. It reads back to the same amount, in any locale.

const (
	// maxNumberLen is a sign, 39 digits, a point and 30 decimals, and a few
	// leading zeros.
	maxNumberLen = 80
	maxTextLen   = maxNumberLen + 1 + maxAssetIDLen
	invalidText  = "<invalid amount>"
)

// Parse reads a plain number such as "1234.56" or "-0.5" in whole units of an
// asset. It takes ASCII digits with an optional leading minus and an optional
// point between digits: no plus sign, spaces, separators, exponent or symbol.
// More decimals than the asset has are [ErrPrecision], even zeros; anything
// else that does not read is [ErrSyntax]. It does not allocate.
func Parse(number string, a Asset) (Amount, error) {
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	return parseNumber("parse", number, d)
}

// MustParse is [Parse] for constants: it panics on an error.
func MustParse(number string, a Asset) Amount { return must(Parse(number, a)) }

// ParseText reads the text form, "1234.56 USD", with one space and the ID of a
// known asset; an unknown one is [ErrUnknownAsset].
func ParseText(text string) (Amount, error) { return parseText("parse text", text) }

// String returns the text form. It shows the ID and not the ticker, because
// tickers are not unique. For people use [Format].
func (a Amount) String() string {
	if a.def == nil {
		return invalidText
	}
	b, _ := a.AppendText(make([]byte, 0, 48))
	return string(b)
}

// Number returns the number alone, with exactly the asset's decimals:
// "1234.56", "-0.50". It is "" for Amount{}.
func (a Amount) Number() string {
	if a.def == nil {
		return ""
	}
	var space [48]byte
	return string(appendNumber(space[:0], a.units, a.def.info.Scale))
}

// AppendText implements [encoding.TextAppender]. Amount{} appends nothing.
func (a Amount) AppendText(b []byte) ([]byte, error) {
	if a.def == nil {
		return b, nil
	}
	id := a.def.info.ID
	var buf numberBuffer
	first := buf.write(a.units, a.def.info.Scale)
	if len(id) == 3 { // ISO 4217 fits in, and one append is quicker than three
		end := buf[numberEnd:]
		end[0], end[1], end[2], end[3] = ' ', id[0], id[1], id[2]
		return append(b, buf[first:]...), nil
	}
	b = append(b, buf[first:numberEnd]...)
	b = append(b, ' ')
	return append(b, id...), nil
}

// MarshalText implements [encoding.TextMarshaler]. Amount{} is empty text.
func (a Amount) MarshalText() ([]byte, error) {
	return a.AppendText(make([]byte, 0, 48))
}

// UnmarshalText implements [encoding.TextUnmarshaler]. Empty text is Amount{}.
// After an error the amount is as before.
func (a *Amount) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*a = Amount{}
		return nil
	}
	v, err := parseText("unmarshal text", text)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

func parseText[T string | []byte](op string, text T) (Amount, error) {
	if len(text) > maxTextLen {
		return Amount{}, inputError(op, string(text[:maxErrorInput+1]), ErrSyntax, "too long")
	}
	for i := range len(text) {
		if text[i] == ' ' {
			d, err := known(op, text[i+1:])
			if err != nil {
				return Amount{}, err
			}
			return parseNumber(op, text[:i], d)
		}
	}
	return Amount{}, inputError(op, string(text), ErrSyntax, "want a number, a space and an asset ID")
}

// known finds the definition for an ID in some input.
func known[T string | []byte](op string, id T) (*Definition, error) {
	if d := isoByCode[AssetID(id)]; d != nil { // no allocation, even from bytes
		return d, nil
	}
	if d, ok := Lookup(AssetID(id)); ok {
		return d, nil
	}
	if err := AssetID(id).Validate(); err != nil {
		return nil, inputError(op, string(id), ErrSyntax, "not an asset ID")
	}
	return nil, inputError(op, string(id), ErrUnknownAsset, "")
}

func parseNumber[T string | []byte](op string, s T, d *Definition) (Amount, error) {
	v, detail, fault := parseUnits(s, d.info.Scale)
	if fault != nil {
		return Amount{}, &Error{Op: op, Asset: d.info.ID, Input: clip(string(s)), Err: fault, Detail: detail}
	}
	return Amount{units: v, def: d}, nil
}

// parseUnits reads a number and scales it to smallest units. It returns what is
// wrong and a bare sentinel.
func parseUnits[T string | []byte](s T, scale uint8) (v int128, detail string, fault error) {
	if len(s) == 0 || len(s) > maxNumberLen {
		return v, "empty or too long", ErrSyntax
	}
	first := 0
	negative := s[0] == '-'
	if negative {
		first++
	}
	var m uint128
	var word uint64 // the digits since the last ones that went into m
	digits, point, fits := 0, -1, true
	for i := first; i < len(s); i++ {
		c := s[i] - '0' // what is below '0' becomes large
		if c > 9 {
			if s[i] != '.' || point >= 0 || i == first {
				return v, "want digits, as in 1234.56", ErrSyntax
			}
			point = i
			continue
		}
		word = word*10 + uint64(c)
		if digits++; digits == wordPow10 {
			m, fits = m.appendDigits(word, wordPow10, fits)
			word, digits = 0, 0
		}
	}
	decimals := 0
	if point >= 0 {
		decimals = len(s) - 1 - point
	}
	switch {
	case first == len(s) || point == len(s)-1:
		return v, "want digits, as in 1234.56", ErrSyntax
	case decimals > int(scale):
		return v, "", ErrPrecision
	}
	m, fits = m.appendDigits(word, uint(digits), fits)
	if fits && decimals < int(scale) {
		m, fits = m.mulPow10(uint(int(scale) - decimals))
	}
	if fits {
		v, fits = m.signed(negative)
	}
	if !fits {
		return v, "", ErrOverflow
	}
	return v, "", nil
}

// appendDigits returns a·10ⁿ+word and whether it still fits.
func (a uint128) appendDigits(word uint64, n uint, fits bool) (uint128, bool) {
	if a.isZero() {
		return uint128{lo: word}, fits
	}
	a, ok := a.mulPow10(n)
	if ok {
		a, ok = a.add(uint128{lo: word})
	}
	return a, ok && fits
}

// appendNumber writes units with the decimals of scale.
func appendNumber(b []byte, v int128, scale uint8) []byte {
	var buf numberBuffer
	first := buf.write(v, scale)
	return append(b, buf[first:numberEnd]...)
}

// numberEnd is where a number in a numberBuffer ends: it has space for the
// longest number, and for " USD" after it.
const numberEnd = maxDigits + len("-.")

type numberBuffer [numberEnd + len(" USD")]byte

// write writes a number before numberEnd and returns where it begins.
func (buf *numberBuffer) write(v int128, scale uint8) int {
	var first int
	if m := v.abs(); m.hi == 0 {
		first = buf.word(m.lo, scale)
	} else {
		first = buf.long(m, scale)
	}
	if v.hi < 0 {
		first--
		buf[first] = '-'
	}
	return first
}

// word writes a magnitude of one word, from the last decimal on.
func (buf *numberBuffer) word(m uint64, scale uint8) int {
	i := numberEnd
	if scale > 0 {
		for ; scale >= 2; scale -= 2 {
			i -= 2
			buf[i], buf[i+1] = pairs[m%100*2], pairs[m%100*2+1]
			m /= 100
		}
		if scale == 1 {
			i--
			buf[i] = byte('0' + m%10)
			m /= 10
		}
		i--
		buf[i] = '.'
	}
	for ; m >= 100; m /= 100 {
		i -= 2
		buf[i], buf[i+1] = pairs[m%100*2], pairs[m%100*2+1]
	}
	if m >= 10 {
		i -= 2
		buf[i], buf[i+1] = pairs[m*2], pairs[m*2+1]
		return i
	}
	i--
	buf[i] = byte('0' + m)
	return i
}

// long writes any magnitude: all the digits, and then room for the point.
func (buf *numberBuffer) long(m uint128, scale uint8) int {
	i := m.digits((*[maxDigits]byte)(buf[len("-."):numberEnd])) + len("-.")
	if scale == 0 {
		return i
	}
	point := numberEnd - 1 - int(scale)
	for i > point {
		i--
		buf[i] = '0'
	}
	copy(buf[i-1:], buf[i:point+1])
	buf[point] = '.'
	return i - 1
}
