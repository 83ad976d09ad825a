package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// read returns the requests and the complaints of an input.
func read(t *testing.T, input string) (lines []Line, bad []string) {
	t.Helper()
	err := ReadLines(strings.NewReader(input), func(l Line) error {
		lines = append(lines, l)
		return nil
	}, func(number int, why string) {
		bad = append(bad, fmt.Sprintf("%d: %s", number, why))
	})
	require.NoError(t, err)
	return lines, bad
}

const good = "08:00,r1,join,anna,,USD"

func TestReadLines(t *testing.T) {
	long := strings.Repeat("x", 3*maxLineBytes)
	for _, c := range []struct {
		name, input string
		lines       int
		bad         []string
	}{
		{"nothing", "", 0, nil},
		{"only line feeds", "\n\n \n", 0, nil},
		{"no line feed at the end", good, 1, nil},
		{"byte order mark and carriage returns", "\ufeff" + strings.Join(columns, ",") + "\r\n" + good + "\r\n", 1, nil},
		{"byte order mark elsewhere", good + "\n\ufeff" + good, 1, []string{`2: no time of day: "\ufeff08:00"`}},
		{"comments", "# about\n" + good + "\n#end", 1, nil},
		{"missing columns", "08:00\n08:00,r1\n08:00,r1,join\n08:00,r1,join,anna", 1, []string{
			"1: 1 columns, want 4 to 10", "2: 2 columns, want 4 to 10", "3: 3 columns, want 4 to 10",
		}},
		{"too many columns", good + ",,,,,,", 0, []string{"1: 12 columns, want 4 to 10"}},
		{"a long line", long + "\n" + good, 1, []string{"1: longer than 4096 bytes"}},
		{"a long last line", good + "\n" + long, 1, []string{"2: longer than 4096 bytes"}},
		{"a line as long as may be", good + strings.Repeat(" ", maxLineBytes-len(good)-1) + "\n" + good, 2, nil},
		{"a stray quotation mark", `08:00,r1,send,anna,1,USD,,bob,,"half` + "\n" + good, 1, []string{"1: a stray quotation mark"}},
		{"binary", "\x00\x01\xff\xfe\n\x7fELF\x02\n", 0, []string{"1: not UTF-8 text", "2: 1 columns, want 4 to 10"}},
		{"a bad time", "24:00,r1,join,anna", 0, []string{`1: no time of day: "24:00"`}},
		{"terminal escapes", "\x1b[2J,r1,join,anna", 0, []string{`1: no time of day: "\x1b[2J"`}},
		{"a bad verb", "08:00,r1,steal,anna", 0, []string{`1: no verb: "steal"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, bad := read(t, c.input)
			assert.Len(t, lines, c.lines)
			assert.Equal(t, c.bad, bad)
		})
	}
}

func TestLineHasAllColumns(t *testing.T) {
	lines, bad := read(t, "\n"+`13:14:15,r9,tip,anna, 1.50 ,USD,x,bob,post-7,"a ""nice"" one, really"`)
	require.Empty(t, bad)
	assert.Equal(t, []Line{{
		Number: 2, At: 13*3600e9 + 14*60e9 + 15e9, Request: "r9", Verb: "tip", Member: "anna", Amount: "1.50", Asset: "USD",
		With: "x", Other: "bob", Reference: "post-7", Note: `a "nice" one, really`,
	}}, lines)
}

func TestReadLinesStopsAtAnError(t *testing.T) {
	broken := errors.New("the disk is gone")
	none := func(int, string) {}
	err := ReadLines(iotest.ErrReader(broken), func(Line) error { return nil }, none)
	require.ErrorIs(t, err, broken)

	err = ReadLines(strings.NewReader(good+"\n"+good), func(Line) error { return broken }, none)
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "line 1")
}
