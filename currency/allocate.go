package currency

import (
	"math/bits"
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
	total, err := a.weigh(weights)
	if err != nil {
		return nil, err
	}
	parts := make([]Amount, len(weights))
	a.share(parts, weights, total)
	return parts, nil
}

// AllocateInto is [Amount.Allocate] without an allocation: it writes the parts
// over dst, which must be as long as weights; another length is
// [ErrInvalidWeights]. After an error dst is as before.
func (a Amount) AllocateInto(dst []Amount, weights ...int64) error {
	total, err := a.weigh(weights)
	if err != nil {
		return err
	}
	if len(dst) != len(weights) {
		return opError("allocate", a.def, ErrInvalidWeights, "want one place for each weight")
	}
	a.share(dst, weights, total)
	return nil
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
	more, _ := q.add(uint128{lo: 1})
	negative := a.units.hi < 0
	larger, _ := more.signed(negative) // not above |a|, where it is used
	smaller, _ := q.signed(negative)
	parts := make([]Amount, n)
	for i := range parts {
		parts[i] = Amount{units: smaller, def: a.def}
		if uint64(i) < left {
			parts[i].units = larger
		}
	}
	return parts, nil
}

// weigh checks what is to be allocated, and adds the weights up: at most
// 2²⁰·2⁶³.
func (a Amount) weigh(weights []int64) (total uint128, err error) {
	const op = "allocate"
	if a.def == nil {
		return total, opError(op, nil, ErrInvalidAmount, "")
	}
	if len(weights) == 0 || len(weights) > MaxParts {
		return total, opError(op, a.def, ErrInvalidWeights, "no weights or too many")
	}
	for _, w := range weights {
		if w < 0 {
			return total, opError(op, a.def, ErrInvalidWeights, "a weight is negative")
		}
		var carry uint64
		total.lo, carry = bits.Add64(total.lo, uint64(w), 0)
		total.hi += carry
	}
	if total.isZero() {
		return total, opError(op, a.def, ErrInvalidWeights, "all weights are zero")
	}
	return total, nil
}

// fewParts is how many remainders share keeps on the stack.
const fewParts = 16

// share is the largest remainder method on magnitudes.
func (a Amount) share(parts []Amount, weights []int64, total uint128) {
	whole, negative := a.units.abs(), a.units.hi < 0
	var space [fewParts]uint128
	remainders := space[:min(len(weights), fewParts)]
	left := whole
	for i, w := range weights {
		q, r := whole.mulDiv(uint64(w), total)
		left = left.sub(q)
		parts[i] = Amount{units: int128{hi: int64(q.hi), lo: q.lo}, def: a.def} // not above whole, as w ≤ total
		if i < len(remainders) {
			remainders[i] = r
		}
	}
	// The remainders sum to left·total and each is below total, so more than
	// left of them are not zero: a zero weight never gets a unit.
	if n := int(left.lo); n > 0 {
		if len(weights) <= fewParts {
			giveFew(parts, remainders, n)
		} else {
			giveMany(parts, weights, whole, total, n)
		}
	}
	if negative {
		for i := range parts {
			parts[i].units = parts[i].units.neg()
		}
	}
}

// giveFew gives one unit to each of the n largest remainders, one at a time.
func giveFew(parts []Amount, remainders []uint128, n int) {
	for range n {
		best := 0
		for i := 1; i < len(remainders); i++ {
			if remainders[i].cmp(remainders[best]) > 0 {
				best = i
			}
		}
		remainders[best] = uint128{}
		parts[best].units, _ = parts[best].units.add(int128{lo: 1})
	}
}

// giveMany does the same without space of its own: parts hold the remainders
// while these are sorted, which gives the smallest one that still gets a unit
// and how many of that size do. Then the parts are calculated once more.
func giveMany(parts []Amount, weights []int64, whole, total uint128, n int) {
	for i, w := range weights {
		_, r := whole.mulDiv(uint64(w), total)
		parts[i].units = int128{hi: int64(r.hi), lo: r.lo} // below total, so positive
	}
	slices.SortFunc(parts, func(a, b Amount) int { return b.units.cmp(a.units) })
	last := parts[n-1].units
	ties := 0
	for i := n - 1; i >= 0 && parts[i].units == last; i-- {
		ties++
	}
	least := uint128{hi: uint64(last.hi), lo: last.lo}
	for i, w := range weights {
		q, r := whole.mulDiv(uint64(w), total)
		more := r.cmp(least)
		if more == 0 && ties > 0 {
			ties--
			more = 1
		}
		if more > 0 {
			q, _ = q.add(uint128{lo: 1})
		}
		parts[i].units = int128{hi: int64(q.hi), lo: q.lo}
	}
}
