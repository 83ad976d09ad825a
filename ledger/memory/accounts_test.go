package memory

import (
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

func TestAccountRowIsTwoCacheLines(t *testing.T) {
	require.Equal(t, uintptr(128), unsafe.Sizeof(accountRow{}))
	require.Equal(t, uintptr(4096), unsafe.Sizeof(segment{}), "a page")
}

// TestAccountRows reads accounts back: paths that fit into the row and that do not, balances of one word and of two, with an
// expiry and without; and again after each has become another.
func TestAccountRows(t *testing.T) {
	s := New()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_000, time.UTC)
	large, err := currency.FromUnits(1<<40, 7, currency.USD)
	require.NoError(t, err)
	negative, err := currency.FromUnits(-1<<40, 7, currency.USD)
	require.NoError(t, err)
	amounts := []currency.Amount{
		currency.Zero(currency.USD), large, currency.MustNew(-5, currency.USD), negative,
		currency.MustNew(1<<63-1, currency.USD), currency.MustNew(-1<<63, currency.USD),
	}
	expiries := []time.Time{{}, at, at.Add(time.Hour), time.UnixMicro(0).UTC()}
	var ids []ledger.AccountID
	for length := range 2*inlinePath + 4 {
		ids = append(ids, ledger.AccountID{Path: strings.Repeat("p", length+1), Asset: []currency.AssetID{"USD", "EUR"}[length%2]})
	}
	write := func(s *Store, round int) (rows []ledger.AccountInfo) {
		for i, id := range ids {
			rows = append(rows, ledger.AccountInfo{
				ID: id, Type: ledger.Liability, Owner: strings.Repeat("o", i%3), Version: uint64(i),
				Posted: amounts[(i+2*round)%len(amounts)], Held: amounts[(i+round)%len(amounts)],
				NextExpiry: expiries[(i+round)%len(expiries)], OpenedAt: at.Add(time.Duration(i+round) * time.Second), UpdatedAt: at,
			})
		}
		require.NoError(t, s.Update(t.Context(), "main", ledger.Names{}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			return ledger.Rows{Accounts: rows}, ledger.Names{}, nil
		}))
		return rows
	}
	read := func(s *Store) []ledger.AccountInfo {
		found, err := s.Read(t.Context(), "main", ledger.Names{Accounts: ids})
		require.NoError(t, err)
		return found.Accounts
	}
	for round := range len(amounts) {
		want := write(s, round)
		require.Equal(t, want, read(s))
		copied := s.Clone()
		write(s, round+1)
		require.Equal(t, want, read(copied), "a copy stays as it was")
	}
	missing, err := s.Read(t.Context(), "main", ledger.Names{Accounts: []ledger.AccountID{
		{Path: ids[0].Path, Asset: "EUR"}, {Path: strings.Repeat("p", len(ids)+1), Asset: "USD"},
	}})
	require.NoError(t, err)
	require.Empty(t, missing.Accounts)
}
