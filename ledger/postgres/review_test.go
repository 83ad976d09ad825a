package postgres_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
)

var (
	vault = ledger.AccountID{Path: "vault", Asset: "USD"}
	saver = ledger.AccountID{Path: "saver", Asset: "USD"}
)

func pennies(n int64) currency.Amount { return currency.MustNew(n, currency.USD) }

// furnished is a book in which the saver has ten dollars.
func furnished(t *testing.T, s ledger.Store) *ledger.Book {
	t.Helper()
	b := ledger.New(s, ledger.Config{})
	_, err := b.Record(t.Context(), ledger.Entry{Key: "open", Commands: []ledger.Command{
		ledger.OpenAccount{Account: vault, Type: ledger.Asset},
		ledger.OpenAccount{Account: saver, Type: ledger.Liability, Floor: pennies(0)},
		ledger.Transfer(vault, saver, pennies(10_00)),
	}})
	require.NoError(t, err)
	return b
}

// A balance as it was effective at a moment asks for the lines after the greatest of all numbers.
func TestLinesAfterTheGreatestNumber(t *testing.T) {
	address := serverURL(t)
	s := open(t, address, postgres.Options{Schema: newSchema(t, address)})
	b := furnished(t, s)
	then := time.Now().Add(-24 * time.Hour).UTC().Truncate(time.Microsecond)
	_, err := b.Record(t.Context(), ledger.Entry{Key: "late", Commands: []ledger.Command{ledger.Post{
		Postings:    []ledger.Posting{{Account: vault, Side: ledger.Debit, Amount: pennies(5)}, {Account: saver, Side: ledger.Credit, Amount: pennies(5)}},
		EffectiveAt: then,
	}}})
	require.NoError(t, err)
	found, err := b.Balances(t.Context(), ledger.AsOf{Effective: then.Add(time.Hour)}, saver)
	require.NoError(t, err)
	assert.Equal(t, pennies(5), found[0].Posted)

	for _, c := range []struct {
		name          string
		after, before *ledger.Position
		lines         int
	}{
		{"after the greatest of an earlier moment", &ledger.Position{Time: then, Number: math.MaxUint64}, nil, 3},
		{"after the greatest", &ledger.Position{Time: time.Now().Add(time.Hour), Number: math.MaxInt64}, nil, 0},
		{"before the greatest", nil, &ledger.Position{Time: time.Now().Add(time.Hour), Number: math.MaxUint64}, 3},
	} {
		rows, err := s.Scan(t.Context(), "main", ledger.Range{List: ledger.ListLines, Account: saver, After: c.after, Before: c.before, Limit: 10})
		require.NoError(t, err, c.name)
		assert.Len(t, rows.Lines, c.lines, c.name)
	}
}

// Who takes the id of an entry for that of its transaction is told so, and nobody else hears of it.
func TestIDOfAnEntryTakenForATransaction(t *testing.T) {
	address := serverURL(t)
	s := open(t, address, postgres.Options{Schema: newSchema(t, address), Patience: time.Second})
	b := furnished(t, s)
	held, err := b.Record(t.Context(), ledger.Entry{Key: "hold", Commands: []ledger.Command{ledger.PlaceHold{Account: saver, Amount: pennies(1)}}})
	require.NoError(t, err)
	outcomes := b.RecordAll(t.Context(), []ledger.Entry{
		{Key: "innocent", Commands: []ledger.Command{ledger.Transfer(saver, vault, pennies(1))}},
		{Key: "mistaken", Commands: []ledger.Command{ledger.Reverse{Transaction: ledger.ByID(held.ID), All: true}}},
	})
	require.NoError(t, outcomes[0].Err)
	require.ErrorIs(t, outcomes[1].Err, ledger.ErrTransactionNotFound)
	again, err := b.Receipt(t.Context(), "hold")
	require.NoError(t, err)
	held.Replayed = true
	assert.Equal(t, held, again)
}

// Whoever waited for another's migration must see what that did, whatever level of isolation the database prefers.
func TestMigrateTogetherAtOtherLevels(t *testing.T) {
	address := serverURL(t)
	schema := "kosh_review_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	var wg sync.WaitGroup
	errs := make([]error, 6)
	for i := range errs {
		wg.Go(func() {
			conn, err := pgx.Connect(t.Context(), with(t, address, "default_transaction_isolation", "serializable"))
			if err != nil {
				errs[i] = err
				return
			}
			errs[i] = errors.Join(postgres.Migrate(t.Context(), conn, postgres.MigrateOptions{Schema: schema}), conn.Close(context.WithoutCancel(t.Context())))
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "drop schema "+schema+" cascade")
	require.NoError(t, errors.Join(err, conn.Close(t.Context())))
}

// Two databases of one process have numbers of their own for accounts.
func TestJoinInTwoDatabases(t *testing.T) {
	address := serverURL(t)
	one, other := newDatabase(t, address), newDatabase(t, address)
	for _, at := range []string{one, other} {
		conn, err := pgx.Connect(t.Context(), at)
		require.NoError(t, err)
		require.NoError(t, errors.Join(postgres.Migrate(t.Context(), conn, postgres.MigrateOptions{}), conn.Close(t.Context())))
	}
	opening := func(path string) ledger.Entry {
		return ledger.Entry{Key: "open " + path, Commands: []ledger.Command{ledger.OpenAccount{Account: ledger.AccountID{Path: path, Asset: "USD"}, Type: ledger.Asset}}}
	}
	b := ledger.New(open(t, other, postgres.Options{}), ledger.Config{})
	for _, path := range []string{"a", "b", "c", "d"} {
		_, err := b.Record(t.Context(), opening(path))
		require.NoError(t, err)
	}
	for _, at := range []string{one, other} {
		pool := newPool(t, at)
		require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			_, err := b.In(postgres.Join(tx)).Record(t.Context(), opening("joined"))
			return err
		}))
		pool.Close()
	}
}

// newDatabase is the address of an empty database.
func newDatabase(t *testing.T, address string) string {
	t.Helper()
	run := func(ctx context.Context, sql string) {
		conn, err := pgx.Connect(ctx, address)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, sql)
		require.NoError(t, errors.Join(err, conn.Close(ctx)))
	}
	name := "kosh_review_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	run(t.Context(), "create database "+name)
	t.Cleanup(func() { run(context.WithoutCancel(t.Context()), "drop database "+name+" with (force)") })
	config, err := pgx.ParseConfig(address)
	require.NoError(t, err)
	return strings.Replace(address, "/"+config.Database, "/"+name, 1)
}
