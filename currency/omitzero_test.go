package currency

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// A bound of zero is not the absence of a bound: with an IsZero method the option omitzero would make it one.
func TestOmitZeroDropsOnlyTheInvalidAmount(t *testing.T) {
	type terms struct {
		Floor   Amount `json:"floor,omitzero"`
		Ceiling Amount `json:"ceiling,omitzero"`
	}
	b, err := json.Marshal(terms{Floor: Zero(USD)})
	require.NoError(t, err)
	require.JSONEq(t, `{"floor":{"amount":"0.00","asset":"USD"}}`, string(b))
	var back terms
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, terms{Floor: Zero(USD)}, back)
}
