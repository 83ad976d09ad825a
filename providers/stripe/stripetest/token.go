package stripetest

// Test tokens of payment methods. Most are Stripe's own; "ctoken_" before one makes a confirmation token of it.
const (
	Card              = "pm_card_visa"
	CardDeclined      = "pm_card_chargeDeclined"                       // links; charges are declined
	CardInsufficient  = "pm_card_visa_chargeDeclinedInsufficientFunds" // links; charges are declined for lack of funds
	Card3DS           = "pm_card_threeDSecure2Required"                // links; a charge waits for Approve or Deny
	CardDisputed      = "pm_card_createDispute"                        // charges succeed and are disputed a day later
	CardDisputeWon    = "pm_card_disputeWon"                           // the same, and the dispute is won ten days later; not Stripe's
	CardDisputeLost   = "pm_card_disputeLost"                          // the same, and it is lost; not Stripe's
	CardInquiry       = "pm_card_createDisputeInquiry"                 // charges succeed; the bank only asks
	CardRefundFails   = "pm_card_refundFail"                           // refunds succeed and come back later
	CardLinkDeclined  = "pm_card_chargeCustomerFail"                   // does not link
	Bank              = "pm_usBankAccount_success"                     // debits succeed
	BankInsufficient  = "pm_usBankAccount_insufficientFunds"           // debits fail before they succeed
	BankReturned      = "pm_usBankAccount_returned"                    // debits succeed and are returned two days later; not Stripe's
	BankDisputed      = "pm_usBankAccount_dispute"                     // debits succeed and are disputed, and lost, 20 days later
	BankUnlinkable    = "pm_usBankAccount_noAccount"                   // does not link
	Account           = "acct_active"                                  // a connected account that takes transfers
	AccountInactive   = "acct_inactive"                                // one that does not yet
	PayoutBank        = "ba_success"                                   // payouts are paid
	PayoutBankBounces = "ba_bounces"                                   // payouts are paid and come back three days later
	PayoutBankRefuses = "ba_refuses"                                   // payouts fail at once
	PayoutCard        = "card_success"                                 // instant payouts are paid
)

// behaviour is what a payment method does.
type behaviour struct {
	bank  bool
	last4 string
	declines, fails, returned,
	unlinkable string // the code that it does so with
	action, disputed, inquiry, refundFails, won, lost bool
}

var behaviours = map[string]behaviour{
	Card:             {last4: "4242"},
	CardDeclined:     {last4: "0002", declines: "generic_decline"},
	CardInsufficient: {last4: "9995", declines: "insufficient_funds"},
	Card3DS:          {last4: "3220", action: true},
	CardDisputed:     {last4: "0259", disputed: true},
	CardDisputeWon:   {last4: "0260", disputed: true, won: true},
	CardDisputeLost:  {last4: "0261", disputed: true, lost: true},
	CardInquiry:      {last4: "1976", inquiry: true},
	CardRefundFails:  {last4: "5126", refundFails: true},
	CardLinkDeclined: {last4: "0341", unlinkable: "generic_decline", declines: "generic_decline"},
	Bank:             {bank: true, last4: "6789"},
	BankInsufficient: {bank: true, last4: "1117", fails: "insufficient_funds"},
	BankReturned:     {bank: true, last4: "1116", returned: "account_closed"},
	BankDisputed:     {bank: true, last4: "1119", disputed: true},
	BankUnlinkable:   {bank: true, last4: "1118", unlinkable: "bank_account_unusable", declines: "bank_account_unusable"},
}

// account returns a connected account.
func account(id string) (object, bool) {
	state, ok := map[string]string{Account: "active", AccountInactive: "inactive"}[id]
	return object{"id": id, "object": "account", "capabilities": map[string]string{"transfers": state}}, ok
}

// platform returns our own account.
func platform() object {
	var accounts []object
	for _, id := range []string{PayoutBank, PayoutBankBounces, PayoutBankRefuses} {
		accounts = append(accounts, object{"id": id, "object": "bank_account", "bank_name": "STRIPE TEST BANK", "last4": "6789", "currency": "usd"})
	}
	accounts = append(accounts, object{"id": PayoutCard, "object": "card", "brand": "Visa", "last4": "5556"})
	return object{
		"id": "acct_platform", "object": "account",
		"external_accounts": object{"object": "list", "data": accounts, "has_more": false, "url": "/v1/accounts/acct_platform/external_accounts"},
	}
}
