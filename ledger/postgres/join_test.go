package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/postgres"
)

func newPool(tb testing.TB, url string) *pgxpool.Pool {
	tb.Helper()
	pool, err := pgxpool.New(tb.Context(), url)
	require.NoError(tb, err)
	tb.Cleanup(pool.Close)
	return pool
}

// hosted runs every call in a transaction of a host's own.
type hosted struct {
	pool   *pgxpool.Pool
	store  *postgres.Store
	prefix string
}

func (h hosted) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return postgres.InTx(ctx, h.pool, func(tx pgx.Tx) error { return h.store.Join(tx).Update(ctx, h.prefix+book, want, decide) })
}

// reading is for what must be one snapshot.
func (h hosted) reading(ctx context.Context, work func(ledger.Store) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return pgx.BeginTxFunc(ctx, h.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error { return work(h.store.Join(tx)) })
}

func (h hosted) Read(ctx context.Context, book string, want ledger.Names) (rows ledger.Rows, err error) {
	err = h.reading(ctx, func(s ledger.Store) error {
		rows, err = s.Read(ctx, h.prefix+book, want)
		return err
	})
	return rows, err
}

func (h hosted) Scan(ctx context.Context, book string, r ledger.Range) (rows ledger.Rows, err error) {
	err = h.reading(ctx, func(s ledger.Store) error {
		rows, err = s.Scan(ctx, h.prefix+book, r)
		return err
	})
	return rows, err
}

func TestJoinedStore(t *testing.T) {
	t.Parallel()
	url := serverURL(t)
	o := postgres.Options{Schema: newSchema(t, url)}
	pool := newPool(t, url)
	store := postgres.New(pool, o)
	var tenants atomic.Int64
	ledgertest.Run(t, ledgertest.Harness{Open: func(*testing.T) ledger.Store { return hosted{pool, store, fmt.Sprintf("%d/", tenants.Add(1))} }})
}

// host is an app with tables of its own beside a book.
type host struct {
	pool  *pgxpool.Pool
	store *postgres.Store
	book  *ledger.Book
}

var (
	alice = ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	bob   = ledger.AccountID{Path: "wallet/bob", Asset: "USD"}
	bank  = ledger.AccountID{Path: "bank/cash", Asset: "USD"}
)

func dollars(n int64) currency.Amount { return currency.MustNew(n*100, currency.USD) }

func newHost(t *testing.T, url string) *host {
	t.Helper()
	o := postgres.Options{Schema: newSchema(t, url), LockTimeout: 300 * time.Millisecond}
	pool := newPool(t, with(t, url, "search_path", o.Schema))
	h := &host{pool: pool, store: postgres.New(pool, o)}
	h.book = ledger.New(h.store, ledger.Config{})
	_, err := pool.Exec(t.Context(), "create table likes (member text, post text, primary key (member, post)); create table notifications (member text, text text)")
	require.NoError(t, err)
	_, err = h.book.Record(t.Context(), ledger.Entry{Key: "open", Commands: []ledger.Command{
		ledger.OpenAccount{Account: bank, Type: ledger.Asset},
		ledger.OpenAccount{Account: alice, Type: ledger.Liability, Floor: dollars(0)},
		ledger.OpenAccount{Account: bob, Type: ledger.Liability, Floor: dollars(0)},
		ledger.Transfer(bank, alice, dollars(20)),
	}})
	require.NoError(t, err)
	return h
}

// tip is what the manual shows: a tip, a like and a notification in one commit.
func (h *host) tip(ctx context.Context, key, post string, amount currency.Amount) error {
	return postgres.InTx(ctx, h.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "insert into likes (member, post) values ('alice', $1)", post); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "insert into notifications (member, text) values ('bob', $1)", "alice tipped "+amount.String()); err != nil {
			return err
		}
		_, err := h.book.In(h.store.Join(tx)).Record(ctx, ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(alice, bob, amount)}})
		return err
	})
}

func (h *host) count(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, h.pool.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n))
	return n
}

func (h *host) balance(t *testing.T, id ledger.AccountID) currency.Amount {
	t.Helper()
	b, err := h.book.Account(id).Balance(t.Context(), ledger.AsOf{})
	require.NoError(t, err)
	return b.Posted
}

