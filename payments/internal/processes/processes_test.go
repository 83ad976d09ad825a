package processes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger/postgres"
)

// kills is how many processes are killed in each test: KOSH_PROCESS_KILLS, or a few.
func kills(t *testing.T, usually int) int {
	t.Helper()
	if raceDetector {
		usually = 5
	}
	if n, err := strconv.Atoi(os.Getenv("KOSH_PROCESS_KILLS")); err == nil && n > 0 {
		return n
	}
	return usually
}

func TestProcessesOnSQLite(t *testing.T) {
	dir := t.TempDir()
	run(t, "sqlite", dir, job{File: filepath.Join(dir, "book.db"), Callers: 4}, job{File: filepath.Join(dir, "book.db")}, kills(t, 12), 1)
}

func TestProcessesOnPostgres(t *testing.T) {
	address := os.Getenv("KOSH_POSTGRES_URL")
	if address == "" {
		t.Log("KOSH-MISSING: PostgreSQL: set KOSH_POSTGRES_URL; make test starts a server when it finds one")
		t.Skip("no server")
	}
	schema := "processes_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	require.NoError(t, postgres.Migrate(t.Context(), conn, postgres.MigrateOptions{Schema: schema}))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context()) // which has ended by now
		_, err := conn.Exec(ctx, "drop schema "+schema+" cascade")
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	})
	p, throughProxy := newProxy(t, named(t, address, schema))
	run(t, "postgres", t.TempDir(), job{URL: throughProxy, Schema: schema, Callers: 8}, job{URL: address, Schema: schema}, kills(t, 10), 2)
	t.Logf("the line: %d pieces, %d late, %d lost with the connection, %d cut in two", p.all.Load(), p.late.Load(), p.lost.Load(), p.cut.Load())
	require.Positive(t, p.late.Load()+p.lost.Load()+p.cut.Load())
}

// named gives connections a name that is found in pg_stat_activity.
func named(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	q.Set("application_name", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// crew are the processes that run at a time. Each is started again when it was killed.
type crew struct {
	*testing.T
	jobs    []job
	running []*exec.Cmd
	runs    int
}

func (c *crew) begin(i int) {
	c.runs++
	j := c.jobs[i]
	j.Run = strconv.Itoa(c.runs)
	c.running[i] = j.start(c.T)
}

// kill ends a process as nothing can be prepared for. It must not have ended by itself.
func (c *crew) kill(i int) {
	c.Helper()
	require.NoError(c, c.running[i].Process.Signal(syscall.SIGKILL))
	err := c.running[i].Wait()
	state, ok := c.running[i].ProcessState.Sys().(syscall.WaitStatus)
	require.True(c, ok && state.Signaled() && state.Signal() == syscall.SIGKILL, "the %s ended before it was killed: %v", c.jobs[i].Role, err)
}

// pieceOfLog is how much a host must write to its log before the next process is killed: some forty requests.
const pieceOfLog = 8_000

// run lets a host, its workers and a far side work, kills them at random, and audits what they leave. What they use and what the
// audit uses is the same store by two ways.
func run(t *testing.T, name, dir string, theirs, ours job, kills, workers int) {
	t.Helper()
	log := filepath.Join(dir, "requests")
	theirs.Far, theirs.Began, theirs.Log = freeAddress(t), time.Now(), log
	ours.Far, ours.Began = theirs.Far, theirs.Began
	c := &crew{T: t}
	for _, role := range append([]string{"far", "host"}, repeat("worker", workers)...) {
		j := theirs
		j.Role = role
		if role == "far" {
			j.File = filepath.Join(dir, "far")
		}
		c.jobs = append(c.jobs, j)
	}
	c.running = make([]*exec.Cmd, len(c.jobs))
	for i := range c.jobs {
		c.begin(i)
	}
	rnd := rand.New(rand.NewPCG(uint64(os.Getpid()), 3))
	had := 0
	for range kills {
		had = awaitGrowth(t, log, had+pieceOfLog)
		time.Sleep(time.Duration(rnd.IntN(150)) * time.Millisecond) // the moment of a kill is random: nothing is decided by it
		victim := 0
		if rnd.IntN(6) > 0 {
			victim = 1 + rnd.IntN(len(c.jobs)-1)
		}
		c.kill(victim)
		c.begin(victim)
	}
	awaitGrowth(t, log, had+pieceOfLog)
	for i := range c.jobs[1:] {
		c.kill(i + 1)
	}
	if theirs.URL != "" {
		awaitEnd(t, ours.URL, ours.Schema)
	}
	a := newAudit(t, ours, log)
	a.settle()
	a.replay()
	a.settle()
	a.check()
	c.kill(0)
	fmt.Printf("processes: %s: %d acknowledged, lost %d, doubled %d, %d kills; %d begun and not acknowledged, all done once; %d payments, %d at the provider, %d parked\n",
		name, a.acknowledged, a.lost, a.doubled, kills, a.begun, a.payments, a.dealings, a.parked)
	require.Zero(t, a.lost)
	require.Zero(t, a.doubled)
}

func repeat(s string, n int) (all []string) {
	for range n {
		all = append(all, s)
	}
	return all
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	return l.Addr().String()
}

// awaitGrowth waits until a log has so many bytes.
func awaitGrowth(t *testing.T, log string, size int) int {
	t.Helper()
	patience := time.Now().Add(2 * time.Minute)
	for {
		if info, err := os.Stat(log); err == nil && info.Size() >= int64(size) {
			return int(info.Size())
		}
		if time.Now().After(patience) {
			require.FailNow(t, "the host does not go on")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitEnd waits until the server has noticed that processes are dead: until then their last commits may be under way.
func awaitEnd(t *testing.T, url, schema string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	for busy := true; busy; {
		require.NoError(t, conn.QueryRow(t.Context(), "select exists (select from pg_stat_activity where application_name = $1)", schema).Scan(&busy))
	}
}
