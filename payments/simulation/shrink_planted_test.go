//go:build koshplant

package simulation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/payments"
)

// TestShrink shrinks worlds that a planted bug breaks: few operations are left, they break the same invariant, again and
// again, none of them can be left out, and the report says all that is needed to see it.
func TestShrink(t *testing.T) {
	t.Cleanup(func() { payments.Plant("") })
	for _, bug := range []string{"drop-fee", "settle-into-fees", "review-unheld"} {
		payments.Plant(bug)
		var c Config
		var f *Failure
		for seed := uint64(0); seed < 200 && f == nil; seed++ {
			c = Config{Seed: seed, Ops: 250, Dump: ledgertest.Dump}
			f = Run(c).Failure
		}
		require.NotNil(t, f, bug)
		before := f.done()
		small, less := Shrink(c, f)
		report(t, "shrunk: %-18s from %d operations to %d: %s", bug, before, len(small.Keep), Spans(small.Keep))
		assert.Less(t, len(small.Keep), before/4, bug)
		assert.Equal(t, f.Breach.Invariant, less.Breach.Invariant, bug)

		again, once := Run(small), Run(small)
		require.NotNil(t, again.Failure, bug)
		assert.Equal(t, once.Trace, again.Trace, bug)
		assert.Equal(t, less.Breach.Error(), again.Failure.Breach.Error(), bug)
		for i := range small.Keep {
			fewer := small
			fewer.Keep = append(append([]int{}, small.Keep[:i]...), small.Keep[i+1:]...)
			if r := Run(fewer); r.Failure != nil {
				assert.NotEqual(t, less.Breach.Invariant, r.Failure.Breach.Invariant, "%s: %v is not needed", bug, small.Keep[i])
			}
		}
		text := again.Failure.Error()
		assert.Contains(t, text, string(less.Breach.Invariant))
		assert.Contains(t, text, "journal:\n")
		assert.Contains(t, text, " KEEP="+Spans(small.Keep))
	}
}
