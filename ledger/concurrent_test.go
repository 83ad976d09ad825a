package ledger_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// Many callers overdraw one wallet; exactly as many succeed as the balance allows.
func TestOverdrawnTogether(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000)
	var wg sync.WaitGroup
	var paid, declined atomic.Int64
	for i := range 64 {
		wg.Go(func() {
			_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("pay-%d", i), Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(37))}})
			switch ledger.ClassOf(err) {
			case ledger.Declined:
				declined.Add(1)
			default:
				if err == nil {
					paid.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(1_000/37), paid.Load())
	require.Equal(t, 64-int64(1_000/37), declined.Load())
	w.has(alice, 1_000%37, 0)
	w.sound()
}

// daily is a limit of a number of payments, kept in a counter document.
func daily(limit int) ledger.Guard {
	counter := ledger.DocumentID{Kind: "limit", ID: "alice"}
	return ledger.Guard{
		Reads: ledger.Reads{Documents: []ledger.DocumentID{counter}},
		Check: func(v ledger.View) ([]ledger.Command, error) {
			d, exists := v.Document(counter)
			used := 0
			if exists {
				if err := json.Unmarshal(d.Body, &used); err != nil {
					return nil, err
				}
			}
			if used == limit {
				return nil, ledger.Refuse("daily_limit", "Try again tomorrow.", "")
			}
			return []ledger.Command{ledger.PutDocument{DocumentID: counter, Version: d.Version, Body: json.RawMessage(strconv.Itoa(used + 1))}}, nil
		},
	}
}

// Parallel requests do not pass a limit that a guard holds.
func TestLimitUnderParallelRequests(t *testing.T) {
	w := newWorld(t)
	w.furnish(10_000)
	var wg sync.WaitGroup
	var paid atomic.Int64
	for i := range 64 {
		wg.Go(func() {
			_, err := w.Record(t.Context(), ledger.Entry{
				Key: fmt.Sprintf("pay-%d", i), Guards: []ledger.Guard{daily(10)}, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))},
			})
			if err == nil {
				paid.Add(1)
			}
		})
	}
	wg.Wait()
	require.Equal(t, int64(10), paid.Load())
	w.has(bob, 10, 0)
	w.sound()
}

// Writers on shared accounts, two sequencers, a sweeper and readers together: the feed has no gap and keeps the order of
// each account, every snapshot balances, and the book is sound at the end.
func TestEverythingAtOnce(t *testing.T) {
	w := newWorld(t)
	w.furnish(100_000)
	const writers, each = 8, 40
	var wg, aside sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		aside.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := w.NumberFeed(t.Context(), 7); err != nil {
						t.Error(err)
						return
					}
					if _, err := w.ExpireHolds(t.Context(), 3); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	aside.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				tb, err := w.TrialBalance(t.Context(), ledger.AsOf{})
				if errors.Is(err, ledger.Unavailable) {
					continue // accounts are opened all the time here
				}
				if err != nil || !tb.Balanced() {
					t.Errorf("%v: %+v", err, tb)
					return
				}
			}
		}
	})
	for i := range writers {
		wg.Go(func() {
			for j := range each {
				w.clock.advance(time.Millisecond)
				own := ledger.AccountID{Path: fmt.Sprintf("w/%d/%d", i, j), Asset: "USD"}
				_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprintf("%d-%d", i, j), Commands: []ledger.Command{
					ledger.OpenAccount{Account: own, Type: ledger.Liability},
					ledger.Transfer(alice, own, dollars(3)),
					ledger.PlaceHold{Account: own, Amount: dollars(1), ExpiresAt: w.Now().Add(time.Second)},
					ledger.PlaceHold{Account: alice, Amount: dollars(1), ExpiresAt: w.Now().Add(20*time.Millisecond + time.Minute)},
					ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "d", ID: strconv.Itoa(i)}, Version: uint64(j)},
				}})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	aside.Wait()
	w.clock.advance(time.Hour)
	for {
		n, err := w.ExpireHolds(t.Context(), 1_000)
		require.NoError(t, err)
		if n == 0 {
			break
		}
	}
	for {
		n, err := w.NumberFeed(t.Context(), 1_000)
		require.NoError(t, err)
		if n == 0 {
			break
		}
	}
	w.sound()
	w.has(alice, 100_000-3*writers*each, 0)
	feed := collect(t, w.Feed(t.Context(), 0))
	for i, c := range feed {
		require.Equal(t, uint64(i+1), c.Position)
	}
	v, err := w.Verify(t.Context())
	require.NoError(t, err)
	require.Zero(t, v.Pending)
	require.Len(t, feed, v.Changes)
	require.Equal(t, feed[100:], collect(t, w.Feed(t.Context(), 100)))
}
