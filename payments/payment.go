package payments

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// Kind says what a payment is.
type Kind string

// The kinds of payment.
const (
	Deposit    Kind = "deposit"    // money in, from an instrument
	Address    Kind = "address"    // an address that money can be sent to; each arrival is a Deposit of its own
	Withdrawal Kind = "withdrawal" // money out, to an instrument or address
	Refund     Kind = "refund"     // a deposit given back to its source
	Link       Kind = "link"       // an instrument being linked; no money
	Send       Kind = "send"       // member to member
	Tip        Kind = "tip"        // member to member, less the platform's fee
	Exchange   Kind = "exchange"   // one asset for another in one wallet
	Issue      Kind = "issue"      // new in-app coins
	Burn       Kind = "burn"       // in-app coins destroyed
	Forgiven   Kind = "forgiven"   // a debt of a member written off
	Settlement Kind = "settlement" // what a provider did with our balance by itself: a batch to our bank, a conversion, a monthly fee
)

// State says how a payment stands. It is derived from effects and reports, whatever order they came in.
type State string

// The states. Created to Unknown are on the way; the others are where payments end, though Succeeded may still become
// Reversed, and a Failed payment whose money moves after all becomes Succeeded: facts win.
const (
	Created        State = "created"         // recorded; nothing sent yet
	Review         State = "review"          // held for a person to decide: see Service.Resolve
	Submitting     State = "submitting"      // being sent
	ActionRequired State = "action_required" // waits for the member: see Payment.Action
	Pending        State = "pending"         // the provider has it and has not decided
	Unknown        State = "unknown"         // sent, and the answer was lost; the money stays held
	Succeeded      State = "succeeded"       // money moved, or the instrument is linked
	Failed         State = "failed"          // it did not and will not; see Payment.Reason
	Canceled       State = "canceled"
	Reversed       State = "reversed" // it moved and was taken back whole
)

// Done tells whether the state is one where payments end.
func (s State) Done() bool {
	switch s {
	case Succeeded, Failed, Canceled, Reversed:
		return true
	case Created, Review, Submitting, ActionRequired, Pending, Unknown:
	}
	return false
}

// Payment is one thing that somebody did with money, as it stands. It is a copy: changing it changes nothing.
type Payment struct {
	ID           string // a UUID; also the idempotency key at the provider
	Kind         Kind
	State        State
	Version      uint64           // of its document; every change is one more
	Member       string           // whose payment it is: the one who pays, deposits or withdraws
	Counterparty string           // the other member of a send or tip
	Asset        currency.AssetID // of Amount; of an address too, which has no amount
	Amount       currency.Amount
	Fee          currency.Amount        // the platform's, included in Amount
	Bought       currency.Amount        // what an exchange gave
	Rate         currency.Rate          // of an exchange: that of Amount less Fee
	Quote        string                 // id of the quote that a withdrawal or exchange used up
	MaxFee       currency.Amount        // of a withdrawal with a Quote: the most that the network may charge, in its own asset
	NetworkFee   currency.Amount        // what the provider charged for a withdrawal so far, perhaps in another asset
	FeeBorne     currency.Amount        // the part of NetworkFee that the member bore, beside Amount: see Config.WithdrawalFees
	Moved        currency.Amount        // net of what was taken back, in Amount's asset; what really happened
	Suspended    currency.Amount        // the part of Moved that came in and lies in suspense until a person decides: see the Case
	Refunded     currency.Amount        // given back, or on its way back
	Disputed     currency.Amount        // what the provider holds back of a deposit because the payer disputes it, or did and won
	Dispute      providers.DisputeState // how that stands, empty when nobody objected; see Service.Evidence
	Provider     string
	Method       providers.Method
	Instrument   string // id of the instrument, or the address
	Of           string // the payment that a refund gives back; the address a deposit came to
	Reference    string // the host's own: a post, an order
	Description  string
	TravelRule   string // the host's opaque reference: see WithdrawRequest
	Reason       providers.Reason
	Parked       bool // a person must decide: see the Case of the same id
	CreatedAt    time.Time
	UpdatedAt    time.Time

	// Action is what the member must do next. It comes straight from the provider and, but for an address, is never stored,
	// so only the call that submits or looks up has it; call Advance to get it again.
	Action *providers.Action
	// Replayed tells that the request's key was used before.
	Replayed bool
}

