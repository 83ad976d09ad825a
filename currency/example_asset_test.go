package currency_test

import (
	"errors"
	"fmt"

	"github.com/koshpay/kosh/currency"
)

// Registering a token is one call. The ID is its chain and contract, so another
// token that calls itself USDC is another asset.
func ExampleDefine_token() {
	usdc, err := currency.Define(currency.Info{
		ID:    "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
		Code:  "USDC",
		Name:  "USD Coin",
		Scale: 6,
		Kind:  currency.Crypto,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	registry := currency.MustRegistry(currency.USD, usdc)

	found, err := registry.Find("USDC") // what a person typed
	fmt.Println(found, err)
	fmt.Println(currency.MustParse("2.5", found).Number())
	// Output:
	// eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48 <nil>
	// 2.500000
}

// An app's own coin carries the app's namespace.
func ExampleDefine_coin() {
	gem := currency.MustDefine(currency.Info{ID: "app:acme/gem", Code: "GEM", Name: "Gem", Kind: currency.Virtual})
	fmt.Println(currency.MustNew(250, gem))

	// The scale is a fact: it cannot be defined twice.
	_, err := currency.Define(currency.Info{ID: "app:acme/gem", Code: "GEM", Scale: 2, Kind: currency.Virtual})
	fmt.Println(errors.Is(err, currency.ErrAssetConflict), err)
	// Output:
	// 250 app:acme/gem
	// true currency: define: asset is known with another scale or kind: scale 2, known with 0 (app:acme/gem)
}

// tokenRow is a row of a host's own table of tokens.
type tokenRow struct {
	Chain, Contract, Ticker, Title string
	Decimals                       uint8
}

func (r tokenRow) ID() currency.AssetID {
	return currency.AssetID(r.Chain + "/erc20:" + r.Contract)
}
func (r tokenRow) Code() string        { return r.Ticker }
func (r tokenRow) Name() string        { return r.Title }
func (r tokenRow) Scale() uint8        { return r.Decimals }
func (r tokenRow) Kind() currency.Kind { return currency.Crypto }

// A host may pass its own type wherever kosh takes an Asset.
func ExampleAsset() {
	dai := tokenRow{"eip155:1", "0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", "Dai", 18}
	a, err := currency.Parse("0.5", dai)
	fmt.Println(a.Number(), a.Asset().Code(), err)
	// Output:
	// 0.500000000000000000 DAI <nil>
}

// A registry says which assets a service accepts; everything else is known but
// not enabled, or unknown.
func ExampleRegistry() {
	registry, err := currency.NewRegistry(currency.USD, currency.INR)
	fmt.Println(registry.All(), err)

	_, err = registry.Lookup("EUR")
	fmt.Println(err)
	_, err = registry.Find("DOGE")
	fmt.Println(err)
	// Output:
	// [INR USD] <nil>
	// currency: find asset: asset is not enabled (EUR)
	// currency: find asset: unknown asset: "DOGE"
}

// An ID has one of three forms, and one spelling.
func ExampleAssetID_Validate() {
	for _, id := range []currency.AssetID{"USD", "app:acme/gem", "usd", "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"} {
		fmt.Println(id.Validate())
	}
	// Output:
	// <nil>
	// <nil>
	// currency: asset id: invalid asset: neither ISO 4217, nor CAIP-19, nor app:<namespace>/<name>: "usd"
	// currency: asset id: invalid asset: an EVM address is 0x and 40 hexadecimal digits in lower case: "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
}

// Intern reads a host's own Asset once; what it says later has no effect.
func ExampleIntern() {
	row := tokenRow{"eip155:10", "0x6b175474e89094c44da98b954eedeac495271d0f", "DAI", "Dai", 18}
	dai, err := currency.Intern(row)
	row.Ticker, row.Decimals = "EVIL", 2
	fmt.Println(dai.Code(), dai.Scale(), err)

	_, err = currency.Intern(row) // another scale would move every point
	fmt.Println(errors.Is(err, currency.ErrAssetConflict))
	// Output:
	// DAI 18 <nil>
	// true
}

// Info travels: defining it in another process gives the same asset.
func ExampleDefinition_Info() {
	info := currency.CHF.Info()
	fmt.Println(info.Code, info.Name, info.Scale, info.Numeric, info.CashStep)

	again, err := currency.Define(info)
	fmt.Println(again == currency.CHF, err)
	// Output:
	// CHF Swiss Franc 2 756 5
	// true <nil>
}

// Rarer facts are functions, so that an implementation of Asset stays small.
func ExampleSymbol() {
	for _, a := range []currency.Asset{currency.USD, currency.CAD, currency.CHF} {
		number, _ := currency.NumericCode(a)
		fmt.Println(currency.Symbol(a), currency.NarrowSymbol(a), number, currency.CashStep(a))
	}
	// Output:
	// US$ $ 840 1
	// CA$ $ 124 5
	// CHF CHF 756 5
}

func ExampleISO() {
	list := currency.ISO()
	fmt.Println(len(list), list[0], list[0].Name())
	// Output:
	// 165 AED UAE Dirham
}

// Old records stay readable.
func ExampleWithdrawnISO() {
	list := currency.WithdrawnISO()
	fmt.Println(len(list), list[0], currency.Withdrawn(list[0]))

	kuna, err := currency.ParseText("75.30 HRK")
	fmt.Println(kuna, currency.Withdrawn(kuna.Asset()), err)
	// Output:
	// 54 ADP 2003-07
	// 75.30 HRK 2023-01 <nil>
}

func ExampleLookupNumeric() {
	d, ok := currency.LookupNumeric(978)
	fmt.Println(d, ok)
	// Output:
	// EUR true
}

// What a service accepts may change while it runs.
func ExampleRegistry_Enable() {
	var registry currency.Registry // accepts nothing yet
	fmt.Println(registry.Enable(currency.EUR), registry.Enabled("EUR"))
	registry.Disable("EUR")
	fmt.Println(registry.Enabled("EUR"))
	// Output:
	// <nil> true
	// false
}
