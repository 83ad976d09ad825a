package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/koshpay/kosh/ledger"
)

// errMore says that decide asked for further rows: the transaction begins again with all of them, so that locks are always taken
// in one order.
var errMore = errors.New("postgres: decide asked for further rows")

var errAskedAgain = errors.New("postgres: decide asked for nothing but rows that it was given already")

// errAmbiguous says that a commit was sent and not answered.
type errAmbiguous struct{ err error }

func (e *errAmbiguous) Error() string { return e.err.Error() }
func (e *errAmbiguous) Unwrap() error { return e.err }

// Update implements [ledger.Store] in one transaction of two round trips: one that locks the rows named in sorted order and
// reads the rest after the locks, and one that writes and commits. A further one is needed for accounts that this process
// has not seen yet, and when decide asks for more.
//
// Serialization failures, deadlocks, rows that appeared meanwhile and lost connections are tried again, with growing pauses, up to
// Options.Patience. When the connection is lost while committing, the keys of the write tell whether it happened; a write
// without keys returns [ErrOutcomeUnknown]. Such errors, and those of a database that is not set up, are ledger.Unavailable.
//
// When ctx ends before the commit is sent nothing changes; afterwards its answer is waited for two seconds more.
func (s *Store) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	names := want.Sorted()
	r := retries{patience: s.options.Patience}
	for {
		t := &turn{s: s, book: book, names: &names, decide: decide, before: []*call{{statement: s.sql.begin}, {statement: s.sql.settings}}}
		err := s.onConnection(ctx, t.run)
		if lost, ok := errors.AsType[*errAmbiguous](err); ok {
			if len(t.written) == 0 {
				return unavailable{fmt.Errorf("%w: %w", ErrOutcomeUnknown, lost.err)}
			}
			happened, lookErr := s.happened(ctx, book, &t.written[0], &r)
			if lookErr != nil {
				return unavailable{fmt.Errorf("%w: %w", ErrOutcomeUnknown, errors.Join(lost.err, lookErr))}
			}
			if happened {
				return nil
			}
			err = lost.err
		}
		if err == nil {
			return nil
		}
		if err := r.next(ctx, err); err != nil {
			return err
		}
	}
}

// onConnection runs work on a connection and brings that back clean.
func (s *Store) onConnection(ctx context.Context, work func(context.Context, session) error) (err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return &connecting{err}
	}
	done := false
	defer func() { // also when decide panics
		s.clean(ctx, conn, done && err == nil, err)
	}()
	err = work(ctx, s.session(conn.Conn()))
	done = true
	return err
}

// connecting is a failure before anything was sent.
type connecting struct{ err error }

func (e *connecting) Error() string { return e.err.Error() }
func (e *connecting) Unwrap() error { return e.err }

// clean ends what the transaction left open, and gives the connection back or away.
func (s *Store) clean(ctx context.Context, conn *pgxpool.Conn, well bool, err error) {
	defer conn.Release() // which closes a connection that is in a transaction still
	pg := conn.Conn().PgConn()
	if well && pg.TxStatus() == 'I' || pg.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	switch state := stateOf(err); state {
	case stateNoPrepared, statePreparedAlready, stateStalePlan, stateReadOnly: // what it remembers, or where it leads, is wrong
		_ = conn.Conn().Close(ctx)
		return
	}
	if pg.TxStatus() != 'I' && !pg.IsBusy() {
		_ = s.session(conn.Conn()).run(ctx, []*call{{statement: s.sql.rollback}})
	}
}

// turn is one try of an Update.
type turn struct {
	s      *Store
	book   string
	names  *ledger.Names
	decide ledger.Decide
	joined bool

	before, after []*call         // around the calls of the locks and of the write
	written       []ledger.KeyRow // once the write was sent
	finished      bool            // the calls after were run
}

func (t *turn) run(ctx context.Context, session session) error {
	f := t.s.finder(session, t.book, t.joined)
	found, err := f.lock(ctx, t.names, t.before...)
	if err != nil {
		return err
	}
	write, more, err := t.decide(found)
	if err != nil {
		return &decided{err}
	}
	if !more.Empty() {
		all := t.names.And(more).Sorted()
		if reflect.DeepEqual(all, *t.names) {
			return &decided{errAskedAgain} // it is pure, and would ask for ever
		}
		*t.names = all
		return errMore
	}
	return t.write(ctx, f, &found, &write)
}

// decided is an error of decide: it goes to the caller as it is.
type decided struct{ err error }

func (e *decided) Error() string { return e.err.Error() }
func (e *decided) Unwrap() error { return e.err }

func (t *turn) write(ctx context.Context, f *finder, found, write *ledger.Rows) error {
	if reflect.ValueOf(*write).IsZero() {
		return nil
	}
	w := &writer{finder: f, want: t.names, found: found, write: write}
	calls, err := w.prepare(ctx)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.joined {
		calls = append(calls, t.after...)
		err := t.outcome(f.session.run(ctx, calls), calls)
		t.finished = err == nil
		return err
	}
	t.written = write.Keys
	commit := &call{statement: t.s.sql.commit}
	calls = append(calls, commit)
	shielded, cancel := shield(ctx)
	defer cancel()
	if err := t.outcome(f.session.run(shielded, calls), calls); err != nil {
		return err
	}
	if commit.tag != "COMMIT" {
		return fmt.Errorf("postgres: the server answered the commit with %q", commit.tag)
	}
	for _, a := range w.learned {
		t.s.accounts.put(t.book, a)
	}
	return nil
}

