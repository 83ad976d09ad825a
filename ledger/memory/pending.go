package memory

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/koshpay/kosh/ledger"
)

// pending keeps what waits for the sequencer: the records of plain entries themselves, and for all others rows as records of
// their own, whose space is used again.
type pending struct {
	book  *book
	space *arena
	index index
	list  order[ref] // by time recorded

	// What is in the list and not yet in the index, in the order in which it was added: rows that come and go in order are
	// never asked for by id. Whoever writes by id calls settle first.
	unsettled []ref

	newest pendingHead // in the list, when that is what was added last
}

type pendingHead struct {
	at     ref
	id     ledger.ID
	micros int64
}

func newPending(b *book, space *arena) *pending {
	p := &pending{book: b, space: space}
	p.list.places = &places[ref]{
		compare: func(x, y ref) int {
			if c := timeOf(p.record(x)) - timeOf(p.record(y)); c != 0 {
				return int(c>>63) | 1
			}
			a, b := p.idAt(x), p.idAt(y)
			return bytes.Compare(a[:], b[:])
		},
		against: func(x ref, at ledger.Position) int {
			id, micros := p.head(x)
			return ledger.Position{Time: microTime(micros), A: id.String()}.Compare(at)
		},
	}
	return p
}

// record returns the record of an entry. The time is at the same place of both kinds.
func (p *pending) record(at ref) []byte {
	if at.isPlain() {
		return p.book.space.from(at)
	}
	return p.space.from(at)
}

// head returns the id of an entry and when it was recorded, in microseconds.
func (p *pending) head(at ref) (ledger.ID, int64) {
	if at.isPlain() {
		return p.book.keyTime(at)
	}
	record := p.space.from(at)
	return ledger.ID(record), timeOf(record)
}

func (p *pending) idAt(at ref) ledger.ID {
	id, _ := p.head(at)
	return id
}

func (p *pending) hash(id ledger.ID) uint32 { return uint32(maphash.Bytes(p.book.seed, id[:]) >> 32) }

// settled returns the place of the record with an id that is in the index, or 0.
func (p *pending) settled(id ledger.ID) ref {
	return ref(p.index.find(p.hash(id), func(n uint32) bool { return p.idAt(ref(n)) == id }))
}

// settle brings everything into the index.
func (p *pending) settle() {
	for _, at := range p.unsettled {
		p.index.add(p.hash(p.idAt(at)), uint32(at))
	}
	p.unsettled = p.unsettled[:0]
}

// addPlain adds the record of a plain entry.
func (p *pending) addPlain(e *ledger.PlainEntry, at ref) {
	p.unsettled = append(p.unsettled, at)
	micros := e.RecordedAt.UnixMicro()
	n := &p.newest
	if last, any := p.list.last(); any && last == n.at && (n.micros < micros || n.micros == micros && bytes.Compare(n.id[:], e.ID[:]) < 0) {
		p.list.push(at)
	} else {
		p.list.add(at)
	}
	*n = pendingHead{at, e.ID, micros}
}

// dropFirst takes the first n records of the list out.
func (p *pending) dropFirst(n int) {
	left, settled := n, 0 // of those not in the index, how many went
	for _, chunk := range p.list.chunks {
		for _, at := range chunk[:min(left, len(chunk))] {
			if settled < len(p.unsettled) && p.unsettled[settled] == at {
				settled++
			} else {
				p.unsettled, settled = p.unsettled[settled:], 0
				p.settle()
				p.index.remove(p.hash(p.idAt(at)), uint32(at))
			}
			p.release(at)
			left--
		}
	}
	p.unsettled = p.unsettled[settled:]
	p.list.drop(n)
}

func (p *pending) release(at ref) {
	if !at.isPlain() {
		p.space.release(at)
	}
}

// put adds a row, or replaces it. Everything is settled.
func (p *pending) put(row *ledger.PendingRow) {
	p.remove(row.Entry)
	w := &p.book.write
	w.begin()
	w.idAndTime(row.Entry, row.RecordedAt)
	if row.Changes == nil {
		w.uint(0)
	} else {
		w.uint(uint64(len(row.Changes)) + 1)
	}
	for i := range row.Changes {
		w.uint(row.Changes[i].Position)
		w.change(&row.Changes[i])
	}
	at := p.space.add(w.buf)
	p.index.add(p.hash(row.Entry), uint32(at))
	p.list.add(at)
}

// remove takes a row out, if there is one. Everything is settled.
func (p *pending) remove(id ledger.ID) {
	at := p.settled(id)
	if at == 0 {
		return
	}
	p.index.remove(p.hash(id), uint32(at))
	p.list.cut(p.list.search(func(other ref) bool { return p.list.places.compare(other, at) >= 0 }))
	p.release(at)
}

// find reads those with the ids that exist, each once. Readers may not settle, so they look at all that is not.
func (p *pending) find(ids []ledger.ID, s *scratch) (found []ledger.PendingRow) {
	if len(ids) == 0 {
		return nil
	}
	read := p.reader(len(ids))
	s.once.begin(len(ids))
	for _, id := range ids {
		at := p.settled(id)
		if at == 0 {
			if i := slices.IndexFunc(p.unsettled, func(at ref) bool { return p.idAt(at) == id }); i >= 0 {
				at = p.unsettled[i]
			}
		}
		if at != 0 && s.once.add(uint64(at)) {
			found = append(found, read(at))
		}
	}
	return found
}

// reader returns what reads about n rows.
func (p *pending) reader(n int) func(ref) ledger.PendingRow {
	shared := newBulk(n)
	return func(at ref) (row ledger.PendingRow) {
		if at.isPlain() {
			r := p.book.reader(at)
			r.bulk = shared
			h := r.plainHead()
			row.Entry, row.RecordedAt, row.Changes = h.entry, microTime(h.recorded), shared.takeChanges(1)
			row.Changes[0] = r.plainChange(&h)
			return row
		}
		r := reader{book: p.book, buf: p.space.from(at), bulk: shared}
		row.Entry, row.RecordedAt = r.idAndTime()
		if n := r.uint(); n > 0 {
			row.Changes = shared.takeChanges(int(n - 1)) //nolint:gosec // a slice had so many
		}
		for i := range row.Changes {
			row.Changes[i].Position = r.uint()
			r.change(&row.Changes[i])
		}
		return row
	}
}

func (p *pending) clone(b *book) *pending {
	c := newPending(b, p.space.clone())
	c.unsettled, c.index = slices.Clone(p.unsettled), p.index.clone()
	c.list = *p.list.clone(c.list.places, func(at ref) ref { return at })
	return c
}
