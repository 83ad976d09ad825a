package bitcoin_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
)

// halted checks that nothing goes on, and that what is known can still be looked up.
func (w *world) halted(contains string) {
	w.t.Helper()
	ctx := w.t.Context()
	for _, p := range []*bitcoin.Provider{w.p, w.open()} {
		events, next, err := p.Poll(ctx, "0.1", 10)
		require.ErrorIs(w.t, err, providers.ErrHalted)
		require.Empty(w.t, events)
		require.Equal(w.t, "0.1", next)
		_, err = p.Submit(ctx, w.withdrawal(10_000))
		require.ErrorIs(w.t, err, providers.ErrHalted)
		require.Equal(w.t, providers.NotSent, providers.CertaintyOf(err))
		require.ErrorIs(w.t, p.Bump(ctx), providers.ErrHalted)
		require.ErrorIs(w.t, p.Check(ctx), providers.ErrHalted)
		why, err := p.Halted(ctx)
		require.NoError(w.t, err)
		require.Contains(w.t, why, contains)
	}
}

// Somebody else has the keys: what they took is a fact, reported when a person has looked.
func TestCoinsThatSomebodyElseSpends(t *testing.T) {
	w := newWorld(t)
	w.fund(2, 1_000_000)
	reference := w.deposit(500_000)
	w.mine(finality)
	w.polled(w.p)

	thief := newWorldOn(t, w)
	_, err := thief.p.Submit(t.Context(), thief.withdrawal(1_200_000))
	require.NoError(t, err)
	mine := w.withdrawal(1_100_000) // of the same coins, broadcast too late
	_, err = w.p.Submit(t.Context(), mine)
	require.Equal(t, providers.Maybe, providers.CertaintyOf(err))
	w.mine(1)
	w.halted("spends coins of ours")
	require.Equal(t, providers.Succeeded, w.lookup(providers.Query{Reference: reference}).State)

	require.NoError(t, w.p.Resume(t.Context()))
	w.mine(finality + 1)
	_, effects := w.polled(w.p)
	lost := int64(0)
	for _, x := range effects {
		if x.Kind == bitcoin.Unexplained {
			n, _ := x.Amount.Int64()
			lost += n
		}
	}
	require.Equal(t, int64(-2_000_000), lost, "two coins; what came back of them is a deposit that nobody asked for")
	r := w.lookup(providers.Query{Key: mine.Key})
	require.Equal(t, providers.Failed, r.State)
	require.Equal(t, "inputs_spent", r.Reason.Code)
	w.conserved()
}

// newWorldOn is another adapter with the same keys and a memory of its own.
func newWorldOn(t *testing.T, other *world) *world {
	t.Helper()
	w := *other
	w.state = &bitcointest.State{}
	w.p = w.open()
	w.polled(w.p)
	return &w
}

// A chain that is rewritten below what was final is not followed until a person says so; then what was final is taken back.
func TestReorganisationBelowWhatWasFinal(t *testing.T) {
	w := newWorld(t)
	reference := w.deposit(500_000)
	w.mine(finality + 1)
	w.polled(w.p)
	require.True(t, w.lookup(providers.Query{Reference: reference}).Final)
	require.NoError(t, w.miner.Reorganise(t.Context(), finality+2))
	_, _, err := w.p.Poll(t.Context(), "", 10)
	require.ErrorIs(t, err, providers.ErrHalted)
	w.halted("deep")

	require.NoError(t, w.p.Resume(t.Context()))
	w.polled(w.p)
	r := w.lookup(providers.Query{Reference: reference})
	require.Equal(t, providers.Pending, r.State)
	require.Len(t, r.Effects, 2)
	require.Equal(t, providers.Reversed, r.Effects[1].Kind)
	w.conserved()
	require.Len(t, w.lookup(providers.Query{Reference: reference}).Effects, 3)
}

// A reorganisation one block less deep is followed.
func TestReorganisationOfAllThatIsNotFinal(t *testing.T) {
	w := newWorld(t)
	reference := w.deposit(500_000)
	w.mine(finality - 1)
	w.polled(w.p)
	require.NoError(t, w.miner.Reorganise(t.Context(), finality-1))
	w.polled(w.p)
	require.Len(t, w.lookup(providers.Query{Reference: reference}).Effects, 2)
	w.conserved()
}

// A chain that comes back to a block that it had left: the same block, and a movement of its own.
func TestBackToABlockThatWasLeft(t *testing.T) {
	w := newWorld(t)
	reference := w.deposit(500_000)
	w.mine(confirmations)
	w.polled(w.p)
	old, err := w.miner.Tip(t.Context())
	require.NoError(t, err)
	require.NoError(t, w.miner.Reorganise(t.Context(), confirmations))
	w.polled(w.p)
	require.NoError(t, w.miner.Return(t.Context(), old, 3))
	w.polled(w.p)
	r := w.lookup(providers.Query{Reference: reference})
	require.Len(t, r.Effects, 3)
	require.Equal(t, r.Effects[0].ID+"/2", r.Effects[2].ID)
	w.conserved()
}

// Another network's node is refused, also before anything was stored.
func TestAnotherNetwork(t *testing.T) {
	w := newWorld(t)
	w.wire.next = bitcointest.NewStranger().Endpoint().Client.Transport
	_, _, err := w.open().Poll(t.Context(), "", 10)
	require.ErrorIs(t, err, providers.ErrHalted)
	require.ErrorContains(t, err, "683e86bd5c6d110d91b94b97137ba6bf")
	_, version, err := w.state.Load(t.Context(), "scan")
	require.NoError(t, err)
	require.Zero(t, version)
}
