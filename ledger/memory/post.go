package memory

import (
	"context"
	"encoding/binary"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

var _ ledger.Poster = (*Store)(nil)

// Self implements [ledger.Poster].
func (s *Store) Self() ledger.Store { return s }

// Post implements [ledger.Poster]. decide runs under the lock of the book: it must not call the store. It writes the very
// records that Update would, without making rows of them first.
func (s *Store) Post(ctx context.Context, book string, entries []*ledger.PlainEntry, decide ledger.DecidePlain) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b := s.book(book)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	recorded := 0
	for recorded < len(entries) {
		if b.space.full() || b.pending.space.full() {
			return recorded, errFull
		}
		some := entries[recorded:min(recorded+postAhead, len(entries))]
		n := b.post(some, decide)
		if recorded += n; n < len(some) {
			break
		}
	}
	return recorded, nil
}

// postAhead is how many entries are looked up before the first of them is decided.
const postAhead = 64

// poster is the space to post in.
type poster struct {
	entries  []postEntry
	accounts []uint32 // the numbers of the accounts of all entries
	hashes   []uint32 // of those accounts
	infos    [ledger.MaxPlainPostings]ledger.AccountInfo
	posted   [ledger.MaxPlainPostings]currency.Amount
}

// postEntry is where an entry belongs in the indexes.
type postEntry struct {
	key, transaction seat
	first            int // of its accounts in poster.accounts
}

// post records entries up to the first that it leaves, and returns how many.
func (b *book) post(entries []*ledger.PlainEntry, decide ledger.DecidePlain) int {
	b.lookAhead(entries)
	s := &b.scratch.post
	for i, e := range entries {
		at := &s.entries[i]
		b.keys.index.again(&at.key, b.keys.isText(e.Key))
		b.transactions.index.again(&at.transaction, b.transactions.isID(e.Transaction))
		if b.keys.row(ref(at.key.number)) != 0 || at.transaction.number != 0 {
			return i
		}
		accounts := s.accounts[at.first : at.first+len(e.Accounts)]
		for j, n := range accounts {
			if !b.accounts.readPlain(n, &s.infos[j]) {
				return i
			}
		}
		if !decide(e, s.infos[:len(accounts)], s.posted[:len(e.Postings)]) {
			return i
		}
		b.putPlain(e, at, accounts)
		b.putPlainPending(e, ref(at.transaction.number))
	}
	return len(entries)
}

// lookAhead finds the places of everything that the entries name. It goes over them in steps and not one by one, so that a
// processor waits for the memory of many of them at the same time.
func (b *book) lookAhead(entries []*ledger.PlainEntry) {
	s := &b.scratch.post
	s.entries, s.accounts, s.hashes = s.entries[:0], s.accounts[:0], s.hashes[:0]
	for _, e := range entries {
		s.entries = append(s.entries, postEntry{
			key: seat{hash: b.keys.hash(e.Key)}, transaction: seat{hash: b.transactions.hash(e.Transaction)},
			first: len(s.hashes),
		})
		for i := range e.Accounts {
			s.hashes = append(s.hashes, b.accounts.hash(e.Accounts[i]))
		}
	}
	for _, h := range s.hashes {
		s.accounts = append(s.accounts, b.accounts.index.first(h))
	}
	for i, e := range entries {
		at := &s.entries[i]
		at.key = b.keys.index.seek(at.key.hash, b.keys.isText(e.Key))
		at.transaction = b.transactions.index.seek(at.transaction.hash, b.transactions.isID(e.Transaction))
	}
	var touched uint64
	for _, n := range s.accounts {
		if n != 0 {
			row := b.accounts.row(n)
			touched += uint64(len(b.accounts.name(n).path)) + uint64(row.updated) //nolint:gosec // any number does
		}
	}
	for _, n := range s.accounts {
		if n == 0 {
			continue
		}
		if path := b.accounts.name(n).path; path != "" {
			touched += uint64(path[0])
		}
		if list := &b.accounts.row(n).lines; list.newest != 0 {
			touched += uint64(b.space.from(list.newest)[0])
		}
	}
	b.scratch.touched += touched
	for i, e := range entries {
		numbers := s.accounts[s.entries[i].first:]
		for j := range e.Accounts {
			if n := numbers[j]; n != 0 && !b.accounts.is(n, &e.Accounts[j]) { // another one with the same hash
				numbers[j] = b.accounts.find(e.Accounts[j])
			}
		}
	}
}

