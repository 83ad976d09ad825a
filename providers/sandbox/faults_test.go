package sandbox_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func TestScriptedFaults(t *testing.T) {
	for _, tt := range []struct {
		fault     sandbox.Fault
		certainty providers.Certainty
		executed  []int // allowed
	}{
		{sandbox.Refuse, providers.NotSent, []int{0}},
		{sandbox.Reject, providers.Rejected, []int{0}},
		{sandbox.LostRequest, providers.Maybe, []int{0}},
		{sandbox.LostResponse, providers.Maybe, []int{1}},
		{sandbox.SlowRequest, providers.Maybe, []int{0}},
		{sandbox.ServerError, providers.Maybe, []int{0, 1}},
		{sandbox.Garbage, providers.Maybe, []int{0, 1}},
	} {
		t.Run(tt.fault.String(), func(t *testing.T) {
			w := newWorld(t)
			w.Script(tt.fault)
			op := deposit(providers.Card, sandbox.TokenCard, usd(100))
			r, err := w.Submit(t.Context(), op)
			require.Error(t, err)
			assert.Equal(t, tt.certainty, providers.CertaintyOf(err))
			assert.Equal(t, providers.Report{}, r)
			assert.Contains(t, tt.executed, w.Executed(op.Key))
			assert.Equal(t, 1, w.Requests())

			// The next is not scripted, so the same key tells how it went, or does it now, or is still rejected.
			_, err = w.Submit(t.Context(), op)
			if tt.fault == sandbox.Reject {
				assert.Equal(t, providers.Rejected, providers.CertaintyOf(err))
				assert.Equal(t, 0, w.Executed(op.Key))
				_, err = w.Lookup(t.Context(), providers.Query{Key: op.Key})
				require.ErrorIs(t, err, providers.ErrNotFound)
				return
			}
			require.NoError(t, err)
			w.advance(time.Minute) // a slow request arrives behind the second one
			assert.Equal(t, 1, w.Executed(op.Key))
			assert.Equal(t, usd(100), w.Balance(currency.USD))
		})
	}
}

func TestDeclineAndWrongAmount(t *testing.T) {
	w := newWorld(t)
	w.Script(sandbox.None, sandbox.Decline)
	assert.Equal(t, providers.Succeeded, w.submit(deposit(providers.Card, sandbox.TokenCard, usd(100))).State)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	assert.Equal(t, providers.Failed, w.submit(op).State)
	assert.Equal(t, providers.Failed, w.submit(op).State, "a decline replays")

	for range 20 {
		w.Script(sandbox.WrongAmount)
		op := deposit(providers.Card, sandbox.TokenCard, usd(100))
		got := moved(t, w.submit(op))
		assert.NotEqual(t, usd(100), got)
		w.Script(sandbox.WrongAmount)
		back := w.submit(refundOf(op, got))
		sum, err := got.Add(moved(t, back))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, sum.Sign(), 0, "never more refunded than captured")
	}
	w.Script(sandbox.WrongAmount)
	assert.Equal(t, usd(2), moved(t, w.submit(deposit(providers.Card, sandbox.TokenCard, usd(1)))))
}

func TestFaultsOnAKnownKeyContradictNothing(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	w.submit(op)
	for _, f := range []sandbox.Fault{sandbox.Reject, sandbox.Decline, sandbox.WrongAmount} {
		w.Script(f)
		assert.Equal(t, usd(100), moved(t, w.submit(op)), f)
	}
}

func TestSlowRequestIsLostToARejectedKey(t *testing.T) {
	w := newWorld(t)
	w.Script(sandbox.SlowRequest, sandbox.Reject)
	op := withdrawal(providers.Bank, sandbox.TokenBank, usd(100))
	_, err := w.Submit(t.Context(), op)
	require.Error(t, err)
	_, err = w.Submit(t.Context(), op)
	require.Equal(t, providers.Rejected, providers.CertaintyOf(err))
	w.advance(time.Hour)
	assert.Equal(t, 0, w.Executed(op.Key), "Rejected is a promise about the key")

	w.Script(sandbox.SlowRequest)
	slow := withdrawal(providers.Bank, sandbox.TokenBank, usd(100))
	_, err = w.Submit(t.Context(), slow)
	require.Error(t, err)
	_, err = w.Lookup(t.Context(), providers.Query{Key: slow.Key})
	require.ErrorIs(t, err, providers.ErrNotFound)
	w.advance(w.Describe().VisibleAfter)
	assert.Equal(t, providers.Pending, w.lookup(slow).State, "not found proves nothing before VisibleAfter")
}

