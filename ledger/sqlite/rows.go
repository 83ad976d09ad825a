package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// rowError is about a row that cannot be written, and not about the file.
func rowError(format string, args ...any) error { return fmt.Errorf("sqlite: "+format, args...) }

func (c *columns) id() (id ledger.ID) {
	b := c.bytes()
	if c.err == nil && len(b) != len(id) {
		c.err = damaged("an id of %d bytes", len(b))
	}
	copy(id[:], b)
	return id
}

// Keys.

// entryRow is what other rows take from the row of a key.
type entryRow struct {
	id         int64
	key        string
	uuid       ledger.ID
	recordedAt time.Time
}

const entryColumns = `e.key, e.uuid, e.recorded_at, e.inputs, e.receipt, e.refusal FROM kosh_entry e`

var selectKeys = newFamily(`SELECT ` + entryColumns + ` WHERE e.book = ? AND e.key`)

func (w *work) readKey(r row) (k ledger.KeyRow, err error) {
	c := columns{row: r}
	k.Key = c.text()
	k.Receipt.ID, k.Receipt.RecordedAt = c.id(), c.time()
	k.Inputs = c.bytes()
	b := decoder{buf: c.bytes(), work: w}
	b.receipt(&k.Receipt, k.Key)
	refusal := c.text()
	if c.err = first(c.err, b.err); c.err != nil {
		return k, c.err
	}
	if refusal == "" {
		return k, nil
	}
	k.Refusal = new(ledger.Refusal)
	if json.Unmarshal([]byte(refusal), k.Refusal) == nil {
		return k, nil
	}
	// It may name an asset that this process has never heard of.
	rows, err := w.rows(selectUnits)
	if err != nil {
		return k, err
	}
	if err := defineUnits(rows); err != nil {
		return k, err
	}
	if err := json.Unmarshal([]byte(refusal), k.Refusal); err != nil {
		return k, damaged("the refusal of key %q: %w", k.Key, err)
	}
	return k, nil
}

func (w *work) putKeys(rows []ledger.KeyRow) error {
	for i := range rows {
		k := &rows[i]
		var refusal any
		if k.Refusal != nil {
			text, err := json.Marshal(k.Refusal)
			if err != nil {
				return rowError("the refusal of key %q: %w", k.Key, err)
			}
			refusal = string(text)
		}
		w.write.begin()
		w.write.receipt(&k.Receipt, k.Key)
		if w.write.err != nil {
			return w.write.err
		}
		v := append(w.bulk.values(), w.entries[k.Key], w.book, k.Key, k.Receipt.ID[:], k.Receipt.RecordedAt.UnixMicro(),
			bytesOrNull(k.Inputs), w.write.buf, refusal)
		if err := w.bulk.add(w, bulkEntry, v); err != nil {
			return err
		}
	}
	return w.bulk.flush(w, bulkEntry)
}

// numberKeys gives every key to be written the number of its row, so that rows written before it can refer to it.
func (w *work) numberKeys(rows []ledger.KeyRow) {
	w.entries = make(map[string]int64, len(rows))
	for i := range rows {
		w.last.entry++
		w.entries[rows[i].Key] = w.last.entry
	}
}

var (
	selectEntryID  = newQuery(`SELECT id FROM kosh_entry WHERE book = ? AND key = ?`)
	selectEntryRow = newQuery(`SELECT id, key, uuid, recorded_at FROM kosh_entry WHERE book = ? AND key = ?`)
)

// entry returns the number of a key's row, 0 when it has none.
func (w *work) entry(key string) (int64, error) {
	if n := w.entries[key]; n != 0 || key == "" {
		return n, nil
	}
	rows, err := w.rows(selectEntryID, w.book, key)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	c := columns{row: rows[0]}
	n := c.int()
	return n, c.err
}

// entryOrKey is how a row refers to its key: by the number of the key's row or, when it has none, by the key.
func (w *work) entryOrKey(key string) (entry, text any, err error) {
	n, err := w.entry(key)
	if n != 0 {
		return n, nil, err
	}
	return nil, key, err
}

// Transactions.

const txColumns = `t.id, t.uuid, coalesce(e.key, t.key), t.recorded_at, t.effective_at, t.postings, t.imported, t.reference, t.description,
	t.meta, t.reverses, t.reversed FROM kosh_tx t LEFT JOIN kosh_entry e ON e.id = t.entry`

var (
	selectTxs  = newFamily(`SELECT ` + txColumns + ` WHERE t.book = ? AND t.uuid`)
	selectTxID = newQuery(`SELECT id FROM kosh_tx WHERE book = ? AND uuid = ?`)
	updateTx   = newQuery(`UPDATE kosh_tx SET entry = ?, key = ?, recorded_at = ?, effective_at = ?, postings = ?, imported = ?, reference = ?,
		description = ?, meta = ?, reverses = ?, reversed = ? WHERE id = ?`)
)

func (w *work) readTx(r row) (t ledger.Transaction, err error) {
	c := columns{row: r}
	n := c.int()
	t.ID = c.id()
	if w.txs != nil {
		w.txs[t.ID] = n
	}
	t.Key, t.RecordedAt = c.text(), c.time()
	t.EffectiveAt = c.optionalTime(t.RecordedAt)
	b := decoder{buf: c.bytes(), work: w}
	t.Postings = b.postings()
	t.Imported = c.int() != 0
	t.Note = c.note()
	if reverses := c.bytes(); reverses != nil {
		copy(t.Reverses[:], reverses)
	}
	if reversed := c.bytes(); reversed != nil {
		b.buf = reversed
		t.Reversed = make([]currency.Amount, b.count())
		for i := range t.Reversed {
			if i < len(t.Postings) {
				t.Reversed[i] = b.amount(t.Postings[i].Account.Asset)
			}
		}
	}
	return t, first(c.err, b.err)
}

