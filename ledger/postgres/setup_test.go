package postgres_test

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
)

// TestWrongSetups wants of every mistake a clear error that says what to do.
func TestWrongSetups(t *testing.T) {
	t.Parallel()
	address := serverURL(t)
	schema := newSchema(t, address)
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(t.Context())) })
	alter := func(sql string) func(*testing.T) {
		return func(t *testing.T) {
			_, err := conn.Exec(t.Context(), strings.ReplaceAll(sql, "@", schema))
			require.NoError(t, err)
		}
	}
	elsewhere := func(change func(*url.URL)) string {
		u, err := url.Parse(address)
		require.NoError(t, err)
		change(u)
		return u.String()
	}
	for _, c := range []struct {
		name    string
		url     string
		schema  string
		prepare func(*testing.T)
		want    error
	}{
		{"no address at all", "postgres://[::1", schema, nil, postgres.ErrAddress},
		{"a wrong setting", with(t, address, "pool_max_conns", "many"), schema, nil, postgres.ErrAddress},
		{"nobody there", elsewhere(func(u *url.URL) { u.Host = "127.0.0.1:1" }), schema, nil, postgres.ErrUnreachable},
		{"no such database", elsewhere(func(u *url.URL) { u.Path = "/nothing_here" }), schema, nil, postgres.ErrNoDatabase},
		{"no tables", address, "never_migrated", nil, postgres.ErrNoSchema},
		{"read-only", with(t, address, "default_transaction_read_only", "on"), schema, nil, postgres.ErrReadOnly},
		{"newer tables", address, schema, alter("insert into @.migration (version, name) values (999, 'from the future')"), postgres.ErrNewSchema},
		{"older tables", address, schema, alter("delete from @.migration where version = 999; update @.migration set version = version - 1; delete from @.migration where version = 0"), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.prepare != nil {
				c.prepare(t)
			}
			s, err := postgres.Open(t.Context(), c.url, postgres.Options{Schema: c.schema})
			if s != nil {
				s.Close()
			}
			require.Error(t, err)
			if c.want == nil { // with one migration nothing is older but nothing at all
				c.want = postgres.ErrNoSchema
			}
			require.ErrorIs(t, err, c.want)
			require.ErrorIs(t, err, ledger.Unavailable)
			setup := new(postgres.SetupError)
			require.ErrorAs(t, err, &setup)
			assert.NotEmpty(t, setup.Do)
			assert.Contains(t, err.Error(), setup.Do)
		})
	}
	require.NoError(t, migrateInto(t, address, "", true))
}

func migrateInto(t *testing.T, address, schema string, drop bool) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	if schema == "" {
		schema = "kosh_default_check"
	}
	err = postgres.Migrate(t.Context(), conn, postgres.MigrateOptions{Schema: schema})
	if drop {
		_, dropErr := conn.Exec(t.Context(), "drop schema "+schema+" cascade")
		require.NoError(t, dropErr)
	}
	return err
}

// TestWrongPassword needs a server whose users and rules are ours.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "create role guarded login password 'right'")
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
	schema := newSchema(t, server.URL("postgres"))
	o := postgres.Options{Schema: schema, Patience: time.Second}

	_, err = postgres.Open(t.Context(), strings.Replace(server.URL("postgres"), "kosh@", "guarded:wrong@", 1), o)
	require.ErrorIs(t, err, postgres.ErrPassword)
	assert.NotContains(t, err.Error(), "wrong", "a password is not shown")
	_, err = postgres.Open(t.Context(), strings.Replace(server.URL("postgres"), "kosh@", "guarded:right@", 1), o)
	require.ErrorIs(t, err, postgres.ErrPrivilege)

	// A server that goes away later is Unavailable, and the store works again when it is back.
	s := open(t, server.URL("postgres"), o)
	book := ledger.New(s, ledger.Config{})
	entry := ledger.Entry{Key: "open", Commands: []ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}}
	require.NoError(t, server.Stop(stopFast))
	_, err = book.Record(t.Context(), entry)
	require.ErrorIs(t, err, ledger.Unavailable)
	require.ErrorIs(t, err, postgres.ErrUnreachable)
	require.NoError(t, server.Start(t.Context()))
	_, err = book.Record(t.Context(), entry)
	require.NoError(t, err)
}

// TestMigrateTogether lets several processes start at once.
func TestMigrateTogether(t *testing.T) {
	t.Parallel()
	address := serverURL(t)
	schema := newSchema(t, address) + "_together"
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() { assert.NoError(t, migrateInto(t, address, schema, false)) })
	}
	all.Wait()
	s := open(t, address, postgres.Options{Schema: schema})
	require.NoError(t, s.Check(t.Context()))
	require.NoError(t, migrateInto(t, address, schema, true), "migrating again changes nothing")
}
