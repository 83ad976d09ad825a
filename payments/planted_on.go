//go:build koshplant

package payments

import "sync/atomic"

var (
	plantedBug     atomic.Value
	plantedReached atomic.Int64
)

// Plant switches one deliberate bug on in this process, and the one before off; the empty name switches all off. It exists
// only with the build tag koshplant: package payments/simulation shows with it that each kind of mistake is caught.
func Plant(bug string) { plantedBug.Store(bug) }

// PlantedBugs lists the names that Plant knows, with the mistake each stands for.
func PlantedBugs() map[string]string {
	return map[string]string{
		"submit-before-record":    "the provider is called before anything is recorded",
		"retry-on-maybe":          "an unknown outcome is tried again under a new key",
		"release-on-unknown":      "an unknown outcome is taken for a failure",
		"trust-not-found":         "a lookup that finds nothing is taken for a failure",
		"skip-dedup":              "an effect that was posted is posted again",
		"trust-amount":            "what was asked for is posted, not what moved",
		"forget-hold":             "a withdrawal reserves nothing",
		"ignore-provisional-hold": "a returned deposit leaves its provisional hold alone",
		"decline-fact":            "a fact is refused because the wallet cannot take or give it",
		"dispute-unheld":          "what a payer disputes stays spendable",
		"return-frees-dispute":    "what a bank takes back leaves a dispute of the same deposit unheld",
		"refund-disputed":         "a refund goes out while the payer disputes the deposit",
		"refund-unreserved":       "refunds are not reserved on their deposit",
		"round-fee-up":            "the platform's share of a tip is rounded up",
		"drop-fee":                "the platform's share of a tip goes to whoever is tipped",
		"skip-repayment":          "what a member is sent does not repay what they owe",
		"round-exchange-up":       "an exchange is rounded in the member's favour",
		"sell-unissued":           "coins are sold that were never issued",
		"limit-uncounted":         "a daily limit does not count",
		"limit-each":              "a daily limit looks at each payment by itself",
		"review-unheld":           "what waits for a person stays spendable",
		"deny-keeps-hold":         "what a person denied stays held",
		"skip-review":             "what a rule wants a person to see goes on at once",
		"forget-key":              "a request that is repeated is done again",
		"any-inputs":              "another request under the same key is answered with the first one",
		"unscoped-key":            "members share their keys",
		"anyone-may":              "everybody may do everything",
		"pay-out-debtors":         "who owes money is paid out",
		"hold-too-little":         "a payout holds a smallest unit too little",
		"anyones-instrument":      "members may use the instruments of others",
		"keep-reservation":        "a refund that failed stays reserved on its deposit",
		"refund-by-payer":         "who sent money may take it back",
		"refund-withdrawn":        "what a bank took back can be refunded too",
		"forget-suspense":         "a payment does not remember what it has in suspense",
		"last-report-wins":        "a late report takes back what an early one decided",
		"never-look-again":        "nobody looks up an unknown outcome",
		"forget-case":             "nobody is told of what is wrong",
		"drop-provider-fee":       "a provider's fee is not posted",
		"settle-into-fees":        "what is settled to our bank is posted as a fee",
		"drop-reversal":           "what is taken back is not posted",
		"unheld-provisional":      "what may be taken back is not held",
		"credit-excess":           "the member gets more than was asked for",
		"overfill-wallet":         "what a wallet cannot take is credited to it all the same",
		"fact-may-fail":           "a frozen wallet stops a fact",
		"keep-failed-hold":        "the hold of a payout that failed stays",
		"release-while-pending":   "the hold of a payout under way is released",
		"keep-provisional-hold":   "the provisional hold of a deposit that is final stays",
		"hold-is-what-moved":      "a payout is posted as it was asked for, not as it moved",
		"bounce-into-suspense":    "a payout that came back does not go back to the member",
		"keep-disputed-hold":      "what was disputed stays held after the decision",
		"lost-uncharged":          "a dispute that was lost is not charged",
		"appeal-kept":             "what is won on appeal does not go back",
		"attempt-twice":           "a worker that was second sends all the same",
		"resend-forgotten-key":    "a key is sent again that the provider has forgotten",
		"never-park":              "what nobody can tell is looked up for ever",
		"route-on-maybe":          "what may have happened is tried at another provider",
		"duplicate-is-refusal":    "a provider that holds the key already is taken for one that refuses",
		"arrival-to-nobody":       "what comes to a member's address belongs to nobody",
		"drop-unknown":            "an event about nothing known is acknowledged and forgotten",
		"cursor-ahead":            "the cursor passes events that were not recorded",
		"acknowledge-early":       "a webhook is acknowledged that was not recorded",
		"keep-resolved-suspense":  "what a person assigned still counts as in suspense",
		"never-keeps-hold":        "what a person says never happened stays held",
		"silent-failure":          "nobody is told that a payment failed",
		"statement-unsigned":      "a statement shows what went out as what came in",
		"hold-without-fee":        "what a member is to bear of a fee is not held",
		"fee-unborne":             "what a member is to bear of a fee is not charged",
		"quote-reused":            "a quote is good for more than one payment",
		"quote-outlived":          "a quote is good after it has expired",
		"anyones-quote":           "members may use the quotes of others",
		"requote":                 "what was quoted is exchanged at the price of the moment",
		"screen-ignored":          "what a screener denies is sent",
		"show-held":               "a wallet shows what is held as available",
	}
}

// PlantedReached says how often the code has come to a switch that was on. It only ever grows.
func PlantedReached() int64 { return plantedReached.Load() }

func planted(bug string) bool {
	if name, _ := plantedBug.Load().(string); name != bug {
		return false
	}
	plantedReached.Add(1)
	return true
}
