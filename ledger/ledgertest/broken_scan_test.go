package ledgertest_test

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// The stores of this file get lists wrong.
var brokenScans = []brokenStore{
	{name: "sorts without case", check: "lists-equal-brute-force", wrap: scanning(func(rows *ledger.Rows, _ ledger.Range) {
		slices.SortStableFunc(rows.Accounts, func(a, b ledger.AccountInfo) int {
			return strings.Compare(strings.ToLower(a.ID.Path), strings.ToLower(b.ID.Path))
		})
	})},
	{name: "fills rows that a list is not about", check: "lists-equal-brute-force", wrap: scanning(func(rows *ledger.Rows, _ ledger.Range) { rows.Versions = rows.Documents })},
	{name: "skips a row between pages", check: "pages-neither-skip-nor-repeat", wrap: scanning(func(rows *ledger.Rows, r ledger.Range) {
		if r.After != nil && len(rows.Transactions) > 0 {
			rows.Transactions = rows.Transactions[1:]
		}
	})},
	{name: "includes the bound", check: "bounds-equal-brute-force", wrap: func(m *memory.Store) ledger.Store { return includesBefore{m} }},
	{name: "turns the first page round", check: "bounds-equal-brute-force", wrap: func(m *memory.Store) ledger.Store { return turnsRound{m} }},
	{name: "lists dead holds as due", check: "lists-follow-their-rows", wrap: func(m *memory.Store) ledger.Store { return duesForever{m} }},
	{name: "takes no limit for no limit", check: "bad-ranges-are-refused", wrap: func(m *memory.Store) ledger.Store { return zeroIsAll{m} }},
	{name: "pages by offset", check: "pages-stand-still-under-writes", wrap: func(m *memory.Store) ledger.Store { return &offsets{Store: m, seen: map[string]int{}} }},
}

// scans changes pages on their way out.
type scans struct {
	*memory.Store
	change func(rows *ledger.Rows, r ledger.Range)
}

func scanning(change func(*ledger.Rows, ledger.Range)) func(*memory.Store) ledger.Store {
	return func(m *memory.Store) ledger.Store { return scans{m, change} }
}

func (s scans) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	rows, err := s.Store.Scan(ctx, book, r)
	if err == nil {
		s.change(&rows, r)
	}
	return rows, err
}

type includesBefore struct{ *memory.Store }

func (s includesBefore) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if r.Before != nil {
		next := *r.Before
		next.B += "\x00" // the very next position
		r.Before = &next
	}
	return s.Store.Scan(ctx, book, r)
}

// turnsRound reads the first rows also when the last ones are asked for.
type turnsRound struct{ *memory.Store }

func (s turnsRound) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	backward := r.Backward
	r.Backward = false
	rows, err := s.Store.Scan(ctx, book, r)
	if backward {
		slices.Reverse(rows.Keys)
		slices.Reverse(rows.Accounts)
		slices.Reverse(rows.Lines)
		slices.Reverse(rows.Documents)
	}
	return rows, err
}

type duesForever struct{ *memory.Store }

func (s duesForever) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	rows, err := s.Store.Scan(ctx, book, r)
	if r.List != ledger.ListDueHolds || err != nil {
		return rows, err
	}
	all, err := s.Store.Scan(ctx, book, ledger.Range{List: ledger.ListHolds, Limit: ledger.MaxPage})
	rows.Holds = slices.DeleteFunc(all.Holds, func(h ledger.Hold) bool { return h.ExpiresAt.IsZero() })
	slices.SortFunc(rows.Holds, func(a, b ledger.Hold) int { return a.DuePosition().Compare(b.DuePosition()) })
	return rows, err
}

type zeroIsAll struct{ *memory.Store }

func (s zeroIsAll) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if r.Limit == 0 {
		r.Limit = ledger.MaxPage
	}
	return s.Store.Scan(ctx, book, r)
}

// offsets remembers how many rows of the keys it has shown up to a position, and goes on after so many.
type offsets struct {
	*memory.Store
	mu   sync.Mutex
	seen map[string]int
}

func (s *offsets) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if r.List != ledger.ListKeys || r.Backward {
		return s.Store.Scan(ctx, book, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	skip := 0
	if r.After != nil {
		skip = s.seen[r.After.A]
	}
	rows, err := s.Store.Scan(ctx, book, ledger.Range{List: r.List, Limit: ledger.MaxPage})
	rows.Keys = rows.Keys[min(skip, len(rows.Keys)):]
	rows.Keys = rows.Keys[:min(r.Limit, len(rows.Keys))]
	if n := len(rows.Keys); n > 0 {
		s.seen[rows.Keys[n-1].Key] = skip + n
	}
	return rows, err
}
