package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// The commonest entry, whose only command is a Post and which stands for itself, keeps of its inputs no more than a digest:
// the transaction that it made says the rest, should somebody use the key for something else. Under a decline there
// is no transaction, so its inputs are kept whole.

// postMark begins the digest, which is JSON too: a string. It is 128 bits of a SHA-256: it need not withstand more than
// mistakes, because who finds two transfers with one digest has found how to be told of the first when asking for the second.
const postMark = `"post:`

func isPostDigest(inputs []byte) bool { return bytes.HasPrefix(inputs, []byte(postMark)) }

// postDigestBytes is how long a digest is: 16 bytes in base64 and the quotes.
const postDigestBytes = len(postMark) + 22 + 1

// appendDigest appends the digest of a post.
func (c *Post) appendDigest(inputs []byte) []byte {
	digest := c.digest()
	inputs = base64.RawURLEncoding.AppendEncode(append(inputs, postMark...), digest[:])
	return append(inputs, '"')
}

func (c *Post) digest() (digest [16]byte) {
	var space [512]byte
	b := append(space[:0], c.ID[:]...)
	b = appendTime(b, c.EffectiveAt)
	b = append(b, 0)
	if c.Fact {
		b[len(b)-1] = 1
	}
	b = binary.AppendUvarint(b, uint64(len(c.Postings)))
	for i := range c.Postings {
		p := &c.Postings[i]
		hi, lo := p.Amount.Units()
		b = appendText(appendText(b, p.Account.Path), string(p.Account.Asset))
		b = append(b, byte(p.Side))
		b = binary.LittleEndian.AppendUint64(b, uint64(hi)) //nolint:gosec // the bits
		b = binary.LittleEndian.AppendUint64(b, lo)
	}
	b = appendText(appendText(b, c.Reference), c.Description)
	for _, k := range sortedKeys(c.Meta) {
		b = appendText(appendText(b, k), c.Meta[k])
	}
	sum := sha256.Sum256(b)
	copy(digest[:], sum[:])
	return digest
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	return binary.LittleEndian.AppendUint64(b, uint64(t.UnixMicro()))
}

// fingerprint returns what the entry's key stands for, as KeyRow has it.
func (p *prepared) fingerprint() []byte {
	if p.inputs == nil && p.digested {
		p.inputs = p.post.appendDigest(make([]byte, 0, postDigestBytes))
	}
	return p.inputs
}

// whole returns the inputs of an entry as JSON that a difference can be found in.
func (p *prepared) whole() ([]byte, *Refusal) {
	if !p.digested {
		return p.inputs, nil // which may be the caller's own text that happens to look like a digest
	}
	return fingerprintCommands(p.list())
}

// wholeInputs returns the inputs of a key likewise. Those of a post come from its transaction; errUnread asks for it.
func (s *step) wholeInputs(row *KeyRow) ([]byte, error) {
	if !isPostDigest(row.Inputs) || len(row.Receipt.Results) != 1 || row.Receipt.Results[0].Transaction == (ID{}) {
		return row.Inputs, nil
	}
	id := row.Receipt.Results[0].Transaction
	t, exists, named := s.w.transactions.get(id)
	switch {
	case !named:
		s.w.missing.Transactions = append(s.w.missing.Transactions, id)
		return nil, errUnread
	case !exists:
		return nil, corrupt("the transaction of a key does not exist", nil)
	}
	inputs, r := fingerprintCommands([]Command{t.asked(row.Inputs)})
	if r != nil {
		return nil, r
	}
	return inputs, nil
}

// asked returns the post that made the transaction and has a digest. What a transaction does not say is tried: whether the
// caller gave its id and its time, and whether it was a fact.
func (t *Transaction) asked(digest []byte) Post {
	plain := Post{Postings: t.Postings, Note: t.Note}
	for _, id := range []ID{{}, t.ID} {
		for _, at := range []time.Time{{}, t.EffectiveAt} {
			for _, fact := range []bool{false, true} {
				c := plain
				c.ID, c.EffectiveAt, c.Fact = id, at, fact
				if bytes.Equal(c.appendDigest(nil), digest) {
					return c
				}
			}
		}
	}
	return plain
}
