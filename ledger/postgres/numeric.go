package postgres

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/koshpay/kosh/currency"
)

// A numeric on the wire is a count of digits to the base of 10,000, the weight of the first one, a sign, a number of decimals
// that are shown, and the digits.
const (
	numericHeader   = 8
	numericNegative = 0x4000
	base            = 10_000
)

// appendNumeric writes an amount's smallest units.
func appendNumeric(b []byte, a currency.Amount) []byte {
	high, lo := a.Units()
	hi := uint64(high) //nolint:gosec // two's complement
	sign := uint16(0)
	if high < 0 {
		sign = numericNegative
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	var digits [10]uint16 // 39 decimal digits, the last first
	n := 0
	for hi|lo != 0 {
		var rest uint64
		hi, rest = hi/base, hi%base
		lo, rest = bits.Div64(rest, lo, base)
		digits[n] = uint16(rest) //nolint:gosec // below base
		n++
	}
	first := 0
	for first < n && digits[first] == 0 {
		first++
	}
	b = binary.BigEndian.AppendUint16(b, uint16(n-first)) //nolint:gosec // at most 10
	b = binary.BigEndian.AppendUint16(b, uint16(max(n-1, 0)))
	b = binary.BigEndian.AppendUint16(b, sign)
	b = binary.BigEndian.AppendUint16(b, 0)
	for i := n - 1; i >= first; i-- {
		b = binary.BigEndian.AppendUint16(b, digits[i])
	}
	return b
}

// numeric is an amount to be read, and what it is read from.
type numeric struct {
	to *currency.Amount
	b  []byte
}

// readNumerics reads amounts of one asset.
func readNumerics(asset *currency.Definition, all ...numeric) (err error) {
	for _, n := range all {
		if *n.to, err = readNumeric(n.b, asset); err != nil {
			return err
		}
	}
	return nil
}

// readNumeric reads smallest units; null is Amount{}.
func readNumeric(b []byte, asset *currency.Definition) (currency.Amount, error) {
	if b == nil {
		return currency.Amount{}, nil
	}
	if len(b) < numericHeader || len(b) != numericHeader+2*int(binary.BigEndian.Uint16(b)) {
		return currency.Amount{}, fmt.Errorf("%w: a numeric of %d bytes", errCorrupt, len(b))
	}
	n, weight := int(binary.BigEndian.Uint16(b)), int(int16(binary.BigEndian.Uint16(b[2:]))) //nolint:gosec // the bits
	sign := binary.BigEndian.Uint16(b[4:])
	if sign&^numericNegative != 0 || n > weight+1 || weight > 9 {
		return currency.Amount{}, fmt.Errorf("%w: a numeric that is no whole number of units", errCorrupt)
	}
	var hi, lo uint64
	for i := range weight + 1 {
		digit := uint64(0)
		if i < n {
			digit = uint64(binary.BigEndian.Uint16(b[numericHeader+2*i:]))
		}
		over, high := bits.Mul64(hi, base)
		carry, low := bits.Mul64(lo, base)
		low, c := bits.Add64(low, digit, 0)
		high, c = bits.Add64(high, carry, c)
		if over|c != 0 || high>>63 != 0 {
			return currency.Amount{}, fmt.Errorf("%w: a numeric beyond 128 bits", errCorrupt)
		}
		hi, lo = high, low
	}
	if n == 0 {
		hi, lo = 0, 0
	}
	if sign == numericNegative {
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	a, err := currency.FromUnits(int64(hi), lo, asset)
	if err != nil {
		return a, fmt.Errorf("%w: %w", errCorrupt, err)
	}
	return a, nil
}
