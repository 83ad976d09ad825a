package postgres

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// divide returns the rows to be added and those that were found and are changed, both sorted by name.
func divide[R any, K comparable](write, found []R, name func(*R) K, compare func(a, b R) int) (add, set []R) {
	if len(write) == 0 {
		return nil, nil
	}
	there := make(map[K]bool, len(found))
	for i := range found {
		there[name(&found[i])] = true
	}
	for i := range write {
		if there[name(&write[i])] {
			set = append(set, write[i])
		} else {
			add = append(add, write[i])
		}
	}
	slices.SortFunc(add, compare)
	return add, set
}

// smallRows adds and changes references, leases, assets, pending rows and counters.
func (w *writer) smallRows() {
	w.referenceRows()
	w.leaseRows()
	add, _ := divide(w.write.Assets, w.found.Assets, func(r *ledger.AssetRow) currency.AssetID { return r.ID },
		func(a, b ledger.AssetRow) int { return strings.Compare(string(a.ID), string(b.ID)) }) // those found never change
	if n := len(add); n > 0 {
		ids, codes, names, scales, kinds := newColumn(n, 8), newColumn(n, 4), newColumn(n, 16), newColumn(n, 2), newColumn(n, 2)
		for _, r := range add {
			ids.text(string(r.ID))
			codes.text(r.Code)
			names.text(r.Name)
			scales.int2(int16(r.Scale))
			kinds.int2(int16(r.Kind))
		}
		w.add(w.s.sql.addAssets, true, ids.value(oidText), codes.value(oidText), names.value(oidText), scales.value(oidInt2), kinds.value(oidInt2))
	}
	w.pendingRows()
	addCounters, setCounters := divide(w.write.Sequences, w.found.Sequences, func(r *ledger.SequenceRow) string { return r.Name },
		func(a, b ledger.SequenceRow) int { return strings.Compare(a.Name, b.Name) })
	for _, part := range []struct {
		rows   []ledger.SequenceRow
		sql    *statement
		absent bool
	}{{addCounters, w.s.sql.addCounters, true}, {setCounters, w.s.sql.setCounters, false}} {
		if n := len(part.rows); n > 0 {
			names, lasts := newColumn(n, 8), newColumn(n, 8)
			for _, r := range part.rows {
				names.text(r.Name)
				lasts.int8(int64(r.Last)) //nolint:gosec // the bits
			}
			w.add(part.sql, part.absent, names.value(oidText), lasts.value(oidInt8))
		}
	}
}

func (w *writer) referenceRows() {
	add, set := divide(w.write.References, w.found.References, func(r *ledger.ReferenceRow) string { return r.Reference },
		func(a, b ledger.ReferenceRow) int { return strings.Compare(a.Reference, b.Reference) })
	for _, part := range []struct {
		rows   []ledger.ReferenceRow
		sql    *statement
		absent bool
	}{{add, w.s.sql.addReferences, true}, {set, w.s.sql.setReferences, false}} {
		if n := len(part.rows); n > 0 {
			references, kinds, ids := newColumn(n, 24), newColumn(n, 12), newColumn(n, 24)
			for _, r := range part.rows {
				references.text(r.Reference)
				kinds.text(r.Document.Kind)
				ids.text(r.Document.ID)
			}
			w.add(part.sql, part.absent, references.value(oidText), kinds.value(oidText), ids.value(oidText))
		}
	}
}

func (w *writer) leaseRows() {
	if len(w.write.Leases) == 0 {
		return
	}
	found := slices.DeleteFunc(slices.Clone(w.found.Leases), func(l ledger.Lease) bool {
		return slices.Contains(w.write.Delete.Leases, l.Document)
	})
	add, set := divide(w.write.Leases, found, func(r *ledger.Lease) ledger.DocumentID { return r.Document },
		func(a, b ledger.Lease) int { return a.Position().Compare(b.Position()) })
	for _, part := range []struct {
		rows   []ledger.Lease
		sql    *statement
		absent bool
	}{{add, w.s.sql.addLeases, true}, {set, w.s.sql.setLeases, false}} {
		if n := len(part.rows); n > 0 {
			kinds, ids, tokens, holders, untils := newColumn(n, 12), newColumn(n, 24), newColumn(n, 16), newColumn(n, 8), newColumn(n, 8)
			for _, r := range part.rows {
				kinds.text(r.Document.Kind)
				ids.text(r.Document.ID)
				tokens.uuid(r.Token)
				holders.text(r.Holder)
				untils.time(r.Until)
			}
			w.add(part.sql, part.absent, kinds.value(oidText), ids.value(oidText), tokens.value(oidUUID), holders.value(oidText), untils.value(oidTimestamptz))
		}
	}
}

