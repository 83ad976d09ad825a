package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type result struct {
	status         int
	stdout, stderr string
}

func quickstart(stdin string, args ...string) result {
	var out, errs bytes.Buffer
	status := Program{Name: "quickstart", In: strings.NewReader(stdin), Out: &out, Err: &errs}.Run(context.Background(), args)
	return result{status, out.String(), errs.String()}
}

// wholeDay runs the bundled day once for all tests that look at it.
var wholeDay = sync.OnceValue(func() result { return quickstart("") })

func lastLines(text string, n int) []string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[max(0, len(lines)-n):]
}

var counts = regexp.MustCompile(`[0-9][0-9,]*`)

// The money of the whole day is fixed to the last unit. How many rows it took is not: that is kosh's business.
func TestDayEndsWithTheseLines(t *testing.T) {
	r := wholeDay()
	require.Zero(t, r.status, r.stderr)
	assert.Empty(t, r.stderr)
	last := lastLines(r.stdout, 20)
	got := masked(last)
	golden := filepath.Join("testdata", "last-lines.golden")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
	assert.Equal(t, "books balance: yes", last[len(last)-1])
}

func masked(lines []string) string {
	masked := slices.Clone(lines)
	for i, line := range masked {
		if strings.HasPrefix(line, "VERIFY") || strings.HasPrefix(line, "        ") {
			masked[i] = counts.ReplaceAllString(line, "#")
		}
	}
	return strings.Join(masked, "\n") + "\n"
}

// What the README shows of this program is what the program prints.
func TestReadmeShowsTheSameLines(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "..", "README.md"))
	require.NoError(t, err)
	_, shown, found := strings.Cut(string(readme), "```text\n")
	require.True(t, found)
	shown, _, found = strings.Cut(shown, "\n```")
	require.True(t, found)
	want, err := os.ReadFile(filepath.Join("testdata", "last-lines.golden"))
	require.NoError(t, err)
	assert.Equal(t, string(want), masked(lastLines(shown, 20)))
}

func TestReportFitsAScreenshot(t *testing.T) {
	for _, line := range strings.Split(wholeDay().stdout, "\n") {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
		assert.Equal(t, strings.TrimRight(line, " "), line, "trailing space")
	}
}

func TestSameInputSameOutput(t *testing.T) {
	lines := strings.SplitAfter(string(day), "\n")
	part := strings.Join(lines[:300], "") + strings.Join(lines[1200:1400], "")
	first, second := quickstart(part, "-in", "-"), quickstart(part, "-in", "-")
	assert.Equal(t, first, second)
	assert.Contains(t, first.stdout, "books balance: yes")
}

func TestOwnFile(t *testing.T) {
	requests := strings.Join([]string{
		"08:00,r1,join,anna,,USD", "08:00,r2,join,bob,,EUR", "08:01,r3,link,anna,,,card", "08:02,r4,deposit,anna,20.00,USD,card",
		"08:03,r5,tip,anna,2.00,USD,,bob", "08:04,r6,withdraw,bob,1.90,USD,card", "",
	}, "\n")
	for _, c := range []struct {
		name, input string
		status      int
		stderr      string
	}{
		{"as it should be", requests, exitOK, ""},
		{"times that run back", requests + "07:00,r7,tip,anna,1.00,USD,,bob\n", exitOK, ""},
		{"carriage returns and a byte order mark", "\ufeff" + strings.ReplaceAll(requests, "\n", "\r\n"), exitOK, ""},
		{"empty", "", exitOK, ""},
		{"a line that cannot be read", requests + "garbage\n" + requests, exitUnread, "line 7 skipped: 1 columns"},
		{"a very long line", requests + strings.Repeat("z", 1<<20), exitUnread, "line 7 skipped: longer than"},
		{"binary", strings.Repeat("\x00\xff\n", 5000), exitUnread, "more lines cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "own.csv")
			require.NoError(t, os.WriteFile(file, []byte(c.input), 0o600))
			r := quickstart("", "-in", file)
			assert.Equal(t, c.status, r.status, r.stderr)
			assert.Contains(t, r.stderr, c.stderr)
			assert.Less(t, len(r.stderr), 4_000, "a bad file must not flood the terminal")
			assert.Equal(t, "books balance: yes", lastLines(r.stdout, 1)[0])

			piped := quickstart(c.input, "-in", "-")
			assert.Equal(t, c.status, piped.status)
			assert.Equal(t, lastLines(r.stdout, 15), lastLines(piped.stdout, 15))
		})
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	r := quickstart("", "-in", filepath.Join(t.TempDir(), "none.csv"))
	assert.Equal(t, exitUnread, r.status)
	assert.Contains(t, r.stderr, "none.csv")
	assert.Empty(t, r.stdout)

	assert.Equal(t, exitUnread, quickstart("", "-in", t.TempDir()).status, "a folder")
	assert.Equal(t, exitUnread, quickstart("", "file.csv").status, "an argument without -in")
	assert.Equal(t, exitUnread, quickstart("", "-nonsense").status)

	var out, errs bytes.Buffer
	status := Program{Name: "quickstart", In: iotest.ErrReader(errors.New("the cable is out")), Out: &out, Err: &errs}.Run(t.Context(), []string{"-in", "-"})
	assert.Equal(t, exitUnread, status)
	assert.Contains(t, errs.String(), "the cable is out")
}

