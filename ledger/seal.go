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
