//go:build ignore

// Command gotest reads the output of `go test -json` and prints what a person wants of it: the line of each package as
// it ends, and the whole output of each test that failed. With -missing it appends the KOSH-MISSING lines to a file.
//
// It fails when a test prints what looks like a card's number, whether the test passes or not: what tests print is what a host's
// log would have.
//
// Plain `go test` cannot serve: it hides what a passing or skipped test printed, and with it why a test was skipped.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/koshpay/kosh/providers"
)

// event is what `go doc test2json` describes.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

const mark = "KOSH-MISSING: "

func main() {
	missing := flag.String("missing", "", "append KOSH-MISSING lines to this file")
	flag.Parse()

	output := map[string]map[string][]string{} // package, test: what it printed so far
	seen := map[string]bool{}
	leaks := map[string]bool{}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if line == "" && err != nil {
			break
		}
		var e event
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Print(line)
			continue
		}
		if _, after, found := strings.Cut(e.Output, mark); found {
			seen[mark+strings.TrimSpace(after)] = true
		}
		if e.Action == "output" && providers.LooksLikeCardNumber(e.Output) {
			leaks[e.Package+" "+e.Test] = true
		}
		tests := output[e.Package]
		if tests == nil {
			tests = map[string][]string{}
			output[e.Package] = tests
		}
		switch e.Action {
		case "build-output":
			fmt.Print(e.Output)
		case "output":
			switch {
			case e.Test != "":
				tests[e.Test] = append(tests[e.Test], e.Output)
			case e.Output != "PASS\n" && e.Output != "FAIL\n":
				fmt.Print(e.Output)
			}
		case "pass", "skip":
			delete(tests, e.Test)
		case "fail":
			if e.Test != "" {
				show(tests[e.Test])
				delete(tests, e.Test)
				break
			}
			// A package that died takes tests with it which have not ended; one of them holds the reason.
			for _, name := range sorted(tests) {
				show(tests[name])
			}
			delete(output, e.Package)
		}
	}

	for _, test := range sorted(leaks) {
		fmt.Printf("FAIL\t%s printed a card's number\n", test)
		defer os.Exit(1)
	}
	if *missing == "" || len(seen) == 0 {
		return
	}
	file, err := os.OpenFile(*missing, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.WriteString(strings.Join(sorted(seen), "\n") + "\n")
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
}

// show prints a test's output without the lines that only say it began or went on.
func show(output []string) {
	for _, line := range output {
		if !strings.HasPrefix(line, "=== ") {
			fmt.Print(line)
		}
	}
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
