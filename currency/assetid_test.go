package currency

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAssetIDRefuses(t *testing.T) {
	const address = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
	for _, id := range []string{
		"", " ", "usd", "US", "USDC", "US1", "USD ", "ÜSD", "US\x00", "\xff\xff\xff",
		"XYZ", "ABC", // three letters are ISO 4217 or nothing
		"XAU", "XXX", "XTS", "XDR", // no minor unit
		"app:", "app:acme", "app:acme/", "app:/coin", "app:Acme/coin", "app:acme/Coin", "app:acme/coin/x", "app:acme/co in",
		"app:.acme/coin", "app:acme/-coin", "app:acmé/coin", "APP:acme/coin", "app:a/" + strings.Repeat("b", 65),
		"eip155:1", "eip155:1/", "/", ":", ":/:", "eip155/erc20", "eip155:1/erc20", "eip155:1/erc20:",
		"eip155:1/erc20:0xA0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", // one token, one spelling
		"eip155:1/erc20:0X" + address[2:],
		"eip155:1/erc20:" + address[2:],
		"eip155:1/erc20:" + address + "0",
		"eip155:1/erc20:" + address[:41],
		"eip155:01/erc20:" + address,
		"eip155:0x1/erc20:" + address,
		"EIP155:1/erc20:" + address,
		"eip155:1/ERC20:" + address,
		"eip155:1/slip44:060", "eip155:1/slip44:0x3c", "eip155:1/slip44:",
		"eip155:1/erc1155:" + address + "/", "eip155:1/erc1155:" + address + "/01", "eip155:1/erc1155:" + address + "/1/2",
		"bip122:000000000019D6689C085AE165831E93/slip44:0", "bip122:00/slip44:0",
		"ab:1/slip44:0", "toolongns:1/slip44:0", "solana:" + strings.Repeat("a", 33) + "/slip44:501",
		"solana:abc/token:" + strings.Repeat("a", 129), "cosmos:hub/ibc:a%2", "cosmos:hub/ibc:a%2f", "cosmos:hub/ibc:a b",
		"eip155:1/erc20:" + address + "\n", strings.Repeat("a", 10_000),
	} {
		err := AssetID(id).Validate()
		require.ErrorIs(t, err, ErrInvalidAsset, "%q", id)
		_, err = Define(Info{ID: AssetID(id), Code: "X", Kind: Crypto, Scale: 2})
		require.ErrorIs(t, err, ErrInvalidAsset, "%q", id)
	}
}

func TestAssetIDKinds(t *testing.T) {
	for id, want := range map[AssetID]Kind{
		"USD": Fiat, "HRK": Fiat, "XCG": Fiat,
		"app:acme/coin": Virtual, "app:a/b": Virtual, "app:0.x-y_z/1": Virtual,
		"eip155:1/slip44:60": Crypto,
		"eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48":                     Crypto,
		"eip155:137/erc1155:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48/0":               Crypto,
		"bip122:000000000019d6689c085ae165831e93/slip44:0":                              Crypto,
		"solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjFWdd5AufqSSqeM2qN1xzybapC8G4": Crypto,
		"cosmos:cosmoshub-4/ibc:%2Fa.B-c":                                               Crypto,
	} {
		kind, err := id.kind()
		require.NoError(t, err, id)
		require.Equal(t, want, kind, id)
	}
	longest := strings.Repeat("a", 8) + ":" + strings.Repeat("b", 32) + "/" + strings.Repeat("c", 8) + ":" + strings.Repeat("d", 128) + "/" + strings.Repeat("e", 78)
	require.Len(t, longest, maxAssetIDLen)
	require.NoError(t, AssetID(longest).Validate())
}

func FuzzAssetID(f *testing.F) {
	for _, s := range []string{"USD", "app:acme/coin", "eip155:1/slip44:60", "bip122:000000000019d6689c085ae165831e93/slip44:0", "a:b/c:d%20"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		kind, err := AssetID(s).kind()
		if err != nil {
			require.ErrorIs(t, err, ErrInvalidAsset)
			require.Zero(t, kind)
			return
		}
		// What the wire formats rely on: no spaces, quotes or escapes, bounded.
		require.LessOrEqual(t, len(s), maxAssetIDLen)
		for _, c := range []byte(s) {
			require.True(t, c > ' ' && c < 0x7f && c != '"' && c != '\\', "%q", s)
		}
	})
}
