package ledgertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// The stores of this file lose, mix up or share rows.
var brokenRows = []brokenStore{
	{name: "keeps milliseconds", check: "rows-come-back-whole", wrap: writing(func(w *ledger.Rows) {
		for i := range w.Documents {
			w.Documents[i].UpdatedAt = w.Documents[i].UpdatedAt.Truncate(time.Millisecond)
		}
	})},
	{name: "returns local times", check: "rows-come-back-whole", wrap: writing(func(w *ledger.Rows) {
		for i := range w.Documents { // which package memory keeps as they are
			w.Documents[i].UpdatedAt = w.Documents[i].UpdatedAt.In(time.FixedZone("somewhere", 3600))
		}
	})},
	{name: "normalises bodies", check: "rows-come-back-whole", wrap: writing(func(w *ledger.Rows) {
		for i := range w.Versions {
			var b bytes.Buffer
			if json.Compact(&b, w.Versions[i].Body) == nil {
				w.Versions[i].Body = b.Bytes()
			}
		}
	})},
	{name: "erases the past and forgets the present", check: "erased-versions-are-replaced", wrap: writing(func(w *ledger.Rows) {
		if len(w.Delete.Versions) > 0 {
			w.Documents = nil
		}
	})},
	{name: "keeps 64 bits of an amount", check: "edges-come-back-whole", wrap: writing(func(w *ledger.Rows) {
		for i := range w.Holds {
			units, _ := w.Holds[i].Amount.Int64()
			w.Holds[i].Amount = currency.MustNew(units, w.Holds[i].Amount.Asset())
		}
	})},
	{name: "takes a bound of zero for none", check: "edges-come-back-whole", wrap: writing(func(w *ledger.Rows) {
		for i := range w.Accounts {
			if w.Accounts[i].Terms.Floor.Sign() == 0 {
				w.Accounts[i].Terms.Floor = currency.Amount{}
			}
		}
	})},
	{name: "finds a row once for each time it is named", check: "absent-rows-are-absent", wrap: func(m *memory.Store) ledger.Store { return findsTwice{m} }},
	{name: "does not expire a hold at its deadline", check: "due-holds-are-found", wrap: func(m *memory.Store) ledger.Store { return dueTooLate{m} }},
	{name: "shares its rows with the caller", check: "callers-cannot-reach-in", wrap: func(m *memory.Store) ledger.Store { return &sharesRows{Store: m, kept: map[string]ledger.KeyRow{}} }},
	{name: "reads from a replica that lags behind", check: "what-was-written-is-seen", wrap: func(m *memory.Store) ledger.Store { return &lags{Store: m, replica: m.Clone()} }},
	{name: "finds references of other books", check: "books-are-apart", wrap: func(m *memory.Store) ledger.Store { return leaks{m} }},
	{name: "folds the case of book names", check: "book-names-are-exact", wrap: func(m *memory.Store) ledger.Store { return foldsBooks{m} }},
	{name: "keeps declines in the process only", check: "answers-outlive-a-restart", wrap: func(m *memory.Store) ledger.Store { return acquits{Store: m} }},
	{name: "forgets leases on a restart", check: "reopening-keeps-all", wrap: func(m *memory.Store) ledger.Store { return forgets{m} }},
}

func yield() {
	for range 20 {
		runtime.Gosched()
	}
}

// writes changes rows on their way in.
type writes struct {
	*memory.Store
	change func(*ledger.Rows)
}

func writing(change func(*ledger.Rows)) func(*memory.Store) ledger.Store {
	return func(m *memory.Store) ledger.Store { return writes{m, change} }
}

func (s writes) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, changing(decide, func(_ ledger.Rows, write *ledger.Rows) {
		write.Accounts, write.Holds, write.Transactions = slices.Clone(write.Accounts), slices.Clone(write.Holds), slices.Clone(write.Transactions)
		write.Documents, write.Versions = slices.Clone(write.Documents), slices.Clone(write.Versions)
		s.change(write)
	}))
}

type findsTwice struct{ *memory.Store }

func (s findsTwice) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	rows, err := s.Store.Read(ctx, book, want)
	var again []ledger.AccountInfo
	for _, id := range want.Accounts {
		for _, a := range rows.Accounts {
			if a.ID == id {
				again = append(again, a)
			}
		}
	}
	rows.Accounts = again
	return rows, err
}

type dueTooLate struct{ *memory.Store }

func (s dueTooLate) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	want.DueHolds = slices.Clone(want.DueHolds)
	for i := range want.DueHolds {
		want.DueHolds[i].At = want.DueHolds[i].At.Add(-time.Microsecond)
	}
	return s.Store.Update(ctx, book, want, decide)
}

// sharesRows hands out the very key rows that it was given.
type sharesRows struct {
	*memory.Store
	mu   sync.Mutex
	kept map[string]ledger.KeyRow
}

func (s *sharesRows) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, changing(decide, func(_ ledger.Rows, write *ledger.Rows) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, k := range write.Keys {
			s.kept[k.Key] = k
		}
	}))
}

func (s *sharesRows) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	rows, err := s.Store.Read(ctx, book, want)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range rows.Keys {
		rows.Keys[i] = s.kept[rows.Keys[i].Key]
	}
	return rows, err
}

// lags reads from a copy that is always one update behind.
type lags struct {
	*memory.Store
	mu      sync.Mutex
	replica *memory.Store
}

func (s *lags) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	before := s.Clone()
	s.mu.Lock()
	s.replica = before
	s.mu.Unlock()
	return s.Store.Update(ctx, book, want, decide)
}

func (s *lags) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	s.mu.Lock()
	replica := s.replica
	s.mu.Unlock()
	return replica.Read(ctx, book, want)
}

type leaks struct{ *memory.Store }

func (s leaks) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	rows, err := s.Store.Read(ctx, book, want)
	if len(rows.References) == 0 {
		other, err := s.Store.Read(ctx, "one", ledger.Names{References: want.References})
		rows.References = other.References
		return rows, err
	}
	return rows, err
}

type foldsBooks struct{ *memory.Store }

func (s foldsBooks) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, strings.ToLower(book), want, decide)
}

type forgets struct{ *memory.Store }

func (s forgets) reopen() ledger.Store {
	c := s.Clone()
	leases, err := c.Scan(context.Background(), "book", ledger.Range{List: ledger.ListLeases, Limit: 1})
	if err != nil || len(leases.Leases) == 0 {
		return s
	}
	if err := put(context.Background(), c, "book", ledger.Rows{Delete: ledger.Names{Leases: []ledger.DocumentID{leases.Leases[0].Document}}}); err != nil {
		panic(err)
	}
	return forgets{c}
}

// acquits does not find the keys of declines after a restart.
type acquits struct {
	*memory.Store
	restarted bool
}

func (s acquits) reopen() ledger.Store { return acquits{s.Store, true} }

func (s acquits) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		if s.restarted {
			found.Keys = slices.DeleteFunc(found.Keys, func(k ledger.KeyRow) bool { return k.Refusal != nil })
		}
		return decide(found)
	})
}
