package memory

import (
	"context"
	"errors"

	"github.com/koshpay/kosh/ledger"
)

// Number implements [ledger.Poster]. next and seal run under the lock of the book: they must not call the store.
func (s *Store) Number(ctx context.Context, book string, limit int, sequence string, next func(*ledger.Change, *ledger.Transaction), seal func(uint64) (ledger.Block, bool)) (int, error) {
	b, err := s.lock(ctx, book)
	if err != nil {
		return 0, err
	}
	defer b.mu.Unlock()
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

// plainPending calls next with the first pending rows, up to the first that is not a plain entry, and returns their places.
func (b *book) plainPending(limit int, next func(*ledger.Change, *ledger.Transaction)) []ref {
	s := &b.scratch
	s.places = s.places[:0]
	lent := &s.lent
	lent.lend = true
	var t ledger.Transaction
	var c ledger.Change
	for _, chunk := range b.pending.list.chunks {
		for _, at := range chunk {
			if len(s.places) == limit || !at.isPlain() {
				return s.places
			}
			s.places = append(s.places, at)
			r := b.reader(at)
			r.bulk = lent
			h := r.plainHead()
			c, t = r.plainChange(&h), r.plainTransaction(&h)
			next(&c, &t)
		}
	}
	return s.places
}

// number moves the first pending rows into the feed.
func (b *book) number(plain []ref, block *ledger.Block, sequence string) error {
	if err := b.checkFeed([]ledger.Change{{Position: block.First}}); err != nil {
		return err
	}
	if block.Last-block.First+1 != uint64(len(plain)) || b.blocks.has(block) {
		return errors.New("memory: a block is there already, or of other changes")
	}
	b.pending.dropFirst(len(plain))
	for i, at := range plain {
		b.feed.add(block.First+uint64(i), at)
	}
	b.blocks.put(block)
	b.sequences.put(&ledger.SequenceRow{Name: sequence, Last: block.Last})
	return nil
}
