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
