package ledger

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// A cursor is base64url of: its version, eight bytes of a hash of the query that it belongs to, the position, and four
// bytes of a checksum. It is no secret and no permission: it says where to go on, nothing else, and whoever makes one up gets
// no further than the bounds of the query.
const (
	cursorVersion = 1
	cursorQuery   = 8
	cursorSum     = 4
	maxCursor     = 4096
)

// queryHash tells queries apart, all but their Limit and After.
func queryHash(q Query) [cursorQuery]byte {
	b := fmt.Appendf(nil, "%d %q %q %q %q %q %q %q %q %q %d %q %d %d %t %d %d", q.List, q.Account.Path, q.Account.Asset, q.Document.Kind, q.Document.ID,
		q.Kind, q.Owner, q.Path, q.Asset, q.State, q.Type, q.Reference, moment(q.Since).UnixMicro(), moment(q.Until).UnixMicro(), q.Backward, q.Line, q.Change)
	sum := sha256.Sum256(b)
	return [cursorQuery]byte(sum[:cursorQuery])
}

func encodeCursor(query [cursorQuery]byte, p Position) Cursor {
	b := make([]byte, 0, 1+cursorQuery+3*binary.MaxVarintLen64+2+len(p.A)+len(p.B)+cursorSum)
	b = append(b, cursorVersion)
	b = append(b, query[:]...)
	if p.Time.IsZero() {
		b = append(b, 0)
	} else {
		b = append(b, 1)
		b = binary.AppendVarint(b, p.Time.UnixMicro())
	}
	b = binary.AppendUvarint(b, p.Number)
	b = binary.AppendUvarint(b, uint64(len(p.A)))
	b = append(b, p.A...)
	b = append(b, p.B...)
	sum := sha256.Sum256(b)
	return Cursor(base64.RawURLEncoding.EncodeToString(append(b, sum[:cursorSum]...)))
}

// decodeCursor is the inverse; it accepts only what encodeCursor writes for the same query.
func decodeCursor(query [cursorQuery]byte, c Cursor) (Position, *Refusal) {
	bad := func(why string) (Position, *Refusal) { return Position{}, invalid("after", why) }
	if len(c) > maxCursor {
		return bad("no cursor of this ledger")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil || len(b) < 1+cursorQuery+cursorSum || b[0] != cursorVersion {
		return bad("no cursor of this ledger")
	}
	b, sum := b[:len(b)-cursorSum], b[len(b)-cursorSum:]
	if want := sha256.Sum256(b); string(want[:cursorSum]) != string(sum) {
		return bad("the cursor was altered")
	}
	if string(b[1:1+cursorQuery]) != string(query[:]) {
		return bad("the cursor belongs to another query")
	}
	p, ok := readPosition(b[1+cursorQuery:])
	if !ok || encodeCursor(query, p) != c {
		return bad("no cursor of this ledger")
	}
	return p, nil
}

func readPosition(b []byte) (p Position, ok bool) {
	if len(b) == 0 || b[0] > 1 {
		return p, false
	}
	timed := b[0] == 1
	b = b[1:]
	if timed {
		micros, n := binary.Varint(b)
		if n <= 0 {
			return p, false
		}
		p.Time, b = time.UnixMicro(micros).UTC(), b[n:]
	}
	number, n := binary.Uvarint(b)
	if n <= 0 {
		return p, false
	}
	p.Number, b = number, b[n:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) { //nolint:gosec // n is at most len(b)
		return p, false
	}
	b = b[n:]
	p.A, p.B = string(b[:length]), string(b[length:])
	return p, checkTime("", p.Time) == nil && checkRunes("", p.A) == nil && checkRunes("", p.B) == nil
}
