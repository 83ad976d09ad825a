package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// job is what this program does instead of testing, when a test starts it again as another process.
type job struct {
	Role    string // far, host or worker
	File    string // of SQLite, or the far side's
	URL     string // of PostgreSQL
	Schema  string
	Far     string // the far side's address
	Began   time.Time
	Log     string
	Run     string
	Callers int
}

const jobVariable = "KOSH_PROCESSES_JOB"

func TestMain(m *testing.M) {
	text := os.Getenv(jobVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.run(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, j.Role+":", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func (j job) run(ctx context.Context) error {
	if j.Role == "far" {
		return farMain([]string{j.File, j.Far})
	}
	store, closeStore, err := j.open(ctx)
	if err != nil {
		return err
	}
	defer closeStore()
	svc, err := newService(store, clock{j.Began}.now, j.Far)
	if err != nil {
		return err
	}
	if j.Role == "worker" {
		return svc.Run(ctx)
	}
	log, err := os.OpenFile(j.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return host(ctx, svc, j.Run, log, j.Callers)
}

// open opens the store, over a line that may be cut, until it works.
func (j job) open(ctx context.Context) (store ledger.Store, closeStore func(), err error) {
	if j.File != "" {
		s, err := sqlite.Open(ctx, j.File, sqlite.Options{LockWait: 30 * time.Second})
		if err != nil {
			return nil, nil, err
		}
		return s, func() { _ = s.Close() }, nil
	}
	for range 50 {
		s, openErr := postgres.Open(ctx, j.URL, postgres.Options{Schema: j.Schema})
		if openErr == nil {
			return s, s.Close, nil
		}
		err = errors.Join(err, openErr)
	}
	return nil, nil, err
}

// start runs the job as a process of its own.
func (j job) start(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(j)
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), self)
	// A child that is killed reports no race, so it ends by itself when it finds one.
	c.Env = append(os.Environ(), jobVariable+"="+string(text), "GORACE=halt_on_error=1")
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	return c
}
