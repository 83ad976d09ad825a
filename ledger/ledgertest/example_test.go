package ledgertest_test

import (
	"context"
	"fmt"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

// What a store that passes can be trusted with.
func ExampleChecks() {
	for _, c := range ledgertest.Checks() {
		fmt.Println(c.Name)
	}
	// Output:
	// rows-come-back-whole
	// edges-come-back-whole
	// absent-rows-are-absent
	// rows-are-replaced-whole
	// an-error-of-decide-changes-nothing
	// a-panic-of-decide-changes-nothing
	// more-rows-are-added
	// due-holds-are-found
	// deletes-come-first
	// history-is-only-added-to
	// erased-versions-are-replaced
	// a-cancelled-context-does-nothing
	// callers-cannot-reach-in
	// books-are-apart
	// book-names-are-exact
	// lists-equal-brute-force
	// bounds-equal-brute-force
	// pages-neither-skip-nor-repeat
	// lists-follow-their-rows
	// bad-ranges-are-refused
	// updates-of-a-row-are-serial
	// absent-rows-are-guarded
	// more-rows-are-guarded
	// overlapping-updates-end
	// every-kind-of-row-is-guarded
	// what-was-written-is-seen
	// reads-are-one-snapshot
	// pages-stand-still-under-writes
	// reopening-keeps-all
	// a-key-has-one-effect
	// a-refused-entry-leaves-nothing
	// answers-outlive-a-restart
	// nobody-overdraws
	// money-is-conserved
	// a-hold-resolves-once
	// one-writer-wins-a-version
	// a-reference-has-one-document
	// leases-are-exclusive
	// the-feed-has-no-gaps
	// queries-equal-brute-force
	// the-largest-entries-are-taken
}

// A test shows that something left a book as it was by comparing dumps, and when it did not, in which rows.
func ExampleDiff() {
	ctx, s := context.Background(), memory.New()
	count := func(to uint64) error {
		return s.Update(ctx, "acme", ledger.Names{Sequences: []string{"tips"}}, func(ledger.Rows) (ledger.Rows, ledger.Names, error) {
			return ledger.Rows{Sequences: []ledger.SequenceRow{{Name: "tips", Last: to}}}, ledger.Names{}, nil
		})
	}
	_ = count(1)
	before, _ := ledgertest.Dump(ctx, s, "acme")
	_ = count(2)
	after, _ := ledgertest.Dump(ctx, s, "acme")
	fmt.Print(ledgertest.Diff(before, after))
	// Output:
	// - {"list":"sequences","row":{"name":"tips","last":1}}
	// + {"list":"sequences","row":{"name":"tips","last":2}}
}
