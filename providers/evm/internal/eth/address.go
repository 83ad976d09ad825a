// Package eth is the little of Ethereum's encodings that a payments adapter needs: addresses, RLP, transactions of type 2
// and the calls of an ERC-20 token.
package eth

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/sha3"
)

// Errors of this package.
var (
	// ErrAddress: a text is no address, or its EIP-55 checksum is wrong.
	ErrAddress = errors.New("eth: not an address")
	// ErrEncoding: bytes are not what they should encode.
	ErrEncoding = errors.New("eth: malformed encoding")
	// ErrSignature: a signature was not made by the key.
	ErrSignature = errors.New("eth: the signature was not made by this key")
)

// Address is an account: the last 20 bytes of the Keccak-256 hash of a public key.
type Address [20]byte

// Hash is a Keccak-256 hash.
type Hash [32]byte

// Keccak hashes the concatenation of its arguments with Keccak-256, as Ethereum does (which is not SHA3-256).
func Keccak(parts ...[]byte) (h Hash) {
	d := sha3.NewLegacyKeccak256()
	for _, p := range parts {
		_, _ = d.Write(p) // a hash never fails
	}
	d.Sum(h[:0])
	return h
}

// ParseAddress reads 0x and 40 hexadecimal digits. Letters all of one case carry no checksum; of both cases they must be
// the checksum of EIP-55.
func ParseAddress(s string) (a Address, err error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 2*len(a) {
		return a, fmt.Errorf("%w: want 0x and 40 hexadecimal digits", ErrAddress)
	}
	if _, err := hex.Decode(a[:], []byte(digits)); err != nil {
		return Address{}, fmt.Errorf("%w: want 0x and 40 hexadecimal digits", ErrAddress)
	}
	plain := digits == strings.ToLower(digits) || digits == strings.ToUpper(digits)
	if !plain && s != a.String() {
		return Address{}, fmt.Errorf("%w: the checksum is wrong", ErrAddress)
	}
	return a, nil
}

// String returns the address with its EIP-55 checksum.
func (a Address) String() string {
	digits := []byte(hex.EncodeToString(a[:]))
	sum := Keccak(digits)
	for i, c := range digits {
		nibble := sum[i/2] >> (4 * (1 - i%2)) & 0xf
		if c >= 'a' && nibble >= 8 {
			digits[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(digits)
}

// Lower returns the address without a checksum, as nodes and CAIP-19 write it.
func (a Address) Lower() string { return "0x" + hex.EncodeToString(a[:]) }

// MarshalText writes the address as nodes do.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.Lower()), nil }

// UnmarshalText reads an address.
func (a *Address) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAddress(string(text))
	return err
}

// String returns the hash in hexadecimal.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText writes the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 0x and 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	if !ok || len(digits) != 2*len(h) {
		return fmt.Errorf("%w: want a hash of 32 bytes", ErrEncoding)
	}
	if _, err := hex.Decode(h[:], []byte(digits)); err != nil {
		return fmt.Errorf("%w: want a hash of 32 bytes", ErrEncoding)
	}
	return nil
}
