//go:build koshplant

package simulation

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/payments"
)

// late are seeds that catch what is not caught soon.
var late = map[string]uint64{
	"anyones-instrument": 20, "anyones-quote": 218, "attempt-twice": 125, "cursor-ahead": 125, "duplicate-is-refusal": 21, "fee-unborne": 43,
	"hold-is-what-moved": 77, "hold-without-fee": 37, "keep-reservation": 50, "pay-out-debtors": 984, "quote-outlived": 44, "quote-reused": 100,
	"refund-disputed": 110, "requote": 51, "return-frees-dispute": 51,
}

// TestPlanted switches each deliberate bug on in the real code and plays worlds until an invariant breaks. A simulator that
// finds nothing proves something only as far as it finds these. KOSH_SIM_SEEDS says how many worlds each may take, from the first
// on, KOSH_SIM_BUG (a regular expression) which bugs. Without a number the search begins, for bugs that take many worlds, at one
// that has caught them before.
func TestPlanted(t *testing.T) {
	const ops = 250
	seeds, fromFirst := number(t, "KOSH_SIM_SEEDS", 1000)
	wanted, err := regexp.Compile(os.Getenv("KOSH_SIM_BUG"))
	require.NoError(t, err)
	bugs := payments.PlantedBugs()
	maps.DeleteFunc(bugs, func(name, _ string) bool { return !wanted.MatchString(name) })
	caught := 0
	t.Cleanup(func() { payments.Plant("") })
	for _, name := range slices.Sorted(maps.Keys(bugs)) {
		payments.Plant(name)
		before := payments.PlantedReached()
		found, first := false, late[name]
		if fromFirst {
			first = 0
		}
		for seed := first; seed < first+seeds && !found; seed++ {
			r := Run(Config{Seed: seed, Ops: ops, Dump: ledgertest.Dump})
			if r.Failure == nil {
				continue
			}
			found = true
			caught++
			report(t, "planted: %-24s by seed %3d, after %d seeds  %3d operations  %s", name, seed, seed-first+1, r.Failure.Op, r.Failure.Breach.Invariant)
			if testing.Verbose() {
				t.Logf("%s (%s): %v", name, bugs[name], r.Failure.Breach)
			}
		}
		assert.Greater(t, payments.PlantedReached(), before, "%s: the code never came to the switch", name)
		if !found {
			t.Errorf("%s (%s): not caught by %d seeds of %d operations", name, bugs[name], seeds, ops)
		}
	}
	payments.Plant("")
	for seed := range uint64(3) {
		if r := Run(Config{Seed: seed, Ops: ops, Dump: ledgertest.Dump}); r.Failure != nil {
			t.Errorf("with every bug off: %v", r.Failure)
		}
	}
	report(t, "planted: %d of %d caught", caught, len(bugs))
}
