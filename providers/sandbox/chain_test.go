package sandbox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func gwei(n int64) currency.Amount { return currency.MustNew(n*1e9, eth) }

func (w *world) address() providers.Report {
	w.t.Helper()
	return w.submit(providers.Operation{
		Key: key(), Kind: providers.DepositAddress, Method: providers.Chain, Asset: eth.ID(), Member: "alice",
	})
}

func (w *world) at(reference string) providers.Report {
	w.t.Helper()
	r, err := w.Lookup(context.Background(), providers.Query{Reference: reference})
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	return r
}

func TestChainDeposit(t *testing.T) {
	w := newWorld(t)
	a := w.address()
	require.NotNil(t, a.Action)
	assert.Equal(t, "address", a.Action.Kind)
	_, cursor := w.poll("")

	tx, err := w.SendTo(a.Address, gwei(5), gwei(5))
	require.NoError(t, err)
	events, cursor := w.poll(cursor)
	assert.Empty(t, events, "nothing is known before a block")

	w.advance(time.Minute)
	events, cursor = w.poll(cursor)
	require.Len(t, events, 2, "one transaction can pay one address twice")
	first := events[0].Report
	assert.Equal(t, tx+":0", first.Reference)
	assert.Empty(t, first.Key)
	assert.Equal(t, "alice", first.Member)
	assert.Equal(t, a.Address, first.Address)
	assert.Equal(t, providers.Pending, first.State)
	assert.Equal(t, [2]uint{1, 3}, [2]uint{first.Confirmations, first.Required})

	w.advance(time.Minute)
	assert.Equal(t, uint(2), w.at(tx+":0").Confirmations)
	assert.Zero(t, w.Balance(eth).Sign())
	w.advance(time.Minute)
	events, _ = w.poll(cursor)
	require.Len(t, events, 2)
	for _, e := range events {
		assert.Equal(t, providers.Succeeded, e.Report.State)
		assert.False(t, e.Report.Final)
		assert.True(t, strings.HasPrefix(e.Report.Effects[0].ID, "eip155:1/"+tx+"/"))
	}
	assert.NotEqual(t, events[0].Report.Effects[0].ID, events[1].Report.Effects[0].ID)
	assert.Equal(t, gwei(10), w.Balance(eth))
	w.advance(9 * time.Minute)
	assert.True(t, w.at(tx+":0").Final)
	assert.Empty(t, w.InFlight())
}

func TestReorganisation(t *testing.T) {
	w := newWorld(t)
	a := w.address()
	stays, err := w.SendTo(a.Address, gwei(1))
	require.NoError(t, err)
	gone, err := w.SendTo(a.Address, gwei(2))
	require.NoError(t, err)
	w.advance(3 * time.Minute)
	late, err := w.SendTo(a.Address, gwei(4))
	require.NoError(t, err)
	w.advance(time.Minute)
	assert.Equal(t, gwei(3), w.Balance(eth))

	require.ErrorIs(t, w.Reorganise(12), sandbox.ErrScenario)
	require.ErrorIs(t, w.Reorganise(1, gone), sandbox.ErrScenario, "it is deeper")
	require.NoError(t, w.Reorganise(4, gone, late))

	for _, tx := range []string{stays, gone} {
		r := w.at(tx + ":0")
		require.Len(t, r.Effects, 2)
		assert.Equal(t, providers.Reversed, r.Effects[1].Kind)
		assert.Equal(t, r.Effects[0].ID, r.Effects[1].Reverses)
		assert.Equal(t, "orphaned", r.Reason.Code)
	}
	assert.Equal(t, providers.Pending, w.at(stays+":0").State)
	assert.Equal(t, providers.Succeeded, w.at(gone+":0").State)
	assert.True(t, w.at(gone+":0").Final)
	assert.Equal(t, providers.Failed, w.at(late+":0").State, "it never counted")
	assert.Zero(t, w.Balance(eth).Sign())

	w.advance(time.Minute)
	assert.Equal(t, uint(1), w.at(stays+":0").Confirmations)
	require.NoError(t, w.Reorganise(1)) // before it counted again: nothing to take back
	w.advance(20 * time.Minute)
	r := w.at(stays + ":0")
	require.Len(t, r.Effects, 3)
	assert.NotEqual(t, r.Effects[0].ID, r.Effects[2].ID, "mined again is another effect")
	assert.Equal(t, gwei(1), w.Balance(eth))
	assert.True(t, r.Final)
	assert.Empty(t, w.InFlight())
}