const (
	kindPayment    = "payment"
	schemaPayments = 1
)

// record is the body of a payment's document.
type record struct {
	ID           string           `json:"id"`
	Kind         Kind             `json:"kind"`
	Member       string           `json:"member,omitempty"`
	Counterparty string           `json:"counterparty,omitempty"`
	Amount       currency.Amount  `json:"amount,omitzero"`
	Fee          currency.Amount  `json:"fee,omitzero"`
	Bought       currency.Amount  `json:"bought,omitzero"`
	Rate         currency.Rate    `json:"rate,omitzero"`   // of an exchange
	Asset        currency.AssetID `json:"asset,omitempty"` // of an address
	Provider     string           `json:"provider,omitempty"`
	Method       providers.Method `json:"method,omitempty"`
	Provisional  bool             `json:"provisional,omitempty"` // the provider may take a deposit back within a window
	Stray        bool             `json:"stray,omitempty"`       // it came by itself in an asset that nobody here deals in, or dealt in when the address was made
	Instrument   string           `json:"instrument,omitempty"`
	Token        string           `json:"token,omitempty"` // what the provider is given: the instrument's token or an address
	Of           string           `json:"of,omitempty"`
	OfReference  string           `json:"of_reference,omitempty"` // the provider's reference of Of
	Reference    string           `json:"reference,omitempty"`
	Description  string           `json:"description,omitempty"`
	TravelRule   string           `json:"travel_rule,omitempty"`
	Quote        string           `json:"quote,omitempty"`
	MaxFee       currency.Amount  `json:"max_fee,omitzero"` // as quoted
	FeeUntil     time.Time        `json:"fee_until,omitzero"`
	MemberBears  bool             `json:"member_bears,omitempty"` // the network's fee, up to MaxFee, which is held beside Amount
	FeeBorne     currency.Amount  `json:"fee_borne,omitzero"`     // by the member
	FeeTurns     int              `json:"fee_turns,omitempty"`    // times that FeeBorne changed
	Transaction  ledger.ID        `json:"transaction,omitzero"`   // of a send, tip, exchange or issue
	Undone       bool             `json:"undone,omitempty"`       // that transaction was reversed

	Routes []string `json:"routes,omitempty"` // providers to try next, if it is certain that nothing happened
	Tried  []string `json:"tried,omitempty"`  // those that certainly did nothing

	Attempts  int       `json:"attempts,omitempty"` // times sent, counted before sending
	FirstSent time.Time `json:"first_sent,omitzero"`
	InFlight  bool      `json:"in_flight,omitempty"` // an attempt was begun and its outcome is not recorded
	Maybe     bool      `json:"maybe,omitempty"`     // some attempt may have reached the provider
	GivenUp   bool      `json:"given_up,omitempty"`  // certain that nothing was sent or done: Rejected, or NotSent too often
	Looks     int       `json:"looks,omitempty"`
	Parked    bool      `json:"parked,omitempty"`
	Review    bool      `json:"review,omitempty"`   // waits for a person
	Screened  Decision  `json:"screened,omitempty"` // what the screener said, or of a deposit whoever decided after it

	ProviderReference string                `json:"provider_reference,omitempty"`
	Reported          providers.State       `json:"reported,omitempty"` // the strongest report so far
	ReportedAt        time.Time             `json:"reported_at,omitzero"`
	Final             bool                  `json:"final,omitempty"`
	Reason            providers.Reason      `json:"reason,omitzero"`
	Linked            *providers.Instrument `json:"linked,omitempty"`
	Effects           []effect              `json:"effects,omitempty"`

	// FromSuspense is, of a refund that is paid from suspense, the effect of Of whose money it is, and Returned what of it has
	// moved.
	FromSuspense string          `json:"from_suspense,omitempty"`
	Returned     currency.Amount `json:"returned,omitzero"`
	// Refunds holds, on a deposit, what each refund has reserved or moved; see refundable.
	Refunds map[string]currency.Amount `json:"refunds,omitempty"`
	// Covers are the provider's references of what a settlement settles.
	Covers []string `json:"covers,omitempty"`
	// Disputes of a deposit, in the order in which they were heard of.
	Disputes []dispute `json:"disputes,omitempty"`
	// Hearing is set while only a part of a long report is recorded.
	Hearing *hearing `json:"hearing,omitempty"`
}

