package memory

import (
	"encoding/binary"
	"slices"
)

// arena keeps records of bytes in large chunks without pointers, so that the collector does not look at history however
// long it grows. A record never moves or changes its size; what is superseded stays, unless the arena counts.
type arena struct {
	chunks  [][]byte
	current int // the chunk that grows

	// Of an arena whose records come and go: how many are left in each chunk, and which chunks are empty again.
	counts bool
	left   []int
	empty  []int
}

// ref is the place of a record: its chunk and its offset in units of refUnit, and in the highest bit whether the record is
// that of a whole plain entry, see plain.go. Zero is no record.
type ref uint32

const (
	chunkBits  = 20 // a megabyte
	chunkBytes = 1 << chunkBits
	refUnit    = 8
	refBytes   = 4 // of a ref that is written down
	unitBits   = chunkBits - 3
	plainEntry = ref(1) << 31
	maxChunks  = int(plainEntry >> unitBits)
	firstChunk = 1 << 12 // grows: most books of tests are small
)

// add copies a record into the arena.
func (a *arena) add(record []byte) ref {
	at := a.reserve(len(record))
	chunk := at.chunk()
	a.chunks[chunk] = append(a.chunks[chunk][:at.offset()], record...)
	return at
}

// open returns empty space for records of so many bytes at most, and the place of the first; nothing else may be added until
// close. A record within the space begins at a multiple of refUnit, see align.
func (a *arena) open(size int) (space []byte, at ref) {
	at = a.reserve(size)
	chunk, offset := at.chunk(), at.offset()
	a.need(offset + size)
	return a.chunks[chunk][offset:offset:cap(a.chunks[chunk])], at
}

// close keeps what was written into the space that open gave.
func (a *arena) close(space []byte, at ref) {
	a.chunks[at.chunk()] = a.chunks[at.chunk()][:at.offset()+len(space)]
}

// need makes the chunk that grows able to be so long.
func (a *arena) need(end int) {
	grown := a.chunks[a.current]
	if end > cap(grown) {
		a.chunks[a.current] = slices.Grow(grown, end-len(grown))
	}
}

// room adds a record of zeros, to be filled in place.
func (a *arena) room(size int) ref {
	at := a.reserve(size)
	chunk := at.chunk()
	a.chunks[chunk] = append(a.chunks[chunk][:at.offset()], make([]byte, size)...)
	return at
}

// reserve finds the place for a record. One that is longer than a chunk gets a long chunk of its own, and the numbers that
// it covers beyond its own stay empty.
func (a *arena) reserve(size int) ref {
	if len(a.chunks) == 0 {
		a.start(make([]byte, refUnit, firstChunk)) // so that no record is at zero
	}
	end := a.end()
	if end+size > chunkBytes {
		a.turn(size)
		end = a.end()
	}
	a.need(end)
	a.chunks[a.current] = a.chunks[a.current][:end]
	if a.counts {
		a.left[a.current]++
	}
	return placeOf(a.current, end)
}

// end is where the next record of the chunk that grows begins.
func (a *arena) end() int { return (len(a.chunks[a.current]) + refUnit - 1) &^ (refUnit - 1) }

// turn begins another chunk.
func (a *arena) turn(size int) {
	if n := len(a.empty); n > 0 && size <= chunkBytes-refUnit {
		a.current, a.empty = a.empty[n-1], a.empty[:n-1]
		return
	}
	a.start(make([]byte, 0, max(size, chunkBytes)))
	number := a.current
	for covered := (size - 1) >> chunkBits; covered > 0; covered-- {
		a.start(nil)
	}
	a.current = number
}

func (a *arena) start(chunk []byte) {
	a.chunks, a.left = append(a.chunks, chunk), append(a.left, 0)
	a.current = len(a.chunks) - 1
}

// release says that a record of an arena that counts is gone.
func (a *arena) release(at ref) {
	chunk := at.chunk()
	a.left[chunk]--
	if a.left[chunk] > 0 {
		return
	}
	long := len(a.chunks[chunk]) > chunkBytes
	if chunk != a.current && !long {
		a.empty = append(a.empty, chunk)
	}
	a.chunks[chunk] = a.chunks[chunk][:min(refUnit, len(a.chunks[chunk]))]
	if long {
		a.chunks[chunk] = nil
	}
}

// full reports whether there is little room left for another update.
func (a *arena) full() bool { return len(a.chunks) > maxChunks-1024 && len(a.empty) == 0 }

// from returns the bytes from a record on; the record itself says where it ends.
func (a *arena) from(at ref) []byte { return a.chunks[at.chunk()][at.offset():] }

// refAt and setRef read and write a ref within a record.
func (a *arena) refAt(at ref, offset int) ref {
	return ref(binary.LittleEndian.Uint32(a.from(at)[offset:]))
}

func (a *arena) setRef(at ref, offset int, value ref) {
	binary.LittleEndian.PutUint32(a.from(at)[offset:], uint32(value))
}

func (a *arena) clone() *arena {
	c := &arena{current: a.current, counts: a.counts, left: append([]int(nil), a.left...), empty: append([]int(nil), a.empty...)}
	for _, chunk := range a.chunks {
		c.chunks = append(c.chunks, append(make([]byte, 0, cap(chunk)), chunk...))
	}
	return c
}

func placeOf(chunk, offset int) ref { return ref(chunk<<unitBits + offset/refUnit) } //nolint:gosec // see full

func (r ref) isPlain() bool { return r&plainEntry != 0 }
func (r ref) chunk() int    { return int(r &^ plainEntry >> unitBits) }
func (r ref) offset() int   { return int(r&(1<<unitBits-1)) * refUnit }
