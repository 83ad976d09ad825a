// Package kosh_test keeps the rules of the house that a program can check: the direction of imports, what the modules
// require, and what code about money must not do. Each rule shows that it can fail, on a sample that breaks it,
// before it judges the tree.
package kosh_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "github.com/koshpay/kosh"

// layers says which top-level folders the code of each may import. Arrows go down only, so currency can be reviewed
// without the ledger, and all double entry is in payments: ledger and providers never meet.
var layers = map[string][]string{
	"":          {"currency", "ledger", "providers", "payments"}, // this file
	"currency":  {"currency"},
	"ledger":    {"ledger", "currency"},
	"providers": {"providers", "currency"},
	"payments":  {"payments", "ledger", "providers", "currency"},
	"examples":  {"currency", "ledger", "providers", "payments"}, // and their own folder
}

// suites are the packages that test other people's code. They may skip, for a capability that is declared absent, and
// production code must not link them.
var suites = []string{"ledger/ledgertest", "providers/providertest", "providers/evm/internal/chainworld"}

// rules are checked for every folder with Go files, nested modules included.
var rules = []rule{
	{
		name:  "imports go down",
		check: eachSource(importsUp),
		bad: []sample{
			{"currency/a.go", `package currency; import "github.com/koshpay/kosh/ledger"`},
			{"ledger/a.go", `package ledger; import "github.com/koshpay/kosh/providers"`},
			{"ledger/a_test.go", `package ledger_test; import "github.com/koshpay/kosh/payments"`},
			{"providers/evm/a.go", `package evm; import "github.com/koshpay/kosh/ledger/memory"`},
			{"payments/a_test.go", `package payments; import "github.com/koshpay/kosh/examples/quickstart"`},
			{"examples/a/a.go", `package a; import "github.com/koshpay/kosh/examples/b"`},
			{"ledger/a.go", `package ledger; import "github.com/koshpay/kosh/util"`},
			{"ledger/sqlite/a.go", `package sqlite; import "github.com/koshpay/kosh/ledger/ledgertest"`},
		},
		good: []sample{
			{"ledger/sqlite/a.go", `package sqlite; import "github.com/koshpay/kosh/ledger"`},
			{"ledger/sqlite/a_test.go", `package sqlite; import "github.com/koshpay/kosh/ledger/ledgertest"`},
			{"payments/a.go", `package payments; import _ "github.com/koshpay/kosh/ledger/memory"`},
			{"examples/a/a.go", `package a; import "github.com/koshpay/kosh/examples/a/internal/b"`},
			{"examples/a/main.go", `package main; import "github.com/koshpay/kosh/examples/quickstart/app"`},
			{"currency/a.go", `package currency; import "github.com/koshpay/koshka"`},
		},
	},
	{
		name:  "testify stays in tests", // a host would link it, and its conformance tests would have to use it
		check: eachSource(testifyOutsideTests),
		bad:   []sample{{"ledger/ledgertest/a.go", `package ledgertest; import "github.com/stretchr/testify/require"`}},
		good:  []sample{{"ledger/a_test.go", `package ledger; import "github.com/stretchr/testify/require"`}},
	},
	{
		name:  "packages are introduced", // go doc is what a host developer reads first
		check: uncommented,
		bad: []sample{
			{"ledger/a.go", "package ledger"},
			{"ledger/a.go", "// Ledger is.\npackage ledger"},
			{"examples/a/main.go", "// This comment belongs to nothing.\n\npackage main"},
		},
		good: []sample{
			{"ledger/a.go", "// Package ledger is.\npackage ledger"},
			{"examples/a/main.go", "// Command a is.\npackage main"},
			{"a_test.go", "package kosh_test"},
		},
	},
	{
		name:  "examples are run", // without an output comment an example is only compiled, and rots
		check: eachSource(silentExamples),
		bad:   []sample{{"ledger/a_test.go", "package ledger_test; func ExampleNew() { println() }"}},
		good: []sample{
			{"ledger/a_test.go", "package ledger_test; func ExampleNew() {\n\t// Output: 1\n}"},
			{"ledger/a_test.go", "package ledger_test; func ExampleNew() {\n\t// Output:\n}"},
			{"ledger/a_test.go", "package ledger_test; func Examples() {}"},
		},
	},
	{
		name:  "skips are loud", // a test that nobody runs looks like one that passes
		check: eachSource(silentSkips),
		bad: []sample{
			{"ledger/a_test.go", `package ledger; import "testing"; func TestA(t *testing.T) { t.Skip("later") }`},
			{"ledger/a_test.go", `package ledger; import "testing"; func FuzzA(f *testing.F) { f.SkipNow() }`},
			{"ledger/a_test.go", `package ledger; import "testing"; var a = func(t *testing.T) { t.Skipf("%d", 1) }`},
		},
		good: []sample{
			{"ledger/ledgertest/a.go", `package ledgertest; import "testing"; func a(t *testing.T) { t.Skip("declared absent") }`},
			{"ledger/a_test.go", `package ledger; import ("fmt"; "testing")
				func open(tb testing.TB) { fmt.Println("KOSH-MISSING: server: install it"); tb.Skip("no server") }`},
			{"ledger/a.go", `package ledger; func a(q interface{ Skip(int) }) { q.Skip(3) }`},
		},
	},
	{
		name:  "nothing is a stub", // it compiles, it is documented, and it kills the host at the first call
		check: eachSource(stubs),
		bad: []sample{
			{"ledger/a.go", `package ledger; func a() { panic("not implemented") }`},
			{"ledger/a.go", `package ledger; func a() { panic("TODO: holds") }`},
			{"ledger/a.go", `package ledger; import "errors"; func a() { panic(errors.New("ledger: Unimplemented")) }`},
		},
		good: []sample{{"ledger/a.go", `package ledger; func a() { panic("ledger: MustParse: bad amount") }`}},
	},
	{
		name:  "money is exact", // 0.1 + 0.2 is not 0.3, and beyond 2^53 a float64 loses units
		check: eachSource(floats),
		bad: []sample{
			{"currency/a.go", `package currency; var a float64`},
			{"ledger/memory/a.go", `package memory; func a(b int64) int64 { return int64(float32(b)) }`},
			{"payments/a.go", `package payments; const fee = 0.05`},
			{"providers/a.go", `package providers; import d "github.com/shopspring/decimal"; var a = d.NewFromFloat(5)`},
			{"payments/a.go", `package payments; func a(b interface{ InexactFloat64() int }) { b.InexactFloat64() }`},
		},
		good: []sample{
			{"currency/a_test.go", `package currency; var a float64 = 0.5`},
			{"examples/a/a.go", `package a; var a float64`},
			{"payments/a.go", `package payments; const fee = "0.05" // not a float64`},
		},
	},
	{
		name:  "time is injected", // tests move it, and ledger time never runs back
		check: clocks,
		bad: []sample{
			{"ledger/a.go", `package ledger; import "time"; func a() time.Time { return time.Now() }`},
			{"ledger/a.go", `package ledger; import wall "time"; func a() wall.Time { return (wall.Now)() }`},
			{"payments/a.go", `package payments; import "time"; var a, b = time.Now, time.Now`},
			{"payments/a.go", `package payments; import "time"; func a(b time.Time) any { return time.Since(b) }`},
		},
		good: []sample{
			{"ledger/a.go", `package ledger; import "time"; var clock = time.Now`},
			{"ledger/a_test.go", `package ledger; import "time"; var a = time.Now()`},
			{"ledger/a.go", `package ledger; func a(time interface{ Now() int }) int { return time.Now() }`},
		},
	},
	{
		name:  "money is quiet", // standard output is the host's
		check: eachSource(prints),
		bad: []sample{
			{"ledger/a.go", `package ledger; import "fmt"; func a() { fmt.Println() }`},
			{"payments/a.go", `package payments; import f "fmt"; func a() { f.Printf("a") }`},
			{"providers/a.go", `package providers; import . "fmt"; func a() { Println() }`},
			{"currency/a.go", `package currency; func a() { println() }`},
		},
		good: []sample{
			{"ledger/a.go", `package ledger; import "fmt"; func a() string { return fmt.Sprint() }`},
			{"examples/a/a.go", `package a; import "fmt"; func a() { fmt.Println() }`},
		},
	},
}

