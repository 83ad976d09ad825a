// Command cldrgen writes cldr_data.go, the table behind currency.Format, from the npm packages cldr-numbers-full and
// cldr-core. It is run by "go generate ./currency", needs npm, and installs the two packages, at the version below,
// into a temporary folder. To move to another CLDR, change the version, generate, make the golden file again (see
// currency/testdata/golden.js) and run the tests.
package main

import (
	"context"
	"flag"
	"log"
	"os"
	"os/exec"
)

// cldrVersion is what the ICU of the golden file was built from; the two are compared for exact equality.
const cldrVersion = "48.0.0"

func main() {
	log.SetFlags(0)
	log.SetPrefix("cldrgen: ")
	from := flag.String("from", "", "a node_modules folder that holds both packages already; empty means install them")
	to := flag.String("to", "cldr_data.go", "the file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		log.Fatal(err)
	}
}

func run(from, to string) error {
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
	return os.WriteFile(to, code, 0o600)
}

func install(folder string) error {
	cmd := exec.CommandContext(context.Background(), "npm", "install", "--silent", "--no-audit", "--no-fund",
		"--prefix", folder, "cldr-numbers-full@"+cldrVersion, "cldr-core@"+cldrVersion)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}
