package providers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/koshpay/kosh/currency"
)

// Provider moves money outside the ledger. All methods are safe for concurrent use.
type Provider interface {
	// Describe is pure and cheap: the same answer every time, no I/O.
	Describe() Descriptor
	// Submit asks the far side to do op, at most once for op.Key. With a nil error the report is a fact, a decline
	// included. An error tells by its Certainty whether the far side may have acted; the report is then ignored.
	// Submitting a key again with the same operation is harmless: the far side answers as it did, or says Duplicate.
	Submit(ctx context.Context, op Operation) (Report, error)
	// Lookup reads what became of an operation; it changes nothing at the far side. An operation that the far side does
	// not know is ErrNotFound, which proves nothing before Descriptor.VisibleAfter has passed. An error never
	// carries a state.
	Lookup(ctx context.Context, q Query) (Report, error)
}

// Receiver is a provider whose far side calls webhooks.
type Receiver interface {
	// Receive verifies a delivery and parses it, indivisibly: what is not authentic is ErrForged and yields no event.
	// A type it does not know yields no events and no error. It does no I/O and changes nothing.
	Receive(ctx context.Context, d Delivery) ([]Event, error)
}

// Poller is a provider that offers its events as a list; unsolicited money (a bank transfer, a chain deposit) arrives here.
type Poller interface {
	// Poll returns events after the cursor, oldest first, at most limit, and the cursor after the last of them. The
	// empty cursor is the beginning. It may return an event again, never skip one. On an error the cursor stays.
	Poll(ctx context.Context, cursor string, limit int) (events []Event, next string, err error)
}

// Checker is a provider that can say whether it is configured and reachable.
type Checker interface {
	Check(ctx context.Context) error
}

// Quoter is a provider that can say beforehand what an operation will cost.
type Quoter interface {
	Quote(ctx context.Context, op Operation) (Quote, error)
}

// AddressChecker is a provider that can tell an address from a mistyped one by looking at it: its form, its network, its
// checksum (EIP-55, BIP-173). payments asks before anything is recorded or held, inside a transaction of the host too.
type AddressChecker interface {
	// CheckAddress returns nil when a Withdrawal of the asset could be sent to the address, and otherwise an error that says
	// what is amiss. It is pure and quick: no I/O. Nil promises nothing about who is behind the address.
	CheckAddress(asset currency.AssetID, address string) error
}

// Lister is a provider that can list what moved on our balance, so that payments can compare it with its own books
// (payments.Service.Reconcile).
type Lister interface {
	// List returns the movements on our balance with since ≤ Effect.At < until, in the far side's own order, at most limit,
	// and the cursor after the last of them; an empty one is the end. The empty cursor is the beginning. Every movement is
	// listed exactly once, those of which no report was ever made included.
	List(ctx context.Context, since, until time.Time, cursor string, limit int) (movements []Movement, next string, err error)
}

// Movement is an effect as the far side's own account statement has it.
type Movement struct {
	Effect
	Key       string // ours, of the operation that it belongs to; empty when nobody asked or the far side does not say
	Reference string // theirs, of the operation that it belongs to; may be empty
}

// Wrapper is a provider around another (metrics, tracing, rate limits).
type Wrapper interface {
	Unwrap() Provider
}

// As finds the first provider in p's chain of wrappers that implements T, for example As[Receiver](p).
func As[T any](p Provider) (T, bool) {
	for p != nil {
		if t, ok := p.(T); ok {
			return t, true
		}
		w, ok := p.(Wrapper)
		if !ok {
			break
		}
		p = w.Unwrap()
	}
	var zero T
	return zero, false
}

// Kind says what an operation is for.
type Kind string

// The kinds of operation.
const (
	Link           Kind = "link"            // turn a one-time token into an instrument that can be charged or paid out to
	Deposit        Kind = "deposit"         // take money from an instrument
	DepositAddress Kind = "deposit_address" // make an address (chain address, virtual bank account) that money can be sent to
	Withdrawal     Kind = "withdrawal"      // send money to an instrument or address
	Refund         Kind = "refund"          // give a deposit back, whole or part, to where it came from
	Cancel         Kind = "cancel"          // stop an operation that has not moved money yet
)

// Settlement is a kind of report, never of an operation: what the far side did with our balance by itself. It paid a batch
// out to our bank account, turned one currency into another, charged for the month. Such a report has a Reference, the
// effects, and in Covers what was settled.
const Settlement Kind = "settlement"