func (w *writer) pendingRows() {
	if len(w.write.Pending) == 0 {
		return
	}
	found := slices.DeleteFunc(slices.Clone(w.found.Pending), func(p ledger.PendingRow) bool {
		return slices.Contains(w.write.Delete.Pending, p.Entry)
	})
	there := make(map[ledger.ID]bool, len(found))
	for i := range found {
		there[found[i].Entry] = true
	}
	n := len(w.write.Pending)
	add := [3]*column{newColumn(n, 16), newColumn(n, 8), newColumn(n, 64)}
	set := [3]*column{newColumn(0, 0), newColumn(0, 0), newColumn(0, 0)}
	p := &packer{number: w.number}
	for i := range w.write.Pending {
		r := &w.write.Pending[i]
		to := &add
		if there[r.Entry] {
			to = &set
		}
		p.b = p.b[:0]
		p.packChanges(r.Changes, ledger.Change{Entry: r.Entry, RecordedAt: r.RecordedAt})
		to[0].uuid(r.Entry)
		to[1].time(r.RecordedAt)
		to[2].bytes(p.b)
	}
	if add[0].n > 0 {
		w.add(w.s.sql.addPending, true, add[0].value(oidUUID), add[1].value(oidTimestamptz), add[2].value(oidBytea))
	}
	if set[0].n > 0 {
		w.add(w.s.sql.setPending, false, set[0].value(oidUUID), set[1].value(oidTimestamptz), set[2].value(oidBytea))
	}
}

// placeholders keeps rows that were named, are absent and are not written from appearing before the commit: each is inserted
// and deleted again in the same transaction. Whoever inserts the same meanwhile waits, and whoever did so already makes
// this insert fail, and the step start again. A row that cannot be locked because it is not there is so guarded by its
// own unique key, and only steps that decide on an absence pay for it.
func (w *writer) placeholders() {
	q := w.s.sql
	if ids := absent(w.want.Accounts, w.found.Accounts, w.write.Accounts, accountOf); len(ids) > 0 {
		var t termsTable
		numbers := make([]int64, 0, len(ids))
		for i, id := range ids {
			numbers = append(numbers, w.spare[i])
			t.row(&ledger.AccountInfo{ID: id}, w.spare[i], 0)
		}
		t.call(w, q.addTerms, true)
		w.drop(q.dropTerms, int8s(numbers))
	}
	if ids := absent(w.want.Documents, w.found.Documents, w.write.Documents, func(r *ledger.Document) ledger.DocumentID { return r.DocumentID }); len(ids) > 0 {
		var t documentTable
		for _, id := range ids {
			_ = t.row(&ledger.Document{DocumentID: id}) // nothing in it to marshal
		}
		t.call(w, q.addDocuments, true)
		w.drop(q.dropDocuments, documentColumnsOf(ids)...)
	}
	if ids := absent(w.want.Holds, w.found.Holds, w.write.Holds, func(r *ledger.Hold) ledger.ID { return r.ID }); len(ids) > 0 {
		var t holdTable
		for _, id := range ids {
			zero := currency.Zero(currency.USD)
			_ = t.row(&ledger.Hold{ID: id, Amount: zero, Captured: zero, Released: zero}, 0) // nothing in it to marshal
		}
		t.call(w, q.addHolds, true)
		w.drop(q.dropHolds, uuids(ids))
	}
	w.recordPlaceholders()
	if names := absent(w.want.References, w.found.References, w.write.References, func(r *ledger.ReferenceRow) string { return r.Reference }); len(names) > 0 {
		w.add(q.addReferences, true, texts(names), texts(make([]string, len(names))), texts(make([]string, len(names))))
		w.drop(q.dropReferences, texts(names))
	}
	if ids := absent(w.want.Leases, w.found.Leases, w.write.Leases, func(r *ledger.Lease) ledger.DocumentID { return r.Document }); len(ids) > 0 {
		n := len(ids)
		untils := newColumn(n, 8)
		for range ids {
			untils.int8(0)
		}
		w.add(q.addLeases, true, append(documentColumnsOf(ids), uuids(make([]ledger.ID, n)), texts(make([]string, n)), untils.value(oidTimestamptz))...)
		w.drop(q.dropLeases, documentColumnsOf(ids)...)
	}
	w.smallPlaceholders()
}

