package memory

import (
	"slices"
	"sort"

	"github.com/koshpay/kosh/ledger"
)

// chunkLen is how many entries a chunk has at most. Small enough that a move within a chunk is cheap, large enough that the
// list of chunks of a million entries fits into a processor's cache.
const chunkLen = 256

// order is one list in order: sorted chunks, none of them empty, each below the next. Adding at the end is an append;
// adding elsewhere moves at most one chunk.
type order[T any] struct {
	chunks [][]T
	size   int
	places *places[T]
}

// places says where items belong.
type places[T any] struct {
	compare func(a, b T) int
	against func(item T, at ledger.Position) int
}

// seek returns the place of the first item at or above the position.
func (o *order[T]) seek(at ledger.Position) (chunk, i int) {
	return o.search(func(item T) bool { return o.places.against(item, at) >= 0 })
}

// search returns the place of the first item that has reached what is looked for.
func (o *order[T]) search(reached func(T) bool) (chunk, i int) {
	return o.between(0, len(o.chunks), reached)
}

// between is search for what is in one of these chunks, or at the begin of the high one.
func (o *order[T]) between(low, high int, reached func(T) bool) (chunk, i int) {
	chunk = low + sort.Search(high-low, func(c int) bool { last := o.chunks[low+c]; return reached(last[len(last)-1]) })
	if chunk == len(o.chunks) {
		return chunk, 0
	}
	items := o.chunks[chunk]
	return chunk, sort.Search(len(items), func(i int) bool { return reached(items[i]) })
}

// searchLate is search for what is most often near the end.
func (o *order[T]) searchLate(reached func(T) bool) (chunk, i int) {
	low, high := 0, len(o.chunks) // the chunk is one of these
	for step := 1; high > 0; step *= 2 {
		c := max(high-step, 0)
		if last := o.chunks[c]; !reached(last[len(last)-1]) {
			low = c + 1
			break
		}
		high = c
	}
	return o.between(low, high, reached)
}

// last returns the last item.
func (o *order[T]) last() (item T, there bool) {
	if len(o.chunks) == 0 {
		return item, false
	}
	items := o.chunks[len(o.chunks)-1]
	return items[len(items)-1], true
}

// after moves a place on by one and returns what is there, zero beyond the end.
func (o *order[T]) after(chunk, i *int) (item T) {
	if *chunk >= len(o.chunks) {
		return item
	}
	if *i++; *i >= len(o.chunks[*chunk]) {
		if *chunk, *i = *chunk+1, 0; *chunk == len(o.chunks) {
			return item
		}
	}
	return o.chunks[*chunk][*i]
}

// get returns the item at a position.
func (o *order[T]) get(at ledger.Position) (item T, there bool) {
	c, i := o.seek(at)
	if c < len(o.chunks) && o.places.against(o.chunks[c][i], at) == 0 {
		return o.chunks[c][i], true
	}
	return item, false
}

// push adds an item that is above all others.
func (o *order[T]) push(e T) {
	o.size++
	end := len(o.chunks) - 1
	switch {
	case end < 0:
		o.chunks = append(o.chunks, []T{e})
	case len(o.chunks[end]) < chunkLen:
		o.chunks[end] = append(o.chunks[end], e)
	default: // leave the full one full: most lists only ever grow at the end
		o.chunks = append(o.chunks, append(make([]T, 0, chunkLen), e))
	}
}

// add puts an item at a position that no other item has.
func (o *order[T]) add(e T) {
	if last, any := o.last(); !any || o.places.compare(last, e) < 0 {
		o.push(e)
		return
	}
	o.size++
	c, i := o.searchLate(func(item T) bool { return o.places.compare(item, e) >= 0 })
	o.put(c, i, e)
}

// insert is add for whoever knows the place already.
func (o *order[T]) insert(chunk, i int, e T) {
	if chunk == len(o.chunks) {
		o.add(e)
		return
	}
	o.size++
	o.put(chunk, i, e)
}

func (o *order[T]) put(c, i int, e T) {
	if full := o.chunks[c]; len(full) >= chunkLen {
		upper := append(make([]T, 0, chunkLen), full[chunkLen/2:]...)
		clear(full[chunkLen/2:])
		o.chunks[c] = full[:chunkLen/2]
		o.chunks = slices.Insert(o.chunks, c+1, upper)
		if i > chunkLen/2 {
			c, i = c+1, i-chunkLen/2
		}
	}
	o.chunks[c] = slices.Insert(o.chunks[c], i, e)
}

// remove takes the item at a position out.
func (o *order[T]) remove(at ledger.Position) {
	c, i := o.seek(at)
	if c < len(o.chunks) && o.places.against(o.chunks[c][i], at) == 0 {
		o.cut(c, i)
	}
}

// drop takes the first n items out.
func (o *order[T]) drop(n int) {
	o.size -= n
	whole := 0
	for whole < len(o.chunks) && n >= len(o.chunks[whole]) {
		n -= len(o.chunks[whole])
		whole++
	}
	o.chunks = slices.Delete(o.chunks, 0, whole)
	if n > 0 {
		o.chunks[0] = slices.Delete(o.chunks[0], 0, n)
	}
}

// cut takes the item at a place out.
func (o *order[T]) cut(c, i int) {
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

// walk calls yield with the items strictly between after and before (nil: no bound), first or last first, until it returns
// false.
func (o *order[T]) walk(after, before *ledger.Position, backward bool, yield func(T) bool) {
	if backward {
		o.walkDown(after, before, yield)
		return
	}
	c, i := 0, 0
	if after != nil {
		c, i = o.seek(*after)
		if c < len(o.chunks) && o.places.against(o.chunks[c][i], *after) == 0 {
			i++
		}
	}
	for ; c < len(o.chunks); c, i = c+1, 0 {
		for _, e := range o.chunks[c][i:] {
			if before != nil && o.places.against(e, *before) >= 0 || !yield(e) {
				return
			}
		}
	}
}

func (o *order[T]) walkDown(after, before *ledger.Position, yield func(T) bool) {
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
		if after != nil && o.places.against(e, *after) <= 0 || !yield(e) {
			return
		}
	}
}

// clone copies the list; moved gives the copy's item for each.
func (o *order[T]) clone(places *places[T], moved func(T) T) *order[T] {
	c := &order[T]{chunks: make([][]T, len(o.chunks)), size: o.size, places: places}
	for n, items := range o.chunks {
		copied := make([]T, len(items), max(len(items), min(cap(items), chunkLen)))
		for i, e := range items {
			copied[i] = moved(e)
		}
		c.chunks[n] = copied
	}
	return c
}