// hasAmount tells whether operations of the kind carry an amount.
func (k Kind) hasAmount() bool { return k == Deposit || k == Withdrawal || k == Refund }

// hasAsset tells whether operations of the kind are about an asset.
func (k Kind) hasAsset() bool { return k.hasAmount() || k == DepositAddress }

// valid tells whether there are operations of the kind.
func (k Kind) valid() bool { return k.hasAsset() || k == Link || k == Cancel }

// Method is how money travels. Providers may add their own.
type Method string

// The usual methods.
const (
	Card  Method = "card"
	Bank  Method = "bank"
	Chain Method = "chain"
)

// Descriptor says what a provider is and can do.
type Descriptor struct {
	// Name is the provider's lane, its accounts' path segment and its webhook's last path segment: 1 to 40 lower-case
	// letters, digits and dashes, starting with a letter. It never changes.
	Name   string
	Offers []Offer
	// KeyRetention is how long the far side remembers a key; 0 means that it has no keys: such a provider is submitted to
	// once and afterwards only looked up.
	KeyRetention time.Duration
	// VisibleAfter is how long after sending a lookup may still miss an operation.
	VisibleAfter time.Duration
}

// Offer is one thing that a provider does: a kind, by a method, in an asset.
type Offer struct {
	Kind   Kind
	Method Method
	// Asset is empty for Link and Cancel, which are about no asset.
	Asset currency.AssetID
	// Min, Max and Step bound the amount, inclusive; Amount{} is no bound. Step is the increment amounts are a multiple of.
	Min, Max, Step currency.Amount
	// Provisional says of a Deposit that the far side may take the money back within a window, as a bank may return a debit:
	// payments keeps such a deposit held in the wallet until a report is Final. Of a DepositAddress it says so of what arrives
	// there: seen in the wallet after its confirmations, and spendable when it is beyond reorganisation.
	Provisional bool
	// Exponent is the number of decimals on the wire, which need not be the asset's scale: an amount that it cannot
	// express is refused, never rounded.
	Exponent uint8
}

// Offer returns the offer for a kind, method and asset. The asset does not matter for Link and Cancel.
func (d Descriptor) Offer(kind Kind, method Method, asset currency.AssetID) (Offer, bool) {
	if !kind.hasAsset() {
		asset = ""
	}
	for _, o := range d.Offers {
		if o.Kind == kind && o.Method == method && o.Asset == asset {
			return o, true
		}
	}
	return Offer{}, false
}

// Supports returns nil when an offer covers op, its amount included, and otherwise an error that wraps ErrUnsupported
// and says what is amiss. Adapters call it first thing in Submit, and return what it says as NotSent.
func (d Descriptor) Supports(op Operation) error {
	o, ok := d.Offer(op.Kind, op.Method, op.AssetID())
	if !ok {
		return fmt.Errorf("%w: %s by %s in %q", ErrUnsupported, op.Kind, op.Method, op.AssetID())
	}
	if !op.Kind.hasAmount() {
		return nil
	}
	return o.Admits(op.Amount)
}

// Admits returns nil when the offer covers an amount of its asset, and otherwise an error that wraps ErrUnsupported and
// says what is amiss.
func (o Offer) Admits(a currency.Amount) error {
	if a.Sign() <= 0 {
		return fmt.Errorf("%w: an amount of %v", ErrUnsupported, a)
	}
	if o.Min.IsValid() {
		if less, err := a.Less(o.Min); err != nil || less {
			return fmt.Errorf("%w: %v is less than %v", ErrUnsupported, a, o.Min)
		}
	}
	if o.Max.IsValid() {
		if less, err := o.Max.Less(a); err != nil || less {
			return fmt.Errorf("%w: %v is more than %v", ErrUnsupported, a, o.Max)
		}
	}
	if o.Step.IsValid() {
		if down, err := a.RoundTo(o.Step, currency.Down); err != nil || down != a {
			return fmt.Errorf("%w: %v is not a multiple of %v", ErrUnsupported, a, o.Step)
		}
	}
	if _, err := a.Minor(o.Exponent); err != nil {
		return fmt.Errorf("%w: %v in %d decimals", ErrUnsupported, a, o.Exponent)
	}
	return nil
}

