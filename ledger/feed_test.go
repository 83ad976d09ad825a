package ledger_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

func TestFeedTellsWhatHappenedInOrder(t *testing.T) {
	w := newWorld(t)
	w.do(ledger.OpenAccount{Account: bank, Type: ledger.Asset}, ledger.OpenAccount{Account: alice, Type: ledger.Liability, Floor: dollars(0)})
	w.do(ledger.Transfer(bank, alice, dollars(100)))
	tip := ledger.DocumentID{Kind: "tip", ID: "1"}
	r := w.do(
		ledger.PlaceHold{Account: alice, Amount: dollars(50), ExpiresAt: w.Now().Add(time.Minute)},
		ledger.PutDocument{DocumentID: tip, State: "held"},
		ledger.Capture{Hold: ledger.Nth(0), To: []ledger.Portion{{Account: bank, Amount: dollars(10)}}},
		ledger.SetAccount{Account: bank, CreditsFrozen: new(true)},
	)
	w.do(ledger.OpenAccount{Account: bank, Type: ledger.Asset}) // nothing happens
	require.Empty(t, collect(t, w.Feed(t.Context(), 0)), "numbered only by the sequencer")
	w.clock.advance(time.Minute)
	n, err := w.ExpireHolds(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = w.NumberFeed(t.Context(), 10)
	require.NoError(t, err)
	require.Equal(t, 9, n)

	type said struct {
		kind  ledger.ChangeKind
		key   string
		state string
	}
	var got []said
	feed := collect(t, w.Feed(t.Context(), 0))
	for i, c := range feed {
		require.Equal(t, uint64(i+1), c.Position)
		got = append(got, said{c.Kind, c.Key, c.State})
	}
	require.Equal(t, []said{
		{ledger.ChangeAccount, "key-1", ""},
		{ledger.ChangeAccount, "key-1", ""},
		{ledger.ChangeTransaction, "key-2", ""},
		{ledger.ChangeHold, "key-3", "open"},
		{ledger.ChangeDocument, "key-3", "held"},
		{ledger.ChangeTransaction, "key-3", ""},
		{ledger.ChangeHold, "key-3", "open"},
		{ledger.ChangeAccount, "key-3", ""},
		{ledger.ChangeHold, "", "expired"},
	}, got)
	require.Equal(t, r.Results[0].Hold, feed[3].Hold)
	require.Equal(t, r.ID, feed[3].Entry)
	require.Equal(t, uint64(1), feed[4].Version)
	require.NotEqual(t, ledger.ID{}, feed[8].Entry, "a sweep is an entry too")
	n, err = w.NumberFeed(t.Context(), 10)
	require.NoError(t, err)
	require.Zero(t, n)
	w.sound()
}

func TestRunExpiresAndNumbersUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := ledger.New(memory.New(), ledger.Config{Rest: time.Second}) // the bubble's clock
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for range 2 {
			go func() { ended <- b.Run(ctx) }()
		}
		_, err := b.Record(ctx, ledger.Entry{Key: "k", Commands: []ledger.Command{
			ledger.OpenAccount{Account: alice, Type: ledger.Liability},
			ledger.PlaceHold{Account: alice, Amount: dollars(5), ExpiresAt: b.Now().Add(10 * time.Second)},
		}})
		require.NoError(t, err)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		require.Len(t, collect(t, b.Feed(ctx, 0)), 2)
		time.Sleep(7 * time.Second)
		synctest.Wait()
		require.Len(t, collect(t, b.Feed(ctx, 0)), 3)
		a, err := b.Info(ctx, alice)
		require.NoError(t, err)
		require.Zero(t, a.Held.Sign())
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

// flaky is a store that fails for a while.
type flaky struct {
	ledger.Store
	failures *atomic.Int64
}

func (f flaky) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if f.failures.Add(-1) >= 0 {
		return ledger.Rows{}, errors.New("connection reset")
	}
	return f.Store.Scan(ctx, book, r)
}

func TestRunOutlivesAnUnavailableStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures atomic.Int64
		failures.Store(5)
		b := ledger.New(flaky{memory.New(), &failures}, ledger.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := b.Record(ctx, ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.OpenAccount{Account: alice, Type: ledger.Liability}}})
		require.NoError(t, err)
		require.ErrorIs(t, b.Run(ctx), context.DeadlineExceeded)
		require.Len(t, collect(t, b.Feed(t.Context(), 0)), 1)
	})
}
