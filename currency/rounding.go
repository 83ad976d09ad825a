package currency

import (
	"math/big"
	"math/bits"
	"strconv"

	"github.com/shopspring/decimal"
)

// Rounding says what becomes of a part smaller than the smallest unit. The
// zero value is HalfEven.
type Rounding uint8

const (
	// HalfEven rounds to the nearest, ties to the even neighbour, so that many
	// roundings do not drift: 0.5 → 0, 1.5 → 2.
	HalfEven Rounding = iota
	// HalfUp rounds to the nearest, ties away from zero, as invoices and tax
	// rules mostly say: 0.5 → 1, −0.5 → −1.
	HalfUp
	// HalfDown rounds to the nearest, ties towards zero: 0.5 → 0.
	HalfDown
	// Up rounds away from zero: 0.1 → 1, −0.1 → −1.
	Up
	// Down rounds towards zero, cutting off: 0.9 → 0, −0.9 → 0.
	Down
	// Ceiling rounds towards +∞: 0.1 → 1, −0.9 → 0.
	Ceiling
	// Floor rounds towards −∞: 0.9 → 0, −0.1 → −1.
	Floor
	// Exact does not round: what does not come out even is [ErrPrecision].
	Exact
)

var roundingNames = [...]string{"half-even", "half-up", "half-down", "up", "down", "ceiling", "floor", "exact"}

// String returns "half-even" and so on.
func (r Rounding) String() string {
	if int(r) < len(roundingNames) {
		return roundingNames[r]
	}
	return "Rounding(" + strconv.Itoa(int(r)) + ")"
}

// rest is the part that a truncation cut off, compared with half a unit.
type rest uint8

const (
	restNone rest = iota
	restBelow
	restHalf
	restAbove
)

// compareHalf classifies a remainder r of a division by d.
func compareHalf(r, d uint128) rest {
	if r.isZero() {
		return restNone
	}
	return rest(int(restHalf) + r.cmp(d.sub(r)))
}

// goesUp is the rule of each mode: whether a magnitude from which cut was
// truncated goes one up.
func (r Rounding) goesUp(cut rest, odd, negative bool) bool {
	switch r {
	case HalfEven:
		return cut == restAbove || cut == restHalf && odd
	case HalfUp:
		return cut >= restHalf
	case HalfDown:
		return cut == restAbove
	case Up:
		return cut != restNone
	case Ceiling:
		return cut != restNone && !negative
	case Floor:
		return cut != restNone && negative
	default: // Down; Exact refuses before it asks
		return false
	}
}

// upTable holds goesUp for all arguments, because prices in no order would make
// the processor guess at each of its branches.
var upTable = func() (t [Exact][restAbove + 1][2][2]uint8) {
	for r := range Exact {
		for cut := range restAbove + 1 {
			for i := range 4 {
				if odd, negative := i&1, i>>1; r.goesUp(cut, odd == 1, negative == 1) {
					t[r][cut][odd][negative] = 1
				}
			}
		}
	}
	return t
}()

// away returns what to add to a magnitude of which q is the lowest word and
// from which cut was truncated: 1 or 0, or a bare sentinel.
func (r Rounding) away(q uint64, cut rest, negative bool) (uint64, error) {
	if r >= Exact {
		switch {
		case r > Exact:
			return 0, ErrInvalidRounding
		case cut != restNone:
			return 0, ErrPrecision
		}
		return 0, nil
	}
	minus := 0
	if negative {
		minus = 1
	}
	return uint64(upTable[r][cut&3][q&1][minus]), nil
}

// apply rounds the magnitude q, from which cut was truncated. It returns a bare
// sentinel.
func (r Rounding) apply(q uint128, cut rest, negative bool) (uint128, error) {
	one, err := r.away(q.lo, cut, negative)
	if err != nil {
		return uint128{}, err
	}
	q, ok := q.add(uint128{lo: one})
	if !ok {
		return uint128{}, ErrOverflow
	}
	return q, nil
}

// scaled returns ±a·b·10ᵉ as an amount of d.
func scaled(op string, d *Definition, a, b uint128, e int, negative bool, mode Rounding) (Amount, error) {
	q, cut, ok := scale(a, b, e)
	return finish(op, d, q, cut, ok, negative, mode)
}

// finish rounds and signs a magnitude.
func finish(op string, d *Definition, q uint128, cut rest, ok, negative bool, mode Rounding) (Amount, error) {
	err := ErrOverflow
	if mode > Exact {
		return Amount{}, opError(op, d, ErrInvalidRounding, mode.String())
	}
	if ok && q.cmp(maxMagnitude) <= 0 { // too large comes before too fine
		if q, err = mode.apply(q, cut, negative); err == nil {
			if v, fits := q.signed(negative); fits {
				return Amount{units: v, def: d}, nil
			}
			err = ErrOverflow
		}
	}
	return Amount{}, opError(op, d, err, "")
}

