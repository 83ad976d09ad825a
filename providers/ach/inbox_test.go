package ach

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// TestATamperedReturnFile changes every byte of a file with one return, one at a time. The file is quarantined, or its return
// is of nobody, or it is what it was but for a field that nothing protects, such as the reason; never is it another's.
func TestATamperedReturnFile(t *testing.T) {
	w := newWorld(t)
	token, _ := w.linked()
	var ops []providers.Operation
	for range 12 { // all alike, with trace numbers that differ in one digit
		ops = append(ops, w.payment(providers.Deposit, token, 900))
		w.submit(ops[len(ops)-1])
	}
	w.at(at(monday, 20, 0))
	w.at(at(monday.AddDate(0, 0, 1), 9, 0))
	content := w.bank.file(returnOf(w.bank.of(ops[3].Key), "R01"))
	values, versions := maps.Clone(w.state.values), maps.Clone(w.state.versions)
	outcome := map[string]int{}
	for i := range content {
		for _, flip := range []byte{1 << (i % 4)} {
			w.state.values, w.state.versions = maps.Clone(values), maps.Clone(versions)
			w.p = w.open()
			bad := bytes.Clone(content)
			bad[i] ^= flip
			w.bank.put("return.ach", bad)
			w.work()
			left, err := w.p.folders.arrived()
			require.NoError(t, err)
			require.Empty(t, left)
			r := w.lookup(ops[3].Key)
			switch {
			case len(r.Effects) == 2:
				outcome["taken"]++
				assert.Equal(t, currency.MustNew(-900, currency.USD), r.Effects[1].Amount)
			case len(w.kinds()) > 0:
				outcome[string(w.kinds()[0])]++
			default:
				outcome["nothing"]++
			}
			for j, op := range ops {
				if j != 3 && len(w.lookup(op.Key).Effects) != 1 {
					t.Fatalf("byte %d ^ %d returned operation %d", i, flip, j)
				}
			}
		}
	}
	t.Logf("%d files: %v", len(content), outcome)
	assert.Zero(t, outcome["nothing"], "whatever came was taken or noticed")
	assert.Greater(t, outcome[string(Quarantined)], 100)
	assert.Positive(t, outcome[string(UnmatchedReturn)])
	found, err := filepath.Glob(filepath.Join(w.cfg.Inbox, "*", "*"))
	require.NoError(t, err)
	assert.Len(t, found, len(content), "every file is kept")
}

// FuzzParse reads anything; what it accepts, it accepts again, and its problems quote nothing of the file.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.ach")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("101"))
	f.Add([]byte("101 \xff\xff\n5\n6\n799\n8\n9"))
	f.Add([]byte(strings.Repeat("9", 940)))
	f.Fuzz(func(t *testing.T, content []byte) {
		a, problem := parse("file", content)
		b, again := parse("file", content)
		if fmt.Sprint(problem) != fmt.Sprint(again) || len(a.Batches) != len(b.Batches) {
			t.Fatalf("%v, then %v", problem, again)
		}
		if problem == nil {
			return
		}
		for _, word := range strings.Fields(string(content)) {
			if len(word) > 8 && strings.Contains(problem.Error(), word) {
				t.Fatalf("%q quotes %q", problem, word)
			}
		}
	})
}

// TestProblemsQuoteNothing: the library's errors hold the field's value.
func TestProblemsQuoteNothing(t *testing.T) {
	w := newWorld(t)
	token, number := w.linked()
	op := w.settled(providers.Deposit, token, 900)
	good := string(w.bank.file(returnOf(w.bank.of(op.Key), "R01")))
	bad := number[:6] + "\u20ac" + number[7:]
	w.bank.put("return.ach", []byte(strings.Replace(good, number, bad, 1)))
	w.day()
	notices, _, err := w.p.Notices(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, notices, 1)
	assert.Equal(t, Quarantined, notices[0].Kind)
	assert.Contains(t, notices[0].Text, "DFIAccountNumber")
	assert.NotContains(t, notices[0].Text, number[:6])
}

// TestContentIsDealtWithOnce: the mark is by content, so what the bank sends again under another name is noticed once.
func TestContentIsDealtWithOnce(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a.txt", "b.txt"} {
		w.bank.put(name, []byte("what is this?"))
		w.day()
	}
	assert.Equal(t, []NoticeKind{Quarantined}, w.kinds())
	found, err := filepath.Glob(filepath.Join(w.cfg.Inbox, quarantineFolder, "*"))
	require.NoError(t, err)
	assert.Len(t, found, 2, "both are kept")
}
