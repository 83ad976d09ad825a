package memory

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// byID keeps rows that have an id as records that begin with it: by id, and in one list in order.
type byID[R any] struct {
	space *arena
	seed  maphash.Seed
	index index
	list  order[ref]

	// What the update that runs has put, in order, and the one that was asked for last: what is written next refers to the
	// same, or to the one after it.
	recent []recentID
	turn   int

	// What is in the list and not yet in the index, in the order in which it was added: rows that come and go in order are
	// never asked for by id. Whoever asks calls settle first.
	unsettled []ref
}

type recentID struct {
	id ledger.ID
	at ref
}

func newByID[R any](space *arena, seed maphash.Seed) *byID[R] {
	return &byID[R]{space: space, seed: seed, list: order[ref]{places: byTime(space)}}
}

func (t *byID[R]) hash(id ledger.ID) uint32 {
	return uint32(maphash.Bytes(t.seed, id[:]) >> 32)
}

// at returns the place of the record with an id, or 0.
func (t *byID[R]) at(id ledger.ID) ref { return t.atHash(id, t.hash(id)) }

func (t *byID[R]) atHash(id ledger.ID, hash uint32) ref {
	return ref(t.index.find(hash, t.isID(id)))
}

func (t *byID[R]) isID(id ledger.ID) func(uint32) bool {
	return func(n uint32) bool { return t.is(ref(n), id) }
}

// known is at for who writes, and quick for what was just put.
func (t *byID[R]) known(id ledger.ID) ref {
	for _, i := range [...]int{t.turn, t.turn + 1, 0} {
		if i < len(t.recent) && t.recent[i].id == id {
			t.turn = i
			return t.recent[i].at
		}
	}
	return t.at(id)
}

// settle brings everything into the index.
func (t *byID[R]) settle() {
	for _, at := range t.unsettled {
		t.index.add(t.hash(t.idAt(at)), uint32(at))
	}
	t.unsettled = t.unsettled[:0]
}

// unsettledAt is for readers, who may not settle: it looks at each.
func (t *byID[R]) unsettledAt(id ledger.ID) ref {
	for _, at := range t.unsettled {
		if t.is(at, id) {
			return at
		}
	}
	return 0
}

// addUnsettled adds a record whose id is not there yet, and leaves the index for later.
func (t *byID[R]) addUnsettled(record []byte) {
	at := t.space.add(record)
	t.unsettled = append(t.unsettled, at)
	t.list.add(at)
}

// dropFirst takes the first n records of the list out.
func (t *byID[R]) dropFirst(n int) {
	left, settled := n, 0 // of those not in the index, how many went
	for _, chunk := range t.list.chunks {
		for _, at := range chunk[:min(left, len(chunk))] {
			if settled < len(t.unsettled) && t.unsettled[settled] == at {
				settled++
			} else {
				t.unsettled, settled = t.unsettled[settled:], 0
				t.settle()
				t.index.remove(t.hash(t.idAt(at)), uint32(at))
			}
			t.space.release(at)
			left--
		}
	}
	t.unsettled = t.unsettled[settled:]
	t.list.drop(n)
}

// begin forgets what was put by the last update, and settles for the one that comes.
func (t *byID[R]) begin() {
	t.settle()
	t.turn = 0
	if t.recent = t.recent[:0]; cap(t.recent) > muchScratch {
		t.recent = nil
	}
}

func (t *byID[R]) is(at ref, id ledger.ID) bool { return [16]byte(t.space.from(at)) == id }

func (t *byID[R]) idAt(at ref) ledger.ID { return ledger.ID(t.space.from(at)) }

// put adds a record, in place of that with the same id.
func (t *byID[R]) put(record []byte, hash uint32) {
	id := ledger.ID(record)
	old := t.atHash(id, hash)
	if old == 0 {
		t.recent = append(t.recent, recentID{id, t.addNew(record, hash)})
		return
	}
	at := t.space.add(record)
	t.recent = append(t.recent, recentID{id, at})
	c, i := t.list.search(func(other ref) bool { return t.list.places.compare(other, old) >= 0 })
	if t.list.places.compare(old, at) == 0 {
		t.list.chunks[c][i] = at
	} else {
		t.list.cut(c, i)
		t.list.add(at)
	}
	t.index.replace(hash, uint32(old), uint32(at))
	if t.space.counts {
		t.space.release(old)
	}
}

// addNew adds a record whose id is not there yet.
func (t *byID[R]) addNew(record []byte, hash uint32) ref {
	at := t.space.add(record)
	t.index.add(hash, uint32(at))
	t.list.add(at)
	return at
}

