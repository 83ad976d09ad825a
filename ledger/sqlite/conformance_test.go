package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/sqlite"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func TestConformance(t *testing.T) {
	paths := map[ledger.Store]string{}
	ledgertest.Run(t, ledgertest.Harness{
		Open: func(t *testing.T) ledger.Store {
			path := filepath.Join(t.TempDir(), "book.db")
			s := open(t, path)
			paths[s] = path
			return s
		},
		Reopen: func(t *testing.T, s ledger.Store) ledger.Store {
			path := paths[s]
			require.NoError(t, s.(*sqlite.Store).Close())
			again := open(t, path)
			paths[again] = path
			return again
		},
	})
}

// hosted runs every call in a transaction of a host's own.
type hosted struct{ db *sql.DB }

func (h hosted) do(ctx context.Context, work func(ledger.Store) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := work(sqlite.Join(tx)); err != nil {
		return err
	}
	return tx.Commit()
}

func (h hosted) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return h.do(ctx, func(s ledger.Store) error { return s.Update(ctx, book, want, decide) })
}

func (h hosted) Read(ctx context.Context, book string, want ledger.Names) (rows ledger.Rows, err error) {
	err = h.do(ctx, func(s ledger.Store) error {
		rows, err = s.Read(ctx, book, want)
		return err
	})
	return rows, err
}

func (h hosted) Scan(ctx context.Context, book string, r ledger.Range) (rows ledger.Rows, err error) {
	err = h.do(ctx, func(s ledger.Store) error {
		rows, err = s.Scan(ctx, book, r)
		return err
	})
	return rows, err
}

// openDB opens a file as a host does that keeps its own tables there.
func openDB(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// TestConformanceOfJoinedStores prepares every statement again for every call, so under the race detector it is only a sample.
func TestConformanceOfJoinedStores(t *testing.T) {
	h := ledgertest.Harness{Open: func(t *testing.T) ledger.Store {
		path := filepath.Join(t.TempDir(), "book.db")
		require.NoError(t, sqlite.Migrate(t.Context(), path))
		db := openDB(t, path)
		db.SetMaxOpenConns(2)
		return hosted{db}
	}}
	if !raceDetector {
		ledgertest.Run(t, h)
		return
	}
	for i, c := range ledgertest.Checks() {
		if i%8 == 0 && !c.Reopen {
			t.Run(c.Name, func(t *testing.T) { require.NoError(t, ledgertest.Try(t, h, c)) })
		}
	}
}
