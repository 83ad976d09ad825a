package currency

import (
	"math/big"

	"github.com/shopspring/decimal"
)

// Rate is a price: how many whole units of one asset a whole unit of another
// is worth. It is a value, comparable with ==, exact, always positive; Rate{}
// is invalid. A Rate has no time and no source; keep those beside it.
type Rate struct {
	from, to *Definition
	coef     uint128 // no trailing decimal zeros, so that == works
	exp      int32
}

// maxRateExponent bounds a rate to what can matter between two assets of any
// scale, before anything is expanded.
const maxRateExponent = 100

// NewRate returns the rate at which 1 from is worth value to. The value must be
// positive and have at most 38 significant digits; the assets must differ.
func NewRate(from, to Asset, value decimal.Decimal) (Rate, error) {
	const op = "rate"
	f, err := Intern(from)
	if err != nil {
		return Rate{}, err
	}
	t, err := Intern(to)
	if err != nil {
		return Rate{}, err
	}
	fail := func(detail string) (Rate, error) {
		return Rate{}, &Error{Op: op, Asset: f.ID(), Other: t.ID(), Err: ErrInvalidRate, Detail: detail}
	}
	if f == t {
		return fail("from an asset to itself")
	}
	if value.Sign() <= 0 {
		return fail("not positive")
	}
	c, e := value.Coefficient(), int64(value.Exponent())
	if c.BitLen() > maxCoefficientBits {
		return fail("too many digits")
	}
	ten, q, r := big.NewInt(10), new(big.Int), new(big.Int)
	for q.QuoRem(c, ten, r); r.Sign() == 0; q.QuoRem(c, ten, r) {
		c.Set(q)
		e++
	}
	coef, ok := uint128FromBig(c)
	if !ok || coef.cmp(pow10[maxPow10]) >= 0 {
		return fail("too many digits")
	}
	if e < -maxRateExponent || e > maxRateExponent {
		return fail("exponent out of range")
	}
	return Rate{from: f, to: t, coef: coef, exp: int32(e)}, nil
}

// MustRate is [NewRate] for constants: it panics on an error.
func MustRate(from, to Asset, value decimal.Decimal) Rate { return must(NewRate(from, to, value)) }

// Convert returns a at the rate, in smallest units of the rate's target,
// rounded as mode says. An amount of another asset than the rate's source is
// [ErrAssetMismatch].
func Convert(a Amount, r Rate, mode Rounding) (Amount, error) { return r.Convert(a, mode) }

// From returns the asset that is priced, nil for Rate{}.
func (r Rate) From() *Definition { return r.from }

// To returns the asset it is priced in, nil for Rate{}.
func (r Rate) To() *Definition { return r.to }

// IsValid reports whether r came from [NewRate].
func (r Rate) IsValid() bool { return r.from != nil }

// Decimal returns the price.
func (r Rate) Decimal() decimal.Decimal { return decimal.NewFromBigInt(r.coef.big(), r.exp) }

// Convert is [Convert].
func (r Rate) Convert(a Amount, mode Rounding) (Amount, error) {
	const op = "convert"
	if err := r.check(op, a, r.from); err != nil {
		return Amount{}, err
	}
	e := int(r.exp) + int(r.to.info.Scale) - int(r.from.info.Scale)
	return scaled(op, r.to, a.units.abs(), r.coef, e, a.units.hi < 0, mode)
}

// ConvertBack returns what amount of the rate's source is worth b of its
// target, by division: how many dollars buy 10 euros. Rounding [Up] asks at
// least enough.
func (r Rate) ConvertBack(b Amount, mode Rounding) (Amount, error) {
	const op = "convert back"
	if err := r.check(op, b, r.to); err != nil {
		return Amount{}, err
	}
	n, d := b.units.abs().big(), r.coef.big()
	e := int(r.from.info.Scale) - int(r.to.info.Scale) - int(r.exp) // within ±130
	if e >= 0 {
		n.Mul(n, bigPow10(e))
	} else {
		d.Mul(d, bigPow10(-e))
	}
	q, cut, ok := quoBig(n, d)
	return finish(op, r.from, q, cut, ok, b.units.hi < 0, mode)
}

func (r Rate) check(op string, a Amount, want *Definition) error {
	switch {
	case r.from == nil:
		return opError(op, a.def, ErrInvalidRate, "zero rate")
	case a.def == nil:
		return opError(op, want, ErrInvalidAmount, "")
	case a.def != want:
		return &Error{Op: op, Asset: a.AssetID(), Other: want.ID(), Err: ErrAssetMismatch}
	}
	return nil
}

// String returns "1 USD = 0.92 EUR".
func (r Rate) String() string {
	if r.from == nil {
		return "<invalid rate>"
	}
	return "1 " + string(r.from.ID()) + " = " + r.Decimal().String() + " " + string(r.to.ID())
}

// MarshalJSON writes {"from":"USD","to":"EUR","rate":"0.92"}, null for Rate{}.
func (r Rate) MarshalJSON() ([]byte, error) {
	if r.from == nil {
		return []byte("null"), nil
	}
	b := append([]byte(`{"from":"`), r.from.info.ID...)
	b = append(append(b, `","to":"`...), r.to.info.ID...)
	b = append(append(b, `","rate":"`...), r.Decimal().String()...)
	return append(b, `"}`...), nil
}

// UnmarshalJSON reads what MarshalJSON writes, as strictly as an [Amount].
func (r *Rate) UnmarshalJSON(data []byte) error {
	const op = "unmarshal rate"
	var values [3][]byte
	null, err := scanObject(op, data, []string{"from", "to", "rate"}, values[:])
	if err != nil {
		return err
	}
	if null {
		*r = Rate{}
		return nil
	}
	from, err := known(op, values[0])
	if err != nil {
		return err
	}
	to, err := known(op, values[1])
	if err != nil {
		return err
	}
	if !isPlainNumber(values[2]) {
		return inputError(op, string(values[2]), ErrSyntax, "want digits, as in 0.92")
	}
	value, err := decimal.NewFromString(string(values[2]))
	if err != nil {
		return inputError(op, string(values[2]), ErrSyntax, "want digits, as in 0.92")
	}
	v, err := NewRate(from, to, value)
	if err != nil {
		return err
	}
	*r = v
	return nil
}

// isPlainNumber keeps exponents, signs and length away from the decimal parser.
func isPlainNumber(s []byte) bool {
	point := false
	for i, c := range s {
		if c == '.' && !point && i > 0 && i < len(s)-1 {
			point = true
		} else if !isDigit(c) {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 2*maxRateExponent
}