func TestTipLikeAndNotificationInOneCommit(t *testing.T) {
	t.Parallel()
	h := newHost(t, serverURL(t))
	require.NoError(t, h.tip(t.Context(), "tip/1", "post/1", dollars(5)))
	assert.Equal(t, dollars(5), h.balance(t, bob))
	assert.Equal(t, 1, h.count(t, "likes"))
	assert.Equal(t, 1, h.count(t, "notifications"))

	before, err := ledgertest.Dump(t.Context(), h.store, h.book.Name())
	require.NoError(t, err)
	err = h.tip(t.Context(), "tip/2", "post/2", dollars(100))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	err = h.tip(t.Context(), "tip/3", "post/1", dollars(1)) // liked already: the host's own row is refused
	require.Error(t, err)
	after, err := ledgertest.Dump(t.Context(), h.store, h.book.Name())
	require.NoError(t, err)
	assert.Empty(t, ledgertest.Diff(before, after), "a rollback leaves nothing, not even the verdict of a decline")
	assert.Equal(t, 1, h.count(t, "likes"))
	assert.Equal(t, 1, h.count(t, "notifications"))
}

// TestRolledBackAccountIsForgotten opens an account in a transaction that does not commit: neither its number nor its terms may
// stay in anybody's memory.
func TestRolledBackAccountIsForgotten(t *testing.T) {
	t.Parallel()
	h := newHost(t, serverURL(t))
	carol := ledger.AccountID{Path: "wallet/carol", Asset: "USD"}
	open := func(key string, floor int64) ledger.Entry {
		return ledger.Entry{Key: key, Commands: []ledger.Command{
			ledger.OpenAccount{Account: carol, Type: ledger.Liability, Floor: dollars(floor)}, ledger.Transfer(alice, carol, dollars(1)),
		}}
	}
	tx, err := h.pool.Begin(t.Context())
	require.NoError(t, err)
	in := h.book.In(h.store.Join(tx))
	_, err = in.Record(t.Context(), open("a", 0))
	require.NoError(t, err)
	_, err = in.Record(t.Context(), ledger.Entry{Key: "b", Commands: []ledger.Command{ledger.SetAccount{Account: alice, DebitsFrozen: new(true)}}})
	require.NoError(t, err)
	_, err = in.Record(t.Context(), ledger.Entry{Key: "c", Commands: []ledger.Command{ledger.Transfer(carol, bob, dollars(1))}})
	require.NoError(t, err, "an entry sees what the transaction recorded before it")
	require.NoError(t, tx.Rollback(t.Context()))

	_, err = h.book.Record(t.Context(), open("a", -7))
	require.NoError(t, err)
	info, err := h.book.Info(t.Context(), carol)
	require.NoError(t, err)
	assert.Equal(t, dollars(-7), info.Terms.Floor)
	_, err = h.book.Record(t.Context(), ledger.Entry{Key: "d", Commands: []ledger.Command{ledger.Transfer(carol, bob, dollars(8))}})
	require.NoError(t, err)
	v, err := h.book.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, v.Problems)
}

func TestJoinKeepsTheHostsSettings(t *testing.T) {
	t.Parallel()
	h := newHost(t, serverURL(t))
	tx, err := h.pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(t.Context())) }()
	_, err = tx.Exec(t.Context(), "set local lock_timeout to '90s'; set local enable_seqscan to on; set local plan_cache_mode to auto; set local jit to on")
	require.NoError(t, err)
	settings := func() (all [4]string) {
		require.NoError(t, tx.QueryRow(t.Context(),
			"select current_setting('lock_timeout'), current_setting('enable_seqscan'), current_setting('plan_cache_mode'), current_setting('jit')").Scan(&all[0], &all[1], &all[2], &all[3]))
		return all
	}
	before := settings()
	in := h.book.In(h.store.Join(tx))
	for name, e := range map[string]struct {
		amount int64
		want   error
	}{"recorded": {1, nil}, "declined": {1_000, ledger.ErrInsufficientFunds}, "recorded once more": {2, nil}} {
		_, err := in.Record(t.Context(), ledger.Entry{Key: name, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(e.amount))}})
		require.ErrorIs(t, err, e.want, name)
		assert.Equal(t, before, settings(), name)
	}
	_, err = in.Record(t.Context(), ledger.Entry{Key: "panics", Guards: []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { panic("a guard") }}}})
	require.ErrorIs(t, err, ledger.ErrGuardPanicked)
	assert.Equal(t, before, settings(), "after a guard that panicked")
}