func TestChainWithdrawal(t *testing.T) {
	w := newWorld(t)
	op := withdrawal(providers.Chain, "0x00000000000000000000000000000000000000aa", gwei(500))
	q, err := w.Quote(t.Context(), op)
	require.NoError(t, err)
	r := w.submit(op)
	assert.Equal(t, providers.Pending, r.State)
	assert.Equal(t, uint(3), r.Required)
	w.advance(3 * time.Minute)
	r = w.lookup(op)
	require.Len(t, r.Effects, 2)
	fee := r.Effects[0].Amount
	assert.Equal(t, providers.Fee, r.Effects[0].Kind)
	assert.Equal(t, eth.ID(), fee.AssetID())
	within, err := fee.Add(q.Fee)
	require.NoError(t, err)
	assert.Positive(t, within.Sign(), "the fee is within the quote")
	assert.Equal(t, providers.Moved, r.Effects[1].Kind)

	require.NoError(t, w.Reorganise(3))
	assert.Zero(t, w.Balance(eth).Sign(), "the fee came back as well")
	w.advance(20 * time.Minute)
	r = w.lookup(op)
	assert.Len(t, r.Effects, 6)
	assert.True(t, r.Final)
	assert.Equal(t, 1, w.Executed(op.Key))

	refused := withdrawal(providers.Chain, sandbox.AddressRefused, gwei(1))
	assert.Equal(t, providers.Failed, w.submit(refused).State)
}

func TestChainWithdrawalThatReverts(t *testing.T) {
	w := newWorld(t)
	op := withdrawal(providers.Chain, sandbox.AddressReverts, gwei(500))
	w.submit(op)
	w.advance(5 * time.Minute)
	require.NoError(t, w.Reorganise(6))
	w.advance(11 * time.Minute)
	assert.Equal(t, providers.Pending, w.lookup(op).State)
	w.advance(5 * time.Minute)
	r := w.lookup(op)
	assert.Equal(t, providers.Failed, r.State)
	require.Len(t, r.Effects, 1)
	assert.Equal(t, providers.Fee, r.Effects[0].Kind, "gas is spent on what reverts, too")
	assert.Equal(t, 0, w.Executed(op.Key))
}

// What may cost no more than was quoted, or only until then, is refused for ever under its key; what was broadcast is not.
func TestNetworkFeeIsBounded(t *testing.T) {
	w := newWorld(t)
	bounded := func() providers.Operation {
		op := withdrawal(providers.Chain, "0xabc", gwei(500))
		q, err := w.Quote(t.Context(), op)
		require.NoError(t, err)
		op.MaxFee, op.FeeUntil = q.Fee, q.Until
		return op
	}
	sent, tooDear, inAnother, late := bounded(), bounded(), bounded(), bounded()
	inAnother.MaxFee = usd(100)
	w.submit(sent)
	require.NoError(t, w.SetNetworkFee(sandbox.Fee{Fixed: 1_000_000_000_000_000}))
	require.ErrorIs(t, w.SetNetworkFee(sandbox.Fee{Fixed: -1}), sandbox.ErrConfig)
	refused := func(op providers.Operation, code string) {
		t.Helper()
		for range 2 {
			_, err := w.Submit(t.Context(), op)
			e, ok := errors.AsType[*providers.Error](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, providers.Rejected, e.Certainty)
			require.Equal(t, code, e.Code)
			w.advance(time.Minute)
		}
		require.Zero(t, w.Executed(op.Key))
	}
	refused(tooDear, providers.CodeFeeCap)
	refused(inAnother, providers.CodeFeeCap)
	require.NoError(t, w.SetNetworkFee(sandbox.Fee{}))
	refused(tooDear, providers.CodeFeeCap)
	w.advance(time.Hour)
	refused(late, providers.CodeQuoteExpired)
	w.submit(sent)
	require.Equal(t, 1, w.Executed(sent.Key))
	require.Negative(t, w.lookup(sent).Effects[0].Amount.Sign())
}

func TestWithdrawalToAnAddressOfOurs(t *testing.T) {
	w := newWorld(t)
	a := w.address()
	w.submit(withdrawal(providers.Chain, a.Address, gwei(500)))
	w.advance(time.Hour)
	var in currency.Amount
	for _, o := range w.Operations() {
		if o.Kind == providers.Deposit {
			in = o.Effects[0].Amount
			assert.Equal(t, "alice", o.Member)
		}
	}
	assert.Equal(t, gwei(500), in)
	assert.Negative(t, w.Balance(eth).Sign(), "only the fee is gone")
}
