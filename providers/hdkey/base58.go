package hdkey

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// alphabet is Bitcoin's: no 0, O, I and l, which people confuse.
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// checkEncode is Base58Check: the payload, whose first byte is not 0, and four bytes of checksum, in base 58.
func checkEncode(payload []byte) string {
	data := append(bytes.Clone(payload), checksum(payload)...)
	var digits []byte // base 58, the least significant first
	for _, b := range data {
		carry := int(b)
		for i, d := range digits {
			carry += int(d) << 8
			digits[i] = byte(carry % 58) //nolint:gosec // below 58
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	slices.Reverse(digits)
	for i, d := range digits {
		digits[i] = alphabet[d]
	}
	return string(digits)
}

// checkDecode returns the payload of size bytes, or ErrKey.
func checkDecode(s string, size int) ([]byte, error) {
	if len(s) > 2*size { // base 58 needs 1.37 digits a byte; the cap keeps the loops short
		return nil, fmt.Errorf("%w: it is too long", ErrKey)
	}
	var data []byte // the least significant first
	for i := range len(s) {
		carry := strings.IndexByte(alphabet, s[i])
		if carry < 0 {
			return nil, fmt.Errorf("%w: character %d is not of base 58", ErrKey, i)
		}
		for j, b := range data {
			carry += int(b) * 58
			data[j] = byte(carry) //nolint:gosec // the low byte
			carry >>= 8
		}
		for ; carry > 0; carry >>= 8 {
			data = append(data, byte(carry)) //nolint:gosec // the low byte
		}
	}
	for i := 0; i < len(s) && s[i] == alphabet[0]; i++ {
		data = append(data, 0)
	}
	slices.Reverse(data)
	if len(data) != size+checksumSize {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrKey, len(data))
	}
	payload, sum := data[:size], data[size:]
	if !bytes.Equal(sum, checksum(payload)) {
		return nil, fmt.Errorf("%w: its checksum is wrong", ErrKey)
	}
	return payload, nil
}

const checksumSize = 4

func checksum(payload []byte) []byte {
	once := sha256.Sum256(payload)
	twice := sha256.Sum256(once[:])
	return twice[:checksumSize]
}
