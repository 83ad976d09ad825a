package providers

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
)

// Limits of what an operation or report may carry. Everything has one, so that what a provider says always fits into a
// document of the ledger.
const (
	MaxName    = 40   // bytes of a provider's name
	MaxID      = 512  // bytes of a reference, an effect's id, a token, an address, a member's id
	MaxText    = 1000 // bytes of a description or a reason
	MaxEffects = 1000 // effects of one report, and operations that a settlement covers

	MaxDisputes = 100 // of one deposit

	MaxQuarantined = 1000 // of one report
	MaxQuantity    = 78   // digits of a quarantined quantity: 256 bits
	MaxRaw         = 4096 // bytes kept of what is quarantined
)

// Validate returns nil or an *Invalid. A descriptor that does not validate is a mistake in the adapter.
func (d Descriptor) Validate() error {
	bad := problems("descriptor")
	if !validName(d.Name) {
		return bad("Name", "is not 1 to 40 lower-case letters, digits and dashes, starting with a letter")
	}
	if d.KeyRetention < 0 {
		return bad("KeyRetention", "is negative")
	}
	if d.VisibleAfter < 0 {
		return bad("VisibleAfter", "is negative")
	}
	type slot struct {
		kind   Kind
		method Method
		asset  currency.AssetID
	}
	seen := make(map[slot]bool, len(d.Offers))
	for i, o := range d.Offers {
		field := fmt.Sprintf("Offers[%d]", i)
		if f, problem := o.problem(); problem != "" {
			return bad(field+f, problem)
		}
		s := slot{o.Kind, o.Method, o.Asset}
		if seen[s] {
			return bad(field, "repeats an earlier offer")
		}
		seen[s] = true
	}
	return nil
}

func (o Offer) problem() (field, problem string) {
	switch {
	case !o.Kind.valid():
		return ".Kind", "is unknown"
	case !validName(string(o.Method)):
		return ".Method", "is not a name"
	case !o.Kind.hasAsset():
		if o.Asset != "" {
			return ".Asset", "is set, but " + string(o.Kind) + " is about no asset"
		}
		return "", ""
	case o.Asset.Validate() != nil:
		return ".Asset", "is no asset id"
	case o.Exponent > currency.MaxScale:
		return ".Exponent", "is above 30"
	}
	for _, b := range []struct {
		field  string
		amount currency.Amount
	}{{".Min", o.Min}, {".Max", o.Max}, {".Step", o.Step}} {
		if b.amount.IsValid() && (b.amount.AssetID() != o.Asset || b.amount.Sign() <= 0) {
			return b.field, "is not a positive amount of the offer's asset"
		}
	}
	if o.Min.IsValid() && o.Max.IsValid() {
		if less, err := o.Max.Less(o.Min); err != nil || less {
			return ".Max", "is less than Min"
		}
	}
	return "", ""
}

// Validate returns nil or an *Invalid. payments validates before anything is stored; an adapter may rely on it or ask
// again, and returns what it says as NotSent.
func (op Operation) Validate() error {
	bad := problems("operation")
	if len(op.Key) != 36 || uuid.Validate(op.Key) != nil {
		return bad("Key", "is not a UUID")
	}
	if !op.Kind.valid() {
		return bad("Kind", "is unknown")
	}
	if !validName(string(op.Method)) {
		return bad("Method", "is not a name")
	}
	if field, problem := op.amountProblem(); problem != "" {
		return bad(field, problem)
	}
	for _, id := range []struct{ field, value string }{
		{"Instrument", op.Instrument}, {"Target", op.Target}, {"TargetReference", op.TargetReference}, {"Member", op.Member}, {"TravelRule", op.TravelRule},
	} {
		if !clean(id.value, MaxID) {
			return bad(id.field, "is too long or has characters that do not print")
		}
	}
	if !clean(op.Description, MaxText) {
		return bad("Description", "is too long or has characters that do not print")
	}
	if op.MaxFee.IsValid() && (op.Kind != Withdrawal || op.MaxFee.Sign() <= 0) {
		return bad("MaxFee", "is not positive, or not of a withdrawal")
	}
	switch op.Kind {
	case Link, Withdrawal:
		if op.Instrument == "" {
			return bad("Instrument", "is missing")
		}
	case Refund, Cancel:
		if op.Target == "" && op.TargetReference == "" {
			return bad("Target", "is missing")
		}
	case Deposit, DepositAddress: // a deposit may begin on a page of the provider's, without an instrument
	case Settlement: // refused above
	}
	// Only a token that is nothing else: base-36 tokens and chain addresses contain all sorts of digits.
	if op.Instrument != "" && isCardNumber(op.Instrument) {
		return bad("Instrument", "is a card number, which must never enter")
	}
	if LooksLikeCardNumber(op.Description) {
		return bad("Description", "contains what looks like a card number")
	}
	if op.Attempt < 0 {
		return bad("Attempt", "is negative")
	}
	return nil
}

