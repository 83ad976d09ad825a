package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// Who has how much money is nobody's business but the owner's.
func TestNewFilesAreTheOwnersOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	s := open(t, path)
	_, err := ledger.New(s, ledger.Config{}).Record(t.Context(), ledger.Entry{Key: "k", Commands: []ledger.Command{
		ledger.OpenAccount{Account: ledger.AccountID{Path: "a", Asset: "USD"}, Type: ledger.Asset},
	}})
	require.NoError(t, err)
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + end)
		require.NoError(t, err)
		assert.True(t, runtime.GOOS == "windows" || info.Mode().Perm() == 0o600, "book.db%s is %v", end, info.Mode())
	}
}