// remove takes a record out.
func (t *byID[R]) remove(id ledger.ID) {
	hash := t.hash(id)
	at := t.atHash(id, hash)
	if at == 0 {
		return
	}
	t.index.remove(hash, uint32(at))
	t.list.cut(t.list.search(func(other ref) bool { return t.list.places.compare(other, at) >= 0 }))
	t.space.release(at)
}

// find reads those of the records with the ids that exist, each once, in steps as accounts.numbersOf does.
func (t *byID[R]) find(ids []ledger.ID, s *scratch, read func(ref) R) (found []R) {
	if len(ids) == 0 {
		return nil
	}
	s.hashes, s.numbers = sized(s.hashes, len(ids)), sized(s.numbers, len(ids))
	for i, id := range ids {
		s.hashes[i] = t.hash(id)
	}
	for i, h := range s.hashes {
		s.numbers[i] = t.index.first(h)
	}
	var touched uint64
	for _, n := range s.numbers {
		if n != 0 {
			touched += uint64(t.space.from(ref(n))[0])
		}
	}
	s.touched += touched
	s.once.begin(len(ids))
	for i, n := range s.numbers {
		at := ref(n)
		if at != 0 && !t.is(at, ids[i]) { // another one with the same hash
			at = t.atHash(ids[i], s.hashes[i])
		}
		if at == 0 {
			at = t.unsettledAt(ids[i])
		}
		if at == 0 || !s.once.add(uint64(at)) {
			continue
		}
		if found == nil {
			found = make([]R, 0, len(ids)-i)
		}
		found = append(found, read(at))
	}
	return found
}

// twiceID reports whether two rows have the same id.
func twiceID[R any](rows []R, s *scratch, id func(*R) ledger.ID) bool {
	s.once.begin(len(rows))
	for i := range rows {
		n := id(&rows[i])
		if !s.once.add(binary.LittleEndian.Uint64(n[8:])|1) && repeats(rows, id) { // the random half
			return true
		}
	}
	return false
}

// byTime orders records that have a time after the id.
func byTime(space *arena) *places[ref] {
	return &places[ref]{
		compare: func(a, b ref) int {
			x, y := space.from(a), space.from(b)
			if c := timeOf(x) - timeOf(y); c != 0 {
				return int(c>>63) | 1
			}
			return bytes.Compare(x[:16], y[:16])
		},
		against: func(a ref, at ledger.Position) int {
			x := space.from(a)
			return ledger.Position{Time: microTime(timeOf(x)), A: ledger.ID(x).String()}.Compare(at)
		},
	}
}

func timeOf(record []byte) int64 {
	return int64(binary.LittleEndian.Uint64(record[16:])) //nolint:gosec // the bits
}

func (w *writer) idAndTime(id ledger.ID, t time.Time) {
	w.id(id)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(t.UnixMicro()))
}

func (r *reader) idAndTime() (ledger.ID, time.Time) {
	id, t := ledger.ID(r.buf), timeOf(r.buf)
	r.buf = r.buf[24:]
	return id, microTime(t)
}

func (t *byID[R]) clone(space *arena) *byID[R] {
	c := newByID[R](space, t.seed)
	c.unsettled = slices.Clone(t.unsettled)
	c.index = t.index.clone()
	c.list = *t.list.clone(c.list.places, func(at ref) ref { return at })
	return c
}

// transactions keeps transactions.
type transactions struct{ *byID[ledger.Transaction] }

// times returns the times of a transaction, in microseconds.
func (t transactions) times(at ref) (recorded, effective int64) {
	record := t.space.from(at)
	recorded = timeOf(record)
	if record[24]&transactionEffective == 0 {
		return recorded, recorded
	}
	r := reader{buf: record[25:]}
	return recorded, r.int()
}

// What a transaction may have beside its postings.
const (
	transactionEffective = 1 << iota // a time of its own
	transactionNote
	transactionReverses
	transactionImported
	transactionReversed

	transactionPostings = 5 // the three bits from here on: how many, or 0 when a number says it
)

