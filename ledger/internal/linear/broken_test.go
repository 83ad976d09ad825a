package linear

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// forgetsKeys does not find every seventh key that is there: a request that was answered is performed again.
type forgetsKeys struct {
	*memory.Store
	n atomic.Int64
}

func (s *forgetsKeys) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	forget := s.n.Add(1)%7 == 0
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		known := found.Keys
		if forget {
			found.Keys = nil
		}
		write, more, err := decide(found)
		if len(known) > 0 && len(found.Keys) == 0 {
			write.Keys = nil // the first answer stays
		}
		return write, more, err
	})
}

// stale answers every fifth read of accounts as it answered the one before.
type stale struct {
	*memory.Store
	mu  sync.Mutex
	n   int
	old ledger.Rows
}

func (s *stale) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	rows, err := s.Store.Read(ctx, book, want)
	if err != nil || len(want.Accounts) < wallets {
		return rows, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n++; s.n%5 == 0 {
		return s.old, nil
	}
	s.old = rows
	return rows, nil
}

// losesUpdates shows every seventh decide the balances of one change before, as a store does that reads without a lock:
// what is written then forgets that change.
type losesUpdates struct {
	*memory.Store
	n   int
	old map[ledger.AccountID]ledger.AccountInfo
}

func (s *losesUpdates) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		s.n++ // the store lets one in at a time
		if s.n%7 == 0 {
			found.Accounts = slices.Clone(found.Accounts)
			for i := range found.Accounts {
				if old, known := s.old[found.Accounts[i].ID]; known {
					found.Accounts[i].Posted, found.Accounts[i].Held = old.Posted, old.Held
				}
			}
		}
		write, more, err := decide(found)
		for _, a := range found.Accounts {
			s.old[a.ID] = a
		}
		return write, more, err
	})
}

// losesWrites drops every ninth write and says that all went well.
type losesWrites struct {
	*memory.Store
	n atomic.Int64
}

func (s *losesWrites) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		write, more, err := decide(found)
		if err == nil && more.Empty() && s.n.Add(1)%9 == 0 {
			write = ledger.Rows{}
		}
		return write, more, err
	})
}

// losesPosts drops every ninth transfer that goes the shorter way and says that all went well.
type losesPosts struct {
	*memory.Store
	n int
}

func (s *losesPosts) Self() ledger.Store { return s }

func (s *losesPosts) Post(ctx context.Context, book string, entries []*ledger.PlainEntry, decide ledger.DecidePlain) (int, error) {
	lost := false
	done, err := s.Store.Post(ctx, book, entries, func(e *ledger.PlainEntry, accounts []ledger.AccountInfo, posted []currency.Amount) bool {
		if !decide(e, accounts, posted) {
			return false
		}
		s.n++ // the store lets one in at a time
		lost = s.n%9 == 0
		return !lost
	})
	if lost && err == nil {
		done++
	}
	return done, err
}
