//go:build !koshplant

package simulation

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPlantsAreOff: without the build tag the plants are one function that says no, and there is no way to switch one on.
func TestPlantsAreOff(t *testing.T) {
	t.Parallel()
	off, err := os.ReadFile(filepath.Join("..", "planted_off.go"))
	require.NoError(t, err)
	assert.Contains(t, string(off), "//go:build !koshplant\n")
	assert.Contains(t, string(off), "func planted(string) bool { return false }")
	on, err := os.ReadFile(filepath.Join("..", "planted_on.go"))
	require.NoError(t, err)
	assert.Contains(t, string(on), "//go:build koshplant\n")

	files, err := filepath.Glob(filepath.Join("..", "*.go"))
	require.NoError(t, err)
	var used []string
	for _, name := range files {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`planted\("([^"]+)"\)`).FindAllSubmatch(source, -1) {
			used = append(used, string(m[1]))
		}
	}
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^\t\t"([^"]+)":`).FindAllSubmatch(on, -1) {
		listed = append(listed, string(m[1]))
	}
	slices.Sort(used)
	slices.Sort(listed)
	assert.Equal(t, listed, slices.Compact(used), "every plant is listed and every listed one is planted")
	assert.GreaterOrEqual(t, len(listed), 40)
}
