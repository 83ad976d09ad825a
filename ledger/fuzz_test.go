package ledger_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"unicode/utf8"

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

// What a key stands for is compared as JSON: the same value is a replay however it is written, and another one is a
// conflict. The oracle is encoding/json, with numbers as they were written.
func FuzzInputs(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[true,null]}`), []byte(` {"b":[true,null] ,"a":1}`))
	f.Add([]byte(`1`), []byte(`1.0`))
	f.Add([]byte(`{"a":{"b":"\u00e9"}}`), []byte(`{"a":{"b":"é"}}`))
	f.Add([]byte(`{"a":1,"a":2}`), []byte(`{"a":2}`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		w := newWorld(t)
		e := ledger.Entry{Key: "k", Inputs: json.RawMessage(first), Commands: []ledger.Command{ledger.OpenAccount{Account: bank, Type: ledger.Asset}}}
		before := dump(t, w.store, w.Name())
		receipt, err := w.Record(t.Context(), e)
		if err != nil {
			require.ErrorIs(t, err, ledger.Invalid)
			require.Equal(t, before, dump(t, w.store, w.Name()))
			return
		}
		again, err := w.Record(t.Context(), e)
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, receipt.ID, again.ID)

		e.Inputs, e.Commands = json.RawMessage(second), []ledger.Command{ledger.OpenAccount{Account: alice, Type: ledger.Asset}}
		after := dump(t, w.store, w.Name())
		again, err = w.Record(t.Context(), e)
		require.Equal(t, after, dump(t, w.store, w.Name()))
		x, okX := decodeJSON(first)
		y, okY := decodeJSON(second)
		switch {
		case !okX, !okY: // refused, or read otherwise than here; either way it changed nothing
		case reflect.DeepEqual(x, y):
			require.NoError(t, err)
			require.True(t, again.Replayed)
		default:
			require.Error(t, err, "%s and %s", first, second)
			require.NotEqual(t, ledger.Declined, ledger.ClassOf(err))
		}
	})
}

func decodeJSON(raw []byte) (value any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return value, utf8.Valid(raw) && json.Valid(raw) && d.Decode(&value) == nil
}

// Words and hashes are refused as invalid and leave what was there, or are written as they were read.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"", "liability", "debit", "captured", "expired", "erasure", ledger.Hash{1, 2}.String(), "Debit"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, v := range []interface {
			encoding.TextUnmarshaler
			encoding.TextMarshaler
		}{new(ledger.AccountType), new(ledger.Side), new(ledger.LineKind), new(ledger.HoldState), new(ledger.ChangeKind), &ledger.Hash{7}} {
			before, err := v.MarshalText()
			require.NoError(t, err)
			if err := v.UnmarshalText([]byte(s)); err != nil {
				require.ErrorIs(t, err, ledger.ErrInvalid)
				s := string(before)
				after, err := v.MarshalText()
				require.NoError(t, err)
				require.Equal(t, s, string(after), "%T", v)
				continue
			}
			after, err := v.MarshalText()
			require.NoError(t, err)
			require.Equal(t, s, string(after), "%T", v)
		}
	})
}
