package app

import (
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tells finds what a host's code need not say: assets, their kinds, and who moves money.
var tells = regexp.MustCompile(`(?i)fiat|crypto|virtual|sandbox|provider|paynet|` +
	`\b(cards?|banks?|chains?|coins?|ether|eth|wei|bitcoin|btc|chirp|dollars?|euros?|yen|rupees?|dinars?|usd|eur|inr|jpy|kwd)\b|` +
	`eip155|slip44|app:[a-z]|\.(Kind|Scale|Code)\b|(currency|payments)\.(Card|Bank|Chain)`)

// What makes kosh worth having: Handle was written for five currencies, and takes a coin and Ether as it is.
func TestHostNamesNoAssetAndNoProvider(t *testing.T) {
	for _, sample := range []string{
		`if a.Kind() == currency.Virtual {`, `"ETH"`, `case "USD":`, `sandbox.New`, `providers.Card`, `// the bank`, `Provider: "x"`,
		`currency.USD`, `"eip155:1/slip44:60"`, `"app:acme/x"`, `if asset.Code() ==`,
	} {
		assert.Regexp(t, tells, sample, "the test itself misses this")
	}
	source, err := os.ReadFile("host.go")
	require.NoError(t, err)
	assert.Empty(t, tells.FindAllString(string(source), -1), "host.go")

	file, err := parser.ParseFile(token.NewFileSet(), "host.go", source, parser.ImportsOnly)
	require.NoError(t, err)
	allowed := []string{"context", "errors", "github.com/koshpay/kosh/currency", "github.com/koshpay/kosh/payments"}
	for _, i := range file.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		require.NoError(t, err)
		assert.Contains(t, allowed, path, "host.go imports it")
	}
}
