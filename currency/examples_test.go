package currency_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withoutExample lists what needs no Example of its own, with the reason.
var withoutExample = map[string]string{
	"Amount.Asset": "getter", "Amount.Big": "getter", "Amount.Decimal": "getter", "Amount.Int64": "getter",
	"Definition.Code": "getter", "Definition.ID": "getter", "Definition.Kind": "getter", "Definition.Name": "getter", "Definition.NarrowSymbol": "getter",
	"Definition.Scale": "getter", "Definition.String": "getter", "Definition.Symbol": "getter",
	"Rate.Decimal": "getter", "Rate.From": "getter", "Rate.To": "getter", "Rate.IsValid": "getter", "Rate.String": "shown by ExampleRate",

	"MustNew": "shown everywhere", "MustParse": "shown everywhere", "MustDefine": "shown by ExampleDefine", "MustRate": "shown by ExampleConvert",
	"MustRegistry": "shown by ExampleDefine", "New": "shown by ExampleAmount, as MustNew", "Lookup": "shown by ExampleFromMinor",
	"NewRegistry": "shown by ExampleRegistry", "Registry.All": "shown by ExampleRegistry", "Registry.Lookup": "shown by ExampleRegistry", "Registry.Find": "shown by ExampleRegistry",
	"Registry.Enabled": "shown by ExampleRegistry_Enable", "Registry.Disable": "shown by ExampleRegistry_Enable",
	"NewRate": "shown by ExampleRate", "Rate.Convert": "shown by ExampleRate", "Rate.ConvertBack": "shown by ExampleRate",
	"Amount.Minor": "shown by ExampleFromMinor", "Amount.Number": "shown by ExampleParseText", "Amount.AssetID": "shown by ExampleParseText",
	"Amount.String": "shown everywhere", "Formatter.Format": "shown by ExampleNewFormatter", "CashIncrement": "shown by ExampleAmount_RoundTo", "CashStep": "shown by ExampleSymbol",
	"NarrowSymbol": "shown by ExampleSymbol", "NumericCode": "shown by ExampleSymbol", "Withdrawn": "shown by ExampleWithdrawnISO",

	"Amount.MarshalJSON": "called by encoding/json", "Amount.UnmarshalJSON": "called by encoding/json", "Rate.MarshalJSON": "called by encoding/json",
	"Rate.UnmarshalJSON": "called by encoding/json", "Amount.MarshalText": "called by encoders", "Amount.UnmarshalText": "called by encoders",
	"Amount.MarshalBinary": "called by encoding/gob", "Amount.UnmarshalBinary": "called by encoding/gob", "Amount.AppendBinary": "called by encoders",
	"Amount.Format": "called by fmt", "Amount.LogValue": "called by log/slog", "Kind.MarshalText": "called by encoders", "Kind.UnmarshalText": "called by encoders",
	"Kind.String": "called by fmt", "Rounding.String": "called by fmt", "Error.Error": "called by fmt", "Error.Unwrap": "called by errors",
	"Kind.IsValid": "for implementers of Asset",
}

// TestEverythingHasAnExample is why the manual does not fall behind the code: whoever adds a function shows how it is
// used, or says here why that is plain.
func TestEverythingHasAnExample(t *testing.T) {
	set := token.NewFileSet()
	var sources []*ast.File
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(set, e.Name(), nil, parser.ParseComments)
		require.NoError(t, err)
		sources = append(sources, file)
	}
	pkg, err := doc.NewFromFiles(set, sources, "github.com/koshpay/kosh/currency")
	require.NoError(t, err)

	shown := map[string]bool{}
	note := func(name string, examples []*doc.Example) {
		for _, e := range examples {
			require.True(t, e.Output != "" || e.EmptyOutput, "%s has no output", e.Name)
			shown[name] = true
		}
	}
	var names []string
	for _, f := range pkg.Funcs {
		names = append(names, f.Name)
		note(f.Name, f.Examples)
	}
	for _, typ := range pkg.Types {
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			name := f.Name
			if f.Recv != "" {
				name = typ.Name + "." + name
			}
			names = append(names, name)
			note(name, f.Examples)
		}
	}
	require.Greater(t, len(names), 90, "the search works")
	for _, name := range names {
		reason := withoutExample[name]
		assert.True(t, shown[name] || reason != "", "%s has no Example, and no reason not to", name)
		assert.False(t, shown[name] && reason != "", "%s has an Example: no reason is needed", name)
	}
	for name := range withoutExample {
		assert.Contains(t, names, name, "there is no such function")
	}
	t.Logf("%d functions and methods, %d with an Example, %d with a reason", len(names), len(shown), len(withoutExample))
}
