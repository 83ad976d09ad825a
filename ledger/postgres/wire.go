package postgres

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
)

// Values on the wire, in PostgreSQL's binary formats. Arrays are written directly, because a batch of a thousand entries
// is a dozen arrays of some thousand elements, and a general encoder costs more than the ledger's own work.

// The types' numbers, fixed for ever in pg_type.
const (
	oidBool, oidBytea, oidInt8, oidInt2, oidInt4, oidText               = 16, 17, 20, 21, 23, 25
	oidTimestamptz, oidNumeric, oidUUID                                 = 1184, 1700, 2950
	oidBoolArray, oidByteaArray, oidInt2Array, oidInt4Array             = 1000, 1001, 1005, 1007
	oidTextArray, oidInt8Array, oidTimestamptzArray, oidUUIDArray       = 1009, 1016, 1185, 2951
	oidNumericArray                                                     = 1231
	arrayHeader                                                         = 20
	microsecondsBefore2000                                        int64 = 946_684_800_000_000
)

// column is one array under construction.
type column struct {
	b     []byte
	n     uint32
	nulls uint32
}

func newColumn(elements, width int) *column {
	c := &column{b: make([]byte, arrayHeader, arrayHeader+elements*(4+width))}
	return c
}

// value ends the array; oid is that of an element.
func (c *column) value(oid uint32) []byte {
	if c.n == 0 {
		b := make([]byte, 12)
		binary.BigEndian.PutUint32(b[8:], oid)
		return b
	}
	binary.BigEndian.PutUint32(c.b[0:], 1) // dimensions
	binary.BigEndian.PutUint32(c.b[4:], c.nulls)
	binary.BigEndian.PutUint32(c.b[8:], oid)
	binary.BigEndian.PutUint32(c.b[12:], c.n)
	binary.BigEndian.PutUint32(c.b[16:], 1) // the first index
	return c.b
}

func (c *column) null() {
	c.n, c.nulls = c.n+1, 1
	c.b = binary.BigEndian.AppendUint32(c.b, 0xffffffff)
}

func (c *column) size(n int) {
	c.n++
	c.b = binary.BigEndian.AppendUint32(c.b, uint32(n)) //nolint:gosec // far below 2³²
}

func (c *column) int8(v int64) {
	c.size(8)
	c.b = binary.BigEndian.AppendUint64(c.b, uint64(v)) //nolint:gosec // the bits
}

func (c *column) int4(v int32) {
	c.size(4)
	c.b = binary.BigEndian.AppendUint32(c.b, uint32(v)) //nolint:gosec // the bits
}

func (c *column) int2(v int16) {
	c.size(2)
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(v)) //nolint:gosec // the bits
}

func (c *column) bool(v bool) {
	c.size(1)
	if v {
		c.b = append(c.b, 1)
	} else {
		c.b = append(c.b, 0)
	}
}

func (c *column) text(s string) {
	c.size(len(s))
	c.b = append(c.b, s...)
}

func (c *column) bytes(b []byte) {
	c.size(len(b))
	c.b = append(c.b, b...)
}

func (c *column) uuid(id uuid.UUID) {
	c.size(len(id))
	c.b = append(c.b, id[:]...)
}

func (c *column) time(t time.Time) { c.int8(wireTime(t)) }

// optionalTime writes the zero time as null.
func (c *column) optionalTime(t time.Time) {
	if t.IsZero() {
		c.null()
		return
	}
	c.time(t)
}

// amount writes smallest units, Amount{} as null.
func (c *column) amount(a currency.Amount) {
	if !a.IsValid() {
		c.null()
		return
	}
	c.n++
	at := len(c.b)
	c.b = appendNumeric(append(c.b, 0, 0, 0, 0), a)
	binary.BigEndian.PutUint32(c.b[at:], uint32(len(c.b)-at-4)) //nolint:gosec // far below 2³²
}

func wireTime(t time.Time) int64 { return t.UnixMicro() - microsecondsBefore2000 }

// Single values.

func wireInt8(v int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(v)) //nolint:gosec // the bits
}

func wireInt4(v int) []byte {
	return binary.BigEndian.AppendUint32(nil, uint32(v)) //nolint:gosec // the bits
}

func wireTimestamp(t time.Time) []byte { return wireInt8(wireTime(t)) }

func readInt8(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the bits
}

func readInt4(b []byte) int32 {
	if len(b) != 4 {
		return 0
	}
	return int32(binary.BigEndian.Uint32(b)) //nolint:gosec // the bits
}

func readInt2(b []byte) int16 {
	if len(b) != 2 {
		return 0
	}
	return int16(binary.BigEndian.Uint16(b)) //nolint:gosec // the bits
}

// readTime reads null as the zero time.
func readTime(b []byte) time.Time {
	if len(b) != 8 {
		return time.Time{}
	}
	return time.UnixMicro(readInt8(b) + microsecondsBefore2000).UTC()
}

func readUUID(b []byte) (id uuid.UUID) {
	copy(id[:], b)
	return id
}
