package sandbox

import "github.com/koshpay/kosh/providers"

// The one-time tokens that a member's device would get from the provider. Each can be linked, any number of times, or
// charged and paid out to directly.
const (
	TokenCard             = "tok_card"              // charges and payouts succeed
	TokenCardDeclined     = "tok_card_declined"     // links; charges and payouts are declined
	TokenCardInsufficient = "tok_card_insufficient" // links; charges are declined for lack of funds
	TokenCardAction       = "tok_card_action"       // links; a charge waits for the person: Approve or Deny
	TokenCardRefundFails  = "tok_card_refund_fails" // charges succeed; a refund succeeds and comes back later
	TokenCardRefused      = "tok_card_refused"      // does not link

	TokenCardInquiry        = "tok_card_inquiry"         // charges succeed; the payer asks later, and is content
	TokenCardDisputeWon     = "tok_card_dispute_won"     // charges succeed; the payer asks, disputes all of it, and loses
	TokenCardDisputeLost    = "tok_card_dispute_lost"    // charges succeed; the payer disputes all of it, and gets it
	TokenCardDisputeAppeals = "tok_card_dispute_appeals" // the same, and it is won on appeal

	TokenBank         = "tok_bank"          // debits and payouts succeed
	TokenBankReturned = "tok_bank_returned" // debits settle and are returned later, R01
	TokenBankBounces  = "tok_bank_bounces"  // payouts succeed and come back later, R03
	TokenBankFails    = "tok_bank_fails"    // debits and payouts are pending and then fail, R02
	TokenBankRefused  = "tok_bank_refused"  // does not link
)

// Addresses that a chain withdrawal may be sent to for an unusual end; any other text without spaces is a good address.
const (
	AddressRefused = "addr_refused" // the withdrawal fails at once
	AddressReverts = "addr_reverts" // it is mined and reverts: Failed, but the network fee is spent
)

// instrument is what the far side knows about a token.
type instrument struct {
	method providers.Method
	label  string
	last4  string
	expiry string

	refusesLink   bool
	chargeFails   providers.Reason // at once
	payoutFails   providers.Reason // at once
	failsLater    providers.Reason // instead of moving
	needsAction   bool
	chargeReturns providers.Reason // after it moved
	payoutReturns providers.Reason
	refundReturns providers.Reason
	troubles      []trouble // after it moved
}

var (
	declined     = providers.Reason{Code: "card_declined", Public: "The card was declined."}
	insufficient = providers.Reason{Code: "insufficient_funds", Public: "The card has too little money."}
	r01          = providers.Reason{Code: "R01", Public: "The account had too little money."}
	r02          = providers.Reason{Code: "R02", Public: "The account is closed."}
	r03          = providers.Reason{Code: "R03", Public: "The account was not found."}
	refundFailed = providers.Reason{Code: "refund_failed", Public: "The card's bank sent the refund back."}
)

func card(last4 string) instrument {
	return instrument{method: providers.Card, label: "Visa •• " + last4, last4: last4, expiry: "2034-12"}
}

func bank(last4 string) instrument {
	return instrument{method: providers.Bank, label: "Test Bank •• " + last4, last4: last4}
}

// token returns what stands behind one of the constants.
func token(s string) (i instrument, ok bool) {
	switch s {
	case TokenCard:
		i = card("4242")
	case TokenCardDeclined:
		i = card("0002")
		i.chargeFails, i.payoutFails = declined, declined
	case TokenCardInsufficient:
		i = card("9995")
		i.chargeFails = insufficient
	case TokenCardAction:
		i = card("3220")
		i.needsAction = true
	case TokenCardRefundFails:
		i = card("7726")
		i.refundReturns = refundFailed
	case TokenCardRefused:
		i = card("0069")
		i.refusesLink, i.chargeFails, i.payoutFails = true, declined, declined
	case TokenCardInquiry:
		i = card("1976")
		i.troubles = []trouble{inquires, wins}
	case TokenCardDisputeWon:
		i = card("0259")
		i.troubles = []trouble{inquires, withdraws, wins}
	case TokenCardDisputeLost:
		i = card("2685")
		i.troubles = []trouble{withdraws, loses}
	case TokenCardDisputeAppeals:
		i = card("5423")
		i.troubles = []trouble{withdraws, loses, wins}
	case TokenBank:
		i = bank("6789")
	case TokenBankReturned:
		i = bank("0101")
		i.chargeReturns = r01
	case TokenBankBounces:
		i = bank("0303")
		i.payoutReturns = r03
	case TokenBankFails:
		i = bank("0202")
		i.failsLater = r02
	case TokenBankRefused:
		i = bank("0404")
		i.refusesLink, i.chargeFails, i.payoutFails = true, r02, r02
	}
	return i, i.method != ""
}

// find returns the instrument that an operation names: a linked one or a token itself.
func (f *farSide) find(op providers.Operation) (instrument, providers.Reason) {
	i, ok := f.instruments[op.Instrument]
	if !ok {
		i, ok = token(op.Instrument)
	}
	switch {
	case !ok:
		return i, providers.Reason{Code: "no_such_instrument", Public: "This card or account is not known."}
	case i.method != op.Method:
		return i, providers.Reason{Code: "wrong_method", Public: "This is not that kind of instrument."}
	}
	return i, providers.Reason{}
}

func (f *farSide) link(o *operation) {
	if o.request.Method == providers.Chain {
		if o.request.Instrument == AddressRefused || !validAddress(o.request.Instrument) {
			o.fail("invalid_address", "This is not an address.")
			return
		}
		o.linked = &providers.Instrument{Token: o.request.Instrument, Method: providers.Chain, Label: shorten(o.request.Instrument)}
		o.end(providers.Succeeded)
		return
	}
	i, ok := token(o.request.Instrument)
	switch {
	case !ok || i.method != o.request.Method:
		o.fail("no_such_token", "This card or account is not known.")
	case i.refusesLink:
		o.fail("instrument_refused", "This card or account cannot be used.")
	default:
		id := f.newID("pm")
		f.instruments[id] = i
		o.linked = &providers.Instrument{Token: id, Method: i.method, Label: i.label, Last4: i.last4, Expiry: i.expiry}
		o.end(providers.Succeeded)
	}
}
