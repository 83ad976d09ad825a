package ledgertest

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// TestEveryFieldIsWritten holds the round trip to its name: a field that is added to a row must be added there too, or a
// store that loses it would pass.
func TestEveryFieldIsWritten(t *testing.T) {
	var sc *scribe
	err := Try(t, Harness{Open: func(*testing.T) ledger.Store { return memory.New() }}, Check{Run: func(t *T) {
		sc = newScribe(t, t.Open(), "book")
		sc.everyField()
	}})
	require.NoError(t, err)
	rows := sc.model.rows()
	rows.Feed, rows.Blocks = sc.model.feed, sc.model.blocks
	for _, lines := range sc.model.lines {
		rows.Lines = append(rows.Lines, lines...)
	}
	set := map[string]bool{}
	fields(set, "", reflect.ValueOf(rows))
	delete(set, ".Pending.Changes.Position") // always zero
	for path, found := range set {
		require.True(t, found, "no row of everyField sets %s", path)
	}
	require.Contains(t, set, ".Keys.Receipt.Balances.Account.Path")
}

// fields notes for every field below a value whether it is set anywhere.
func fields(set map[string]bool, path string, v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time, currency.Amount, ledger.ID, ledger.Hash, []byte:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if tag := field.Tag.Get("json"); tag == "-" || field.Name == "Delete" {
				continue
			}
			name := path + "." + field.Name
			set[name] = set[name] || !v.Field(i).IsZero()
			fields(set, name, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			fields(set, path, v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fields(set, path, v.Elem())
		}
	default: // a value, noted by its struct
	}
}
