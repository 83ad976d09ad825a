package sqlite

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/koshpay/kosh/ledger"
)

// Options configures a [Store]. The zero value is safe.
type Options struct {
	// LockWait is how long an update waits for another process to end its transaction; zero means DefaultLockWait.
	LockWait time.Duration
	// Readers is how many reads may run at once, beside the one writer; zero means DefaultReaders.
	Readers int
	// CacheKilobytes is the page cache of the writer, and of all readers together; zero means DefaultCacheKilobytes.
	CacheKilobytes int
	// CacheAccounts is about how many accounts the writer remembers, beside those of the batch that it writes; zero means
	// DefaultCacheAccounts. One takes some 500 bytes.
	CacheAccounts int
}

// The defaults of [Options].
const (
	DefaultLockWait       = 10 * time.Second
	DefaultReaders        = 4
	DefaultCacheKilobytes = 64 << 10
	DefaultCacheAccounts  = 200_000
)

func (o Options) orDefaults() Options {
	if o.LockWait <= 0 {
		o.LockWait = DefaultLockWait
	}
	if o.Readers <= 0 {
		o.Readers = DefaultReaders
	}
	if o.CacheKilobytes <= 0 {
		o.CacheKilobytes = DefaultCacheKilobytes
	}
	if o.CacheAccounts <= 0 {
		o.CacheAccounts = DefaultCacheAccounts
	}
	return o
}

// Store keeps any number of books in one file. All methods are safe for concurrent use: updates run one at a time, reads beside
// them, each on one snapshot.
type Store struct {
	path    string
	options Options
	facts   *facts
	writer  chan *writer // one, while nobody writes
	readers chan *conn   // Options.Readers of them, nil ones not yet open
	closed  chan struct{}
	once    sync.Once // of Close
}

var _ ledger.Store = (*Store)(nil)

// writer is the one connection that writes, with what it knows to be in the file.
type writer struct {
	*conn // nil when the last one failed and is not open again
	cache cache
	last  *numbers
	seen  int64 // PRAGMA data_version: it changes when another connection has written
	bulk  bulks
}

var (
	begin             = newQuery(`BEGIN IMMEDIATE`)
	beginRead         = newQuery(`BEGIN`)
	commit            = newQuery(`COMMIT`)
	rollback          = newQuery(`ROLLBACK`)
	selectDataVersion = newQuery(`PRAGMA data_version`)
)

