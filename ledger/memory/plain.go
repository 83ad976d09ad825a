package memory

import (
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// An entry that came in by Post is one record, and that record is its transaction, the row of its key, the text of the key, a
// line a posting, and what waits for the feed and is in it later: one place to write and one to look at. A ref says by its
// highest bit that it is of such a record, so every list and index can have both kinds.
//
// The record begins as that of any transaction does, see transactionOf:
//
//	id, time, what it has, [time of its own]
//	length of the key, key
//	id of the entry, the first half left out when near
//	a posting: account and side, amount, and of its line: posted and held balance, version
//	[note]

// plainFact stands where other transactions say that they have something rare, which a plain entry has not.
const plainFact = transactionRare

// plain writes the record of an entry whose accounts stand as decided. Space has room for it.
func (w *writer) plain(e *ledger.PlainEntry, numbers []uint32, posted []currency.Amount, accounts []ledger.AccountInfo) {
	w.idAndTime(e.Transaction, e.RecordedAt)
	nearby := near(e.ID, e.Transaction)
	noted := hasNote(e.Note)
	w.byte(bit(e.Dated, transactionEffective) | bit(noted, transactionNote) | bit(e.Fact, plainFact) | bit(nearby, transactionNear) |
		byte(len(e.Postings))<<transactionPostings) //nolint:gosec // at most MaxPlainPostings
	if e.Dated {
		w.time(e.EffectiveAt)
	}
	w.text(e.Key)
	if nearby {
		w.buf = append(w.buf, e.ID[8:]...)
	} else {
		w.id(e.ID)
	}
	w.last = nil
	var lines [ledger.MaxPlainPostings]uint64 // of each account's postings
	for i := range e.Postings {
		lines[e.Of[i]]++
	}
	for i := range e.Postings {
		p, a := &e.Postings[i], &accounts[e.Of[i]]
		w.uint(uint64(numbers[i])<<sideBits | uint64(p.Side))
		w.amount(p.Amount)
		w.amount(posted[i])
		w.amount(a.Held)
		lines[e.Of[i]]--
		w.uint(a.Version - lines[e.Of[i]])
	}
	if noted {
		w.note(e.Note)
	}
}

// plainBytes is at least what plain needs.
func plainBytes(e *ledger.PlainEntry) int {
	const head, posting, field = 96, 96, 10
	size := head + len(e.Key) + posting*len(e.Postings) + len(e.Note.Reference) + len(e.Note.Description)
	for k, v := range e.Note.Meta {
		size += len(k) + len(v) + 2*field
	}
	return size
}

// plainHead is what the record of a plain entry says before its postings.
type plainHead struct {
	transaction, entry  ledger.ID
	recorded, effective int64
	has                 byte
	key                 []byte
}

func (r *reader) plainHead() (h plainHead) {
	h.transaction, h.recorded, h.has = ledger.ID(r.buf), timeOf(r.buf), r.buf[24]
	r.buf = r.buf[25:]
	if h.effective = h.recorded; h.has&transactionEffective != 0 {
		h.effective = r.int()
	}
	h.key = r.take(r.uint())
	if h.has&transactionNear != 0 {
		half := before(h.transaction)
		copy(h.entry[:8], half[:])
		copy(h.entry[8:], r.take(8))
	} else {
		h.entry = r.id()
	}
	return h
}

// plainKey returns the key in the record of a plain entry.
func plainKey(record []byte) []byte {
	r := reader{buf: record}
	return r.plainHead().key
}

// plainLine reads a posting to an account, but for so many that come before.
func (r *reader) plainLine(account uint32, skip int) posting {
	r.transactionHead()
	for {
		if p := r.posting(); p.account == account {
			if skip--; skip < 0 {
				return p
			}
		}
	}
}

// lineOfPlain reads the line of that posting.
func (r *reader) lineOfPlain(account uint32, skip int) ledger.Line {
	whole := *r
	p, h := r.plainLine(account, skip), whole.plainHead()
	return ledger.Line{
		Account: r.book.accounts.id(account), Version: p.version, Kind: ledger.LinePosted, Side: p.side,
		Amount: p.amount, Posted: p.posted, Held: p.held, Transaction: h.transaction,
		RecordedAt: microTime(h.recorded), EffectiveAt: microTime(h.effective),
	}
}

// keyOfPlain reads the row of the key.
func (r *reader) keyOfPlain() (k ledger.KeyRow) {
	h := r.plainHead()
	whole := *r
	t := whole.plainTransaction(&h)
	e := ledger.PlainEntry{
		Postings: t.Postings, Note: &t.Note, EffectiveAt: t.EffectiveAt,
		Fact: h.has&plainFact != 0, Dated: h.has&transactionEffective != 0,
	}
	k.Key, k.Inputs = t.Key, e.Inputs()
	k.Receipt = ledger.Receipt{
		ID: h.entry, Key: k.Key, RecordedAt: microTime(h.recorded), Results: []ledger.Result{{Transaction: h.transaction}},
	}
	var last [ledger.MaxPlainPostings]posting // of each account
	accounts := 0
	for range int(h.has >> transactionPostings) {
		p := r.posting()
		i := slices.IndexFunc(last[:accounts], func(other posting) bool { return other.account == p.account })
		if i < 0 {
			i = accounts
			accounts++
		}
		last[i] = p
	}
	slices.SortFunc(last[:accounts], func(p, q posting) int { return r.book.accounts.all.places.compare(p.account, q.account) })
	k.Receipt.Balances = make([]ledger.Balance, accounts)
	for i := range k.Receipt.Balances {
		p, b := &last[i], &k.Receipt.Balances[i]
		b.Account, b.Version, b.Posted, b.Held = r.book.accounts.id(p.account), p.version, p.posted, p.held
		b.Available, _ = p.posted.Sub(p.held) // it went when it was decided
	}
	return k
}

// plainChange is what the feed says of it, but for the position.
func (r *reader) plainChange(h *plainHead) ledger.Change {
	return ledger.Change{
		Kind: ledger.ChangeTransaction, Entry: h.entry, Key: r.bulk.text(h.key), RecordedAt: microTime(h.recorded), Transaction: h.transaction,
	}
}

// plainTransaction reads the rest of the transaction.
func (r *reader) plainTransaction(h *plainHead) ledger.Transaction {
	t := ledger.Transaction{
		ID: h.transaction, Key: r.bulk.text(h.key), RecordedAt: microTime(h.recorded), EffectiveAt: microTime(h.effective),
		Postings: r.bulk.takePostings(int(h.has >> transactionPostings)),
	}
	r.readPostings(t.Postings)
	if h.has&transactionNote != 0 {
		t.Note = r.note()
	}
	return t
}
