package sqlite

import "github.com/koshpay/kosh/ledger"

// apply writes rows. Deletes come first; then what others refer to comes before what refers to it.
func (w *work) apply(rows *ledger.Rows) error {
	if err := checkDeletes(rows); err != nil {
		return err
	}
	if rowsEmpty(rows) {
		return nil
	}
	if err := w.addBook(); err != nil {
		return err
	}
	w.write.work = w
	if w.txs == nil {
		w.txs, w.holds = make(map[ledger.ID]int64), make(map[ledger.ID]int64)
	}
	w.numberKeys(rows.Keys)
	keys := make(map[string]*ledger.KeyRow, len(rows.Keys))
	for i := range rows.Keys {
		keys[rows.Keys[i].Key] = &rows.Keys[i]
	}
	for _, step := range []func() error{
		func() error { return w.delete(&rows.Delete) },
		func() error { return w.putAccounts(rows.Accounts) },
		func() error { return w.putKeys(rows.Keys) },
		func() error { return w.putTxs(rows.Transactions) },
		func() error { return putEach(rows.Holds, w.putHold) },
		func() error { return w.putLines(rows.Lines) },
		w.putBalances,
		func() error {
			return putEach(rows.Documents, func(d *ledger.Document) error { return w.putDocument(upsertDocument, d) })
		},
		func() error {
			return putEach(rows.Versions, func(d *ledger.Document) error { return w.putDocument(insertVersion, d) })
		},
		func() error {
			return putEach(rows.References, func(r *ledger.ReferenceRow) error {
				return w.exec(putReference, w.book, r.Reference, r.Document.Kind, r.Document.ID)
			})
		},
		func() error {
			return putEach(rows.Leases, func(l *ledger.Lease) error {
				return w.exec(putLease, w.book, l.Document.Kind, l.Document.ID, l.Token[:], l.Holder, l.Until.UnixMicro())
			})
		},
		func() error {
			return putEach(rows.Assets, func(a *ledger.AssetRow) error {
				return w.exec(putAsset, w.book, string(a.ID), a.Code, a.Name, int64(a.Scale), int64(a.Kind))
			})
		},
		func() error { return w.putPending(rows.Pending, keys) },
		func() error { return w.putFeed(rows.Feed, keys) },
		func() error {
			return putEach(rows.Blocks, func(b *ledger.Block) error {
				return w.exec(insertBlock, w.book, int64(b.Number), int64(b.First), int64(b.Last), b.SealedAt.UnixMicro(), //nolint:gosec // counts
					b.Previous[:], b.Hash[:], bytesOrNull(b.Marks))
			})
		},
		func() error {
			return putEach(rows.Sequences, func(s *ledger.SequenceRow) error {
				return w.exec(putSequence, w.book, s.Name, int64(s.Last)) //nolint:gosec // the bits
			})
		},
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func putEach[R any](rows []R, put func(*R) error) error {
	for i := range rows {
		if err := put(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) delete(d *ledger.Names) error {
	for _, id := range d.Leases {
		if err := w.exec(deleteLease, w.book, id.Kind, id.ID); err != nil {
			return err
		}
	}
	err := chunks(deletePending, w.book, d.Pending, idValue, func(q *query, values []any) error { return w.exec(q, values...) })
	if err != nil {
		return err
	}
	for _, id := range d.Versions {
		if err := w.exec(deleteVersion, w.book, id.Kind, id.ID, int64(id.Version)); err != nil { //nolint:gosec // a count
			return err
		}
	}
	return nil
}

// checkDeletes refuses to delete what is never deleted.
func checkDeletes(rows *ledger.Rows) error {
	d := rows.Delete
	again := make(map[ledger.VersionID]bool, len(d.Versions))
	if len(d.Versions) > 0 {
		for i := range rows.Versions {
			again[ledger.VersionID{DocumentID: rows.Versions[i].DocumentID, Version: rows.Versions[i].Version}] = true
		}
	}
	for _, id := range d.Versions {
		if !again[id] {
			return rowError("version %d of document %v is deleted and not written again", id.Version, id.DocumentID)
		}
	}
	d.Leases, d.Pending, d.Versions = nil, nil, nil
	if !d.Empty() {
		return rowError("only leases, pending rows and versions are ever deleted")
	}
	return nil
}

func rowsEmpty(r *ledger.Rows) bool {
	return len(r.Keys)+len(r.Accounts)+len(r.Lines)+len(r.Holds)+len(r.Transactions)+len(r.Documents)+len(r.Versions)+
		len(r.References)+len(r.Leases)+len(r.Assets)+len(r.Pending)+len(r.Feed)+len(r.Blocks)+len(r.Sequences) == 0 &&
		r.Delete.Empty()
}