// Update implements [ledger.Store]. decide runs while nobody else writes to the file, whatever the book: it must not call the
// store's Update. When ctx ends while it waits for its turn or for another process, decide has not been called and nothing has changed.
func (s *Store) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	wr, err := s.take(ctx)
	if err != nil {
		return err
	}
	w := &work{session: wr.conn, facts: s.facts, cache: &wr.cache, name: book}
	committed, open := false, true
	defer func() { // also when decide panics
		if !committed {
			w.settle(false)
			if open && wr.exec(rollback) != nil {
				wr.drop()
			}
			if w.last != nil {
				wr.last = nil
			}
		}
		s.writer <- wr
	}()
	if err := wr.begin(ctx); err != nil {
		open = false
		if codeOf(err)&0xff != sqlite3.SQLITE_BUSY { // whoever was interrupted may have begun all the same
			wr.drop()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return explain(s.path, err)
	}
	write, err := w.decide(want, decide)
	if err != nil {
		return explain(s.path, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if rowsEmpty(&write) {
		return nil
	}
	w.last, w.bulk = wr.last, &wr.bulk
	if err := w.apply(&write); err != nil {
		w.bulk.reset()
		return explain(s.path, err)
	}
	if err := wr.exec(commit); err != nil {
		return explain(s.path, err)
	}
	committed = true
	w.settle(true)
	s.facts.learn(w)
	return nil
}

// begin begins a transaction that writes, and forgets what others may have changed.
func (w *writer) begin(ctx context.Context) error {
	if err := w.execContext(ctx, begin); err != nil {
		return err
	}
	rows, err := w.rows(selectDataVersion)
	if err != nil {
		return err
	}
	c := columns{row: rows[0]}
	if seen := c.int(); seen != w.seen {
		w.seen, w.last = seen, nil
		w.cache.accounts.clear()
	}
	w.cache.accounts.turn()
	if w.last == nil {
		w.last, err = (&work{session: w.conn}).readNumbers()
	}
	return errors.Join(err, c.err)
}

var errAskedAgain = errors.New("sqlite: decide asked for nothing but rows that it was given already")

// decide finds what is wanted and asks, until nothing more is wanted.
func (w *work) decide(want ledger.Names, decide ledger.Decide) (ledger.Rows, error) {
	if err := w.findBook(); err != nil {
		return ledger.Rows{}, err
	}
	w.txs, w.holds = make(map[ledger.ID]int64), make(map[ledger.ID]int64)
	if len(want.Pending) > 0 {
		w.keyed = make(map[string]*entryRow, len(want.Pending))
	}
	want = want.Sorted()
	for {
		found, err := w.find(want)
		if err != nil {
			return ledger.Rows{}, err
		}
		write, more, err := decide(found)
		if err != nil {
			return ledger.Rows{}, err
		}
		if more.Empty() {
			return write, nil
		}
		all := want.And(more).Sorted()
		if reflect.DeepEqual(all, want) {
			return ledger.Rows{}, errAskedAgain // decide is pure: it would ask for ever
		}
		want = all
	}
}

// Read implements [ledger.Store].
func (s *Store) Read(ctx context.Context, book string, want ledger.Names) (found ledger.Rows, err error) {
	err = s.read(ctx, book, func(w *work) error {
		found, err = w.find(want.Sorted())
		return err
	})
	return found, err
}

// Scan implements [ledger.Store].
func (s *Store) Scan(ctx context.Context, book string, r ledger.Range) (rows ledger.Rows, err error) {
	err = s.read(ctx, book, func(w *work) error {
		rows, err = w.scan(r)
		return err
	})
	return rows, err
}

// read runs a look at one snapshot.
func (s *Store) read(ctx context.Context, book string, look func(*work) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.reader(ctx)
	if err != nil {
		return err
	}
	w := &work{session: c, facts: s.facts, name: book}
	open := false
	defer func() {
		if open && c.exec(rollback) != nil {
			err = errors.Join(err, c.close())
			c = nil
		}
		s.readers <- c
	}()
	if err := c.exec(beginRead); err != nil {
		return explain(s.path, err)
	}
	open = true
	if err := w.findBook(); err != nil {
		return explain(s.path, err)
	}
	if err := look(w); err != nil {
		return explain(s.path, err)
	}
	s.facts.learn(w)
	return nil
}

// take waits for the writer's turn.
func (s *Store) take(ctx context.Context) (*writer, error) {
	select {
	case <-s.closed:
		return nil, failure(Closed, s.path, nil)
	default:
	}
	select {
	case w := <-s.writer:
		if w.conn != nil {
			return w, nil
		}
		c, err := dial(ctx, s.path, s.options)
		if err != nil {
			s.writer <- w
			return nil, explain(s.path, err)
		}
		w.conn = c
		return w, nil
	case <-s.closed:
		return nil, failure(Closed, s.path, nil)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// drop gives a connection up that failed: the next one starts from what is in the file.
func (w *writer) drop() {
	_ = w.close() // it failed already, and nothing is known about it
	w.conn, w.last, w.seen = nil, nil, 0
	w.cache.accounts.clear()
}

func (s *Store) reader(ctx context.Context) (*conn, error) {
	select {
	case <-s.closed:
		return nil, failure(Closed, s.path, nil)
	default:
	}
	select {
	case c := <-s.readers:
		if c != nil {
			return c, nil
		}
		o := s.options
		o.CacheKilobytes = max(1_024, o.CacheKilobytes/o.Readers)
		c, err := dial(ctx, s.path, o)
		if err != nil {
			s.readers <- nil
			return nil, explain(s.path, err)
		}
		return c, nil
	case <-s.closed:
		return nil, failure(Closed, s.path, nil)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
