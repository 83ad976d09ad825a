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
	key, transaction, pending uint32 // hashes
	first                     int    // of its accounts in poster.accounts
}

// post records entries up to the first that it leaves, and returns how many.
func (b *book) post(entries []*ledger.PlainEntry, decide ledger.DecidePlain) int {
	b.lookAhead(entries)
	s := &b.scratch.post
	for i, e := range entries {
		at := &s.entries[i]
		word := b.keys.findHash(at.key, e.Key)
		if b.keys.row(word) != 0 || b.transactions.atHash(e.Transaction, at.transaction) != 0 || b.pending.atHash(e.ID, at.pending) != 0 {
			return i
		}
		accounts := s.accounts[at.first : at.first+len(e.Accounts)]
		for j, n := range accounts {
			if !b.accounts.read(n, &s.infos[j]) {
				return i
			}
		}
		if !decide(e, s.infos[:len(accounts)], s.posted[:len(e.Postings)]) {
			return i
		}
		b.putPlain(e, at, word, accounts)
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
			key: b.keys.hash(e.Key), transaction: b.transactions.hash(e.Transaction), pending: b.pending.hash(e.ID), first: len(s.hashes),
		})
		for i := range e.Accounts {
			s.hashes = append(s.hashes, b.accounts.hash(e.Accounts[i]))
		}
	}
	var touched uint64
	for i := range s.entries {
		touched += uint64(b.keys.index.first(s.entries[i].key)) + uint64(b.transactions.index.first(s.entries[i].transaction))
	}
	for _, h := range s.hashes {
		s.accounts = append(s.accounts, b.accounts.index.first(h))
	}
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

// putPlain writes an entry that is decided. word is the place of the key's text, 0 when it is new.
func (b *book) putPlain(e *ledger.PlainEntry, at *postEntry, word ref, accounts []uint32) {
	s, w := &b.scratch.post, &b.write
	if word == 0 {
		word = b.keys.addWord(e.Key, at.key)
	}
	var numbers [ledger.MaxPlainPostings]uint32
	for i := range e.Postings {
		numbers[i] = accounts[e.Of[i]]
	}
	t := ledger.Transaction{ID: e.Transaction, Postings: e.Postings, RecordedAt: e.RecordedAt, EffectiveAt: e.EffectiveAt, Note: *e.Note}
	w.begin()
	w.transactionOf(&t, word, numbers[:len(e.Postings)])
	transaction := b.transactions.addNew(w.buf, at.transaction)

	var versions [ledger.MaxPlainPostings]uint64
	for j, n := range accounts {
		versions[j] = b.accounts.row(n).version
	}
	line := ledger.Line{Kind: ledger.LinePosted, Transaction: e.Transaction, RecordedAt: e.RecordedAt, EffectiveAt: e.EffectiveAt}
	for i := range e.Postings {
		j := e.Of[i]
		versions[j]++
		line.Side, line.Amount = e.Postings[i].Side, e.Postings[i].Amount
		line.Version, line.Posted, line.Held = versions[j], s.posted[i], s.infos[j].Held
		list := &b.accounts.row(numbers[i]).lines
		w.begin()
		w.lineOf(&line, list.count, transaction, true)
		b.appendLine(list, b.space.add(w.buf))
		list.time, list.version = e.RecordedAt.UnixMicro(), max(list.version, line.Version)
	}
	for j, n := range accounts {
		row, info := b.accounts.row(n), &s.infos[j]
		row.posted, row.version = unitsOf(info.Posted), info.Version
		row.updated, row.expiry = info.UpdatedAt.UnixMicro(), info.NextExpiry.UnixMicro()
	}
	b.putPlainKey(e, word, transaction, accounts)
	b.putPlainPending(e, at, transaction)
}

// putPlainKey writes what keyRow would.
func (b *book) putPlainKey(e *ledger.PlainEntry, word, transaction ref, accounts []uint32) {
	w := &b.write
	w.begin()
	w.id(e.ID)
	w.byte(keyTransaction | keyDigest | keyLines)
	w.ref(transaction)
	w.buf = append(w.buf, e.Digest[:]...)
	w.byte(byte(len(accounts))) //nolint:gosec // at most MaxPlainPostings
	for j := range accounts {
		posting := 0
		for int(e.Of[posting]) != j {
			posting++
		}
		w.uint(uint64(posting)) //nolint:gosec // a place in a slice
		w.uint(b.scratch.post.infos[j].Version)
	}
	record := b.space.add(w.buf) // may move the chunk that grows
	binary.LittleEndian.PutUint32(b.space.from(word), uint32(record))
	b.keys.addFresh(word)
}

// putPlainPending writes what putPending would.
func (b *book) putPlainPending(e *ledger.PlainEntry, at *postEntry, transaction ref) {
	w := &b.write
	w.begin()
	w.idAndTime(e.ID, e.RecordedAt)
	w.uint(1 + 1) // change
	w.uint(0)     // no position yet
	w.byte(changeOfKey | changeTransaction)
	w.byte(byte(ledger.ChangeTransaction) | keyOfTransaction)
	w.ref(transaction)
	b.pending.addNew(w.buf, at.pending)
}
