package hdkey

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"golang.org/x/crypto/ripemd160" //nolint:staticcheck,gosec // SA1019, G507: BIP-32 fingerprints are made with it, and secure nothing
)

// versions pairs the leading bytes of public and private extended keys. SLIP-132 gave the second pair of each network to
// accounts whose addresses are P2WPKH; the keys are the same.
var versions = []struct{ public, private uint32 }{
	{0x0488b21e, 0x0488ade4}, // xpub, xprv
	{0x043587cf, 0x04358394}, // tpub, tprv
	{0x04b24746, 0x04b2430c}, // zpub, zprv
	{0x045f1cf6, 0x045f18bc}, // vpub, vprv
}

// node is what public and private extended keys have in common.
type node struct {
	version uint32 // of the public form
	depth   uint8
	parent  [4]byte // fingerprint of the parent's public key; zero of a master key
	index   uint32
	chain   [32]byte
}

const serializedSize = 78

// serialize writes the node and its key (33 bytes) as BIP-32 says, without checksum.
func (n node) serialize(version uint32, key []byte) []byte {
	b := make([]byte, 0, serializedSize)
	b = binary.BigEndian.AppendUint32(b, version)
	b = append(b, n.depth)
	b = append(b, n.parent[:]...)
	b = binary.BigEndian.AppendUint32(b, n.index)
	b = append(b, n.chain[:]...)
	return append(b, key...)
}

// parse reads an extended key whose kind has these version bytes, and returns the node and the key's 33 bytes.
func parse(s string, isKind func(public, private uint32) uint32) (n node, key []byte, err error) {
	b, err := checkDecode(s, serializedSize)
	if err != nil {
		return n, nil, err
	}
	version := binary.BigEndian.Uint32(b)
	for _, v := range versions {
		if isKind(v.public, v.private) == version {
			n.version = v.public
		}
	}
	if n.version == 0 {
		return n, nil, fmt.Errorf("%w: it begins with other version bytes", ErrKey)
	}
	n.depth, n.index = b[4], binary.BigEndian.Uint32(b[9:])
	copy(n.parent[:], b[5:])
	copy(n.chain[:], b[13:])
	if n.depth == 0 && (n.parent != [4]byte{} || n.index != 0) {
		return n, nil, fmt.Errorf("%w: a master key has neither parent nor index", ErrKey)
	}
	return n, b[45:], nil
}

// child returns the child's node and the number by which its key differs from its parent's. data is what BIP-32 hashes
// of the parent's key; public is the parent's public key.
func (n node) child(data []byte, public [33]byte, index uint32) (node, *secp256k1.ModNScalar, error) {
	if n.depth == maxDepth {
		return n, nil, fmt.Errorf("%w: the parent's depth is %d", ErrChild, maxDepth)
	}
	mac := hmac.New(sha512.New, n.chain[:])
	mac.Write(data)
	mac.Write(binary.BigEndian.AppendUint32(nil, index))
	sum := mac.Sum(nil)
	var tweak secp256k1.ModNScalar
	if tweak.SetByteSlice(sum[:32]) {
		return n, nil, fmt.Errorf("%w: index %d yields no key", ErrChild, index)
	}
	c := node{version: n.version, depth: n.depth + 1, index: index}
	copy(c.parent[:], fingerprint(public))
	copy(c.chain[:], sum[32:])
	return c, &tweak, nil
}

func fingerprint(public [33]byte) []byte {
	sum := sha256.Sum256(public[:])
	h := ripemd160.New() //nolint:gosec // G406: as above
	h.Write(sum[:])
	return h.Sum(nil)[:4]
}
