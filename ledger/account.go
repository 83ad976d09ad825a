package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/koshpay/kosh/currency"
)

// AccountID names an account: one path in one asset. The path is 1 to 8 segments of letters, digits and
// . _ ~ @ : + = - joined by slashes, at most [MaxPathBytes] long, for example wallet/alice. A last segment * means all
// parts of a striped account, see [Stripes].
type AccountID struct {
	Path  string           `json:"path"`
	Asset currency.AssetID `json:"asset"`
}

// String returns the path and the asset with a space between them.
func (id AccountID) String() string { return id.Path + " " + string(id.Asset) }

// AccountType is one of the five types of accounting. It fixes the normal side.
type AccountType uint8

// The account types. The zero value is invalid.
const (
	Asset     AccountType = iota + 1 // what is owned or owed to us: bank, provider clearing, receivables
	Liability                        // what is owed to others: members' wallets
	Equity                           // what the owners put in
	Income                           // fees earned
	Expense                          // fees paid
)

// Side is one of the two sides of a posting.
type Side uint8

// The sides. The zero value is invalid.
const (
	Debit Side = iota + 1
	Credit
)

// Opposite returns the other side.
func (s Side) Opposite() Side { return Debit + Credit - s }

// NormalSide is the side that increases an account of this type: debit for [Asset] and [Expense], else credit.
func (t AccountType) NormalSide() Side {
	if t == Asset || t == Expense {
		return Debit
	}
	return Credit
}

// Terms are the changeable part of an account.
type Terms struct {
	// Floor is the least that the available balance may become by a posting or a hold; the invalid Amount{} means
	// that there is none. A wallet has a floor of zero.
	Floor currency.Amount `json:"floor"`
	// Ceiling is the most that the posted balance may become by a posting; the invalid Amount{} means that there is
	// none. It bounds the posted balance because a hold makes no room: it may be released.
	Ceiling       currency.Amount `json:"ceiling"`
	DebitsFrozen  bool            `json:"debits_frozen,omitempty"`
	CreditsFrozen bool            `json:"credits_frozen,omitempty"`
	Closed        bool            `json:"closed,omitempty"`
}

// AccountInfo is an account as it stands: identity, terms and balances. Balances are in the account's asset and
// positive on its normal side.
type AccountInfo struct {
	ID       AccountID   `json:"id"`
	Type     AccountType `json:"type"`
	Owner    string      `json:"owner,omitempty"`
	Terms    Terms       `json:"terms,omitzero"`
	Opening  Terms       `json:"opening,omitzero"` // the bounds that it was opened with; it never changes
	OpenedAt time.Time   `json:"opened_at"`

	Version    uint64          `json:"version"` // number of lines; every change is one line
	Posted     currency.Amount `json:"posted"`
	Held       currency.Amount `json:"held"`
	NextExpiry time.Time       `json:"next_expiry,omitzero"` // no open hold is due before this moment, often exactly then; zero when none has a deadline
	UpdatedAt  time.Time       `json:"updated_at"`           // recorded time of the last line; strictly increasing from entry to entry
}

// Balance is the balance of an account at one moment.
type Balance struct {
	Account   AccountID       `json:"account"`
	Version   uint64          `json:"version"` // gap-free number of the last line counted; 0 before the account was opened
	Posted    currency.Amount `json:"posted"`
	Held      currency.Amount `json:"held"`
	Available currency.Amount `json:"available"` // posted − held
}

// AsOf says at which moment a balance is wanted. The zero value is now; years outside 1 to 9999 are ErrInvalid. The answer
// for a moment is final once every process's clock is past it, and no transaction of a host is open from before it.
type AsOf struct {
	Recorded time.Time // as the book stood at this moment of ledger time, inclusive; zero is now
	// Effective counts only what took effect up to this moment, inclusive, whenever it was recorded (up to Recorded).
	// Held and Version are those of Recorded.
	Effective time.Time
}

// Account is a live handle of one account. Making one does no I/O; it is safe for concurrent use.
type Account interface {
	ID() AccountID
	// Balance is the balance now or at a past moment, as [Ledger] says of Balances. An account never opened is
	// ErrAccountNotFound.
	Balance(ctx context.Context, at AsOf) (Balance, error)
	// Lines yields the account's history; of q the filters and the direction count, its list and account do not.
	// At most one error is yielded, last.
	Lines(ctx context.Context, q Query) iter.Seq2[Line, error]
}

// LineKind says what a line changed.
type LineKind uint8

// The kinds of line, with what each does to posted and held.
const (
	LineOpened   LineKind = iota + 1 // nothing; carries the terms
	LinePosted                       // posted ± amount, by side
	LineHeld                         // held + amount
	LineCaptured                     // posted − amount (by side) and held − amount
	LineReleased                     // held − amount
	LineExpired                      // held − amount
	LineSet                          // nothing; carries the new terms
)

// Line is one change of one account. Its version is gap-free in the account and starts at 1; Posted and Held are the
// running balances after it, so a past balance is one look-up. The lines of an entry share one time: a past balance
// never shows half an entry.
type Line struct {
	Account     AccountID       `json:"account"`
	Version     uint64          `json:"version"`
	Kind        LineKind        `json:"kind"`
	Side        Side            `json:"side,omitempty"` // of a posting or capture
	Amount      currency.Amount `json:"amount"`         // zero of LineOpened and LineSet
	Posted      currency.Amount `json:"posted"`
	Held        currency.Amount `json:"held"`
	Transaction ID              `json:"transaction,omitzero"`
	Hold        ID              `json:"hold,omitzero"`
	Terms       *Terms          `json:"terms,omitempty"` // of LineOpened and LineSet
	RecordedAt  time.Time       `json:"recorded_at"`     // lines of one entry share it; from entry to entry it strictly increases
	EffectiveAt time.Time       `json:"effective_at"`
}
