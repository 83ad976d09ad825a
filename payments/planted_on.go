//go:build koshplant

package payments

import "sync/atomic"

var plantedBug atomic.Value

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
		"refund-disputed":         "a refund goes out while the payer disputes the deposit",
		"refund-unreserved":       "refunds are not reserved on their deposit",
	}
}

func planted(bug string) bool {
	name, _ := plantedBug.Load().(string)
	return name == bug
}
