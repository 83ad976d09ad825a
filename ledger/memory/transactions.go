package memory

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// transactions keeps transactions as records that begin with their ids: in one list by the time recorded and in one by id. Ids
// that a ledger makes ascend, so both lists grow at the end, and a new id is known to be new at a glance.
type transactions struct {
	space *arena
	list  order[ref]
	ids   order[ref]

	// What the update that runs has put, in order, and the one that was asked for last: what is written next refers to the
	// same, or to the one after it.
	recent []recentID
	turn   int
}

type recentID struct {
	id ledger.ID
	at ref
}

func newTransactions(space *arena) *transactions {
	return &transactions{space: space, list: order[ref]{places: byTime(space)}, ids: order[ref]{places: byID(space)}}
}

// byID orders records that begin with an id.
func byID(space *arena) *places[ref] {
	return &places[ref]{compare: func(a, b ref) int { return bytes.Compare(space.from(a)[:16], space.from(b)[:16]) }}
}

// seek returns the place of an id in the list of ids, and its record, or 0.
func (t *transactions) seek(id ledger.ID) (chunk, i int, at ref) {
	chunk, i = t.ids.searchLate(func(at ref) bool { return bytes.Compare(t.space.from(at)[:16], id[:]) >= 0 })
	if chunk < len(t.ids.chunks) {
		if at = t.ids.chunks[chunk][i]; t.is(at, id) {
			return chunk, i, at
		}
	}
	return chunk, i, 0
}

// at returns the place of the record with an id, or 0.
func (t *transactions) at(id ledger.ID) ref {
	_, _, at := t.seek(id)
	return at
}

// isNew reports whether an id is above all others.
func (t *transactions) isNew(id *ledger.ID) bool {
	last, any := t.ids.last()
	return !any || bytes.Compare(t.space.from(last)[:16], id[:]) < 0
}

// known is at for who writes, and quick for what was just put.
func (t *transactions) known(id ledger.ID) ref {
	for _, i := range [...]int{t.turn, t.turn + 1, 0} {
		if i < len(t.recent) && t.recent[i].id == id {
			t.turn = i
			return t.recent[i].at
		}
	}
	return t.at(id)
}

// begin forgets what was put by the last update.
func (t *transactions) begin() {
	t.turn = 0
	if t.recent = t.recent[:0]; cap(t.recent) > muchScratch {
		t.recent = nil
	}
}

func (t *transactions) is(at ref, id ledger.ID) bool { return [16]byte(t.space.from(at)) == id }

func (t *transactions) idAt(at ref) ledger.ID { return ledger.ID(t.space.from(at)) }

// put adds a record, in place of that with the same id.
func (t *transactions) put(record []byte) {
	id := ledger.ID(record)
	chunk, i, old := t.seek(id)
	at := t.space.add(record)
	t.recent = append(t.recent, recentID{id, at})
	if old == 0 {
		t.ids.insert(chunk, i, at)
		t.list.add(at)
		return
	}
	t.ids.chunks[chunk][i] = at
	chunk, i = t.list.search(func(other ref) bool { return t.list.places.compare(other, old) >= 0 })
	if t.list.places.compare(old, at) == 0 {
		t.list.chunks[chunk][i] = at
	} else {
		t.list.cut(chunk, i)
		t.list.add(at)
	}
}

// add adds a record whose id is not there yet, and perhaps is above all others.
func (t *transactions) add(at ref, isNew bool) {
	if isNew {
		t.ids.push(at)
	} else {
		t.ids.add(at)
	}
	t.list.add(at)
}

