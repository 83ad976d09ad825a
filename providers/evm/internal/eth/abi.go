package eth

import (
	"bytes"
	"math/big"
)

// The functions and the event of ERC-20 that a payment needs, by the hash of their signatures.
var (
	selectorTransfer  = selector("transfer(address,uint256)")
	selectorBalanceOf = selector("balanceOf(address)")
	// TopicTransfer is topic 0 of the event Transfer(address indexed from, address indexed to, uint256 value).
	TopicTransfer = Keccak([]byte("Transfer(address,address,uint256)"))
)

func selector(signature string) []byte {
	h := Keccak([]byte(signature))
	return h[:4]
}

// Transfer is the call data of transfer(to, value). The value has at most 256 bits.
func Transfer(to Address, value *big.Int) []byte {
	return append(append(bytes.Clone(selectorTransfer), word(to[:])...), word(value.Bytes())...)
}

// BalanceOf is the call data of balanceOf(owner).
func BalanceOf(owner Address) []byte {
	return append(bytes.Clone(selectorBalanceOf), word(owner[:])...)
}

// word pads to 32 bytes on the left.
func word(b []byte) []byte {
	w := make([]byte, 32)
	copy(w[32-len(b):], b)
	return w
}

// ParseTransfer reads the call data of a transfer.
func ParseTransfer(data []byte) (to Address, value *big.Int, ok bool) {
	if len(data) != 68 || !bytes.Equal(data[:4], selectorTransfer) {
		return to, nil, false
	}
	to, ok = topicAddress(Hash(data[4:36]))
	return to, new(big.Int).SetBytes(data[36:]), ok
}

// ParseBalanceOf reads the call data of a balanceOf.
func ParseBalanceOf(data []byte) (owner Address, ok bool) {
	if len(data) != 36 || !bytes.Equal(data[:4], selectorBalanceOf) {
		return owner, false
	}
	return topicAddress(Hash(data[4:]))
}

// Topic is an address as a topic of an event.
func Topic(a Address) (h Hash) {
	copy(h[12:], a[:])
	return h
}

func topicAddress(h Hash) (a Address, ok bool) {
	copy(a[:], h[12:])
	return a, Topic(a) == h
}

// ParseTransferLog reads a Transfer event of ERC-20. That of ERC-721 has the same topic 0, but its token id as a fourth topic; it
// is no transfer of money, and neither is anything else that does not look exactly as ERC-20 has it.
func ParseTransferLog(topics []Hash, data []byte) (from, to Address, value *big.Int, ok bool) {
	if len(topics) != 3 || topics[0] != TopicTransfer || len(data) != 32 {
		return from, to, nil, false
	}
	from, okFrom := topicAddress(topics[1])
	to, okTo := topicAddress(topics[2])
	return from, to, new(big.Int).SetBytes(data), okFrom && okTo
}
