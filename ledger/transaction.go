package ledger

import (
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
)

// ID identifies a transaction, a hold or an entry: a UUIDv7. It is identity, never order.
type ID = uuid.UUID

// Posting moves an amount on one side of one account. The amount is positive and in the account's asset.
type Posting struct {
	Account AccountID       `json:"account"`
	Side    Side            `json:"side"`
	Amount  currency.Amount `json:"amount"`
}

// Transaction is two or more postings whose debits equal credits in every asset. It never changes, but for the
// amounts that later transactions reversed.
type Transaction struct {
	ID          ID        `json:"id"`
	Key         string    `json:"key"` // of the entry that made it
	Postings    []Posting `json:"postings"`
	RecordedAt  time.Time `json:"recorded_at"`
	EffectiveAt time.Time `json:"effective_at"`
	Note
	Reverses ID   `json:"reverses,omitzero"`
	Imported bool `json:"imported,omitempty"` // by [Import]: no bound was asked
	// Reversed holds, for each posting, how much of it has been reversed; nil while nothing was.
	Reversed []currency.Amount `json:"reversed,omitempty"`
}

// Note is what a caller may say about a transaction or hold. It is stored, never interpreted.
type Note struct {
	Reference   string            `json:"reference,omitempty"`   // the host's own id, for example a post
	Description string            `json:"description,omitempty"` // for people
	Meta        map[string]string `json:"meta,omitempty"`
}

// HoldState says how a hold stands.
type HoldState uint8

// The states of a hold. All but HoldOpen are final.
const (
	HoldOpen     HoldState = iota + 1
	HoldCaptured           // nothing remains and at least a part was captured
	HoldReleased           // nothing remains and nothing was captured
	HoldExpired            // what remained at the deadline was given back
)

// Hold reserves part of an account's available balance until it is captured, released or expired:
// captured + released = amount once it is closed.
type Hold struct {
	ID        ID              `json:"id"`
	Key       string          `json:"key"`
	Account   AccountID       `json:"account"`
	Amount    currency.Amount `json:"amount"`
	Captured  currency.Amount `json:"captured"`
	Released  currency.Amount `json:"released"`
	State     HoldState       `json:"state"`
	PlacedAt  time.Time       `json:"placed_at"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"` // zero: no deadline. Dead from this moment on, swept or not
	UpdatedAt time.Time       `json:"updated_at"`
	Note
}

// Remaining is what can still be captured or released.
func (h Hold) Remaining() (currency.Amount, error) {
	rest, err := h.Amount.Sub(h.Captured)
	if err != nil {
		return currency.Amount{}, err
	}
	return rest.Sub(h.Released)
}
