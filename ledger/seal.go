package ledger

import (
	"encoding/hex"
	"time"
)

// Hash is a SHA-256. Its text form is 64 lower-case hexadecimal digits.
type Hash [32]byte

// String returns the hexadecimal form.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText writes what String returns.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what MarshalText writes, and nothing else.
func (h *Hash) UnmarshalText(text []byte) error {
	var read Hash
	if n, err := hex.Decode(read[:], text[:min(len(text), 2*len(read))]); err != nil || n != len(read) || string(text) != read.String() {
		return invalid("hash", "64 lower-case hexadecimal digits")
	}
	*h = read
	return nil
}

// Block seals a stretch of the feed: its hash depends on every change from First to Last, on what each of them refers to,
// and through Previous on all blocks before. The sequencer writes it together with the changes that it numbers, so every
// position belongs to exactly one block.
//
// # What is hashed
//
// Byte for byte, so that anybody can check a seal with other code. A hash is SHA-256 over fields without separators:
//
//	number   unsigned varint (LEB128)
//	text     its length in bytes as a number, then its bytes
//	flag     one byte, 0 or 1
//	id       its 16 bytes
//	hash     its 32 bytes
//	time     a flag; then, when it is 1, the microseconds since 1970 UTC as a zigzag varint
//	amount   a flag; then, when it is 1, the asset's id as text and the count of smallest units as 16 bytes, two's
//	         complement, big-endian
//	list     its length as a number, then its members
//
// A version's content is the hash of
//
//	"kosh version 1" · kind · id · number · owner · state · due · lane · references (list) · schema · created · updated ·
//	whether there was a body · the body's hash (zero without one)
//
// so a body can be erased while its hash stays. A change's digest is the hash of
//
//	"kosh change 1" · entry (id) · key · recorded · kind (number) · account (path, asset) · transaction (id) · hold (id) ·
//	document (kind, id) · version · state · amount
//
// and of what it refers to:
//
//	account, version 1   type (number) · owner · floor · ceiling · opened · asset (id, code, name, scale, kind as numbers)
//	account, later       floor · ceiling · debits frozen · credits frozen · closed
//	transaction          key · recorded · effective · note · reverses (id) · imported · postings (list of path, asset,
//	                     side as a number, amount)
//	hold                 key · path · asset · amount · placed · expires · note
//	document             the version's content (hash)
//	erasure              the version's content (hash) · erased at · reason · digest
//
// where a note is reference · description · meta (list of key, value, by key). The amounts, sides and versions of an
// account's lines follow from these; [Book.Verify] compares.
//
// A block's hash is the hash of
//
//	"kosh block 1" · book (text) · number · first · last · sealed (time) · previous (hash) · the digests in order
//
// Positions are in no digest: the block's first position and the order give them.
type Block struct {
	Number   uint64    `json:"number"` // 1 for the first, gap-free
	First    uint64    `json:"first"`  // position of the first change
	Last     uint64    `json:"last"`
	SealedAt time.Time `json:"sealed_at"`
	Previous Hash      `json:"previous"` // the hash of the block before; zero of the first
	Hash     Hash      `json:"hash"`
	// Marks has the first eight bytes of each change's digest, so that [Book.Verify] can tell which change was altered and
	// not only that one was. They prove nothing by themselves: the hash does.
	Marks []byte `json:"marks"`
}
