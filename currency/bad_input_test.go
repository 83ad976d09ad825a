package currency

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// badInputs is what people, providers and attackers send. Each must be refused with the sentinel that says why.
var badInputs = []struct {
	name string
	feed func(string) error
	in   string
	want error
}{
	{"huge exponent", readNumber, "1e999", ErrSyntax},
	{"exponent that fills the memory", readNumber, "1E1000000000", ErrSyntax},
	{"not a number", readNumber, "NaN", ErrSyntax},
	{"infinity", readNumber, "Infinity", ErrSyntax},
	{"negative infinity", readNumber, "-Inf", ErrSyntax},
	{"with its asset", readNumber, "1.00 USD", ErrSyntax},
	{"Arabic digits", readNumber, "١٢٣", ErrSyntax},
	{"full-width digits", readNumber, "１２", ErrSyntax},
	{"10⁵ digits", readNumber, strings.Repeat("9", 100_000), ErrSyntax},
	{"10⁵ zeros", readNumber, strings.Repeat("0", 100_000), ErrSyntax},
	{"40 digits", readNumber, strings.Repeat("9", 40), ErrOverflow},
	{"lone minus", readNumber, "-", ErrSyntax},
	{"lone plus", readNumber, "+", ErrSyntax},
	{"plus", readNumber, "+1", ErrSyntax},
	{"two signs", readNumber, "--1", ErrSyntax},
	{"sign at the end", readNumber, "1-", ErrSyntax},
	{"typographic minus", readNumber, "−1", ErrSyntax},
	{"accounting", readNumber, "(1)", ErrSyntax},
	{"two points", readNumber, "1.2.3", ErrSyntax},
	{"lone point", readNumber, ".", ErrSyntax},
	{"nothing before the point", readNumber, ".5", ErrSyntax},
	{"nothing after the point", readNumber, "5.", ErrSyntax},
	{"decimal comma", readNumber, "1,5", ErrSyntax},
	{"grouping", readNumber, "1,000.00", ErrSyntax},
	{"underscore", readNumber, "1_000", ErrSyntax},
	{"hexadecimal", readNumber, "0x1F", ErrSyntax},
	{"fraction", readNumber, "1/2", ErrSyntax},
	{"empty", readNumber, "", ErrSyntax},
	{"space", readNumber, " 1", ErrSyntax},
	{"newline", readNumber, "1\n", ErrSyntax},
	{"NUL", readNumber, "1\x00", ErrSyntax},
	{"right-to-left mark", readNumber, "\u200f1", ErrSyntax},
	{"half a cent", readNumber, "0.005", ErrPrecision},
	{"a zero too many", readNumber, "1.000", ErrPrecision},

	{"too precise", readText, "1.005 USD", ErrPrecision},
	{"no asset", readText, "1.00", ErrSyntax},
	{"lower case", readText, "1.00 usd", ErrSyntax},
	{"symbol", readText, "$1.00", ErrSyntax},
	{"unknown asset", readText, "1 app:bad/unknown", ErrUnknownAsset},
	{"code that ISO does not know", readText, "1 ZZZ", ErrSyntax},
	{"gold, which has no unit", readText, "1 XAU", ErrSyntax},
	{"ERC-20 address in mixed case", readText, "1 eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", ErrSyntax},
	{"no-break space", readText, "1\u00a0USD", ErrSyntax},
	{"two spaces", readText, "1  USD", ErrSyntax},

	{"JSON number", readJSON, `{"amount":1.5,"asset":"USD"}`, ErrSyntax},
	{"bare JSON number", readJSON, `12.34`, ErrSyntax},
	{"JSON string", readJSON, `"1.50 USD"`, ErrSyntax},
	{"JSON array", readJSON, `["1.50","USD"]`, ErrSyntax},
	{"duplicate key", readJSON, `{"amount":"1","amount":"1000","asset":"USD"}`, ErrSyntax},
	{"duplicate key in disguise", readJSON, `{"amount":"1","\u0061mount":"1000","asset":"USD"}`, ErrSyntax},
	{"key of another library", readJSON, `{"number":"1","currency":"USD"}`, ErrSyntax},
	{"key with capitals", readJSON, `{"Amount":"1","asset":"USD"}`, ErrSyntax},
	{"missing asset", readJSON, `{"amount":"1"}`, ErrSyntax},
	{"empty code", readJSON, `{"amount":"1","asset":""}`, ErrSyntax},
	{"control character", readJSON, "{\"amount\":\"1\",\"asset\":\"US\\u0000D\"}", ErrSyntax},
	{"exponent in JSON", readJSON, `{"amount":"1e5","asset":"USD"}`, ErrSyntax},
	{"unknown asset in JSON", readJSON, `{"amount":"1","asset":"app:bad/unknown"}`, ErrUnknownAsset},

	{"SQL text without asset", readSQL, "1.50", ErrSyntax},
	{"empty SQL text", readSQL, "", ErrSyntax},
	{"binary of another version", readBinary, "\x02\x02" + strings.Repeat("\x00", 16) + "USD", ErrSyntax},
	{"binary of another scale", readBinary, "\x01\x03" + strings.Repeat("\x00", 16) + "USD", ErrAssetConflict},
	{"binary −2¹²⁷", readBinary, "\x01\x02\x80" + strings.Repeat("\x00", 15) + "USD", ErrOverflow},
	{"binary cut short", readBinary, "\x01\x02\x00", ErrSyntax},

	{"scale 31", func(in string) error { return define(Info{ID: AssetID(in), Code: "BAD", Scale: 31, Kind: Virtual}) }, "app:bad/scale", ErrInvalidAsset},
	{"empty code of an asset", func(in string) error { return define(Info{ID: AssetID(in), Kind: Virtual}) }, "app:bad/code", ErrInvalidAsset},
	{"control character in a code", func(in string) error { return define(Info{ID: "app:bad/code", Code: in, Kind: Virtual}) }, "A\x07B", ErrInvalidAsset},
	{"override in a name", func(in string) error { return define(Info{ID: "app:bad/code", Code: "BAD", Name: in, Kind: Virtual}) }, "\u202eDSU", ErrInvalidAsset},
	{"dollar with three decimals", func(in string) error { return define(Info{ID: AssetID(in), Code: "USD", Scale: 3, Kind: Fiat}) }, "USD", ErrAssetConflict},
	{"token that claims to be fiat", func(in string) error { return define(Info{ID: AssetID(in), Code: "USD", Scale: 2, Kind: Fiat}) }, "app:bad/usd", ErrInvalidAsset},

	{"decimal with a huge exponent", func(string) error { _, err := FromDecimal(decimal.New(1, math.MaxInt32), USD); return err }, "", ErrOverflow},
	{"rate of zero", func(string) error { _, err := NewRate(USD, EUR, decimal.Zero); return err }, "", ErrInvalidRate},
	{"rate as a JSON number", func(in string) error { return new(Rate).UnmarshalJSON([]byte(in)) }, `{"from":"USD","to":"EUR","rate":0.9}`, ErrSyntax},
	{"weights of nothing", func(string) error { _, err := MustNew(1, USD).Allocate(0, 0); return err }, "", ErrInvalidWeights},
}

