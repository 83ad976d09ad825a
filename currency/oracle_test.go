package currency

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The oracles are written with math/big and share no code with what they check.

var (
	bigMax = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1))
	bigMin = new(big.Int).Neg(bigMax)
)

func inRange(v *big.Int) bool { return v.Cmp(bigMax) <= 0 && v.Cmp(bigMin) >= 0 }

// roundQuo is num/den rounded; nil means that Exact refuses.
func roundQuo(num, den *big.Int, mode Rounding) *big.Int {
	if den.Sign() < 0 {
		num, den = new(big.Int).Neg(num), new(big.Int).Neg(den)
	}
	floor, rem := new(big.Int).DivMod(num, den, new(big.Int)) // rem ≥ 0
	if rem.Sign() == 0 {
		return floor
	}
	ceil := new(big.Int).Add(floor, big.NewInt(1))
	half := new(big.Int).Lsh(rem, 1).Cmp(den)
	toZero, away := floor, ceil
	if num.Sign() < 0 {
		toZero, away = ceil, floor
	}
	nearest := floor
	if half > 0 {
		nearest = ceil
	}
	switch mode {
	case Ceiling:
		return ceil
	case Floor:
		return floor
	case Up:
		return away
	case Down:
		return toZero
	case Exact:
		return nil
	case HalfUp:
		if half == 0 {
			return away
		}
	case HalfDown:
		if half == 0 {
			return toZero
		}
	case HalfEven:
		if half == 0 && floor.Bit(0) == 1 {
			return ceil
		}
	}
	return nearest
}

// pow10Oracle multiplies, one ten at a time.
func pow10Oracle(n int) *big.Int {
	p := big.NewInt(1)
	for range n {
		p.Mul(p, big.NewInt(10))
	}
	return p
}

// edges are the 64-bit words where carries and signs go wrong.
var edges = []uint64{0, 1, 2, 3, 9, 10, 1<<31 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<63 + 1, 1<<64 - 2, 1<<64 - 1, 1e18, 1e19}

func randomWord(r *rand.Rand) uint64 {
	switch r.IntN(3) {
	case 0:
		return edges[r.IntN(len(edges))]
	case 1:
		return r.Uint64() >> r.IntN(64)
	default:
		return r.Uint64()
	}
}

func randomUnits(r *rand.Rand) int128 {
	for {
		v := int128{hi: int64(randomWord(r)), lo: randomWord(r)}
		if r.IntN(2) == 0 {
			v.hi = int64(v.lo) >> 63 // many small ones
		}
		if !v.isMin() {
			return v
		}
	}
}

func amountOf(t *testing.T, v *big.Int, a Asset) Amount {
	t.Helper()
	amount, err := FromBig(v, a)
	require.NoError(t, err)
	return amount
}

// checkResult compares a result with the oracle's, nil meaning that it must be
// refused for precision.
func checkResult(t *testing.T, want *big.Int, got Amount, err error, what string) {
	t.Helper()
	switch {
	case want == nil:
		require.ErrorIs(t, err, ErrPrecision, what)
		require.Equal(t, Amount{}, got, what)
	case !inRange(want):
		require.ErrorIs(t, err, ErrOverflow, what)
		require.Equal(t, Amount{}, got, what)
	default:
		require.NoError(t, err, what)
		require.Zero(t, want.Cmp(got.Big()), "%s: got %v, want %v", what, got.Big(), want)
	}
}

func testAsset(t testing.TB, id AssetID, scale uint8) *Definition {
	t.Helper()
	kind, err := id.kind()
	require.NoError(t, err)
	d, err := Define(Info{ID: id, Code: "TST", Scale: scale, Kind: kind})
	require.NoError(t, err)
	return d
}
