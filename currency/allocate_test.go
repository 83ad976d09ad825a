package currency

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAllocateRefuses(t *testing.T) {
	a := MustNew(100, USD)
	for name, weights := range map[string][]int64{
		"none":     nil,
		"all zero": {0, 0},
		"negative": {1, -1, 5},
		"smallest": {math.MinInt64},
		"too many": make([]int64, MaxParts+1),
	} {
		_, err := a.Allocate(weights...)
		require.ErrorIs(t, err, ErrInvalidWeights, name)
		require.ErrorIs(t, a.AllocateInto(make([]Amount, len(weights)), weights...), ErrInvalidWeights, name)
	}
	for _, n := range []int{0, 1, 3} {
		dst := slices.Repeat([]Amount{MustNew(99, EUR)}, n)
		require.ErrorIs(t, a.AllocateInto(dst, 1, 2), ErrInvalidWeights, "two weights, %d places", n)
		require.ErrorIs(t, Amount{}.AllocateInto(dst, 1, 2), ErrInvalidAmount)
		require.Equal(t, slices.Repeat([]Amount{MustNew(99, EUR)}, n), dst, "a refusal writes nothing")
	}
	for _, n := range []int{0, -1, math.MinInt, MaxParts + 1, math.MaxInt} {
		_, err := a.Split(n)
		require.ErrorIs(t, err, ErrInvalidWeights, n)
	}
}

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		units   int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{5, []int64{0, 7, 3}, []int64{0, 4, 1}}, // 3.5 and 1.5 tie: the lower index
		{1, []int64{0, 0, 1}, []int64{0, 0, 1}},
		{1, []int64{1, 2}, []int64{0, 1}}, // the largest remainder, not the first
		{101, []int64{30, 70}, []int64{30, 71}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{7, []int64{math.MaxInt64, math.MaxInt64}, []int64{4, 3}},
		{3, []int64{0, 1, 0, 1, 0}, []int64{0, 2, 0, 1, 0}},
	} {
		parts, err := MustNew(c.units, USD).Allocate(c.weights...)
		require.NoError(t, err)
		got := make([]int64, len(parts))
		for i, p := range parts {
			got[i], _ = p.Int64()
		}
		require.Equal(t, c.want, got, "%d by %v", c.units, c.weights)
	}
}

// allocateOracle is the largest remainder method in fractions.
func allocateOracle(v *big.Int, weights []int64) []*big.Int {
	total := new(big.Int)
	for _, w := range weights {
		total.Add(total, big.NewInt(w))
	}
	abs := new(big.Int).Abs(v)
	left := new(big.Int).Set(abs)
	parts := make([]*big.Int, len(weights))
	rests := make([]*big.Int, len(weights))
	for i, w := range weights {
		parts[i], rests[i] = new(big.Int).QuoRem(new(big.Int).Mul(abs, big.NewInt(w)), total, new(big.Int))
		left.Sub(left, parts[i])
	}
	for ; left.Sign() > 0; left.Sub(left, big.NewInt(1)) {
		best := -1
		for i := range rests {
			if rests[i] != nil && (best < 0 || rests[i].Cmp(rests[best]) > 0) {
				best = i
			}
		}
		parts[best].Add(parts[best], big.NewInt(1))
		rests[best] = nil
	}
	if v.Sign() < 0 {
		for _, p := range parts {
			p.Neg(p)
		}
	}
	return parts
}

func checkAllocate(t *testing.T, a Amount, weights []int64) {
	t.Helper()
	parts, err := a.Allocate(weights...)
	if len(weights) == 0 || slices.Min(weights) < 0 || slices.Max(weights) == 0 {
		require.ErrorIs(t, err, ErrInvalidWeights)
		return
	}
	require.NoError(t, err)
	sum, err := Sum(parts...)
	require.NoError(t, err)
	require.Equal(t, a, sum, "the parts sum to the whole")
	for i, want := range allocateOracle(a.Big(), weights) {
		require.Zero(t, want.Cmp(parts[i].Big()), "part %d of %v by %v: %v, want %v", i, a, weights, parts[i], want)
		if weights[i] == 0 {
			require.Zero(t, parts[i].Sign(), "a zero weight gets nothing")
		}
	}
	into := slices.Repeat([]Amount{MustNew(99, EUR)}, len(weights))
	require.NoError(t, a.AllocateInto(into, weights...))
	require.Equal(t, parts, into, "whatever was there before")
	mirror, err := must(a.Neg()).Allocate(weights...)
	require.NoError(t, err)
	for i := range mirror {
		require.Equal(t, must(parts[i].Neg()), mirror[i], "allocate(−x) = −allocate(x)")
	}
}

func TestAllocateAgainstBig(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 3_000 {
		weights := make([]int64, 1+r.IntN(24))
		for i := range weights {
			if r.IntN(4) > 0 {
				weights[i] = int64(randomWord(r) >> 1)
			}
		}
		checkAllocate(t, Amount{units: randomUnits(r), def: USD}, weights)
	}
}

// Many equal remainders, beyond what is kept on the stack: the lower indexes win.
func TestAllocateTiesAmongMany(t *testing.T) {
	weights := slices.Repeat([]int64{3, 0, 1, 3}, 25)
	for units := range int64(400) {
		checkAllocate(t, MustNew(units, USD), weights)
	}
}

func TestSplitIsAllocateByOnes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 2_000 {
		a := Amount{units: randomUnits(r), def: USD}
		n := 1 + r.IntN(40)
		ones := slices.Repeat([]int64{1}, n)
		require.Equal(t, must(a.Allocate(ones...)), must(a.Split(n)))
	}
	parts, err := MustNew(MaxParts+1, USD).Split(MaxParts)
	require.NoError(t, err)
	require.Equal(t, MustNew(2, USD), parts[0])
	require.Equal(t, MustNew(1, USD), parts[MaxParts-1])
}

func FuzzAllocate(f *testing.F) {
	f.Add(int64(0), uint64(100), int64(1), int64(1), int64(1), int64(0), uint8(0))
	f.Add(int64(-1), uint64(5), int64(0), int64(7), int64(3), int64(math.MaxInt64), uint8(0))
	f.Add(int64(math.MaxInt64), uint64(math.MaxUint64), int64(-1), int64(0), int64(0), int64(0), uint8(0))
	f.Add(int64(math.MaxInt64), uint64(math.MaxUint64), int64(1), int64(0), int64(math.MaxInt64), int64(7), uint8(9))
	f.Fuzz(func(t *testing.T, hi int64, lo uint64, w0, w1, w2, w3 int64, more uint8) {
		a, err := FromUnits(hi, lo, USD)
		if err != nil {
			return
		}
		checkAllocate(t, a, slices.Repeat([]int64{w0, w1, w2, w3}, 1+int(more%12)))
	})
}
