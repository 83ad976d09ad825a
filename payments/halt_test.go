package payments_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// halting is a chain that stops by itself, until a person lets it go on.
type halting struct {
	*sandbox.Sandbox
	stopped        atomic.Bool
	polls, submits atomic.Int64
}

func (h *halting) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	h.polls.Add(1)
	if h.stopped.Load() {
		return nil, cursor, fmt.Errorf("%w: block 17 was replaced,\n64 blocks below the tip", providers.ErrHalted)
	}
	return h.Sandbox.Poll(ctx, cursor, limit)
}

func (h *halting) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	h.submits.Add(1)
	if h.stopped.Load() {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Code: "halted", Err: providers.ErrHalted}
	}
	return h.Sandbox.Submit(ctx, op)
}

// halt makes a host whose chain can stop, and alice with an ether.
func haltEnv(t *testing.T) (*env, *halting) {
	t.Helper()
	e := newEnv(t)
	chain := &halting{Sandbox: e.sandbox}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(chain))
	e.svc = svc
	e.receive("alice", eth("1"))
	return e, chain
}

// turns steps the worker so often, an interval apart, and returns the errors that it met.
func (e *env) turns(n int, interval time.Duration) (errs []error) {
	e.Helper()
	for range n {
		if _, err := e.svc.Step(e.ctx); err != nil {
			require.ErrorIs(e, err, providers.ErrHalted)
			errs = append(errs, err)
		}
		e.clock.advance(interval)
	}
	return errs
}

// turnsFor steps the worker for that long, every minute in memory and every five on a disk.
func (e *env) turnsFor(d time.Duration) {
	e.Helper()
	interval := time.Minute
	if oneOrderIn > 1 {
		interval = 5 * time.Minute
	}
	e.turns(int(d/interval), interval)
}

func TestHaltOpensOneCaseAndDoesNotSpin(t *testing.T) {
	e, chain := haltEnv(t)
	chain.stopped.Store(true)
	chain.polls.Store(0)
	errs := e.turns(600, time.Second)
	require.NotEmpty(t, errs)
	require.LessOrEqual(t, chain.polls.Load(), int64(61), "ten minutes, polled every ten seconds")
	c := e.onlyCase()
	require.Equal(t, "halted", c.Findings[0].Code)
	require.Equal(t, "sandbox", c.Provider)
	require.Contains(t, c.Findings[0].Text, "block 17 was replaced, 64 blocks below the tip")
	require.Len(t, c.Findings, 1)
	before := e.history()
	e.turns(60, time.Second)
	require.Equal(t, before, e.history(), "a halt that goes on is no news")

	// A person marks it while it is still halted: it opens again, because it is.
	_, err := e.resolve(c.ID, payments.Known, "")
	require.NoError(t, err)
	e.turns(20, time.Second)
	require.Len(t, e.onlyCase().Findings, 2)

	chain.stopped.Store(false)
	require.Empty(t, e.turns(20, time.Second))
	require.Empty(t, e.cases())
	done, err := e.svc.Case(e.ctx, c.ID)
	require.NoError(t, err)
	require.Equal(t, "kosh", done.Resolutions[len(done.Resolutions)-1].By)
	before = e.history()
	e.turns(60, time.Second)
	require.Equal(t, before, e.history(), "it works: no news")
}

// A withdrawal that a halt stops waits, however long, and is sent when the chain goes on; its money stays held.
func TestHaltedWithdrawalWaits(t *testing.T) {
	e, chain := haltEnv(t)
	chain.stopped.Store(true)
	p, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", eth("0.4"))
	require.NoError(t, err)
	require.Equal(t, payments.Created, p.State)
	c := e.onlyCase()
	require.Equal(t, "halted", c.Findings[0].Code)
	chain.submits.Store(0)
	e.turnsFor(3 * 24 * time.Hour)
	require.Equal(t, payments.Created, e.payment(p.ID).State, "three days")
	e.hasEther("alice", "1", "0.4", "0")
	require.LessOrEqual(t, chain.submits.Load(), int64(3*24*12+1), "every five minutes")
	require.Positive(t, chain.submits.Load())

	chain.stopped.Store(false)
	e.sandbox.Script(sandbox.Refuse, sandbox.Refuse) // the halts do not count as tries
	e.pass(6 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	require.Equal(t, 1, e.sandbox.Executed(p.ID))
	require.Empty(t, e.cases())
	e.sound()
}

// What may have been sent before the halt is never taken for unsent.
func TestHaltAfterMaybeReleasesNothing(t *testing.T) {
	e, chain := haltEnv(t)
	e.sandbox.Script(sandbox.LostResponse)
	p, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", eth("0.4"))
	require.NoError(t, err)
	require.Equal(t, payments.Unknown, p.State)
	chain.stopped.Store(true)
	e.turns(60, time.Minute)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State, "it can still be looked up")
	chain.stopped.Store(false)
	e.pass(6 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(p.ID).State)
	require.Equal(t, 1, e.sandbox.Executed(p.ID))
	e.sound()
}