// Operation is what kosh asks a provider to do.
type Operation struct {
	// Key is the idempotency key: a UUID that kosh made and stored before anything was sent. The same key always
	// carries the same operation but for Attempt.
	Key    string
	Kind   Kind
	Method Method
	// Amount is positive, in an asset the provider offers; Amount{} for Link, DepositAddress and Cancel.
	Amount currency.Amount
	// Asset of a DepositAddress; for the other kinds it is Amount's.
	Asset currency.AssetID
	// Instrument is the provider's token to charge or pay out to; of a Link the one-time token that the member's device
	// got from the provider; of a chain withdrawal the address.
	Instrument string
	// Target and TargetReference name the operation that a Refund or Cancel is about: our key and their reference.
	Target          string
	TargetReference string
	// Member is the host's opaque id of the person, stable and without meaning to the provider.
	Member string
	// Description may appear on the person's statement.
	Description string
	// MaxFee is the most that the network may charge for a Withdrawal, in the asset that it charges in, and FeeUntil until when that
	// price was quoted: a transaction that could cost more is not signed, nor one after that time. Amount{} and zero: the
	// adapter's own bound. What is refused for this reason is Rejected, with the code fee_cap or quote_expired, but for a key
	// that was signed already.
	MaxFee   currency.Amount
	FeeUntil time.Time
	// TravelRule is the host's opaque reference to what it exchanged about payer and payee (FATF recommendation 16). Adapters
	// that have nowhere to send it leave it alone.
	TravelRule string
	// FirstSent is when this key was first sent, and Attempt how often it was sent before; both stored beforehand.
	FirstSent time.Time
	Attempt   int
}

// AssetID is the asset that the operation is about; empty for Link and Cancel.
func (op Operation) AssetID() currency.AssetID {
	switch op.Kind {
	case Deposit, Withdrawal, Refund:
		return op.Amount.AssetID()
	case DepositAddress:
		return op.Asset
	case Link, Cancel, Settlement:
	}
	return ""
}

// Query asks for an operation by our key or by their reference; when both are given the operation must have both.
type Query struct {
	Key       string
	Reference string
	Kind      Kind
	Amount    currency.Amount // as sent
	SentAt    time.Time       // first sent
}

// State is how an operation stands at the far side.
type State string

// The states of a report.
const (
	Pending        State = "pending"         // accepted; not decided
	ActionRequired State = "action_required" // waits for the person: see Report.Action
	Succeeded      State = "succeeded"       // done; later effects may still take back
	Failed         State = "failed"          // finally negative: nothing moved under this key and nothing will
	Canceled       State = "canceled"        // finally negative, because somebody asked
)

// Report is what a provider knows about one operation. Reports accumulate: a later one repeats the effects it still
// knows of and may add some.
type Report struct {
	Key       string // ours; empty when the far side acted unasked
	Reference string // theirs
	Kind      Kind
	State     State
	Effects   []Effect
	// Final says that no further effect is expected: the return window has passed, confirmations are enough for good. What is
	// Pending or ActionRequired is never final.
	Final bool
	// Reason of a Failed or Canceled report, or of the last take-back.
	Reason Reason
	// Confirmations so far and how many are wanted; chains only.
	Confirmations, Required uint
	Action                  *Action
	Instrument              *Instrument // of a Link that succeeded
	// Member and Address attribute money that came unasked. Each arrival at an address that a DepositAddress operation made is
	// an operation of its own: Kind Deposit, no Key, a Reference of its own, the Address, and the Member if the provider knows it.
	Member  string
	Address string
	// Disputes of a Deposit, each as it stands now: chargebacks and inquiries. They may come and change after Final.
	Disputes []Dispute
	// Covers are the references of the operations that a Settlement settles, if the far side tells and there are no more than
	// MaxEffects.
	Covers []string
	// Quarantined is what arrived and no Effect can carry; chains only. It moves nothing in our books.
	Quarantined []Quarantined
	At          time.Time // when this became so at the far side
	Raw         []byte    // what the far side said, for people; no secrets
}

// Reason says why something failed.
type Reason struct {
	Code   string // stable and machine-readable: card_declined, insufficient_funds, R01 …
	Public string // may be shown to the person
}

// Codes of a Reason or an [Error] that mean the same with every provider, and that payments understands.
const (
	CodeDust         = "dust"          // of a deposit that moved and is too small to be worth its costs: it goes to suspense
	CodeOrphaned     = "orphaned"      // a reorganisation took the block away: see Reversed
	CodeFeeCap       = "fee_cap"       // the network charges more than Operation.MaxFee
	CodeQuoteExpired = "quote_expired" // Operation.FeeUntil has passed
)

