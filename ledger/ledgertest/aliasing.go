package ledgertest

import (
	"encoding/json"
	"maps"
	"reflect"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

var aliasingChecks = []Check{{
	Name:   "callers-cannot-reach-in",
	Rule:   "Changing rows after they were written, or rows that were returned, changes nothing in the store: slices, maps and pointers are not shared.",
	Advice: "Copy rows on the way in and on the way out, down to the last slice, map and pointer (a store that encodes its rows does so anyway).",
	Run:    checkAliasing,
}}

func checkAliasing(t *T) {
	sc := newScribe(t, t.Open(), "book")
	cash, wallet := ledger.AccountID{Path: "bank/cash", Asset: "USD"}, ledger.AccountID{Path: "wallet/alice", Asset: "USD"}
	doc := ledger.DocumentID{Kind: "k", ID: "1"}
	build := func(sc *scribe) ledger.Rows {
		d := sc.entry()
		note := ledger.Note{Reference: "r", Meta: map[string]string{"a": "b"}}
		d.open(cash, ledger.Asset, "", ledger.Terms{})
		d.open(wallet, ledger.Liability, "alice", ledger.Terms{Floor: currency.Zero(currency.USD)})
		tx := d.post(cash, wallet, sc.amount(cash, 9), note)
		tx.Meta = maps.Clone(note.Meta)
		tx.Reversed = []currency.Amount{sc.amount(cash, 1), sc.amount(cash, 1)}
		d.write.Transactions[0] = tx
		d.hold(wallet, sc.amount(wallet, 1), epoch.Add(time.Hour))
		d.write.Holds[0].Note = ledger.Note{Meta: map[string]string{"a": "b"}}
		d.document(ledger.Document{DocumentID: doc, References: []string{"r1", "r2"}, Body: json.RawMessage(`{"a":1}`)})
		d.write.Versions[0].References = []string{"r1", "r2"}
		d.write.Versions[0].Body = json.RawMessage(`{"a":1}`)
		for _, id := range []ledger.AccountID{cash, wallet} {
			d.write.Accounts = append(d.write.Accounts, d.accounts[id])
		}
		d.write.Pending = []ledger.PendingRow{{Entry: d.id, RecordedAt: d.at, Changes: d.changes}}
		d.write.Keys = []ledger.KeyRow{{Key: d.key, Inputs: []byte(`{}`), Receipt: ledger.Receipt{
			ID: d.id, Results: []ledger.Result{{Transaction: tx.ID}}, Guarded: []ledger.Result{{Transaction: tx.ID}}, Balances: []ledger.Balance{{Account: cash, Version: 1}},
		}, Refusal: &ledger.Refusal{Code: ledger.ErrDenied, Public: "no"}}}
		return d.write
	}
	// Two scribes make the same rows; one copy is written and then scribbled over, the other says what should be there.
	written := build(newScribe(t, sc.store, sc.book))
	sc.model.apply(build(newScribe(t, sc.store, sc.book)))
	if err := writeRows(t.Context(), sc.store, sc.book, written); err != nil {
		t.Fatalf("Update of a good write failed: %v", err)
	}
	scribble(reflect.ValueOf(&written).Elem())
	sc.compareAll()

	rows, err := sc.store.Read(t.Context(), sc.book, sc.model.names())
	if err != nil {
		t.Fatalf("Read: %v", err)
	}
	scribble(reflect.ValueOf(&rows).Elem())
	_ = sc.store.Update(t.Context(), sc.book, sc.model.names(), func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		scribble(reflect.ValueOf(&found).Elem())
		return ledger.Rows{}, ledger.Names{}, errOfCheck
	})
	for _, r := range sc.model.ranges() {
		r.Limit = ledger.MaxPage
		if page, err := sc.store.Scan(t.Context(), sc.book, r); err == nil {
			scribble(reflect.ValueOf(&page).Elem())
		}
	}
	sc.compareAll()
}

// scribble overwrites everything that can be reached through slices, maps and pointers.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Struct:
		switch v.Interface().(type) {
		case time.Time, currency.Amount:
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			scribble(v.Field(i))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			v.SetMapIndex(k, reflect.ValueOf("scribbled"))
		}
	case reflect.String:
		v.SetString("scribbled")
	case reflect.Uint8:
		v.SetUint('#')
	case reflect.Interface, reflect.Bool, reflect.Int, reflect.Uint16, reflect.Uint64:
		v.SetZero()
	default:
		panic("ledgertest: a row with a " + v.Type().String())
	}
}
