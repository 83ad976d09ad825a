package memory

import (
	"context"
	"errors"

	"github.com/koshpay/kosh/ledger"
)

// Number implements [ledger.Poster]. next and seal run under the lock of the book: they must not call the store.
func (s *Store) Number(ctx context.Context, book string, limit int, sequence string, next func(*ledger.Change, *ledger.Transaction), seal func(uint64) (ledger.Block, bool)) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	b := s.book(book)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	numbered := b.plainPending(limit, next)
	if len(numbered) == 0 {
		return 0, nil
	}
	last := uint64(0)
	if row := b.sequences.rows[sequence]; row != nil {
		last = row.Last
	}
	block, ok := seal(last)
	if !ok {
		return 0, nil
	}
	if err := b.number(numbered, &block, sequence); err != nil {
		return 0, err
	}
	return len(numbered), nil
}

// plainPending calls next with the first pending rows, up to the first that is not as putPlainPending writes it, and
// returns the places of their transactions.
func (b *book) plainPending(limit int, next func(*ledger.Change, *ledger.Transaction)) []ref {
	s := &b.scratch
	s.places = s.places[:0]
	lent := &s.lent
	lent.lend = true
	var t ledger.Transaction
	c := ledger.Change{Kind: ledger.ChangeTransaction}
	for _, chunk := range b.pending.list.chunks {
		for _, at := range chunk {
			r := b.reader(at)
			r.buf = b.pending.space.from(at)
			c.Entry, c.RecordedAt = r.idAndTime()
			if len(s.places) == limit || string(r.take(uint64(len(plainChange)))) != plainChange {
				return s.places
			}
			transaction := r.ref()
			s.places = append(s.places, transaction)
			r = reader{book: b, buf: b.space.from(transaction), bulk: lent}
			t = r.transactionRow()
			c.Key, c.Transaction = t.Key, t.ID
			next(&c, &t)
		}
	}
	return s.places
}

// plainChange is how the change of a row that Post leaves is written, without position and up to the place of the
// transaction: how many changes there are, and what writer.change writes.
var plainChange = string([]byte{1 + 1, 0, changeOfKey | changeTransaction, byte(ledger.ChangeTransaction) | keyOfTransaction})

// number moves the first pending rows into the feed.
func (b *book) number(transactions []ref, block *ledger.Block, sequence string) error {
	if b.space.full() {
		return errFull
	}
	if err := b.checkFeed([]ledger.Change{{Position: block.First}}); err != nil {
		return err
	}
	if block.Last-block.First+1 != uint64(len(transactions)) || b.blocks.has(block) {
		return errors.New("memory: a block is there already, or of other changes")
	}
	b.pending.dropFirst(len(transactions))
	w := &b.write // without how many and no position
	for i, at := range transactions {
		w.begin()
		w.uint(block.First + uint64(i))
		w.buf = append(w.buf, plainChange[2:]...)
		w.ref(at)
		b.feed.add(b.space.add(w.buf))
	}
	b.blocks.put(block)
	b.sequences.put(&ledger.SequenceRow{Name: sequence, Last: block.Last})
	return nil
}
