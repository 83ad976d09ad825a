package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koshpay/kosh/ledger"
)

// plain is what Join works with: the defaults.
var plain = sync.OnceValue(func() *Store { return New(nil, Options{}) })

// Join returns a store inside a transaction of the host, so that an entry and the host's own rows are committed together or
// not at all:
//
//	err := postgres.InTx(ctx, pool, func(tx pgx.Tx) error {
//		if _, err := tx.Exec(ctx, "insert into likes …"); err != nil {
//			return err
//		}
//		_, err := book.In(postgres.Join(tx)).Record(ctx, entry)
//		return err
//	})
//
// Rows that an entry names stay locked until the host commits: record last. Waiting for a row is bounded by five seconds, or by the
// host's own lock_timeout when that is shorter; then the error has SQLSTATE 55P03. The store never commits, rolls back or
// tries again. What an Update that fails did is taken back by a savepoint, and the settings of the transaction are those of
// the host again, so the host may go on, unless the failure is one for which PostgreSQL wants the whole transaction anew, see
// [InTx].
//
// At READ COMMITTED, Read sees each kind of row at a moment of its own, as the host's statements do; at REPEATABLE READ
// all at one. Tables are in the schema "kosh"; for another one, or other options, use [Store.Join]: also behind PgBouncer in
// transaction mode, with Options.Unprepared, because Join prepares statements.
func Join(tx pgx.Tx) ledger.Store {
	p := plain() // whose numbers stay unused: the next transaction may be of another database
	return (&Store{options: p.options, sql: p.sql, accounts: p.accounts}).Join(tx)
}

// Join is the function Join with this store's schema and options, and with its memory of accounts.
func (s *Store) Join(tx pgx.Tx) ledger.Store { return &joined{s: s, tx: tx} }

type joined struct {
	s  *Store
	mu sync.Mutex // a transaction does one thing at a time
	tx pgx.Tx
}

// Update implements [ledger.Store].
func (j *joined) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	names := want.Sorted()
	r := retries{}
	for {
		err := j.once(ctx, &turn{s: j.s, book: book, names: &names, decide: decide, joined: true})
		if errors.Is(err, errMore) || errors.Is(err, errMoved) { // nothing was written, and the locks are given back
			if err = r.next(ctx, err); err == nil {
				continue
			}
		}
		if d, ok := errors.AsType[*decided](err); ok {
			return d.err
		}
		return err
	}
}

// once runs an Update in a savepoint.
func (j *joined) once(ctx context.Context, t *turn) (err error) {
	session, q := j.s.session(j.tx.Conn()), j.s.sql
	var host hostSettings
	if err := session.run(ctx, []*call{{statement: q.savepoint}, {statement: q.hostSettings, row: host.read}}); err != nil {
		return err
	}
	done := false
	defer func() { // also when decide panics
		if done || session.pg.IsClosed() || session.pg.IsBusy() {
			return
		}
		// It brings the settings back, too.
		undo := []*call{{statement: q.rollbackTo}, {statement: q.release}}
		if failed := session.run(context.WithoutCancel(ctx), undo); failed != nil {
			err = errors.Join(err, failed)
		}
	}()
	t.before, t.after = host.bounded(q, j.s.options.LockTimeout), append(host.restored(q), &call{statement: q.release})
	err = t.run(ctx, session)
	done = err == nil && t.finished
	return err
}

// hostSettings are settings of the host's transaction that an Update changes for its own statements.
type hostSettings struct {
	lockTimeout                       string
	milliseconds                      int64
	planCacheMode, enableSeqscan, jit string
	distributed                       bool
}

func (h *hostSettings) read(v [][]byte) error {
	h.lockTimeout, h.milliseconds = string(v[0]), readInt8(v[1])
	h.planCacheMode, h.enableSeqscan, h.jit = string(v[2]), string(v[3]), string(v[4])
	h.distributed = len(v[5]) > 0
	return nil
}

// bounded are the calls that set what an Update needs. The bound is set by a command and not by set_config, because only
// that reaches the workers of a distributed engine, and there only when it is told so.
func (h *hostSettings) bounded(q *statements, bound time.Duration) (calls []*call) {
	if h.distributed {
		calls = append(calls, &call{statement: newStatement("set local citus.propagate_set_commands to 'local'"), once: true})
	}
	if limit := bound.Milliseconds(); h.milliseconds == 0 || h.milliseconds > limit {
		calls = append(calls, &call{statement: newStatement("set local lock_timeout to " + strconv.FormatInt(limit, 10)), once: true})
	}
	return append(calls, &call{statement: q.settings})
}

func (h *hostSettings) restored(q *statements) []*call {
	return []*call{
		{statement: newStatement("set local lock_timeout to " + quote(h.lockTimeout)), once: true},
		{statement: q.restore, args: [][]byte{[]byte(h.planCacheMode), []byte(h.enableSeqscan), []byte(h.jit)}},
	}
}

// Read implements [ledger.Store].
func (j *joined) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Rows{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.s.finder(j.s.session(j.tx.Conn()), book, true)
	names := want.Sorted()
	if calls := f.unlockedAll(&names); len(calls) > 0 {
		if err := f.session.run(ctx, calls); err != nil {
			return ledger.Rows{}, err
		}
	}
	return f.complete(ctx)
}

// Scan implements [ledger.Store].
func (j *joined) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Rows{}, err
	}
	if err := checkLimit(r); err != nil {
		return ledger.Rows{}, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.s.finder(j.s.session(j.tx.Conn()), book, true).scan(ctx, r)
}

// InTx runs fn in a transaction and commits it. When PostgreSQL says that it must begin anew, because of a serialization
// failure, a deadlock, or a row that somebody else added first, fn is run again, with growing pauses and for 20 seconds at
// most: let it do nothing but use tx. Any other error of fn rolls back and comes back as it is. When the connection is
// lost while committing the error is [ErrOutcomeUnknown]: run the same again, and the entry's key tells.
func InTx(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	r := retries{patience: defaultPatience}
	for {
		err := inTx(ctx, pool, fn)
		if !anew(err) || r.waited >= r.patience {
			return err
		}
		if stopped := r.pause(ctx); stopped != nil {
			return errors.Join(stopped, err)
		}
	}
}

func anew(err error) bool {
	if err == nil {
		return false
	}
	if _, ok := errors.AsType[*collision](err); ok {
		return true
	}
	state := stateOf(err)
	return state == stateSerialization || state == stateDeadlock
}

func inTx(ctx context.Context, pool *pgxpool.Pool, fn func(tx pgx.Tx) error) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after a commit
	if err := fn(tx); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		if errors.Is(err, pgx.ErrTxCommitRollback) || stateOf(err) != "" && !isLost(err) && stateOf(err) != stateInternal && stateOf(err) != stateUnknownOutcome {
			return err
		}
		return unavailable{fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)}
	}
	return nil
}
