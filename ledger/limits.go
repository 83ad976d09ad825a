package ledger

import "time"

// Limits. One more is ErrTooLarge; of a path, and of items, leases or lanes that are asked for, it is ErrInvalid.
const (
	MaxKeyBytes       = 200
	MaxPathBytes      = 200
	MaxPathSegments   = 8
	MaxCommands       = 1_000    // an entry, guards' included; its guards, and the leases that it carries
	MaxPostings       = 1_000    // a transaction
	MaxEntryPostings  = 20_000   // of all transactions of an entry together
	MaxEntryBytes     = 16 << 20 // of all document versions of an entry together: their bodies and references
	MaxDrawAccounts   = 100      // sources or destinations of a Draw
	MaxReads          = 1_000    // rows that a guard declares; versions of an EraseDocument, lanes of a LeaseRequest
	MaxReferences     = 4_000    // of one document
	MaxReferenceBytes = 300
	MaxNameBytes      = 200     // document kind and id, owner, state, lane, note reference, book
	MaxTextBytes      = 1_000   // description of a note, reason of an erasure
	MaxMetaEntries    = 50      // of a note
	MaxMetaBytes      = 8_000   // keys and values of a note together
	MaxBodyBytes      = 1 << 20 // of a document
	MaxInputsBytes    = 1 << 16 // Entry.Inputs as JSON
	MaxPage           = 1_000   // items of a page, leases of a LeaseRequest
	DefaultPage       = 100     // of a Query without a Limit
)

// MaxPostdate is how far after the recorded time a transaction may take effect. It leaves room for a provider's clock
// that is ahead of ours and for a value date in another time zone, and bounds the work that a balance at an effective
// moment needs.
const MaxPostdate = 48 * time.Hour