func TestRules(t *testing.T) {
	t.Parallel()
	tree := readTree(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			for _, s := range r.bad {
				assert.NotEmpty(t, r.check(s.folder(t)), "the rule must reject this in %s: %s", s.path, s.code)
			}
			for _, s := range r.good {
				assert.Empty(t, r.check(s.folder(t)), "the rule must accept this in %s: %s", s.path, s.code)
			}
			for _, f := range tree {
				for _, finding := range r.check(f) {
					t.Error(finding)
				}
			}
		})
	}
}

// playedByAll is the one part of an example that others play too, over other stores.
const playedByAll = "examples/quickstart/app"

func importsUp(s source) (findings []string) {
	own := path.Dir(s.path)
	from, _, nested := strings.Cut(strings.TrimPrefix(own, "."), "/")
	for _, spec := range s.file.Imports {
		to, ours := strings.CutPrefix(importPath(spec), root+"/")
		if !ours {
			continue
		}
		layer, _, _ := strings.Cut(to, "/")
		allowed := slices.Contains(layers[from], layer)
		if from == "examples" && layer == "examples" && nested {
			home := strings.Join(strings.SplitN(own, "/", 3)[:2], "/")
			allowed = to == home || strings.HasPrefix(to, home+"/") || to == playedByAll
		}
		if slices.Contains(suites, to) && !s.isTest() && !slices.Contains(suites, own) {
			allowed = false
		}
		if !allowed {
			findings = append(findings, s.at(spec, "imports "+to))
		}
	}
	return findings
}