// outcome says what a failed write means.
func (t *turn) outcome(err error, calls []*call) error {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		return err
	}
	state := stateOf(f.err)
	last := len(calls) - 1
	switch {
	case isLost(f) && !t.joined:
		return &errAmbiguous{f}
	case f.at >= last && !t.joined && (state == stateInternal || state == stateUnknownOutcome):
		return &errAmbiguous{f}
	case state == stateUniqueViolation || state == stateInternal:
		if f.at < len(calls) && calls[f.at].absent {
			return &collision{f}
		}
		return fmt.Errorf("%w: %w", ErrExists, f)
	}
	return f
}

// collision says that a row which was absent is there.
type collision struct{ err error }

func (e *collision) Error() string { return "postgres: a row appeared meanwhile: " + e.err.Error() }
func (e *collision) Unwrap() error { return e.err }

// happened looks up whether the write with a key took place.
func (s *Store) happened(ctx context.Context, book string, key *ledger.KeyRow, r *retries) (bool, error) {
	for {
		found, err := s.read(ctx, book, ledger.Names{Keys: []string{key.Key}})
		if err == nil {
			return len(found.Keys) == 1 && found.Keys[0].Receipt.ID == key.Receipt.ID && string(found.Keys[0].Inputs) == string(key.Inputs), nil
		}
		if err := r.next(ctx, err); err != nil {
			return false, err
		}
	}
}

// retries says how long to go on.
type retries struct {
	patience time.Duration
	waited   time.Duration
	tries    int
	repeats  int // of a row that exists, where nothing was absent
}

const (
	firstPause = time.Millisecond
	longPause  = 250 * time.Millisecond
)

// next returns nil when the same should be tried again, after a pause, else the error for the caller.
func (r *retries) next(ctx context.Context, err error) error {
	if d, ok := errors.AsType[*decided](err); ok {
		return d.err
	}
	if errors.Is(err, errMore) || errors.Is(err, errMoved) {
		r.tries++
		if r.tries > 1_000 {
			return unavailable{err}
		}
		return nil
	}
	if ctxErr := ctx.Err(); ctxErr != nil {
		return fmt.Errorf("%w: %w", ctxErr, err)
	}
	again, whole := r.worth(err)
	if again && r.waited < r.patience {
		return r.pause(ctx)
	}
	if whole {
		return unavailable{explain(err)}
	}
	return err
}

// worth reports whether trying again may help, and whether the error is about the store as a whole.
func (r *retries) worth(err error) (again, whole bool) {
	if _, ok := errors.AsType[*collision](err); ok {
		return true, true
	}
	if errors.Is(err, ErrExists) {
		r.repeats++
		return r.repeats < 3, false // a distributed engine reports other troubles in the same words
	}
	if _, ok := errors.AsType[*unreadable](err); ok || errors.Is(err, ledger.ErrCorrupt) {
		return false, false
	}
	switch stateOf(err) {
	case stateSerialization, stateDeadlock, stateNoPrepared, statePreparedAlready, stateStalePlan, stateReadOnly, stateInternal, stateLockNotAvailable:
		return true, true
	case stateWrongPassword, stateRefusedUser, stateNoDatabase, stateNoTable, stateNoSchema, stateNoPrivilege:
		return false, true
	}
	if isLost(err) {
		return true, true
	}
	return false, false
}

// pause waits: the longer the more often it was for nothing, never all for the same time.
func (r *retries) pause(ctx context.Context) error {
	r.tries++
	d := min(firstPause<<min(r.tries-1, 10), longPause)
	d = d/2 + rand.N(d) //nolint:gosec // spreads tries, guards nothing
	r.waited += d
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// read is Read without tries.
func (s *Store) read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	var rows ledger.Rows
	err := s.onConnection(ctx, func(ctx context.Context, session session) error {
		f := s.finder(session, book, false)
		calls := []*call{{statement: s.sql.beginRead}, {statement: s.sql.settings}}
		calls = append(append(calls, f.unlockedAll(&want)...), &call{statement: s.sql.commit})
		if err := session.run(ctx, calls); err != nil {
			return err
		}
		var err error
		rows, err = f.complete(ctx)
		return err
	})
	return rows, err
}

// Read implements [ledger.Store] in one transaction at REPEATABLE READ, which is one snapshot, and one round trip.
func (s *Store) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	return again(ctx, s, func() (ledger.Rows, error) { return s.read(ctx, book, want.Sorted()) })
}

// again tries a reading until it succeeds.
func again(ctx context.Context, s *Store, work func() (ledger.Rows, error)) (ledger.Rows, error) {
	if err := ctx.Err(); err != nil {
		return ledger.Rows{}, err
	}
	r := retries{patience: s.options.Patience}
	for {
		rows, err := work()
		if err == nil {
			return rows, nil
		}
		if err := r.next(ctx, err); err != nil {
			return ledger.Rows{}, err
		}
	}
}
