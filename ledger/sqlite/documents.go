package sqlite

import (
	"encoding/json"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

const documentFields = `kind, name, version, owner, state, due, lane, refs, schema, body, created_at, updated_at, erased_at, erased_reason, erased_digest`

var (
	selectDocument = newQuery(`SELECT`, documentFields, `FROM kosh_document WHERE book = ? AND kind = ? AND name = ?`)
	selectVersion  = newQuery(`SELECT`, documentFields, `FROM kosh_version WHERE book = ? AND kind = ? AND name = ? AND version = ?`)
	upsertDocument = newQuery(`INSERT INTO kosh_document (book,`, documentFields, `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (book, kind, name) DO UPDATE SET version = excluded.version, owner = excluded.owner, state = excluded.state,
		due = excluded.due, lane = excluded.lane, refs = excluded.refs, schema = excluded.schema, body = excluded.body,
		created_at = excluded.created_at, updated_at = excluded.updated_at, erased_at = excluded.erased_at,
		erased_reason = excluded.erased_reason, erased_digest = excluded.erased_digest`)
	insertVersion = newQuery(`INSERT INTO kosh_version (book,`, documentFields, `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	deleteVersion = newQuery(`DELETE FROM kosh_version WHERE book = ? AND kind = ? AND name = ? AND version = ?`)
)

func (w *work) readDocument(r row) (d ledger.Document, err error) {
	c := columns{row: r}
	d.Kind, d.ID, d.Version = c.text(), c.text(), c.uint()
	d.Owner, d.State, d.Due, d.Lane = c.text(), c.text(), c.optionalTime(time.Time{}), c.text()
	refs := c.text()
	d.Schema = uint16(c.int()) //nolint:gosec // as it was written
	d.Body = c.bytes()
	d.CreatedAt, d.UpdatedAt = c.time(), c.time()
	d.Erased.At, d.Erased.Reason = c.optionalTime(time.Time{}), c.text()
	copy(d.Erased.Digest[:], c.bytes())
	if refs != "" && c.err == nil {
		if err := json.Unmarshal([]byte(refs), &d.References); err != nil {
			return d, damaged("the references of document %v: %w", d.DocumentID, err)
		}
	}
	return d, c.err
}

func (w *work) putDocument(q *query, d *ledger.Document) error {
	var refs, digest any
	if len(d.References) > 0 {
		text, err := json.Marshal(d.References)
		if err != nil {
			return rowError("the references of document %v: %w", d.DocumentID, err)
		}
		refs = string(text)
	}
	if d.Erased.Digest != (ledger.Hash{}) {
		digest = d.Erased.Digest[:]
	}
	return w.exec(q, w.book, d.Kind, d.ID, int64(d.Version), d.Owner, d.State, micros(d.Due), d.Lane, refs, int64(d.Schema), //nolint:gosec // a count
		bytesOrNull(d.Body), d.CreatedAt.UnixMicro(), d.UpdatedAt.UnixMicro(), micros(d.Erased.At), orNull(d.Erased.Reason), digest)
}

// References, leases and assets.

const (
	referenceColumns = `reference, kind, name FROM kosh_reference`
	leaseColumns     = `kind, name, token, holder, until FROM kosh_lease`
	assetColumns     = `asset, code, name, scale, kind FROM kosh_asset`
)

var (
	selectReference = newQuery(`SELECT`, referenceColumns, `WHERE book = ? AND reference = ?`)
	putReference    = newQuery(`INSERT OR REPLACE INTO kosh_reference (book, reference, kind, name) VALUES (?, ?, ?, ?)`)
	selectLease     = newQuery(`SELECT`, leaseColumns, `WHERE book = ? AND kind = ? AND name = ?`)
	putLease        = newQuery(`INSERT OR REPLACE INTO kosh_lease (book, kind, name, token, holder, until) VALUES (?, ?, ?, ?, ?, ?)`)
	deleteLease     = newQuery(`DELETE FROM kosh_lease WHERE book = ? AND kind = ? AND name = ?`)
	selectAsset     = newQuery(`SELECT`, assetColumns, `WHERE book = ? AND asset = ?`)
	putAsset        = newQuery(`INSERT OR REPLACE INTO kosh_asset (book, asset, code, name, scale, kind) VALUES (?, ?, ?, ?, ?, ?)`)
)

func (w *work) readReference(r row) (f ledger.ReferenceRow, err error) {
	c := columns{row: r}
	f.Reference, f.Document.Kind, f.Document.ID = c.text(), c.text(), c.text()
	return f, c.err
}

func (w *work) readLease(r row) (l ledger.Lease, err error) {
	c := columns{row: r}
	l.Document.Kind, l.Document.ID, l.Token, l.Holder, l.Until = c.text(), c.text(), c.id(), c.text(), c.time()
	return l, c.err
}

func (w *work) readAsset(r row) (a ledger.AssetRow, err error) {
	c := columns{row: r}
	a.ID, a.Code, a.Name = currency.AssetID(c.text()), c.text(), c.text()
	a.Scale, a.Kind = uint8(c.int()), currency.Kind(c.int()) //nolint:gosec // as they were written
	return a, c.err
}