func TestJoinWaitsNoLongerThanItsBound(t *testing.T) {
	t.Parallel()
	h := newHost(t, serverURL(t))
	first, err := h.pool.Begin(t.Context())
	require.NoError(t, err)
	entry := func(key string) ledger.Entry {
		return ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}}
	}
	_, err = h.book.In(h.store.Join(first)).Record(t.Context(), entry("a"))
	require.NoError(t, err)

	second, err := h.pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = h.book.In(h.store.Join(second)).Record(t.Context(), entry("b"))
	require.ErrorIs(t, err, ledger.Unavailable)
	e, ok := errors.AsType[*pgconn.PgError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, "55P03", e.Code)
	require.NoError(t, first.Commit(t.Context()))

	_, err = h.book.In(h.store.Join(second)).Record(t.Context(), entry("b"))
	require.NoError(t, err, "the savepoint left the host's transaction usable")
	require.NoError(t, second.Commit(t.Context()))
	assert.Equal(t, dollars(2), h.balance(t, bob))
}

// TestInTxBeginsAnew makes two serializable transactions refuse one another.
func TestInTxBeginsAnew(t *testing.T) {
	t.Parallel()
	h := newHost(t, serverURL(t))
	runs := 0
	err := postgres.InTx(t.Context(), h.pool, func(tx pgx.Tx) error {
		runs++
		_, err := tx.Exec(t.Context(), "set transaction isolation level repeatable read")
		require.NoError(t, err)
		var likes int
		require.NoError(t, tx.QueryRow(t.Context(), "select count(*) from likes").Scan(&likes))
		if runs == 1 { // somebody else writes what this transaction is about to write
			_, err := h.book.Record(t.Context(), ledger.Entry{Key: "other", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
			require.NoError(t, err)
		}
		_, err = h.book.In(h.store.Join(tx)).Record(t.Context(), ledger.Entry{Key: "own", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(2))}})
		return err
	})
	require.NoError(t, err)
	assert.Equal(t, 2, runs)
	assert.Equal(t, dollars(3), h.balance(t, bob))

	refused := errors.New("the host's own reason")
	err = postgres.InTx(t.Context(), h.pool, func(pgx.Tx) error {
		runs++
		return refused
	})
	require.ErrorIs(t, err, refused)
	assert.Equal(t, 3, runs, "other errors are not tried again")
}

// The feed neither waits for what a host has not committed yet nor passes it by: it comes when it is committed, behind what
// was numbered meanwhile, and what is rolled back never comes.
func TestFeedDoesNotWaitForAnOpenTransaction(t *testing.T) {
	t.Parallel()
	h := newHost(t, serverURL(t))
	var told []string
	var last uint64
	follow := func() { // as a reader does that keeps the position of the last change it saw
		for {
			n, err := h.book.NumberFeed(t.Context(), 2)
			require.NoError(t, err)
			if n == 0 {
				break
			}
		}
		for c, err := range h.book.Feed(t.Context(), last) {
			require.NoError(t, err)
			require.Equal(t, last+1, c.Position)
			told, last = append(told, c.Key), c.Position
		}
	}
	follow()
	told = nil

	begin := func(key string, debit, credit ledger.AccountID) pgx.Tx {
		tx, err := h.pool.Begin(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
		_, err = h.book.In(h.store.Join(tx)).Record(t.Context(), ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(debit, credit, dollars(1))}})
		require.NoError(t, err)
		return tx
	}
	carol, dave := ledger.AccountID{Path: "wallet/carol", Asset: "USD"}, ledger.AccountID{Path: "wallet/dave", Asset: "USD"}
	erin, faye := ledger.AccountID{Path: "wallet/erin", Asset: "USD"}, ledger.AccountID{Path: "wallet/faye", Asset: "USD"}
	open := ledger.Entry{Key: "more"}
	for _, id := range []ledger.AccountID{carol, dave, erin, faye} {
		open.Commands = append(open.Commands, ledger.OpenAccount{Account: id, Type: ledger.Liability})
	}
	_, err := h.book.Record(t.Context(), open)
	require.NoError(t, err)

	slow, lost := begin("slow", alice, bob), begin("lost", erin, faye)
	for i := range 3 {
		_, err := h.book.Record(t.Context(), ledger.Entry{Key: fmt.Sprint("quick ", i), Commands: []ledger.Command{ledger.Transfer(carol, dave, dollars(1))}})
		require.NoError(t, err)
		follow()
	}
	require.Equal(t, []string{"more", "more", "more", "more", "quick 0", "quick 1", "quick 2"}, told)
	require.NoError(t, slow.Commit(t.Context()))
	require.NoError(t, lost.Rollback(t.Context()))
	follow()
	require.Equal(t, "slow", told[len(told)-1], "older than what was numbered before it, and there all the same")
	follow()
	require.Len(t, told, 8)
	v, err := h.book.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Problems)
}
