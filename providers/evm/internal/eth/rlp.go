package eth

import (
	"fmt"
	"math/big"
)

// List is an RLP list. Its items are []byte, *big.Int, uint64 or List; after Decode they are []byte or List.
type List []any

// Encode writes a list in RLP. Numbers are big-endian without leading zeros, as RLP wants them. An item of another type
// is a mistake of the caller's and is left out of no message: it panics.
func (l List) Encode() []byte {
	var body []byte
	for _, item := range l {
		switch v := item.(type) {
		case []byte:
			body = append(body, encodeBytes(v)...)
		case *big.Int:
			body = append(body, encodeBytes(v.Bytes())...)
		case uint64:
			body = append(body, encodeBytes(new(big.Int).SetUint64(v).Bytes())...)
		case List:
			body = append(body, v.Encode()...)
		default:
			panic(fmt.Sprintf("eth: RLP has no form for %T", item))
		}
	}
	return append(header(0xc0, len(body)), body...)
}

func encodeBytes(b []byte) []byte {
	if len(b) == 1 && b[0] < 0x80 {
		return []byte{b[0]}
	}
	return append(header(0x80, len(b)), b...)
}

func header(offset byte, n int) []byte {
	if n <= 55 {
		return []byte{offset + byte(n)} //nolint:gosec // at most 55
	}
	length := big.NewInt(int64(n)).Bytes()
	return append([]byte{offset + 55 + byte(len(length))}, length...) //nolint:gosec // at most 8 bytes of length
}

// maxDepth is how deep lists may nest: far deeper than any transaction, so that hostile bytes do not exhaust the stack.
const maxDepth = 16

// Decode reads one RLP list and nothing after it. Only the shortest encoding is accepted.
func Decode(b []byte) (List, error) {
	item, rest, err := decode(b, maxDepth)
	if err != nil {
		return nil, err
	}
	l, ok := item.(List)
	if !ok || len(rest) > 0 {
		return nil, fmt.Errorf("%w: want one RLP list", ErrEncoding)
	}
	return l, nil
}

func decode(b []byte, depth int) (item any, rest []byte, err error) {
	if len(b) == 0 || depth == 0 {
		return nil, nil, fmt.Errorf("%w: RLP ends early or nests too deep", ErrEncoding)
	}
	first := b[0]
	if first < 0x80 {
		return b[:1], b[1:], nil
	}
	offset := byte(0x80)
	if first >= 0xc0 {
		offset = 0xc0
	}
	body, rest, err := split(b, offset)
	if err != nil {
		return nil, nil, err
	}
	if offset == 0x80 {
		if len(body) == 1 && body[0] < 0x80 {
			return nil, nil, fmt.Errorf("%w: RLP in a longer form than need be", ErrEncoding)
		}
		return body, rest, nil
	}
	l := List{}
	for len(body) > 0 {
		if item, body, err = decode(body, depth-1); err != nil {
			return nil, nil, err
		}
		l = append(l, item)
	}
	return l, rest, nil
}

// split takes the header off and returns what it covers and what follows.
func split(b []byte, offset byte) (body, rest []byte, err error) {
	n := uint64(b[0] - offset)
	b = b[1:]
	if n > 55 {
		size := int(n - 55) //nolint:gosec // at most 8
		if size > len(b) || b[0] == 0 {
			return nil, nil, fmt.Errorf("%w: RLP length", ErrEncoding)
		}
		n = new(big.Int).SetBytes(b[:size]).Uint64()
		if b = b[size:]; n <= 55 {
			return nil, nil, fmt.Errorf("%w: RLP in a longer form than need be", ErrEncoding)
		}
	}
	if n > uint64(len(b)) {
		return nil, nil, fmt.Errorf("%w: RLP ends early", ErrEncoding)
	}
	return b[:n], b[n:], nil
}

// number reads an item as a number of at most 256 bits.
func number(item any) (*big.Int, error) {
	b, ok := item.([]byte)
	if !ok || len(b) > 32 || len(b) > 0 && b[0] == 0 {
		return nil, fmt.Errorf("%w: not a number", ErrEncoding)
	}
	return new(big.Int).SetBytes(b), nil
}