// drop takes placeholders away, after they were added.
func (w *writer) drop(s *statement, args ...[]byte) {
	w.add(s, false, args...)
	w.calls[len(w.calls)-1].placeholder = true
}

func (w *writer) smallPlaceholders() {
	q := w.s.sql
	if ids := absent(w.want.Assets, w.found.Assets, w.write.Assets, func(r *ledger.AssetRow) currency.AssetID { return r.ID }); len(ids) > 0 {
		n := len(ids)
		zeros := newColumn(n, 2)
		for range ids {
			zeros.int2(0)
		}
		w.add(q.addAssets, true, texts(ids), texts(make([]string, n)), texts(make([]string, n)), zeros.value(oidInt2), zeros.value(oidInt2))
		w.drop(q.dropAssets, texts(ids))
	}
	if ids := absent(w.want.Pending, w.found.Pending, w.write.Pending, func(r *ledger.PendingRow) ledger.ID { return r.Entry }); len(ids) > 0 {
		times, bodies := newColumn(len(ids), 8), newColumn(len(ids), 0)
		for range ids {
			times.int8(0)
			bodies.bytes(nil)
		}
		w.add(q.addPending, true, uuids(ids), times.value(oidTimestamptz), bodies.value(oidBytea))
		w.drop(q.dropPending, uuids(ids))
	}
	if names := absent(w.want.Sequences, w.found.Sequences, w.write.Sequences, func(r *ledger.SequenceRow) string { return r.Name }); len(names) > 0 {
		w.add(q.addCounters, true, texts(names), int8s(make([]int64, len(names))))
		w.drop(q.dropCounters, texts(names))
	}
}

// recordPlaceholders guards keys and transactions, which share a table.
func (w *writer) recordPlaceholders() {
	keys := absent(w.want.Keys, w.found.Keys, w.write.Keys, func(r *ledger.KeyRow) string { return r.Key })
	moves := absent(w.want.Transactions, w.found.Transactions, w.write.Transactions, func(r *ledger.Transaction) ledger.ID { return r.ID })
	n := len(keys) + len(moves)
	if n == 0 {
		return
	}
	ids := make([]ledger.ID, 0, n)
	names, times, keyed, moved, empty := newColumn(n, 24), newColumn(n, 8), newColumn(n, 1), newColumn(n, 1), newColumn(n, 0)
	for i := range n {
		if i < len(keys) {
			ids = append(ids, uuid.New())
			names.text(keys[i])
		} else {
			ids = append(ids, moves[i-len(keys)])
			names.text("")
		}
		keyed.bool(i < len(keys))
		moved.bool(false)
		times.int8(0)
		empty.bytes(nil)
	}
	body := empty.value(oidBytea)
	w.add(w.s.sql.addTx, true, uuids(ids), times.value(oidTimestamptz), keyed.value(oidBool), moved.value(oidBool), names.value(oidText), body, body, body)
	w.drop(w.s.sql.dropTx, uuids(ids))
}

// absent returns the names that were neither found nor are written, in their order.
func absent[R any, K comparable](want []K, found, write []R, name func(*R) K) (names []K) {
	if len(want) == 0 {
		return nil
	}
	there := make(map[K]bool, len(found)+len(write))
	for i := range found {
		there[name(&found[i])] = true
	}
	for i := range write {
		there[name(&write[i])] = true
	}
	for _, k := range want {
		if !there[k] {
			names = append(names, k)
		}
	}
	return names
}
