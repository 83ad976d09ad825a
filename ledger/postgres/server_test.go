package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger/postgres"
	"github.com/koshpay/kosh/ledger/postgres/internal/pgtest"
)

// The tests use the server that KOSH_POSTGRES_URL names, in schemas of their own, or start one. With
// KOSH_POSTGRES_DISTRIBUTED=1 the tables are distributed by book.

var shared struct {
	once   sync.Once
	server *pgtest.Server
	url    string
	err    error
}

func TestMain(m *testing.M) {
	if text := os.Getenv(jobVariable); text != "" {
		os.Exit(child(text))
	}
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.Remove(); err != nil {
			fmt.Println(err)
			code = 1
		}
	}
	os.Exit(code)
}

// serverURL is the address of the server that all tests share.
func serverURL(tb testing.TB) string {
	tb.Helper()
	shared.once.Do(func() {
		if shared.url = os.Getenv("KOSH_POSTGRES_URL"); shared.url != "" {
			return
		}
		if shared.server, shared.err = pgtest.Launch(context.Background()); shared.err == nil { //nolint:usetesting // outlives the test
			shared.url = shared.server.URL("postgres")
		}
	})
	must(tb, shared.err)
	return shared.url
}

// must skips where PostgreSQL is not installed, and says so.
func must(tb testing.TB, err error) {
	tb.Helper()
	if errors.Is(err, pgtest.ErrMissing) {
		fmt.Println("KOSH-MISSING: PostgreSQL: install it (Debian: apt-get install postgresql), or set KOSH_POSTGRES_URL to a server")
		tb.Skip(err)
	}
	require.NoError(tb, err)
}

var schemas atomic.Int64

// newSchema makes the tables in a schema that nobody else uses.
func newSchema(tb testing.TB, url string) string {
	tb.Helper()
	schema := fmt.Sprintf("kosh_test_%d_%d", os.Getpid(), schemas.Add(1))
	conn, err := pgx.Connect(tb.Context(), url)
	require.NoError(tb, err)
	require.NoError(tb, postgres.Migrate(tb.Context(), conn, postgres.MigrateOptions{Schema: schema, Distribute: os.Getenv("KOSH_POSTGRES_DISTRIBUTED") == "1"}))
	require.NoError(tb, conn.Close(tb.Context()))
	tb.Cleanup(func() {
		ctx := context.WithoutCancel(tb.Context())
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return // with its server
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, "drop schema "+schema+" cascade")
		require.NoError(tb, err)
	})
	return schema
}

// open opens a store that is closed after the test.
func open(tb testing.TB, url string, o postgres.Options) *postgres.Store {
	tb.Helper()
	s, err := postgres.Open(tb.Context(), url, o)
	require.NoError(tb, err)
	tb.Cleanup(s.Close)
	return s
}

// ownServer starts a server for one test, which may kill it.
func ownServer(tb testing.TB, settings ...string) *pgtest.Server {
	tb.Helper()
	s, err := pgtest.Launch(tb.Context(), settings...)
	must(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Remove()) })
	return s
}

// with adds a parameter to a URL.
func with(tb testing.TB, address, name, value string) string {
	tb.Helper()
	u, err := url.Parse(address)
	require.NoError(tb, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}
