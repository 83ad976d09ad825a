package ledger_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// Whatever a cursor says, a page either refuses it or goes on where the ledger itself said: an accepted cursor is one
// that the ledger gives out.
func FuzzCursor(f *testing.F) {
	var w *world
	var given []ledger.Cursor
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, cursor string) {
		if w == nil {
			w = newWorld(t)
			w.furnish(100)
			q := ledger.Query{List: ledger.ListAccounts, Limit: 1}
			for {
				page, err := w.Page(t.Context(), q)
				require.NoError(t, err)
				for _, it := range page.Items {
					given = append(given, it.Cursor)
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
		}
		page, err := w.Page(t.Context(), ledger.Query{List: ledger.ListAccounts, After: ledger.Cursor(cursor)})
		if cursor == "" {
			require.NoError(t, err)
			require.Len(t, page.Items, len(given))
			return
		}
		for i, c := range given {
			if string(c) == cursor {
				require.NoError(t, err)
				require.Len(t, page.Items, len(given)-i-1)
				return
			}
		}
		if err != nil {
			require.ErrorIs(t, err, ledger.ErrInvalid)
		}
	})
}

// A book survives any sequence of commands that the model can think of; the oracle is the model.
func FuzzCommands(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint8(40))
	f.Fuzz(func(t *testing.T, a, b uint64, n uint8) {
		if n < 60 {
			n = 60
		}
		againstModel(t, rand.New(rand.NewPCG(a, b)), int(n), map[string]int{})
	})
}

// Names that a caller may choose are refused or kept as they are, byte for byte.
func FuzzNames(f *testing.F) {
	f.Add("wallet/alice", "key", "text")
	f.Add("a//b", "\x00", "\xff")
	f.Fuzz(func(t *testing.T, path, key, text string) {
		w := newWorld(t)
		id := ledger.AccountID{Path: path, Asset: "USD"}
		doc := ledger.DocumentID{Kind: "k", ID: text}
		e := ledger.Entry{Key: key, Commands: []ledger.Command{
			ledger.OpenAccount{Account: id, Type: ledger.Liability, Owner: text}, ledger.PutDocument{DocumentID: doc, State: text, References: []string{text}},
		}}
		before := dump(t, w.store, w.Name())
		receipt, err := w.Record(t.Context(), e)
		if err != nil {
			r, ok := errors.AsType[*ledger.Refusal](err)
			require.True(t, ok)
			require.Equal(t, ledger.Invalid, r.Class)
			require.Equal(t, before, dump(t, w.store, w.Name()))
			return
		}
		a, err := w.Info(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, text, a.Owner)
		d, err := w.ByReference(t.Context(), text)
		require.NoError(t, err)
		require.Equal(t, doc, d.DocumentID)
		again, err := w.Receipt(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, receipt.ID, again.ID)
		w.sound()
	})
}
