package payments_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// Everything odd that a chain does, from the chain to the wallets by the worker alone, with the chain's own word as the witness: dust, a
// quantity beyond any amount, a token whose gas is ether, a withdrawal that fails, a halt in the middle.
func TestOddChainEndToEnd(t *testing.T) {
	token := currency.MustDefine(currency.Info{
		ID: "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", Code: "USDC", Name: "USD Coin", Scale: 6, Kind: currency.Crypto,
	})
	dollars := func(s string) currency.Amount { return currency.MustParse(s, token) }
	e := newEnv(t, func(pc *payments.Config, sc *sandbox.Config) {
		pc.Assets = currency.MustRegistry(currency.USD, ether, token)
		sc.Assets = append(sc.Assets, token)
		sc.Gas, sc.NetworkFee = ether, sandbox.Fee{Fixed: 21_000_000_000_000}
		sc.Dust = []currency.Amount{dollars("1")}
	})
	e.receive("alice", dollars("100"))
	to := e.address("alice", token)

	_, err := e.sandbox.SendTo(to, dollars("0.999999"))
	require.NoError(t, err)
	_, err = e.sandbox.SendRaw(to, token.ID(), new(big.Int).Lsh(big.NewInt(1), 127))
	require.NoError(t, err)
	e.pass(3 * time.Hour)
	var codes []string
	for _, found := range e.cases() {
		codes = append(codes, found...)
	}
	require.ElementsMatch(t, []string{"dust", "too_large"}, codes)
	require.Equal(t, "100.000000", e.wallet("alice", token).Posted.Number(), "dust is not a deposit")
	require.Equal(t, "0.999999", e.posted(payments.SuspenseAccount("sandbox", token.ID())))

	paid, err := e.withdraw("alice", "0x00000000000000000000000000000000000000aa", dollars("40"))
	require.NoError(t, err)
	e.sandbox.Halt("block 17 was replaced 64 blocks below the tip")
	failing, err := e.withdraw("alice", sandbox.AddressReverts, dollars("10"))
	require.NoError(t, err)
	require.NotEmpty(t, e.turns(60, time.Minute))
	require.Equal(t, payments.Created, e.payment(failing.ID).State, "what is halted waits")
	require.Zero(t, e.sandbox.Executed(failing.ID))
	e.sandbox.Resume()
	e.pass(6 * time.Hour)
	require.Equal(t, payments.Succeeded, e.payment(paid.ID).State)
	require.Equal(t, payments.Failed, e.payment(failing.ID).State)
	require.Equal(t, "60.000000", e.wallet("alice", token).Posted.Number())
	require.Zero(t, e.wallet("alice", token).Held.Sign())
	require.Equal(t, "-0.000042000000000000", e.sandbox.Balance(ether).Number(), "gas of both, in the chain's own asset")
	e.sound()
}
