package ledgertest_test

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// The stores of this file get Update wrong.
var brokenUpdates = []brokenStore{
	{name: "decides outside the lock", check: "updates-of-a-row-are-serial", wrap: func(m *memory.Store) ledger.Store { return decidesOutside{m} }},
	{name: "guards nothing but accounts", check: "every-kind-of-row-is-guarded", wrap: func(m *memory.Store) ledger.Store {
		return &optimist{Store: m, same: func(a, b ledger.Rows) bool { return reflect.DeepEqual(a.Accounts, b.Accounts) }}
	}},
	{name: "does not guard absent rows", check: "absent-rows-are-guarded", wrap: func(m *memory.Store) ledger.Store {
		return &optimist{Store: m, same: func(a, b ledger.Rows) bool { return len(a.Keys) == 0 || reflect.DeepEqual(a, b) }}
	}},
	{name: "reads a second round outside the lock", check: "more-rows-are-guarded", wrap: func(m *memory.Store) ledger.Store { return &secondRoundOutside{Store: m} }},
	{name: "forgets the second round when it starts again", check: "more-rows-are-guarded", wrap: func(m *memory.Store) ledger.Store {
		return &optimist{Store: m, same: func(a, b ledger.Rows) bool { return reflect.DeepEqual(a, b) }, forget: true}
	}},
	{name: "gives only the rows of the last round", check: "more-rows-are-added", wrap: func(m *memory.Store) ledger.Store { return lastRoundOnly{m} }},
	{name: "locks in the order of the names", check: "overlapping-updates-end", stuck: true, wrap: func(m *memory.Store) ledger.Store { return &locksAsNamed{Store: m, locks: map[string]chan struct{}{}} }},
	{name: "keeps its lock when decide panics", check: "a-panic-of-decide-changes-nothing", stuck: true, wrap: func(m *memory.Store) ledger.Store { return &keepsLock{Store: m} }},
	{name: "writes though decide failed", check: "an-error-of-decide-changes-nothing", wrap: func(m *memory.Store) ledger.Store { return noRollback{m} }},
	{name: "translates the error of decide", check: "an-error-of-decide-changes-nothing", wrap: func(m *memory.Store) ledger.Store { return translates{m} }},
	{name: "tears writes", check: "reads-are-one-snapshot", wrap: func(m *memory.Store) ledger.Store { return &inHalves{Store: m} }},
	{name: "applies a half and then fails", check: "history-is-only-added-to", wrap: func(m *memory.Store) ledger.Store { return &inHalves{Store: m} }},
	{name: "writes keys without uniqueness", check: "history-is-only-added-to", wrap: func(m *memory.Store) ledger.Store { return keysTwice{m} }},
	{name: "ignores a cancelled context", check: "a-cancelled-context-does-nothing", wrap: func(m *memory.Store) ledger.Store { return ignoresCancel{m} }},
	{name: "deletes last", check: "deletes-come-first", wrap: func(m *memory.Store) ledger.Store { return deletesLast{m} }},
	{name: "keeps old fields", check: "rows-are-replaced-whole", wrap: func(m *memory.Store) ledger.Store { return mergesOwners{m} }},
}

// put writes rows whatever is there.
func put(ctx context.Context, m *memory.Store, book string, write ledger.Rows) error {
	return m.Update(ctx, book, ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) { return write, ledger.Names{}, nil })
}

// ask runs decide on rows read without a guard, and returns what it was shown last.
func ask(ctx context.Context, m *memory.Store, book string, want ledger.Names, decide ledger.Decide) (found, write ledger.Rows, all ledger.Names, err error) {
	for {
		if found, err = m.Read(ctx, book, want); err != nil {
			return found, write, want, err
		}
		var more ledger.Names
		if write, more, err = decide(found); err != nil || more.Empty() {
			return found, write, want, err
		}
		want = want.And(more).Sorted()
	}
}

// changing lets a store change what decide returns.
func changing(decide ledger.Decide, change func(found ledger.Rows, write *ledger.Rows)) ledger.Decide {
	return func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		write, more, err := decide(found)
		change(found, &write)
		return write, more, err
	}
}

type decidesOutside struct{ *memory.Store }

func (s decidesOutside) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	_, write, _, err := ask(ctx, s.Store, book, want, decide)
	if err != nil {
		return err
	}
	return put(ctx, s.Store, book, write)
}

// optimist compares what decide saw with what is there at commit and starts again; done right it is a good store.
type optimist struct {
	*memory.Store
	same   func(saw, is ledger.Rows) bool
	forget bool
}

