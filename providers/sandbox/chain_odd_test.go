package sandbox_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

var token = currency.MustDefine(currency.Info{
	ID: "eip155:1/erc20:0x00000000000000000000000000000000000c0141", Code: "TOK", Name: "Token", Scale: 6, Kind: currency.Crypto,
})

// charged is a world whose chain charges in ether what it takes for a token.
func charged(t *testing.T) *world {
	t.Helper()
	return newWorld(t, func(c *sandbox.Config) {
		c.Assets = []currency.Asset{eth, token}
		c.Gas, c.NetworkFee = eth, sandbox.Fee{Fixed: 21_000}
	})
}

func TestGasIsAnotherAsset(t *testing.T) {
	w := charged(t)
	op := withdrawal(providers.Chain, "0xabc", currency.MustNew(5_000_000, token))
	q, err := w.Quote(t.Context(), op)
	require.NoError(t, err)
	assert.Equal(t, currency.MustNew(42_000, eth), q.Fee)
	op.MaxFee = currency.MustNew(20_999, eth)
	_, err = w.Submit(t.Context(), op)
	require.Equal(t, providers.Rejected, providers.CertaintyOf(err), "%v", err)

	op = withdrawal(providers.Chain, "0xabc", op.Amount)
	op.MaxFee = q.Fee
	w.submit(op)
	w.advance(time.Hour)
	r := w.lookup(op)
	require.Len(t, r.Effects, 2)
	assert.Equal(t, currency.MustNew(-21_000, eth), w.Balance(eth))
	assert.Equal(t, currency.MustNew(-5_000_000, token), w.Balance(token))

	reverts := withdrawal(providers.Chain, sandbox.AddressReverts, op.Amount)
	w.submit(reverts)
	w.advance(time.Hour)
	r = w.lookup(reverts)
	assert.Equal(t, providers.Failed, r.State)
	require.Len(t, r.Effects, 1)
	assert.Equal(t, currency.MustNew(-21_000, eth), r.Effects[0].Amount, "what fails costs as well")
}

func TestAShareOfAnotherAssetIsNoFee(t *testing.T) {
	_, err := sandbox.New(sandbox.Config{
		Assets: []currency.Asset{token}, Gas: eth, NetworkFee: sandbox.Fee{Rate: currency.MustNew(1, eth).Decimal()},
	})
	require.ErrorIs(t, err, sandbox.ErrConfig)
	_, err = sandbox.New(sandbox.Config{Assets: []currency.Asset{eth}, Dust: []currency.Amount{currency.Zero(eth)}})
	require.ErrorIs(t, err, sandbox.ErrConfig)
}

func TestDust(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) { c.Dust = []currency.Amount{gwei(2), usd(1)} })
	a := w.address()
	tx, err := w.SendTo(a.Address, gwei(1), gwei(2))
	require.NoError(t, err)
	w.advance(time.Minute)
	assert.Empty(t, w.at(tx+":0").Reason, "nothing is known before it counts")
	w.advance(time.Hour)
	dust, enough := w.at(tx+":0"), w.at(tx+":1")
	assert.Equal(t, providers.CodeDust, dust.Reason.Code)
	assert.Equal(t, providers.Succeeded, dust.State)
	assert.Equal(t, a.Address, dust.Address)
	assert.Equal(t, gwei(1), moved(t, dust))
	assert.Empty(t, enough.Reason.Code, "the least is enough")
	assert.Equal(t, gwei(3), w.Balance(eth))
}

func TestWhatNoAmountHoldsIsQuarantined(t *testing.T) {
	w := newWorld(t)
	a := w.address()
	power := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	for _, tt := range []struct {
		asset    currency.AssetID
		quantity *big.Int
		code     string // empty: cannot be sent
	}{
		{eth.ID(), power(127), "too_large"},
		{eth.ID(), new(big.Int).Sub(power(256), big.NewInt(1)), "too_large"},
		{"eip155:1/erc20:0x000000000000000000000000000000000000fa4e", big.NewInt(5), "unknown_asset"},
		{eth.ID(), new(big.Int).Sub(power(127), big.NewInt(1)), ""},
		{eth.ID(), power(256), ""},
		{eth.ID(), new(big.Int), ""},
		{eth.ID(), big.NewInt(-1), ""},
		{"no asset", big.NewInt(5), ""},
	} {
		tx, err := w.SendRaw(a.Address, tt.asset, tt.quantity)
		if tt.code == "" {
			require.ErrorIs(t, err, sandbox.ErrScenario, "%v of %s", tt.quantity, tt.asset)
			continue
		}
		require.NoError(t, err)
		w.advance(time.Minute)
		assert.Empty(t, w.at(tx+":0").Quarantined, "one confirmation is not enough")
		w.advance(5 * time.Minute)
		require.NoError(t, w.Reorganise(6))
		assert.Empty(t, w.at(tx+":0").Quarantined, "orphaned")
		w.advance(time.Hour)
		r := w.at(tx + ":0")
		assert.Equal(t, providers.Succeeded, r.State)
		assert.Empty(t, r.Effects)
		assert.Equal(t, a.Address, r.Address)
		require.Len(t, r.Quarantined, 1)
		assert.Equal(t, tt.quantity.String(), r.Quarantined[0].Quantity)
		assert.Equal(t, tt.code, r.Quarantined[0].Code)
		assert.Equal(t, string(tt.asset), r.Quarantined[0].Asset)
		assert.Equal(t, tt.quantity, new(big.Int).SetBytes(r.Quarantined[0].Raw))
	}
	assert.Zero(t, w.Balance(eth).Sign())
}

func TestAHaltIsForPeople(t *testing.T) {
	w := newWorld(t)
	a := w.address()
	_, cursor := w.poll("")
	w.Halt("block 17 was replaced 64 blocks below the tip")
	before := w.Requests()
	_, next, err := w.Poll(t.Context(), cursor, 10)
	require.ErrorIs(t, err, providers.ErrHalted)
	assert.Equal(t, cursor, next)
	_, err = w.Submit(t.Context(), withdrawal(providers.Chain, "0xabc", gwei(5)))
	require.ErrorIs(t, err, providers.ErrHalted)
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err))
	_, _, err = w.Reconnect().Poll(t.Context(), cursor, 10)
	require.ErrorIs(t, err, providers.ErrHalted, "another process halts too")
	assert.Equal(t, before, w.Requests())

	_, err = w.SendTo(a.Address, gwei(5))
	require.NoError(t, err)
	w.advance(time.Hour)
	w.Resume()
	events, _ := w.poll(cursor)
	assert.NotEmpty(t, events, "what happened in between is told")
}
