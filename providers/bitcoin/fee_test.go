package bitcoin_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What nodes estimate is read to the satoshi, rounded up, and kept within the bounds; what is no estimate is none.
func TestEstimates(t *testing.T) {
	w := newWorld(t)
	w.fund(1, 1_000_000)
	for estimate, rate := range map[json.Number]int64{
		"0.00002": 2000, "0.00001": 1000, "2e-5": 2000, "0.000020001": 2001, "0.00000001": 1000, "0": 10_000, "-1": 10_000, "": 10_000,
		"0.005": 500_000, "21": 500_000, "99999999": 10_000, "1e400": 10_000, "0.00000000000000000000000000000000000000000001": 10_000,
	} {
		for _, core := range []bool{false, true} {
			w.node.Core, w.node.FeeRate = core, estimate
			q, err := w.p.Quote(t.Context(), w.withdrawal(100_000))
			require.NoError(t, err)
			require.Equal(t, sats(2*((141*rate+999)/1000)), q.Fee, "an estimate of %q, Core %v", estimate, core)
			require.Equal(t, w.now().Add(10*time.Minute), q.Until)
		}
	}
}

// A quote is an upper bound of what is charged, and never above what the adapter would sign.
func TestQuotesAreBounds(t *testing.T) {
	w := newWorld(t)
	w.fund(30, 20_000)
	w.node.FeeRate = "0.0005"
	op := w.withdrawal(200_000)
	q, err := w.p.Quote(t.Context(), op)
	require.NoError(t, err)
	op.MaxFee, op.FeeUntil = q.Fee, q.Until
	_, err = w.p.Submit(t.Context(), op)
	require.NoError(t, err)
	w.conserved()
	poor := w.withdrawal(900_000_000)
	q, err = w.p.Quote(t.Context(), poor)
	require.NoError(t, err, "of what there is not enough for, too")
	require.Equal(t, 1, q.Fee.Sign())
	poor.Instrument = "nobody"
	_, err = w.p.Quote(t.Context(), poor)
	require.Error(t, err)
}
