package currency

// place says where the symbol goes.
type place uint8

const (
	before       place = iota // $1, and CHF 1 after a letter
	beforeSpaced              // R$ 1
	beforeMinus               // € -1
	after                     // 1 €
)

const (
	nbsp   = "\u00a0" // no-break space
	nnbsp  = "\u202f" // narrow no-break space
	hyphen = "-"
	minus  = "\u2212"
)

// locale is what a common locale does with money. The table is small and
// written by hand; one generated from CLDR can replace it behind [Format].
type locale struct {
	tag            string
	decimal, group string
	minus          string
	mark           string // written first, for the direction of the text
	place          place
	lakh           bool // groups of two above the thousand
	minGroup       int  // digits before the first separator, 0 means 1
	home           AssetID
	symbols        map[AssetID]string
}

var dollar = map[AssetID]string{"USD": "$"}

// locales begins with the neutral one.
var locales = [...]locale{
	{tag: "und", decimal: ".", group: ",", minus: hyphen, place: beforeSpaced},
	{tag: "en", decimal: ".", group: ",", minus: hyphen, home: "USD"},
	{tag: "en-001", decimal: ".", group: ",", minus: hyphen},
	{tag: "en-GB", decimal: ".", group: ",", minus: hyphen},
	{tag: "en-AU", decimal: ".", group: ",", minus: hyphen, home: "AUD"},
	{tag: "en-CA", decimal: ".", group: ",", minus: hyphen, home: "CAD"},
	{tag: "en-NZ", decimal: ".", group: ",", minus: hyphen, home: "NZD"},
	{tag: "en-HK", decimal: ".", group: ",", minus: hyphen, home: "HKD"},
	{tag: "en-SG", decimal: ".", group: ",", minus: hyphen, home: "SGD"},
	{tag: "en-NG", decimal: ".", group: ",", minus: hyphen, home: "NGN"},
	{tag: "en-IN", decimal: ".", group: ",", minus: hyphen, lakh: true, symbols: dollar},
	{tag: "hi", decimal: ".", group: ",", minus: hyphen, lakh: true, symbols: dollar},
	{tag: "de", decimal: ",", group: ".", minus: hyphen, place: after, symbols: dollar},
	{tag: "de-AT", decimal: ",", group: nbsp, minus: hyphen, place: beforeMinus, symbols: dollar},
	{tag: "de-CH", decimal: ".", group: "’", minus: hyphen, place: beforeSpaced, symbols: dollar},
	{tag: "fr", decimal: ",", group: nnbsp, minus: hyphen, place: after, symbols: map[AssetID]string{"USD": "$US", "CAD": "$CA"}},
	{tag: "fr-CA", decimal: ",", group: nbsp, minus: hyphen, place: after, home: "CAD", symbols: map[AssetID]string{"USD": "$" + nbsp + "US"}},
	{tag: "fr-CH", decimal: ",", group: nnbsp, minus: hyphen, place: after, symbols: map[AssetID]string{"USD": "$US"}},
	{tag: "es", decimal: ",", group: ".", minus: hyphen, place: after, minGroup: 2},
	{tag: "es-MX", decimal: ".", group: ",", minus: hyphen, home: "MXN", symbols: map[AssetID]string{"USD": "USD"}},
	{tag: "es-AR", decimal: ",", group: ".", minus: hyphen, place: beforeSpaced, home: "ARS"},
	{tag: "es-CL", decimal: ",", group: ".", minus: hyphen, home: "CLP"},
	{tag: "es-CO", decimal: ",", group: ".", minus: hyphen, place: beforeSpaced, home: "COP"},
	{tag: "es-EC", decimal: ",", group: ".", minus: hyphen, home: "USD"},
	{tag: "es-UY", decimal: ",", group: ".", minus: hyphen, place: beforeSpaced, home: "UYU"},
	{tag: "es-419", decimal: ".", group: ",", minus: hyphen, symbols: map[AssetID]string{"USD": "USD"}},
	{tag: "pt", decimal: ",", group: ".", minus: hyphen, place: beforeSpaced},
	{tag: "pt-PT", decimal: ",", group: nbsp, minus: hyphen, place: after, minGroup: 2},
	{tag: "it", decimal: ",", group: ".", minus: hyphen, place: after, symbols: map[AssetID]string{"USD": "USD"}},
	{tag: "nl", decimal: ",", group: ".", minus: hyphen, place: beforeMinus},
	{tag: "sv", decimal: ",", group: nbsp, minus: minus, place: after, home: "SEK"},
	{tag: "da", decimal: ",", group: ".", minus: hyphen, place: after, symbols: map[AssetID]string{"DKK": "kr.", "USD": "$"}},
	{tag: "nb", decimal: ",", group: nbsp, minus: minus, place: after, home: "NOK"},
	{tag: "fi", decimal: ",", group: nbsp, minus: minus, place: after, symbols: dollar},
	{tag: "pl", decimal: ",", group: nbsp, minus: hyphen, place: after, minGroup: 2, home: "PLN"},
	{tag: "cs", decimal: ",", group: nbsp, minus: hyphen, place: after, home: "CZK"},
	{tag: "hu", decimal: ",", group: nbsp, minus: hyphen, place: after, home: "HUF"},
	{tag: "ru", decimal: ",", group: nbsp, minus: hyphen, place: after, home: "RUB", symbols: dollar},
	{tag: "uk", decimal: ",", group: nbsp, minus: hyphen, place: after, home: "UAH"},
	{tag: "tr", decimal: ",", group: ".", minus: hyphen, home: "TRY", symbols: dollar},
	{tag: "id", decimal: ",", group: ".", minus: hyphen, place: beforeSpaced, home: "IDR"},
	{tag: "th", decimal: ".", group: ",", minus: hyphen, home: "THB"},
	{tag: "vi", decimal: ",", group: ".", minus: hyphen, place: after},
	{tag: "ja", decimal: ".", group: ",", minus: hyphen, symbols: map[AssetID]string{"USD": "$", "JPY": "￥", "CNY": "元"}},
	{tag: "zh", decimal: ".", group: ",", minus: hyphen, home: "CNY", symbols: map[AssetID]string{"JPY": "JP¥"}},
	{tag: "zh-Hant", decimal: ".", group: ",", minus: hyphen, home: "TWD"},
	{tag: "ko", decimal: ".", group: ",", minus: hyphen, symbols: map[AssetID]string{"JPY": "JP¥"}},
	{tag: "ar", decimal: ".", group: ",", minus: "\u200e-", mark: "\u200f", place: after},
}
