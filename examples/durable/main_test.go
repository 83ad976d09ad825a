package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/examples/quickstart/app"
)

// child makes the test binary the program itself, so that it can be killed.
const child = "KOSH_DURABLE_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		main()
	}
	os.Exit(m.Run())
}

// stores are where the tests keep the day: a new place at each call.
var stores = map[string]func(t *testing.T) []string{
	"SQLite": func(t *testing.T) []string {
		return []string{"-store", "sqlite:" + filepath.Join(t.TempDir(), "day.db")}
	},
	"PostgreSQL": func(t *testing.T) []string {
		return []string{"-store", "postgres:" + database(t), "-tape", filepath.Join(t.TempDir(), "tape")}
	},
}

// run plays the day, or a file, and returns what it printed.
func run(t *testing.T, args ...string) (status int, report, complaints string) {
	t.Helper()
	where := &place{}
	var out, errs bytes.Buffer
	status = app.Program{Name: "durable", Flags: where.flags, Open: where.open, Out: &out, Err: &errs}.Run(t.Context(), args)
	return status, out.String(), errs.String()
}

var verified = regexp.MustCompile(`(?m)^(VERIFY|        ).*$`)

// books is the part of a report that says where the money is.
func books(t *testing.T, report string) string {
	t.Helper()
	_, after, found := strings.Cut(report, "\nWALLETS")
	require.True(t, found, report)
	return verified.ReplaceAllString(after, "")
}

// some writes a file with a part of the day.
func some(t *testing.T) string {
	t.Helper()
	day, err := os.ReadFile(filepath.Join("..", "quickstart", "app", "day.csv"))
	require.NoError(t, err)
	lines := bytes.SplitAfter(day, []byte("\n"))
	var good [][]byte
	for i, l := range lines { // an hour of the morning and one of the afternoon
		if i < 200 || i > 1200 && i < 1280 {
			good = append(good, l)
		}
	}
	file := filepath.Join(t.TempDir(), "day.csv")
	require.NoError(t, os.WriteFile(file, bytes.Join(good, nil), 0o600))
	return file
}

func TestSecondRunChangesNothing(t *testing.T) {
	for name, at := range stores {
		t.Run(name, func(t *testing.T) {
			args := append(at(t), "-in", some(t))
			_, first, complaints := run(t, args...)
			require.Contains(t, first, "books balance: yes", complaints)
			_, second, complaints := run(t, args...)
			require.Contains(t, second, "books balance: yes", complaints)
			assert.Equal(t, books(t, first), books(t, second))
			assert.Contains(t, second, "repeated an earlier request")
		})
	}
}

// The program is killed again and again, each time a little later, until it is through: it always goes on where it was.
func TestKilledAgainAndAgainTheDayIsFinished(t *testing.T) {
	for name, at := range stores {
		t.Run(name, func(t *testing.T) {
			args := append(at(t), "-in", some(t))
			random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
			kills, patience := 0, 300*time.Millisecond
			for {
				ctx, cancel := context.WithTimeout(t.Context(), patience+time.Duration(random.Int64N(int64(patience))))
				cmd := exec.CommandContext(ctx, os.Args[0], args...) // the context's end is a SIGKILL
				cmd.Env = append(os.Environ(), child+"=1")
				said, err := cmd.CombinedOutput()
				killed := ctx.Err() != nil
				cancel()
				if !killed {
					require.Contains(t, string(said), "books balance: yes", "after %d kills: %v", kills, err)
					_, again, complaints := run(t, args...)
					require.Contains(t, again, "books balance: yes", complaints)
					_, report, _ := strings.Cut(string(said), "\nWALLETS")
					assert.Equal(t, books(t, "\nWALLETS"+report), books(t, again))
					break
				}
				kills++
				patience += patience / 3
			}
			t.Logf("%s: killed %d times, finished", name, kills)
			assert.Positive(t, kills)
		})
	}
}

func TestWhatCannotBeOpened(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	require.NoError(t, os.WriteFile(garbage, bytes.Repeat([]byte("no database "), 500), 0o600))
	for name, c := range map[string]struct{ store, says string }{
		"nothing":      {"", "neither sqlite:FILE nor postgres:URL"},
		"no file":      {"sqlite:", "neither"},
		"another kind": {"mysql://x", "neither"},
		"no folder":    {"sqlite:" + filepath.Join(dir, "none", "day.db"), "none"},
		"no database":  {"sqlite:" + garbage, "garbage.db"},
		"no server":    {"postgres:postgres://127.0.0.1:1/kosh?connect_timeout=2", "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			status, report, complaints := run(t, "-store", c.store, "-tape", filepath.Join(dir, "tape"))
			assert.Equal(t, 1, status)
			assert.Empty(t, report)
			assert.Contains(t, complaints, c.says)
		})
	}
}

// Books without their providers would look as if everything were lost.
func TestStoreWhoseProvidersAreGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "day.db")
	_, first, _ := run(t, "-store", "sqlite:"+file, "-in", some(t))
	require.Contains(t, first, "books balance: yes")
	require.NoError(t, os.Remove(file+".providers"))
	status, _, complaints := run(t, "-store", "sqlite:"+file)
	assert.Equal(t, 1, status)
	assert.Contains(t, complaints, "is gone")
}

// database makes an empty database on the server of KOSH_POSTGRES_URL.
func database(t *testing.T) string {
	t.Helper()
	url := os.Getenv("KOSH_POSTGRES_URL")
	if url == "" {
		t.Log("KOSH-MISSING: PostgreSQL: set KOSH_POSTGRES_URL; make test starts a server when it finds one")
		t.Skip("no server")
	}
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	name := "durable_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	_, err = conn.Exec(t.Context(), "CREATE DATABASE "+name)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context()) // which has ended by now
		conn, err := pgx.Connect(ctx, url)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
		require.NoError(t, err)
		require.NoError(t, conn.Close(ctx))
	})
	return withDatabase(url, name)
}

// withDatabase names another database in a URL.
func withDatabase(url, name string) string {
	before, query, has := strings.Cut(url, "?")
	if scheme, rest, ok := strings.Cut(before, "://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		before = scheme + "://" + host + "/" + name
	}
	if has {
		return before + "?" + query
	}
	return before
}
