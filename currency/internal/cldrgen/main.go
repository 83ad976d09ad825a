// Command cldrgen writes cldr_data.go, the table behind currency.Format, and the list of its locales for the golden file,
// from the npm packages cldr-numbers-full and cldr-core. It is run by "go generate ./currency", needs npm, and installs the
// two packages, at the version below, into a temporary folder. To move to another CLDR, change the version, generate, make
// the golden file again (see currency/testdata/golden.js) and run the tests.
package main

import (
	"context"
	"flag"
	"log"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// cldrVersion is what the ICU of the golden file was built from; the two are compared for exact equality.
const cldrVersion = "48.0.0"

func main() {
	log.SetFlags(0)
	log.SetPrefix("cldrgen: ")
	from := flag.String("from", "", "a node_modules folder that holds both packages already; empty means install them")
	to := flag.String("to", "cldr_data.go", "the file to write")
	list := flag.String("list", "testdata/locales.txt", "the list of locales to write")
	flag.Parse()
	if err := run(*from, *to, *list); err != nil {
		log.Fatal(err)
	}
}

func run(from, to, list string) error {
	if from == "" {
		folder, err := os.MkdirTemp("", "cldr")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(folder) }()
		if err := install(folder); err != nil {
			return err
		}
		from = folder + "/node_modules"
	}
	world, err := read(from)
	if err != nil {
		return err
	}
	code, size, err := write(world)
	if err != nil {
		return err
	}
	log.Printf("%d locales, %d bytes of data", len(world.locales), size)
	names := strings.Join(slices.Sorted(maps.Keys(world.locales)), "\n") + "\n"
	if err := os.WriteFile(list, []byte(names), 0o600); err != nil {
		return err
	}
	return os.WriteFile(to, code, 0o600)
}

func install(folder string) error {
	cmd := exec.CommandContext(context.Background(), "npm", //nolint:gosec // a temporary folder of ours
		"install", "--silent", "--no-audit", "--no-fund",
		"--prefix", folder, "cldr-numbers-full@"+cldrVersion, "cldr-core@"+cldrVersion)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
