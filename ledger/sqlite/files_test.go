package sqlite_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

func digest(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return sha256.Sum256(b)
}

// requireRefused opens a file that cannot be used: a reason, its class, the path and some advice, and not a byte of the file changes.
func requireRefused(t *testing.T, path string, reason sqlite.Reason) {
	t.Helper()
	before := digest(t, path)
	for _, open := range []func() error{
		func() error { _, err := sqlite.Open(t.Context(), path, sqlite.Options{}); return err },
		func() error { return sqlite.Migrate(t.Context(), path) },
	} {
		err := open()
		require.ErrorIs(t, err, reason)
		require.ErrorIs(t, err, reason.Class())
		require.Equal(t, reason.Class(), ledger.ClassOf(err))
		require.ErrorContains(t, err, path)
	}
	require.Equal(t, before, digest(t, path), "the file was changed")
}

// bookFile makes a file with a book in it and closes it.
func bookFile(t *testing.T, transfers int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "book.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	book := ledger.New(s, ledger.Config{})
	openWallets(t, book)
	var entries []ledger.Entry
	for i := range transfers {
		entries = append(entries, pay(strconv.Itoa(i)))
	}
	for _, o := range book.RecordAll(t.Context(), entries) {
		require.NoError(t, o.Err)
	}
	require.NoError(t, s.Close())
	return path
}

func TestNoDatabase(t *testing.T) {
	for name, text := range map[string][]byte{
		"text":               bytes.Repeat([]byte("Dear diary, today I paid Bob. "), 500),
		"half a header":      []byte("SQLite format"),
		"nearly a header":    append([]byte("SQLite format 4\x00"), make([]byte, 8_000)...),
		"zeros, not a whole": append(make([]byte, 4_000), 'x'),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "diary.txt")
			require.NoError(t, os.WriteFile(path, text, 0o600))
			requireRefused(t, path, sqlite.NotDatabase)
		})
	}
}

func TestTornFile(t *testing.T) {
	path := bookFile(t, 500)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, keep := range []int{len(whole) / 2, len(whole) - 4_096, len(whole) - 1, 5_000} {
		t.Run(strconv.Itoa(keep), func(t *testing.T) {
			torn := filepath.Join(t.TempDir(), "torn.db")
			require.NoError(t, os.WriteFile(torn, whole[:keep], 0o600))
			requireRefused(t, torn, sqlite.Damaged)
		})
	}
}

// TestOverwrittenFile writes noise over one page or another: what is read of such a file is right or it is Corrupt, and Verify or
// the reading of all of it finds the noise.
func TestOverwrittenFile(t *testing.T) {
	path := bookFile(t, 300)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	found, pages, tries := 0, 0, 24
	if raceDetector {
		tries = 4
	}
	for at := 4_096; at < len(whole); at += 4_096 * (1 + len(whole)/4_096/tries) {
		pages++
		noisy := bytes.Clone(whole)
		for i := range 4_096 {
			noisy[at+i] = byte(i*7 + i>>3)
		}
		damaged := filepath.Join(t.TempDir(), "noisy.db")
		require.NoError(t, os.WriteFile(damaged, noisy, 0o600))
		s, err := sqlite.Open(t.Context(), damaged, sqlite.Options{})
		if err != nil {
			require.ErrorIs(t, err, ledger.Corrupt)
			found++
			continue
		}
		v, err := ledger.New(s, ledger.Config{}).Verify(t.Context())
		if err != nil {
			require.ErrorIs(t, err, ledger.Corrupt)
			found++
		} else if len(v.Problems) > 0 {
			found++
		} else if err := s.Check(t.Context()); err != nil { // an index, or a page that no list of Verify reads
			require.ErrorIs(t, err, ledger.Corrupt)
			found++
		}
		require.NoError(t, s.Close())
	}
	assert.Equal(t, pages, found, "pages with noise that nobody noticed")
}

func TestNoFile(t *testing.T) {
	folder := t.TempDir()
	for name, path := range map[string]string{
		"nothing": "", "memory": ":memory:", "a folder": folder, "a folder that is not there": filepath.Join(folder, "no", "book.db"),
	} {
		_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		require.ErrorIs(t, err, sqlite.CannotOpen, name)
		require.ErrorIs(t, err, ledger.Unavailable, name)
	}
	awkward := filepath.Join(folder, "50% of ünïcode?mode=memory&#1 'x'.db")
	s := open(t, awkward)
	require.NoError(t, add(t.Context(), s, "n", nil))
	assert.FileExists(t, awkward)
}

func TestSchemaOfAnotherVersion(t *testing.T) {
	path := bookFile(t, 3)
	db := openDB(t, path)
	_, err := db.ExecContext(t.Context(), `INSERT INTO kosh_schema (version, name) VALUES (99, 'from the future')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	requireRefused(t, path, sqlite.NewSchema)
}

// TestMigrateTogether has many stores create one file.
func TestMigrateTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	db := openDB(t, path)
	_, err := db.ExecContext(t.Context(), `CREATE TABLE account (host TEXT); INSERT INTO account VALUES ('own')`)
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if i%2 == 0 {
				assert.NoError(t, sqlite.Migrate(t.Context(), path))
				return
			}
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	all.Wait()
	var steps int
	var own string
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM kosh_schema`).Scan(&steps))
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT host FROM account`).Scan(&own))
	assert.Equal(t, 2, steps)
	assert.Equal(t, "own", own, "the host's table")
}

// fill records until the store cannot, and returns the keys that were acknowledged.
func fill(t *testing.T, book *ledger.Book, run string) (keys []string, err error) {
	t.Helper()
	for i := range 1_000_000 {
		key := fmt.Sprintf("%s/%d", run, i)
		if _, err = book.Record(t.Context(), pay(key)); err != nil {
			return keys, err
		}
		keys = append(keys, key)
	}
	t.Fatal("the disk is never full")
	return keys, err
}

// requireReplayed checks that what was acknowledged is there.
func requireReplayed(t *testing.T, book *ledger.Book, keys []string) {
	t.Helper()
	var entries []ledger.Entry
	for _, key := range keys {
		entries = append(entries, pay(key))
	}
	for i, o := range book.RecordAll(t.Context(), entries) {
		require.NoError(t, o.Err)
		require.True(t, o.Receipt.Replayed, keys[i])
	}
}
