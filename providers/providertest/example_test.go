package providertest_test

import (
	"fmt"

	"github.com/koshpay/kosh/providers/providertest"
)

// What the suite asks of a provider, in the order in which it asks. Each check has a rule that says why.
func ExampleChecks() {
	for _, c := range providertest.Checks() {
		fmt.Println(c.Name)
	}
	// Output:
	// descriptor
	// no-secret-printed
	// no-secret-logged
	// card-numbers-stay-out
	// unsupported-is-not-sent
	// amounts-are-exact
	// amount-out-of-bounds
	// amount-never-cut
	// amount-as-it-moved
	// same-key-executes-once
	// same-key-at-once
	// same-key-in-two-processes
	// same-key-after-reopen
	// restart-in-mid-flight
	// same-key-other-amount
	// lost-response-is-maybe
	// lost-request-is-maybe
	// slow-request-is-maybe
	// server-error-is-maybe
	// garbage-is-maybe
	// refused-is-not-sent
	// rate-limit-is-for-now
	// rejected-means-never
	// declined-is-a-report
	// later-attempt-takes-nothing-back
	// no-hidden-retries
	// only-submit-acts
	// canceled-context
	// unknown-is-not-found
	// lookup-error-has-no-state
	// lookup-by-key-and-reference
	// effects-are-stable
	// final-is-final
	// operations-are-distinct
	// calls-at-once-do-not-mix
	// webhook-flipped-byte
	// webhook-wrong-secret
	// webhook-empty-secret
	// webhook-key-rotation
	// webhook-stale
	// webhook-redelivery
	// webhook-order
	// webhook-unknown-type
	// webhook-fuzz
	// webhook-signed-garbage
	// poll-without-gaps
	// poll-tells-all
	// poll-error-keeps-cursor
	// poll-while-it-happens
	// unasked-is-reported
	// statement-lists-all
	// link-yields-an-instrument
	// address-receives
	// reorganisation-takes-back
	// returned-deposit
	// bounced-payout
	// action-required
	// cancel-in-time
	// cancel-comes-too-late
	// refunds-within-the-deposit
	// partial-refunds
	// refund-that-fails-later
	// refund-of-what-went-back
	// refund-of-nothing
	// dispute
}

// What the suite of chains asks, in the order in which it asks.
func ExampleChainChecks() {
	for _, c := range providertest.ChainChecks() {
		fmt.Println(c.Name)
	}
	// Output:
	// confirmations-count
	// several-in-one-transaction
	// failed-pays-nothing
	// zero-is-nothing
	// dust-is-called-dust
	// addresses-are-distinct
	// fake-token-credits-nothing
	// token-without-return-value
	// token-that-takes-a-fee
	// token-that-lies
	// largest-amount-is-exact
	// too-large-is-quarantined
	// largest-word-is-quarantined
	// double-spent-is-taken-back
	// mined-again-is-another-effect
	// orphaned-before-it-counts
	// reorganised-during-a-scan
	// too-deep-halts
	// another-chain-halts
	// endpoints-that-disagree-halt
	// rescan-credits-once
	// restart-credits-once
	// pages-skip-nothing
	// two-processes-scan
	// crash-while-withdrawing
	// crash-while-making-an-address
	// crash-while-scanning
	// crash-while-replacing
	// crash-while-sweeping
	// unknown-broadcast-pays-once
	// endpoint-down
	// withdrawal-counts
	// eight-at-once
	// two-processes-send
	// more-than-there-is
	// no-gas
	// failed-withdrawal-costs
	// withdrawal-orphaned
	// withdrawal-to-ourselves
	// sweeping-costs-and-moves-nothing
	// fee-cap
	// quote-expired
	// signed-stays-signed
	// quote-bounds-the-fee
	// stuck-is-replaced
	// original-is-mined-first
	// replacement-keeps-the-cap
	// forgotten-is-sent-again
	// signer-sees-what-it-signs
	// signer-refuses
	// signer-refuses-some-of-eight
	// signer-down
	// wrong-signature-is-not-sent
	// high-s-is-normalised
}