func (op Operation) amountProblem() (field, problem string) {
	switch {
	case op.Kind.hasAmount() && op.Amount.Sign() <= 0:
		return "Amount", "is not positive"
	case op.Kind.hasAmount() && op.Asset != "" && op.Asset != op.Amount.AssetID():
		return "Asset", "differs from Amount's"
	case !op.Kind.hasAmount() && op.Amount.IsValid():
		return "Amount", "is set, but " + string(op.Kind) + " has none"
	case op.Kind == DepositAddress && op.Asset.Validate() != nil:
		return "Asset", "is no asset id"
	case !op.Kind.hasAsset() && op.Asset != "":
		return "Asset", "is set, but " + string(op.Kind) + " is about no asset"
	}
	return "", ""
}

// Validate returns nil or an *Invalid. payments calls it on everything that a provider returns; an invalid report is no
// fact, so what it was about stays as uncertain as after a time-out.
//
// An effect of an unknown kind is valid: money moved, and payments has a place for what it does not understand.
func (r Report) Validate() error {
	bad := problems("report")
	if r.Key == "" && r.Reference == "" {
		return bad("Reference", "is missing, and so is Key")
	}
	if !r.Kind.valid() && r.Kind != Settlement {
		return bad("Kind", "is unknown")
	}
	switch r.State {
	case Pending, ActionRequired, Succeeded, Failed, Canceled:
	default:
		return bad("State", "is unknown")
	}
	for _, id := range []struct{ field, value string }{
		{"Key", r.Key}, {"Reference", r.Reference}, {"Member", r.Member}, {"Address", r.Address}, {"Reason.Code", r.Reason.Code},
	} {
		if !clean(id.value, MaxID) {
			return bad(id.field, "is too long or has characters that do not print")
		}
	}
	if !clean(r.Reason.Public, MaxText) {
		return bad("Reason.Public", "is too long or has characters that do not print")
	}
	if field, problem := r.outcomeProblem(); problem != "" {
		return bad(field, problem)
	}
	if field, problem := r.effectsProblem(); problem != "" {
		return bad(field, problem)
	}
	if field, problem := r.disputesProblem(); problem != "" {
		return bad(field, problem)
	}
	if field, problem := r.coversProblem(); problem != "" {
		return bad(field, problem)
	}
	if field, problem := r.quarantineProblem(); problem != "" {
		return bad(field, problem)
	}
	return nil
}

// outcomeProblem checks what the state promises: something final is decided, and what succeeded yields what it is for.
func (r Report) outcomeProblem() (field, problem string) {
	if r.Final && (r.State == Pending || r.State == ActionRequired) {
		return "Final", "is set, but nothing is decided yet"
	}
	if r.State == Succeeded && r.Kind == Link && r.Instrument == nil {
		return "Instrument", "is missing of a link that succeeded"
	}
	if r.State == Succeeded && r.Kind == DepositAddress && r.Address == "" && r.Action == nil {
		return "Action", "is missing of an address that was made"
	}
	if i := r.Instrument; i != nil {
		switch {
		case i.Token == "" || !clean(i.Token, MaxID):
			return "Instrument.Token", "is missing, too long or has characters that do not print"
		case isCardNumber(i.Token):
			return "Instrument.Token", "is a card number, which must never enter"
		case !validName(string(i.Method)):
			return "Instrument.Method", "is not a name"
		case !clean(i.Label, MaxID):
			return "Instrument.Label", "is too long or has characters that do not print"
		case LooksLikeCardNumber(i.Label):
			return "Instrument.Label", "contains what looks like a card number"
		case utf8.RuneCountInString(i.Last4) > 4 || !clean(i.Last4, MaxID):
			return "Instrument.Last4", "is longer than four characters or does not print"
		case i.Expiry != "" && !validExpiry(i.Expiry):
			return "Instrument.Expiry", "is not YYYY-MM"
		}
	}
	return "", ""
}