func testifyOutsideTests(s source) (findings []string) {
	for _, spec := range s.file.Imports {
		if strings.HasPrefix(importPath(spec), "github.com/stretchr/testify") && !s.isTest() {
			findings = append(findings, s.at(spec, "imports testify outside a _test.go file"))
		}
	}
	return findings
}

func uncommented(f folder) (findings []string) {
	introduced := map[string]bool{}
	for _, s := range f.sources {
		if s.isTest() {
			continue
		}
		name := s.file.Name.Name
		good := strings.HasPrefix(s.file.Doc.Text(), "Package "+name+" ") || name == "main" && s.file.Doc.Text() != ""
		introduced[name] = introduced[name] || good
	}
	for name, good := range introduced {
		if !good {
			findings = append(findings, fmt.Sprintf("%s: package %s has no package comment", f.path, name))
		}
	}
	return findings
}

func silentExamples(s source) (findings []string) {
	if !s.isTest() {
		return nil
	}
	for _, e := range doc.Examples(s.file) {
		if e.Output == "" && !e.EmptyOutput {
			findings = append(findings, s.at(e.Code, "Example"+e.Name+" has no // Output: comment"))
		}
	}
	return findings
}

// silentSkips accepts a skip in a conformance suite, and in a function that says which outside part is missing: the
// script behind make test collects those lines and, where all is required, fails on them.
func silentSkips(s source) (findings []string) {
	if s.importName("testing") == "" || slices.Contains(suites, path.Dir(s.path)) {
		return nil
	}
	for _, decl := range s.file.Decls {
		loud := false
		ast.Inspect(decl, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && strings.Contains(lit.Value, "KOSH-MISSING: ") {
				loud = true
			}
			return true
		})
		ast.Inspect(decl, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || loud {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				findings = append(findings, s.at(call, "skips a test without a KOSH-MISSING line"))
			}
			return true
		})
	}
	return findings
}

var stub = regexp.MustCompile(`(?i)not implemented|unimplemented|\bTODO\b|\bFIXME\b`)

func stubs(s source) (findings []string) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || !isIdent(call.Fun, "panic") {
			return true
		}
		ast.Inspect(call, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && stub.MatchString(lit.Value) {
				findings = append(findings, s.at(call, "panics instead of working"))
			}
			return true
		})
		return true
	})
	return findings
}

