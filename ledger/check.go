package ledger

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/koshpay/kosh/currency"
)

// The checks of this file need no rows: they say whether something could be kept by every store at all.

// Validate reports whether id can name an account: a well-formed path and asset. The error is a *[Refusal] of class
// [Invalid]. It does not ask whether the account or the asset exists.
func (id AccountID) Validate() error {
	if r := checkAccount(id); r != nil {
		return r
	}
	return nil
}

func checkAccount(id AccountID) *Refusal {
	if r := checkPath(id.Path); r != nil {
		return r
	}
	if err := id.Asset.Validate(); err != nil {
		return invalid("asset", err.Error())
	}
	return nil
}

func checkPath(path string) *Refusal {
	if path == "" || len(path) > MaxPathBytes {
		return invalid("path", fmt.Sprintf("has 1 to %d bytes", MaxPathBytes))
	}
	segments, length := 1, 0
	for i := range len(path) {
		c := path[i]
		switch {
		case c == '/' && length > 0:
			segments, length = segments+1, 0
		case c == '/':
			return invalid("path", "an empty segment")
		case isPathByte(c):
			length++
		default:
			return invalid("path", fmt.Sprintf("%q is not allowed", c))
		}
	}
	if length == 0 {
		return invalid("path", "an empty segment")
	}
	if segments > MaxPathSegments {
		return invalid("path", fmt.Sprintf("more than %d segments", MaxPathSegments))
	}
	return nil
}

func isPathByte(c byte) bool { return pathBytes[c] }

var pathBytes = func() (is [256]bool) {
	for c := range is {
		is[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("._~@:+=-", byte(c)) >= 0
	}
	return is
}()

// checkKey is the grammar of idempotency keys: printable text.
func checkKey(key string) *Refusal {
	if key == "" {
		return invalid("key", "is required")
	}
	return checkName("key", key, MaxKeyBytes)
}

// checkName is for text of one line: valid UTF-8 without control characters. Empty is fine.
func checkName(field, s string, limit int) *Refusal {
	if len(s) > limit {
		return tooLarge(field, fmt.Sprintf("%d bytes; at most %d", len(s), limit))
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return checkRunes(field, s)
		}
	}
	return nil
}

func checkRunes(field, s string) *Refusal {
	if !utf8.ValidString(s) {
		return invalid(field, "not valid UTF-8")
	}
	for _, c := range s {
		if unicode.IsControl(c) {
			return invalid(field, fmt.Sprintf("control character %U", c))
		}
	}
	return nil
}

// checkText is for text of several lines: line feeds and tabs are fine too.
func checkText(field, s string, limit int) *Refusal {
	if len(s) > limit {
		return tooLarge(field, fmt.Sprintf("%d bytes; at most %d", len(s), limit))
	}
	if !utf8.ValidString(s) {
		return invalid(field, "not valid UTF-8")
	}
	for _, c := range s {
		if unicode.IsControl(c) && c != '\n' && c != '\t' {
			return invalid(field, fmt.Sprintf("control character %U", c))
		}
	}
	return nil
}

func checkNote(n Note) *Refusal {
	if r := checkName("reference", n.Reference, MaxNameBytes); r != nil {
		return r
	}
	if r := checkText("description", n.Description, MaxTextBytes); r != nil {
		return r
	}
	if len(n.Meta) > MaxMetaEntries {
		return tooLarge("meta", fmt.Sprintf("%d entries; at most %d", len(n.Meta), MaxMetaEntries))
	}
	size := 0
	for _, key := range sortedKeys(n.Meta) {
		size += len(key) + len(n.Meta[key])
		if key == "" {
			return invalid("meta", "an empty key")
		}
		if r := checkName("meta", key, MaxMetaBytes); r != nil {
			return r
		}
		if r := checkText("meta."+clip(key), n.Meta[key], MaxMetaBytes); r != nil {
			return r
		}
	}
	if size > MaxMetaBytes {
		return tooLarge("meta", fmt.Sprintf("%d bytes; at most %d", size, MaxMetaBytes))
	}
	return nil
}

// checkTime refuses what some store or JSON cannot write: years outside 1 to 9999.
func checkTime(field string, t time.Time) *Refusal {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return invalid(field, "the year is not 1 to 9999")
	}
	return nil
}

// moment is how the ledger keeps time: UTC, microseconds, no monotonic part.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

// checkAmount wants a positive amount in the asset of an account.
func checkAmount(field string, a currency.Amount, asset currency.AssetID) *Refusal {
	if !a.IsValid() {
		return invalid(field, "no amount")
	}
	if a.AssetID() != asset {
		r := refuse(ErrAssetMismatch, fmt.Sprintf("want %s", clip(string(asset)))).in(field)
		r.Wanted = a
		return r
	}
	if a.Sign() <= 0 {
		r := invalid(field, "must be positive")
		r.Wanted = a
		return r
	}
	return nil
}

// checkBound accepts no bound, or any amount in the asset of the account.
func checkBound(field string, a currency.Amount, asset currency.AssetID) *Refusal {
	if a.IsValid() && a.AssetID() != asset {
		return refuse(ErrAssetMismatch, fmt.Sprintf("want %s", clip(string(asset)))).in(field)
	}
	return nil
}

func checkBounds(floor, ceiling currency.Amount) *Refusal {
	if !floor.IsValid() || !ceiling.IsValid() {
		return nil
	}
	if c, err := floor.Cmp(ceiling); err != nil || c > 0 {
		return invalid("ceiling", "is below the floor")
	}
	return nil
}

func checkDocumentID(id DocumentID) *Refusal {
	if id.Kind == "" || id.ID == "" {
		return invalid("", "a document needs a kind and an id")
	}
	if r := checkName("kind", id.Kind, MaxNameBytes); r != nil {
		return r
	}
	return checkName("id", id.ID, MaxNameBytes)
}

func checkReference(field, s string) *Refusal {
	if s == "" {
		return invalid(field, "an empty reference")
	}
	return checkName(field, s, MaxReferenceBytes)
}

func checkBody(body json.RawMessage) *Refusal {
	switch {
	case len(body) == 0:
		return nil
	case len(body) > MaxBodyBytes:
		return tooLarge("body", fmt.Sprintf("%d bytes; at most %d", len(body), MaxBodyBytes))
	case !utf8.Valid(body):
		return invalid("body", "not valid UTF-8")
	case !json.Valid(body):
		return invalid("body", "not valid JSON")
	}
	return nil
}
