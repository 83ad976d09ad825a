package ach

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

var errCrash = errors.New("the process is gone")

// crash ends the process at one of its steps: a write to the state store or a step on the disk. Before it restarts, nothing
// works; what was not made durable is lost.
type crash struct {
	countdown int
	after     bool // the step is still done
	dead      bool
	eager     bool // the program that hands files over is at once there
	unsynced  map[string]bool
	renamed   []rename
	outbox    string
	twice     []string // files that were handed over twice
}

type rename struct{ from, to string }

// step tells whether to do the step, and what to answer.
func (c *crash) step() (do bool, err error) {
	if c.dead {
		return false, errCrash
	}
	c.countdown--
	if c.countdown == 0 {
		c.dead = true
		return c.after, errCrash
	}
	return true, nil
}

func (c *crash) fault(op, _ string) (bool, error) {
	if op == "load" {
		if c.dead {
			return false, errCrash
		}
		return true, nil
	}
	return c.step()
}

// crashDisk is the operating system's, that loses what was not synchronised.
type crashDisk struct {
	osDisk
	c *crash
}

type crashFile struct {
	diskFile
	c    *crash
	path string
}

func (d crashDisk) Create(path string) (diskFile, error) {
	do, err := d.c.step()
	if !do {
		return nil, err
	}
	f, errOpen := d.osDisk.Create(path)
	if errOpen != nil {
		return nil, errOpen
	}
	d.c.unsynced[path] = true
	return crashFile{f, d.c, path}, err
}

func (f crashFile) Write(b []byte) (int, error) {
	do, err := f.c.step()
	if !do || err != nil {
		n, _ := f.diskFile.Write(b[:len(b)/2])
		return n, err
	}
	return f.diskFile.Write(b)
}

func (f crashFile) Sync() error {
	do, err := f.c.step()
	if do {
		delete(f.c.unsynced, f.path) // the real thing would only take time
	}
	return err
}

func (d crashDisk) Rename(from, to string) error {
	do, err := d.c.step()
	if !do {
		return err
	}
	if errRename := d.osDisk.Rename(from, to); errRename != nil {
		return errRename
	}
	if d.c.unsynced[from] {
		d.c.unsynced[to] = true
		delete(d.c.unsynced, from)
	}
	d.c.renamed = append(d.c.renamed, rename{from, to})
	if d.c.eager && filepath.Dir(to) == d.c.outbox && !d.c.unsynced[to] {
		taken := filepath.Join(d.c.outbox, sentFolder, filepath.Base(to))
		if _, errStat := os.Stat(taken); errStat == nil {
			d.c.twice = append(d.c.twice, filepath.Base(to))
		}
		err = errors.Join(err, os.Rename(to, taken))
		d.c.renamed = nil // what another program has renamed further is there
	}
	return err
}

func (d crashDisk) SyncDir(dir string) error {
	do, err := d.c.step()
	if do {
		var left []rename
		for _, r := range d.c.renamed {
			if filepath.Dir(r.to) != dir {
				left = append(left, r)
			}
		}
		d.c.renamed = left
	}
	return err
}

func (d crashDisk) Exists(path string) (bool, error) {
	if d.c.dead {
		return false, errCrash
	}
	return d.osDisk.Exists(path)
}

func (d crashDisk) Open(path string) (io.ReadCloser, error) {
	if d.c.dead {
		return nil, errCrash
	}
	return d.osDisk.Open(path)
}

// restart is the power coming back.
func (c *crash) restart(t *testing.T) {
	t.Helper()
	c.dead = false
	for path := range c.unsynced {
		require.NoError(t, os.Truncate(path, 0))
	}
	for _, r := range c.renamed {
		if _, err := os.Stat(r.to); err == nil {
			require.NoError(t, os.Rename(r.to, r.from))
		}
	}
	c.unsynced, c.renamed = map[string]bool{}, nil
}

// drive submits what was not answered and lets two days pass, with a cancellation, a return and a correction in them. It is
// played again after a crash, from the beginning, as the worker does that finds its operations unfinished.
type drive struct {
	w       *world
	ops     []providers.Operation
	cancel  providers.Operation
	answers map[string][]byte // what the bank sends, made once
}

