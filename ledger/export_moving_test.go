package ledger_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// While every list is read somebody records, numbers, expires or erases: the export says that it is none, and Restore says
// so too of what was written.
func TestExportOfAMovingBookIsRefused(t *testing.T) {
	for _, l := range []ledger.List{
		ledger.ListAssets, ledger.ListAccounts, ledger.ListLines, ledger.ListTransactions, ledger.ListHolds, ledger.ListDocuments, ledger.ListVersions,
		ledger.ListKeys, ledger.ListFeed,
	} {
		for what, do := range map[string]func(w *world){
			"recorded": func(w *world) { w.do(ledger.Transfer(bank, alice, dollars(1))) },
			"numbered": func(w *world) { _, _ = w.NumberFeed(w.Context(), 100) },
			"both": func(w *world) {
				w.do(ledger.Transfer(bank, alice, dollars(1)))
				_, _ = w.NumberFeed(w.Context(), 1)
			},
			"erased": func(w *world) {
				w.do(ledger.EraseDocument{Document: ledger.DocumentID{Kind: "tip", ID: "9"}, All: true, Reason: "asked"})
			},
			"expired": func(w *world) {
				w.clock.advance(1_000_000_000_000_000)
				_, _ = w.ExpireHolds(w.Context(), 10)
			},
		} {
			w := rich(t)
			w.do(ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "tip", ID: "9"}, Body: []byte("{}")})
			var out bytes.Buffer
			err := ledger.New(&recording{w.store, l, func() { do(w) }}, ledger.Config{}).Export(t.Context(), &out)
			require.ErrorIs(t, err, ledger.ErrBookChanged, "%s while %v were read", what, l)
			require.ErrorIs(t, err, ledger.Conflict)
			s := memory.New()
			require.ErrorIs(t, ledger.New(s, ledger.Config{}).Restore(t.Context(), bytes.NewReader(out.Bytes())), ledger.ErrDamaged)
			require.Empty(t, whole(t, s))
		}
	}
}

// A decline changes nothing but its key, so an export goes on, and is whole with it or without.
func TestExportWhileEntriesAreDeclined(t *testing.T) {
	for _, l := range []ledger.List{ledger.ListAssets, ledger.ListKeys, ledger.ListFeed} {
		w := rich(t)
		var out bytes.Buffer
		b := ledger.New(&recording{w.store, l, func() {
			_, err := w.try(ledger.Transfer(alice, bob, dollars(1_000_000)))
			require.ErrorIs(t, err, ledger.Declined)
		}}, ledger.Config{})
		require.NoError(t, b.Export(t.Context(), &out))
		restored := ledger.New(memory.New(), ledger.Config{})
		require.NoError(t, restored.Restore(t.Context(), bytes.NewReader(out.Bytes())))
		v, err := restored.Verify(t.Context())
		require.NoError(t, err)
		require.Empty(t, v.Problems)
	}
}

// Exports beside writers and a sequencer: each is refused, or is a whole book in balance.
func TestExportBesideWriters(t *testing.T) {
	w := newWorld(t)
	w.furnish(100_000)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 2 {
		writers.Go(func() {
			for j := 0; j < 400; j++ {
				select {
				case <-stop:
					return
				default:
				}
				_, err := w.Record(t.Context(), ledger.Entry{Key: fmt.Sprint("w", i, "/", j), Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}})
				if err == nil {
					_, err = w.NumberFeed(t.Context(), 3)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 12 {
		var out bytes.Buffer
		if err := w.Export(t.Context(), &out); err != nil {
			require.ErrorIs(t, err, ledger.ErrBookChanged)
			continue
		}
		requireWhole(t, out.Bytes())
	}
	close(stop)
	writers.Wait()
	requireWhole(t, exported(t, w.Book))
}

func requireWhole(t *testing.T, text []byte) {
	t.Helper()
	b := ledger.New(memory.New(), ledger.Config{})
	require.NoError(t, b.Restore(t.Context(), bytes.NewReader(text)))
	v, err := b.Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, v.Problems)
}
