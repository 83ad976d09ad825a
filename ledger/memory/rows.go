package memory

import (
	"github.com/koshpay/kosh/ledger"
)

// group names one of several lists of a kind: those of an owner, of an account, of a document. The zero group is the
// only list of those that have one.
type group struct{ a, b string }

func accountGroup(id ledger.AccountID) group { return group{id.Path, string(id.Asset)} }

func documentGroup(id ledger.DocumentID) group { return group{id.Kind, id.ID} }

// entry is a row at its place in a list.
type entry[R any] struct {
	at  ledger.Position
	row *R
}

func entryPlaces[R any]() *places[entry[R]] {
	return &places[entry[R]]{
		compare: func(a, b entry[R]) int { return a.at.Compare(b.at) },
		against: func(e entry[R], at ledger.Position) int { return e.at.Compare(at) },
	}
}

// lists keeps rows in order, in one list a group.
type lists[R any] struct {
	place  func(*R) (g group, at ledger.Position, in bool)
	groups map[group]*order[entry[R]]
	order  *places[entry[R]]
}

func newLists[R any](place func(*R) (group, ledger.Position, bool)) *lists[R] {
	return &lists[R]{place: place, groups: make(map[group]*order[entry[R]]), order: entryPlaces[R]()}
}

// oneList is the plain case: every row is in the one list.
func oneList[R any](at func(R) ledger.Position) *lists[R] {
	return newLists(func(r *R) (group, ledger.Position, bool) { return group{}, at(*r), true })
}

func (l *lists[R]) add(row *R) {
	if g, at, in := l.place(row); in {
		l.insert(g, at, row)
	}
}

func (l *lists[R]) insert(g group, at ledger.Position, row *R) {
	o := l.groups[g]
	if o == nil {
		o = &order[entry[R]]{places: l.order}
		l.groups[g] = o
	}
	o.add(entry[R]{at, row})
}

func (l *lists[R]) remove(row *R) {
	g, at, in := l.place(row)
	if !in {
		return
	}
	if o := l.groups[g]; o != nil {
		o.remove(at)
		if o.size == 0 {
			delete(l.groups, g)
		}
	}
}

// move brings a row to where it belongs once it is as next says.
func (l *lists[R]) move(row, next *R) {
	g, at, in := l.place(row)
	toGroup, to, toIn := l.place(next)
	if in == toIn && (!in || g == toGroup && at.Compare(to) == 0) {
		return
	}
	l.remove(row)
	if toIn {
		l.insert(toGroup, to, row)
	}
}

func (l *lists[R]) clone(moved func(*R) *R) *lists[R] {
	c := newLists(l.place)
	for g, o := range l.groups {
		c.groups[g] = o.clone(l.order, func(e entry[R]) entry[R] { return entry[R]{e.at, moved(e.row)} })
	}
	return c
}

// table keeps the rows of one kind by name, and in the lists that they are in.
type table[K comparable, R any] struct {
	name func(*R) K
	copy func(*R) R
	rows map[K]*R
	in   []*lists[R]
}

func newTable[K comparable, R any](name func(*R) K, copied func(*R) R, in ...*lists[R]) *table[K, R] {
	return &table[K, R]{name: name, copy: copied, rows: make(map[K]*R), in: in}
}

// put replaces the row of the same name whole, or adds it.
func (t *table[K, R]) put(row *R) {
	name := t.name(row)
	if old := t.rows[name]; old != nil {
		for _, l := range t.in {
			l.move(old, row)
		}
		*old = t.copy(row)
		return
	}
	own := t.copy(row)
	t.rows[name] = &own
	for _, l := range t.in {
		l.add(&own)
	}
}

func (t *table[K, R]) delete(name K) {
	old := t.rows[name]
	if old == nil {
		return
	}
	for _, l := range t.in {
		l.remove(old)
	}
	delete(t.rows, name)
}

// find returns copies of those of the rows named that exist, each once.
func (t *table[K, R]) find(names []K) []R {
	var found []R
	for _, name := range distinct(names) {
		if row := t.rows[name]; row != nil {
			found = append(found, t.copy(row))
		}
	}
	return found
}

// clone copies rows and lists. lists of the copy are in the same order as those of the original.
func (t *table[K, R]) clone() *table[K, R] {
	c := newTable(t.name, t.copy)
	moved := make(map[*R]*R, len(t.rows))
	for name, row := range t.rows {
		own := t.copy(row)
		c.rows[name], moved[row] = &own, &own
	}
	for _, l := range t.in {
		c.in = append(c.in, l.clone(func(row *R) *R { return moved[row] }))
	}
	return c
}

// history keeps rows that are only ever added and that have a number within their list: the lines of an account, the
// versions of a document, the changes of the feed.
type history[R any] struct {
	*lists[R]
	number func(*R) uint64
	copy   func(*R) R
	last   map[group]uint64 // the highest number so far
}

func newHistory[R any](place func(*R) (group, ledger.Position, bool), number func(*R) uint64, copied func(*R) R) *history[R] {
	return &history[R]{newLists(place), number, copied, make(map[group]uint64)}
}

func (h *history[R]) put(row *R) {
	g, at, _ := h.place(row)
	own := h.copy(row)
	h.insert(g, at, &own)
	h.last[g] = max(h.last[g], h.number(row))
}

// has reports whether there is a row with the number of this one. The last number answers for all rows that a ledger
// writes; the rest is for the writer that has it wrong.
func (h *history[R]) has(row *R) bool {
	g, at, _ := h.place(row)
	o, n := h.groups[g], h.number(row)
	if o == nil || n > h.last[g] {
		return false
	}
	if _, there := o.get(at); there {
		return true
	}
	found := false
	o.walk(nil, nil, false, func(e entry[R]) bool {
		found = h.number(e.row) == n
		return !found
	})
	return found
}

func (h *history[R]) clone() *history[R] {
	c := newHistory(h.place, h.number, h.copy)
	c.lists = h.lists.clone(func(row *R) *R {
		own := h.copy(row)
		return &own
	})
	for g, n := range h.last {
		c.last[g] = n
	}
	return c
}
