package sqlite

import (
	"sync"

	"github.com/koshpay/kosh/ledger"
)

// facts are what never changes once it is committed: the numbers of books and the names of accounts' rows. They are safe for
// concurrent use. Only what is committed may be told to them.
type facts struct {
	mu       sync.RWMutex
	books    map[string]int64
	accounts generations[int64, ledger.AccountID]
}

func newFacts(room int) *facts {
	return &facts{books: make(map[string]int64), accounts: generations[int64, ledger.AccountID]{room: room}}
}

func (f *facts) book(name string) int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.books[name]
}

func (f *facts) account(n int64) (ledger.AccountID, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.accounts.look(n)
}

// learnt are facts of a transaction that is not over.
type learnt struct {
	book     bool
	accounts map[int64]ledger.AccountID
}

func (l *learnt) account(n int64, id ledger.AccountID) {
	if l.accounts == nil {
		l.accounts = make(map[int64]ledger.AccountID)
	}
	l.accounts[n] = id
}

// learn takes over what a transaction that is committed, or that read what is, has learnt.
func (f *facts) learn(w *work) {
	if !w.learnt.book && len(w.learnt.accounts) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.learnt.book {
		f.books[w.name] = w.book
	}
	for n, id := range w.learnt.accounts {
		f.accounts.put(n, id)
	}
	f.accounts.turn()
}

// generations is a map that keeps about the room's worth of what was used last: when the young generation is full and its owner
// calls turn, it becomes the old one, and what was old is forgotten. Nothing is forgotten in between: a transaction must not
// lose an account that it has changed and not yet written.
type generations[K comparable, V any] struct {
	room       int
	young, old map[K]V
}

// look finds a value without making it young, for readers that share.
func (g *generations[K, V]) look(k K) (V, bool) {
	v, found := g.young[k]
	if !found {
		v, found = g.old[k]
	}
	return v, found
}

func (g *generations[K, V]) get(k K) (V, bool) {
	v, found := g.young[k]
	if found {
		return v, true
	}
	if v, found = g.old[k]; found {
		g.put(k, v)
	}
	return v, found
}

func (g *generations[K, V]) put(k K, v V) {
	if g.young == nil {
		g.young = make(map[K]V)
	}
	g.young[k] = v
}

func (g *generations[K, V]) turn() {
	if len(g.young) >= max(g.room/2, 1) {
		g.young, g.old = nil, g.young
	}
}

func (g *generations[K, V]) forget(k K) {
	delete(g.young, k)
	delete(g.old, k)
}

func (g *generations[K, V]) clear() { g.young, g.old = nil, nil }
