package ledger

import (
	"context"
	"time"
)

// Entry is the only way to change a book: commands and guards that are recorded together or not at all.
type Entry struct {
	// Key is the idempotency key: required, unique in its book, never expires. The same key with the same inputs
	// returns the first receipt, or the first decline, with Replayed set; with other inputs it is ErrKeyConflict.
	Key string
	// Inputs is what the key stands for: the caller's request, as a value that encoding/json can marshal. Nil means the
	// commands. Give it when the commands hold something the library made or looked up (a fee, an id, a time), so that
	// an honest retry does not conflict. It is compared as JSON: the order of an object's fields does not matter, numbers
	// are compared as written. At most MaxInputsBytes; commands may be longer.
	Inputs any
	// Commands run in order, each on what the earlier ones left.
	Commands []Command
	// Guards run before the commands, in order, each on what the earlier ones left.
	Guards []Guard
	// Leases that the writer believes to hold; a lost one refuses the entry with ErrLeaseLost.
	Leases []Lease
}

// Guard decides inside the step that records: limits, policy, state machines, the journal of a fact.
type Guard struct {
	// Reads declares everything that Check may look at and that the commands it returns may touch, also what they create
	// under an id of the caller's choice. Accounts of the holds and transactions it names are included.
	Reads Reads
	// Check returns further commands, or an error to refuse. It must be pure: it may run more than once, in the goroutine of
	// whichever caller carries the batch, and must neither keep the View nor wait for anything nor end its goroutine. A
	// *Refusal (see Refuse) or a Code of class Declined burns the key; any other error does not. A panic is
	// ErrGuardPanicked; an error that is a nil *Refusal agrees to nothing, it is ErrInvalid. A decline is stored as it is,
	// without what may wrap it. Text that some store could not keep is cleaned.
	Check func(View) ([]Command, error)
}

// Reads names what a guard may see and touch: always single rows, never a range. A limit is a counter document.
type Reads struct {
	Accounts     []AccountID
	Holds        []ID
	Transactions []ID
	Documents    []DocumentID
	References   []string
}

// View is what a guard sees: the rows that it declared, as they stand inside the step. Looking at anything else makes the
// entry fail with ErrUndeclared whatever Check returns.
type View interface {
	Now() time.Time // the ledger's time of this step
	Account(AccountID) (AccountInfo, bool)
	Hold(ID) (Hold, bool)
	Transaction(ID) (Transaction, bool)
	Document(DocumentID) (Document, bool)
	Reference(string) (DocumentID, bool) // the document that has this unique reference
}

// Receipt says what an entry did.
type Receipt struct {
	ID         ID        `json:"id"` // of the entry
	Key        string    `json:"key"`
	RecordedAt time.Time `json:"recorded_at"` // the clock's time, or just after the last change of anything the entry named
	Replayed   bool      `json:"-"`
	Results    []Result  `json:"results,omitempty"`  // one a command of Entry.Commands, in order
	Guarded    []Result  `json:"guarded,omitempty"`  // one a command that guards added, in order
	Balances   []Balance `json:"balances,omitempty"` // of every account changed, after the entry, sorted by account
}

// Result says what one command made; fields that do not apply are zero.
type Result struct {
	Transaction ID         `json:"transaction,omitzero"`
	Hold        ID         `json:"hold,omitzero"`
	Document    DocumentID `json:"document,omitzero"`
	Version     uint64     `json:"version,omitempty"` // of the document
}

// Ledger is the interface between kosh's layers: one way in, three ways to look.
type Ledger interface {
	// Record records the entry, all or nothing. It is safe for concurrent use. When ctx ends first, or the store fails
	// (Unavailable), the entry may or may not have been recorded: call again with the same key to learn which.
	Record(ctx context.Context, e Entry) (Receipt, error)
	// Simulate says what Record would say and changes nothing. Ids and times in its receipt are provisional.
	Simulate(ctx context.Context, e Entry) (Receipt, error)
	// Balances reads many accounts in one snapshot, in the order asked for. An account never opened is
	// ErrAccountNotFound; before it was opened its balance is zero at version 0. A balance is what the account's lines say:
	// a hold past its deadline stops no entry any more, and counts as held until an entry or the sweep of [Book.Run] has
	// written its end.
	Balances(ctx context.Context, at AsOf, ids ...AccountID) ([]Balance, error)
	// Page reads one page of one list.
	Page(ctx context.Context, q Query) (Page, error)
}
