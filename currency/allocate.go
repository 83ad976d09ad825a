package currency

import (
	"cmp"
	"slices"
)

// MaxParts is the largest number of parts that [Amount.Allocate] and
// [Amount.Split] make.
const MaxParts = 1 << 20

// Allocate divides a in proportion to weights. The parts sum to a exactly: each
// gets its share rounded towards zero, and the units left over go one each to
// the largest remainders, ties to the lower index. A zero weight gets nothing.
// Allocating −a gives the negated parts of a. Weights that are negative, all
// zero, none or more than [MaxParts] are [ErrInvalidWeights].
func (a Amount) Allocate(weights ...int64) ([]Amount, error) {
	const op = "allocate"
	if a.def == nil {
		return nil, opError(op, nil, ErrInvalidAmount, "")
	}
	if len(weights) == 0 || len(weights) > MaxParts {
		return nil, opError(op, a.def, ErrInvalidWeights, "no weights or too many")
	}
	var total uint128 // at most 2²⁰·2⁶³
	for _, w := range weights {
		if w < 0 {
			return nil, opError(op, a.def, ErrInvalidWeights, "a weight is negative")
		}
		total, _ = total.add(uint128{lo: uint64(w)})
	}
	if total.isZero() {
		return nil, opError(op, a.def, ErrInvalidWeights, "all weights are zero")
	}
	return a.share(weights, total), nil
}

// Split divides a into n parts that differ by at most one smallest unit, the
// larger ones first, and sum to a exactly. n is 1 to [MaxParts].
func (a Amount) Split(n int) ([]Amount, error) {
	const op = "split"
	if a.def == nil {
		return nil, opError(op, nil, ErrInvalidAmount, "")
	}
	if n < 1 || n > MaxParts {
		return nil, opError(op, a.def, ErrInvalidWeights, "the number of parts is out of range")
	}
	q, left := a.units.abs().divSmall(uint64(n))
	parts := make([]Amount, n)
	for i := range parts {
		m := q
		if uint64(i) < left {
			m, _ = m.add(uint128{lo: 1})
		}
		parts[i].units, _ = m.signed(a.units.hi < 0) // not above |a|
		parts[i].def = a.def
	}
	return parts, nil
}

// share is the largest remainder method on magnitudes.
func (a Amount) share(weights []int64, total uint128) []Amount {
	whole := a.units.abs()
	left := whole
	parts := make([]Amount, len(weights))
	var space [16]uint128
	remainders := slices.Grow(space[:0], len(weights))[:len(weights)]
	for i, w := range weights {
		wide, r := whole.mul(uint128{lo: uint64(w)}).div(total)
		q, _ := wide.small() // not above whole, as w ≤ total
		left = left.sub(q)
		remainders[i] = r
		parts[i] = Amount{units: int128{hi: int64(q.hi), lo: q.lo}, def: a.def}
	}
	// The remainders sum to left·total and each is below total, so more than
	// left of them are not zero: a zero weight never gets a unit.
	if left.lo > 0 {
		var indexSpace [16]int
		order := indexSpace[:0]
		for i := range weights {
			order = append(order, i)
		}
		slices.SortFunc(order, func(i, j int) int {
			if c := remainders[j].cmp(remainders[i]); c != 0 {
				return c
			}
			return cmp.Compare(i, j)
		})
		for _, i := range order[:left.lo] {
			parts[i].units, _ = parts[i].units.add(int128{lo: 1})
		}
	}
	if a.units.hi < 0 {
		for i := range parts {
			parts[i].units = parts[i].units.neg()
		}
	}
	return parts
}
