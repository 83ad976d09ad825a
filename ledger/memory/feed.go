package memory

import (
	"encoding/binary"

	"github.com/koshpay/kosh/ledger"
)

// What a change may have. Most are of an entry that has a key, and its id and time are those of the key's receipt.
const (
	changeOfKey = 1 << iota
	changeAccount
	changeTransaction
	changeHold
	changeDocument
	changeVersion
	changeState
	changeAmount
)

// keyOfTransaction is in the byte of the kind: the key is that of the transaction.
const keyOfTransaction = 1 << 7

func (w *writer) change(c *ledger.Change) {
	w.uint(c.Position)
	key := w.book.keys.word(c.Key)
	ofKey := false
	if row := w.book.keys.row(key); row != 0 {
		id, micros := w.book.keyTime(row)
		ofKey = id == c.Entry && micros == c.RecordedAt.UnixMicro()
	}
	has := bit(ofKey, changeOfKey) | bit(c.Account != ledger.AccountID{}, changeAccount) | bit(c.Transaction != ledger.ID{}, changeTransaction) |
		bit(c.Hold != ledger.ID{}, changeHold) | bit(c.Document != ledger.DocumentID{}, changeDocument) |
		bit(c.Version != 0, changeVersion) | bit(c.State != "", changeState) | bit(c.Amount.IsValid(), changeAmount)
	at := ref(0)
	if has&changeTransaction != 0 {
		at = w.book.transactions.known(c.Transaction)
	}
	ofTransaction := false
	if at != 0 {
		r := w.book.reader(at)
		other, _ := r.transactionKey()
		ofTransaction = other == key
	}
	w.byte(has)
	w.byte(byte(c.Kind) | bit(ofTransaction, keyOfTransaction))
	if ofTransaction {
		w.ref(at)
	} else {
		w.uint(uint64(key))
	}
	if has&changeOfKey == 0 {
		w.idAndTime(c.Entry, c.RecordedAt)
	}
	if has&changeTransaction != 0 && !ofTransaction {
		w.transaction(c.Transaction)
	}
	if has&changeAccount != 0 {
		w.account(c.Account)
	}
	if has&changeHold != 0 {
		w.id(c.Hold)
	}
	if has&changeDocument != 0 {
		w.text(c.Document.Kind)
		w.text(c.Document.ID)
	}
	if has&changeVersion != 0 {
		w.uint(c.Version)
	}
	if has&changeState != 0 {
		w.text(c.State)
	}
	if has&changeAmount != 0 {
		w.amount(c.Amount)
	}
}

func (r *reader) change(c *ledger.Change) {
	c.Position = r.uint()
	has := r.byte()
	kind := r.byte()
	c.Kind = ledger.ChangeKind(kind &^ keyOfTransaction)
	var key ref
	if kind&keyOfTransaction != 0 {
		at := r.ref()
		c.Transaction = r.book.transactions.idAt(at)
		of := r.book.reader(at)
		key, _ = of.transactionKey()
	} else {
		key = ref(r.uint()) //nolint:gosec // written from 32 bits
	}
	c.Key = r.bulk.text(r.book.keys.bytes(key))
	if has&changeOfKey != 0 {
		id, micros := r.book.keyTime(r.book.keys.row(key))
		c.Entry, c.RecordedAt = id, microTime(micros)
	} else {
		c.Entry, c.RecordedAt = r.idAndTime()
	}
	if has&changeTransaction != 0 && kind&keyOfTransaction == 0 {
		c.Transaction = r.transaction()
	}
	if has&changeAccount != 0 {
		c.Account = r.account()
	}
	if has&changeHold != 0 {
		c.Hold = r.id()
	}
	if has&changeDocument != 0 {
		c.Document = ledger.DocumentID{Kind: r.text(), ID: r.text()}
	}
	if has&changeVersion != 0 {
		c.Version = r.uint()
	}
	if has&changeState != 0 {
		c.State = r.text()
	}
	if has&changeAmount != 0 {
		c.Amount = r.amount()
	}
}

// byNumber orders records that begin with a number.
func byNumber(space *arena) *places[ref] {
	number := func(at ref) uint64 {
		n, _ := binary.Uvarint(space.from(at))
		return n
	}
	return &places[ref]{
		compare: func(a, b ref) int {
			return ledger.Position{Number: number(a)}.Compare(ledger.Position{Number: number(b)})
		},
		against: func(a ref, at ledger.Position) int { return ledger.Position{Number: number(a)}.Compare(at) },
	}
}

func (b *book) putChange(c *ledger.Change) {
	b.write.begin()
	b.write.change(c)
	b.feed.add(b.space.add(b.write.buf))
}

// checkFeed says what is wrong with changes to be written. Those of a ledger ascend and follow the last one.
func (b *book) checkFeed(rows []ledger.Change) error {
	follow, last := true, uint64(0)
	if n := len(b.feed.chunks); n > 0 {
		chunk := b.feed.chunks[n-1]
		r := b.reader(chunk[len(chunk)-1])
		last = r.uint()
	}
	for i := range rows {
		follow = follow && (rows[i].Position > last || i == 0 && b.feed.size == 0)
		last = rows[i].Position
	}
	if follow {
		return nil
	}
	return once("change", rows, func(c *ledger.Change) uint64 { return c.Position }, func(c *ledger.Change) bool {
		_, there := b.feed.get(c.FeedPosition())
		return there
	})
}

func (b *book) pageOfFeed(r ledger.Range) []ledger.Change {
	shared := newBulk(min(r.Limit, b.feed.size))
	return pageOf(&b.feed, r, func(at ref) (c ledger.Change) {
		r := reader{book: b, buf: b.space.from(at), bulk: shared}
		r.change(&c)
		return c
	})
}

// putPending adds a row that waits for the sequencer. The space of these rows is used again.
func (b *book) putPending(p *ledger.PendingRow) {
	b.write.begin()
	b.write.idAndTime(p.Entry, p.RecordedAt)
	if p.Changes == nil {
		b.write.uint(0)
	} else {
		b.write.uint(uint64(len(p.Changes)) + 1)
	}
	for i := range p.Changes {
		b.write.change(&p.Changes[i])
	}
	b.pending.put(b.write.buf, b.pending.hash(p.Entry))
}

func (b *book) readPending(n int) func(ref) ledger.PendingRow {
	shared := newBulk(n)
	return func(at ref) (p ledger.PendingRow) {
		r := reader{book: b, buf: b.pending.space.from(at), bulk: shared}
		p.Entry, p.RecordedAt = r.idAndTime()
		if n := r.uint(); n > 0 {
			p.Changes = r.bulk.takeChanges(int(n - 1)) //nolint:gosec // a slice had so many
		}
		for i := range p.Changes {
			r.change(&p.Changes[i])
		}
		return p
	}
}
