package ledger

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// ids makes UUIDv7s (RFC 9562): the clock's milliseconds, twelve bits that go on within the millisecond, so that the ids of
// one Book ascend and a store adds at the end of its index, and 62 random bits. It asks the system for randomness a page
// at a time.
type ids struct {
	clock func() time.Time

	mu     sync.Mutex
	last   uint64 // milliseconds and the twelve bits
	random [4096]byte
	rest   int // bytes of random not yet used, its last ones
}

func (m *ids) next() ID {
	var one [1]ID
	m.fill(one[:])
	return one[0]
}

// fill makes as many ids as there is room for, and looks at the clock once.
func (m *ids) fill(made []ID) {
	micros := m.clock().UnixMicro()
	now := uint64(micros/1_000)<<12 | uint64(micros%1_000)*4
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range made {
		now = max(now, m.last+1)
		m.last = now
		if m.rest == 0 {
			_, _ = rand.Read(m.random[:]) // never fails
			m.rest = len(m.random)
		}
		id, at := &made[i], len(m.random)-m.rest
		m.rest -= 8
		binary.BigEndian.PutUint64(id[:8], now>>12<<16|7<<12|now&0xfff)
		copy(id[8:], m.random[at:at+8])
		id[8] = id[8]&0x3f | 0x80
	}
}