// scale returns a·b·10ᵉ, truncated, and what was cut off. False means that it
// does not fit. No exponent is expanded beyond what can fit.
func scale(a, b uint128, e int) (uint128, rest, bool) {
	p := a.mul(b)
	if p == (uint256{}) {
		return uint128{}, restNone, true
	}
	switch k := -e; {
	case k <= 0:
		m, ok := p.small()
		if ok && k < 0 {
			if k < -maxPow10 {
				return uint128{}, restNone, false
			}
			m, ok = m.mulPow10(uint(-k))
		}
		return m, restNone, ok
	case k <= maxPow10:
		q, r := p.div(pow10[k])
		m, ok := q.small()
		return m, compareHalf(r, pow10[k]), ok
	case k <= 2*maxPow10:
		q, low := p.div(pow10[maxPow10])
		q, r := q.div(pow10[k-maxPow10])
		cut := compareHalf(r, pow10[k-maxPow10])
		if !low.isZero() { // a little more than what cut says
			switch cut {
			case restNone:
				cut = restBelow
			case restHalf:
				cut = restAbove
			case restBelow, restAbove: // already
			}
		}
		m, ok := q.small()
		return m, cut, ok
	default:
		return scaleBig(a.big(), b.big(), e)
	}
}

// mulSmall is v·value·10ᵉ rounded, for the usual price and rate: one word each,
// and a result of one word. It is not ok for others, nor when there is an error
// to explain.
func mulSmall(v int128, value decimal.Decimal, e int, mode Rounding) (int128, bool) {
	k := -e - int(value.Exponent())
	m := v.abs()
	if m.hi != 0 || uint(k) > wordPow10 || value.NumDigits() > 18 {
		return int128{}, false
	}
	c := value.CoefficientInt64()
	negative := v.hi^c < 0
	if c < 0 {
		c = -c
	}
	d := pow10[k].lo
	hi, lo := bits.Mul64(m.lo, uint64(c))
	if hi >= d {
		return int128{}, false
	}
	var q, r uint64
	if hi == 0 {
		q, r = lo/d, lo%d
	} else {
		q, r = bits.Div64(hi, lo, d)
	}
	cut := restNone
	if r != 0 {
		cut = rest(int(restHalf) + compareWords(r, d-r))
	}
	one, err := mode.away(q, cut, negative)
	q, carry := bits.Add64(q, one, 0)
	result := int128{hi: int64(carry), lo: q}
	if negative {
		result = result.neg()
	}
	return result, err == nil
}

// maxCoefficientBits bounds a decimal's coefficient, about 600 digits.
const maxCoefficientBits = 2048

// scaleBig is scale for what 128 bits do not hold. Both operands are at most
// maxCoefficientBits long.
func scaleBig(a, b *big.Int, e int) (uint128, rest, bool) {
	p := new(big.Int).Mul(a, b)
	p.Abs(p)
	switch {
	case p.Sign() == 0:
		return uint128{}, restNone, true
	case e > maxPow10: // at least 10³⁹
		return uint128{}, restNone, false
	case e >= 0:
		m, ok := uint128FromBig(p.Mul(p, bigPow10(e)))
		return m, restNone, ok
	case -e > p.BitLen(): // p < 2^BitLen, so less than half of 10^−e
		return uint128{}, restBelow, true
	}
	return quoBig(p, bigPow10(-e))
}

// quoBig divides positive numbers and truncates.
func quoBig(p, d *big.Int) (uint128, rest, bool) {
	q, r := p.QuoRem(p, d, new(big.Int))
	cut := restNone
	if r.Sign() != 0 {
		cut = rest(int(restHalf) + r.Lsh(r, 1).Cmp(d)) // −1, 0 or +1 beside half
	}
	m, ok := uint128FromBig(q)
	return m, cut, ok
}

// mulDecimal returns v·value·10ᵉ as an amount of d, for any value; ask mulSmall
// first. It allocates nothing for a
// coefficient of up to 18 digits.
func mulDecimal(op string, d *Definition, v int128, value decimal.Decimal, e int, mode Rounding) (Amount, error) {
	e += int(value.Exponent())
	if value.NumDigits() <= 18 {
		c := int128From(value.CoefficientInt64())
		negative := v.hi < 0 != (c.hi < 0)
		return scaled(op, d, v.abs(), c.abs(), e, negative, mode)
	}
	negative := v.hi < 0 != value.IsNegative()
	c := value.Coefficient()
	if c.BitLen() > maxCoefficientBits {
		return Amount{}, opError(op, d, ErrOverflow, "decimal with too many digits")
	}
	q, cut, ok := scaleBig(v.abs().big(), c, e)
	return finish(op, d, q, cut, ok, negative, mode)
}
