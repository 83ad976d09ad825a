package payments

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// checkMember refuses what could not be a path segment of an account. What is left is the restriction level ASCII-Only of
// Unicode Technical Standard #39: no two ids that this allows are confused because their letters are of different scripts.
func checkMember(field, id string) error {
	switch {
	case id == "":
		return invalid(field, "is empty")
	case len(id) > 100:
		return invalid(field, "is longer than 100 bytes")
	case id == "." || id == "..":
		return invalid(field, "is a dot segment, which paths and URLs resolve to something else")
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
		if unicode.IsControl(r) || unicode.In(r, misleading...) || unicode.Is(unicode.Noncharacter_Code_Point, r) {
			return invalid(field, "has the control character %U", r)
		}
	}
	return nil
}

// misleading are characters that change what a reader sees and are not seen themselves: they turn the direction, break the
// line, or hide text (UTS #39 and Unicode Technical Report #36). Joiners are not among them: scripts and emoji need them.
var misleading = []*unicode.RangeTable{
	unicode.Bidi_Control, unicode.Zl, unicode.Zp,
	{R16: []unicode.Range16{{Lo: 0xfeff, Hi: 0xfeff, Stride: 1}, {Lo: 0xfff9, Hi: 0xfffb, Stride: 1}}}, // byte-order mark, annotations
	{R32: []unicode.Range32{{Lo: 0xe0001, Hi: 0xe0001, Stride: 1}}},                                    // language tag
}

func checkNoCard(field, text string) error {
	if providers.LooksLikeCardNumber(text) {
		return refuse(ErrInvalid, ErrCardNumber, field, "looks like a card number, which kosh never stores")
	}
	return nil
}

// checkDestination is for where money goes: an address may hold any digits, but not only those of a card.
func checkDestination(field, to string) error {
	if err := checkOpaque(field, to); err != nil {
		return err
	}
	if strings.IndexFunc(to, func(r rune) bool { return !strings.ContainsRune("0123456789 -", r) }) < 0 {
		return checkNoCard(field, to)
	}
	return nil
}

// checkOpaque is for a name that only a provider understands, an address or a token. A letter of another script that looks
// like the right one would send money elsewhere, so it is ASCII only, like members.
func checkOpaque(field, name string) error {
	switch {
	case name == "":
		return invalid(field, "is empty")
	case len(name) > ledger.MaxNameBytes:
		return invalid(field, "is longer than %d bytes", ledger.MaxNameBytes)
	case strings.TrimSpace(name) != name:
		return invalid(field, "has a space before or after it")
	}
	for i := range len(name) {
		if c := name[i]; c < ' ' || c > '~' {
			return invalid(field, "has the byte %#x; printable ASCII is allowed", c)
		}
	}
	return nil
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
