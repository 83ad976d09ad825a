package sqlite

import (
	"errors"
	"fmt"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/koshpay/kosh/ledger"
)

// Reason says what is wrong with a file. A Reason is itself an error, so errors.Is(err, sqlite.DiskFull) asks for it.
type Reason string

// The reasons, each with its class: what a caller may do next.
const (
	Locked      Reason = "locked"       // unavailable: another process holds the write lock for longer than Options.LockWait
	DiskFull    Reason = "disk full"    // unavailable: make room; recording goes on by itself
	ReadOnly    Reason = "read-only"    // unavailable: the file, its folder or the file system cannot be written
	CannotOpen  Reason = "cannot open"  // unavailable: the folder is not there or may not be entered, or the path is no file
	InputOutput Reason = "input/output" // unavailable: the operating system failed to read or write
	Closed      Reason = "closed"       // unavailable: the Store was closed
	NoSchema    Reason = "no schema"    // unavailable: the file has no tables of kosh; run Migrate
	OldSchema   Reason = "old schema"   // unavailable: the file was written by an older kosh; run Migrate
	NewSchema   Reason = "new schema"   // unavailable: the file was written by a newer kosh; run that one
	NotUpdating Reason = "not updating" // unavailable: the host's transaction only reads, or read before another wrote
	NotDatabase Reason = "not database" // corrupt: the file is something else; it was left as it is
	Damaged     Reason = "damaged"      // corrupt: the file is torn or was altered; restore a backup
)

// Error returns the reason's name.
func (r Reason) Error() string { return "sqlite: " + string(r) }

// Class is the class of the ledger's errors that a reason belongs to.
func (r Reason) Class() ledger.Class {
	if r == NotDatabase || r == Damaged {
		return ledger.Corrupt
	}
	return ledger.Unavailable
}

var advice = map[Reason]string{
	Locked:      "another process or transaction is writing to it; let it end, or raise Options.LockWait",
	DiskFull:    "make room on the device; nothing was damaged",
	ReadOnly:    "make the file, its folder (for the -wal and -shm files) and the file system writable",
	CannotOpen:  "the folder must exist and be open to this user, and the path must name a file",
	InputOutput: "look at the device and the system's log, then call again with the same key",
	Closed:      "open it again",
	NoSchema:    "run sqlite.Migrate or open it with sqlite.Open",
	OldSchema:   "run sqlite.Migrate or open it with sqlite.Open",
	NewSchema:   "run the version of kosh that wrote it, or a newer one",
	NotUpdating: "begin the host's transaction with BEGIN IMMEDIATE (_txlock=immediate in the data source name)",
	NotDatabase: "it is no SQLite database; it was left as it is",
	Damaged:     "stop, keep a copy, and restore the last backup",
}

// Error is what goes wrong with a file. It is of the ledger's class Unavailable or Corrupt:
//
//	errors.Is(err, ledger.Unavailable)   // call again with the same key, once the cause is gone
//	errors.Is(err, ledger.Corrupt)       // stop
//	errors.Is(err, sqlite.DiskFull)      // this reason
type Error struct {
	Reason Reason
	Path   string // of the file; empty of a joined store
	Cause  error  // what SQLite said; may be nil
}

// Error says what is wrong with which file and what to do.
func (e *Error) Error() string {
	text := "sqlite"
	if e.Path != "" {
		text += ": " + e.Path
	}
	text = fmt.Sprintf("%s: %s: %s", text, string(e.Reason), advice[e.Reason])
	if e.Cause != nil {
		text += fmt.Sprintf(" (%v)", e.Cause)
	}
	return text
}

// Is matches the reason and its class.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case Reason:
		return e.Reason == t
	case ledger.Class:
		return e.Reason.Class() == t
	case ledger.Code:
		return e.Reason.Class() == t.Class() && (t == ledger.ErrStore || t == ledger.ErrCorrupt)
	}
	return false
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// codeOf returns SQLite's extended result code, or 0.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// reasonOf says what a result code means; ok is false for one that is about a row and not about the file.
func reasonOf(code int) (r Reason, ok bool) {
	if code == sqlite3.SQLITE_IOERR_WRITE || code == sqlite3.SQLITE_IOERR_SHMSIZE {
		return InputOutput, true // a quota or a full device shows here too
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return Locked, true
	case sqlite3.SQLITE_FULL:
		return DiskFull, true
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return ReadOnly, true
	case sqlite3.SQLITE_CANTOPEN:
		return CannotOpen, true
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
		return InputOutput, true
	case sqlite3.SQLITE_NOTADB:
		return NotDatabase, true
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT:
		return Damaged, true
	default:
		return "", false
	}
}

// explain gives an error of SQLite its reason. What is about a row stays what it is.
func explain(path string, err error) error {
	if err == nil {
		return nil
	}
	if e, is := errors.AsType[*Error](err); is {
		if e.Path == "" {
			e.Path = path
		}
		return err
	}
	if r, ok := reasonOf(codeOf(err)); ok {
		return failure(r, path, err)
	}
	return err
}

// failure makes an error. One that means damage is a refusal too, because a Book takes anything else for Unavailable.
func failure(r Reason, path string, cause error) error {
	e := &Error{Reason: r, Path: path, Cause: cause}
	if r.Class() != ledger.Corrupt {
		return e
	}
	return &ledger.Refusal{Code: ledger.ErrCorrupt, Class: ledger.Corrupt, Command: -1, Cause: e}
}

// damaged is the error for rows that contradict one another.
func damaged(format string, args ...any) error {
	return failure(Damaged, "", fmt.Errorf(format, args...))
}
