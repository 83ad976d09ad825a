package sqlite

import (
	"slices"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// account is an account's two rows.
type account struct {
	id      int64
	info    ledger.AccountInfo
	head    int64  // its last line, 0 for none
	lines   uint64 // the version of that
	marks   marks
	touched bool // in the transaction that is under way
}

// cache has accounts as they stand after the last commit, so that a busy account is not read again for every batch. It is the
// writer's own, and is emptied when another connection has written.
type cache struct {
	accounts generations[accountName, *account]
}

type accountName struct {
	book int64
	ledger.AccountID
}

const accountColumns = `a.id, a.path, a.asset, a.type, a.owner, a.opened_at, a.opening_floor, a.opening_ceiling, a.opening_flags,
	a.floor, a.ceiling, a.flags, b.version, b.posted, b.held, b.updated_at, b.expiry, b.head, b.lines, b.marks
	FROM kosh_account a JOIN kosh_balance b ON b.account = a.id`

var (
	selectAccounts = newFamily(`SELECT ` + accountColumns + ` WHERE a.book = ? AND a.path`)

	selectAccount = newQuery(`SELECT`, accountColumns, `WHERE a.book = ? AND a.path = ? AND a.asset = ?`)

	insertAccount = newQuery(`INSERT INTO kosh_account (id, book, path, asset, type, owner, opened_at, opening_floor, opening_ceiling,
		opening_flags, floor, ceiling, flags) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	updateAccount = newQuery(`UPDATE kosh_account SET type = ?, owner = ?, opened_at = ?, opening_floor = ?, opening_ceiling = ?,
		opening_flags = ?, floor = ?, ceiling = ?, flags = ? WHERE id = ?`)
)

func (w *work) readAccount(r row) (*account, error) {
	c := columns{row: r}
	a := &account{id: c.int()}
	i := &a.info
	i.ID = ledger.AccountID{Path: c.text(), Asset: currency.AssetID(c.text())}
	in := i.ID.Asset
	i.Type = ledger.AccountType(c.int()) //nolint:gosec // as it was written
	i.Owner, i.OpenedAt = c.text(), c.time()
	i.Opening.Floor, i.Opening.Ceiling = w.amount(&c, in), w.amount(&c, in)
	setTermFlags(&i.Opening, c.uint())
	i.Terms.Floor, i.Terms.Ceiling = w.amount(&c, in), w.amount(&c, in)
	setTermFlags(&i.Terms, c.uint())
	i.Version = c.uint()
	i.Posted, i.Held = w.amount(&c, in), w.amount(&c, in)
	i.UpdatedAt = c.time()
	if v, there := c.optional(); there {
		i.NextExpiry = fromMicros(v)
	}
	a.head, _ = c.optional()
	a.lines = i.Version
	if n, there := c.optional(); there {
		a.lines = uint64(n) //nolint:gosec // as it was written
	}
	var err error
	if a.marks, err = readMarks(c.bytes()); err != nil {
		c.err = first(c.err, err)
	}
	return a, c.err
}

// account returns an account as it stands in this transaction, or nil.
func (w *work) account(id ledger.AccountID) (*account, error) {
	name := accountName{w.book, id}
	if w.cache != nil {
		if a, known := w.cache.accounts.get(name); known {
			return a, nil
		}
	}
	if w.book == 0 {
		return nil, nil
	}
	rows, err := w.rows(selectAccount, w.book, id.Path, string(id.Asset))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	a, err := w.readAccount(rows[0])
	if err != nil {
		return nil, err
	}
	if w.cache != nil {
		w.cache.accounts.put(name, a)
	}
	return a, nil
}

// findAccounts reads accounts of which it knows nothing many at a time: after a restart, that is all of a batch.
func (w *work) findAccounts(ids []ledger.AccountID) ([]ledger.AccountInfo, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var known map[ledger.AccountID]*account
	if len(ids) >= someNames {
		var err error
		if known, err = w.prefetch(ids); err != nil {
			return nil, err
		}
	}
	found := make([]ledger.AccountInfo, 0, len(ids))
	for _, id := range ids {
		a := known[id]
		if a == nil {
			var err error
			if a, err = w.account(id); err != nil {
				return nil, err
			}
		}
		if a != nil {
			found = append(found, a.info)
		}
	}
	return found, nil
}

// prefetch reads those of the accounts that are not remembered.
func (w *work) prefetch(ids []ledger.AccountID) (map[ledger.AccountID]*account, error) {
	var paths []string // sorted, as the ids are
	for _, id := range ids {
		if w.cache != nil {
			if _, known := w.cache.accounts.look(accountName{w.book, id}); known {
				continue
			}
		}
		if n := len(paths); n == 0 || paths[n-1] != id.Path {
			paths = append(paths, id.Path)
		}
	}
	if len(paths) < someNames {
		return nil, nil
	}
	read, err := together(w, selectAccounts, paths, keyValue, w.readAccount)
	if err != nil {
		return nil, err
	}
	known := make(map[ledger.AccountID]*account, len(read))
	for _, a := range read {
		if w.cache != nil {
			name := accountName{w.book, a.info.ID}
			if _, there := w.cache.accounts.look(name); there {
				continue // of the same path, and touched perhaps
			}
			w.cache.accounts.put(name, a)
		}
		known[a.info.ID] = a
	}
	return known, nil
}

func (w *work) touch(a *account) {
	if !a.touched {
		a.touched = true
		w.touched = append(w.touched, a)
	}
}

// putAccounts writes what changes rarely; what always changes waits for putBalances.
func (w *work) putAccounts(rows []ledger.AccountInfo) error {
	for i := range rows {
		if err := w.putAccount(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *work) putAccount(i *ledger.AccountInfo) error {
	a, err := w.account(i.ID)
	if err != nil {
		return err
	}
	var v args
	v.add(int64(i.Type), i.Owner, i.OpenedAt.UnixMicro())
	switch {
	case a == nil:
		if err := w.addUnit(i.ID.Asset); err != nil {
			return err
		}
		w.last.account++
		a = &account{id: w.last.account}
		v.values = append([]any{a.id, w.book, i.ID.Path, string(i.ID.Asset)}, v.values...)
		w.terms(&v, i)
		if v.err != nil {
			return v.err
		}
		if err := w.exec(insertAccount, v.values...); err != nil {
			return err
		}
		w.cache.accounts.put(accountName{w.book, i.ID}, a)
		w.learnt.account(a.id, i.ID)
	case a.info.Type != i.Type || a.info.Owner != i.Owner || !a.info.OpenedAt.Equal(i.OpenedAt) || a.info.Opening != i.Opening || a.info.Terms != i.Terms:
		w.terms(&v, i)
		v.add(a.id)
		if v.err != nil {
			return v.err
		}
		if err := w.exec(updateAccount, v.values...); err != nil {
			return err
		}
	}
	a.info = *i
	w.touch(a)
	return nil
}

func (w *work) terms(v *args, i *ledger.AccountInfo) {
	for _, t := range []*ledger.Terms{&i.Opening, &i.Terms} {
		v.amount(t.Floor, i.ID.Asset)
		v.amount(t.Ceiling, i.ID.Asset)
		v.add(int64(termFlags(t))) //nolint:gosec // three bits
	}
}

// putBalances writes the balance of every account that was touched, in the order of their rows, so that the pages are visited
// once.
func (w *work) putBalances() error {
	slices.SortFunc(w.touched, func(a, b *account) int { return int(a.id - b.id) })
	for _, a := range w.touched {
		i := &a.info
		v := args{values: w.bulk.values()}
		v.add(a.id, int64(i.Version)) //nolint:gosec // a count of lines
		v.amount(i.Posted, i.ID.Asset)
		v.amount(i.Held, i.ID.Asset)
		v.add(i.UpdatedAt.UnixMicro(), micros(i.NextExpiry), zeroNull(a.head))
		if a.lines == i.Version {
			v.add(nil)
		} else {
			v.add(int64(a.lines)) //nolint:gosec // a count of lines
		}
		v.add(bytesOrNull(a.marks.bytes()))
		if v.err != nil {
			return v.err
		}
		if err := w.bulk.add(w, bulkBalance, v.values); err != nil {
			return err
		}
	}
	return w.bulk.flush(w, bulkBalance)
}

func zeroNull(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// settle ends what the transaction did to the cache: accounts that it wrote stay when it is committed, and are forgotten when
// it is not.
func (w *work) settle(committed bool) {
	for _, a := range w.touched {
		a.touched = false
		if !committed {
			w.cache.accounts.forget(accountName{w.book, a.info.ID})
		}
	}
	w.touched = nil
}
