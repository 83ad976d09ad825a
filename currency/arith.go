package currency

import (
	"math/bits"

	"github.com/shopspring/decimal"
)

// Add returns a+b. Both must be of one asset.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.def != b.def || a.def == nil {
		return Amount{}, pairError("add", a.def, b.def)
	}
	v, ok := a.units.add(b.units)
	if !ok {
		return Amount{}, opError("add", a.def, ErrOverflow, "")
	}
	return Amount{units: v, def: a.def}, nil
}

// Sub returns a−b. Both must be of one asset.
func (a Amount) Sub(b Amount) (Amount, error) {
	if a.def != b.def || a.def == nil {
		return Amount{}, pairError("subtract", a.def, b.def)
	}
	v, ok := a.units.add(b.units.neg())
	if !ok {
		return Amount{}, opError("subtract", a.def, ErrOverflow, "")
	}
	return Amount{units: v, def: a.def}, nil
}

// Neg returns −a. It fails only for Amount{}.
func (a Amount) Neg() (Amount, error) {
	if a.def == nil {
		return Amount{}, opError("negate", nil, ErrInvalidAmount, "")
	}
	return Amount{units: a.units.neg(), def: a.def}, nil
}

// Abs returns a without its sign. It fails only for Amount{}.
func (a Amount) Abs() (Amount, error) {
	if a.def == nil {
		return Amount{}, opError("absolute value", nil, ErrInvalidAmount, "")
	}
	if a.units.hi < 0 {
		a.units = a.units.neg()
	}
	return a, nil
}

// Cmp returns −1 when a < b, 0 when they are equal and +1 when a > b. Amounts
// of different assets have no order: [ErrAssetMismatch].
func (a Amount) Cmp(b Amount) (int, error) {
	if a.def != b.def || a.def == nil {
		return 0, pairError("compare", a.def, b.def)
	}
	return a.units.cmp(b.units), nil
}

// Less reports whether a < b, with the errors of [Amount.Cmp].
func (a Amount) Less(b Amount) (bool, error) {
	c, err := a.Cmp(b)
	return c < 0, err
}

// Min returns the smaller of two amounts of one asset.
func Min(a, b Amount) (Amount, error) {
	c, err := a.Cmp(b)
	if err != nil {
		return Amount{}, err
	}
	if c > 0 {
		return b, nil
	}
	return a, nil
}

// Max returns the larger of two amounts of one asset.
func Max(a, b Amount) (Amount, error) {
	c, err := a.Cmp(b)
	if err != nil {
		return Amount{}, err
	}
	if c < 0 {
		return b, nil
	}
	return a, nil
}

// Sum adds amounts of one asset. Only the result must be in range, so the
// order does not matter. No amounts have no asset and hence no sum:
// [ErrInvalidAmount]; begin with [Zero] when there may be none.
func Sum(amounts ...Amount) (Amount, error) {
	if len(amounts) == 0 {
		return Amount{}, &Error{Op: "sum", Err: ErrInvalidAmount, Detail: "no amounts"}
	}
	first := amounts[0]
	var lo, mid, top uint64 // 192 bits, two's complement
	for _, a := range amounts {
		if a.def != first.def || a.def == nil {
			return Amount{}, pairError("sum", first.def, a.def)
		}
		var c uint64
		lo, c = bits.Add64(lo, a.units.lo, 0)
		mid, c = bits.Add64(mid, uint64(a.units.hi), c)
		top += uint64(a.units.hi>>63) + c
	}
	v := int128{hi: int64(mid), lo: lo}
	if top != uint64(v.hi>>63) || v.isMin() {
		return Amount{}, opError("sum", first.def, ErrOverflow, "")
	}
	return Amount{units: v, def: first.def}, nil
}

// Mul returns a·factor, rounded to the smallest unit as mode says. [Exact]
// makes a result that needs rounding an [ErrPrecision].
func (a Amount) Mul(factor decimal.Decimal, mode Rounding) (Amount, error) {
	if a.def == nil {
		return Amount{}, opError("multiply", nil, ErrInvalidAmount, "")
	}
	if units, ok := mulSmall(a.units, factor, 0, mode); ok {
		return Amount{units: units, def: a.def}, nil
	}
	return mulDecimal("multiply", a.def, a.units, factor, 0, mode)
}

// MulInt returns a·n.
func (a Amount) MulInt(n int64) (Amount, error) {
	if a.def == nil {
		return Amount{}, opError("multiply", nil, ErrInvalidAmount, "")
	}
	if m, ok := a.units.abs().mulWord(int128From(n).abs().lo); ok {
		if v, ok := m.signed(a.units.hi < 0 != (n < 0)); ok {
			return Amount{units: v, def: a.def}, nil
		}
	}
	return Amount{}, opError("multiply", a.def, ErrOverflow, "")
}

// RoundTo returns the multiple of increment that mode picks: $1.03 to $0.05 is
// $1.05. [CashIncrement] is the increment of a currency's coins. The increment
// must be positive and of the same asset.
func (a Amount) RoundTo(increment Amount, mode Rounding) (Amount, error) {
	const op = "round"
	if a.def != increment.def || a.def == nil {
		return Amount{}, pairError(op, a.def, increment.def)
	}
	if increment.units.sign() <= 0 {
		return Amount{}, opError(op, a.def, ErrInvalidRounding, "the increment is not positive")
	}
	m, step := a.units.abs(), increment.units.abs()
	wide, r := uint256{m.lo, m.hi}.div(step)
	q, _ := wide.small()
	q, err := mode.apply(q, compareHalf(r, step), a.units.hi < 0)
	if err != nil {
		return Amount{}, opError(op, a.def, err, "")
	}
	if q, ok := q.mul(step).small(); ok {
		if v, ok := q.signed(a.units.hi < 0); ok {
			return Amount{units: v, def: a.def}, nil
		}
	}
	return Amount{}, opError(op, a.def, ErrOverflow, "")
}

// pairError says why two amounts do not go together.
//
//go:noinline
func pairError(op string, a, b *Definition) error {
	if a == nil || b == nil {
		return &Error{Op: op, Asset: a.ID() + b.ID(), Err: ErrInvalidAmount}
	}
	return &Error{Op: op, Asset: a.ID(), Other: b.ID(), Err: ErrAssetMismatch}
}
