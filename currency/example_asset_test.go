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
