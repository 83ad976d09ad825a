package postgres

import (
	"sync"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// account is what does not change on an account from entry to entry: its number, who it is and its terms.
type account struct {
	number   int64
	revision int64 // of the terms; the account's row has the current one
	info     ledger.AccountInfo
	asset    *currency.Definition
}

// memory remembers accounts of all books that were read from committed rows. What it says is compared by revision with the
// account's row before it counts: terms may have changed, and a server that lost commits may have given a number to another
// account. When it is full the older half is forgotten.
type memory struct {
	mu    sync.RWMutex
	limit int
	young generation
	old   generation
}

type generation struct {
	byName   map[accountName]*account
	byNumber map[accountNumber]*account
}

type accountName struct {
	book string
	id   ledger.AccountID
}

type accountNumber struct {
	book   string
	number int64
}

func newGeneration() generation {
	return generation{make(map[accountName]*account), make(map[accountNumber]*account)}
}

func newMemory(limit int) *memory {
	return &memory{limit: max(limit/2, 1), young: newGeneration(), old: newGeneration()}
}

func (m *memory) named(book string, id ledger.AccountID) *account {
	k := accountName{book, id}
	m.mu.RLock()
	a := m.young.byName[k]
	promote := false
	if a == nil {
		a = m.old.byName[k]
		promote = a != nil
	}
	m.mu.RUnlock()
	if promote {
		m.put(book, a)
	}
	return a
}

func (m *memory) numbered(book string, number int64) *account {
	k := accountNumber{book, number}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if a := m.young.byNumber[k]; a != nil {
		return a
	}
	return m.old.byNumber[k]
}

func (m *memory) put(book string, a *account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young.byName) >= m.limit {
		m.old, m.young = m.young, newGeneration()
	}
	m.young.byName[accountName{book, a.info.ID}] = a
	m.young.byNumber[accountNumber{book, a.number}] = a
}

// forget drops an account whose row was not found.
func (m *memory) forget(book string, a *account) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, g := range []generation{m.young, m.old} {
		delete(g.byName, accountName{book, a.info.ID})
		delete(g.byNumber, accountNumber{book, a.number})
	}
}
