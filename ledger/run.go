package ledger

import (
	"context"
	"errors"
	"time"
)

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

// The most that one round of Run takes on at a time.
const (
	runHolds   = 100
	runEntries = 1_000
)

// Run expires holds, and numbers and seals the feed, until ctx ends, and returns ctx.Err(). Any number may run on one book;
// one of them at a time has the sequencer's lease. When the store is Unavailable it waits, longer each time up to a
// second, and tries again; any other failure, such as Corrupt, is returned at once.
func (b *Book) Run(ctx context.Context) error {
	s := b.Sequencer()
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = s.Close(ending) // or it lapses
	}()
	rest := b.rest
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		err := b.round(ctx, s)
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
func (b *Book) round(ctx context.Context, s *Sequencer) error {
	for {
		expired, err := b.ExpireHolds(ctx, runHolds)
		if err != nil {
			return err
		}
		numbered, err := s.Number(ctx, runEntries)
		if err != nil {
			return err
		}
		if expired == 0 && numbered == 0 {
			return nil
		}
	}
}
