package memory

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// TestOrderAgainstSlice compares the list with a sorted slice through random additions, removals and walks.
func TestOrderAgainstSlice(t *testing.T) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		o := order[entry[uint64]]{places: entryPlaces[uint64]()}
		var model []uint64
		const space = 6 * chunkLen
		for step := range 12_000 {
			n := rnd.Uint64N(space)
			if seed%2 == 0 && step < 4*chunkLen {
				n = uint64(step) // grow at the end first
			}
			shrinking := step/3_000%2 == 1
			i, there := slices.BinarySearch(model, n)
			switch {
			case there && (shrinking || rnd.IntN(3) == 0):
				o.remove(ledger.Position{Number: n})
				model = slices.Delete(model, i, i+1)
			case !there && !(shrinking && rnd.IntN(4) > 0):
				o.add(entry[uint64]{ledger.Position{Number: n}, &n})
				model = slices.Insert(model, i, n)
			case !there:
				o.remove(ledger.Position{Number: n}) // of nothing
			}
			require.Equal(t, len(model), o.size)
			if step%100 == 0 {
				checkWalks(t, rnd, &o, model, space)
				checkShape(t, &o)
			}
		}
		copied := o.clone(o.places, func(e entry[uint64]) entry[uint64] { own := *e.row; return entry[uint64]{e.at, &own} })
		for _, n := range slices.Clone(model) {
			o.remove(ledger.Position{Number: n})
		}
		require.Zero(t, o.size)
		require.Empty(t, o.chunks)
		checkWalks(t, rnd, copied, model, space)
	}
}

func checkWalks(t *testing.T, rnd *rand.Rand, o *order[entry[uint64]], model []uint64, space uint64) {
	t.Helper()
	for range 8 {
		var after, before *ledger.Position
		low, high := uint64(0), space
		if rnd.IntN(3) > 0 {
			low = rnd.Uint64N(space)
			after = &ledger.Position{Number: low}
			low++
		}
		if rnd.IntN(3) > 0 {
			high = rnd.Uint64N(space)
			before = &ledger.Position{Number: high}
		}
		var want []uint64
		for _, n := range model {
			if n >= low && n < high {
				want = append(want, n)
			}
		}
		backward, limit := rnd.IntN(2) == 0, 1+rnd.IntN(int(space))
		if backward {
			slices.Reverse(want)
		}
		want = want[:min(len(want), limit)]
		var got []uint64
		o.walk(after, before, backward, func(e entry[uint64]) bool {
			got = append(got, *e.row)
			return len(got) < limit
		})
		require.True(t, slices.Equal(want, got), "after %v before %v backward %v limit %d", after, before, backward, limit)
	}
}

// checkShape holds the list to what makes it quick: no chunk is empty or too long, no two neighbours are nearly empty.
func checkShape(t *testing.T, o *order[entry[uint64]]) {
	t.Helper()
	for i, c := range o.chunks {
		require.NotEmpty(t, c)
		require.LessOrEqual(t, len(c), chunkLen)
		require.True(t, slices.IsSortedFunc(c, func(a, b entry[uint64]) int { return a.at.Compare(b.at) }))
		if i > 0 {
			last := o.chunks[i-1]
			require.Negative(t, last[len(last)-1].at.Compare(c[0].at))
		}
	}
}

func BenchmarkOrder(b *testing.B) {
	b.Run("append", func(b *testing.B) {
		o := order[entry[int]]{places: entryPlaces[int]()}
		for n := range b.N {
			o.add(entry[int]{ledger.Position{Number: uint64(n)}, &n})
		}
	})
	b.Run("random", func(b *testing.B) {
		rnd := rand.New(rand.NewPCG(1, 2))
		o := order[entry[int]]{places: entryPlaces[int]()}
		for n := range b.N {
			o.add(entry[int]{ledger.Position{Number: rnd.Uint64()}, &n})
		}
	})
}

// TestSearchLate compares the search from the end with the one from the middle.
func TestSearchLate(t *testing.T) {
	for _, size := range []uint64{0, 1, chunkLen, chunkLen + 1, 9*chunkLen + 3} {
		o := order[entry[uint64]]{places: entryPlaces[uint64]()}
		for n := range size {
			o.push(entry[uint64]{ledger.Position{Number: 2 * n}, &n})
		}
		for n := range 2*size + 2 {
			reached := func(e entry[uint64]) bool { return e.at.Number >= n }
			chunk, i := o.search(reached)
			lateChunk, late := o.searchLate(reached)
			require.Equal(t, []int{chunk, i}, []int{lateChunk, late}, "%d of %d", n, size)
		}
	}
}