func (c *columns) note() (n ledger.Note) {
	n.Reference, n.Description = c.text(), c.text()
	var err error
	n.Meta, err = metaOf(c.text())
	c.err = first(c.err, err)
	return n
}

func (w *work) putTxs(rows []ledger.Transaction) error {
	for i := range rows {
		if err := w.putTx(&rows[i]); err != nil {
			return err
		}
	}
	return w.bulk.flush(w, bulkTx)
}

func (w *work) putTx(t *ledger.Transaction) error {
	entry, key, err := w.entryOrKey(t.Key)
	if err != nil {
		return err
	}
	w.write.begin()
	w.write.postings(t.Postings)
	postings := w.write.buf
	var reversed, reverses any
	if t.Reversed != nil {
		if len(t.Reversed) != len(t.Postings) {
			return rowError("transaction %s has %d postings and %d reversed amounts", t.ID, len(t.Postings), len(t.Reversed))
		}
		err = w.write.err
		w.write.begin()
		w.write.uint(uint64(len(t.Reversed)))
		for i, a := range t.Reversed {
			w.write.amount(a, t.Postings[i].Account.Asset)
		}
		reversed = w.write.buf
	}
	if t.Reverses != (ledger.ID{}) {
		reverses = t.Reverses[:]
	}
	meta, failed := metaText(t.Meta)
	if err := errors.Join(err, w.write.err, failed); err != nil {
		return err
	}
	v := append(w.bulk.values(), entry, key, t.RecordedAt.UnixMicro(), unlessSame(t.EffectiveAt, t.RecordedAt), postings,
		int64(bit(t.Imported, 1)), orNull(t.Reference), orNull(t.Description), meta, reverses, reversed) //nolint:gosec // 0 or 1
	if n := w.txs[t.ID]; n != 0 {
		return w.exec(updateTx, append(v, n)...)
	}
	w.last.tx++
	w.txs[t.ID] = w.last.tx
	return w.bulk.add(w, bulkTx, append([]any{w.last.tx, w.book, t.ID[:]}, v...))
}

// Holds.

const holdColumns = `h.id, h.uuid, coalesce(e.key, h.key), h.account, h.amount, h.captured, h.released, h.state, h.placed_at,
	h.expires_at, h.updated_at, h.reference, h.description, h.meta FROM kosh_hold h LEFT JOIN kosh_entry e ON e.id = h.entry`

var (
	selectHolds  = newFamily(`SELECT ` + holdColumns + ` WHERE h.book = ? AND h.uuid`)
	selectHoldID = newQuery(`SELECT id FROM kosh_hold WHERE book = ? AND uuid = ?`)
	selectDue    = newQuery(`SELECT`, holdColumns, `WHERE h.account = ? AND h.state = 1 AND h.expires_at IS NOT NULL AND h.expires_at <= ?`)
	insertHold   = newQuery(`INSERT INTO kosh_hold (id, book, uuid, entry, key, account, amount, captured, released, state, placed_at,
		expires_at, updated_at, reference, description, meta) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	updateHold = newQuery(`UPDATE kosh_hold SET entry = ?, key = ?, account = ?, amount = ?, captured = ?, released = ?, state = ?,
		placed_at = ?, expires_at = ?, updated_at = ?, reference = ?, description = ?, meta = ? WHERE id = ?`)
)

func (w *work) readHold(r row) (h ledger.Hold, err error) {
	c := columns{row: r}
	n := c.int()
	h.ID = c.id()
	if w.holds != nil {
		w.holds[h.ID] = n
	}
	h.Key = c.text()
	if h.Account, err = w.accountID(c.int()); err != nil {
		return h, err
	}
	in := h.Account.Asset
	h.Amount, h.Captured, h.Released = w.amount(&c, in), w.amount(&c, in), w.amount(&c, in)
	h.State, h.PlacedAt = ledger.HoldState(c.int()), c.time() //nolint:gosec // as it was written
	h.ExpiresAt = c.optionalTime(time.Time{})
	h.UpdatedAt = c.time()
	h.Note = c.note()
	return h, c.err
}

func (w *work) putHold(h *ledger.Hold) error {
	a, err := w.account(h.Account)
	if err != nil {
		return err
	}
	if a == nil {
		return rowError("a hold on account %v, which is not there", h.Account)
	}
	entry, key, err := w.entryOrKey(h.Key)
	if err != nil {
		return err
	}
	var v args
	v.add(entry, key, a.id)
	in := h.Account.Asset
	v.amount(h.Amount, in)
	v.amount(h.Captured, in)
	v.amount(h.Released, in)
	meta, err := metaText(h.Meta)
	v.err = first(v.err, err)
	v.add(int64(h.State), h.PlacedAt.UnixMicro(), micros(h.ExpiresAt), h.UpdatedAt.UnixMicro(), orNull(h.Reference), orNull(h.Description), meta)
	if v.err != nil {
		return v.err
	}
	if n := w.holds[h.ID]; n != 0 {
		return w.exec(updateHold, append(v.values, n)...)
	}
	w.last.hold++
	w.holds[h.ID] = w.last.hold
	return w.exec(insertHold, append([]any{w.last.hold, w.book, h.ID[:]}, v.values...)...)
}
