package ledgertest_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// The stores of this file are found out through a Book: what it promises does not hold on them.
var brokenBooks = []brokenStore{
	{name: "lets a key be used twice at once", check: "a-key-has-one-effect", wrap: careless(func(r *ledger.Rows) { r.Keys, r.Accounts = nil, nil })},
	{name: "notes refused entries in the book", check: "a-refused-entry-leaves-nothing", wrap: func(m *memory.Store) ledger.Store { return &countsTries{Store: m} }},
	{name: "lets accounts change under a decision", check: "nobody-overdraws", wrap: careless(func(r *ledger.Rows) { r.Accounts = nil })},
	{name: "loses lines of accounts that changed", check: "money-is-conserved", wrap: careless(func(r *ledger.Rows) { r.Accounts = nil })},
	{name: "lets holds change under a decision", check: "a-hold-resolves-once", wrap: careless(func(r *ledger.Rows) { r.Accounts, r.Holds = nil, nil })},
	{name: "lets documents change under a decision", check: "one-writer-wins-a-version", wrap: careless(func(r *ledger.Rows) { r.Documents = nil })},
	{name: "lets a reference be taken twice at once", check: "a-reference-has-one-document", wrap: careless(func(r *ledger.Rows) { r.References = nil })},
	{name: "lets leases be taken twice at once", check: "leases-are-exclusive", wrap: careless(func(r *ledger.Rows) { r.Leases = nil })},
	{name: "lets two sequencers number the same", check: "the-feed-has-no-gaps", wrap: careless(func(r *ledger.Rows) { r.Pending, r.Sequences = nil, nil })},
	{name: "takes no more than ten thousand lines at a time", check: "the-largest-entries-are-taken", wrap: func(m *memory.Store) ledger.Store { return narrow{m} }},
	{name: "loses the last row of a full page", check: "queries-equal-brute-force", wrap: scanning(func(rows *ledger.Rows, r ledger.Range) {
		if n := len(rows.Lines); n == r.Limit {
			rows.Lines = rows.Lines[:n-1]
		}
	})},
}

// carelessStore decides outside its lock and starts again when something that it looks at has changed; it does not look at
// everything. Rows of history that are there already it leaves as they are, as an insert with "on conflict do nothing" does.
type carelessStore struct {
	*memory.Store
	forget func(*ledger.Rows)
	mu     sync.Mutex
}

func careless(forget func(*ledger.Rows)) func(*memory.Store) ledger.Store {
	return func(m *memory.Store) ledger.Store { return &carelessStore{Store: m, forget: forget} }
}

func (s *carelessStore) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	for {
		saw, write, all, err := ask(ctx, s.Store, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
			yield()
			return decide(found)
		})
		if err != nil {
			return err
		}
		want = all
		if done, err := s.commit(ctx, book, all, saw, write); done || err != nil {
			return err
		}
	}
}

func (s *carelessStore) commit(ctx context.Context, book string, all ledger.Names, saw, write ledger.Rows) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	is, err := s.Read(ctx, book, all)
	if err != nil {
		return false, err
	}
	keys := is.Keys
	s.forget(&saw)
	s.forget(&is)
	if !reflect.DeepEqual(saw, is) {
		return false, nil
	}
	write.Keys = slices.DeleteFunc(write.Keys, func(w ledger.KeyRow) bool {
		return slices.ContainsFunc(keys, func(k ledger.KeyRow) bool { return k.Key == w.Key })
	})
	write.Lines = slices.DeleteFunc(write.Lines, func(l ledger.Line) bool {
		last := s.last(ctx, book, ledger.Range{List: ledger.ListLines, Account: l.Account})
		return len(last.Lines) > 0 && last.Lines[0].Version >= l.Version
	})
	write.Versions = slices.DeleteFunc(write.Versions, func(d ledger.Document) bool {
		last := s.last(ctx, book, ledger.Range{List: ledger.ListVersions, Document: d.DocumentID})
		return len(last.Versions) > 0 && last.Versions[0].Version >= d.Version
	})
	write.Feed = slices.DeleteFunc(write.Feed, func(c ledger.Change) bool {
		last := s.last(ctx, book, ledger.Range{List: ledger.ListFeed})
		return len(last.Feed) > 0 && last.Feed[0].Position >= c.Position
	})
	return true, put(ctx, s.Store, book, write)
}

func (s *carelessStore) last(ctx context.Context, book string, r ledger.Range) ledger.Rows {
	r.Limit, r.Backward = 1, true
	rows, err := s.Scan(ctx, book, r)
	if err != nil {
		panic(err)
	}
	return rows
}

// countsTries keeps a count of all updates in the book, also of those that were refused.
type countsTries struct {
	*memory.Store
	mu    sync.Mutex
	tries uint64
}

func (s *countsTries) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries++
	if err := put(ctx, s.Store, book, ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "tries", Last: s.tries}}}); err != nil {
		return err
	}
	return s.Store.Update(ctx, book, want, decide)
}

// narrow refuses a write that is too large for it.
type narrow struct{ *memory.Store }

func (s narrow) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		write, more, err := decide(found)
		if len(write.Lines) > 10_000 {
			return ledger.Rows{}, ledger.Names{}, errors.New("too many parameters in a statement")
		}
		return write, more, err
	})
}
