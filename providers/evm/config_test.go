package evm_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
)

func TestConfigRefuses(t *testing.T) {
	w := chainworld.New(t, newPretend(t), true)
	elsewhere := currency.MustDefine(currency.Info{ID: "eip155:2/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})
	_, err := evm.New(w.Config())
	require.NoError(t, err, "unchanged it is good")
	for name, change := range map[string]func(*evm.Config){
		"no chain":                     func(c *evm.Config) { c.ChainID = 0 },
		"no endpoint":                  func(c *evm.Config) { c.Endpoints = nil },
		"no http":                      func(c *evm.Config) { c.Endpoints[0].URL = "ws://127.0.0.1" },
		"more to agree than there are": func(c *evm.Config) { c.Agree = 2 },
		"no signer":                    func(c *evm.Config) { c.Signer = nil },
		"no state":                     func(c *evm.Config) { c.State = nil },
		"no treasury key":              func(c *evm.Config) { c.Treasury.Key = "" },
		"treasury mistyped":            func(c *evm.Config) { c.Treasury.Address = "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed" },
		"no deposits":                  func(c *evm.Config) { c.Deposits = "xpub" },
		"no assets":                    func(c *evm.Config) { c.Assets = nil },
		"fees cannot be paid":          func(c *evm.Config) { c.Assets = c.Assets[1:] },
		"twice":                        func(c *evm.Config) { c.Assets = append(c.Assets, c.Assets[1]) },
		"two of the chain's own":       func(c *evm.Config) { c.Assets = append(c.Assets, c.Assets[0]) },
		"another chain's":              func(c *evm.Config) { c.Assets = append(c.Assets, evm.Asset{Asset: elsewhere}) },
		"dollars":                      func(c *evm.Config) { c.Assets = append(c.Assets, evm.Asset{Asset: currency.USD}) },
		"nothing":                      func(c *evm.Config) { c.Assets = append(c.Assets, evm.Asset{}) },
		"dust in dollars":              func(c *evm.Config) { c.Assets[0].Dust = currency.MustNew(1, currency.USD) },
		"no confirmations":             func(c *evm.Config) { c.Assets[0].Confirmations = []evm.Step{{}} },
		"no finality":                  func(c *evm.Config) { c.Finality = 1 },
		"too much finality":            func(c *evm.Config) { c.Finality = 100_000 },
		"fees in a token":              func(c *evm.Config) { c.MaxFee = w.Units(w.Token, "1") },
		"bad name":                     func(c *evm.Config) { c.Name = "E V M" },
	} {
		c := w.Config()
		change(&c)
		_, err := evm.New(c)
		require.Error(t, err, name)
		if name != "bad name" { // which the descriptor refuses
			assert.ErrorIs(t, err, evm.ErrConfig, name)
		}
		assert.NotContains(t, fmt.Sprintf("%v %+v", err, c), "bearer", "nothing secret is printed")
	}
}

func TestCheckAddress(t *testing.T) {
	w := chainworld.New(t, newPretend(t), true)
	p := w.Open()
	checker, ok := providers.As[providers.AddressChecker](p)
	require.True(t, ok)
	const good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	require.NoError(t, checker.CheckAddress(w.Ether.ID(), good))
	for _, bad := range []string{
		"", "alice", good[:41], "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x0000000000000000000000000000000000000000",
	} {
		require.Error(t, checker.CheckAddress(w.Ether.ID(), bad), bad)
		op, ok := w.Operation(providers.Withdrawal, w.Ether.ID())
		require.True(t, ok)
		op.Instrument = bad
		_, err := p.Submit(t.Context(), op)
		require.Error(t, err, bad)
		require.NotEqual(t, providers.Maybe, providers.CertaintyOf(err), bad)
	}
	require.Error(t, checker.CheckAddress(w.Token.ID(), chainworld.Contract(w.Token)), "a token's own contract keeps what it is sent")
	require.ErrorIs(t, checker.CheckAddress("eip155:31337/erc20:0x00000000000000000000000000000000000000aa", good), providers.ErrUnsupported)
	require.Zero(t, w.Requests())
}

func TestCheck(t *testing.T) {
	w := chainworld.New(t, newPretend(t), true)
	require.NoError(t, w.Open().Check(t.Context()))
	w.Change = append(w.Change, func(c *evm.Config) { c.Treasury.Key = "m/44'/60'/1'/0/1" })
	require.Error(t, w.Open().Check(t.Context()), "the key is another address'")
	op, _ := w.Operation(providers.Withdrawal, w.Ether.ID())
	_, err := w.Open().Submit(t.Context(), op)
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err), "%v", err)
}