func readNumber(in string) error { _, err := Parse(in, USD); return err }
func readText(in string) error   { _, err := ParseText(in); return err }
func readJSON(in string) error   { return json.Unmarshal([]byte(in), new(Amount)) }
func readSQL(in string) error    { return new(Amount).Scan(in) }
func readBinary(in string) error { return new(Amount).UnmarshalBinary([]byte(in)) }
func define(info Info) error     { _, err := Define(info); return err }

func TestBadInput(t *testing.T) {
	sentinels := []error{
		ErrInvalidAsset, ErrAssetConflict, ErrUnknownAsset, ErrAssetDisabled, ErrAmbiguous, ErrInvalidAmount, ErrAssetMismatch,
		ErrOverflow, ErrPrecision, ErrSyntax, ErrInvalidRounding, ErrInvalidWeights, ErrInvalidRate,
	}
	for _, c := range badInputs {
		t.Run(c.name, func(t *testing.T) {
			err := c.feed(c.in)
			require.ErrorIs(t, err, c.want)
			for _, other := range sentinels {
				require.Equal(t, errors.Is(other, c.want), errors.Is(err, other), "exactly one reason, not also %v", other)
			}
			detail, ok := errors.AsType[*Error](err)
			require.True(t, ok, "%T", err)
			require.NotEmpty(t, detail.Op)
			require.LessOrEqual(t, len(detail.Input), maxErrorInput+len("…"))
			for _, r := range detail.Error() {
				require.True(t, r >= ' ' && r != '\u202e' && r != '\u200f', "a log must not be turned round: %q", detail.Error())
			}
		})
	}
	require.GreaterOrEqual(t, len(badInputs), 40)
	t.Logf("%d bad inputs, each refused for its one reason", len(badInputs))
}
