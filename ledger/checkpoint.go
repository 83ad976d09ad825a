package ledger

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Checkpoint is the state of a book's seal at one moment: small enough to be kept elsewhere, printed or published. Whoever
// has it can tell later, with [Book.Verify], whether anything that was sealed by then has been altered, by the people who
// run the store included. It is JSON, or one line of text (see [Checkpoint.String] and [ParseCheckpoint]).
type Checkpoint struct {
	Book      string    `json:"book"`
	Block     uint64    `json:"block"`    // 0 when nothing was sealed yet
	Position  uint64    `json:"position"` // the last of the feed that is sealed
	Hash      Hash      `json:"hash"`     // of the block
	SealedAt  time.Time `json:"sealed_at,omitzero"`
	Signature []byte    `json:"signature,omitempty"` // see [Checkpoint.Sign]
}

// Checkpoint returns the state of the seal now, unsigned. What was recorded last may not be sealed yet: [Book.NumberFeed]
// does that, or [Book.Run] within moments.
func (b *Book) Checkpoint(ctx context.Context) (Checkpoint, error) {
	last, err := b.lastBlock(ctx)
	if err != nil {
		return Checkpoint{}, err
	}
	return Checkpoint{Book: b.name, Block: last.Number, Position: last.Last, Hash: last.Hash, SealedAt: last.SealedAt}, nil
}

const checkpointForm = "kosh-checkpoint-1"

// String returns the checkpoint as one line of text: kosh-checkpoint-1, the book as a Go string literal, block, position,
// time in RFC 3339 or a minus sign, hash, and when it is signed the signature in base64, with single spaces between them.
func (c Checkpoint) String() string {
	line := c.unsigned()
	if len(c.Signature) > 0 {
		line += " " + base64.StdEncoding.EncodeToString(c.Signature)
	}
	return line
}

// unsigned is the line without the signature: what is signed.
func (c Checkpoint) unsigned() string {
	at := "-"
	if !c.SealedAt.IsZero() {
		at = c.SealedAt.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%s %s %d %d %s %s", checkpointForm, strconv.Quote(c.Book), c.Block, c.Position, at, c.Hash)
}

// ParseCheckpoint reads what String writes, and nothing else: other text is ErrDamaged. It does not verify the signature.
func ParseCheckpoint(line string) (Checkpoint, error) {
	c, ok := parseCheckpoint(line)
	if !ok || c.String() != line {
		return Checkpoint{}, refuse(ErrDamaged, "no checkpoint: "+clip(line)).in("checkpoint")
	}
	return c, nil
}

func parseCheckpoint(line string) (c Checkpoint, ok bool) {
	rest, ok := strings.CutPrefix(line, checkpointForm+" ")
	if !ok {
		return c, false
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return c, false
	}
	if c.Book, err = strconv.Unquote(quoted); err != nil {
		return c, false
	}
	words := strings.Split(strings.TrimPrefix(rest[len(quoted):], " "), " ")
	if len(words) < 4 || len(words) > 5 {
		return c, false
	}
	if c.Block, err = strconv.ParseUint(words[0], 10, 64); err != nil {
		return c, false
	}
	if c.Position, err = strconv.ParseUint(words[1], 10, 64); err != nil {
		return c, false
	}
	if words[2] != "-" {
		if c.SealedAt, err = time.Parse(time.RFC3339Nano, words[2]); err != nil {
			return c, false
		}
		c.SealedAt = c.SealedAt.UTC()
	}
	if err = c.Hash.UnmarshalText([]byte(words[3])); err != nil {
		return c, false
	}
	if len(words) == 5 {
		if c.Signature, err = base64.StdEncoding.Strict().DecodeString(words[4]); err != nil {
			return c, false
		}
	}
	return c, true
}

// Sign returns the checkpoint with a signature over everything else in it. The signer's key is Ed25519, or ECDSA on any
// curve (ASN.1 over the SHA-256); it may be in a key service. Another kind of key is ErrInvalid.
func (c Checkpoint) Sign(s crypto.Signer) (Checkpoint, error) {
	message := []byte(c.unsigned())
	var err error
	switch s.Public().(type) {
	case ed25519.PublicKey:
		c.Signature, err = s.Sign(rand.Reader, message, crypto.Hash(0))
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		c.Signature, err = s.Sign(rand.Reader, sum[:], crypto.SHA256)
	default:
		return c, invalid("signer", fmt.Sprintf("a checkpoint is signed with Ed25519 or ECDSA, not with a %T", s.Public()))
	}
	if err != nil {
		return c, fmt.Errorf("ledger: sign a checkpoint: %w", err)
	}
	return c, nil
}

// Verify checks the signature. One that is missing, of another key, or of other contents is ErrDamaged; a key that is
// neither Ed25519 nor ECDSA is ErrInvalid. It says who made the checkpoint; whether the book still agrees with it is for
// [Book.Verify] to find out.
func (c Checkpoint) Verify(key crypto.PublicKey) error {
	message := []byte(c.unsigned())
	good := false
	switch key := key.(type) {
	case ed25519.PublicKey:
		good = len(key) == ed25519.PublicKeySize && ed25519.Verify(key, message, c.Signature)
	case *ecdsa.PublicKey:
		sum := sha256.Sum256(message)
		good = key != nil && ecdsa.VerifyASN1(key, sum[:], c.Signature)
	default:
		return invalid("key", fmt.Sprintf("a checkpoint is signed with Ed25519 or ECDSA, not with a %T", key))
	}
	if !good {
		return refuse(ErrDamaged, "the signature is not of this key and this checkpoint").in("signature")
	}
	return nil
}