func (s *optimist) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	for {
		saw, write, all, err := ask(ctx, s.Store, book, want, decide)
		if err != nil {
			return err
		}
		if !s.forget {
			want = all
		}
		again := false
		err = s.Store.Update(ctx, book, all, func(is ledger.Rows) (ledger.Rows, ledger.Names, error) {
			if again = !s.same(saw, is); again {
				return ledger.Rows{}, ledger.Names{}, nil
			}
			for _, k := range is.Keys { // on conflict do nothing
				write.Keys = slices.DeleteFunc(write.Keys, func(w ledger.KeyRow) bool { return w.Key == k.Key })
			}
			return write, ledger.Names{}, nil
		})
		if err != nil || !again {
			return err
		}
	}
}

type secondRoundOutside struct{ *memory.Store }

func (s *secondRoundOutside) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	_, _, all, err := ask(ctx, s.Store, book, want, decide)
	if err != nil {
		return err
	}
	seen, err := s.Read(ctx, book, all)
	if err != nil {
		return err
	}
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		for _, r := range seen.Sequences {
			if !slices.ContainsFunc(found.Sequences, func(f ledger.SequenceRow) bool { return f.Name == r.Name }) {
				found.Sequences = append(found.Sequences, r)
			}
		}
		return decide(found)
	})
}

type lastRoundOnly struct{ *memory.Store }

func (s lastRoundOnly) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	round := want
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		found.Sequences = slices.DeleteFunc(found.Sequences, func(r ledger.SequenceRow) bool { return !slices.Contains(round.Sequences, r.Name) })
		write, more, err := decide(found)
		round = more
		return write, more, err
	})
}

// locksAsNamed has a lock for every account. Waiting ends with the context, so that the test leaves nothing running.
type locksAsNamed struct {
	*memory.Store
	mu    sync.Mutex
	locks map[string]chan struct{}
}

func (s *locksAsNamed) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	for _, id := range want.Accounts {
		s.mu.Lock()
		lock := s.locks[id.String()]
		if lock == nil {
			lock = make(chan struct{}, 1)
			s.locks[id.String()] = lock
		}
		s.mu.Unlock()
		select {
		case lock <- struct{}{}:
			defer func() { <-lock }()
		case <-ctx.Done():
			return ctx.Err()
		}
		yield()
	}
	return s.Store.Update(ctx, book, want, decide)
}

type keepsLock struct {
	*memory.Store
	once sync.Once
	lock chan struct{}
}

func (s *keepsLock) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	s.once.Do(func() { s.lock = make(chan struct{}, 1) })
	select {
	case s.lock <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := s.Store.Update(ctx, book, want, decide)
	<-s.lock
	return err
}

type noRollback struct{ *memory.Store }

func (s noRollback) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	var failed error
	err := s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		var write ledger.Rows
		var more ledger.Names
		write, more, failed = decide(found)
		return write, more, nil
	})
	if failed != nil {
		return failed
	}
	return err
}

type translates struct{ *memory.Store }

func (s translates) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if err := s.Store.Update(ctx, book, want, decide); err != nil {
		return fmt.Errorf("update failed: %s", err) //nolint:errorlint // broken on purpose
	}
	return nil
}

// inHalves writes accounts and references in one step and everything else in another.
type inHalves struct {
	*memory.Store
	mu sync.Mutex
}

func (s *inHalves) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, write, _, err := ask(ctx, s.Store, book, want, decide)
	if err != nil {
		return err
	}
	if err := put(ctx, s.Store, book, ledger.Rows{Accounts: write.Accounts, References: write.References}); err != nil {
		return err
	}
	yield()
	write.Accounts, write.References = nil, nil
	return put(ctx, s.Store, book, write)
}

// keysTwice takes a second row of one key and drops it, as an insert with "on conflict do nothing" does.
type keysTwice struct{ *memory.Store }

func (s keysTwice) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, changing(decide, func(found ledger.Rows, write *ledger.Rows) {
		write.Keys = slices.DeleteFunc(slices.Clone(write.Keys), func(w ledger.KeyRow) bool {
			return slices.ContainsFunc(found.Keys, func(f ledger.KeyRow) bool { return f.Key == w.Key && !bytes.Equal(f.Inputs, w.Inputs) })
		})
	}))
}

type ignoresCancel struct{ *memory.Store }

func (s ignoresCancel) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(context.WithoutCancel(ctx), book, want, decide)
}

type deletesLast struct{ *memory.Store }

func (s deletesLast) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, changing(decide, func(_ ledger.Rows, write *ledger.Rows) {
		write.Leases = slices.DeleteFunc(slices.Clone(write.Leases), func(l ledger.Lease) bool { return slices.Contains(write.Delete.Leases, l.Document) })
	}))
}

type mergesOwners struct{ *memory.Store }

func (s mergesOwners) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, changing(decide, func(found ledger.Rows, write *ledger.Rows) {
		write.Accounts = slices.Clone(write.Accounts)
		for i := range write.Accounts {
			for _, old := range found.Accounts {
				if a := &write.Accounts[i]; a.ID == old.ID && a.Owner == "" {
					a.Owner = old.Owner
				}
			}
		}
	}))
}
