package sqlite_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// host is an app with a table of its own in the file of the book.
type host struct {
	*sql.DB
	path string
	book *ledger.Book
}

func newHost(t *testing.T, options string) *host {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app.db")
	h := &host{path: path, book: ledger.New(open(t, path), ledger.Config{})}
	openWallets(t, h.book)
	var err error
	h.DB, err = sql.Open("sqlite", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL&"+options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	_, err = h.ExecContext(t.Context(), `CREATE TABLE likes (post TEXT)`)
	require.NoError(t, err)
	return h
}

func (h *host) likes(t *testing.T) (n int) {
	t.Helper()
	require.NoError(t, h.QueryRowContext(t.Context(), `SELECT count(*) FROM likes`).Scan(&n))
	return n
}

func like(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO likes VALUES ('post/1')`)
	return err
}

func TestJoin(t *testing.T) {
	h := newHost(t, "_txlock=immediate&_busy_timeout=10000")
	for _, commit := range []bool{false, true, true} {
		tx, err := h.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, like(t.Context(), tx))
		in := h.book.In(sqlite.Join(tx))
		r, err := in.Record(t.Context(), pay("tip"))
		require.NoError(t, err)
		b, err := in.Balances(t.Context(), ledger.AsOf{}, bob)
		require.NoError(t, err)
		assert.Equal(t, usd("0.01"), b[0].Posted, "the transaction sees its own entry")
		again, err := in.Record(t.Context(), pay("tip"))
		require.NoError(t, err)
		assert.True(t, again.Replayed)
		assert.Equal(t, r.ID, again.ID)
		if !commit {
			require.NoError(t, tx.Rollback())
			assert.Zero(t, h.likes(t))
			b, err = h.book.Balances(t.Context(), ledger.AsOf{}, bob)
			require.NoError(t, err)
			assert.Equal(t, usd("0.00"), b[0].Posted, "a rollback leaves nothing")
			continue
		}
		require.NoError(t, tx.Commit())
	}
	assert.Equal(t, 2, h.likes(t))
	_, err := h.book.Record(t.Context(), pay("and on"))
	require.NoError(t, err, "the store notices what was recorded beside it")
	v := requireWhole(t, h.book)
	assert.Equal(t, 2, v.Transactions)
}

// TestJoinTakesBack shows that a part of the host's transaction can be taken back, entries included, and an entry that fails
// takes back nothing but itself.
func TestJoinTakesBack(t *testing.T) {
	h := newHost(t, "_txlock=immediate")
	tx, err := h.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	joined := sqlite.Join(tx)
	in := h.book.In(joined)
	_, err = in.Record(t.Context(), pay("first"))
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `SAVEPOINT half`)
	require.NoError(t, err)
	carol := ledger.AccountID{Path: "wallet/carol", Asset: "USD"}
	_, err = in.Record(t.Context(), ledger.Entry{Key: "second", Commands: []ledger.Command{
		ledger.OpenAccount{Account: carol, Type: ledger.Liability}, ledger.Transfer(bob, carol, usd("0.01")),
	}})
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), `ROLLBACK TO half`)
	require.NoError(t, err)
	dave := ledger.AccountID{Path: "wallet/dave", Asset: "USD"}
	_, err = in.Record(t.Context(), ledger.Entry{Key: "third", Commands: []ledger.Command{ledger.OpenAccount{Account: dave, Type: ledger.Liability}}})
	require.NoError(t, err)

	err = joined.Update(t.Context(), "main", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
		return ledger.Rows{
			Sequences: []ledger.SequenceRow{{Name: "beside", Last: 1}},
			Keys:      []ledger.KeyRow{{Key: "new"}, {Key: "first"}}, // which is there
		}, ledger.Names{}, nil
	})
	require.Error(t, err)
	require.NoError(t, like(t.Context(), tx), "the host's transaction goes on")
	require.NoError(t, tx.Commit())

	v := requireWhole(t, h.book)
	assert.Equal(t, []int{1, 3, 3}, []int{v.Transactions, v.Accounts, v.Keys})
	_, err = h.book.Info(t.Context(), carol)
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	_, err = h.book.Info(t.Context(), dave)
	require.NoError(t, err)
}

func TestJoinOfATransactionThatReads(t *testing.T) {
	h := newHost(t, "_busy_timeout=1")
	tx, err := h.BeginTx(t.Context(), nil) // deferred: nobody said _txlock=immediate
	require.NoError(t, err)
	var n int
	require.NoError(t, tx.QueryRowContext(t.Context(), `SELECT count(*) FROM likes`).Scan(&n))
	_, err = h.book.Record(t.Context(), pay("beside"))
	require.NoError(t, err)
	_, err = h.book.In(sqlite.Join(tx)).Record(t.Context(), pay("tip"))
	require.ErrorIs(t, err, sqlite.NotUpdating)
	require.ErrorIs(t, err, ledger.Unavailable)
	require.ErrorContains(t, err, "BEGIN IMMEDIATE")
	require.NoError(t, tx.Rollback())

	db, err := sql.Open("sqlite", "file:"+h.path+"?_query_only=1")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	tx, err = db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = h.book.In(sqlite.Join(tx)).Record(t.Context(), pay("tip"))
	require.ErrorIs(t, err, sqlite.NotUpdating)
	require.NoError(t, tx.Rollback())
	v := requireWhole(t, h.book)
	assert.Equal(t, 1, v.Transactions)
}

func TestJoinOfAFileWithoutTables(t *testing.T) {
	db := openDB(t, filepath.Join(t.TempDir(), "app.db"))
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = ledger.New(sqlite.Join(tx), ledger.Config{}).Record(t.Context(), pay("tip"))
	require.ErrorIs(t, err, sqlite.NoSchema)
	require.ErrorContains(t, err, "Migrate")
}

func TestJoinAfterTheEnd(t *testing.T) {
	h := newHost(t, "_txlock=immediate")
	tx, err := h.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	in := h.book.In(sqlite.Join(tx))
	require.NoError(t, tx.Commit())
	_, err = in.Record(t.Context(), pay("tip"))
	require.ErrorIs(t, err, sql.ErrTxDone)
	require.ErrorIs(t, err, ledger.Unavailable)
	requireWhole(t, h.book)
}