// effect is an effect of the provider as it was posted.
type effect struct {
	ID       string               `json:"id"`
	Kind     providers.EffectKind `json:"kind"`
	Amount   currency.Amount      `json:"amount"`
	Reverses string               `json:"reverses,omitempty"`
	At       time.Time            `json:"at,omitzero"`
	// Suspense is the part that went to suspense and was not taken back since, signed as Amount.
	Suspense currency.Amount `json:"suspense,omitzero"`
	// Hold is the provisional hold on what the wallet was credited with, or the one on what is disputed; Freed says that nothing is
	// left of it, and Holds how many there were for a dispute.
	Hold  ledger.ID `json:"hold,omitzero"`
	Freed bool      `json:"freed,omitempty"`
	Holds int       `json:"holds,omitempty"`
	// Dispute is the id of the dispute that the effect belongs to.
	Dispute string `json:"dispute,omitempty"`
	// Returning says that what is in suspense is on its way back to where it came from.
	Returning bool `json:"returning,omitempty"`
}

// suspend notes that an amount of the effect went to suspense.
func (e *effect) suspend(a currency.Amount) (err error) {
	switch {
	case a.Sign() == 0, planted("forget-suspense"):
	case !e.Suspense.IsValid():
		e.Suspense = a
	default:
		e.Suspense, err = e.Suspense.Add(a)
	}
	return err
}

// held tells whether the effect still holds something.
func (e *effect) held() bool { return e.Hold != uuid.Nil && !e.Freed }

// holding is how many effects still hold something.
func (r *record) holding() int {
	n := 0
	for i := range r.Effects {
		if r.Effects[i].held() {
			n++
		}
	}
	return n
}

func (r *record) effect(id string) *effect {
	for i := range r.Effects {
		if r.Effects[i].ID == id {
			return &r.Effects[i]
		}
	}
	return nil
}

// moved is the net of the payment's own effects in its own asset, positive in the direction the payment is meant to go.
func (r *record) moved() (net currency.Amount, any bool, err error) {
	if !r.Amount.IsValid() {
		return currency.Amount{}, false, nil
	}
	net = currency.Zero(r.Amount.Asset())
	for _, e := range r.Effects {
		if e.Kind != providers.Moved && e.Kind != providers.Reversed || e.Amount.Asset() != r.Amount.Asset() {
			continue
		}
		any = any || e.Kind == providers.Moved
		if net, err = net.Add(e.Amount); err != nil {
			return net, any, err
		}
	}
	if r.outward() {
		net, err = net.Neg()
	}
	return net, any, err
}

// outward tells whether the payment takes money from the provider.
func (r *record) outward() bool { return r.Kind == Withdrawal || r.Kind == Refund }

// viaProvider tells whether a provider carries the payment out.
func (r *record) viaProvider() bool { return r.Provider != "" }

// state derives the state. It depends on the set of effects, the strongest report and the attempts, not on their order.
func (r *record) state() State {
	if r.Review {
		return Review
	}
	if r.Hearing != nil {
		return r.Hearing.State
	}
	if !r.viaProvider() {
		switch {
		case r.Undone:
			return Reversed
		case r.GivenUp:
			return Failed
		}
		return Succeeded
	}
	if net, any, err := r.moved(); err == nil && any {
		if lost, err := r.charged(); err == nil && net == lost || net.Sign() == 0 {
			return Reversed
		}
		return Succeeded
	}
	switch r.Reported {
	case providers.Failed:
		return Failed
	case providers.Canceled:
		return Canceled
	case providers.Succeeded:
		if r.Amount.IsValid() {
			return Pending // success without a movement is not success yet
		}
		return Succeeded
	case providers.ActionRequired:
		return ActionRequired
	case providers.Pending:
		return Pending
	}
	switch {
	case r.GivenUp:
		return Failed
	case r.InFlight:
		return Submitting
	case r.Maybe:
		return Unknown
	default:
		return Created
	}
}

// refundable is what may still be given back of a deposit.
func (r *record) refundable() (currency.Amount, error) {
	rest, _, err := r.moved()
	if err != nil {
		return rest, err
	}
	given, err := r.refunded()
	if err != nil {
		return rest, err
	}
	withdrawn, err := r.withdrawn("")
	if err != nil {
		return rest, err
	}
	if planted("refund-withdrawn") {
		return rest.Sub(given)
	}
	if rest, err = rest.Sub(withdrawn); err != nil {
		return rest, err
	}
	return rest.Sub(given)
}

