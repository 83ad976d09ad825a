package eth

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// txType is the type byte of EIP-1559.
const txType = 2

// Tx is a transaction of type 2 (EIP-1559). Amounts and prices are in wei.
type Tx struct {
	ChainID uint64
	Nonce   uint64
	Tip     *big.Int // maxPriorityFeePerGas
	MaxFee  *big.Int // maxFeePerGas
	Gas     uint64   // limit
	To      Address
	Value   *big.Int
	Data    []byte
}

func (t Tx) fields() List {
	return List{t.ChainID, t.Nonce, t.Tip, t.MaxFee, t.Gas, t.To[:], t.Value, t.Data, List{}}
}

// Digest is what is signed.
func (t Tx) Digest() Hash { return Keccak([]byte{txType}, t.fields().Encode()) }

// Signed is a transaction with its signature, as nodes take it.
type Signed struct {
	Tx
	From Address
	Hash Hash
	Raw  []byte
}

// Sign joins a transaction with a signature of its digest: r and s, 32 bytes each. A high s is replaced by the low one
// (EIP-2), which signs the same. The signature must be by the compressed public key, or it is ErrSignature.
func (t Tx) Sign(signature, publicKey []byte) (Signed, error) {
	key, err := secp256k1.ParsePubKey(publicKey)
	if err != nil {
		return Signed{}, fmt.Errorf("%w: the public key cannot be read", ErrSignature)
	}
	if len(signature) != 64 {
		return Signed{}, fmt.Errorf("%w: %d bytes, want 64", ErrSignature, len(signature))
	}
	var s secp256k1.ModNScalar
	if s.SetByteSlice(signature[32:]) {
		return Signed{}, fmt.Errorf("%w: s is out of range", ErrSignature)
	}
	if s.IsOverHalfOrder() {
		s.Negate()
	}
	low := s.Bytes()
	compact := append(append([]byte{0}, signature[:32]...), low[:]...)
	digest := t.Digest()
	for parity := range byte(2) {
		compact[0] = 27 + parity
		found, _, err := ecdsa.RecoverCompact(compact, digest[:])
		if err == nil && found.IsEqual(key) {
			return t.join(parity, compact[1:33], compact[33:], AddressOf(key)), nil
		}
	}
	return Signed{}, ErrSignature
}

func (t Tx) join(parity byte, r, s []byte, from Address) Signed {
	l := append(t.fields(), uint64(parity), new(big.Int).SetBytes(r), new(big.Int).SetBytes(s))
	raw := append([]byte{txType}, l.Encode()...)
	return Signed{Tx: t, From: from, Hash: Keccak(raw), Raw: raw}
}

// AddressOf is the address of a public key.
func AddressOf(key *secp256k1.PublicKey) (a Address) {
	h := Keccak(key.SerializeUncompressed()[1:])
	copy(a[:], h[12:])
	return a
}

// AddressOfCompressed is the address of a public key in its compressed SEC 1 form, 33 bytes.
func AddressOfCompressed(publicKey []byte) (Address, error) {
	key, err := secp256k1.ParsePubKey(publicKey)
	if err != nil || len(publicKey) != secp256k1.PubKeyBytesLenCompressed {
		return Address{}, fmt.Errorf("%w: not a compressed public key", ErrEncoding)
	}
	return AddressOf(key), nil
}

// DecodeTx reads a signed transaction of type 2 and finds its sender. Other types, transactions that make a contract, access
// lists and a high s are ErrEncoding.
func DecodeTx(raw []byte) (Signed, error) {
	if len(raw) == 0 || raw[0] != txType {
		return Signed{}, fmt.Errorf("%w: not a transaction of type 2", ErrEncoding)
	}
	l, err := Decode(raw[1:])
	if err != nil {
		return Signed{}, err
	}
	if len(l) != 12 {
		return Signed{}, fmt.Errorf("%w: %d fields, want 12", ErrEncoding, len(l))
	}
	numbers := make([]*big.Int, len(l))
	for _, i := range []int{0, 1, 2, 3, 4, 6, 9, 10, 11} {
		if numbers[i], err = number(l[i]); err != nil {
			return Signed{}, err
		}
	}
	to, _ := l[5].([]byte)
	data, isBytes := l[7].([]byte)
	access, isList := l[8].(List)
	small := numbers[0].IsUint64() && numbers[1].IsUint64() && numbers[4].IsUint64()
	if len(to) != len(Address{}) || !isBytes || !isList || len(access) > 0 || !small || !numbers[9].IsUint64() || numbers[9].Uint64() > 1 {
		return Signed{}, fmt.Errorf("%w: fields", ErrEncoding)
	}
	t := Tx{
		ChainID: numbers[0].Uint64(), Nonce: numbers[1].Uint64(), Tip: numbers[2], MaxFee: numbers[3], Gas: numbers[4].Uint64(),
		To: Address(to), Value: numbers[6], Data: bytes.Clone(data),
	}
	compact := make([]byte, 65)
	compact[0] = 27 + byte(numbers[9].Uint64()) //nolint:gosec // 0 or 1
	numbers[10].FillBytes(compact[1:33])
	numbers[11].FillBytes(compact[33:])
	var s secp256k1.ModNScalar
	if s.SetByteSlice(compact[33:]) || s.IsOverHalfOrder() {
		return Signed{}, fmt.Errorf("%w: s is high", ErrEncoding)
	}
	digest := t.Digest()
	key, _, err := ecdsa.RecoverCompact(compact, digest[:])
	if err != nil {
		return Signed{}, fmt.Errorf("%w: no key made this signature", ErrSignature)
	}
	return Signed{Tx: t, From: AddressOf(key), Hash: Keccak(raw), Raw: bytes.Clone(raw)}, nil
}
