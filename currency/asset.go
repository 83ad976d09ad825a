package currency

import "strconv"

// MaxScale is the largest number of decimal places an asset may have.
const MaxScale = 30

// Kind says what sort of thing an asset is. It follows from the form of the
// identifier, see [AssetID]. The zero Kind is invalid.
type Kind uint8

const (
	// Fiat is money of ISO 4217.
	Fiat Kind = iota + 1
	// Crypto is an asset of a blockchain.
	Crypto
	// Virtual is the host's own: a coin, points, credits.
	Virtual
)

// String returns "fiat", "crypto", "virtual" or, for an invalid kind, "Kind(n)".
func (k Kind) String() string {
	switch k {
	case Fiat:
		return "fiat"
	case Crypto:
		return "crypto"
	case Virtual:
		return "virtual"
	default:
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
}

// IsValid reports whether k is one of the constants.
func (k Kind) IsValid() bool { return k >= Fiat && k <= Virtual }

// MarshalText writes the name of a valid kind.
func (k Kind) MarshalText() ([]byte, error) {
	if !k.IsValid() {
		return nil, inputError("marshal kind", k.String(), ErrInvalidAsset, "no such kind")
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(text []byte) error {
	for v := Fiat; v <= Virtual; v++ {
		if string(text) == v.String() {
			*k = v
			return nil
		}
	}
	return inputError("unmarshal kind", string(text), ErrInvalidAsset, "no such kind")
}

// Asset is anything an [Amount] can count. [*Definition] implements it; a host
// may implement it too, for example on a row of its own token table, and pass
// that wherever kosh takes an Asset.
//
// Two assets are the same when their IDs are equal, whatever else differs. ID,
// Scale and Kind must never change. An implementation is read once (see
// [Intern]), so a later change has no effect, and its methods need not be safe
// for concurrent use after that. Rarer facts are not here but in free
// functions such as [Symbol], so that this interface never grows.
type Asset interface {
	// ID identifies the asset in the whole world.
	ID() AssetID
	// Code is the ticker people read, such as "USD" or "USDC". It is not unique.
	Code() string
	// Name is the English name.
	Name() string
	// Scale is the number of decimal places of the smallest unit: 2 for a
	// dollar of 100 cents, 18 for an ether of 10¹⁸ wei. At most [MaxScale].
	Scale() uint8
	// Kind is Fiat, Crypto or Virtual.
	Kind() Kind
}

// Info is the plain data of an asset: what [Define] takes and
// [Definition.Info] returns. Its JSON form is stable and may be stored.
type Info struct {
	// ID is required, see [AssetID].
	ID AssetID `json:"id"`
	// Code is the ticker: 1–32 bytes, printable, no spaces. An ISO 4217 asset
	// has its ID as code.
	Code string `json:"code"`
	// Name is at most 128 bytes, printable. Empty means the code.
	Name string `json:"name,omitempty"`
	// Scale is the number of decimal places, at most [MaxScale].
	Scale uint8 `json:"scale"`
	// Kind is required and must agree with the form of the ID.
	Kind Kind `json:"kind"`
	// Symbol is told apart from every other asset's ("US$"). Empty means the code.
	Symbol string `json:"symbol,omitempty"`
	// NarrowSymbol is the sign alone ("$"), for places where the asset is
	// clear. Empty means Symbol.
	NarrowSymbol string `json:"narrow_symbol,omitempty"`
	// Numeric is the ISO 4217 numeric code, 0 when there is none.
	Numeric uint16 `json:"numeric,omitempty"`
	// CashStep is the smallest step that can be paid in cash, in smallest
	// units: 5 for a currency whose smallest coin is 0.05. 0 means 1.
	CashStep int64 `json:"cash_step,omitempty"`
	// Withdrawn is the year and month ("2023-01") when the asset stopped being
	// current, empty while it is current. History stays readable, so a
	// withdrawn asset can still be counted.
	Withdrawn string `json:"withdrawn,omitempty"`
}

// Symbol returns the symbol that tells the asset apart from every other: "US$",
// "€", or the code when it has none. It is "" for a nil or invalid asset.
func Symbol(a Asset) string {
	if d := describe(a); d != nil {
		return d.Symbol()
	}
	return safeCode(a)
}

// NarrowSymbol returns the sign alone: "$" for every dollar. It falls back to
// [Symbol].
func NarrowSymbol(a Asset) string {
	if d := describe(a); d != nil {
		return d.NarrowSymbol()
	}
	return safeCode(a)
}

// NumericCode returns the ISO 4217 numeric code and whether the asset has one.
func NumericCode(a Asset) (uint16, bool) {
	d := describe(a)
	if d == nil || d.info.Numeric == 0 {
		return 0, false
	}
	return d.info.Numeric, true
}

// CashStep returns the smallest step payable in cash, in smallest units, at
// least 1. See [Amount.RoundTo] and [CashIncrement].
func CashStep(a Asset) int64 {
	if d := describe(a); d != nil && d.info.CashStep > 1 {
		return d.info.CashStep
	}
	return 1
}

// CashIncrement returns [CashStep] as an amount, the argument that
// [Amount.RoundTo] wants.
func CashIncrement(a Asset) (Amount, error) {
	return New(CashStep(a), a)
}

// Withdrawn returns the year and month in which the asset stopped being
// current, or "" while it is current.
func Withdrawn(a Asset) string {
	if d := describe(a); d != nil {
		return d.info.Withdrawn
	}
	return ""
}

// describe finds the definition of an asset without making one.
func describe(a Asset) *Definition {
	if d, ok := a.(*Definition); ok {
		if d == nil {
			return nil
		}
		return d.self
	}
	info, err := readAsset(a)
	if err != nil {
		return nil
	}
	d, _ := Lookup(info.ID)
	return d
}

func safeCode(a Asset) string {
	info, err := readAsset(a)
	if err != nil {
		return ""
	}
	return info.Code
}
