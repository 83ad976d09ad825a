//go:build !koshplant && !race

package simulation

import (
	"bufio"
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPlantedBugsAreCaught builds the real code with its deliberate bugs and lets TestPlanted look for them, in a process
// of its own, without the race detector.
func TestPlantedBugsAreCaught(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "test", "-tags", "koshplant", "-run", "^Test(Planted|Shrink)$", "-count=1", "-v", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	score := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if line := lines.Text(); strings.HasPrefix(line, "planted: ") || strings.HasPrefix(line, "shrunk: ") {
			report(t, "%s", line)
			score++
		}
	}
	assert.Positive(t, score, "TestPlanted printed no score: %s", out)
}
