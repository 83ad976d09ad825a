//go:build !koshplant

package simulation

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPlantedBugsAreCaught builds the real code with its deliberate bugs and lets TestPlanted look for them, in a process
// of its own, without the race detector.
func TestPlantedBugsAreCaught(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "test", "-tags", "koshplant", "-run", "^TestPlanted$", "-count=1", "-v", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	score := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "planted: ") {
			report(t, "%s", line)
			score++
		}
	}
	assert.Positive(t, score, "TestPlanted printed no score: %s", out)
}

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
	assert.GreaterOrEqual(t, len(listed), 8)
}
