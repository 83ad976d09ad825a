package memory

import (
	"slices"
	"sort"

	"github.com/koshpay/kosh/ledger"
)

// chunkLen is how many entries a chunk has at most. Small enough that a move within a chunk is cheap, large enough that the
// list of chunks of a million entries fits into a processor's cache.
const chunkLen = 256

// entry is a row at its place in a list.
type entry[R any] struct {
	at  ledger.Position
	row *R
}

// order is one list in order: sorted chunks, none of them empty, each below the next. Adding at the end is an append;
// adding elsewhere moves at most one chunk. The zero value is an empty list.
type order[R any] struct {
	chunks [][]entry[R]
	size   int
}

// seek returns the place of the first entry at or above the position.
func (o *order[R]) seek(at ledger.Position) (chunk, i int) {
	chunk = sort.Search(len(o.chunks), func(c int) bool {
		last := o.chunks[c][len(o.chunks[c])-1]
		return last.at.Compare(at) >= 0
	})
	if chunk == len(o.chunks) {
		return chunk, 0
	}
	entries := o.chunks[chunk]
	return chunk, sort.Search(len(entries), func(i int) bool { return entries[i].at.Compare(at) >= 0 })
}

// get returns the row at a position, or nil.
func (o *order[R]) get(at ledger.Position) *R {
	c, i := o.seek(at)
	if c < len(o.chunks) && o.chunks[c][i].at.Compare(at) == 0 {
		return o.chunks[c][i].row
	}
	return nil
}

// add puts a row at a position that no other row has.
func (o *order[R]) add(at ledger.Position, row *R) {
	o.size++
	e := entry[R]{at, row}
	if len(o.chunks) == 0 {
		o.chunks = append(o.chunks, []entry[R]{e})
		return
	}
	end := len(o.chunks) - 1
	if last := o.chunks[end]; last[len(last)-1].at.Compare(at) < 0 {
		if len(last) < chunkLen {
			o.chunks[end] = append(last, e)
		} else { // leave the full one full: most lists only ever grow at the end
			o.chunks = append(o.chunks, append(make([]entry[R], 0, chunkLen), e))
		}
		return
	}
	c, i := o.seek(at)
	if full := o.chunks[c]; len(full) >= chunkLen {
		upper := append(make([]entry[R], 0, chunkLen), full[chunkLen/2:]...)
		clear(full[chunkLen/2:])
		o.chunks[c] = full[:chunkLen/2]
		o.chunks = slices.Insert(o.chunks, c+1, upper)
		if i > chunkLen/2 {
			c, i = c+1, i-chunkLen/2
		}
	}
	o.chunks[c] = slices.Insert(o.chunks[c], i, e)
}

// remove takes the row at a position out.
func (o *order[R]) remove(at ledger.Position) {
	c, i := o.seek(at)
	if c == len(o.chunks) || o.chunks[c][i].at.Compare(at) != 0 {
		return
	}
	o.size--
	o.chunks[c] = slices.Delete(o.chunks[c], i, i+1)
	if len(o.chunks[c]) == 0 {
		o.chunks = slices.Delete(o.chunks, c, c+1)
		return
	}
	if c > 0 && len(o.chunks[c-1])+len(o.chunks[c]) <= chunkLen/2 {
		c-- // merge with the one below, else with the one above, so that a thinned list does not keep empty space
	} else if c+1 == len(o.chunks) || len(o.chunks[c])+len(o.chunks[c+1]) > chunkLen/2 {
		return
	}
	o.chunks[c] = append(o.chunks[c], o.chunks[c+1]...)
	o.chunks = slices.Delete(o.chunks, c+1, c+2)
}

// walk calls yield with the rows strictly between after and before (nil: no bound), first or last first, until it returns
// false.
func (o *order[R]) walk(after, before *ledger.Position, backward bool, yield func(ledger.Position, *R) bool) {
	if backward {
		o.walkDown(after, before, yield)
		return
	}
	c, i := 0, 0
	if after != nil {
		c, i = o.seek(*after)
		if c < len(o.chunks) && o.chunks[c][i].at.Compare(*after) == 0 {
			i++
		}
	}
	for ; c < len(o.chunks); c, i = c+1, 0 {
		for _, e := range o.chunks[c][i:] {
			if before != nil && e.at.Compare(*before) >= 0 || !yield(e.at, e.row) {
				return
			}
		}
	}
}

func (o *order[R]) walkDown(after, before *ledger.Position, yield func(ledger.Position, *R) bool) {
	c, i := len(o.chunks), 0
	if before != nil {
		c, i = o.seek(*before)
	}
	for {
		if i == 0 {
			if c--; c < 0 {
				return
			}
			i = len(o.chunks[c])
		}
		i--
		e := o.chunks[c][i]
		if after != nil && e.at.Compare(*after) <= 0 || !yield(e.at, e.row) {
			return
		}
	}
}

// clone copies the list; moved gives the copy's row for each row.
func (o *order[R]) clone(moved func(*R) *R) *order[R] {
	c := &order[R]{chunks: make([][]entry[R], len(o.chunks)), size: o.size}
	for n, entries := range o.chunks {
		copied := make([]entry[R], len(entries), max(len(entries), min(cap(entries), chunkLen)))
		for i, e := range entries {
			copied[i] = entry[R]{e.at, moved(e.row)}
		}
		c.chunks[n] = copied
	}
	return c
}
