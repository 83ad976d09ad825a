package hdkey

import (
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Public is an extended public key. It is immutable and safe for concurrent use.
type Public struct {
	node
	key [33]byte // compressed; always a point of the curve
}

// ParsePublic reads an extended public key: xpub or tpub, and zpub or vpub as wallets write those of P2WPKH accounts. Everything
// else, an extended private key among it, is ErrKey.
func ParsePublic(xpub string) (*Public, error) {
	n, key, err := parse(xpub, func(public, _ uint32) uint32 { return public })
	if err != nil {
		return nil, err
	}
	if _, err := secp256k1.ParsePubKey(key); err != nil {
		return nil, fmt.Errorf("%w: its key is no point of the curve", ErrKey)
	}
	return &Public{node: n, key: [33]byte(key)}, nil
}

// Child returns the child at an index below Hardened; for another one, and 255 levels down, it returns ErrChild.
func (p *Public) Child(index uint32) (*Public, error) {
	if index >= Hardened {
		return nil, fmt.Errorf("%w: a hardened one takes the private key", ErrChild)
	}
	n, tweak, err := p.child(p.key[:], p.key, index)
	if err != nil {
		return nil, err
	}
	parent, err := secp256k1.ParsePubKey(p.key[:])
	if err != nil {
		return nil, fmt.Errorf("%w: the zero Public has none", ErrChild)
	}
	var sum, point, step secp256k1.JacobianPoint
	parent.AsJacobian(&point)
	secp256k1.ScalarBaseMultNonConst(tweak, &step)
	secp256k1.AddNonConst(&step, &point, &sum)
	if (sum.X.IsZero() && sum.Y.IsZero()) || sum.Z.IsZero() {
		return nil, fmt.Errorf("%w: index %d yields no key", ErrChild, index)
	}
	sum.ToAffine()
	key := secp256k1.NewPublicKey(&sum.X, &sum.Y).SerializeCompressed()
	return &Public{node: n, key: [33]byte(key)}, nil
}

// Bytes returns the compressed SEC 1 encoding of the key.
func (p *Public) Bytes() [33]byte { return p.key }

// String returns the extended public key in the form that it was read in; of a key made from a seed as xpub.
func (p *Public) String() string { return checkEncode(p.serialize(p.version, p.key[:])) }
