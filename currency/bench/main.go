// Command bench reads what `go test -bench` writes and prints a table of medians: kosh's currency package beside other
// libraries, operation by operation. Ratios are of medians within one run, so the machine's speed cancels out.
//
//	go test -run '^$' -bench . -count 6 . | go run .
//
// or make bench-currency. What each benchmark does is said where it is defined, in the _test.go files.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run fails when the input has no benchmarks, or says that one of them failed.
func run(in io.Reader, out io.Writer) error {
	var t table
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if err := t.add(lines.Text()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(t.races) == 0 {
		return fmt.Errorf("no benchmarks in the input")
	}
	return t.print(out)
}
