package ledger

import (
	"context"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Store keeps rows and knows no rule. Implement it to keep books somewhere else, and run ledger/ledgertest against it.
// All methods are safe for concurrent use. Every row belongs to one book; nothing crosses.
type Store interface {
	// Update runs decide on the rows that want names and applies what it returns, atomically and durably.
	//
	// want is in no order and may name a row twice. Rows named in it, absent ones included, do not change between decide and
	// commit: lock them in sorted order (Names.Sorted), or compare versions and start again. decide may run several times,
	// one call at a time. When it returns more, read those rows too, under the same guarantee, and call it again with
	// everything found so far. A name once asked for stays asked for: an Update that starts again names all of more too,
	// because decide takes a row that it asked for and does not find as absent. When decide returns an error, change nothing
	// and return that error as it is, or wrapped. An Update that returns nil is durable. When ctx ends before decide is
	// called, nothing may change. An entry's own failure never is an error of Update; an error that is Unavailable by
	// itself (errors.Is) says that the store as a whole cannot answer, and is not tried entry by entry.
	//
	// Rows of write replace the row of the same name whole, or add it; a Line, Version, Key, Change or Block is only ever
	// added. write.Delete is applied first, and it is how a Version changes the one time it may, when its body is erased: the
	// same write deletes it and adds it again. Not every row written was named: new lines, versions, changes, blocks, pending
	// rows, and holds and transactions under a new id, are added unseen. An AssetRow and the row of a Key never change once
	// they are there, and a Version changes only while its document is named, so reading one of them needs no lock.
	//
	// Rows given out and rows taken in share no slice, map or pointer with what the store keeps. The store does not change
	// what it has given out; the ledger uses the space of write again once Update has returned, or called decide again.
	Update(ctx context.Context, book string, want Names, decide Decide) error

	// Read returns those of the rows named that exist, in one snapshot.
	Read(ctx context.Context, book string, want Names) (Rows, error)

	// Scan returns one page of a list in its documented order, in one snapshot: at most r.Limit rows, fewer only when the list
	// ends. Only the field of Rows that the list is about is filled. Text is compared by its bytes.
	Scan(ctx context.Context, book string, r Range) (Rows, error)
}

// Decide is the rule book as a Store sees it.
type Decide func(found Rows) (write Rows, more Names, err error)

// Names names rows.
type Names struct {
	Keys         []string
	Accounts     []AccountID
	Holds        []ID
	Transactions []ID
	Documents    []DocumentID // current versions
	Versions     []VersionID  // past and current versions
	References   []string
	Leases       []DocumentID
	Assets       []currency.AssetID
	Pending      []ID // by entry
	Sequences    []string

	// DueHolds asks for those open holds of an account whose deadline is at or before a moment; they are found in Rows.Holds.
	DueHolds []DueHolds
}

// DueHolds names the open holds of an account that are due. The account is always named in Names.Accounts too, which is
// what keeps them from changing.
type DueHolds struct {
	Account AccountID
	At      time.Time
}

// VersionID names one version of a document.
type VersionID struct {
	DocumentID
	Version uint64
}

// Rows carries rows of every kind, found or to be written. Within one Rows no name occurs twice.
type Rows struct {
	Keys         []KeyRow
	Accounts     []AccountInfo
	Lines        []Line
	Holds        []Hold
	Transactions []Transaction
	Documents    []Document // the current version of each
	Versions     []Document // append-only history, the current version included
	References   []ReferenceRow
	Leases       []Lease
	Assets       []AssetRow
	Pending      []PendingRow
	Feed         []Change
	Blocks       []Block // of the feed
	Sequences    []SequenceRow

	// Delete removes rows when writing: only Leases and Pending are ever deleted, and Versions that the same write adds again.
	Delete Names
}

// KeyRow remembers what a key stands for and what became of it.
type KeyRow struct {
	Key     string   `json:"key"`
	Inputs  []byte   `json:"inputs"` // canonical JSON
	Receipt Receipt  `json:"receipt"`
	Refusal *Refusal `json:"refusal,omitempty"` // of a decline
}

// ReferenceRow says which document has a unique reference.
type ReferenceRow struct {
	Reference string     `json:"reference"`
	Document  DocumentID `json:"document"`
}

// AssetRow is an asset's definition as the book first saw it.
type AssetRow struct {
	ID    currency.AssetID `json:"id"`
	Code  string           `json:"code"`
	Name  string           `json:"name"`
	Scale uint8            `json:"scale"`
	Kind  currency.Kind    `json:"kind"`
}

// PendingRow holds the changes of one entry until the sequencer has numbered them.
type PendingRow struct {
	Entry      ID        `json:"entry"`
	RecordedAt time.Time `json:"recorded_at"`
	Changes    []Change  `json:"changes"` // Position 0
}

// SequenceRow is a named counter, such as the feed's last position.
type SequenceRow struct {
	Name string `json:"name"`
	Last uint64 `json:"last"`
}

// Position is a place in a list: the four parts compare in order. Each list uses the parts its order names and leaves the
// others zero; ids count by their text form.
type Position struct {
	Time   time.Time
	Number uint64
	A, B   string
}

// Compare orders positions.
func (p Position) Compare(q Position) int {
	if c := p.Time.Compare(q.Time); c != 0 {
		return c
	}
	switch {
	case p.Number < q.Number:
		return -1
	case p.Number > q.Number:
		return 1
	case p.A != q.A:
		if p.A < q.A {
			return -1
		}
		return 1
	case p.B < q.B:
		return -1
	case p.B > q.B:
		return 1
	}
	return 0
}

// Range asks a Store for a part of one list: the rows strictly between After and Before (nil: no bound), first or last
// first.
type Range struct {
	List     List
	Account  AccountID  // of ListLines and ListOpenHolds
	Document DocumentID // of ListVersions
	Kind     string     // of ListDocuments; empty means every kind
	Owner    string     // of ListOwned and ListDossier
	After    *Position
	Before   *Position
	Backward bool // last first; After and Before keep their meaning
	Limit    int  // 1 to MaxPage
}

// The positions of rows. A Store that keeps lists by position takes them from here, so that every store has the same order.

// Position is the account's place in ListAccounts and ListOwned.
func (a AccountInfo) Position() Position { return Position{A: a.ID.Path, B: string(a.ID.Asset)} }

// Position is the line's place in ListLines.
func (l Line) Position() Position { return Position{Time: l.RecordedAt, Number: l.Version} }

// Position is the transaction's place in ListTransactions.
func (t Transaction) Position() Position { return Position{Time: t.RecordedAt, A: t.ID.String()} }

// Position is the hold's place in ListHolds and ListOpenHolds.
func (h Hold) Position() Position { return Position{Time: h.PlacedAt, A: h.ID.String()} }

// DuePosition is the hold's place in ListDueHolds.
func (h Hold) DuePosition() Position { return Position{Time: h.ExpiresAt, A: h.ID.String()} }

// Position is the document's place in ListDocuments and ListDossier.
func (d Document) Position() Position { return Position{Time: d.CreatedAt, A: d.Kind, B: d.ID} }

// DuePosition is the document's place in ListDueDocuments.
func (d Document) DuePosition() Position { return Position{Time: d.Due, A: d.Kind, B: d.ID} }

// VersionPosition is the version's place in ListVersions.
func (d Document) VersionPosition() Position { return Position{Number: d.Version} }

// FeedPosition is the change's place in ListFeed.
func (c Change) FeedPosition() Position { return Position{Number: c.Position} }

// Position is the block's place in ListBlocks.
func (b Block) Position() Position { return Position{Number: b.Number} }

// Position is the lease's place in ListLeases.
func (l Lease) Position() Position { return Position{A: l.Document.Kind, B: l.Document.ID} }

// Position is the key's place in ListKeys.
func (k KeyRow) Position() Position { return Position{A: k.Key} }

// Position is the reference's place in ListReferences.
func (r ReferenceRow) Position() Position { return Position{A: r.Reference} }

// Position is the asset's place in ListAssets.
func (a AssetRow) Position() Position { return Position{A: string(a.ID)} }

// PendingPosition is the row's place in ListPending.
func (p PendingRow) PendingPosition() Position {
	return Position{Time: p.RecordedAt, A: p.Entry.String()}
}

// Position is the sequence's place in ListSequences.
func (s SequenceRow) Position() Position { return Position{A: s.Name} }
