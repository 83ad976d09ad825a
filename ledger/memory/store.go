package memory

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/koshpay/kosh/ledger"
)

// Store keeps any number of books in memory. The zero value is an empty store, ready for use. All methods are safe for
// concurrent use: updates of one book run one at a time, and books do not wait for one another. A Store must not be
// copied after first use.
type Store struct {
	mu    sync.RWMutex
	books map[string]*book
	last  atomic.Pointer[book] // that was asked for: most often the one that is asked for next
}

var _ ledger.Store = (*Store)(nil)

var errAskedAgain = errors.New("memory: decide asked for nothing but rows that it was given already")

// New returns an empty store.
func New() *Store { return &Store{} }

// Update implements [ledger.Store]. decide runs once a round, under the lock of the book: it must not call the store.
// A panic of decide passes through and leaves nothing behind. An update that waits its turn while ctx ends returns
// ctx.Err() and has not called decide.
func (s *Store) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	b, err := s.lock(ctx, book)
	if err != nil {
		return err
	}
	defer b.mu.Unlock()
	for {
		write, more, err := decide(b.findToWrite(want))
		if err != nil {
			return err
		}
		if more.Empty() {
			return b.apply(write)
		}
		all := want.And(more).Sorted()
		if reflect.DeepEqual(all, want.Sorted()) {
			return errAskedAgain // decide is pure: it would ask for ever
		}
		want = all
	}
}

// Read implements [ledger.Store].
func (s *Store) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Rows{}, err
	}
	b := s.existing(book)
	if b == nil {
		return ledger.Rows{}, nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.find(want), nil
}

// Scan implements [ledger.Store].
func (s *Store) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Rows{}, err
	}
	b := s.existing(book)
	if b == nil {
		b = newBook() // so that a bad range is an error in an empty book too
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.scan(r)
}

// Clone returns a deep copy of the store as it stands; neither sees what the other does from then on. Each book is
// copied in one snapshot, one book after the other.
func (s *Store) Clone() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Store{books: make(map[string]*book, len(s.books))}
	for name, b := range s.books {
		c.books[name] = b.clone()
	}
	return c
}

// lock returns a book that is locked for whoever writes, unless ctx has ended before or while it waited.
func (s *Store) lock(ctx context.Context, name string) (*book, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b := s.book(name)
	b.mu.Lock()
	if err := ctx.Err(); err != nil {
		b.mu.Unlock()
		return nil, err
	}
	return b, nil
}

func (s *Store) existing(name string) *book {
	if b := s.last.Load(); b != nil && b.name == name {
		return b
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := s.books[name]
	if b != nil {
		s.last.Store(b)
	}
	return b
}

func (s *Store) book(name string) *book {
	if b := s.existing(name); b != nil {
		return b
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[name]
	if b == nil {
		if s.books == nil {
			s.books = make(map[string]*book)
		}
		b = newBook()
		b.name = name
		s.books[name] = b
	}
	return b
}
