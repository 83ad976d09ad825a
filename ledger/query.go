package ledger

import (
	"time"

	"github.com/koshpay/kosh/currency"
)

// List is one of the closed set of lists that a book has. Each has one documented order.
type List uint8

// The lists, each with its order. The first group is for everyone; the second is for the ledger itself, for Verify and for
// moving a book.
const (
	ListAccounts     List = iota + 1 // by path, asset
	ListOwned                        // accounts of Query.Owner, by path, asset
	ListLines                        // of one account, by recorded time, version
	ListTransactions                 // by recorded time, id; those of Query.Account by recorded time and the account's lines
	ListHolds                        // by time placed, id; those of Query.Account likewise
	ListDocuments                    // of one kind or of all, by time created, kind, id
	ListDossier                      // documents of Query.Owner, by time created, kind, id
	ListVersions                     // of one document, by version
	ListFeed                         // by position

	ListDueHolds     // open holds with a deadline, by deadline, id
	ListDueDocuments // documents with a due time, by due time, kind, id
	ListLeases       // by kind, id
	ListKeys         // by key
	ListReferences   // by reference
	ListAssets       // by id
	ListPending      // changes not yet numbered, by recorded time, entry id
	ListSequences    // by name
	ListOpenHolds    // open holds of one account, by time placed, id; for everyone
	ListBlocks       // of the feed, by number
)

// Query asks for a part of one list. Filters that do not apply to the list are refused, not ignored.
type Query struct {
	List List

	Account  AccountID  // ListLines, ListOpenHolds: required. ListTransactions, ListHolds: of this account, by its lines
	Document DocumentID // ListVersions: required
	Kind     string     // documents: filter
	Owner    string     // ListOwned, ListDossier: required. ListAccounts, ListDocuments: filter

	Path  string           // accounts: this path, or everything below it when it ends in a slash
	Asset currency.AssetID // accounts, transactions, holds: filter
	State string           // documents, holds: filter
	Type  AccountType      // accounts: filter

	Reference string    // transactions and holds: Note.Reference
	Since     time.Time // recorded (created, placed) at or after
	Until     time.Time // recorded (created, placed) before

	After    Cursor // continue after this item; of the same query but for Limit
	Limit    int    // items a page, 1 to MaxPage; 0 means DefaultPage
	Backward bool   // last first
}

// Cursor is an opaque place in a list. It survives a restart; one that was altered, or that belongs to another query, is
// ErrInvalid.
type Cursor string

// Page is one page of a list.
type Page struct {
	Items []Item
	Next  Cursor // empty when this was the last page
}

// Item is one item of a list with its place; exactly one of the pointers is set.
type Item struct {
	Cursor      Cursor
	Account     *AccountInfo
	Line        *Line
	Transaction *Transaction
	Hold        *Hold
	Document    *Document
	Change      *Change
}

// ChangeKind says what a change of the feed is about.
type ChangeKind uint8

// The kinds of change.
const (
	ChangeAccount     ChangeKind = iota + 1 // opened or its terms set
	ChangeTransaction                       // recorded
	ChangeHold                              // placed, captured, released or expired
	ChangeDocument                          // a version written
	ChangeErasure                           // the body of a version erased
)

// Change is one item of the feed. Positions start at 1 and have no gaps; they are given after the change is durable, in
// an order that keeps the order within every account and document.
type Change struct {
	Position    uint64     `json:"position"`
	Entry       ID         `json:"entry"`
	Key         string     `json:"key"`
	RecordedAt  time.Time  `json:"recorded_at"`
	Kind        ChangeKind `json:"kind"`
	Account     AccountID  `json:"account,omitzero"` // also of a hold
	Transaction ID         `json:"transaction,omitzero"`
	Hold        ID         `json:"hold,omitzero"`
	Document    DocumentID `json:"document,omitzero"`
	Version     uint64     `json:"version,omitempty"` // of the document or of the account: of a hold, the line that it made
	State       string     `json:"state,omitempty"`   // of the document or hold after the change

	// Amount is what was placed, captured, released or expired of a hold.
	Amount currency.Amount `json:"amount,omitzero"`
}
