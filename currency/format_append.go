package currency

// append writes units in the manner of the layout.
func (y *layout) append(b []byte, units int128) []byte {
	m, scale := y.round(units)
	var space [maxDigits]byte
	digits := space[m.digits(&space):]
	if m.isZero() {
		digits = nil
	}
	whole := max(len(digits)-scale, 0)
	a := y.affixes(units.hi < 0, m.isZero())
	b = append(b, a.before...)
	b = y.appendWhole(b, digits[:whole])
	b = y.appendFraction(b, digits[whole:], scale)
	return append(b, a.after...)
}

// round returns the magnitude to show and its scale.
func (y *layout) round(units int128) (uint128, int) {
	m, scale := units.abs(), y.scale
	negative := units.hi < 0
	if !y.step.isZero() {
		q, r := quoRem(m, y.step)
		if q, err := y.rounding.apply(q, compareHalf(r, y.step), negative); err == nil {
			if p, ok := q.mul(y.step).small(); ok {
				m = p
			}
		}
	}
	if y.maximum < scale {
		unit := pow10[scale-y.maximum]
		q, r := quoRem(m, unit)
		if q, err := y.rounding.apply(q, compareHalf(r, unit), negative); err == nil {
			return q, y.maximum
		}
	}
	return m, scale
}

func (y *layout) affixes(negative, zero bool) *affixes {
	switch {
	case y.sign == SignNever, zero && (y.sign == SignExceptZero || y.sign == SignNegative):
		return &y.positive
	case negative:
		return &y.negative
	case y.sign == SignAlways, y.sign == SignExceptZero:
		return &y.plus
	}
	return &y.positive
}

// appendWhole writes the digits before the decimal separator, at least one.
func (y *layout) appendWhole(b, digits []byte) []byte {
	if len(digits) == 0 {
		return y.appendDigit(b, '0')
	}
	if y.primary == 0 || len(digits) < y.primary+y.minGroup {
		return y.appendDigits(b, digits)
	}
	tail := len(digits) - y.primary
	head := (tail-1)%y.secondary + 1
	b = y.appendDigits(b, digits[:head])
	for ; head < tail; head += y.secondary {
		b = append(b, y.group...)
		b = y.appendDigits(b, digits[head:head+y.secondary])
	}
	b = append(b, y.group...)
	return y.appendDigits(b, digits[tail:])
}

// appendFraction writes what is after the separator; digits lack leading zeros.
func (y *layout) appendFraction(b, digits []byte, scale int) []byte {
	zeros := scale - len(digits)
	for len(digits) > 0 && zeros+len(digits) > y.minimum && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if len(digits) == 0 {
		zeros = y.minimum
	}
	if zeros+len(digits) == 0 {
		return b
	}
	b = append(b, y.decimal...)
	for range zeros {
		b = y.appendDigit(b, '0')
	}
	b = y.appendDigits(b, digits)
	for range y.minimum - zeros - len(digits) {
		b = y.appendDigit(b, '0')
	}
	return b
}

func (y *layout) appendDigits(b, digits []byte) []byte {
	if len(y.digits) == 10 { // Latin
		return append(b, digits...)
	}
	for _, c := range digits {
		b = y.appendDigit(b, c)
	}
	return b
}

func (y *layout) appendDigit(b []byte, c byte) []byte {
	width := len(y.digits) / 10
	i := int(c-'0') * width
	return append(b, y.digits[i:i+width]...)
}

func quoRem(m, d uint128) (q, r uint128) {
	p, r := m.mul(uint128{lo: 1}).div(d)
	q, _ = p.small()
	return q, r
}