// putPlain writes an entry that is decided, but for what is pending: the text of the key when it is new, the transaction, the
// row of the key and the lines, one after the other in one piece. It leaves the place of the transaction in its seat.
func (b *book) putPlain(e *ledger.PlainEntry, at *postEntry, accounts []uint32) {
	s, w := &b.scratch.post, &b.write
	var numbers [ledger.MaxPlainPostings]uint32
	for i := range e.Postings {
		numbers[i] = accounts[e.Of[i]]
	}
	space, start := b.space.open(plainBytes(e))
	buf := w.buf
	w.buf, w.last = space, nil

	word := ref(at.key.number)
	if word == 0 {
		word = start
		b.keys.index.sit(&at.key, uint32(word))
		w.ref(0) // the row, below
		w.text(e.Key)
		w.align()
	}
	transaction := start + ref(len(w.buf)/refUnit) //nolint:gosec // within the chunk
	w.plainTransaction(e, word, numbers[:len(e.Postings)])
	w.align()
	row := start + ref(len(w.buf)/refUnit) //nolint:gosec // within the chunk
	w.plainKey(e, transaction, s.infos[:len(accounts)])

	var lines [ledger.MaxPlainPostings]ref
	for i := range e.Postings {
		w.align()
		lines[i] = start + ref(len(w.buf)/refUnit) //nolint:gosec // within the chunk
		b.putPlainLine(e, i, numbers[i], transaction)
	}
	b.space.close(w.buf, start)
	w.buf = buf

	binary.LittleEndian.PutUint32(b.space.from(word), uint32(row))
	b.keys.addFresh(word)
	b.transactions.index.sit(&at.transaction, uint32(transaction))
	b.transactions.list.add(transaction)
	at.transaction.number = uint32(transaction)
	for i := range e.Postings {
		b.appendLine(&b.accounts.row(numbers[i]).lines, lines[i])
	}
	for j, n := range accounts {
		row, info := b.accounts.row(n), &s.infos[j]
		row.posted, row.version = unitsOf(info.Posted), info.Version
		row.updated, row.expiry = info.UpdatedAt.UnixMicro(), info.NextExpiry.UnixMicro()
	}
}

// plainBytes is at least what putPlain needs.
func plainBytes(e *ledger.PlainEntry) int {
	const head, posting, field = 128, 160, binary.MaxVarintLen64
	size := head + len(e.Key) + posting*len(e.Postings) + len(e.Note.Reference) + len(e.Note.Description)
	for k, v := range e.Note.Meta {
		size += len(k) + len(v) + 2*field
	}
	return size
}

func (w *writer) align() {
	for len(w.buf)%refUnit != 0 {
		w.buf = append(w.buf, 0)
	}
}

func (w *writer) plainTransaction(e *ledger.PlainEntry, word ref, numbers []uint32) {
	w.transactionOf(&ledger.Transaction{
		ID: e.Transaction, Postings: e.Postings, RecordedAt: e.RecordedAt, EffectiveAt: e.EffectiveAt, Note: *e.Note,
	}, word, numbers)
}

// plainKey writes what keyRow would.
func (w *writer) plainKey(e *ledger.PlainEntry, transaction ref, accounts []ledger.AccountInfo) {
	has := keyTransaction | keyDigest | keyLines | bit(near(e.ID, e.Transaction), keyNear)
	w.byte(has)
	w.keyID(e.ID, has)
	w.ref(transaction)
	w.buf = append(w.buf, e.Digest[:]...)
	w.byte(byte(len(accounts))) //nolint:gosec // at most MaxPlainPostings
	for j := range accounts {
		posting := 0
		for int(e.Of[posting]) != j {
			posting++
		}
		w.byte(byte(posting))
		w.uint(accounts[j].Version)
	}
}

// putPlainLine writes what line would. The version is the next of its account, so an account that has several postings is
// counted as they come.
func (b *book) putPlainLine(e *ledger.PlainEntry, i int, n uint32, transaction ref) {
	s, w, row := &b.scratch.post, &b.write, b.accounts.row(n)
	row.version++
	number := row.lines.count
	for j := range i {
		if e.Of[j] == e.Of[i] {
			number++ // its lines are appended later
		}
	}
	w.last = nil
	w.byte(bit(row.version == uint64(number)+1, lineInTurn) | lineKnown | lineSameTimes | linePosting)
	w.byte(byte(ledger.LinePosted) | byte(i)<<lineSideShift) //nolint:gosec // below MaxPlainPostings
	if row.version != uint64(number)+1 {
		w.uint(row.version)
	}
	w.ref(transaction)
	w.amount(s.posted[i])
	w.amount(s.infos[e.Of[i]].Held)
	row.lines.time, row.lines.version = e.RecordedAt.UnixMicro(), max(row.lines.version, row.version)
}

// putPlainPending writes what putPending would.
func (b *book) putPlainPending(e *ledger.PlainEntry, transaction ref) {
	w := &b.write
	w.begin()
	w.idAndTime(e.ID, e.RecordedAt)
	w.buf = append(w.buf, plainChange...)
	w.ref(transaction)
	b.pending.addUnsettled(w.buf)
}
