package currency

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// javaDiffers explains every row in which kosh and Java are not of one mind.
var javaDiffers = map[AssetID]string{
	"XAD": "Arab Accounting Dinar, in ISO 4217 since 2025; Java 17 does not have it",
	"UYW": "Unidad Previsional, in ISO 4217 since 2018; Java 17 does not have it",
}

// TestISOAgainstJava checks every row of the table, and that no row is missing, against testdata/currencies.java.txt.
// With -v it prints the table.
func TestISOAgainstJava(t *testing.T) {
	data, err := os.ReadFile("testdata/currencies.java.txt")
	require.NoError(t, err)
	head, rows, _ := strings.Cut(string(data), "\n")
	require.True(t, strings.HasPrefix(head, "# java.util.Currency of Java 17."), head)

	java := map[AssetID]string{} // numeric code and decimals
	for line := range strings.Lines(rows) {
		code, facts, ok := strings.Cut(strings.TrimSpace(line), " ")
		require.True(t, ok)
		java[AssetID(code)] = facts
	}
	agree, explained := 0, 0
	for _, d := range slices.Concat(ISO(), WithdrawnISO()) {
		info := d.Info()
		t.Logf("%s %03d %d %-7s %s", info.ID, info.Numeric, info.Scale, info.Withdrawn, info.Name)
		facts := fmt.Sprintf("%03d %d", info.Numeric, info.Scale)
		switch reason := javaDiffers[info.ID]; {
		case reason != "":
			require.NotEqual(t, java[info.ID], facts, "%s agrees now: %s", info.ID, reason)
			explained++
		default:
			require.Equal(t, java[info.ID], facts, info.ID)
			agree++
		}
		delete(java, info.ID)
	}
	require.Len(t, javaDiffers, explained)
	for code, facts := range java {
		require.True(t, strings.HasSuffix(facts, " -1"), "only Java has %s", code)
		require.Contains(t, isoWithoutScale, string(code), "Java knows no minor unit of %s", code)
	}
	t.Logf("%d rows agree with %s, %d differ for a reason, %d codes have no minor unit in either",
		agree, strings.TrimPrefix(head, "# "), explained, len(java))
}
