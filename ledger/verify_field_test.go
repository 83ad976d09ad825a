package ledger_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// mutant is a row in which one thing is another.
type mutant struct {
	path string
	row  reflect.Value
}

// mutants are all rows that differ from one in a single place.
func mutants(v reflect.Value) (all []mutant) {
	other := func(x any) { all = append(all, mutant{"", reflect.ValueOf(x).Convert(v.Type())}) }
	switch x := v.Interface().(type) {
	case time.Time:
		other(x.Add(time.Microsecond))
		return all
	case currency.Amount:
		if !x.IsValid() {
			other(dollars(1))
			return all
		}
		sum, err := x.Add(currency.MustNew(1, x.Asset()))
		if err != nil {
			panic(err)
		}
		other(sum)
		return all
	}
	switch v.Kind() {
	case reflect.Bool:
		other(!v.Bool())
	case reflect.String:
		other(v.String() + "x")
	case reflect.Int:
		other(v.Int() + 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		other(v.Uint() + 1)
	case reflect.Array: // an id or a hash
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		last := c.Index(c.Len() - 1)
		last.SetUint(last.Uint() ^ 1)
		all = append(all, mutant{"", c})
	case reflect.Pointer:
		if !v.IsNil() {
			for _, m := range mutants(v.Elem()) {
				p := reflect.New(v.Type().Elem())
				p.Elem().Set(m.row)
				all = append(all, mutant{m.path, p})
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			c := reflect.MakeMap(v.Type())
			for _, other := range v.MapKeys() {
				c.SetMapIndex(other, v.MapIndex(other))
			}
			c.SetMapIndex(k, reflect.ValueOf(v.MapIndex(k).String()+"x"))
			all = append(all, mutant{"[" + k.String() + "]", c})
		}
	case reflect.Slice:
		for i := range v.Len() {
			for _, m := range mutants(v.Index(i)) {
				c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
				reflect.Copy(c, v)
				c.Index(i).Set(m.row)
				all = append(all, mutant{fmt.Sprintf("[%d]%s", i, m.path), c})
			}
		}
		if v.Len() > 0 {
			all = append(all, mutant{"[-1]", v.Slice3(0, v.Len()-1, v.Len()-1)})
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !f.IsExported() || name == "-" {
				continue
			}
			for _, m := range mutants(v.Field(i)) {
				c := reflect.New(v.Type()).Elem()
				c.Set(v)
				c.Field(i).Set(m.row)
				path := "." + f.Name + m.path
				if f.Anonymous {
					path = m.path
				}
				all = append(all, mutant{path, c})
			}
		}
	default:
		panic("a row with a " + v.Type().String())
	}
	return all
}

// notSealed are the places that Verify says it does not look at: what a key remembers of what was asked and answered, beside
// the things that it made.
var notSealed = []string{
	"Keys.Inputs", "Keys.Refusal", "Keys.Receipt.ID", "Keys.Receipt.RecordedAt", "Keys.Receipt.Results", "Keys.Receipt.Guarded", "Keys.Receipt.Balances",
}

// Whatever single thing is altered in whatever row of a sealed book, Verify finds it.
func TestVerifyFindsEveryField(t *testing.T) {
	w, c := sealed(t)
	lists := map[string]func(*ledger.Rows) reflect.Value{}
	for _, name := range []string{
		"Assets", "Accounts", "Lines", "Transactions", "Holds", "Documents", "Versions", "References", "Keys", "Feed", "Blocks",
	} {
		lists[name] = func(r *ledger.Rows) reflect.Value { return reflect.ValueOf(r).Elem().FieldByName(name) }
	}
	tried, missed := 0, map[string]int{}
	for name, of := range lists {
		for _, row := range everyRow(w, name) {
			for _, m := range mutants(reflect.ValueOf(row)) {
				path := name + m.path
				if slices.ContainsFunc(notSealed, func(p string) bool { return strings.HasPrefix(path, p) }) {
					continue
				}
				edit := func(_ ledger.List, r *ledger.Rows) {
					rows := of(r)
					for i := range rows.Len() {
						if reflect.DeepEqual(rows.Index(i).Interface(), row) {
							rows.Index(i).Set(m.row)
						}
					}
				}
				v, err := ledger.New(edited{w.store, edit}, ledger.Config{Clock: w.clock.Now}).Verify(t.Context(), c)
				if tried++; err == nil && v.OK() {
					missed[path]++
				}
			}
		}
	}
	t.Logf("%d edits", tried)
	require.Empty(t, missed)
	require.Greater(t, tried, 500)
}

// everyRow returns all rows of one kind.
func everyRow(w *world, name string) (all []any) {
	lists := map[string]ledger.List{
		"Assets": ledger.ListAssets, "Accounts": ledger.ListAccounts, "Transactions": ledger.ListTransactions, "Holds": ledger.ListHolds,
		"Documents": ledger.ListDocuments, "References": ledger.ListReferences, "Keys": ledger.ListKeys, "Feed": ledger.ListFeed, "Blocks": ledger.ListBlocks,
	}
	var ranges []ledger.Range
	switch name {
	case "Lines":
		for _, a := range collect(w, w.Accounts(w.Context(), ledger.Query{})) {
			ranges = append(ranges, ledger.Range{List: ledger.ListLines, Account: a.ID})
		}
	case "Versions":
		for _, d := range collect(w, w.Documents(w.Context(), ledger.Query{})) {
			ranges = append(ranges, ledger.Range{List: ledger.ListVersions, Document: d.DocumentID})
		}
	default:
		ranges = []ledger.Range{{List: lists[name]}}
	}
	for _, r := range ranges {
		r.Limit = ledger.MaxPage
		rows, err := w.store.Scan(w.Context(), w.Name(), r)
		require.NoError(w, err)
		list := reflect.ValueOf(rows).FieldByName(name)
		for i := range list.Len() {
			all = append(all, list.Index(i).Interface())
		}
	}
	return all
}
