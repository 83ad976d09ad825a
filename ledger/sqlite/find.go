package sqlite

import (
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// find returns those of the rows named that exist. The names are sorted and without repetition.
func (w *work) find(want ledger.Names) (found ledger.Rows, err error) {
	if w.book == 0 {
		return found, nil
	}
	for _, look := range []func() error{
		func() (err error) { found.Keys, err = w.findKeys(want.Keys); return err },
		func() (err error) { found.Accounts, err = w.findAccounts(want.Accounts); return err },
		func() (err error) { found.Holds, err = w.findHolds(want.Holds, want.DueHolds); return err },
		func() (err error) {
			found.Transactions, err = each(w, selectTx, want.Transactions, w.readTx, func(id ledger.ID) []any { return []any{w.book, id[:]} })
			return err
		},
		func() (err error) {
			found.Documents, err = each(w, selectDocument, want.Documents, w.readDocument, w.byDocument)
			return err
		},
		func() (err error) {
			found.Versions, err = each(w, selectVersion, want.Versions, w.readDocument, func(id ledger.VersionID) []any {
				return append(w.byDocument(id.DocumentID), int64(id.Version)) //nolint:gosec // a count
			})
			return err
		},
		func() (err error) {
			found.References, err = each(w, selectReference, want.References, w.readReference, w.byText)
			return err
		},
		func() (err error) {
			found.Leases, err = each(w, selectLease, want.Leases, w.readLease, w.byDocument)
			return err
		},
		func() (err error) {
			found.Assets, err = each(w, selectAsset, want.Assets, w.readAsset, func(id currency.AssetID) []any { return []any{w.book, string(id)} })
			return err
		},
		func() (err error) {
			found.Pending, err = each(w, selectPending, want.Pending, w.readPending, func(id ledger.ID) []any { return []any{w.book, id[:]} })
			return err
		},
		func() (err error) {
			found.Sequences, err = each(w, selectSequence, want.Sequences, w.readSequence, w.byText)
			return err
		},
	} {
		if err := look(); err != nil {
			return ledger.Rows{}, err
		}
	}
	return found, nil
}

func (w *work) byText(name string) []any { return []any{w.book, name} }

func (w *work) byDocument(id ledger.DocumentID) []any { return []any{w.book, id.Kind, id.ID} }

// each looks for names one by one.
func each[N, R any](w *work, q *query, names []N, read func(row) (R, error), values func(N) []any) ([]R, error) {
	var found []R
	for _, name := range names {
		rows, err := w.rows(q, values(name)...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			one, err := read(r)
			if err != nil {
				return nil, err
			}
			found = append(found, one)
		}
	}
	return found, nil
}

// Keys are looked for many at a time, because every entry of a batch has one.
const (
	fewKeys  = 1
	someKeys = 8
	manyKeys = 64
)

var selectKeys = map[int]*query{fewKeys: keysQuery(fewKeys), someKeys: keysQuery(someKeys), manyKeys: keysQuery(manyKeys)}

func keysQuery(n int) *query {
	return newQuery(`SELECT`, entryColumns, `WHERE e.book = ? AND e.key IN (`+strings.TrimSuffix(strings.Repeat("?, ", n), ", ")+`)`)
}

func (w *work) findKeys(keys []string) (found []ledger.KeyRow, err error) {
	values := make([]any, 0, 1+manyKeys)
	for len(keys) > 0 {
		n := fewKeys
		switch {
		case len(keys) >= manyKeys/2:
			n = manyKeys
		case len(keys) > fewKeys:
			n = someKeys
		}
		take := min(n, len(keys))
		values = append(values[:0], w.book)
		for _, k := range keys[:take] {
			values = append(values, k)
		}
		for len(values) <= n {
			values = append(values, keys[0]) // once more: it is found once
		}
		rows, err := w.rows(selectKeys[n], values...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			k, err := w.readKey(r)
			if err != nil {
				return nil, err
			}
			found = append(found, k)
		}
		keys = keys[take:]
	}
	return found, nil
}

// findHolds finds the holds named and those that are due, each once.
func (w *work) findHolds(ids []ledger.ID, due []ledger.DueHolds) ([]ledger.Hold, error) {
	found, err := each(w, selectHold, ids, w.readHold, func(id ledger.ID) []any { return []any{w.book, id[:]} })
	if err != nil || len(due) == 0 {
		return found, err
	}
	once := make(map[ledger.ID]bool, len(found))
	for i := range found {
		once[found[i].ID] = true
	}
	for _, d := range due {
		a, err := w.account(d.Account)
		if err != nil {
			return nil, err
		}
		if a == nil {
			continue
		}
		rows, err := w.rows(selectDue, a.id, d.At.UnixMicro())
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			h, err := w.readHold(r)
			if err != nil {
				return nil, err
			}
			if !once[h.ID] {
				once[h.ID] = true
				found = append(found, h)
			}
		}
	}
	return found, nil
}