func TestSlowRequestHappensWhenItArrives(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.SetFaults(sandbox.Faults{LookupNotFoundLag: 1000}))
	w.Script(sandbox.SlowRequest, sandbox.SlowRequest)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	_, err := w.Submit(t.Context(), op)
	require.Error(t, err)
	w.advance(w.Describe().VisibleAfter)
	w.lookup(op) // VisibleAfter counts from sending

	debit := deposit(providers.Bank, sandbox.TokenBank, usd(100))
	_, err = w.Submit(t.Context(), debit)
	require.Error(t, err)
	sent := w.now
	w.advance(24*time.Hour + w.Describe().VisibleAfter)
	r := w.lookup(debit)
	assert.Equal(t, providers.Succeeded, r.State)
	assert.Equal(t, sent.Add(24*time.Hour+w.Describe().VisibleAfter/2), r.At, "nobody asked in between, and yet it happened in between")
}

func TestRatesShareOneDraw(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.SetFaults(sandbox.Faults{Refuse: 300, Reject: 300, Decline: 400}))
	refused, rejected, declined := 0, 0, 0
	for range 1000 {
		r, err := w.Submit(t.Context(), deposit(providers.Card, sandbox.TokenCard, usd(100)))
		switch {
		case err == nil && r.State == providers.Failed:
			declined++
		case providers.CertaintyOf(err) == providers.NotSent:
			refused++
		case providers.CertaintyOf(err) == providers.Rejected:
			rejected++
		}
	}
	assert.InDelta(t, 300, refused, 60)
	assert.InDelta(t, 300, rejected, 60)
	assert.InDelta(t, 400, declined, 60)
	assert.Equal(t, 1000, refused+rejected+declined)
}

func TestSameKey(t *testing.T) {
	for _, duplicates := range []bool{false, true} {
		w := newWorld(t, func(c *sandbox.Config) { c.DuplicateErrors = duplicates })
		op := deposit(providers.Bank, sandbox.TokenBank, usd(100))
		first := w.submit(op)
		w.advance(23 * time.Hour)
		op.Attempt = 1
		again, err := w.Submit(t.Context(), op)
		if duplicates {
			assert.Equal(t, providers.Duplicate, providers.CertaintyOf(err))
		} else {
			require.NoError(t, err)
			assert.Equal(t, first, again)
		}
		other := op
		other.Amount = usd(200)
		_, err = w.Submit(t.Context(), other)
		assert.Equal(t, providers.Duplicate, providers.CertaintyOf(err), "Rejected would release the first one's money")
		w.advance(time.Hour)
		assert.Equal(t, usd(100), moved(t, w.lookup(op)))
		assert.Equal(t, 1, w.Executed(op.Key))

		w.advance(time.Hour)
		w.submit(op)
		assert.Equal(t, 2, w.Executed(op.Key), "the key was forgotten")
	}
}

func TestNoKeys(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) { c.NoKeys = true })
	assert.Zero(t, w.Describe().KeyRetention)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	w.submit(op)
	w.submit(op)
	assert.Equal(t, 2, w.Executed(op.Key))
	rejected := deposit(providers.Card, sandbox.TokenCard, usd(100))
	w.Script(sandbox.Reject)
	for range 2 {
		_, err := w.Submit(t.Context(), rejected)
		assert.Equal(t, providers.Rejected, providers.CertaintyOf(err))
	}
}

