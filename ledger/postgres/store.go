package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koshpay/kosh/ledger"
)

// Options configure a [Store]. The zero value is safe.
type Options struct {
	// Schema is the PostgreSQL schema of the tables; empty means "kosh".
	Schema string
	// Isolation is the level of the store's own transactions; empty means READ COMMITTED, which is enough and the fastest.
	Isolation pgx.TxIsoLevel
	// Unprepared sends every statement as text: for PgBouncer in transaction mode, or another pooler that gives a
	// transaction whatever connection is free. It costs some parsing.
	Unprepared bool
	// Patience is how long an Update is tried again while the server cannot be reached, is being replaced or keeps running
	// into others; zero means 20 seconds. Waiting between tries is counted, not the tries themselves.
	Patience time.Duration
	// LockTimeout is how long a joined Update waits for a row that somebody else has; zero means 5 seconds.
	LockTimeout time.Duration
	// Remember is how many accounts' names and terms are kept in memory; zero means 65,536, some 20 MB.
	Remember int
}

// Store keeps books in PostgreSQL. It implements [ledger.Store] and is safe for concurrent use by any number of goroutines;
// any number of processes may have a Store on the same tables.
type Store struct {
	pool     *pgxpool.Pool
	own      bool // close it with the store
	options  Options
	sql      *statements
	accounts *memory
	numbers  numbers
}

var _ ledger.Store = (*Store)(nil)

const defaultPatience = 20 * time.Second

// New returns a store on the host's own pool, without looking at the database; see [Check]. Closing the store leaves
// the pool open.
func New(pool *pgxpool.Pool, o Options) *Store {
	if o.Schema == "" {
		o.Schema = DefaultSchema
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = 5 * time.Second
	}
	if o.Remember <= 0 {
		o.Remember = 1 << 16
	}
	return &Store{pool: pool, options: o, sql: newStatements(o.Schema, o.Isolation), accounts: newMemory(o.Remember)}
}

// Open connects to a database, checks that the ledger's tables are there in the version of this program, and returns
// a store with a pool of its own. What is wrong is a *[SetupError] that says what to do; Open changes nothing, see [Migrate].
// All settings of pgxpool and libpq can be given in the URL, such as pool_max_conns or several hosts with
// target_session_attrs=read-write.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, explain(err)
	}
	if o.Unprepared {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, explain(err)
	}
	s := New(pool, o)
	s.own = true
	if err := s.Check(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the pool that Open made. Updates under way end first.
func (s *Store) Close() {
	if s.own {
		s.pool.Close()
	}
}

func (s *Store) session(conn *pgx.Conn) session {
	return session{pg: conn.PgConn(), unnamed: s.options.Unprepared}
}

// numbers hands out numbers for new accounts from blocks that the database gave.
type numbers struct {
	mu   sync.Mutex
	free []int64 // first numbers of blocks
	next int64
	left int64
}

// blockSize is the increment of the sequence.
const blockSize = 64

// take returns n numbers, or how many blocks are lacking.
func (b *numbers) take(n int) (taken []int64, lacking int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	have := b.left + int64(len(b.free))*blockSize
	if have < int64(n) {
		return nil, (n - int(have) + blockSize - 1) / blockSize
	}
	for range n {
		if b.left == 0 {
			b.next, b.left, b.free = b.free[0], blockSize, b.free[1:]
		}
		taken = append(taken, b.next)
		b.next, b.left = b.next+1, b.left-1
	}
	return taken, 0
}

func (b *numbers) give(first int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, first)
}