// putTransactions adds transactions, or puts them in the place of those that are there. It looks at the places in the
// indexes first, those of the keys included, so that a processor waits for the memory of many at a time.
func (b *book) putTransactions(rows []ledger.Transaction, s *scratch) {
	s.hashes = sized(s.hashes, len(rows))
	for i := range rows {
		s.hashes[i] = b.transactions.hash(rows[i].ID)
	}
	var touched uint64
	for _, h := range s.hashes {
		touched += uint64(b.transactions.index.first(h))
	}
	for i := range b.keys.asked {
		touched += uint64(b.keys.index.first(b.keys.asked[i].hash))
	}
	s.touched += touched
	for i := range rows {
		b.write.begin()
		b.write.transactionRow(&rows[i])
		b.transactions.put(b.write.buf, s.hashes[i])
	}
}

func (b *book) readTransactions(n int) func(ref) ledger.Transaction {
	shared := newBulk(n)
	return func(at ref) ledger.Transaction {
		r := reader{book: b, buf: b.space.from(at), bulk: shared}
		return r.transactionRow()
	}
}

func (w *writer) transactionRow(t *ledger.Transaction) {
	w.accounts = w.accounts[:0]
	for i := range t.Postings {
		w.accounts = append(w.accounts, w.book.accounts.number(&t.Postings[i].Account))
	}
	w.transactionOf(t, w.book.keys.word(t.Key), w.accounts)
}

// transactionOf writes a transaction whose key's text has a place, and whose postings are of accounts with these numbers.
func (w *writer) transactionOf(t *ledger.Transaction, key ref, accounts []uint32) {
	w.idAndTime(t.ID, t.RecordedAt)
	has := bit(!t.EffectiveAt.Equal(t.RecordedAt), transactionEffective) |
		bit(t.Reference != "" || t.Description != "" || t.Meta != nil, transactionNote) |
		bit(t.Reverses != ledger.ID{}, transactionReverses) | bit(t.Imported, transactionImported) |
		bit(t.Reversed != nil, transactionReversed)
	few := len(t.Postings) > 0 && len(t.Postings) < 1<<3
	if few {
		has |= byte(len(t.Postings)) << transactionPostings //nolint:gosec // below 8
	}
	w.byte(has)
	if has&transactionEffective != 0 {
		w.time(t.EffectiveAt)
	}
	w.ref(key)
	switch {
	case few:
	case t.Postings == nil:
		w.uint(0)
	default:
		w.uint(uint64(len(t.Postings)) + 1)
	}
	for i := range t.Postings {
		p := &t.Postings[i]
		w.uint(uint64(accounts[i])<<sideBits | uint64(p.Side))
		w.amount(p.Amount)
	}
	if has&transactionNote != 0 {
		w.note(&t.Note)
	}
	if has&transactionReverses != 0 {
		w.id(t.Reverses)
	}
	if has&transactionReversed != 0 {
		w.amounts(t.Reversed)
	}
}

const sideBits = 2

// postings reads how many postings follow, -1 when the slice was nil.
func (r *reader) postings(has byte) int {
	if n := int(has >> transactionPostings); n > 0 {
		return n
	}
	return int(r.uint()) - 1 //nolint:gosec // a slice had so many
}

// transactionKey reads the place of the key of a transaction, and leaves the reader at its postings.
func (r *reader) transactionKey() (key ref, has byte) {
	r.take(24)
	if has = r.byte(); has&transactionEffective != 0 {
		r.int()
	}
	return r.ref(), has
}

// postingAccounts reads the accounts of the postings of a transaction.
func (r *reader) postingAccounts(space []uint32) []uint32 {
	_, has := r.transactionKey()
	for range r.postings(has) {
		space = append(space, uint32(r.uint()>>sideBits)) //nolint:gosec // written from 32 and 2 bits
		r.amount()
	}
	return space
}

func (r *reader) transactionRow() (t ledger.Transaction) {
	t.ID, t.RecordedAt = r.idAndTime()
	has := r.byte()
	t.EffectiveAt = t.RecordedAt
	if has&transactionEffective != 0 {
		t.EffectiveAt = r.time()
	}
	t.Key = r.bulk.text(r.book.keys.bytes(r.ref()))
	if n := r.postings(has); n >= 0 {
		t.Postings = r.bulk.takePostings(n)
	}
	for i := range t.Postings {
		v := r.uint()
		t.Postings[i] = ledger.Posting{Account: r.book.accounts.id(uint32(v >> sideBits)), Side: ledger.Side(v % (1 << sideBits)), Amount: r.amount()} //nolint:gosec // written from 32 and 2 bits
	}
	if has&transactionNote != 0 {
		t.Note = r.note()
	}
	if has&transactionReverses != 0 {
		t.Reverses = r.id()
	}
	t.Imported = has&transactionImported != 0
	if has&transactionReversed != 0 {
		t.Reversed = r.amounts()
	}
	return t
}
