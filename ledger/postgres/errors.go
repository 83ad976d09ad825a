package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/koshpay/kosh/ledger"
)

// What may be wrong with a database, for errors.Is. [Open] returns them in a *[SetupError], which says what to do.
var (
	ErrAddress     = errors.New("postgres: the URL cannot be read")
	ErrUnreachable = errors.New("postgres: no server answers")
	ErrPassword    = errors.New("postgres: the server refuses the user or the password")
	ErrNoDatabase  = errors.New("postgres: there is no such database")
	ErrNoSchema    = errors.New("postgres: the ledger's tables are not there")
	ErrOldSchema   = errors.New("postgres: the tables are older than this program")
	ErrNewSchema   = errors.New("postgres: the tables are newer than this program")
	ErrReadOnly    = errors.New("postgres: the database is read-only")
	ErrPrivilege   = errors.New("postgres: the user may not use the ledger's tables")
)

// ErrOutcomeUnknown is of an Update without keys whose commit was sent and never answered: look before doing it again.
// Entries never get it, because their key tells. It is of class ledger.Unavailable.
var ErrOutcomeUnknown = errors.New("postgres: the connection was lost while committing: nobody knows whether it happened")

// ErrExists says that a row that is only ever added is there already.
var ErrExists = errors.New("postgres: the row is there already")

// errCorrupt is of rows that cannot be read.
var errCorrupt = ledger.ErrCorrupt

// SetupError says what is wrong with a database and what to do about it.
type SetupError struct {
	Problem error  // one of the errors above
	Do      string // what to do
	Err     error  // the server's or the driver's own words; may be nil
}

// Error says all of it.
func (e *SetupError) Error() string {
	s := e.Problem.Error() + ": " + e.Do
	if e.Err != nil {
		s += " (" + e.Err.Error() + ")"
	}
	return s
}

// Is matches the problem, and ledger.Unavailable: nothing can be recorded until it is mended.
func (e *SetupError) Is(target error) bool {
	return target == e.Problem || target == ledger.Unavailable
}

// Unwrap returns the server's or the driver's error.
func (e *SetupError) Unwrap() error { return e.Err }

// unavailable makes an error that is about the store as a whole.
type unavailable struct{ err error }

func (e unavailable) Error() string        { return "postgres: not available: " + e.err.Error() }
func (e unavailable) Unwrap() error        { return e.err }
func (e unavailable) Is(target error) bool { return target == ledger.Unavailable }

// The SQLSTATEs that are told apart. Names of constraints and tables are not looked at: a distributed engine leaves them
// empty or adds to them.
const (
	stateSerialization    = "40001"
	stateDeadlock         = "40P01"
	stateUnknownOutcome   = "40003"
	stateUniqueViolation  = "23505"
	stateInternal         = "XX000" // a distributed engine's duplicates and serialization failures, too
	stateReadOnly         = "25006"
	stateNoTable          = "42P01"
	stateNoSchema         = "3F000"
	stateNoPrivilege      = "42501"
	stateNoDatabase       = "3D000"
	stateWrongPassword    = "28P01"
	stateRefusedUser      = "28000"
	stateNoPrepared       = "26000" // somebody deallocated our statements, or a pooler gave us another connection
	statePreparedAlready  = "42P05"
	stateStalePlan        = "0A000" // cached plan must not change result type: after a migration
	stateLockNotAvailable = "55P03"
)

func stateOf(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// isLost reports whether a failure is that of the connection or the server and not of a statement.
func isLost(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch {
		case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57P"), strings.HasPrefix(e.Code, "53"), e.Code == "25P03":
			return true
		}
		return e.SeverityUnlocalized == "FATAL" || e.SeverityUnlocalized == "PANIC"
	}
	// No words of the server's: the line is dead, if it was the line that failed.
	f, wire := errors.AsType[*failure](err)
	_, connect := errors.AsType[*connecting](err)
	return connect || wire && !f.unreadable()
}

// explain turns what connecting failed with into what to do.
func explain(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*SetupError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		return &SetupError{ErrAddress, "write it as postgres://user:password@host:5432/database", err}
	}
	switch stateOf(err) {
	case stateWrongPassword, stateRefusedUser:
		return &SetupError{ErrPassword, "check user and password in the URL and the server's pg_hba.conf", err}
	case stateNoDatabase:
		return &SetupError{ErrNoDatabase, "create it (createdb), then run Migrate", err}
	case stateNoTable, stateNoSchema:
		return &SetupError{ErrNoSchema, "run Migrate once before Open", err}
	case stateNoPrivilege:
		return &SetupError{ErrPrivilege, "grant usage on the schema and select, insert, update, delete on its tables, and usage on its sequence", err}
	case stateReadOnly:
		return &SetupError{ErrReadOnly, "connect to the primary: add target_session_attrs=read-write and all hosts to the URL", err}
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return &SetupError{ErrUnreachable, "check host and port in the URL, and that the server runs", err}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return &SetupError{ErrUnreachable, "check the network and that the server runs", err}
	}
	return fmt.Errorf("postgres: %w", err)
}