// EffectKind says why money moved.
type EffectKind string

// The kinds of effect. payments posts an effect of a kind that it does not know to suspense, with a case.
const (
	Moved    EffectKind = "moved"    // what the operation is for: a deposit in, a withdrawal or refund out
	Reversed EffectKind = "reversed" // takes an earlier Moved back: a returned debit, a bounced payout, a failed refund, a reorganisation
	Fee      EffectKind = "fee"      // what the provider charges, negative; or gives back, positive
	Settled  EffectKind = "settled"  // left the provider's balance for our bank account, negative; or came back or was debited there, positive

	// Disputed is what the far side took of a deposit because of a dispute, negative; Reinstated gives it back, positive. Both
	// name the Dispute. A dispute that is lost moves nothing more: see DisputeState.
	Disputed   EffectKind = "disputed"
	Reinstated EffectKind = "reinstated"

	// Converted is one side of an exchange that the far side made on our balance, as when a payment in one currency is settled in
	// another: one effect negative in the asset given, another one positive in the asset got.
	Converted EffectKind = "converted"
)

// Effect is money that really moved on our balance at the provider.
type Effect struct {
	// ID is the provider's own id of this movement, unique within the provider and for ever the same. On a chain: chain,
	// transaction, output or log index, and block hash, so that mined again is another effect.
	ID   string
	Kind EffectKind
	// Amount is signed: positive came onto our balance at the provider, negative left it.
	Amount currency.Amount
	// Reverses is the ID of the effect that a Reversed one takes back.
	Reverses string
	// Dispute is the ID of the dispute that a Disputed or Reinstated effect belongs to.
	Dispute string
	At      time.Time
}

// Quarantined is value that arrived at an address of ours and that cannot be an amount: a 256-bit quantity above what
// currency.Amount holds, or a token that nobody defined and whose decimals nobody vouches for. payments keeps it, with its raw
// bytes, as a finding of a case; no posting is made, and whoever polls goes on.
type Quarantined struct {
	ID       string // of the movement, made as Effect.ID is
	Asset    string // CAIP-19, as far as the adapter can tell
	Quantity string // in smallest units, decimal digits; of any size up to MaxQuantity
	Code     string // too_large, unknown_asset
	Raw      []byte // the log or output as the chain has it, at most MaxRaw bytes
	At       time.Time
}

// DisputeState says how a dispute stands.
type DisputeState string

// The states of a dispute. A report may take any of them back with a later Dispute.At: what was lost may be won on appeal.
const (
	DisputeInquiry DisputeState = "inquiry" // somebody asks; no money is concerned yet
	DisputeOpen    DisputeState = "open"    // the money is withdrawn, or is about to be; nothing is decided
	DisputeWon     DisputeState = "won"     // or withdrawn by the payer: the money is or will be reinstated
	DisputeLost    DisputeState = "lost"    // the money stays with the payer
)

// Dispute is a payer's objection to a deposit, raised with their bank: a chargeback, or the inquiry before one.
type Dispute struct {
	ID     string // the far side's own, unique within the provider
	State  DisputeState
	Amount currency.Amount // what is disputed, positive; it need not be what Disputed effects withdrew
	Reason Reason
	// EvidenceBy is until when evidence can be handed in; zero: not said, or not any more.
	EvidenceBy time.Time
	At         time.Time // when it came to stand so; of two reports about a dispute the later At counts
}

// Action is what the person must do next. It may hold secrets: it is passed through to the host and never stored.
type Action struct {
	Kind    string            // redirect, client_secret, bank_details, address
	URL     string            // of a redirect
	Secret  string            // of client_secret
	Address string            // of address
	Details map[string]string // of bank_details
	Until   time.Time         // zero: no deadline
}

// Instrument is a linked card, bank account or address, by the provider's token.
type Instrument struct {
	Token  string // the provider's; not a card or account number
	Method Method
	Label  string // for people: "Visa •• 4242"
	Last4  string
	Expiry string // YYYY-MM, of cards
}

// Delivery is a webhook call as it came in.
type Delivery struct {
	Header     http.Header
	Body       []byte
	ReceivedAt time.Time
}

// Event is news from a provider: a report, or a hint which operation to look up.
type Event struct {
	ID     string // the provider's; the same for a redelivery
	Report *Report
	Lookup *Query // when Report is nil
	At     time.Time
}

// Quote is a price for an operation.
type Quote struct {
	Fee   currency.Amount // may be in another asset than the operation
	Until time.Time
}