// effectsProblem checks each effect and how they hang together.
func (r Report) effectsProblem() (field, problem string) {
	if len(r.Effects) > MaxEffects {
		return "Effects", "are too many"
	}
	at := make(map[string]int, len(r.Effects))
	for i, e := range r.Effects {
		field := fmt.Sprintf("Effects[%d]", i)
		switch {
		case e.ID == "":
			return field + ".ID", "is missing"
		case !clean(e.ID, MaxID):
			return field + ".ID", "is too long or has characters that do not print"
		case e.Kind == "" || !clean(string(e.Kind), MaxName):
			return field + ".Kind", "is missing, too long or does not print"
		case e.Amount.Sign() == 0:
			return field + ".Amount", "is missing or zero"
		case !clean(e.Reverses, MaxID):
			return field + ".Reverses", "is too long or has characters that do not print"
		case e.Kind == Reversed && e.Reverses == "":
			return field + ".Reverses", "is missing"
		case !clean(e.Dispute, MaxID):
			return field + ".Dispute", "is too long or has characters that do not print"
		case (e.Kind == Disputed || e.Kind == Reinstated) && e.Dispute == "":
			return field + ".Dispute", "is missing"
		case (e.Kind == Disputed || e.Kind == Reinstated) && r.Kind != Deposit:
			return field + ".Kind", "is " + string(e.Kind) + ", but only deposits are disputed"
		case e.Kind == Disputed && e.Amount.Sign() > 0:
			return field + ".Amount", "is positive, but a dispute takes money away"
		case e.Kind == Reinstated && e.Amount.Sign() < 0:
			return field + ".Amount", "is negative, but what is reinstated comes back"
		case e.Kind == Moved && r.Kind == Deposit && e.Amount.Sign() < 0:
			return field + ".Amount", "is negative, but a deposit moves money in"
		case e.Kind == Moved && (r.Kind == Withdrawal || r.Kind == Refund) && e.Amount.Sign() > 0:
			return field + ".Amount", "is positive, but a " + string(r.Kind) + " moves money out"
		}
		if _, seen := at[e.ID]; seen {
			return field + ".ID", "repeats an earlier effect"
		}
		at[e.ID] = i
	}
	return r.reversalsProblem(at)
}

// disputesProblem checks what is said of disputes beside their effects.
func (r Report) disputesProblem() (field, problem string) {
	if len(r.Disputes) > 0 && r.Kind != Deposit {
		return "Disputes", "are set, but only deposits are disputed"
	}
	if len(r.Disputes) > MaxDisputes {
		return "Disputes", "are too many"
	}
	seen := make(map[string]bool, len(r.Disputes))
	for i, d := range r.Disputes {
		field := fmt.Sprintf("Disputes[%d]", i)
		switch {
		case d.ID == "" || !clean(d.ID, MaxID):
			return field + ".ID", "is missing, too long or has characters that do not print"
		case seen[d.ID]:
			return field + ".ID", "repeats an earlier dispute"
		case d.State != DisputeInquiry && d.State != DisputeOpen && d.State != DisputeWon && d.State != DisputeLost:
			return field + ".State", "is unknown"
		case d.Amount.IsValid() && d.Amount.Sign() <= 0:
			return field + ".Amount", "is not positive"
		case !clean(d.Reason.Code, MaxID):
			return field + ".Reason.Code", "is too long or has characters that do not print"
		case !clean(d.Reason.Public, MaxText):
			return field + ".Reason.Public", "is too long or has characters that do not print"
		}
		seen[d.ID] = true
	}
	return "", ""
}

