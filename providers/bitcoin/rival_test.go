package bitcoin_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

// A deposit that its payer takes back ends, whether it had counted or not, when the other payment is final; and so does a withdrawal that
// was to be paid with it. Until then they wait, because the chain may come back.
func TestDepositsThatNeverComeBack(t *testing.T) {
	for depth, want := range map[int]providers.State{1: providers.Failed, confirmations: providers.Succeeded} {
		w := newWorld(t)
		w.polled(w.p)
		reference := w.deposit(500_000)
		txid, _, _ := strings.Cut(reference, ":")
		w.mine(depth)
		var op providers.Operation
		if depth == confirmations {
			op = w.withdrawal(100_000)
			_, err := w.p.Submit(t.Context(), op)
			require.NoError(t, err)
			require.NoError(t, w.miner.Withhold(t.Context()))
		}
		w.polled(w.p)
		require.NoError(t, w.miner.Reorganise(t.Context(), depth, txid))
		w.polled(w.p)
		w.mine(finality - depth - 2)
		r := w.lookup(providers.Query{Reference: reference})
		require.Equal(t, providers.Pending, r.State)
		require.Equal(t, "orphaned", r.Reason.Code)
		w.mine(1)
		r = w.lookup(providers.Query{Reference: reference})
		require.Equal(t, want, r.State)
		require.True(t, r.Final)
		require.Equal(t, "double_spent", r.Reason.Code)
		if op.Key != "" {
			r := w.lookup(providers.Query{Key: op.Key})
			require.Equal(t, providers.Failed, r.State)
			require.Equal(t, "inputs_spent", r.Reason.Code)
			again, err := w.p.Submit(t.Context(), op)
			require.NoError(t, err)
			require.Equal(t, providers.Failed, again.State, "and it is not sent again")
		}
		w.conserved()
	}
}
