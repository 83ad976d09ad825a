package postgres_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
)

// A standby that was promoted without the last commits, or a backup that was restored, may give the number of an account that a
// process remembers to another account. Nothing may be posted to that one by mistake.
func TestNumberThatIsAnotherAccounts(t *testing.T) {
	address := serverURL(t)
	schema := newSchema(t, address)
	s := open(t, address, postgres.Options{Schema: schema})
	b := furnished(t, s)
	lost, other := ledger.AccountID{Path: "lost", Asset: "USD"}, ledger.AccountID{Path: "other", Asset: "USD"}
	_, err := b.Record(t.Context(), ledger.Entry{Key: "lost", Commands: []ledger.Command{ledger.OpenAccount{Account: lost, Type: ledger.Liability}}})
	require.NoError(t, err)

	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	// Revisions begin apart, so that one account is never taken for another by number and revision.
	var accounts, revisions int
	require.NoError(t, conn.QueryRow(t.Context(), fmt.Sprintf("select count(*), count(distinct revision) from %s.account_terms", schema)).Scan(&accounts, &revisions))
	require.Greater(t, accounts, 1)
	require.Equal(t, accounts, revisions)

	// As if "lost" had never been and "other" had been opened in its place.
	for _, change := range []string{
		"update %[1]s.account set revision = 7 where id = (select id from %[1]s.account_terms where path = 'lost')",
		"update %[1]s.account_terms set path = 'other', revision = 7 where path = 'lost'",
	} {
		_, err = conn.Exec(t.Context(), fmt.Sprintf(change, schema))
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close(t.Context()))

	_, err = b.Record(t.Context(), ledger.Entry{Key: "pay", Commands: []ledger.Command{ledger.Transfer(saver, lost, pennies(5))}})
	require.ErrorIs(t, err, ledger.ErrAccountNotFound)
	_, err = b.Record(t.Context(), ledger.Entry{Key: "pay other", Commands: []ledger.Command{ledger.Transfer(saver, other, pennies(7))}})
	require.NoError(t, err)
	balances, err := ledger.New(open(t, address, postgres.Options{Schema: schema}), ledger.Config{}).Balances(t.Context(), ledger.AsOf{}, other)
	require.NoError(t, err)
	require.Equal(t, pennies(7), balances[0].Posted)
}
