package memory

import (
	"context"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

var _ ledger.Poster = (*Store)(nil)

// Self implements [ledger.Poster].
func (s *Store) Self() ledger.Store { return s }

// Post implements [ledger.Poster]. decide runs under the lock of the book: it must not call the store. It leaves the rows that
// Update would, all of them in one record.
func (s *Store) Post(ctx context.Context, book string, entries []*ledger.PlainEntry, decide ledger.DecidePlain) (int, error) {
	b, err := s.lock(ctx, book)
	if err != nil {
		return 0, err
	}
	defer b.mu.Unlock()
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
	entries []postEntry
	infos   [ledger.MaxPlainPostings]ledger.AccountInfo
	posted  [ledger.MaxPlainPostings]currency.Amount
}

// postEntry is where an entry belongs.
type postEntry struct {
	key   seat
	first int  // of its accounts in scratch.numbers
	isNew bool // its transaction's id is above all others
}

// post records entries up to the first that it leaves, and returns how many.
func (b *book) post(entries []*ledger.PlainEntry, decide ledger.DecidePlain) int {
	b.lookAhead(entries)
	s := &b.scratch.post
	for i, e := range entries {
		at := &s.entries[i]
		b.keys.index.again(&at.key, b.keys.isText(e.Key))
		at.isNew = b.transactions.isNew(&e.Transaction)
		if at.key.number != 0 || !at.isNew && b.transactions.at(e.Transaction) != 0 {
			return i
		}
		accounts := b.scratch.numbers[at.first : at.first+len(e.Accounts)]
		for j, n := range accounts {
			info := &s.infos[j]
			if !b.accounts.readPlain(n, info) || !b.inTurn(n) {
				return i
			}
			info.ID = e.Accounts[j]
		}
		if !decide(e, s.infos[:len(accounts)], s.posted[:len(e.Postings)]) {
			return i
		}
		b.putPlain(e, at, accounts)
	}
	return len(entries)
}

// inTurn reports whether the next line of an account has the next version and follows all others, as it does when nobody
// but a ledger has written to it.
func (b *book) inTurn(n uint32) bool {
	row := b.accounts.row(n)
	return row.is&oddLines == 0 && row.version == uint64(row.lines.count) && row.lineTime <= row.updated
}

// lookAhead finds the places of everything that the entries name. It goes over them in steps and not one by one, so that a
// processor waits for the memory of many of them at the same time.
func (b *book) lookAhead(entries []*ledger.PlainEntry) {
	all, s := &b.scratch, &b.scratch.post
	s.entries, all.numbers, all.hashes = s.entries[:0], all.numbers[:0], all.hashes[:0]
	for _, e := range entries {
		s.entries = append(s.entries, postEntry{key: seat{hash: b.keys.hash(e.Key)}, first: len(all.hashes)})
		for i := range e.Accounts {
			b.accounts.askFor(&e.Accounts[i], all)
		}
	}
	var touched uint32
	for i := range s.entries { // and nothing else: the less there is between, the more a processor waits for at a time
		touched += b.keys.index.touch(s.entries[i].key.hash)
	}
	all.touched += uint64(touched)
	b.accounts.answer(all)
	for i, e := range entries {
		at := &s.entries[i]
		at.key = b.keys.index.seek(at.key.hash, b.keys.isText(e.Key))
	}
	for i, e := range entries {
		first := s.entries[i].first
		b.accounts.confirm(e.Accounts, all.numbers[first:first+len(e.Accounts)])
	}
}

// putPlain writes an entry that is decided.
func (b *book) putPlain(e *ledger.PlainEntry, at *postEntry, accounts []uint32) {
	s, w := &b.scratch.post, &b.write
	var numbers [ledger.MaxPlainPostings]uint32
	for i := range e.Postings {
		numbers[i] = accounts[e.Of[i]]
	}
	space, place := b.space.open(plainBytes(e))
	buf := w.buf
	w.buf = space
	w.plain(e, numbers[:len(e.Postings)], s.posted[:len(e.Postings)], s.infos[:len(accounts)])
	b.space.close(w.buf, place)
	w.buf = buf

	place |= plainEntry
	b.keys.index.sit(&at.key, uint32(place))
	b.keys.addFresh(place)
	b.transactions.add(place, at.isNew)
	b.pending.addPlain(e, place)
	for i := range e.Postings {
		b.appendLine(&b.accounts.row(numbers[i]).lines, place)
	}
	for j, n := range accounts {
		row, info := b.accounts.row(n), &s.infos[j]
		row.posted, row.version = unitsOf(info.Posted), info.Version
		row.updated = info.UpdatedAt.UnixMicro()
		row.lineTime = row.updated
		b.accounts.setExpiry(n, row, info.NextExpiry)
	}
}
