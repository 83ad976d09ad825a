package simulation

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryInvariantHasACheck: each number of DESIGN section 6 is an invariant here, and something can break it.
func TestEveryInvariantHasACheck(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("invariant.go")
	require.NoError(t, err)
	names := map[int]string{}
	for _, m := range regexp.MustCompile(`(?m)^\t(\w+) +Invariant = "(\d+) `).FindAllSubmatch(list, -1) {
		n, err := strconv.Atoi(string(m[2]))
		require.NoError(t, err)
		names[n] = string(m[1])
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	checked := map[string]bool{}
	for _, f := range files {
		source, err := os.ReadFile(f)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`breach\((\w+), `).FindAllSubmatch(source, -1) {
			checked[string(m[1])] = true
		}
	}
	const last = 19
	for n := 1; n <= last; n++ {
		require.NotEmpty(t, names[n], "invariant %d", n)
		assert.True(t, checked[names[n]], "nothing breaks invariant %d, %s", n, names[n])
	}
	assert.Len(t, names, last)
}
