package ledgertest

import (
	"fmt"
	"strings"
)

// diffShown is how many differing lines are shown.
const diffShown = 40

// Diff shows the lines in which two dumps differ: those of a after a minus sign, those of b after a plus sign. It is empty when
// the dumps are equal.
func Diff(a, b []byte) string {
	return diffLines(lines(a), lines(b))
}

func lines(dump []byte) []string {
	if len(dump) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(dump), "\n"), "\n")
}

func diffLines(a, b []string) string {
	inA, inB := count(a), count(b)
	var text strings.Builder
	shown, hidden := 0, 0
	show := func(sign, line string) {
		if shown == diffShown {
			hidden++
			return
		}
		shown++
		text.WriteString(sign + " " + line + "\n")
	}
	// A line that the other side has somewhere is skipped for as long as both have it; what is left was added, taken
	// out or moved.
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && len(b) > 0 && a[0] == b[0]:
			inA[a[0]]--
			inB[b[0]]--
			a, b = a[1:], b[1:]
		case len(a) > 0 && (inB[a[0]] == 0 || len(b) == 0):
			show("-", a[0])
			inA[a[0]]--
			a = a[1:]
		case len(a) == 0 || inA[b[0]] == 0:
			show("+", b[0])
			inB[b[0]]--
			b = b[1:]
		default: // both are elsewhere too: moved
			show("-", a[0])
			inA[a[0]]--
			a = a[1:]
		}
	}
	if hidden > 0 {
		fmt.Fprintf(&text, "and %d more\n", hidden)
	}
	return text.String()
}

func count(lines []string) map[string]int {
	n := make(map[string]int, len(lines))
	for _, l := range lines {
		n[l]++
	}
	return n
}
