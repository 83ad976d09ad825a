package ledger

import (
	"context"
	"iter"
	"time"
)

// Follow yields the numbered changes after a position (0: all), in order, and waits for more when it has yielded the last
// one, until ctx ends or the caller stops. It looks every [Config.Rest]; a store that is Unavailable is asked again, less
// and less often, down to once a second. The last thing it yields is the error that ended it: ctx.Err(), or a failure
// that waiting does not mend. Whoever keeps the position of the last change safe, and begins there the next time, sees
// every change at least once.
func (b *Book) Follow(ctx context.Context, after uint64) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		rest := b.rest
		timer := time.NewTimer(rest)
		defer timer.Stop()
		for {
			failed := error(nil)
			for c, err := range b.Feed(ctx, after) {
				if err != nil {
					failed = err
					break
				}
				if !yield(c, nil) {
					return
				}
				after, rest = c.Position, b.rest
			}
			switch {
			case ctx.Err() != nil:
				yield(Change{}, ctx.Err())
				return
			case failed != nil && ClassOf(failed) != Unavailable:
				yield(Change{}, failed)
				return
			case failed != nil:
				rest = max(b.rest, min(2*rest, time.Second))
			default:
				rest = b.rest
			}
			timer.Reset(rest)
			select {
			case <-ctx.Done():
			case <-timer.C:
			}
		}
	}
}

// Blocks yields the seals of the feed after a number (0: all), in order.
func (b *Book) Blocks(ctx context.Context, after uint64) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		r := Range{List: ListBlocks, Limit: MaxPage, After: &Position{Number: after}}
		for {
			rows, err := b.store.Scan(ctx, b.name, r)
			if err != nil {
				yield(Block{}, storeError(err))
				return
			}
			for _, block := range rows.Blocks {
				if !yield(block, nil) {
					return
				}
				r.After = &Position{Number: block.Number}
			}
			if len(rows.Blocks) < r.Limit {
				return
			}
		}
	}
}
