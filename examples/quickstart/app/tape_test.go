package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// stopping ends a context after so many updates of the store, somewhere in the middle of what the app does.
type stopping struct {
	ledger.Store
	left int
	stop context.CancelFunc
}

func (s *stopping) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if s.left--; s.left == 0 {
		s.stop()
		return context.Canceled
	}
	return s.Store.Update(ctx, book, want, decide)
}

// onTape plays a part of the day over a store, with the providers of a tape.
func onTape(t *testing.T, store ledger.Store, tape string, updates int) result {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lines := strings.SplitAfter(string(day), "\n")
	part := strings.Join(lines[:500], "") + strings.Join(lines[1200:1400], "")
	var out, errs bytes.Buffer
	status := Program{Name: "test", In: strings.NewReader(part), Out: &out, Err: &errs, Open: func(context.Context) (Backing, func() error, error) {
		opened, err := OpenTape(tape)
		if err != nil {
			return Backing{}, nil, err
		}
		return Backing{Store: &stopping{store, updates, stop}, Tape: opened}, opened.Close, nil
	}}.Run(ctx, []string{"-in", "-"})
	return result{status, out.String(), errs.String()}
}

// books is the part of a report that says where the money is, without who got how many webhooks to bring it there.
func books(t *testing.T, report string) string {
	t.Helper()
	_, after, found := strings.Cut(report, "\nWALLETS")
	require.True(t, found, report)
	lines := strings.Split(after, "\n")
	return masked(lines)
}

func TestSecondRunOnTheSameFilesChangesNothing(t *testing.T) {
	store, tape := memory.New(), filepath.Join(t.TempDir(), "tape")
	first := onTape(t, store, tape, 0)
	require.Equal(t, exitUnread, first.status, first.stderr) // of lines that are no requests
	for range 2 {
		again := onTape(t, store, tape, 0)
		require.Equal(t, exitUnread, again.status, again.stderr)
		assert.Equal(t, books(t, first.stdout), books(t, again.stdout))
	}
}

func TestInterruptedDayIsFinished(t *testing.T) {
	for _, updates := range []int{1, 40, 777, 2500} {
		store, tape := memory.New(), filepath.Join(t.TempDir(), "tape")
		first := onTape(t, store, tape, updates)
		require.Equal(t, exitUnbalanced, first.status, "after %d updates", updates)
		require.Contains(t, first.stderr, "interrupted")
		second := onTape(t, store, tape, 0)
		require.Equal(t, exitUnread, second.status, "after %d updates: %s\n%s", updates, second.stderr, second.stdout)
		third := onTape(t, store, tape, 0)
		assert.Equal(t, books(t, second.stdout), books(t, third.stdout), "after %d updates", updates)
	}
}

// A kill may leave half a call at the end of the tape; that call was never made.
func TestTapeEndsInTheMiddleOfALine(t *testing.T) {
	store, tape := memory.New(), filepath.Join(t.TempDir(), "tape")
	require.Equal(t, exitUnbalanced, onTape(t, store, tape, 777).status)
	file, err := os.OpenFile(tape, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString(`{"provider":"paynet","do":"sub`)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	r := onTape(t, store, tape, 0)
	require.Equal(t, exitUnread, r.status, r.stderr)

	require.NoError(t, os.WriteFile(tape, []byte("no tape\n"), 0o600))
	r = onTape(t, store, tape, 0)
	assert.Equal(t, exitUnbalanced, r.status)
	assert.Contains(t, r.stderr, "line 1")
}
