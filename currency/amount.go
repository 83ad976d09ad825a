package currency

import (
	"math/big"

	"github.com/shopspring/decimal"
)

// Amount is a quantity of one asset: a signed count of its smallest units.
//
// It is a 24-byte value, immutable, comparable with == (same asset, same
// count; 1.5 and 1.50 dollars are equal) and usable as a map key. Amount{} is
// invalid: no asset, no money. It is not zero dollars, which is
// Zero(currency.USD). Operations on it return [ErrInvalidAmount]; as JSON it is
// null, as SQL NULL, as text empty, so an optional amount needs no pointer.
//
// The range is symmetric, ±(2¹²⁷−1) smallest units (about 1.7×10³⁸, or
// 1.7×10²⁰ whole ether); −2¹²⁷ is refused everywhere, so negation cannot
// overflow. Every operation is checked: it returns the exact result, or
// [ErrOverflow], [ErrAssetMismatch] or [ErrPrecision], and never wraps, rounds
// or panics unasked.
//
// There is no IsZero, on purpose: encoding/json asks such a method for its option
// omitzero, which would then drop zero dollars and lose their asset. As it is,
// omitzero drops Amount{} and nothing else. Ask [Amount.Sign] for nothing.
type Amount struct {
	units int128
	def   *Definition
}

// New returns an amount of smallest units: New(1234, currency.USD) is $12.34.
func New(units int64, a Asset) (Amount, error) {
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	return Amount{units: int128From(units), def: d}, nil
}

// MustNew is [New] for constants: it panics on an error.
func MustNew(units int64, a Asset) Amount { return must(New(units, a)) }

// Zero returns no money of an asset. It is invalid when the asset is, see
// [Amount.IsValid].
func Zero(a Asset) Amount {
	d, err := Intern(a)
	if err != nil {
		return Amount{}
	}
	return Amount{def: d}
}

// FromUnits returns the amount of hi·2⁶⁴+lo smallest units, the form in which
// [Amount.Units] takes it apart.
func FromUnits(hi int64, lo uint64, a Asset) (Amount, error) {
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	v := int128{hi: hi, lo: lo}
	if v.isMin() {
		return Amount{}, opError("from units", d, ErrOverflow, "")
	}
	return Amount{units: v, def: d}, nil
}

// FromBig returns an amount of smallest units. A number that does not fit,
// such as a large 256-bit token balance, is [ErrOverflow], never truncated.
func FromBig(units *big.Int, a Asset) (Amount, error) {
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	return FromMinor(units, d.info.Scale, d)
}

// FromDecimal returns the amount that a decimal says in whole units: 12.34 is
// $12.34. It must be exact: 12.345 dollars is [ErrPrecision], 12.340 is fine.
// Round first when that is meant. A huge exponent is refused, not expanded.
func FromDecimal(value decimal.Decimal, a Asset) (Amount, error) {
	const op = "from decimal"
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	if units, ok := mulSmall(int128{lo: 1}, value, int(d.info.Scale), Exact); ok {
		return Amount{units: units, def: d}, nil
	}
	return mulDecimal(op, d, int128{lo: 1}, value, int(d.info.Scale), Exact)
}

// MinorUnits is what a provider's API counts money in.
type MinorUnits interface{ int | int64 | *big.Int }

// FromMinor returns the amount that a provider writes as a whole number with
// an exponent of its own, which need not be the asset's scale: some want
// shillings times 100 though ISO 4217 gives them no decimals. Units that the
// asset cannot express are [ErrPrecision]. The opposite is [Amount.Minor].
func FromMinor[N MinorUnits](units N, scale uint8, a Asset) (Amount, error) {
	const op = "from minor units"
	d, err := Intern(a)
	if err != nil {
		return Amount{}, err
	}
	var v int128
	ok := true
	switch n := any(units).(type) {
	case int:
		v = int128From(int64(n))
	case int64:
		v = int128From(n)
	case *big.Int:
		if n == nil {
			return Amount{}, opError(op, d, ErrInvalidAmount, "nil number")
		}
		v, ok = int128FromBig(n)
		if !ok && scale > d.info.Scale && n.BitLen() <= maxCoefficientBits {
			// Too many of the provider's units may be few enough of ours.
			return mulDecimal(op, d, int128{lo: 1}, decimal.NewFromBigInt(n, 0), int(d.info.Scale)-int(scale), Exact)
		}
	}
	if !ok {
		return Amount{}, opError(op, d, ErrOverflow, "")
	}
	return scaled(op, d, v.abs(), uint128{lo: 1}, int(d.info.Scale)-int(scale), v.hi < 0, Exact)
}

func int128FromBig(n *big.Int) (int128, bool) {
	m, ok := uint128FromBig(n)
	if !ok {
		return int128{}, false
	}
	return m.signed(n.Sign() < 0)
}

// Asset returns the definition of the asset, nil when the amount is invalid.
func (a Amount) Asset() *Definition { return a.def }

// AssetID returns the ID of the asset, "" when the amount is invalid.
func (a Amount) AssetID() AssetID { return a.def.ID() }

// IsValid reports whether the amount has an asset. Only Amount{} has none.
func (a Amount) IsValid() bool { return a.def != nil }

// Sign returns −1, 0 or +1; 0 for Amount{}.
func (a Amount) Sign() int { return a.units.sign() }

// Units returns the smallest units as hi·2⁶⁴+lo.
func (a Amount) Units() (hi int64, lo uint64) { return a.units.hi, a.units.lo }

// Int64 returns the smallest units, and whether they fit.
func (a Amount) Int64() (int64, bool) { return a.units.int64() }

// Big returns the smallest units.
func (a Amount) Big() *big.Int { return a.units.big() }

// Decimal returns the amount in whole units: $12.34 is 12.34.
func (a Amount) Decimal() decimal.Decimal {
	return decimal.NewFromBigInt(a.units.big(), -int32(a.def.Scale()))
}

// Minor returns the amount as a whole number of units of 10^−scale, the form a
// provider's API may want; see [FromMinor]. It must be exact: $0.01 at scale 0
// is [ErrPrecision].
func (a Amount) Minor(scale uint8) (*big.Int, error) {
	const op = "minor units"
	if a.def == nil {
		return nil, opError(op, nil, ErrInvalidAmount, "")
	}
	n := a.units.big()
	if scale >= a.def.info.Scale {
		return n.Mul(n, bigPow10(int(scale-a.def.info.Scale))), nil
	}
	n, rest := n.QuoRem(n, bigPow10(int(a.def.info.Scale-scale)), new(big.Int))
	if rest.Sign() != 0 {
		return nil, opError(op, a.def, ErrPrecision, "")
	}
	return n, nil
}

func bigPow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