func (r Report) coversProblem() (field, problem string) {
	if len(r.Covers) > 0 && r.Kind != Settlement {
		return "Covers", "are set, but only a settlement covers operations"
	}
	if len(r.Covers) > MaxEffects {
		return "Covers", "are too many"
	}
	for i, c := range r.Covers {
		if c == "" || !clean(c, MaxID) {
			return fmt.Sprintf("Covers[%d]", i), "is missing, too long or has characters that do not print"
		}
	}
	if r.Kind == Settlement && r.Reference == "" {
		return "Reference", "is missing of a settlement"
	}
	return "", ""
}

func (r Report) quarantineProblem() (field, problem string) {
	if len(r.Quarantined) > MaxQuarantined {
		return "Quarantined", "are too many"
	}
	seen := make(map[string]bool, len(r.Quarantined))
	for i, q := range r.Quarantined {
		field := fmt.Sprintf("Quarantined[%d]", i)
		switch {
		case q.ID == "" || !clean(q.ID, MaxID):
			return field + ".ID", "is missing, too long or has characters that do not print"
		case seen[q.ID]:
			return field + ".ID", "repeats an earlier one"
		case q.Asset == "" || !clean(q.Asset, MaxID):
			return field + ".Asset", "is missing, too long or has characters that do not print"
		case q.Quantity == "" || len(q.Quantity) > MaxQuantity || strings.Trim(q.Quantity, "0123456789") != "":
			return field + ".Quantity", "is not a number of smallest units"
		case !validName(strings.ReplaceAll(q.Code, "_", "-")):
			return field + ".Code", "is not a name"
		case len(q.Raw) > MaxRaw:
			return field + ".Raw", "is too long"
		}
		seen[q.ID] = true
	}
	return "", ""
}

// reversalsProblem checks that what is taken back was there, whole or in part, and that nothing stays moved under a report
// that is finally negative. An effect that an earlier report carried and this one no longer does cannot be checked here.
func (r Report) reversalsProblem(at map[string]int) (field, problem string) {
	rest := make(map[string]currency.Amount, len(r.Effects))
	for _, e := range r.Effects {
		if e.Kind == Moved {
			rest[e.ID] = e.Amount
		}
	}
	for i, e := range r.Effects {
		if e.Kind != Reversed {
			continue
		}
		field := fmt.Sprintf("Effects[%d]", i)
		target, known := at[e.Reverses]
		if !known {
			continue
		}
		moved := r.Effects[target]
		if moved.Kind != Moved || moved.Amount.Sign() == e.Amount.Sign() {
			return field + ".Reverses", "names no movement in the other direction"
		}
		left, err := rest[e.Reverses].Add(e.Amount)
		if err != nil {
			return field + ".Amount", "is not of the asset that it takes back"
		}
		if left.Sign() == e.Amount.Sign() {
			return field + ".Amount", "takes back more than moved"
		}
		rest[e.Reverses] = left
	}
	if r.State == Failed || r.State == Canceled {
		for i, e := range r.Effects {
			if e.Kind == Moved && rest[e.ID].Sign() != 0 {
				return fmt.Sprintf("Effects[%d]", i), "stays moved, but the report is finally negative"
			}
		}
	}
	return "", ""
}

func problems(what string) func(field, problem string) error {
	return func(field, problem string) error { return &Invalid{What: what, Field: field, Problem: problem} }
}

// validName is the form of provider names and methods, which become path segments.
func validName(s string) bool {
	if s == "" || len(s) > MaxName || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// clean tells whether a store can keep s and a person can read it: UTF-8, printing, at most limit bytes.
func clean(s string, limit int) bool {
	if len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	return !strings.ContainsFunc(s, unicode.IsControl)
}

func validExpiry(s string) bool {
	_, err := time.Parse("2006-01", s)
	return err == nil
}
