package ledger

import (
	"hash/maphash"

	"github.com/koshpay/kosh/currency"
)

// table is the overlay of one kind of row. Rows that were found stay as the store gave them; a row that an entry changes is
// copied once, behind the rows that were changed before, and changed there, so taking it back is forgetting the copy. What
// is to be written lies together in the end.
type table[K comparable, R any] struct {
	hash  func(K) uint64
	slots []uint32  // cells by hash, each plus one; as many as a power of two
	cells []cell[K] // one a row that was named, in the order in which it was
	asked []uint32  // the cell of each name that was asked for
	found []R
	rows  []R // that were changed
	owner []uint32
	undo  []undone
	entry uint32 // the number of the entry that runs
	mark  int    // len(rows) when it began
}

// cell is one row that was named, whether it exists or not. It stays when the entry that named it is taken back.
type cell[K comparable] struct {
	key   K
	hash  uint32
	row   int32  // n+1 is row n of those found, -n-1 row n of those changed; 0: there is none
	entry uint32 // that changed it last
	asked bool
}

type undone struct {
	cell uint32
	row  int32
}

// load begins with the rows found for the names asked for.
func (t *table[K, R]) load(asked []K, found []R, name func(*R) K, hash func(K) uint64) {
	t.hash, t.found = hash, found
	t.cells, t.rows, t.owner, t.undo, t.asked = again(t.cells), again(t.rows), t.owner[:0], t.undo[:0], t.asked[:0]
	t.entry, t.mark = 0, 0
	if len(asked)+len(found) == 0 {
		t.slots = t.slots[:0]
		return
	}
	t.room(2 * max(len(found), len(asked))) // most often all that was asked for is found, or nothing
	for i := range found {                  // in steps, so that a processor waits for the texts of many at a time
		k := name(&found[i])
		t.cells = append(t.cells, cell[K]{key: k, hash: uint32(hash(k) >> 32), row: int32(i) + 1})
	}
	for i := range t.cells {
		t.enter(uint32(i))
	}
	for i := range asked {
		t.asked = append(t.asked, uint32(hash(asked[i])>>32))
	}
	for i, h := range t.asked {
		c, known := t.lookUp(&asked[i], h)
		if !known {
			c = t.add(&asked[i], h)
		}
		t.cells[c].asked = true
		t.asked[i] = c
	}
}

// room makes the slots empty, with room for as many cells. Those of a large batch are not cleared for a small one.
func (t *table[K, R]) room(cells int) {
	size := 8
	for size < 2*cells {
		size *= 2
	}
	if size > cap(t.slots) || cap(t.slots) > 8*muchSpace && size < muchSpace {
		t.slots = make([]uint32, size)
		return
	}
	t.slots = t.slots[:size]
	clear(t.slots)
}

// enter makes a cell known by its hash.
func (t *table[K, R]) enter(c uint32) {
	mask := len(t.slots) - 1
	i := int(t.cells[c].hash) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = c + 1
}

func (t *table[K, R]) lookUp(k *K, hash uint32) (c uint32, known bool) {
	mask := len(t.slots) - 1
	if mask < 0 {
		return 0, false
	}
	for i := int(hash) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		c = t.slots[i] - 1
		if t.cells[c].hash == hash && t.cells[c].key == *k {
			return c, true
		}
	}
	return 0, false
}

// add makes a cell for a name that has none.
func (t *table[K, R]) add(k *K, hash uint32) uint32 {
	c := uint32(len(t.cells)) //nolint:gosec // far fewer
	t.cells = append(t.cells, cell[K]{key: *k, hash: hash})
	if 2*len(t.cells) > len(t.slots) {
		t.room(2 * len(t.cells))
		for i := range t.cells {
			t.enter(uint32(i))
		}
	} else {
		t.enter(c)
	}
	return c
}

// place returns the cell of a name; false when the name is not known.
func (t *table[K, R]) place(k *K) (c uint32, named bool) {
	if len(t.cells) == 0 {
		return 0, false
	}
	c, named = t.lookUp(k, uint32(t.hash(*k)>>32))
	return c, named && (t.cells[c].asked || t.cells[c].row != 0)
}

// at returns the row of a cell, nil when it does not exist. It must not be changed, and is good until the next change.
func (t *table[K, R]) at(c uint32) *R {
	switch n := t.cells[c].row; {
	case n > 0:
		return &t.found[n-1]
	case n < 0:
		return &t.rows[-n-1]
	}
	return nil
}

// get returns a row, and whether it exists and was named at all. The row must not be changed but by put, and is good until
// then.
func (t *table[K, R]) get(k K) (row *R, exists, named bool) {
	c, named := t.place(&k)
	if !named {
		return nil, false, false
	}
	row = t.at(c)
	return row, row != nil, true
}

// edit returns the row of a cell to be changed in place, until the next edit or put.
func (t *table[K, R]) edit(c uint32) *R {
	cell := &t.cells[c]
	if cell.entry == t.entry {
		return &t.rows[-cell.row-1]
	}
	t.undo = append(t.undo, undone{c, cell.row})
	if row := t.at(c); row != nil {
		t.rows = append(t.rows, *row)
	} else {
		t.rows = append(t.rows, *new(R))
	}
	t.owner = append(t.owner, c)
	cell.entry, cell.row = t.entry, -int32(len(t.rows)) //nolint:gosec // far fewer
	return &t.rows[len(t.rows)-1]
}

// put replaces a row or adds it.
func (t *table[K, R]) put(k K, row *R) { *t.slot(&k) = *row }

// slot returns the place of a row that is put, whatever it had before.
func (t *table[K, R]) slot(k *K) *R {
	h := uint32(t.hash(*k) >> 32)
	c, known := t.lookUp(k, h)
	if !known {
		c = t.add(k, h)
	}
	return t.edit(c)
}

func (t *table[K, R]) begin() {
	t.entry++
	t.undo, t.mark = t.undo[:0], len(t.rows)
}

func (t *table[K, R]) rollback() {
	for _, u := range t.undo {
		t.cells[u.cell].row, t.cells[u.cell].entry = u.row, 0
	}
	clear(t.rows[t.mark:])
	t.undo, t.rows, t.owner = t.undo[:0], t.rows[:t.mark], t.owner[:t.mark]
}

// changed returns the rows to be written, in the order in which they were changed last. The table is of no use any more.
func (t *table[K, R]) changed() []R {
	kept := 0
	for i, c := range t.owner {
		if int(-t.cells[c].row-1) != i {
			continue // a later entry changed it again
		}
		if kept != i {
			t.rows[kept] = t.rows[i]
		}
		kept++
	}
	if kept == 0 {
		return nil
	}
	return t.rows[:kept]
}

// How names are hashed. The seed is another one in every process, and nothing depends on it.
var tableSeed = maphash.MakeSeed()

const (
	spread      = 0x9e3779b97f4a7c15
	spreadOther = 0xc2b2ae3d27d4eb4f
)

func hashText(s string) uint64 { return maphash.String(tableSeed, s) }

func hashID(id ID) uint64 { return maphash.Bytes(tableSeed, id[:]) }

// The accounts of one step most often have one asset.
func hashAccount(id AccountID) uint64 {
	return maphash.String(tableSeed, id.Path) + uint64(len(id.Asset))*spread
}

func hashDocument(id DocumentID) uint64 {
	return maphash.String(tableSeed, id.ID) + maphash.String(tableSeed, id.Kind)*spread
}

func hashVersion(v VersionID) uint64 { return hashDocument(v.DocumentID) + v.Version*spreadOther }

func hashAsset(id currency.AssetID) uint64 { return maphash.String(tableSeed, string(id)) }
