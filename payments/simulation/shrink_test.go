package simulation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpans(t *testing.T) {
	t.Parallel()
	for text, numbers := range map[string][]int{"0": {0}, "1-3,7": {1, 2, 3, 7}, "5,9-10": {5, 9, 10}} {
		assert.Equal(t, text, Spans(numbers))
		got, err := Numbers(text)
		require.NoError(t, err)
		assert.Equal(t, numbers, got)
	}
	for _, bad := range []string{"", "x", "3-1", "1-", "0-99999999"} {
		_, err := Numbers(bad)
		require.Error(t, err, bad)
	}
}
