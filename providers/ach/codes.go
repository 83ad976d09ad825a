package ach

import nacha "github.com/moov-io/ach"

// What return codes mean for the account (Nacha Operating Rules, Appendix Four).
var (
	// dead: nothing more may be sent to the account.
	dead = map[string]bool{
		"R02": true, // account closed
		"R03": true, // no account, or of somebody else
		"R04": true, // invalid account number
		"R12": true, // account sold to another bank
		"R13": true, // invalid routing number
		"R14": true, // representative payee deceased
		"R15": true, // holder deceased
		"R16": true, // account frozen
		"R20": true, // not a transaction account
	}
	// unauthorized: no more may be taken from the account without a new authorisation. A consumer's bank may return a
	// debit with one of these for sixty days.
	unauthorized = map[string]bool{
		"R05": true, // a consumer's account was debited with a corporate entry
		"R07": true, // authorisation revoked
		"R10": true, // originator not known or not authorised
		"R11": true, // not in accordance with the authorisation
		"R29": true, // corporate customer advises not authorised
	}
)

// extended are the codes that a consumer's bank may use for sixty days rather than two banking days; R29, a company's, is not
// among them.
func extended(code string) bool { return unauthorized[code] && code != "R29" }

var publicReasons = map[string]string{
	"R01":           "The bank account did not have enough money.",
	"R02":           "The bank account is closed.",
	"R03":           "The bank does not know this account.",
	"R04":           "The account number is wrong.",
	"R05":           "The account holder did not agree to this payment.",
	"R07":           "The account holder took back the permission for payments.",
	"R08":           "The account holder stopped the payment.",
	"R09":           "The bank account did not have enough available money.",
	"R10":           "The account holder did not agree to this payment.",
	"R11":           "The account holder did not agree to this payment.",
	"R13":           "The routing number is wrong.",
	"R16":           "The bank account is frozen.",
	"R20":           "This account does not take such payments.",
	"R23":           "The account holder refused the payment.",
	"R29":           "The account holder did not agree to this payment.",
	"file_rejected": "The bank did not accept the payment.",
}

// publicReason is what a member may be told.
func publicReason(code string) string {
	if text := publicReasons[code]; text != "" {
		return text
	}
	return "The bank returned the payment."
}

// describe is what an operator is told about a return or change code.
func describe(code string) string {
	if r := nacha.LookupReturnCode(code); r != nil {
		return code + ": " + r.Reason
	}
	if c := nacha.LookupChangeCode(code); c != nil {
		return code + ": " + c.Reason
	}
	return code
}
