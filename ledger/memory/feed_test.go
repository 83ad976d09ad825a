package memory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// TestFeedAgainstSlice compares the feed with a sorted slice: without gaps as a ledger writes it, with gaps, and in no order.
func TestFeedAgainstSlice(t *testing.T) {
	for seed := range uint64(9) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		var f feed
		var model []uint64
		next := uint64(0)
		for step := range 3*chunkLen + rnd.IntN(chunkLen) {
			next++
			if seed%3 > 0 && rnd.IntN(20) == 0 {
				next += rnd.Uint64N(5)
			}
			n := next
			if seed%3 == 2 && rnd.IntN(10) == 0 {
				n = rnd.Uint64N(next + 1)
			}
			i, there := slices.BinarySearch(model, n)
			require.Equal(t, there, f.has(n))
			if !there {
				f.add(n, ref(n+1))
				model = slices.Insert(model, i, n)
			}
			require.Equal(t, len(model), f.size)
			if step%40 == 0 {
				checkFeedWalks(t, rnd, &f, model)
			}
		}
		copied := f.clone()
		f.add(next+1, 1)
		f.runs[0].changes[0] = 7
		checkFeedWalks(t, rnd, &copied, model)
	}
}

func checkFeedWalks(t *testing.T, rnd *rand.Rand, f *feed, model []uint64) {
	t.Helper()
	space := model[len(model)-1] + 3
	for range 6 {
		r := ledger.Range{Backward: rnd.IntN(2) == 0, Limit: 1 + rnd.IntN(2*len(model))}
		low, high := uint64(0), space
		if rnd.IntN(3) > 0 {
			low = rnd.Uint64N(space)
			r.After = &ledger.Position{Number: low}
			low++
		}
		if rnd.IntN(3) > 0 {
			high = rnd.Uint64N(space)
			r.Before = &ledger.Position{Number: high}
		}
		var want, got []uint64
		for _, n := range model {
			if n >= low && n < high {
				want = append(want, n)
			}
		}
		if r.Backward {
			slices.Reverse(want)
		}
		want = want[:min(len(want), r.Limit)]
		f.walk(&r, func(position uint64, at ref) bool {
			require.Equal(t, ref(position+1), at)
			got = append(got, position)
			return len(got) < r.Limit
		})
		require.Len(t, got, len(want))
		if len(want) > 0 {
			require.Equal(t, want, got)
		}
	}
}
