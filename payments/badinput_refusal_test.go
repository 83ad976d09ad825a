package payments_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
)

// maxRefusalBytes is how much of a bad request may come back in what is said about it, and land in a log.
const maxRefusalBytes = 1_000

func refusedAs(t *testing.T, err error, class ledger.Class, code error, name string) {
	t.Helper()
	require.Error(t, err)
	refusal, ok := errors.AsType[*payments.Refusal](err)
	require.True(t, ok, "%T is not a refusal", err)
	require.ErrorIs(t, err, code)
	require.Equal(t, class, refusal.Class, err.Error())
	require.Contains(t, strings.ToLower(refusal.Field), name, err.Error())
	said := err.Error()
	require.LessOrEqual(t, len(said), maxRefusalBytes)
	require.True(t, utf8.ValidString(said), "%q", said)
	require.False(t, providers.LooksLikeCardNumber(said), "a refusal must not repeat a card number")
	require.False(t, strings.ContainsFunc(said, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }), "%q", said)
}

// withoutKeys is the dump after without the rows of keys that are not in the one before.
func withoutKeys(before, after string) string {
	had := map[string]bool{}
	for line := range strings.Lines(before) {
		had[line] = true
	}
	var b strings.Builder
	for line := range strings.Lines(after) {
		if had[line] || !strings.HasPrefix(line, `{"list":"keys"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}