func TestNotSentBeforeAnythingHappens(t *testing.T) {
	w := newWorld(t)
	good := deposit(providers.Card, sandbox.TokenCard, usd(100))
	huge, err := usd(1 << 62).MulInt(4)
	require.NoError(t, err)
	for name, change := range map[string]func(op *providers.Operation){
		"asset":  func(op *providers.Operation) { op.Amount = currency.MustNew(1, currency.EUR) },
		"method": func(op *providers.Operation) { op.Method = providers.Chain },
		"amount": func(op *providers.Operation) { op.Amount = huge },
		"key":    func(op *providers.Operation) { op.Key = "mine" },
		"nobody": func(op *providers.Operation) { op.Amount = usd(0) },
	} {
		op := good
		op.Key = key()
		change(&op)
		_, err := w.Submit(t.Context(), op)
		require.Error(t, err, name)
		assert.Equal(t, providers.NotSent, providers.CertaintyOf(err), name)
		assert.True(t, errors.Is(err, providers.ErrUnsupported) || errors.Is(err, providers.ErrInvalid), name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.Submit(ctx, good)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, providers.NotSent, providers.CertaintyOf(err))
	assert.Equal(t, 0, w.Requests())
	assert.Empty(t, w.Operations())
}

func TestLookupFaults(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	first := w.submit(op)
	require.NoError(t, w.SetFaults(sandbox.Faults{LookupNotFoundLag: 1000}))
	_, err := w.Lookup(t.Context(), providers.Query{Key: op.Key})
	require.ErrorIs(t, err, providers.ErrNotFound)
	w.advance(5 * time.Second)
	assert.Equal(t, first, w.lookup(op))
	assert.Equal(t, first, w.at(first.Reference))

	require.NoError(t, w.SetFaults(sandbox.Faults{LookupFails: 1000, PollFails: 1000}))
	r, err := w.Lookup(t.Context(), providers.Query{Key: op.Key})
	require.Error(t, err)
	require.NotErrorIs(t, err, providers.ErrNotFound)
	assert.Equal(t, providers.Report{}, r)
	_, next, err := w.Poll(t.Context(), "1", 1)
	require.Error(t, err)
	assert.Equal(t, "1", next, "the cursor stays")

	require.NoError(t, w.SetFaults(sandbox.Faults{}))
	w.FailLookups(1)
	_, err = w.Lookup(t.Context(), providers.Query{Key: op.Key})
	require.Error(t, err)
	w.lookup(op)
	for _, q := range []providers.Query{
		{Key: key()}, {Reference: "ch_unknown"}, {Key: key(), Reference: first.Reference},
	} {
		_, err = w.Lookup(t.Context(), q)
		require.ErrorIs(t, err, providers.ErrNotFound)
	}
	_, err = w.Lookup(t.Context(), providers.Query{})
	require.Error(t, err)
	require.NotErrorIs(t, err, providers.ErrNotFound)
}

func TestConfigIsChecked(t *testing.T) {
	usdOnly := []currency.Asset{currency.USD}
	for name, c := range map[string]sandbox.Config{
		"no assets":      {},
		"unknown method": {Assets: usdOnly, Methods: []providers.Method{"cash"}},
		"method twice":   {Assets: usdOnly, Methods: []providers.Method{"card", "card"}},
		"fiat on chain":  {Assets: usdOnly, Methods: []providers.Method{providers.Chain}},
		"faults":         {Assets: usdOnly, Faults: sandbox.Faults{Refuse: 500, Reject: 501}},
		"negative fault": {Assets: usdOnly, Faults: sandbox.Faults{WebhookLost: -1}},
		"negative rate":  {Assets: usdOnly, Faults: sandbox.Faults{Refuse: -1}},
		"negative fee":   {Assets: usdOnly, CardFee: sandbox.Fee{Fixed: -1}},
		"finality":       {Assets: usdOnly, Confirmations: 5, Finality: 4},
		"block time":     {Assets: usdOnly, BlockTime: -1},
	} {
		_, err := sandbox.New(c)
		require.ErrorIs(t, err, sandbox.ErrConfig, name)
	}
	_, err := sandbox.New(sandbox.Config{Assets: usdOnly, Name: "Not A Name"})
	require.ErrorIs(t, err, providers.ErrInvalid)

	s, err := sandbox.New(sandbox.Config{Assets: usdOnly})
	require.NoError(t, err)
	before := len(s.Describe().Offers)
	require.NoError(t, s.AddAsset(currency.USD))
	assert.Len(t, s.Describe().Offers, before)
	require.NoError(t, s.AddAsset(eth))
	_, ok := s.Describe().Offer(providers.Withdrawal, providers.Chain, eth.ID())
	assert.True(t, ok)
	require.NoError(t, s.Check(t.Context()))
	require.ErrorIs(t, s.SetFaults(sandbox.Faults{Refuse: 1001}), sandbox.ErrConfig)
	assert.Equal(t, "Fault(99)", sandbox.Fault(99).String())
}
