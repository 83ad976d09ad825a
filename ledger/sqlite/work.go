package sqlite

import (
	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// work is one transaction on one book: what it has learnt and made so far. It is for one goroutine.
type work struct {
	session
	facts *facts   // shared with other transactions of the store, or of this one alone
	cache *cache   // accounts as they stand; nil where nobody writes
	last  *numbers // the last row of each table that grows; nil where nobody writes
	book  int64    // 0: the book has no row yet
	name  string

	write   encoder
	entries map[string]int64     // rows of keys that this transaction has written
	txs     map[ledger.ID]int64  // rows of transactions that it has found or written
	holds   map[ledger.ID]int64  // and of holds
	keyed   map[string]*entryRow // rows of keys that pending rows belong to
	touched []*account           // accounts that it has written
	learnt  learnt               // facts to be shared once they are committed
	bulk    *bulks
}

// numbers are the last rows of the tables that grow. One connection writes at a time, so the next row is one more.
type numbers struct{ entry, tx, hold, line, account int64 }

var selectNumbers = newQuery(`SELECT (SELECT max(id) FROM kosh_entry), (SELECT max(id) FROM kosh_tx), (SELECT max(id) FROM kosh_hold),
	(SELECT max(id) FROM kosh_line), (SELECT max(id) FROM kosh_account)`)

func (w *work) readNumbers() (*numbers, error) {
	rows, err := w.rows(selectNumbers)
	if err != nil {
		return nil, err
	}
	c := columns{row: rows[0]}
	n := new(numbers)
	for _, p := range []*int64{&n.entry, &n.tx, &n.hold, &n.line, &n.account} {
		*p, _ = c.optional()
	}
	return n, c.err
}

var (
	selectBook = newQuery(`SELECT id FROM kosh_book WHERE name = ?`)
	insertBook = newQuery(`INSERT INTO kosh_book (name) VALUES (?)`)
)

// findBook finds the row of the book, if there is one.
func (w *work) findBook() error {
	if w.book = w.facts.book(w.name); w.book != 0 {
		return nil
	}
	rows, err := w.rows(selectBook, w.name)
	if err != nil || len(rows) == 0 {
		return err
	}
	c := columns{row: rows[0]}
	w.book = c.int()
	w.learnt.book = true
	return c.err
}

// addBook gives the book a row when it has none.
func (w *work) addBook() error {
	if w.book != 0 {
		return nil
	}
	if err := w.exec(insertBook, w.name); err != nil {
		return err
	}
	return w.findBook()
}

var selectAccountID = newQuery(`SELECT path, asset FROM kosh_account WHERE id = ?`)

// accountID names the account of a row.
func (w *work) accountID(n int64) (ledger.AccountID, error) {
	if id, known := w.facts.account(n); known {
		return id, nil
	}
	if id, known := w.learnt.accounts[n]; known {
		return id, nil
	}
	rows, err := w.rows(selectAccountID, n)
	if err != nil {
		return ledger.AccountID{}, err
	}
	if len(rows) == 0 {
		return ledger.AccountID{}, damaged("there is no account %d", n)
	}
	c := columns{row: rows[0]}
	id := ledger.AccountID{Path: c.text(), Asset: currency.AssetID(c.text())}
	w.learnt.account(n, id)
	return id, c.err
}

var (
	selectUnits = newQuery(`SELECT asset, code, name, scale, kind FROM kosh_unit`)
	selectUnit  = newQuery(selectUnits.text, `WHERE asset = ?`)
	insertUnit  = newQuery(`INSERT OR IGNORE INTO kosh_unit (asset, code, name, scale, kind) VALUES (?, ?, ?, ?, ?)`)
)

// asset returns an asset's definition. One that this process has never heard of is defined as the file has it, so that history
// can be read by whoever opens it.
func (w *work) asset(id currency.AssetID) (*currency.Definition, error) {
	if def, known := currency.Lookup(id); known {
		return def, nil
	}
	rows, err := w.rows(selectUnit, string(id))
	if err != nil {
		return nil, err
	}
	if err := defineUnits(rows); err != nil {
		return nil, err
	}
	def, known := currency.Lookup(id)
	if !known {
		return nil, damaged("there is no definition of asset %q", id)
	}
	return def, nil
}

func defineUnits(rows []row) error {
	for _, r := range rows {
		c := columns{row: r}
		info := currency.Info{ID: currency.AssetID(c.text()), Code: c.text(), Name: c.text(), Scale: uint8(c.int()), Kind: currency.Kind(c.int())} //nolint:gosec // as they were written
		if c.err != nil {
			return c.err
		}
		if _, known := currency.Lookup(info.ID); known {
			continue // another definition of it is for the Book to refuse
		}
		if _, err := currency.Define(info); err != nil {
			return damaged("the definition of asset %q: %w", info.ID, err)
		}
	}
	return nil
}

// addUnit keeps the definition of an asset.
func (w *work) addUnit(id currency.AssetID) error {
	def, known := currency.Lookup(id)
	if !known {
		return nil // an account without amounts
	}
	return w.exec(insertUnit, string(id), def.Code(), def.Name(), int64(def.Scale()), int64(def.Kind()))
}

// amount reads a column in an asset.
func (w *work) amount(c *columns, in currency.AssetID) (a currency.Amount) {
	v := c.next()
	if v == nil || c.err != nil {
		return a
	}
	asset, err := w.asset(in)
	if err == nil {
		switch v := v.(type) {
		case int64:
			a, err = currency.New(v, asset)
		case []byte:
			a, err = fromLarge(v, asset)
		default:
			c.wrong(v)
		}
	}
	c.err = first(c.err, err)
	return a
}

// units writes an amount as a column of a row in an asset.
func units(a currency.Amount, in currency.AssetID) (any, error) {
	if !a.IsValid() {
		return nil, nil
	}
	if a.AssetID() != in {
		return nil, damaged("an amount in %s in a row in %s", a.AssetID(), in)
	}
	if n, small := a.Int64(); small {
		return n, nil
	}
	return large(a), nil
}

// args collects the values of a row and the first error of making them.
type args struct {
	values []any
	err    error
}

func (a *args) add(v ...any) { a.values = append(a.values, v...) }

func (a *args) amount(v currency.Amount, in currency.AssetID) {
	value, err := units(v, in)
	a.err = first(a.err, err)
	a.values = append(a.values, value)
}
