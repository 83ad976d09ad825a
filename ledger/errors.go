package ledger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/koshpay/kosh/currency"
)

// Class sorts every failure by what the caller may do next. A Class is itself an error, so
// errors.Is(err, ledger.Declined) asks for a whole class at once.
type Class string

// The classes. They never overlap.
const (
	// Invalid: the request can never succeed as it is written. Nothing was recorded.
	Invalid Class = "invalid"
	// Declined: a rule said no. The refusal is recorded under its key and replays for ever; try again with a new key.
	Declined Class = "declined"
	// Conflict: somebody else was first (a stale version, a taken reference, a key used for something else).
	// Nothing was recorded; read again and decide again.
	Conflict Class = "conflict"
	// NotFound: something named does not exist. Nothing was recorded.
	NotFound Class = "not_found"
	// Unavailable: the store could not answer. The entry may or may not be recorded: call again with the same key.
	Unavailable Class = "unavailable"
	// Corrupt: stored rows contradict one another. Stop and call a person.
	Corrupt Class = "corrupt"
)

// Error returns the class's name.
func (c Class) Error() string { return "ledger: " + string(c) }

// Code is a stable, machine-readable reason. A Code is itself an error and the constants below are the sentinels:
// errors.Is(err, ledger.ErrInsufficientFunds) holds for a fresh refusal and for one replayed after a restart alike.
type Code string

// Error returns the code's name.
func (c Code) Error() string { return "ledger: " + strings.ReplaceAll(string(c), "_", " ") }

// The codes of the rule book. [Code.Class] gives the class of each.
const (
	ErrInvalid        Code = "invalid"         // malformed: Refusal.Field says what and Refusal.Private why
	ErrTooLarge       Code = "too_large"       // a limit of limits.go is exceeded
	ErrUnbalanced     Code = "unbalanced"      // debits and credits differ in some asset
	ErrAssetMismatch  Code = "asset_mismatch"  // an amount is not in the asset of its account
	ErrAssetChanged   Code = "asset_changed"   // the book knows this asset with another scale or kind
	ErrOverflow       Code = "overflow"        // a running balance would not fit into 128 bits
	ErrUndeclared     Code = "undeclared"      // a guard touched what its Reads do not name
	ErrGuardPanicked  Code = "guard_panicked"  // a guard panicked; only its own entry fails
	ErrDamaged        Code = "damaged"         // an export or a checkpoint was altered: Refusal.Field says where
	ErrDeclaredTwice  Code = "declared_twice"  // the same id is made twice
	ErrTermsDiffer    Code = "terms_differ"    // the account is open on other terms
	ErrVersion        Code = "version"         // a document is at another version than expected
	ErrReferenceTaken Code = "reference_taken" // a unique reference belongs to another document
	ErrKeyConflict    Code = "key_conflict"    // the key was used for other inputs; Refusal.Field names the first difference
	ErrLeaseLost      Code = "lease_lost"      // a lease of the entry expired or was taken over
	ErrBookChanged    Code = "book_changed"    // somebody recorded while the book was exported
	ErrBookNotEmpty   Code = "book_not_empty"  // a book is restored into an empty one

	ErrAccountNotFound     Code = "account_not_found"
	ErrHoldNotFound        Code = "hold_not_found"
	ErrTransactionNotFound Code = "transaction_not_found"
	ErrDocumentNotFound    Code = "document_not_found"
	ErrKeyNotFound         Code = "key_not_found"

	ErrInsufficientFunds Code = "insufficient_funds" // a floor would be crossed
	ErrCeiling           Code = "ceiling"            // a ceiling would be crossed
	ErrAccountFrozen     Code = "account_frozen"
	ErrAccountClosed     Code = "account_closed"
	ErrAccountInUse      Code = "account_in_use"   // closing an account with a balance or open holds
	ErrHoldClosed        Code = "hold_closed"      // captured, released or expired already
	ErrHoldExceeded      Code = "hold_exceeded"    // more than remains of the hold
	ErrAlreadyReversed   Code = "already_reversed" // more than remains of the transaction
	ErrDenied            Code = "denied"           // a guard said no without a code of its own

	ErrStore   Code = "store"   // the store failed; the cause is wrapped
	ErrBusy    Code = "busy"    // too many entries wait for the store already; nothing was recorded
	ErrCorrupt Code = "corrupt" // stored rows contradict one another
)

// Class returns the class of a code of this package. A code made by a host counts as [Declined].
func (c Code) Class() Class {
	switch c {
	case ErrInvalid, ErrTooLarge, ErrUnbalanced, ErrAssetMismatch, ErrAssetChanged, ErrOverflow, ErrUndeclared, ErrGuardPanicked, ErrDamaged:
		return Invalid
	case ErrDeclaredTwice, ErrTermsDiffer, ErrVersion, ErrReferenceTaken, ErrKeyConflict, ErrLeaseLost, ErrBookChanged, ErrBookNotEmpty:
		return Conflict
	case ErrAccountNotFound, ErrHoldNotFound, ErrTransactionNotFound, ErrDocumentNotFound, ErrKeyNotFound:
		return NotFound
	case ErrStore, ErrBusy:
		return Unavailable
	case ErrCorrupt:
		return Corrupt
	default:
		return Declined
	}
}

// Refusal is every error that the rule book gives: data, so that it can be stored and replayed.
// Take it with errors.AsType[*ledger.Refusal](err).
type Refusal struct {
	Code    Code  `json:"code"`
	Class   Class `json:"class"`
	Command int   `json:"command"` // index in Entry.Commands; -1 when no single command is meant, or one of a guard's

	Account   AccountID       `json:"account,omitzero"`
	Wanted    currency.Amount `json:"wanted"`    // what was asked for
	Available currency.Amount `json:"available"` // what could have been given

	Field   string `json:"field,omitempty"`   // the field at fault, as a path
	Public  string `json:"public,omitempty"`  // may be shown to a member
	Private string `json:"private,omitempty"` // for the host's own eyes

	Cause error `json:"-"` // the store's error, or a guard's; not stored
}

// Refuse makes a refusal for a guard to return: its code's own class, with a public and a private reason.
func Refuse(code Code, public, private string) *Refusal {
	return &Refusal{Code: code, Class: code.Class(), Command: -1, Public: public, Private: private}
}

// Error says what was refused, where and by how much.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString(r.Code.Error())
	if r.Command >= 0 {
		fmt.Fprintf(&b, ": command %d", r.Command)
	}
	if r.Field != "" {
		fmt.Fprintf(&b, ": %s", r.Field)
	}
	if r.Account != (AccountID{}) {
		fmt.Fprintf(&b, ": account %s", r.Account)
	}
	if r.Wanted.IsValid() {
		fmt.Fprintf(&b, ": wanted %s", r.Wanted)
	}
	if r.Available.IsValid() {
		fmt.Fprintf(&b, ", available %s", r.Available)
	}
	for _, s := range []string{r.Public, r.Private} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if r.Cause != nil {
		fmt.Fprintf(&b, ": %v", r.Cause)
	}
	return b.String()
}

// Is matches the refusal's code and its class.
func (r *Refusal) Is(target error) bool {
	switch t := target.(type) {
	case Code:
		return r.Code == t
	case Class:
		return r.Class == t
	}
	return false
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// ClassOf returns the class of any error of this package; an error that carries none is [Unavailable],
// because nothing is known about what it left behind.
func ClassOf(err error) Class {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Class
	}
	if c, ok := errors.AsType[Code](err); ok {
		return c.Class()
	}
	if c, ok := errors.AsType[Class](err); ok {
		return c
	}
	return Unavailable
}
