//go:build koshplant

package simulation

import (
	"maps"
	"slices"
	"testing"

	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/payments"
)

// TestPlanted switches each deliberate bug on in the real code and plays worlds until an invariant breaks. A simulator that
// finds nothing proves something only as far as it finds these.
func TestPlanted(t *testing.T) {
	const seeds, ops = 200, 200
	bugs := payments.PlantedBugs()
	caught := 0
	t.Cleanup(func() { payments.Plant("") })
	for _, name := range slices.Sorted(maps.Keys(bugs)) {
		payments.Plant(name)
		found := false
		for seed := uint64(0); seed < seeds && !found; seed++ {
			r := Run(Config{Seed: seed, Ops: ops, Dump: ledgertest.Dump})
			if r.Failure == nil {
				continue
			}
			found = true
			caught++
			report(t, "planted: %-24s %3d seeds  %3d operations  %s", name, seed+1, r.Failure.Op, r.Failure.Breach.Invariant)
			if testing.Verbose() {
				t.Logf("%s (%s): %v", name, bugs[name], r.Failure.Breach)
			}
		}
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
