package sqlite

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// withSteps opens a connection to a file and brings it up to some version.
func withSteps(t *testing.T, path string, steps []migration) error {
	t.Helper()
	c, err := dial(t.Context(), path, Options{}.orDefaults())
	require.NoError(t, err)
	return errors.Join(c.migrate(t.Context(), steps), c.close())
}

// writeSequence writes one row as the first version of the tables has it.
func writeSequence(t *testing.T, path string, last int64) {
	t.Helper()
	c, err := dial(t.Context(), path, Options{}.orDefaults())
	require.NoError(t, err)
	require.NoError(t, c.script(`INSERT OR IGNORE INTO kosh_book (id, name) VALUES (1, 'main')`))
	require.NoError(t, c.exec(putSequence, int64(1), "s", last))
	require.NoError(t, c.close())
}

func TestMigrateFromEachVersion(t *testing.T) {
	for from := range migrations {
		path := filepath.Join(t.TempDir(), "book.db")
		require.NoError(t, withSteps(t, path, migrations[:from]))
		if from > 0 {
			writeSequence(t, path, 7)
		}
		s, err := Open(t.Context(), path, Options{})
		require.NoError(t, err)
		rows, err := s.Read(t.Context(), "main", ledger.Names{Sequences: []string{"s"}})
		require.NoError(t, err)
		if from > 0 {
			assert.Equal(t, []ledger.SequenceRow{{Name: "s", Last: 7}}, rows.Sequences)
		}
		require.NoError(t, s.Close())
	}
}

func TestMigrationsOfTomorrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	require.NoError(t, Migrate(t.Context(), path))
	writeSequence(t, path, 7)
	next := int64(len(migrations)) + 1

	broken := append(migrations[:len(migrations):len(migrations)], migration{next, "broken", `
		CREATE TABLE kosh_tomorrow (id INTEGER PRIMARY KEY) STRICT;
		INSERT INTO kosh_yesterday VALUES (1);`})
	require.ErrorContains(t, withSteps(t, path, broken), "migration broken")
	require.NoError(t, Migrate(t.Context(), path), "a step that fails leaves nothing")

	tomorrow := append(migrations[:len(migrations):len(migrations)], migration{next, "tomorrow", `
		CREATE TABLE kosh_tomorrow (id INTEGER PRIMARY KEY) STRICT;
		UPDATE kosh_sequence SET last = last + 1;`})
	for range 2 { // the second time there is nothing to do
		require.NoError(t, withSteps(t, path, tomorrow))
	}
	_, err := Open(t.Context(), path, Options{})
	require.ErrorIs(t, err, NewSchema)
	require.ErrorIs(t, checkSchema(next), NewSchema)
	require.ErrorIs(t, checkSchema(next-2), OldSchema)
	require.ErrorIs(t, checkSchema(0), NoSchema)

	c, err := dial(t.Context(), path, Options{}.orDefaults())
	require.NoError(t, err)
	rows, err := c.once(`SELECT last FROM kosh_sequence`)
	require.NoError(t, err)
	assert.Equal(t, []row{{int64(8)}}, rows)
	require.NoError(t, c.close())
}

func TestMigrationFilesAreNumbered(t *testing.T) {
	for name, files := range map[string][]string{
		"a gap": {"0001_a.sql", "0003_b.sql"}, "not from 1": {"0002_a.sql"}, "no number": {"a.sql"}, "twice": {"0001_a.sql", "0001_b.sql"},
	} {
		folder := fstest.MapFS{}
		for _, f := range files {
			folder["migrations/"+f] = &fstest.MapFile{}
		}
		_, err := readMigrations(folder)
		assert.Error(t, err, name)
	}
}

// A file that is not in write-ahead mode yet is opened when whoever writes to it has ended. SQLite lets nobody wait for that by itself,
// and several processes that open a new file at once are in each other's way like this.
func TestOpenWaitsForWriteAheadMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=journal_mode(DELETE)")
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	_, err = db.ExecContext(t.Context(), `CREATE TABLE host (id INTEGER)`)
	require.NoError(t, err)
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = Open(t.Context(), path, Options{LockWait: 10 * time.Millisecond})
	require.ErrorIs(t, err, Locked, "nobody waits for ever")
	ended := make(chan error, 1)
	time.AfterFunc(100*time.Millisecond, func() { ended <- tx.Rollback() })
	s, err := Open(t.Context(), path, Options{LockWait: time.Minute})
	require.NoError(t, err)
	require.NoError(t, <-ended)
	require.NoError(t, s.Close())
}
