package postgres_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// TestCrashOfTheProcess kills a process that records, at random moments.
func TestCrashOfTheProcess(t *testing.T) {
	t.Parallel()
	url := serverURL(t)
	schema := newSchema(t, url)
	book := openBook(t, url, schema)
	var logs []string
	crashes, told, untold := setting("KOSH_CRASHES", 5), 0, 0
	for n := range crashes {
		log := filepath.Join(t.TempDir(), "acknowledged")
		logs = append(logs, log)
		c, out := job{Kind: "record", URL: url, Schema: schema, Log: log, Seed: n}.start(t)
		awaitGrowth(t, log, 0, c, out)
		time.Sleep(rand.N(300 * time.Millisecond)) // anywhere in its work
		require.NoError(t, c.Process.Kill())
		require.Error(t, c.Wait())
		awaitEnd(t, url, schema)
		told, untold = audit(t, book, logs...)
	}
	fmt.Printf("crash: the process was killed %d times: %d entries acknowledged, none lost, none doubled; %d more were recorded and not acknowledged\n", crashes, told, untold)
}

// TestCrashOfTheServer stops PostgreSQL without warning while a process records, and starts it again. The process goes on by
// itself.
func TestCrashOfTheServer(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	schema := newSchema(t, server.URL("postgres"))
	book := openBook(t, server.URL("postgres"), schema)
	log := filepath.Join(t.TempDir(), "acknowledged")
	c, out := job{Kind: "record", URL: server.URL("postgres"), Schema: schema, Log: log}.start(t)
	crashes := setting("KOSH_SERVER_CRASHES", 3)
	for range crashes {
		awaitGrowth(t, log, len(acknowledged(t, log)), c, out)
		time.Sleep(rand.N(200 * time.Millisecond)) // anywhere in its work
		require.NoError(t, server.Stop(stopImmediate))
		require.NoError(t, server.Start(t.Context()))
	}
	awaitGrowth(t, log, len(acknowledged(t, log)), c, out)
	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait())
	awaitEnd(t, server.URL("postgres"), schema)
	told, untold := audit(t, book, log)
	fmt.Printf("crash: the server was stopped %d times: %d entries acknowledged, none lost, none doubled; %d more were recorded and not acknowledged\n", crashes, told, untold)
}

// TestFailOver kills a primary whose standby is synchronous, and makes the standby the primary.
func TestFailOver(t *testing.T) {
	t.Parallel()
	primary := ownServer(t, "wal_keep_size=256MB")
	standby, err := primary.Standby(t.Context(), "standby")
	must(t, err)
	t.Cleanup(func() { require.NoError(t, standby.Remove()) })
	conn, err := pgx.Connect(t.Context(), primary.URL("postgres"))
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "alter system set synchronous_standby_names to 'standby'")
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), "select pg_reload_conf()")
	require.NoError(t, err)
	for waiting := true; waiting; {
		require.NoError(t, conn.QueryRow(t.Context(), "select not exists (select from pg_stat_replication where sync_state = 'sync')").Scan(&waiting))
	}
	require.NoError(t, conn.Close(t.Context()))

	url := fmt.Sprintf("postgres://kosh@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable&target_session_attrs=read-write", primary.Port, standby.Port)
	schema := newSchema(t, url)
	book := openBook(t, url, schema)
	log := filepath.Join(t.TempDir(), "acknowledged")
	c, out := job{Kind: "record", URL: url, Schema: schema, Log: log}.start(t)
	before := awaitGrowth(t, log, 200, c, out)
	require.NoError(t, primary.Stop(syscall.SIGKILL))
	killed := time.Now()
	require.NoError(t, standby.Promote(t.Context()))
	atKill := len(acknowledged(t, log))
	awaitGrowth(t, log, atKill, c, out)
	gap := time.Since(killed)
	awaitGrowth(t, log, atKill+200, c, out)
	require.NoError(t, c.Process.Kill())
	require.Error(t, c.Wait())
	awaitEnd(t, url, schema)
	told, untold := audit(t, book, log)
	fmt.Printf("fail-over: %d entries acknowledged, %d before the primary was killed, none lost, none doubled; %d more were recorded and not acknowledged; the gap was %v\n", told, before, untold, gap.Round(time.Millisecond))
}
