package ledger

import (
	"encoding/json"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Command is one change to a book. The set is sealed: new powers are new commands.
type Command interface{ command() }

// Ref names a hold or a transaction: one that exists, by its id, or one that an earlier command of the same list makes.
type Ref struct {
	ID  ID   `json:"id,omitzero"`
	Nth int  `json:"nth,omitempty"`
	New bool `json:"new,omitempty"` // Nth counts
}

// ByID refers to something recorded earlier.
func ByID(id ID) Ref { return Ref{ID: id} }

// Nth refers to what command i of the same list makes (the entry's own list, or that of one guard); i counts from 0.
func Nth(i int) Ref { return Ref{Nth: i, New: true} }

// OpenAccount opens an account, or does nothing when the account is there on the same terms: the same type and owner, and
// the bounds that it was opened with, or those that it has now. Other terms are ErrTermsDiffer. So an entry may open what
// it needs every time, also after SetAccount moved a bound. It never reopens an account that was closed. The first
// account of an asset fixes the asset's scale and kind in the book (ErrAssetChanged).
type OpenAccount struct {
	Account AccountID       `json:"account"`
	Type    AccountType     `json:"type"`
	Owner   string          `json:"owner,omitempty"`
	Floor   currency.Amount `json:"floor"`   // Amount{}: none
	Ceiling currency.Amount `json:"ceiling"` // Amount{}: none

	parts int // of a striped account, whose first part Account is then; see Stripes
}

// Post records a transaction: at least two postings of positive amounts, debits equal to credits in every asset, no
// account on both sides. An account may have several postings on one side; each is a line of its own. EffectiveAt may be
// any time past, and up to MaxPostdate ahead. Bounds: ErrInsufficientFunds at the floor, ErrCeiling at the ceiling. A
// bound stops only what moves towards it, so a balance that is beyond one may always come back. A frozen side is
// ErrAccountFrozen, a closed account ErrAccountClosed, Fact or not. See also [Transfer].
type Post struct {
	ID          ID        `json:"id,omitzero"` // chosen by the caller, or made by the ledger when zero
	Postings    []Posting `json:"postings"`
	EffectiveAt time.Time `json:"effective_at,omitzero"` // zero: the recorded time. Bounds ignore it
	Fact        bool      `json:"fact,omitempty"`        // it happened already: a freeze does not stop it, bounds do
	Note
}

// Import records what happened before the book was there, or elsewhere: an opening balance, or the history of a system that
// is being left. It is a Post that no bound and no freeze stops, because what happened, happened; only a closed account
// refuses it. EffectiveAt is required and not after the ledger's time; RecordedAt is the ledger's, as always, so the moment
// of the import stays visible, and [AsOf] finds the balances of the old days by Effective. The accounts must be open, and
// may end beyond their bounds; then only what leads back is accepted. Use the old system's id in the entry's key, so that
// an import can be repeated, and in the reference. The transaction says that it was imported.
type Import struct {
	ID          ID        `json:"id,omitzero"`
	Postings    []Posting `json:"postings"`
	EffectiveAt time.Time `json:"effective_at"`
	Note
}

// Draw moves an amount from ordered sources to ordered destinations. Each source is debited as far as its bounds let
// it, then the next; each destination is credited likewise. An account without the bound in question takes all that is
// left, so the last one is usually unbounded. A source that is closed, or whose debits are frozen unless Fact is set,
// gives nothing; a destination that is closed or whose credits are frozen takes nothing, Fact or not. What no source could
// give is ErrInsufficientFunds, what no destination could take is ErrCeiling. All accounts are in the asset of the amount,
// exist, and are named once. See [AccountInfo.Headroom]. The transaction has a posting for each account that moved.
//
// A bank debit that is returned draws From wallet, then receivable, To clearing. A payment that came in draws From
// clearing To receivable (floor 0: repaid first), then wallet, then suspense.
type Draw struct {
	ID          ID              `json:"id,omitzero"`
	Amount      currency.Amount `json:"amount"`
	From        []AccountID     `json:"from"`
	To          []AccountID     `json:"to"`
	EffectiveAt time.Time       `json:"effective_at,omitzero"`
	Fact        bool            `json:"fact,omitempty"`
	Note
}

// PlaceHold reserves an amount of the account's available balance. A hold reserves against the normal side: on a wallet
// (liability), money that a later debit will take; that side's freeze stops it.
type PlaceHold struct {
	ID        ID              `json:"id,omitzero"`
	Account   AccountID       `json:"account"`
	Amount    currency.Amount `json:"amount"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"` // zero: no deadline; otherwise after the ledger's time
	Fact      bool            `json:"fact,omitempty"`      // a freeze does not stop it; bounds do
	Note
}

// Portion is an amount for one account.
type Portion struct {
	Account AccountID       `json:"account"`
	Amount  currency.Amount `json:"amount"`
}

// Capture turns a part of a hold into a transaction from the held account to one or more others. The amount captured is
// the sum of the portions. It may be repeated until nothing remains; Final releases the rest at once. A hold that is not
// open any more, its deadline passed included, is ErrHoldClosed; more than remains is ErrHoldExceeded. Taking from the held
// account crosses no floor; the accounts that receive are asked like those of a Post. The first posting of the
// transaction is the held account's.
type Capture struct {
	ID          ID        `json:"id,omitzero"` // of the transaction
	Hold        Ref       `json:"hold"`
	To          []Portion `json:"to"`
	Final       bool      `json:"final,omitempty"`
	EffectiveAt time.Time `json:"effective_at,omitzero"`
	Fact        bool      `json:"fact,omitempty"`
	Note
}

// Release gives a part of a hold back, or with All everything that remains. Exactly one of Amount and All is given. No
// freeze stops it.
type Release struct {
	Hold   Ref             `json:"hold"`
	Amount currency.Amount `json:"amount"`
	All    bool            `json:"all,omitempty"`
}

// Reverse records the opposite of a transaction: a part of it (postings as they stood in the original, with the amounts
// to be taken back, balanced), or with All everything that remains. Never more than remains of any posting
// (ErrAlreadyReversed). Exactly one of Part and All is given. Bounds, freezes and closed accounts count as for a Post. A
// reversal may be reversed in turn; that does not make more of the first transaction reversible. Reversing a capture does
// not bring back its hold.
type Reverse struct {
	ID          ID        `json:"id,omitzero"` // of the new transaction
	Transaction Ref       `json:"transaction"`
	Part        []Posting `json:"part,omitempty"`
	All         bool      `json:"all,omitempty"`
	Fact        bool      `json:"fact,omitempty"`
	Note
}

// SetAccount changes an account's terms. Nil fields stay as they are; an Amount{} lifts a bound. A bound that it sets and
// that the balance breaks already is refused (ErrInsufficientFunds, ErrCeiling). Closing needs a zero balance and no holds
// (ErrAccountInUse); Closed false opens the account again. Setting what is so already changes nothing and adds no line.
type SetAccount struct {
	Account       AccountID        `json:"account"`
	Floor         *currency.Amount `json:"floor,omitempty"`
	Ceiling       *currency.Amount `json:"ceiling,omitempty"`
	DebitsFrozen  *bool            `json:"debits_frozen,omitempty"`
	CreditsFrozen *bool            `json:"credits_frozen,omitempty"`
	Closed        *bool            `json:"closed,omitempty"`
}

// PutDocument writes the next version of a document by compare-and-swap: Version is the version it replaces, 0 to create.
// Everything but the references is replaced; references accumulate. Another version is ErrVersion. What the fields mean
// [Document] says.
type PutDocument struct {
	DocumentID
	Version    uint64          `json:"version"`
	Owner      string          `json:"owner,omitempty"`
	State      string          `json:"state,omitempty"`
	Due        time.Time       `json:"due,omitzero"`
	Lane       string          `json:"lane,omitempty"`
	References []string        `json:"references,omitempty"` // to be added; ErrReferenceTaken when another document has one
	Schema     uint16          `json:"schema,omitempty"`
	Body       json.RawMessage `json:"body,omitempty"` // JSON, at most MaxBodyBytes
}

// EraseDocument erases bodies: those of some versions of a document, or with All those of every version so far, which are
// all read. Exactly one of Versions and All is given; a version that does not exist is ErrDocumentNotFound. Of a body its
// SHA-256 stays, with the reason and the time, so that the feed, the seal and [Book.Verify] are as good as before;
// everything else of the version stays too, its owner, state and references among them. A version that has no body, or none
// any more, is left alone. The current version keeps its number, and who writes the next one gives it a body again.
//
// Keys remember the digest of a body and not the body, so nothing of it stays in the book, but in what a caller gave as
// [Entry.Inputs]. What was exported or backed up before is the host's to erase.
type EraseDocument struct {
	Document DocumentID `json:"document"`
	Versions []uint64   `json:"versions,omitempty"`
	All      bool       `json:"all,omitempty"`
	Reason   string     `json:"reason"` // required: the request, the law, the policy
}

func (OpenAccount) command()   {}
func (Post) command()          {}
func (Import) command()        {}
func (Draw) command()          {}
func (PlaceHold) command()     {}
func (Capture) command()       {}
func (Release) command()       {}
func (Reverse) command()       {}
func (SetAccount) command()    {}
func (PutDocument) command()   {}
func (EraseDocument) command() {}
