package hdkey

import (
	"crypto/hmac"
	"crypto/sha512"
	"fmt"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Private is an extended private key, from NewMaster or ParsePrivate. It is immutable and safe for concurrent use. Nothing prints
// it: not package fmt, log or slog, not JSON, and there is no method that writes it down.
type Private struct {
	// open returns the key. A function, because package fmt calls no Format of fields that are not exported and for verbs that do
	// not fit a type, and then follows pointers.
	open func() *secret
}

type secret struct {
	node
	key secp256k1.PrivateKey
}

func hide(s *secret) *Private { return &Private{open: func() *secret { return s }} }

// NewMaster makes the master key of a seed of 16 to 64 bytes, which must come from a good source of randomness.
func NewMaster(seed []byte) (*Private, error) {
	if len(seed) < 16 || len(seed) > 64 {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrSeed, len(seed))
	}
	mac := hmac.New(sha512.New, []byte("Bitcoin seed"))
	mac.Write(seed)
	sum := mac.Sum(nil)
	s := &secret{node: node{version: versions[0].public}}
	if s.key.Key.SetByteSlice(sum[:32]) || s.key.Key.IsZero() {
		return nil, fmt.Errorf("%w: it yields no key", ErrSeed)
	}
	copy(s.chain[:], sum[32:])
	return hide(s), nil
}

// ParsePrivate reads an extended private key: xprv, tprv, zprv or vprv. Everything else is ErrKey.
func ParsePrivate(xprv string) (*Private, error) {
	n, key, err := parse(xprv, func(_, private uint32) uint32 { return private })
	if err != nil {
		return nil, err
	}
	s := &secret{node: n}
	if key[0] != 0 || s.key.Key.SetByteSlice(key[1:]) || s.key.Key.IsZero() {
		return nil, fmt.Errorf("%w: its key is not between 1 and the order of the curve", ErrKey)
	}
	return hide(s), nil
}

// Derive returns the key at a path below this one, which the path calls m.
func (p *Private) Derive(path string) (*Private, error) {
	indexes, err := ParsePath(path)
	if err != nil {
		return nil, err
	}
	s := p.open()
	for _, i := range indexes {
		if s, err = s.derive(i); err != nil {
			return nil, err
		}
	}
	return hide(s), nil
}

func (s *secret) derive(index uint32) (*secret, error) {
	public := s.public()
	data := public[:]
	if index >= Hardened {
		data = append([]byte{0}, s.key.Serialize()...)
	}
	n, tweak, err := s.child(data, public, index)
	if err != nil {
		return nil, err
	}
	c := &secret{node: n}
	c.key.Key.Add2(&s.key.Key, tweak)
	if c.key.Key.IsZero() {
		return nil, fmt.Errorf("%w: index %d yields no key", ErrChild, index)
	}
	return c, nil
}

func (s *secret) public() [33]byte { return [33]byte(s.key.PubKey().SerializeCompressed()) }

// Public returns the extended public key.
func (p *Private) Public() *Public {
	s := p.open()
	return &Public{node: s.node, key: s.public()}
}

// PublicKey returns the compressed SEC 1 encoding of the public key.
func (p *Private) PublicKey() [33]byte { return p.open().public() }

// Sign returns r and s of the ECDSA signature of a digest, 32 bytes each, big-endian. It is deterministic (RFC 6979), and s is in the
// lower half, as Bitcoin and Ethereum ask for.
func (p *Private) Sign(digest [32]byte) [64]byte {
	signature := ecdsa.Sign(&p.open().key, digest[:])
	r, s := signature.R(), signature.S()
	var b [64]byte
	r.PutBytesUnchecked(b[:32])
	s.PutBytesUnchecked(b[32:])
	return b
}

// Format writes the same text whatever the verb: a key in a log is a key lost.
func (Private) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "hdkey.Private(hidden)") }
