package memory

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// TestArena adds records of all sizes, long ones among them, and finds each as it was.
func TestArena(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	a := arena{counts: true}
	records := map[ref][]byte{}
	for range 3_000 {
		size := 1 + rnd.IntN(2_000)
		switch rnd.IntN(200) {
		case 0:
			size = rnd.IntN(3 * chunkBytes)
		case 1:
			size = chunkBytes
		}
		record := bytes.Repeat([]byte{byte(rnd.Uint32())}, size+1)
		at := a.add(record)
		require.NotZero(t, at)
		require.NotContains(t, records, at)
		records[at] = record
		if rnd.IntN(2) == 0 {
			for at := range records {
				a.release(at)
				delete(records, at)
				break
			}
		}
	}
	c := a.clone()
	for at, record := range records {
		require.True(t, bytes.HasPrefix(a.from(at), record))
		require.True(t, bytes.HasPrefix(c.from(at), record))
	}
	for at := range records {
		a.release(at)
	}
	chunks := len(a.chunks)
	for range 100_000 { // what comes and goes needs no more room
		a.release(a.add(make([]byte, 100)))
	}
	require.LessOrEqual(t, len(a.chunks), chunks+1)
	at := a.room(100)
	require.Equal(t, make([]byte, 100), a.from(at)[:100], "room that was used before is empty")
}

// TestIndexAgainstMap compares the index with a map through random additions, changes and removals, also of numbers with the
// same hash.
func TestIndexAgainstMap(t *testing.T) {
	for _, same := range []uint32{1, 7, 100} {
		rnd := rand.New(rand.NewPCG(uint64(same), 2))
		hash := func(name uint32) uint32 { return name / same * 0x9e3779b1 }
		var x index
		names := map[uint32]uint32{} // name by number
		numbers := map[uint32]uint32{}
		find := func(x *index, name uint32) uint32 {
			return x.find(hash(name), func(n uint32) bool { return names[n] == name })
		}
		next := uint32(1)
		for step := range 40_000 {
			name := rnd.Uint32N(15_000)
			require.Equal(t, numbers[name], find(&x, name))
			n := numbers[name]
			switch {
			case n == 0:
				names[next], numbers[name] = name, next
				x.add(hash(name), next)
				next++
			case rnd.IntN(2) == 0 || step%10_000 > 8_000:
				x.remove(hash(name), n)
				delete(numbers, name)
			default:
				names[next], numbers[name] = name, next
				x.replace(hash(name), n, next)
				next++
			}
		}
		c := x.clone()
		for name := range uint32(15_000) {
			require.Equal(t, numbers[name], find(&x, name))
			require.Equal(t, numbers[name], find(&c, name))
		}
	}
}

// TestPendingSpaceIsUsedAgain lets many rows come and go.
func TestPendingSpaceIsUsedAgain(t *testing.T) {
	b := newBook()
	for i := range 200_000 {
		id := uuid.UUID{1, byte(i >> 16), byte(i >> 8), byte(i)}
		require.NoError(t, b.apply(ledger.Rows{Pending: []ledger.PendingRow{{Entry: id, Changes: make([]ledger.Change, 3)}}}))
		if i >= 100 {
			j := i - 100
			require.NoError(t, b.apply(ledger.Rows{Delete: ledger.Names{Pending: []ledger.ID{{1, byte(j >> 16), byte(j >> 8), byte(j)}}}}))
		}
	}
	require.Len(t, b.find(ledger.Names{Pending: []ledger.ID{{1, 3, 0x0d, 0x3f}}}).Pending, 1)
	require.Equal(t, 100, b.pending.list.size)
	require.Less(t, len(b.pending.space.chunks), 4)
}
