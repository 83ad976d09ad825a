package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// mountOrSkip mounts something for one test.
func mountOrSkip(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		fmt.Println("KOSH-MISSING: SQLite on a full or read-only file system: run the tests as root, where mounting is allowed")
		t.Skipf("mount: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(target, 0)) })
}

// TestDiskFull fills a small file system: every entry is acknowledged or Unavailable, nothing is damaged, and when there is room
// again recording goes on, in the same store.
func TestDiskFull(t *testing.T) {
	folder := t.TempDir()
	mountOrSkip(t, "tmpfs", folder, "tmpfs", 0, "size=4m")
	path := filepath.Join(folder, "book.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	book := ledger.New(s, ledger.Config{})
	openWallets(t, book)
	keys, err := fill(t, book, "small")
	require.ErrorIs(t, err, sqlite.DiskFull)
	require.ErrorIs(t, err, ledger.Unavailable)
	require.ErrorContains(t, err, "make room")
	require.NotEmpty(t, keys)
	_, err = book.Record(t.Context(), pay("again"))
	require.ErrorIs(t, err, ledger.Unavailable, "it stays full")
	requireWhole(t, book)
	requireReplayed(t, book, keys)

	require.NoError(t, syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, "size=64m"))
	_, err = book.Record(t.Context(), pay("again"))
	require.NoError(t, err)
	v := requireWhole(t, book)
	require.Equal(t, len(keys)+1, v.Transactions)
	require.NoError(t, s.Check(t.Context()))
	require.NoError(t, s.Close())

	s, err = sqlite.Open(t.Context(), path, sqlite.Options{})
	require.NoError(t, err)
	book = ledger.New(s, ledger.Config{})
	requireReplayed(t, book, append(keys, "again"))
	requireWhole(t, book)
	require.NoError(t, s.Close())
	t.Logf("%d entries fitted, all replayed; recording went on", len(keys))
}

func TestBackupToAFullDisk(t *testing.T) {
	s := open(t, bookFile(t, 500))
	folder := t.TempDir()
	mountOrSkip(t, "tmpfs", folder, "tmpfs", 0, "size=64k")
	to := filepath.Join(folder, "backup.db")
	require.ErrorIs(t, s.Backup(t.Context(), to), sqlite.DiskFull)
	require.NoFileExists(t, to, "half a backup is none")
}

func TestReadOnlyFileSystem(t *testing.T) {
	path := bookFile(t, 3)
	folder := filepath.Dir(path)
	mountOrSkip(t, folder, folder, "", syscall.MS_BIND, "")
	require.NoError(t, syscall.Mount("", folder, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""))
	before := digest(t, path)
	_, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	require.ErrorIs(t, err, sqlite.ReadOnly)
	require.ErrorIs(t, err, ledger.Unavailable)
	_, err = sqlite.Open(t.Context(), filepath.Join(folder, "new.db"), sqlite.Options{})
	require.ErrorIs(t, err, ledger.Unavailable)
	require.Equal(t, before, digest(t, path))
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