// floats finds the types, the literals with a point (untyped, they become float64 by themselves) and decimal's doors
// to and from float64.
func floats(s source) (findings []string) {
	if !s.isMoney() {
		return nil
	}
	doors := []string{"NewFromFloat", "NewFromFloat32", "NewFromFloatWithExponent", "InexactFloat64"}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if n.Name == "float32" || n.Name == "float64" || slices.Contains(doors, n.Name) {
				findings = append(findings, s.at(n, n.Name+" near money"))
			}
		case *ast.BasicLit:
			if n.Kind == token.FLOAT && strings.Contains(n.Value, ".") {
				findings = append(findings, s.at(n, n.Value+" is a float near money"))
			}
		}
		return true
	})
	return findings
}

// clocks accepts time.Now once in a package, as a value: the default of its clock. Calling it is always wrong, and so are
// Since and Until, which call it.
func clocks(f folder) (findings []string) {
	defaults := map[string]int{}
	for _, s := range f.sources {
		if !s.isMoney() {
			continue
		}
		called := map[ast.Node]bool{}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				called[ast.Unparen(call.Fun)] = true
			}
			switch {
			case s.isFrom(n, "time", "Since", "Until"), s.isFrom(n, "time", "Now") && called[n]:
				findings = append(findings, s.at(n, "reads the wall clock instead of the injected one"))
			case s.isFrom(n, "time", "Now"):
				defaults[s.file.Name.Name]++
				if defaults[s.file.Name.Name] > 1 {
					findings = append(findings, s.at(n, "a second default clock in one package"))
				}
			}
			return true
		})
	}
	return findings
}

func prints(s source) (findings []string) {
	if !s.isMoney() {
		return nil
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if ok && (isIdent(call.Fun, "print") || isIdent(call.Fun, "println")) || s.isFrom(n, "fmt", "Print", "Printf", "Println") {
			findings = append(findings, s.at(n, "prints to the host's output"))
		}
		return true
	})
	// A dot import would hide the names that the rules look for.
	for _, spec := range s.file.Imports {
		if spec.Name != nil && spec.Name.Name == "." {
			findings = append(findings, s.at(spec, "imports everything of "+importPath(spec)))
		}
	}
	return findings
}

// TestInvisibleCharacters guards reviewers: control and format characters, bidirectional overrides among them, make code
// read otherwise than it compiles. Locale data that needs them writes them escaped.
func TestInvisibleCharacters(t *testing.T) {
	t.Parallel()
	assert.NotEmpty(t, invisible("a\u202eb"), "right-to-left override")
	assert.NotEmpty(t, invisible("a\u2066b"), "isolate")
	assert.NotEmpty(t, invisible("a\u200bb"), "zero-width space")
	assert.NotEmpty(t, invisible("a\u0085b"), "C1 control")
	assert.NotEmpty(t, invisible("a\r\n"), "carriage return")
	assert.NotEmpty(t, invisible("a\xffb"), "not UTF-8")
	assert.Empty(t, invisible("कोष → €1\t\n"))

	kinds := []string{".go", ".mod", ".work", ".md", ".sql", ".sh", ".yml", ".yaml", ".json"}
	for _, name := range files(t) {
		if !slices.Contains(kinds, path.Ext(name)) {
			continue
		}
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, finding := range invisible(string(text)) {
			t.Errorf("%s:%s", name, finding)
		}
	}
}

func invisible(text string) (findings []string) {
	line := 1
	for i, r := range text {
		switch {
		case r == '\n':
			line++
		case r == '\t':
		case r == unicode.ReplacementChar && !strings.HasPrefix(text[i:], "\uFFFD"):
			findings = append(findings, fmt.Sprintf("%d: not UTF-8", line))
		case unicode.In(r, unicode.Cc, unicode.Cf):
			findings = append(findings, fmt.Sprintf("%d: invisible character %U", line, r))
		}
	}
	return findings
}

// TestTopLevel keeps the top level to what the design names: whoever opens the repository sees five folders and
// knows the house. Dot files and what the go tool leaves behind do not count.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"util", "main.go"}, strangers([]string{"util", "ledger", "main.go", ".git", "cpu.prof"}))

	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	assert.Empty(t, strangers(names), "these do not belong at the top level")

	// Without these a stranger can neither judge nor use the code, nor tell us what is wrong with it.
	for _, name := range []string{"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"} {
		assert.FileExists(t, name)
	}
}

