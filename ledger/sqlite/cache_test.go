package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// However few accounts the writer remembers, a batch that names more of them is written whole: it must not read again what it has
// changed and not yet written.
func TestBatchNamesMoreAccountsThanAreRemembered(t *testing.T) {
	for _, room := range []int{1, 4, 20, 64} {
		t.Run(fmt.Sprintf("room for %d", room), func(t *testing.T) {
			s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "book.db"), sqlite.Options{CacheAccounts: room})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			b := ledger.New(s, ledger.Config{})
			const accounts, rounds = 40, 3
			id := func(i int) ledger.AccountID { return ledger.AccountID{Path: fmt.Sprintf("a/%02d", i), Asset: "USD"} }
			dollars := func(n int64) currency.Amount { return currency.MustNew(n, currency.USD) }
			var open []ledger.Entry
			for i := range accounts {
				open = append(open, ledger.Entry{Key: fmt.Sprint("open", i), Commands: []ledger.Command{ledger.OpenAccount{Account: id(i), Type: ledger.Asset}}})
			}
			record := func(entries []ledger.Entry) {
				for _, o := range b.RecordAll(t.Context(), entries) {
					require.NoError(t, o.Err)
				}
			}
			record(open)
			for round := range rounds {
				var pay []ledger.Entry
				for i := range accounts / 2 {
					pay = append(pay, ledger.Entry{
						Key: fmt.Sprintf("%d/%d", round, i), Commands: []ledger.Command{ledger.Transfer(id(i), id(accounts-1-i), dollars(7))},
					})
				}
				record(pay)
			}
			v, err := b.Verify(t.Context())
			require.NoError(t, err)
			require.Empty(t, v.Problems)
			for i := range accounts {
				balance, err := b.Account(id(i)).Balance(t.Context(), ledger.AsOf{})
				require.NoError(t, err)
				moved, err := balance.Posted.Abs()
				require.NoError(t, err)
				require.Equal(t, dollars(7*rounds), moved)
				require.EqualValues(t, 1+rounds, balance.Version)
			}
		})
	}
}
