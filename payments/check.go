package payments

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// checkMember refuses what could not be a path segment of an account.
func checkMember(field, id string) error {
	if id == "" {
		return invalid(field, "is empty")
	}
	if len(id) > 100 {
		return invalid(field, "is longer than 100 bytes")
	}
	for _, r := range id {
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._~@:+=-", r)
		if !ok {
			return invalid(field, "has %q; letters, digits and . _ ~ @ : + = - are allowed", r)
		}
	}
	return nil
}

// checkText refuses what must not be stored in a free text: control characters, invisible direction changes, card numbers.
func checkText(field, text string) error {
	if err := checkPrintable(field, text, ledger.MaxTextBytes); err != nil {
		return err
	}
	return checkNoCard(field, text)
}

// checkReference is for typed references such as the id of a post: long numbers are fine there.
func checkReference(field, text string) error {
	return checkPrintable(field, text, ledger.MaxNameBytes)
}

func checkPrintable(field, text string, limit int) error {
	if !utf8.ValidString(text) {
		return invalid(field, "is not valid UTF-8")
	}
	if len(text) > limit {
		return invalid(field, "is longer than %d bytes", limit)
	}
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return invalid(field, "has the control character %U", r)
		}
	}
	return nil
}

func checkNoCard(field, text string) error {
	if providers.LooksLikeCardNumber(text) {
		return refuse(ErrInvalid, ErrCardNumber, field, "looks like a card number, which kosh never stores")
	}
	return nil
}

// checkDestination is checkReference for where money goes: an address may hold any digits, but not only those of a card.
func checkDestination(field, to string) error {
	if to == "" {
		return invalid(field, "is empty")
	}
	digits := strings.IndexFunc(to, func(r rune) bool { return !strings.ContainsRune("0123456789 -", r) }) < 0
	if digits {
		if err := checkNoCard(field, to); err != nil {
			return err
		}
	}
	return checkReference(field, to)
}

// checkAmount refuses what is not a positive amount of an enabled asset.
func (dk *Desk) checkAmount(field string, a currency.Amount) error {
	if !a.IsValid() {
		return invalid(field, "is missing")
	}
	if a.Sign() <= 0 {
		return invalid(field, "%s is not positive", a)
	}
	return dk.checkAsset(field, a.AssetID())
}

func (dk *Desk) checkAsset(field string, id currency.AssetID) error {
	if _, err := dk.config.Assets.Lookup(id); err != nil {
		r := refuse(ErrInvalid, ErrUnsupported, field, "asset %q is not enabled", id)
		r.Cause = err
		return r
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
