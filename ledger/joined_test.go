package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// inTransaction plays a host's transaction: what it does is seen by nobody until it is committed, which here means that
// the test goes on with the copy.
type inTransaction struct {
	*memory.Store
	updates int
	fail    error
}

func (s *inTransaction) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	s.updates++
	if s.fail != nil {
		return s.fail
	}
	return s.Store.Update(ctx, book, want, decide)
}

func TestJoinedBookLivesAndDiesWithItsTransaction(t *testing.T) {
	store := memory.New()
	w := newWorldOn(t, store)
	w.furnish(1_000)
	book := ledger.New(store, ledger.Config{Clock: newClock().Now})
	before := dump(t, store, "main")
	pay := ledger.Entry{Key: "pay", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(100))}}
	tooMuch := ledger.Entry{Key: "too much", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1_000_000))}}

	tx := &inTransaction{Store: store.Clone()}
	in := book.In(tx)
	receipt, err := in.Record(t.Context(), pay)
	require.NoError(t, err)
	require.False(t, receipt.Replayed)
	_, err = in.Record(t.Context(), tooMuch)
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	_, err = in.Record(t.Context(), tooMuch)
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds, "inside the transaction the key is burnt")
	balances, err := in.Balances(t.Context(), ledger.AsOf{}, alice)
	require.NoError(t, err)
	require.Equal(t, dollars(900), balances[0].Posted, "it sees what it wrote")

	// Rolled back: nothing was ever there, and the declined key stands for nothing.
	require.Equal(t, before, dump(t, store, "main"))
	receipt, err = book.Record(t.Context(), ledger.Entry{Key: "too much", Commands: pay.Commands})
	require.NoError(t, err)
	require.False(t, receipt.Replayed)

	// Committed: the book goes on where the transaction left it.
	tx = &inTransaction{Store: store.Clone()}
	_, err = book.In(tx).Record(t.Context(), pay)
	require.NoError(t, err)
	after := ledger.New(tx.Store, ledger.Config{Clock: newClock().Now})
	receipt, err = after.Record(t.Context(), pay)
	require.NoError(t, err)
	require.True(t, receipt.Replayed)
	v, err := after.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Problems)
}

// A transaction that failed takes nothing more, so whatever would be tried again must not be.
func TestJoinedBookTriesNothingTwice(t *testing.T) {
	store := memory.New()
	w := newWorldOn(t, store)
	w.furnish(1_000)
	serialization := errors.New("40001")
	tx := &inTransaction{Store: store.Clone(), fail: serialization}
	in := ledger.New(store, ledger.Config{Clock: newClock().Now}).In(tx)

	var entries []ledger.Entry
	for _, key := range []string{"1", "2", "3", "4"} {
		entries = append(entries, ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
	}
	for _, o := range in.RecordAll(t.Context(), entries) {
		require.ErrorIs(t, o.Err, ledger.Unavailable)
		require.ErrorIs(t, o.Err, serialization, "the host decides by it whether to repeat")
	}
	require.Equal(t, 1, tx.updates, "no half was tried by itself")

	tx.fail = nil
	for _, o := range in.RecordAll(t.Context(), entries) {
		require.NoError(t, o.Err)
	}
	require.Equal(t, 2, tx.updates)
}

func TestJoinedBookIsSafeForConcurrentUse(t *testing.T) {
	store := memory.New()
	w := newWorldOn(t, store)
	w.furnish(1_000)
	tx := &inTransaction{Store: store.Clone()}
	in := ledger.New(store, ledger.Config{Clock: newClock().Now}).In(tx)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			_, err := in.Record(t.Context(), ledger.Entry{Key: string(rune('a' + i)), Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 16, tx.updates, "a transaction of the host is not shared with others")
	balances, err := in.Balances(t.Context(), ledger.AsOf{}, alice, bob)
	require.NoError(t, err)
	require.Equal(t, dollars(984), balances[0].Posted)
}

func TestJoinedBookStopsWithItsContext(t *testing.T) {
	store := memory.New()
	w := newWorldOn(t, store)
	w.furnish(1_000)
	tx := &inTransaction{Store: store.Clone()}
	before := dump(t, tx.Store, "main")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ledger.New(store, ledger.Config{}).In(tx).Record(ctx, ledger.Entry{Key: "k", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, before, dump(t, tx.Store, "main"))
}
