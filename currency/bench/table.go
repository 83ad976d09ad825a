package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// us is the library that the others are measured by.
const us = "kosh"

// table collects samples in the order in which they come.
type table struct {
	head  []string // goos, cpu …
	races []*contest
}

// contest is one operation.
type contest struct {
	name string
	rows []*row
}

// row is one library's samples.
type row struct {
	lib           string
	nanos         []int64 // in thousandths of a nanosecond
	bytes, allocs int64   // the most of any sample
}

var result = regexp.MustCompile(`^Benchmark([^/\s]+)/(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op`)

// add takes one line of output.
func (t *table) add(line string) error {
	for _, prefix := range []string{"goos:", "goarch:", "cpu:"} {
		if strings.HasPrefix(line, prefix) && !slices.Contains(t.head, line) {
			t.head = append(t.head, line)
		}
	}
	if strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "panic:") {
		return fmt.Errorf("the benchmarks failed: %s", line)
	}
	m := result.FindStringSubmatch(line)
	if m == nil {
		return nil
	}
	r := t.race(m[1]).row(strings.ReplaceAll(m[2], "_", " ")) // as testing writes a space
	nanos, err := thousandths(m[3])
	if err != nil {
		return err
	}
	bytes, err := strconv.ParseInt(m[4], 10, 64)
	if err != nil {
		return err
	}
	allocs, err := strconv.ParseInt(m[5], 10, 64)
	if err != nil {
		return err
	}
	r.nanos = append(r.nanos, nanos)
	r.bytes, r.allocs = max(r.bytes, bytes), max(r.allocs, allocs)
	return nil
}

func (t *table) race(name string) *contest {
	for _, r := range t.races {
		if r.name == name {
			return r
		}
	}
	t.races = append(t.races, &contest{name: name})
	return t.races[len(t.races)-1]
}

func (r *contest) row(lib string) *row {
	for _, w := range r.rows {
		if w.lib == lib {
			return w
		}
	}
	r.rows = append(r.rows, &row{lib: lib})
	return r.rows[len(r.rows)-1]
}

// thousandths reads a decimal without floats: "12.3" is 12300.
func thousandths(s string) (int64, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	return strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
}

// median is the middle sample, or the mean of the two in the middle.
func (w *row) median() int64 {
	s := slices.Sorted(slices.Values(w.nanos))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// noise is how far the samples are from the median at most, in percent.
func (w *row) noise() int64 {
	m := max(w.median(), 1)
	return max(slices.Max(w.nanos)-m, m-slices.Min(w.nanos)) * 100 / m
}

func (t *table) print(out io.Writer) error {
	var b, lost strings.Builder
	for _, line := range t.head {
		b.WriteString(line + "\n")
	}
	line := func(columns ...any) { fmt.Fprintf(&b, "%-18s %10v %5v %8v %6v %9v %7v\n", columns...) }
	for _, r := range t.races {
		b.WriteString("\n")
		line(r.name, "ns/op", "±", "× "+us, "B/op", "allocs/op", "samples")
		base := r.row(us)
		if len(base.nanos) == 0 {
			return fmt.Errorf("%s: nothing from %s to compare with", r.name, us)
		}
		for _, c := range r.rows {
			line(c.lib, quotient(c.median(), 1000), strconv.FormatInt(c.noise(), 10)+"%",
				quotient(c.median(), max(base.median(), 1)), c.bytes, c.allocs, len(c.nanos))
			if c != base && !strings.HasPrefix(c.lib, us+" ") && c.median() < base.median() {
				lost.WriteString("\n  " + r.name + ": " + c.lib)
			}
		}
	}
	if lost.Len() > 0 {
		b.WriteString("\n" + us + " is slower than" + lost.String() + "\n")
	} else {
		b.WriteString("\n" + us + " is the fastest in all of them\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// quotient writes a/b with two places, cut off.
func quotient(a, b int64) string {
	q := a * 100 / b
	return fmt.Sprintf("%d.%02d", q/100, q%100)
}
