package ledger

import (
	"encoding/json"
	"time"
)

// DocumentID names a source document: accounting's word for the evidence behind an entry.
type DocumentID struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// String returns kind and id with a slash between them.
func (id DocumentID) String() string { return id.Kind + "/" + id.ID }

// Document is one version of a source document. What payments and providers must remember lives in documents, so that
// a state change, its postings and its event are recorded together or not at all.
type Document struct {
	DocumentID
	Version    uint64          `json:"version"` // 1 at creation, gap-free
	Owner      string          `json:"owner,omitempty"`
	State      string          `json:"state,omitempty"`
	Due        time.Time       `json:"due,omitzero"`         // when a worker should look at it; zero: never
	Lane       string          `json:"lane,omitempty"`       // which workers may: the provider's name
	References []string        `json:"references,omitempty"` // unique in the book; they only accumulate
	Schema     uint16          `json:"schema,omitempty"`     // of the body; readers upcast older ones and skip newer ones
	Body       json.RawMessage `json:"body,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"` // strictly increasing within the document, from entry to entry

	// Erased says that this version had a body, and what is left of it; see [EraseDocument].
	Erased Erasure `json:"erased,omitzero"`
}

// Erasure is what is left of a body that was erased.
type Erasure struct {
	At     time.Time `json:"at"` // recorded
	Reason string    `json:"reason"`
	Digest Hash      `json:"digest"` // SHA-256 of the body: whoever has a copy can show that it is the one
}

// Lease is the right to work on a due document until a moment. It lives outside history: no key, no feed.
type Lease struct {
	Document DocumentID `json:"document"`
	Token    ID         `json:"token"` // fences: an entry that carries a lost lease is refused with ErrLeaseLost
	Holder   string     `json:"holder,omitempty"`
	Until    time.Time  `json:"until"`
}

// LeaseRequest asks for due documents that nobody else has.
type LeaseRequest struct {
	Lanes []string      // only these; the empty string is a lane like any other
	Limit int           // at most so many; 1 to MaxPage
	For   time.Duration // how long; positive
	Who   string        // shown to operators
}

// Leased is a document together with the lease on it.
type Leased struct {
	Document Document
	Lease    Lease
}
