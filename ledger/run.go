package ledger

import (
	"context"
	"errors"
	"slices"
	"time"
)

// feedSequence is the name of the row that counts the feed's positions.
const feedSequence = "feed"

// ExpireHolds closes holds whose deadline has come, at most limit of them at a time and all that are due on the accounts
// it meets, and returns how many holds it closed. Nothing depends on it being called: a dead hold is dead. It gives
// the money back on accounts that nobody touches. An expiry is an entry without a key.
func (b *Book) ExpireHolds(ctx context.Context, limit int) (int, error) {
	limit = min(max(limit, 1), MaxPage)
	now := b.Now()
	rows, err := b.store.Scan(ctx, b.name, Range{
		List: ListDueHolds, Limit: limit, Before: &Position{Time: now.Add(time.Microsecond)},
	})
	if err != nil {
		return 0, storeError(err)
	}
	if len(rows.Holds) == 0 {
		return 0, nil
	}
	p := &prepared{ids: minted{make: b.newID}}
	p.id = p.ids.id()
	names := Names{DueHolds: make([]DueHolds, 0, len(rows.Holds))}
	for i := range rows.Holds {
		names.Accounts = append(names.Accounts, rows.Holds[i].Account)
		names.DueHolds = append(names.DueHolds, DueHolds{Account: rows.Holds[i].Account, At: now.Add(expiryWindow)})
	}
	names = names.Sorted()
	p.names.Accounts = names.Accounts
	var closed int
	err = b.store.Update(ctx, b.name, names, sweep(now, p, names, &closed))
	if errors.Is(err, errNothing) {
		return 0, nil // another worker was first
	}
	if err != nil {
		return 0, storeError(err)
	}
	return closed, nil
}

func sweep(now time.Time, p *prepared, asked Names, closed *int) Decide {
	return func(found Rows) (Rows, Names, error) {
		outcomes, write, more := decide(now, []*prepared{p}, asked, found)
		if !more.Empty() {
			asked = asked.And(more).Sorted()
			return Rows{}, more, nil
		}
		*closed = len(write.Holds)
		return write, Names{}, outcomes[0].err
	}
}

// NumberFeed is the sequencer: it gives the changes of at most limit entries their places in the feed and returns how many
// changes it numbered. Any number of workers may call it; every change gets one position, the positions have no gaps, and
// the order within every account and document is kept, because an entry is later than all it builds on and a page of
// what is pending is always its beginning.
func (b *Book) NumberFeed(ctx context.Context, limit int) (int, error) {
	limit = min(max(limit, 1), MaxPage)
	rows, err := b.store.Scan(ctx, b.name, Range{List: ListPending, Limit: limit})
	if err != nil {
		return 0, storeError(err)
	}
	if len(rows.Pending) == 0 {
		return 0, nil
	}
	names := Names{Sequences: []string{feedSequence}}
	for i := range rows.Pending {
		names.Pending = append(names.Pending, rows.Pending[i].Entry)
	}
	var numbered int
	err = b.store.Update(ctx, b.name, names.Sorted(), func(found Rows) (Rows, Names, error) {
		write := number(found)
		if numbered = len(write.Feed); numbered == 0 {
			return Rows{}, Names{}, errUnchanged // another worker was first
		}
		return write, Names{}, nil
	})
	if errors.Is(err, errUnchanged) {
		return 0, nil
	}
	if err != nil {
		return 0, storeError(err)
	}
	return numbered, nil
}

// number moves the pending rows found to the end of the feed.
func number(found Rows) Rows {
	var last uint64
	if len(found.Sequences) > 0 {
		last = found.Sequences[0].Last
	}
	pending := slices.Clone(found.Pending)
	slices.SortFunc(pending, func(a, b PendingRow) int { return a.PendingPosition().Compare(b.PendingPosition()) })
	var write Rows
	for _, p := range pending {
		for _, c := range p.Changes {
			last++
			c.Position = last
			write.Feed = append(write.Feed, c)
		}
		write.Delete.Pending = append(write.Delete.Pending, p.Entry)
	}
	write.Sequences = []SequenceRow{{Name: feedSequence, Last: last}}
	return write
}

// The most that one round of Run takes on at a time.
const (
	runHolds   = 100
	runEntries = 1_000
)

// Run expires holds and numbers the feed until ctx ends, and returns ctx.Err(). Any number may run on one book. When the
// store is Unavailable it waits, longer each time up to a second, and tries again; any other failure, such as Corrupt, is
// returned at once.
func (b *Book) Run(ctx context.Context) error {
	rest := b.rest
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		err := b.round(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			rest = b.rest
		case ClassOf(err) == Unavailable:
			rest = max(b.rest, min(2*rest, time.Second))
		default:
			return err
		}
		timer.Reset(rest)
	}
}

// round does everything that is to be done now.
func (b *Book) round(ctx context.Context) error {
	for {
		expired, err := b.ExpireHolds(ctx, runHolds)
		if err != nil {
			return err
		}
		numbered, err := b.NumberFeed(ctx, runEntries)
		if err != nil {
			return err
		}
		if expired == 0 && numbered == 0 {
			return nil
		}
	}
}
