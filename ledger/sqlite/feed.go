package sqlite

import (
	"github.com/koshpay/kosh/ledger"
)

const (
	pendingColumns  = `p.uuid, p.recorded_at, p.entry, e.key, e.uuid, e.recorded_at, p.changes FROM kosh_pending p LEFT JOIN kosh_entry e ON e.id = p.entry`
	feedColumns     = `f.position, e.key, e.uuid, e.recorded_at, f.change FROM kosh_feed f LEFT JOIN kosh_entry e ON e.id = f.entry`
	blockColumns    = `number, first, last, sealed_at, previous, hash, marks FROM kosh_block`
	sequenceColumns = `name, last FROM kosh_sequence`
)

var (
	selectPending  = newFamily(`SELECT ` + pendingColumns + ` WHERE p.book = ? AND p.uuid`)
	deletePending  = newFamily(`DELETE FROM kosh_pending WHERE book = ? AND uuid`)
	insertBlock    = newQuery(`INSERT INTO kosh_block (book, number, first, last, sealed_at, previous, hash, marks) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	selectSequence = newQuery(`SELECT`, sequenceColumns, `WHERE book = ? AND name = ?`)
	putSequence    = newQuery(`INSERT OR REPLACE INTO kosh_sequence (book, name, last) VALUES (?, ?, ?)`)
)

// joinedEntry reads the columns of a key's row that was joined, nil when there is none.
func (c *columns) joinedEntry() *entryRow {
	if c.row[c.at] == nil {
		c.at += 3
		return nil
	}
	return &entryRow{0, c.text(), c.id(), c.time()}
}

func (w *work) readPending(r row) (p ledger.PendingRow, err error) {
	c := columns{row: r}
	p.Entry, p.RecordedAt = c.id(), c.time()
	entry, _ := c.optional()
	of := c.joinedEntry()
	if of != nil && w.keyed != nil {
		of.id = entry
		w.keyed[of.key] = of // whoever numbers the changes writes them to the feed
	}
	b := decoder{buf: c.bytes(), work: w}
	if n := b.count(); n > 0 {
		p.Changes = make([]ledger.Change, n)
	}
	for i := range p.Changes {
		p.Changes[i] = b.change(of)
	}
	return p, first(c.err, b.err)
}

func (w *work) putPending(rows []ledger.PendingRow, keys map[string]*ledger.KeyRow) error {
	for i := range rows {
		p := &rows[i]
		of, entry, err := w.entryOf(p.Changes, keys)
		if err != nil {
			return err
		}
		w.write.begin()
		w.write.uint(uint64(len(p.Changes)))
		for j := range p.Changes {
			w.write.change(&p.Changes[j], of)
		}
		if w.write.err != nil {
			return w.write.err
		}
		v := append(w.bulk.values(), w.book, p.Entry[:], p.RecordedAt.UnixMicro(), zeroNull(entry), w.write.buf)
		if err := w.bulk.add(w, bulkPending, v); err != nil {
			return err
		}
	}
	return w.bulk.flush(w, bulkPending)
}

// entryOf returns the row of the key that changes belong to, and its number; nil and 0 when there is none.
func (w *work) entryOf(changes []ledger.Change, keys map[string]*ledger.KeyRow) (*entryRow, int64, error) {
	if len(changes) == 0 || changes[0].Key == "" {
		return nil, 0, nil
	}
	key := changes[0].Key
	if k := keys[key]; k != nil {
		return &entryRow{w.entries[key], key, k.Receipt.ID, k.Receipt.RecordedAt}, w.entries[key], nil
	}
	if of := w.keyed[key]; of != nil {
		return of, of.id, nil
	}
	rows, err := w.rows(selectEntryRow, w.book, key)
	if err != nil || len(rows) == 0 {
		return nil, 0, err
	}
	c := columns{row: rows[0]}
	n := c.int()
	of := c.joinedEntry()
	of.id = n
	return of, n, c.err
}

func (w *work) readChange(r row) (ledger.Change, error) {
	c := columns{row: r}
	position := c.uint()
	of := c.joinedEntry()
	b := decoder{buf: c.bytes(), work: w}
	change := b.change(of)
	change.Position = position
	return change, first(c.err, b.err)
}

func (w *work) putFeed(rows []ledger.Change, keys map[string]*ledger.KeyRow) error {
	var of *entryRow
	var entry int64
	for i := range rows {
		if i == 0 || rows[i].Key != rows[i-1].Key {
			var err error
			if of, entry, err = w.entryOf(rows[i:i+1], keys); err != nil {
				return err
			}
		}
		w.write.begin()
		w.write.change(&rows[i], of)
		if w.write.err != nil {
			return w.write.err
		}
		v := append(w.bulk.values(), w.book, int64(rows[i].Position), zeroNull(entry), w.write.buf) //nolint:gosec // a count
		if err := w.bulk.add(w, bulkFeed, v); err != nil {
			return err
		}
	}
	return w.bulk.flush(w, bulkFeed)
}

func (w *work) readBlock(r row) (b ledger.Block, err error) {
	c := columns{row: r}
	b.Number, b.First, b.Last, b.SealedAt = c.uint(), c.uint(), c.uint(), c.time()
	copy(b.Previous[:], c.bytes())
	copy(b.Hash[:], c.bytes())
	b.Marks = c.bytes()
	return b, c.err
}

func (w *work) readSequence(r row) (s ledger.SequenceRow, err error) {
	c := columns{row: r}
	s.Name, s.Last = c.text(), c.uint()
	return s, c.err
}
