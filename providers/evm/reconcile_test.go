package evm

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

// Two processes report the same surplus, and a third one finds another before the slower of them is through.
func TestASurplusIsForgottenOnlyWhenItWasReported(t *testing.T) {
	first := surplus{Asset: "eip155:1/slip44:60", Height: 7}
	second := surplus{Asset: "eip155:1/slip44:60", Height: 9}
	both := totals{Found: []surplus{first}}
	require.NoError(t, both.told([]surplus{first}))
	require.Empty(t, both.Found)
	both.Found = append(both.Found, second)
	require.ErrorIs(t, both.told([]surplus{first}), providers.ErrStateSame)
	require.Equal(t, []surplus{second}, both.Found, "nobody has reported it yet")
}
