package ledger

import (
	"errors"
	"strings"
	"unicode"

	"github.com/koshpay/kosh/currency"
)

// refuse begins a refusal of the rule book.
func refuse(code Code, private string) *Refusal {
	return &Refusal{Code: code, Class: code.Class(), Command: -1, Private: private}
}

func invalid(field, private string) *Refusal { return refuse(ErrInvalid, private).in(field) }

func tooLarge(field, private string) *Refusal { return refuse(ErrTooLarge, private).in(field) }

func corrupt(private string, cause error) *Refusal {
	r := refuse(ErrCorrupt, private)
	r.Cause = cause
	return r
}

func (r *Refusal) in(field string) *Refusal {
	r.Field = field
	return r
}

func (r *Refusal) of(id AccountID) *Refusal {
	r.Account = id
	return r
}

func (r *Refusal) short(wanted, available currency.Amount) *Refusal {
	r.Wanted, r.Available = wanted, available
	return r
}

// within puts the field of a refusal under a parent field.
func within(parent string, r *Refusal) *Refusal {
	switch {
	case r == nil || parent == "":
	case r.Field == "":
		r.Field = parent
	case r.Field[0] == '[':
		r.Field = parent + r.Field
	default:
		r.Field = parent + "." + r.Field
	}
	return r
}

// storeError makes what a Store returned a refusal. One that says itself what it is, such as Corrupt, stays as it is.
func storeError(err error) error {
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r
	}
	code := ErrStore
	if errors.Is(err, Corrupt) || errors.Is(err, ErrCorrupt) {
		code = ErrCorrupt
	}
	r := refuse(code, "")
	r.Cause = err
	return r
}

// arithmetic turns an error of package currency into a refusal. Amounts are checked on the way in, so that anything
// but an overflow means that stored rows are in the wrong asset.
func arithmetic(err error, id AccountID) *Refusal {
	if errors.Is(err, currency.ErrOverflow) {
		return refuse(ErrOverflow, "").of(id)
	}
	return corrupt("amounts of a row do not go together", err).of(id)
}

// ofGuard cleans a refusal that a host's guard gave, so that every store can keep it and replay it.
func ofGuard(given *Refusal) *Refusal {
	r := *given
	r.Command, r.Cause = -1, nil
	r.Code = Code(clean(string(r.Code), MaxNameBytes))
	if r.Code == "" {
		r.Code = ErrDenied
	}
	r.Account.Path = clean(r.Account.Path, MaxPathBytes)
	r.Account.Asset = currency.AssetID(clean(string(r.Account.Asset), MaxNameBytes))
	r.Field = clean(r.Field, MaxNameBytes)
	r.Public, r.Private = clean(r.Public, MaxTextBytes), clean(r.Private, MaxTextBytes)
	return &r
}

// clean makes any text one that every store can keep.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

// clip shortens what is repeated in an error.
func clip(s string) string { return clean(s, 64) }
