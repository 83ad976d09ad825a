package currency

import (
	"errors"
	"strconv"
)

// The sentinels name the reason of a failure, for errors.Is. Every error this
// package returns wraps exactly one of them in an [*Error].
var (
	// ErrInvalidAsset: an asset, or the identifier of one, that cannot exist.
	ErrInvalidAsset = errors.New("invalid asset")
	// ErrAssetConflict: an identifier that is already known with another scale or kind.
	ErrAssetConflict = errors.New("asset is known with another scale or kind")
	// ErrUnknownAsset: a well-formed identifier or code that nobody has defined.
	ErrUnknownAsset = errors.New("unknown asset")
	// ErrAssetDisabled: a known asset that is not enabled in the registry asked.
	ErrAssetDisabled = errors.New("asset is not enabled")
	// ErrAmbiguous: a code that several enabled assets share.
	ErrAmbiguous = errors.New("several assets share this code")
	// ErrInvalidAmount: an operation on Amount{}, which is no money at all.
	ErrInvalidAmount = errors.New("invalid amount")
	// ErrAssetMismatch: two amounts, or an amount and a rate, of different assets.
	ErrAssetMismatch = errors.New("amounts of different assets")
	// ErrOverflow: a result beyond ±(2¹²⁷−1) smallest units.
	ErrOverflow = errors.New("amount out of range")
	// ErrPrecision: a number with more decimals than the asset has, or a
	// rounding that [Exact] forbids.
	ErrPrecision = errors.New("too many decimal places")
	// ErrSyntax: text, JSON, binary or SQL input that is not an amount.
	ErrSyntax = errors.New("malformed input")
	// ErrInvalidRounding: a [Rounding] that is none of the constants, or an
	// increment that is not positive.
	ErrInvalidRounding = errors.New("invalid rounding")
	// ErrInvalidWeights: weights that are negative, all zero, none or too many.
	ErrInvalidWeights = errors.New("invalid weights")
	// ErrInvalidRate: a rate that is not positive, too long, or from an asset to itself.
	ErrInvalidRate = errors.New("invalid rate")
)

// Error is the detail behind every failure of this package. Branch on the
// sentinel with errors.Is, read the particulars with errors.As:
//
//	if e, ok := errors.AsType[*currency.Error](err); ok { log(e.Op, e.Asset, e.Input) }
//
// It holds no secrets, but Input is what the caller passed in, cut to 64 bytes.
type Error struct {
	Op     string  // the operation: "parse", "add", "define"
	Asset  AssetID // the asset concerned, if there is one
	Other  AssetID // the second asset of a mismatch
	Input  string  // the input concerned, cut short
	Detail string  // what exactly is wrong
	Err    error   // the sentinel
}

// maxErrorInput bounds how much of an input is repeated in an error: enough to
// recognise it, too little to flood a log.
const maxErrorInput = 64

func (e *Error) Error() string {
	b := append([]byte("currency: "), e.Op...)
	b = append(b, ": "...)
	if e.Err != nil {
		b = append(b, e.Err.Error()...)
	}
	if e.Detail != "" {
		b = append(append(b, ": "...), e.Detail...)
	}
	if e.Input != "" {
		b = strconv.AppendQuote(append(b, ": "...), e.Input)
	}
	switch {
	case e.Asset != "" && e.Other != "":
		b = append(append(append(append(b, " ("...), e.Asset...), " and "...), e.Other...)
		b = append(b, ')')
	case e.Asset != "":
		b = append(append(append(b, " ("...), e.Asset...), ')')
	}
	return string(b)
}

// Unwrap returns the sentinel.
func (e *Error) Unwrap() error { return e.Err }

func clip(s string) string {
	if len(s) > maxErrorInput {
		return s[:maxErrorInput] + "…"
	}
	return s
}

// Kept out of line, or its frame would be that of Add and Cmp.
//
//go:noinline
func opError(op string, d *Definition, err error, detail string) error {
	return &Error{Op: op, Asset: d.ID(), Err: err, Detail: detail}
}

func inputError(op, input string, err error, detail string) error {
	return &Error{Op: op, Input: clip(input), Err: err, Detail: detail}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