func strangers(names []string) (found []string) {
	house := []string{
		"currency", "ledger", "providers", "payments", "examples",
		"go.mod", "go.sum", "go.work", "go.work.sum", "Makefile", "hygiene_test.go",
		"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md",
	}
	for _, name := range names {
		litter := slices.Contains([]string{".test", ".out", ".prof"}, path.Ext(name))
		if !slices.Contains(house, name) && !strings.HasPrefix(name, ".") && !litter {
			found = append(found, name)
		}
	}
	return found
}

// TestWorkspace compares go.work with the modules on disk: `go test work` skips an unlisted one without a word.
func TestWorkspace(t *testing.T) {
	t.Parallel()
	listed := used("go 1.26\n\nuse (\n\t. // the root\n\t./ledger/sqlite\n)\nuse ./providers/evm")
	require.Equal(t, []string{".", "ledger/sqlite", "providers/evm"}, listed)

	text, err := os.ReadFile("go.work")
	require.NoError(t, err)
	assert.Equal(t, modules(t), used(string(text)), "go.work must list every module on disk")
}

func used(text string) (dirs []string) {
	for _, d := range directives(text) {
		if d[0] == "use" {
			dirs = append(dirs, path.Clean(d[1]))
		}
	}
	slices.Sort(dirs)
	return dirs
}

// TestRootModule holds the promise that kosh costs a host four dependencies, one of them only for kosh's own tests.
func TestRootModule(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a.com/b", "c.com/d"},
		direct("require (\n\tc.com/d v1.0.0\n\te.com/f v1.0.0 // indirect\n)\nrequire a.com/b v2.0.0"))

	text, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	assert.Equal(t, []string{
		"github.com/google/uuid", "github.com/shopspring/decimal", "github.com/stretchr/testify", "golang.org/x/text",
	}, direct(string(text)))
}

func direct(text string) (paths []string) {
	for _, d := range directives(text) {
		if d[0] == "require" && d[len(d)-1] != "indirect" {
			paths = append(paths, d[1])
		}
	}
	slices.Sort(paths)
	return paths
}

