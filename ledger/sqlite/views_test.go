package sqlite_test

import (
	"database/sql"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// TestViews compares what a person sees in the sqlite3 shell with what Go says, for amounts of every size and scale.
func TestViews(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	store := open(t, path)
	clock := time.Date(2026, time.November, 23, 8, 0, 0, 42_000, time.UTC)
	book := ledger.New(store, ledger.Config{Book: "acme", Clock: func() time.Time { return clock }})

	gem := currency.MustDefine(currency.Info{ID: "app:sqlite/gem", Code: "GEM", Scale: 30, Kind: currency.Virtual})
	coin := currency.MustDefine(currency.Info{ID: "app:sqlite/coin", Code: "COIN", Scale: 0, Kind: currency.Virtual})
	most, err := currency.FromUnits(math.MaxInt64, math.MaxUint64, gem)
	require.NoError(t, err)
	big, err := currency.FromUnits(1, 0, coin)
	require.NoError(t, err)
	amounts := []currency.Amount{
		currency.MustParse("0.05", currency.USD), currency.MustParse("1234567.80", currency.USD), currency.MustNew(math.MaxInt64, currency.USD),
		currency.MustNew(7, currency.JPY), currency.MustNew(math.MaxInt64, coin), big,
		currency.MustNew(1, gem), currency.MustNew(math.MaxInt64, gem), most,
	}
	for i, a := range amounts {
		from := ledger.AccountID{Path: "from/" + string(rune('a'+i)), Asset: a.AssetID()}
		to := ledger.AccountID{Path: "to/" + string(rune('a'+i)), Asset: a.AssetID()}
		_, err := book.Record(t.Context(), ledger.Entry{Key: "k" + string(rune('a'+i)), Commands: []ledger.Command{
			ledger.OpenAccount{Account: from, Type: ledger.Liability, Owner: "alice"},
			ledger.OpenAccount{Account: to, Type: ledger.Liability},
			ledger.Post{Postings: []ledger.Posting{
				{Account: from, Side: ledger.Debit, Amount: a}, {Account: to, Side: ledger.Credit, Amount: a},
			}, Note: ledger.Note{Reference: "post/1", Description: "thanks"}, EffectiveAt: time.Date(1969, time.December, 31, 23, 59, 59, 999_999_000, time.UTC)},
			ledger.PlaceHold{Account: to, Amount: a},
		}})
		require.NoError(t, err)
	}
	db := openDB(t, path)
	for i, a := range amounts {
		minus, err := a.Neg()
		require.NoError(t, err)
		var posted, held, available, updated sql.NullString
		row := db.QueryRowContext(t.Context(), `SELECT posted, held, available, updated_at FROM balances WHERE book = 'acme' AND path = ?`, "from/"+string(rune('a'+i)))
		require.NoError(t, row.Scan(&posted, &held, &available, &updated))
		assert.Equal(t, minus.Number(), posted.String)
		assert.Equal(t, currency.Zero(a.Asset()).Number(), held.String)
		assert.Equal(t, minus.Number(), available.String)
		assert.Equal(t, "2026-11-23 08:00:00.000042", updated.String)

		row = db.QueryRowContext(t.Context(), `SELECT posted, held, available FROM balances WHERE path = ?`, "to/"+string(rune('a'+i)))
		require.NoError(t, row.Scan(&posted, &held, &available))
		assert.Equal(t, a.Number(), posted.String)
		assert.Equal(t, a.Number(), held.String)
		if n, small := a.Int64(); small && n < math.MaxInt64 {
			assert.Equal(t, currency.Zero(a.Asset()).Number(), available.String)
		} else {
			assert.False(t, available.Valid, "what SQL cannot subtract is null")
		}

		var amount, side, kind, key, reference, effective sql.NullString
		row = db.QueryRowContext(t.Context(), `SELECT amount, posted, side, kind, key, reference, effective_at FROM statement WHERE path = ? AND line = 2`, "from/"+string(rune('a'+i)))
		require.NoError(t, row.Scan(&amount, &posted, &side, &kind, &key, &reference, &effective))
		assert.Equal(t, a.Number(), amount.String)
		assert.Equal(t, minus.Number(), posted.String)
		assert.Equal(t, []string{"debit", "posted", "k" + string(rune('a'+i)), "post/1", "1969-12-31 23:59:59.999999"},
			[]string{side.String, kind.String, key.String, reference.String, effective.String})
	}
	var lines int
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM statement`).Scan(&lines))
	assert.Equal(t, 5*len(amounts), lines)
}
