package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// shrinkRuns bounds how many worlds Shrink plays.
const shrinkRuns = 300

// Shrink looks for few operations with which a world still breaks the same invariant: it leaves out ever smaller runs of
// operations as long as that goes. What it returns fails, and leaving out any one operation more was tried unless the
// number of tries ran out.
func Shrink(c Config, f *Failure) (Config, *Failure) {
	keep := c.Keep
	if keep == nil {
		for n := range c.Ops {
			keep = append(keep, n)
		}
	}
	// What comes after the operation that failed is not needed.
	keep = slices.DeleteFunc(slices.Clone(keep), func(n int) bool { return n >= f.Op })
	runs := 0
	fails := func(try []int) *Failure {
		runs++
		less := c
		less.Keep = try
		if got := Run(less).Failure; got != nil && got.Breach.Invariant == f.Breach.Invariant {
			return got
		}
		return nil
	}
	if whole := fails(keep); whole == nil {
		return c, f // it broke on the way to rest, and what was to come mattered
	}
	for size := max(len(keep)/2, 1); runs < shrinkRuns; {
		gone := false
		for at := len(keep) - size; at > -size && runs < shrinkRuns; at -= size { // the last operations matter most often
			from, to := max(at, 0), min(at+size, len(keep))
			if from >= to {
				continue
			}
			try := append(slices.Clone(keep[:from]), keep[to:]...)
			if len(try) == 0 {
				continue // nil means all
			}
			if got := fails(try); got != nil {
				keep, f, gone = try, got, true
			}
		}
		if size == 1 && !gone {
			break
		}
		size = max(size/2, 1)
	}
	c.Keep = keep
	f.Keep = keep
	if n := len(keep); n > 0 {
		c.Ops = min(c.Ops, keep[n-1]+1)
	}
	f.Ops = c.Ops
	return c, f
}

// Spans writes numbers in order as text: 1-3,7. Numbers reads them.
func Spans(of []int) string {
	var b strings.Builder
	for i := 0; i < len(of); i++ {
		first := of[i]
		for i+1 < len(of) && of[i+1] == of[i]+1 {
			i++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(first))
		if of[i] != first {
			b.WriteString("-" + strconv.Itoa(of[i]))
		}
	}
	return b.String()
}

// Numbers reads what Spans wrote.
func Numbers(text string) ([]int, error) {
	numbers := []int{}
	for span := range strings.SplitSeq(text, ",") {
		low, high, many := strings.Cut(strings.TrimSpace(span), "-")
		if !many {
			high = low
		}
		from, err := strconv.Atoi(low)
		if err != nil {
			return nil, fmt.Errorf("simulation: %q is not a number", low)
		}
		to, err := strconv.Atoi(high)
		if err != nil || to < from || to-from > 1_000_000 {
			return nil, fmt.Errorf("simulation: %q is not a span", span)
		}
		for n := from; n <= to; n++ {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}