// find reads those with the ids that exist, each once. Ids are asked for in order most often, and so is the list.
func (t *transactions) find(ids []ledger.ID, s *scratch, read func(ref) ledger.Transaction) (found []ledger.Transaction) {
	if len(ids) == 0 {
		return nil
	}
	s.once.begin(len(ids))
	chunk, i := 0, 0
	for n, id := range ids {
		at := t.ids.after(&chunk, &i)
		if at == 0 || !t.is(at, id) {
			if chunk, i, at = t.seek(id); at == 0 {
				chunk = len(t.ids.chunks)
				continue
			}
		}
		if !s.once.add(uint64(at)) {
			continue
		}
		if found == nil {
			found = make([]ledger.Transaction, 0, len(ids)-n)
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

func (t *transactions) clone(space *arena) *transactions {
	same := func(at ref) ref { return at }
	c := newTransactions(space)
	c.list, c.ids = *t.list.clone(c.list.places, same), *t.ids.clone(c.ids.places, same)
	return c
}

// times returns the times of a transaction, in microseconds.
func (t *transactions) times(at ref) (recorded, effective int64) {
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
	transactionRare            // another byte says what
	transactionNear            // of a plain entry, whose id was made just before its transaction's
	transactionPostings = iota // the four bits from here on: how many, or 0 when a number says it
)

const (
	transactionReverses = 1 << iota
	transactionImported
	transactionReversed
)

// putTransactions adds transactions, or puts them in the place of those that are there.
func (b *book) putTransactions(rows []ledger.Transaction) {
	for i := range rows {
		b.write.begin()
		b.write.transactionRow(&rows[i])
		b.transactions.put(b.write.buf)
	}
}

func (b *book) readTransactions(n int) func(ref) ledger.Transaction {
	shared := newBulk(n)
	return func(at ref) ledger.Transaction {
		r := b.reader(at)
		r.bulk = shared
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
	rare := bit(t.Reverses != ledger.ID{}, transactionReverses) | bit(t.Imported, transactionImported) |
		bit(t.Reversed != nil, transactionReversed)
	has := bit(!t.EffectiveAt.Equal(t.RecordedAt), transactionEffective) | bit(hasNote(&t.Note), transactionNote) |
		bit(rare != 0, transactionRare)
	few := len(t.Postings) > 0 && len(t.Postings) < 1<<(8-transactionPostings)
	if few {
		has |= byte(len(t.Postings)) << transactionPostings //nolint:gosec // below 16
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
	if rare != 0 {
		w.byte(rare)
	}
	if rare&transactionReverses != 0 {
		w.id(t.Reverses)
	}
	if rare&transactionReversed != 0 {
		w.amounts(t.Reversed)
	}
}

func hasNote(n *ledger.Note) bool { return n.Reference != "" || n.Description != "" || n.Meta != nil }

const sideBits = 2

// transactionHead reads what comes before the postings, and how many these are; −1 when the slice was nil.
func (r *reader) transactionHead() (postings int) {
	if r.at.isPlain() {
		return r.postings(r.plainHead().has)
	}
	_, has := r.transactionKey()
	return r.postings(has)
}

func (r *reader) postings(has byte) int {
	if n := int(has >> transactionPostings); n > 0 {
		return n
	}
	return int(r.uint()) - 1 //nolint:gosec // a slice had so many
}

// keyOf returns the place of the key of a transaction.
func (b *book) keyOf(at ref) ref {
	if at.isPlain() {
		return at
	}
	r := b.reader(at)
	key, _ := r.transactionKey()
	return key
}

// transactionKey reads the place of the key of a transaction that is no plain entry, and leaves the reader after it.
func (r *reader) transactionKey() (key ref, has byte) {
	has = r.buf[24]
	if r.buf = r.buf[25:]; has&transactionEffective != 0 {
		r.int()
	}
	return r.ref(), has
}

// posting is a posting of a transaction, and in the record of a plain entry its line.
type posting struct {
	account      uint32
	side         ledger.Side
	amount       currency.Amount
	posted, held currency.Amount
	version      uint64
}

func (r *reader) posting() (p posting) {
	v := r.uint()
	p.account, p.side = uint32(v>>sideBits), ledger.Side(v%(1<<sideBits)) //nolint:gosec // written from 32 and 2 bits
	p.amount = r.amount()
	if r.at.isPlain() {
		p.posted, p.held, p.version = r.amount(), r.amount(), r.uint()
	}
	return p
}

// postingAccounts reads the accounts of the postings of a transaction.
func (r *reader) postingAccounts(space []uint32) []uint32 {
	for range r.transactionHead() {
		space = append(space, r.posting().account)
	}
	return space
}

func (r *reader) readPostings(into []ledger.Posting) {
	for i := range into {
		p := r.posting()
		into[i] = ledger.Posting{Account: r.book.accounts.id(p.account), Side: p.side, Amount: p.amount}
	}
}

func (r *reader) transactionRow() (t ledger.Transaction) {
	if r.at.isPlain() {
		h := r.plainHead()
		return r.plainTransaction(&h)
	}
	t.ID, t.RecordedAt = r.idAndTime()
	has := r.byte()
	if t.EffectiveAt = t.RecordedAt; has&transactionEffective != 0 {
		t.EffectiveAt = r.time()
	}
	t.Key = r.bulk.text(r.book.keys.bytes(r.ref()))
	if n := r.postings(has); n >= 0 {
		t.Postings = r.bulk.takePostings(n)
	}
	r.readPostings(t.Postings)
	if has&transactionNote != 0 {
		t.Note = r.note()
	}
	if has&transactionRare == 0 {
		return t
	}
	rare := r.byte()
	if rare&transactionReverses != 0 {
		t.Reverses = r.id()
	}
	t.Imported = rare&transactionImported != 0
	if rare&transactionReversed != 0 {
		t.Reversed = r.amounts()
	}
	return t
}
