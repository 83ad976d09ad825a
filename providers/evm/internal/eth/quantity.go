package eth

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Quantity is a number as JSON-RPC writes it: 0x and hexadecimal digits without leading zeros.
type Quantity struct{ big.Int }

// NewQuantity makes a quantity.
func NewQuantity(n *big.Int) *Quantity {
	q := new(Quantity)
	q.Set(n)
	return q
}

// MarshalText writes the quantity.
func (q *Quantity) MarshalText() ([]byte, error) { return []byte("0x" + q.Text(16)), nil }

// MarshalJSON writes the quantity as a string, which big.Int alone would not.
func (q *Quantity) MarshalJSON() ([]byte, error) { return []byte(`"0x` + q.Text(16) + `"`), nil }

// UnmarshalJSON reads a quantity of at most 256 bits; null is zero.
func (q *Quantity) UnmarshalJSON(b []byte) error {
	text := string(b)
	if text == "null" {
		return nil
	}
	unquoted, err := strconv.Unquote(text)
	digits, ok := strings.CutPrefix(unquoted, "0x")
	if err != nil || !ok || digits == "" || len(digits) > 64 {
		return fmt.Errorf("%w: not a quantity", ErrEncoding)
	}
	n, ok := new(big.Int).SetString(digits, 16)
	if !ok || n.Sign() < 0 || strings.ContainsAny(digits, "+-_") {
		return fmt.Errorf("%w: not a quantity", ErrEncoding)
	}
	q.Set(n)
	return nil
}

// Uint64 is a number that fits 64 bits, as JSON-RPC writes it.
type Uint64 uint64

// MarshalText writes the number.
func (u Uint64) MarshalText() ([]byte, error) {
	return []byte("0x" + strconv.FormatUint(uint64(u), 16)), nil
}

// UnmarshalText reads the number.
func (u *Uint64) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	n, err := strconv.ParseUint(digits, 16, 64)
	if !ok || err != nil {
		return fmt.Errorf("%w: not a quantity of 64 bits", ErrEncoding)
	}
	*u = Uint64(n)
	return nil
}

// Data is bytes as JSON-RPC writes them.
type Data []byte

// MarshalText writes 0x and two hexadecimal digits a byte.
func (d Data) MarshalText() ([]byte, error) { return []byte("0x" + hex.EncodeToString(d)), nil }

// UnmarshalText reads bytes.
func (d *Data) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return fmt.Errorf("%w: not hexadecimal bytes", ErrEncoding)
	}
	*d = b
	return nil
}
