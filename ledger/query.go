package ledger

import (
	"time"

	"github.com/koshpay/kosh/currency"
)

// List is one of the closed set of lists that a book has. Each has one documented order.
type List uint8

// The lists, each with its order. Those of the table at [Query] are for everyone; the others are for the ledger itself, for
// Verify and for moving a book.
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
	ListOpenHolds    // open holds of one account, by time placed, id
	ListBlocks       // of the feed, by number
)

// Query asks for a part of one list. A filter that a list does not have is refused with ErrInvalid, not ignored, and so is a
// state, type or kind that no row can have. All that are given must match. These are the filters of each list:
//
//	list               needs     order and index serve      asked row by row                    Since and Until mean
//	ListAccounts                 Owner Path                 Asset Type State Since Until        opened
//	ListOwned          Owner     Path                       Asset Type State Since Until        opened
//	ListLines          Account   Since Until                Line Reference                      recorded
//	ListTransactions             Account Since Until        Owner Asset Reference               recorded
//	ListHolds                    Account Since Until        Owner Asset State Reference         placed
//	ListOpenHolds      Account   Since Until                Reference                           placed
//	ListDueHolds                 Since Until                Account Owner Asset Reference       its deadline
//	ListDocuments                Kind Reference Since Until Owner State                         created
//	ListDossier        Owner     Reference Since Until      Kind State                          created
//	ListDueDocuments             Reference Since Until      Kind Owner State                    due
//	ListVersions       Document                             Owner State Since Until             written
//	ListFeed                                                Account Document Kind Owner Asset   recorded
//	                                                        State Reference Change Since Until
//
// What order or an index serves costs what it finds. What is asked row by row costs the rows looked at, of which there are
// at most 20,000 a page (see [Book.Page]), and for an owner or a reference that a row has only through what it refers to, a
// look-up of that: give an account, a kind or a time with it where there is one.
type Query struct {
	List List

	Account  AccountID  // transactions with a posting on it, holds on it, changes of it or of these; no striped whole
	Document DocumentID // its versions, and changes of it
	Kind     string     // of documents, and changes of such documents
	Owner    string     // of accounts, documents and versions, and of what is on an account of theirs

	Path  string           // accounts: this path, or everything below it when it ends in a slash
	Asset currency.AssetID // accounts and holds in it, transactions with a posting in it, changes of these
	Type  AccountType      // of accounts
	// State of an account is closed, else frozen when debits or credits are, else open. That of a hold is open, captured,
	// released or expired. That of a document or version is the host's word. That of a change is the one after it.
	State  string
	Line   LineKind   // of lines
	Change ChangeKind // of changes

	// Reference is Note.Reference of a transaction or hold, of what a line or change belongs to; of a document or its
	// changes, one that it has.
	Reference string

	Since time.Time // at or after; which time the table says
	Until time.Time // before

	After    Cursor // continue after this item; of the same query but for Limit
	Limit    int    // items a page, 1 to MaxPage; 0 means DefaultPage
	Backward bool   // last first
}

// Cursor is an opaque place in a list. It survives a restart; one that was altered, or that belongs to another query, is
// ErrInvalid. It is no permission: even one that somebody made up leads to nothing that its query does not. Nor is it a secret:
// whoever can decode it reads the place in it, a time, a number, a path or an id, which may be that of a row that the filters
// left out.
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