// TestNestedModules keeps each nested module usable outside the workspace, and by hosts: a replace is honoured only here, so
// what it hides must exist under the version that is required, and v0.0.0 never will.
func TestNestedModules(t *testing.T) {
	t.Parallel()
	const good = "module github.com/koshpay/kosh/ledger/sqlite\nrequire github.com/koshpay/kosh v0.1.0\n"
	const replace = "replace github.com/koshpay/kosh => ../..\n"
	assert.Empty(t, nestedFaults("ledger/sqlite", good+replace))
	for name, text := range map[string]string{
		"no replace":     good,
		"wrong replace":  good + "replace github.com/koshpay/kosh => ../\n",
		"no version":     strings.Replace(good, "v0.1.0", "v0.0.0", 1) + replace,
		"pseudo-version": strings.Replace(good, "v0.1.0", "v0.0.0-00010101000000-000000000000", 1) + replace,
		"another module": good + replace + "require github.com/koshpay/kosh/providers/evm v0.1.0\n",
		"other people's": good + replace + "require example.com/a v0.0.0\n",
		"wrong path":     strings.Replace(good, "sqlite", "lite", 1) + replace,
	} {
		assert.NotEmpty(t, nestedFaults("ledger/sqlite", text), "must reject: "+name)
	}

	for _, dir := range modules(t) {
		if dir == "." {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		require.NoError(t, err)
		for _, fault := range nestedFaults(dir, string(text)) {
			t.Errorf("%s/go.mod: %s", dir, fault)
		}
	}
}

func nestedFaults(dir, text string) (faults []string) {
	replaced := map[string]string{}
	all := directives(text)
	for _, d := range all {
		if d[0] == "replace" {
			replaced[d[1]] = d[len(d)-1]
		}
		if d[0] == "module" && d[1] != root+"/"+dir {
			faults = append(faults, "is called "+d[1])
		}
	}
	for _, d := range all {
		if d[0] != "require" {
			continue
		}
		module, version := d[1], d[2]
		home, ours := strings.CutPrefix(module+"/", root+"/")
		if version == "v0.0.0" || strings.HasPrefix(version, "v0.0.0-0001") || ours && strings.HasPrefix(version, "v0.0.0") {
			faults = append(faults, "requires "+module+" at "+version)
		}
		if ours && path.Join(dir, replaced[module]) != path.Clean(home) || ours && replaced[module] == "" {
			faults = append(faults, "does not replace "+module+" by its folder")
		}
	}
	return faults
}

// directives reads the lines of a go.mod or go.work: the verb, its words, and "indirect" last where a comment says so.
func directives(text string) (all [][]string) {
	block := ""
	for line := range strings.Lines(text) {
		code, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(code)
		switch {
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = ""
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		if strings.TrimSpace(comment) == "indirect" {
			words = append(words, "indirect")
		}
		all = append(all, words)
	}
	return all
}

type rule struct {
	name      string
	check     func(folder) []string
	bad, good []sample
}

// sample is one file that a rule must reject, or accept.
type sample struct{ path, code string }

func (s sample) folder(t *testing.T) folder {
	t.Helper()
	return folder{path: path.Dir(s.path), sources: []source{parse(t, s.path, s.code)}}
}

type folder struct {
	path    string
	sources []source
}

type source struct {
	path string // slashes, relative to the top
	set  *token.FileSet
	file *ast.File
}

func parse(t *testing.T, name, code string) source {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, code, parser.ParseComments)
	require.NoError(t, err)
	return source{path: name, set: set, file: file}
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// isMoney reports whether a host links this file from kosh.
func (s source) isMoney() bool {
	layer, _, _ := strings.Cut(s.path, "/")
	return !s.isTest() && slices.Contains([]string{"currency", "ledger", "providers", "payments"}, layer)
}

func (s source) at(n ast.Node, message string) string {
	return s.set.Position(n.Pos()).String() + ": " + message
}

// importName returns the name under which the file uses a standard package, "" if it does not import it.
func (s source) importName(imported string) string {
	for _, spec := range s.file.Imports {
		if importPath(spec) != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}

// isFrom reports whether a node is one of the named members of a standard package.
func (s source) isFrom(n ast.Node, imported string, members ...string) bool {
	sel, ok := n.(*ast.SelectorExpr)
	name := s.importName(imported)
	return ok && name != "" && isIdent(sel.X, name) && slices.Contains(members, sel.Sel.Name)
}

func isIdent(e ast.Expr, name string) bool {
	ident, ok := e.(*ast.Ident)
	return ok && ident.Name == name
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return spec.Path.Value
	}
	return unquoted
}

func eachSource(check func(source) []string) func(folder) []string {
	return func(f folder) (findings []string) {
		for _, s := range f.sources {
			findings = append(findings, check(s)...)
		}
		return findings
	}
}

// files lists the repository's files as the go tool sees it: no testdata, no folder that begins with a dot or underscore.
func files(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // another test's temporary file
		}
		if err != nil {
			return err
		}
		base := path.Base(name)
		if entry.IsDir() && name != "." && (base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_') {
			return fs.SkipDir
		}
		if entry.Type().IsRegular() {
			names = append(names, name)
		}
		return nil
	})
	require.NoError(t, err)
	return names
}

func modules(t *testing.T) (dirs []string) {
	t.Helper()
	for _, name := range files(t) {
		if path.Base(name) == "go.mod" {
			dirs = append(dirs, path.Dir(name))
		}
	}
	slices.Sort(dirs)
	return dirs
}

func readTree(t *testing.T) (tree []folder) {
	t.Helper()
	found := map[string]int{}
	for _, name := range files(t) {
		if path.Ext(name) != ".go" {
			continue
		}
		code, err := os.ReadFile(name)
		require.NoError(t, err)
		dir := path.Dir(name)
		at, known := found[dir]
		if !known {
			at = len(tree)
			found[dir] = at
			tree = append(tree, folder{path: dir})
		}
		tree[at].sources = append(tree[at].sources, parse(t, name, string(code)))
	}
	require.NotEmpty(t, tree)
	return tree
}