func TestHelpTellsTheFormat(t *testing.T) {
	r := quickstart("", "-help")
	assert.Equal(t, exitOK, r.status)
	for _, want := range append(append([]string{"Exit status: 0", strings.Join(columns, ",")}, verbs...), silent) {
		assert.Contains(t, r.stderr, want)
	}
	for _, line := range strings.Split(r.stderr, "\n") {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 120)
	}
}

// Progress is for somebody who waits in front of a terminal, and is gone at the end.
func TestProgress(t *testing.T) {
	input := strings.Repeat("08:00,,tip,anna\n", longInput+50)
	var out, errs bytes.Buffer
	require.Zero(t, Program{Name: "quickstart", In: strings.NewReader(input), Out: &out, Err: &errs, Terminal: true}.Run(t.Context(), []string{"-in", "-"}))
	shown, report, found := strings.Cut(out.String(), "kosh quickstart")
	require.True(t, found)
	assert.Contains(t, shown, "500 lines")
	assert.True(t, strings.HasSuffix(shown, "\r\x1b[K"), "the progress stays on the screen")
	assert.NotContains(t, report, "\x1b")
	assert.NotContains(t, quickstart(input, "-in", "-").stdout, "\x1b")
}

// Whatever people type, the day goes on, and the books balance in the end.
func TestAnyDayBalances(t *testing.T) {
	values := [][]string{
		verbs,
		{"anna", "bob", "carol", "", "Zoë", "a/b", strings.Repeat("m", 120)},
		{"1", "5.00", "0.000000000000000001", "100000000000000000000", "-1", "0", "", "1e9", "92233720368547758.07", "7"},
		{"USD", "USD", "JPY", "ETH", "ETH", "CHIRP", "eip155:1/slip44:60", "", "usd", "XAU"},
		{"card", "card-asks", "bank", "bank-returned", "bank-bounces", silent, "", "addr_reverts", "4242424242424242"},
		{"anna", "bob", "carol", "CHIRP", "USD", "q3", "q5", "q7", "q9", "q11"},
	}
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 0))
		pick := func(i int) string { return values[i][random.IntN(len(values[i]))] }
		var b strings.Builder
		for i, member := range []string{"anna", "bob", "carol"} {
			fmt.Fprintf(&b, "11:00,j%d,join,%s,,USD\n11:01,l%d,link,%s,,,card\n", i, member, i, member)
			fmt.Fprintf(&b, "11:02,d%d,deposit,%s,500.00,USD,card\n12:01,e%d,deposit,%s,2,ETH\n", i, member, i, member)
		}
		for i := range 250 {
			fmt.Fprintf(&b, "12:%02d,q%d,%s,%s,%s,%s,%s,%s,\x01r,\n", i/5, random.IntN(200), pick(0), pick(1), pick(2), pick(3), pick(4), pick(5))
		}
		input := strings.ReplaceAll(b.String(), ",\x01r,", []string{",post-1,", ",\x01,", ",,"}[seed])
		r := quickstart(input, "-in", "-")
		assert.Equal(t, exitOK, r.status, "seed %d: %s\n%s", seed, r.stderr, r.stdout)
	}
}

// The verdict must be able to say no: money that moved behind the books' back is found.
func TestBooksThatDoNotBalance(t *testing.T) {
	app, err := NewApp(t.Context(), midnight, Backing{})
	require.NoError(t, err)
	p := &play{tally: NewTally()}
	lines, bad := read(t, "08:00,r1,join,anna,,USD\n08:01,r2,link,anna,,,card\n08:02,r3,deposit,anna,20.00,USD,card")
	require.Empty(t, bad)
	for _, l := range lines {
		require.NoError(t, p.handle(t.Context(), app, l))
	}
	require.NoError(t, app.World.Settle(t.Context()))
	var out strings.Builder
	ok, err := Report(t.Context(), &out, "test", app, p.tally)
	require.NoError(t, err)
	require.True(t, ok, out.String())

	// Money reaches the provider, and nobody tells the app before the report is made.
	_, err = app.World.lines[0].SendStray("bank", usd(t, "1.00"))
	require.NoError(t, err)
	out.Reset()
	ok, err = Report(t.Context(), &out, "test", app, p.tally)
	require.NoError(t, err)
	assert.False(t, ok)
	assert.Contains(t, out.String(), "DIFFERS")
	assert.Equal(t, "books balance: NO", lastLines(out.String(), 1)[0])
}
