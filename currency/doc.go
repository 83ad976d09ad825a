// Package currency says what money is: an [Asset], an [Amount] of it, a [Rate]
// between two, and a [Registry] of those a service accepts. It knows nothing of
// accounts, providers or people.
//
// # Assets
//
// An asset is anything that can be counted and owned: the dollar, bitcoin, a
// token, an app's own coin. What identifies it is its [AssetID], never its
// ticker, because anybody may issue a token called USDC:
//
//	USD                                                          ISO 4217
//	bip122:000000000019d6689c085ae165831e93/slip44:0             bitcoin, CAIP-19
//	eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48    a token, CAIP-19
//	app:acme/coin                                                the host's own
//
// Definitions are facts about the world. They are interned once for the whole
// process, so any amount can be decoded without passing a registry around, and
// an asset's scale can never differ between two places: trying is
// [ErrAssetConflict]. All of ISO 4217 is built in, with ISO's own minor units
// (which are not those that Unicode CLDR prints). Adding a token is one call:
//
//	usdc, err := currency.Define(currency.Info{
//		ID:    "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
//		Code:  "USDC",
//		Name:  "USD Coin",
//		Scale: 6,
//		Kind:  currency.Crypto,
//	})
//
// or pass your own implementation of Asset wherever one is wanted; it is read
// once. Whether a service deals in an asset is a separate question, answered by
// its [Registry].
//
// # Amounts
//
// An [Amount] is a signed 128-bit count of an asset's smallest units: cents,
// wei, satoshi. It is not a float, because 0.1 has no binary fraction and a sum
// of payments must equal the payments; it is not a bare integer, because 100
// yen and 100 cents are not the same number of anything; and it is not an
// arbitrary decimal, because a tenth of a cent cannot be paid. So arithmetic is
// exact, checked for range and for mixed assets, and never rounds unless told
// how, by a [Rounding]. To divide money use [Amount.Allocate] or
// [Amount.Split], whose parts add up again.
//
// The zero Amount{} is invalid rather than nothing: an optional amount needs
// no pointer, and forgetting one is noticed.
//
// # On the wire
//
// An amount always travels with its asset, and its number is text:
//
//	{"amount":"1234.56","asset":"USD"}    JSON
//	1234.56 USD                           text, SQL, logs
//
// Bare numbers, unknown assets, duplicate and unknown names are refused.
// Decimals of github.com/shopspring/decimal are accepted and returned at the
// edge, and huge exponents refused before anything is expanded.
//
// # For people
//
// [Format] writes an amount as its reader's locale does, from the tables of
// Unicode CLDR ([CLDRVersion]) and byte for byte like ICU; a [Formatter] has
// the options. [ParseLocale] reads what a person types, and refuses what could
// mean two things.
//
// # Promises
//
// Ten things always hold. A property test named after each, in
// promises_test.go, tries to break it.
//
//  1. Subtracting what was added gives back what there was.
//  2. The parts of an allocation sum to the whole, and those of −x are those of
//     x negated.
//  3. Each part is within one smallest unit of its exact share.
//  4. Every rounding is the one that exact fractions (big.Rat) give.
//  5. Comparison is a total order within an asset: transitive, antisymmetric,
//     and equal means ==.
//  6. Mixing assets always fails, whatever the operation.
//  7. An ID is never known with two scales or kinds, however many goroutines
//     try at once: all but one meaning is refused.
//  8. Changing a host's [Asset] after its first use changes nothing.
//  9. Decimals, text, JSON, SQL and binary read back to the same amount.
//  10. Every decoder refuses a megabyte of nonsense in bounded time and memory.
//
// # Errors
//
// Every error is an [*Error] that wraps one sentinel, such as [ErrOverflow].
// Nothing panics but functions whose names begin with Must.
package currency