func (r *record) refunded() (currency.Amount, error) {
	sum := currency.Zero(r.Amount.Asset())
	var err error
	for _, a := range r.Refunds { // a sum does not depend on the order
		if sum, err = sum.Add(a); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

// inSuspense is what of a deposit lies in suspense, in its own asset.
func (r *record) inSuspense() (currency.Amount, error) {
	sum := currency.Zero(r.Amount.Asset())
	var err error
	for _, e := range r.Effects {
		if e.Suspense.Sign() <= 0 || e.Amount.Sign() <= 0 || e.Suspense.Asset() != sum.Asset() {
			continue
		}
		if sum, err = sum.Add(e.Suspense); err != nil {
			return sum, err
		}
	}
	return sum, nil
}

func paymentDocument(id string) ledger.DocumentID {
	return ledger.DocumentID{Kind: kindPayment, ID: id}
}

// put makes the next version of the record's document; version is the one it replaces.
func (r *record) put(version uint64, due time.Time, references ...string) (ledger.PutDocument, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return ledger.PutDocument{}, err
	}
	lane := r.Provider
	if due.IsZero() {
		lane = "" // nobody needs to look at it
	}
	return ledger.PutDocument{
		DocumentID: paymentDocument(r.ID), Version: version, Owner: r.Member, State: string(r.state()),
		Due: due, Lane: lane, References: references, Schema: schemaPayments, Body: body,
	}, nil
}

func readRecord(d ledger.Document) (*record, error) {
	if d.Schema > schemaPayments {
		return nil, refuse(ledger.Corrupt, ErrForeignBody, "schema", "%s has schema %d, this program reads up to %d", d.DocumentID, d.Schema, schemaPayments)
	}
	r := new(record)
	if err := json.Unmarshal(d.Body, r); err != nil {
		return nil, refuse(ledger.Corrupt, ErrForeignBody, "body", "%s: %v", d.DocumentID, err)
	}
	return r, nil
}

// payment is the public view of a document.
func payment(d ledger.Document) (Payment, error) {
	r, err := readRecord(d)
	if err != nil {
		return Payment{}, err
	}
	return r.payment(d)
}

func (r *record) payment(d ledger.Document) (p Payment, err error) {
	p = Payment{
		ID: r.ID, Kind: r.Kind, State: r.state(), Version: d.Version, Member: r.Member, Counterparty: r.Counterparty,
		Asset: r.Asset, Amount: r.Amount, Fee: r.Fee, Bought: r.Bought, Rate: r.Rate, Quote: r.Quote, Provider: r.Provider, Method: r.Method, Instrument: r.Instrument,
		Of: r.Of, Reference: r.Reference, Description: r.Description, TravelRule: r.TravelRule, MaxFee: r.MaxFee, FeeBorne: r.FeeBorne,
		Reason: r.Reason, Parked: r.Parked,
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
	if r.Amount.IsValid() {
		p.Asset = r.Amount.AssetID()
	}
	if r.Kind == Address && r.Instrument != "" {
		p.Action = &providers.Action{Kind: "address", Address: r.Instrument} // no secret: it can be shown again
	}
	if !r.Amount.IsValid() {
		return p, nil
	}
	switch {
	case r.viaProvider():
		p.Moved, _, err = r.moved()
	case r.Undone, r.Review, r.GivenUp:
		p.Moved = currency.Zero(r.Amount.Asset())
	default:
		p.Moved = r.Amount
	}
	if err == nil {
		p.Refunded, err = r.refunded()
	}
	if err == nil && r.Kind == Withdrawal {
		p.NetworkFee, err = r.networkFee()
	}
	if err == nil && r.Kind == Deposit {
		p.Suspended, err = r.inSuspense()
	}
	if err == nil && len(r.Disputes) > 0 {
		p.Dispute = r.disputeStands()
		p.Disputed, err = r.withdrawn("")
	}
	return p, err
}

// namespace makes ids that follow from what they stand for, so that two workers who find the same thing name it alike.
var namespace = uuid.MustParse("6f1c3c0e-6f0b-5d8e-9b1a-4b6f73680001")

func derivedID(parts ...string) uuid.UUID {
	b, _ := json.Marshal(parts) // strings cannot fail
	return uuid.NewSHA1(namespace, b)
}
