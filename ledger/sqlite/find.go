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
		func() (err error) {
			found.Keys, err = together(w, selectKeys, want.Keys, keyValue, w.readKey)
			return err
		},
		func() (err error) { found.Accounts, err = w.findAccounts(want.Accounts); return err },
		func() (err error) { found.Holds, err = w.findHolds(want.Holds, want.DueHolds); return err },
		func() (err error) {
			found.Transactions, err = together(w, selectTxs, want.Transactions, idValue, w.readTx)
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
			found.Pending, err = together(w, selectPending, want.Pending, idValue, w.readPending)
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

// family is one query for one, some or many names at a time: entries of a batch all have a key, and numbering the feed reads as
// many transactions. head ends with the column that is compared.
type family map[int]*query

const (
	oneName   = 1
	someNames = 8
	manyNames = 64
)

func newFamily(head string) family {
	f := family{}
	for _, n := range []int{oneName, someNames, manyNames} {
		f[n] = newQuery(head + ` IN (` + strings.TrimSuffix(strings.Repeat("?, ", n), ", ") + `)`)
	}
	return f
}

// chunks calls do with queries of the family and their values until all of the names, which are distinct, have had their turn.
func chunks[N any](f family, book int64, names []N, value func(*N) any, do func(q *query, values []any) error) error {
	var values []any
	for len(names) > 0 {
		n := oneName
		switch {
		case len(names) >= manyNames/2:
			n = manyNames
		case len(names) > oneName:
			n = someNames
		}
		take := min(n, len(names))
		values = append(values[:0], book)
		for i := range n {
			values = append(values, value(&names[min(i, take-1)])) // the last fills up: it is found once
		}
		if err := do(f[n], values); err != nil {
			return err
		}
		names = names[take:]
	}
	return nil
}

// together looks for many names at a time.
func together[N, R any](w *work, f family, names []N, value func(*N) any, read func(row) (R, error)) (found []R, err error) {
	err = chunks(f, w.book, names, value, func(q *query, values []any) error {
		rows, err := w.rows(q, values...)
		if err != nil {
			return err
		}
		for _, r := range rows {
			one, err := read(r)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		return nil
	})
	return found, err
}

func keyValue(key *string) any { return *key }

func idValue(id *ledger.ID) any { return id[:] }

// findHolds finds the holds named and those that are due, each once.
func (w *work) findHolds(ids []ledger.ID, due []ledger.DueHolds) ([]ledger.Hold, error) {
	found, err := together(w, selectHolds, ids, idValue, w.readHold)
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
