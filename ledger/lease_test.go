package ledger_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

func due(w *world, n int, lane string) (ids []ledger.DocumentID) {
	for i := range n {
		id := ledger.DocumentID{Kind: "job", ID: fmt.Sprintf("%s%03d", lane, i)}
		w.do(ledger.PutDocument{DocumentID: id, Lane: lane, Due: w.Now().Add(time.Duration(i) * time.Second), Body: []byte("{}")})
		ids = append(ids, id)
	}
	return ids
}

func TestLease(t *testing.T) {
	w := newWorld(t)
	ids := due(w, 10, "stripe")
	due(w, 3, "")
	w.clock.advance(5 * time.Second)
	ask := ledger.LeaseRequest{Lanes: []string{"stripe"}, Limit: 4, For: time.Minute, Who: "worker 1"}
	first, err := w.Lease(t.Context(), ask)
	require.NoError(t, err)
	require.Len(t, first, 4)
	for i, l := range first {
		require.Equal(t, ids[i], l.Document.DocumentID, "first due first")
		require.Equal(t, ids[i], l.Lease.Document)
		require.Equal(t, "worker 1", l.Lease.Holder)
		require.Equal(t, w.Now().Add(time.Minute), l.Lease.Until)
	}
	second, err := w.Lease(t.Context(), ask)
	require.NoError(t, err)
	require.Len(t, second, 2, "six are due by now")
	none, err := w.Lease(t.Context(), ask)
	require.NoError(t, err)
	require.Empty(t, none)
	require.Empty(t, collect(t, w.Feed(t.Context(), 0)))

	// A lease fences: while it lasts its entries are recorded, then they are not.
	l := first[0]
	finish := func(key string, l ledger.Lease, version uint64, due time.Time) error {
		_, err := w.Record(t.Context(), ledger.Entry{Key: key, Leases: []ledger.Lease{l}, Commands: []ledger.Command{
			ledger.PutDocument{DocumentID: l.Document, Version: version, Lane: "stripe", Due: due},
		}})
		return err
	}
	require.NoError(t, finish("a", l.Lease, 1, w.Now()))
	w.clock.advance(59 * time.Second)
	renewed, err := w.Renew(t.Context(), l.Lease, time.Minute)
	require.NoError(t, err)
	w.clock.advance(30 * time.Second)
	require.NoError(t, finish("b", renewed, 2, w.Now()))
	w.clock.advance(30 * time.Second)
	require.ErrorIs(t, finish("c", renewed, 3, w.Now()), ledger.ErrLeaseLost)
	require.NoError(t, finish("b", renewed, 2, w.Now().Add(-30*time.Second)), "a replay needs no lease")
	_, err = w.Renew(t.Context(), renewed, time.Minute)
	require.ErrorIs(t, err, ledger.ErrLeaseLost)

	taken, err := w.Lease(t.Context(), ledger.LeaseRequest{Lanes: []string{"stripe", ""}, Limit: ledger.MaxPage, For: time.Hour})
	require.NoError(t, err)
	require.Len(t, taken, 13, "everything is due and free again")
	require.ErrorIs(t, finish("d", renewed, 3, w.Now()), ledger.ErrLeaseLost, "another token")
	require.NoError(t, w.Unlease(t.Context(), renewed), "leaves the new one alone")
	for _, l := range taken {
		if l.Lease.Document == renewed.Document {
			require.NoError(t, finish("e", l.Lease, 3, time.Time{}))
			require.NoError(t, w.Unlease(t.Context(), l.Lease))
		}
	}
	again, err := w.Lease(t.Context(), ask)
	require.NoError(t, err)
	require.Empty(t, again, "a document without a due time is not leased")
	w.sound()
}

// The front of the list may be leased or of other lanes; the rest is found behind it.
func TestLeaseLooksBehindTheFront(t *testing.T) {
	w := newWorld(t)
	due(w, 250, "a")
	due(w, 5, "b")
	w.clock.advance(time.Hour)
	ask := ledger.LeaseRequest{Lanes: []string{"a"}, Limit: 120, For: time.Minute}
	seen := map[ledger.DocumentID]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := w.Lease(t.Context(), ask)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, l := range got {
				if seen[l.Lease.Document] {
					t.Errorf("%s is leased twice", l.Lease.Document)
				}
				seen[l.Lease.Document] = true
			}
		})
	}
	wg.Wait()
	rest, err := w.Lease(t.Context(), ledger.LeaseRequest{Lanes: []string{"a", "b"}, Limit: ledger.MaxPage, For: time.Minute})
	require.NoError(t, err)
	require.Len(t, seen, 255-len(rest))
	require.GreaterOrEqual(t, len(rest), 5)
}

func TestLeaseRequestsAreChecked(t *testing.T) {
	w := newWorld(t)
	for _, r := range []ledger.LeaseRequest{
		{Limit: 1, For: time.Second},
		{Lanes: []string{"a"}, For: time.Second},
		{Lanes: []string{"a"}, Limit: 1},
		{Lanes: []string{"\x00"}, Limit: 1, For: time.Second},
		{Lanes: []string{"a"}, Limit: ledger.MaxPage + 1, For: time.Second},
		{Lanes: []string{"a"}, Limit: 1, For: time.Second, Who: "\xff"},
	} {
		_, err := w.Lease(t.Context(), r)
		require.ErrorIs(t, err, ledger.ErrInvalid)
	}
	_, err := w.Renew(t.Context(), ledger.Lease{}, time.Second)
	require.ErrorIs(t, err, ledger.ErrInvalid)
	_, err = w.Renew(t.Context(), ledger.Lease{Document: ledger.DocumentID{Kind: "a", ID: "b"}}, 0)
	require.ErrorIs(t, err, ledger.ErrInvalid)
	require.NoError(t, w.Unlease(t.Context()))
}
