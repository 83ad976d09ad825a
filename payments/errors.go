package payments

import (
	"fmt"
	"strings"

	"github.com/koshpay/kosh/ledger"
)

// Refusal is the error type of this package: the ledger's, so that one errors.AsType finds both.
type Refusal = ledger.Refusal

// Classes of refusal, for errors.Is. They say what a caller may do next; see [ledger.Class].
const (
	ErrInvalid     = ledger.Invalid     // mend the request
	ErrDeclined    = ledger.Declined    // a new attempt needs a new key
	ErrConflict    = ledger.Conflict    // somebody was first; look again
	ErrNotFound    = ledger.NotFound    // something named does not exist
	ErrUnavailable = ledger.Unavailable // call again with the same key
)

// Codes of refusal, for errors.Is. Codes of package ledger, such as ledger.ErrInsufficientFunds, occur too.
const (
	ErrForbidden      ledger.Code = "forbidden"         // the actor may not do this; class Invalid
	ErrUnsupported    ledger.Code = "unsupported"       // no provider offers it, or the asset is not enabled; class Invalid
	ErrSelf           ledger.Code = "to_oneself"        // from and to are the same member; class Invalid
	ErrCardNumber     ledger.Code = "card_number"       // a text holds what looks like a card number; class Invalid
	ErrBadAddress     ledger.Code = "bad_address"       // the provider says that an address is mistyped; class Invalid
	ErrNoInstrument   ledger.Code = "no_instrument"     // the instrument is unknown, not usable or somebody else's; class NotFound
	ErrNoPayment      ledger.Code = "no_payment"        // unknown payment; class NotFound
	ErrOwes           ledger.Code = "owes"              // the member owes money: no cash-out; class Declined
	ErrNotRefundable  ledger.Code = "not_refundable"    // more than remains, or not in a state to be refunded; class Declined
	ErrDisputed       ledger.Code = "disputed"          // no refund while the payer disputes the deposit; class Declined
	ErrReview         ledger.Code = "review"            // what a Rule returns to let a person decide; callers never see it
	ErrNoCase         ledger.Code = "no_case"           // unknown case; class NotFound
	ErrResolved       ledger.Code = "resolved"          // the case is resolved already; class Conflict
	ErrUnresolvable   ledger.Code = "unresolvable"      // the decision does not fit the case; class Conflict
	ErrNotOwed        ledger.Code = "not_owed"          // more than the member owes; class Declined
	ErrLimit          ledger.Code = "limit"             // a limit of the policy; class Declined
	ErrNoRate         ledger.Code = "no_rate"           // no rate between the two assets (class Invalid), or no answer (Unavailable)
	ErrNoQuote        ledger.Code = "no_quote"          // unknown quote (class NotFound), none where one is needed (Invalid), or no answer (Unavailable)
	ErrQuoteUsed      ledger.Code = "quote_used"        // a quote is for one payment; class Declined
	ErrQuoteExpired   ledger.Code = "quote_expired"     // class Declined
	ErrNoProvider     ledger.Code = "no_provider"       // the provider is not registered in this process; class Unavailable
	ErrProviderExists ledger.Code = "provider_exists"   // another provider has this name; class Conflict
	ErrForeignBody    ledger.Code = "unreadable_record" // a stored document has a newer schema or cannot be read; class Corrupt
)

// maxPrivateBytes bounds what a refusal repeats of a request: enough to recognise it, too little to flood a log.
const maxPrivateBytes = 300

func refuse(class ledger.Class, code ledger.Code, field, format string, args ...any) *Refusal {
	private := fmt.Sprintf(format, args...)
	if len(private) > maxPrivateBytes {
		private = strings.ToValidUTF8(private[:maxPrivateBytes], "") + "…"
	}
	return &Refusal{Class: class, Code: code, Command: -1, Field: field, Private: private}
}

func invalid(field, format string, args ...any) error {
	return refuse(ledger.Invalid, ledger.ErrInvalid, field, format, args...)
}