func (d *drive) submitAll(ctx context.Context, ops ...providers.Operation) error {
	var errs []error
	for _, op := range ops {
		_, err := d.w.p.Submit(ctx, op)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// send puts a file of the bank's into the inbox, unless it is there or was dealt with.
func (d *drive) send(name string, make func() []byte) {
	d.w.t.Helper()
	if d.answers[name] == nil {
		d.answers[name] = make()
	}
	for _, pattern := range []string{name, "done/*" + name, "quarantine/*" + name} {
		if found, err := filepath.Glob(filepath.Join(d.w.cfg.Inbox, pattern)); err != nil || len(found) > 0 {
			return
		}
	}
	d.w.bank.put(name, d.answers[name])
}

// collect hands over what is in the outbox, as a program that knows nothing of the process.
func (d *drive) collect() {
	d.w.t.Helper()
	for _, dir := range []string{"", sentFolder} {
		names, err := osDisk{}.List(filepath.Join(d.w.cfg.Outbox, dir))
		require.NoError(d.w.t, err)
		for _, name := range names {
			content, err := os.ReadFile(filepath.Join(d.w.cfg.Outbox, dir, name))
			require.NoError(d.w.t, err)
			if strings.HasPrefix(name, ".") || dir == sentFolder && d.w.bank.seen[string(content)] {
				continue
			}
			if dir == "" {
				require.NoError(d.w.t, os.Rename(filepath.Join(d.w.cfg.Outbox, name), filepath.Join(d.w.cfg.Outbox, sentFolder, name)))
			}
			b := *d.w.bank
			b.outbox = filepath.Join(d.w.cfg.Outbox, sentFolder)
			b.take(name)
			d.w.bank.entries = b.entries
		}
	}
}

func (d *drive) play(ctx context.Context) error {
	p, w := d.w.p, d.w
	if err := d.submitAll(ctx, append(d.ops[:3:3], d.cancel)...); err != nil {
		return err
	}
	w.clock.set(at(monday, 20, 0))
	if err := p.Work(ctx); err != nil {
		return err
	}
	d.collect()
	w.clock.set(at(monday.AddDate(0, 0, 1), 9, 0))
	if err := p.Work(ctx); err != nil {
		return err
	}
	if err := d.submitAll(ctx, d.ops[3:]...); err != nil {
		return err
	}
	d.send("returns.ach", func() []byte {
		return w.bank.file(returnOf(w.bank.of(d.ops[0].Key), "R01"), changeOf(w.bank.of(d.ops[1].Key), "C01", "555666777"))
	})
	d.send("garbage.txt", func() []byte { return []byte("what is this?") })
	w.clock.set(at(monday.AddDate(0, 0, 1), 20, 0))
	if err := p.Work(ctx); err != nil {
		return err
	}
	d.collect()
	w.clock.set(at(monday.AddDate(0, 0, 2), 9, 0))
	return p.Work(ctx)
}

func (b *bank) of(key string) taken {
	for _, e := range b.entries {
		if strings.TrimSpace(e.detail.IdentificationNumber) == ident(key) {
			return e
		}
	}
	b.t.Fatalf("the bank has no entry of %s", key)
	return taken{}
}

func newDrive(t *testing.T) (*drive, *crash) {
	t.Helper()
	w := newWorld(t)
	token, _ := w.linked()
	d := &drive{w: w, answers: map[string][]byte{}}
	for i, k := range []providers.Kind{providers.Deposit, providers.Withdrawal, providers.Deposit, providers.Deposit, providers.Withdrawal} {
		d.ops = append(d.ops, w.payment(k, token, int64(1000+i)))
	}
	d.cancel = providers.Operation{Key: uuid.NewString(), Kind: providers.Cancel, Method: providers.Bank, Target: d.ops[2].Key}
	c := &crash{unsynced: map[string]bool{}, outbox: w.cfg.Outbox, countdown: -1}
	w.p.folders.disk = crashDisk{c: c}
	w.state.fault = c.fault
	return d, c
}

// TestACrashAtAnyStep ends the process at every single step of two days, and plays them again: every entry is in exactly one
// file, once; what was canceled is in none; a return takes money back once; nothing in the inbox is lost.
func TestACrashAtAnyStep(t *testing.T) {
	steps := 0
	for _, eager := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			for n := 1; ; n++ {
				d, c := newDrive(t)
				c.countdown, c.after, c.eager = n, after, eager
				err := d.play(t.Context())
				if err == nil {
					require.False(t, c.dead)
					break
				}
				require.True(t, c.dead, "step %d: %v", n, err)
				steps++
				c.restart(t)
				d.w.p = d.w.open()
				d.w.p.folders.disk = crashDisk{c: c}
				require.NoError(t, d.play(t.Context()), "after a crash at step %d", n)
				assert.Empty(t, c.twice, "handed over twice after a crash at step %d", n)
				checkDrive(t, d, fmt.Sprintf("crash at step %d, done %v, eager %v", n, after, eager))
				if t.Failed() {
					return
				}
			}
		}
	}
	t.Logf("%d crashes", steps)
	assert.Greater(t, steps, 100)
}

func checkDrive(t *testing.T, d *drive, when string) {
	t.Helper()
	w := d.w
	traces := map[string]int{}
	for _, e := range w.bank.entries {
		traces[e.detail.TraceNumber]++
	}
	for trace, n := range traces {
		assert.Equal(t, 1, n, "%s: trace %s", when, trace)
	}
	for i, op := range d.ops {
		want := 1
		if i == 2 {
			want = 0
		}
		assert.Equal(t, want, w.bank.executed(op.Key), "%s: operation %d", when, i)
	}
	assert.Len(t, w.bank.entries, 4, when)
	r := w.lookup(d.ops[0].Key)
	var op operation
	_, err := providers.LoadState(t.Context(), w.p.state, opKey(d.ops[0].Key), &op)
	require.NoError(t, err)
	assert.Len(t, op.Returns, 1, when)
	assert.Len(t, r.Effects, 2, when)
	assert.Equal(t, "R01", r.Reason.Code, when)
	assert.Equal(t, providers.Canceled, w.lookup(d.ops[2].Key).State, when)

	var corrected account
	_, err = providers.LoadState(t.Context(), w.p.state, accountKey(d.ops[1].Instrument), &corrected)
	require.NoError(t, err)
	assert.Len(t, corrected.Versions, 2, when)
	done, err := filepath.Glob(filepath.Join(w.cfg.Inbox, doneFolder, "*"))
	require.NoError(t, err)
	assert.Len(t, done, 1, when)
	quarantined, err := filepath.Glob(filepath.Join(w.cfg.Inbox, quarantineFolder, "*"))
	require.NoError(t, err)
	assert.Len(t, quarantined, 1, when)

	told := map[string]bool{}
	events, _, err := w.p.Poll(t.Context(), "", 1000)
	require.NoError(t, err)
	for _, e := range events {
		told[e.Report.Key] = true
	}
	for i, op := range d.ops {
		if i < 3 {
			assert.True(t, told[op.Key], "%s: Poll tells of operation %d", when, i)
		}
	}
}
