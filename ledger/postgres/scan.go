package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// Scan implements [ledger.Store]. Every list has an index in its order; a page costs what its rows cost.
func (s *Store) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	if err := checkLimit(r); err != nil {
		return ledger.Rows{}, err
	}
	return again(ctx, s, func() (rows ledger.Rows, err error) {
		err = s.onConnection(ctx, func(ctx context.Context, session session) error {
			f := s.finder(session, book, false)
			settings := s.sql.settings
			if r.List == ledger.ListLines {
				settings = s.sql.settingsOfLines
			}
			rows, err = f.scan(ctx, r, &call{statement: s.sql.beginRead}, &call{statement: settings})
			return err
		})
		return rows, err
	})
}

func checkLimit(r ledger.Range) error {
	if r.Limit < 1 || r.Limit > ledger.MaxPage {
		return fmt.Errorf("postgres: a page has 1 to %d rows, not %d", ledger.MaxPage, r.Limit)
	}
	return nil
}

// scan reads a page; calls before are sent with it, and a transaction that they begin is left for the caller to end.
func (f *finder) scan(ctx context.Context, r ledger.Range, before ...*call) (ledger.Rows, error) {
	if r.List == ledger.ListFeed {
		return f.scanFeed(ctx, r, before...)
	}
	b := &query{r: r}
	if r.List == ledger.ListLines {
		if f.account(r.Account) == nil {
			if err := f.resolve(ctx, []ledger.AccountID{r.Account}); err != nil {
				return ledger.Rows{}, err
			}
		}
		a := f.account(r.Account)
		if a == nil {
			return ledger.Rows{}, nil
		}
		b.account = a.number
	}
	row, err := b.list(f)
	if err != nil {
		return ledger.Rows{}, err
	}
	c := f.call(newStatement(strings.ReplaceAll(b.sql.String(), "@", f.s.sql.schema), append([]uint32{oidText}, b.oids...)...), row, b.args...)
	calls := append(before, c)
	if len(before) > 0 {
		calls = append(calls, &call{statement: f.s.sql.commit})
	}
	if err := f.session.run(ctx, calls); err != nil {
		return ledger.Rows{}, err
	}
	if r.List == ledger.ListLines {
		for i := range f.lines {
			f.lines[i].Account = r.Account
		}
	}
	return f.complete(ctx)
}

// query is the text of a page under construction. $1 is the book.
type query struct {
	r       ledger.Range
	account int64 // its number, of ListLines
	sql     strings.Builder
	args    [][]byte
	oids    []uint32
}

func (q *query) arg(oid uint32, value []byte) string {
	q.args, q.oids = append(q.args, value), append(q.oids, oid)
	return fmt.Sprintf("$%d", len(q.args)+1)
}

func (q *query) text(s string) string    { return q.arg(oidText, []byte(s)) }
func (q *query) time(t time.Time) string { return q.arg(oidTimestamptz, wireTimestamp(t)) }
func (q *query) int8(v uint64) string {
	return q.arg(oidInt8, wireInt8(int64(min(v, maxInt8))))
}

// list writes the text of the range's list.
func (q *query) list(f *finder) (row func([][]byte) error, err error) {
	page := func(selected, order string, at func(*ledger.Position) []string) {
		q.page(selected, order, at)
	}
	one := func(part func(*ledger.Position) string) func(*ledger.Position) []string {
		return func(p *ledger.Position) []string { return []string{part(p)} }
	}
	a := func(p *ledger.Position) string { return q.text(p.A) }
	both := func(p *ledger.Position) []string { return []string{q.text(p.A), q.text(p.B)} }
	timed := func(p *ledger.Position) []string { return []string{q.time(p.Time), q.text(p.A), q.text(p.B)} }
	document := "select " + documentColumns + " from @document r where book = $1"
	hold := "select " + holdColumns + " from @hold r where book = $1"
	accounts := "select " + columnsOf("r", termsColumns) + ", " + columnsOf("a", balanceColumns) + " from @account_terms r join @account a on a.book = $1 and a.id = r.id where r.book = $1"
	switch q.r.List {
	case ledger.ListAccounts:
		page(accounts, "r.path, r.asset", both)
		return f.readAccount, nil
	case ledger.ListOwned:
		page(accounts+" and r.owner <> '' and r.owner = "+q.text(q.r.Owner), "r.path, r.asset", both)
		return f.readAccount, nil
	case ledger.ListLines:
		q.lines()
		return f.readLine, nil
	case ledger.ListTransactions:
		q.byTimeAndID("select id, key, recorded_at, body from @tx r where book = $1 and moved", "recorded_at")
		return f.readTransaction, nil
	case ledger.ListHolds:
		q.byTimeAndID(hold, "placed_at")
		return f.readHold, nil
	case ledger.ListDueHolds:
		q.byTimeAndID(hold+" and state = 1 and expires_at is not null", "expires_at")
		return f.readHold, nil
	case ledger.ListOpenHolds:
		q.byTimeAndID(hold+" and state = 1 and account = "+q.number(), "placed_at")
		return f.readHold, nil
	case ledger.ListDocuments:
		if q.r.Kind == "" {
			page(document, "r.created_at, r.kind, r.id", timed)
		} else {
			page(document+" and r.kind = "+q.text(q.r.Kind), "r.created_at, r.kind, r.id", timed)
		}
		return f.readDocument, nil
	case ledger.ListDossier:
		page(document+" and r.owner <> '' and r.owner = "+q.text(q.r.Owner), "r.created_at, r.kind, r.id", timed)
		return f.readDocument, nil
	case ledger.ListDueDocuments:
		page(document+" and r.due is not null", "r.due, r.kind, r.id", timed)
		return f.readDocument, nil
	case ledger.ListVersions:
		page("select "+documentColumns+" from @version r where book = $1 and kind = "+q.text(q.r.Document.Kind)+" and id = "+q.text(q.r.Document.ID),
			"r.version", one(func(p *ledger.Position) string { return q.int8(p.Number) }))
		return f.readVersion, nil
	case ledger.ListLeases:
		page("select kind, id, token, holder, until from @lease r where book = $1", "r.kind, r.id", both)
		return f.readLease, nil
	case ledger.ListKeys:
		page("select key, id, recorded_at, inputs, receipt from @tx r where book = $1 and keyed", "r.key", one(a))
		return f.readKey, nil
	case ledger.ListReferences:
		page("select reference, kind, id from @reference r where book = $1", "r.reference", one(a))
		return f.readReference, nil
	case ledger.ListAssets:
		page("select id, code, name, scale, kind from @asset r where book = $1", "r.id", one(a))
		return f.readAsset, nil
	case ledger.ListPending:
		q.byTimeAnd("entry", "select entry, recorded_at, changes from @pending r where book = $1", "recorded_at")
		return f.readPending, nil
	case ledger.ListSequences:
		page("select name, last from @counter r where book = $1", "r.name", one(a))
		return f.readCounter, nil
	case ledger.ListBlocks:
		page("select "+blockColumns+" from @block r where book = $1", "r.number", one(func(p *ledger.Position) string { return q.int8(p.Number) }))
		return f.readBlock, nil
	default:
		return nil, fmt.Errorf("postgres: there is no list %d", q.r.List)
	}
}

// number is the account's, as a part of the text.
func (q *query) number() string {
	return "(select id from @account_terms where book = $1 and path = " + q.text(q.r.Account.Path) + " and asset = " + q.text(string(q.r.Account.Asset)) + ")"
}

// page ends the text of a list whose order compares as columns do.
func (q *query) page(selected, order string, at func(*ledger.Position) []string) {
	q.sql.WriteString(selected)
	if q.r.After != nil {
		q.sql.WriteString(" and (" + order + ") > (" + strings.Join(at(q.r.After), ", ") + ")")
	}
	if q.r.Before != nil {
		q.sql.WriteString(" and (" + order + ") < (" + strings.Join(at(q.r.Before), ", ") + ")")
	}
	q.end(strings.Split(order, ", ")...)
}

func (q *query) end(order ...string) {
	direction := ""
	if q.r.Backward {
		direction = " desc"
	}
	q.sql.WriteString(" order by " + strings.Join(order, direction+", ") + direction + " limit " + q.int8(uint64(q.r.Limit))) //nolint:gosec // checked
}

// byTimeAndID is page for lists by time and id. A position's id may be any text, so ids compare by their text form; the
// index finds the time, and those of the same moment are few.
func (q *query) byTimeAndID(selected, column string) { q.byTimeAnd("id", selected, column) }

func (q *query) byTimeAnd(id, selected, column string) {
	q.sql.WriteString(selected)
	for _, b := range []struct {
		at *ledger.Position
		op string
	}{{q.r.After, ">"}, {q.r.Before, "<"}} {
		if b.at == nil {
			continue
		}
		t := q.time(b.at.Time)
		q.sql.WriteString(" and r." + column + " " + b.op + "= " + t + " and (r." + column + " " + b.op + " " + t +
			" or r." + id + "::text collate \"C\" " + b.op + " " + q.text(b.at.A) + ")")
	}
	q.end("r."+column, "r."+id)
}

// lines is the text of ListLines. Lines are kept by version, and their times ascend with it: the version at which a position
// lies is found by halving, so no second index is kept for the sake of moments.
func (q *query) lines() {
	account := q.arg(oidInt8, wireInt8(q.account))
	where := ""
	with := "with recursive "
	if q.r.After != nil {
		q.sql.WriteString(with)
		with = ", "
		q.halve("lower_bound", account, q.r.After, ">")
		where += " and r.version >= (select max(lo) from lower_bound where lo = hi)"
	}
	if q.r.Before != nil {
		q.sql.WriteString(with)
		q.halve("upper_bound", account, q.r.Before, ">=")
		where += " and r.version < (select max(lo) from upper_bound where lo = hi)"
	}
	q.sql.WriteString(" select " + lineColumns + " from @entry r where book = $1 and account = " + account + where)
	q.end("r.version")
}

// halve writes a query for the first version whose line is beyond a position. Positions mostly come from lines, so the line of
// that version is looked at first.
func (q *query) halve(name, account string, at *ledger.Position, op string) {
	t, n := q.time(at.Time), q.int8(at.Number)
	exact := n
	if op == ">" { // added here: the planner computes with parameters, also where no row would
		exact = q.int8(min(at.Number, maxInt8-1) + 1)
	}
	of := "e.book = $1 and e.account = " + account
	q.sql.WriteString(name + "(lo, hi) as (select case when hit then " + exact + " else 1 end, case when hit then " + exact + " else last + 1 end from (select " +
		"exists (select from @entry e where " + of + " and e.version = " + n + " and e.recorded_at = " + t + ") as hit, " +
		"coalesce((select e.version from @entry e where " + of + " order by e.version desc limit 1), 0) as last) start" +
		" union all select case when beyond then lo else mid + 1 end, case when beyond then mid else hi end from (select lo, hi, mid, " +
		"coalesce((select (e.recorded_at, e.version) " + op + " (" + t + ", " + n + ") from @entry e where " + of + " and e.version >= mid order by e.version limit 1), true) as beyond" +
		" from (select lo, hi, (lo + hi) / 2 as mid from " + name + " where lo < hi) halves) step)")
}

// scanFeed reads the rows of the feed that have the page's changes. Positions have no gaps, so few rows are read in vain.
func (f *finder) scanFeed(ctx context.Context, r ledger.Range, before ...*call) (ledger.Rows, error) {
	lo, hi := uint64(0), uint64(maxInt8) // strictly between
	if r.After != nil {
		lo = min(r.After.Number, maxInt8)
	}
	if r.Before != nil {
		hi = min(r.Before.Number, maxInt8)
	}
	var page []ledger.Change
	for len(page) < r.Limit {
		f.feed = nil
		chunk := (r.Limit-len(page))/8 + 1
		q := &query{r: ledger.Range{Backward: r.Backward, Limit: chunk}}
		from, to := q.int8(lo), q.int8(hi)
		q.sql.WriteString("select first, last, changes from @feed r where book = $1 and last > " + from + " and first < " + to +
			" and first >= coalesce((select first from @feed where book = $1 and first <= " + from + " order by first desc limit 1), 0)")
		q.end("r.first")
		c := f.call(newStatement(strings.ReplaceAll(q.sql.String(), "@", f.s.sql.schema), append([]uint32{oidText}, q.oids...)...), f.readFeed, q.args...)
		if err := f.session.run(ctx, append(before, c)); err != nil {
			return ledger.Rows{}, err
		}
		before = nil
		read := len(f.feed)
		rows, err := f.complete(ctx)
		if err != nil {
			return ledger.Rows{}, err
		}
		had := len(page)
		page = appendPage(page, rows.Feed, r.Backward, lo, hi, r.Limit)
		if read < chunk || len(page) == had {
			break
		}
		if end := page[len(page)-1].Position; r.Backward {
			hi = end
		} else {
			lo = end
		}
	}
	return ledger.Rows{Feed: page}, nil
}

// appendPage adds the changes between two positions.
func appendPage(page, changes []ledger.Change, backward bool, lo, hi uint64, limit int) []ledger.Change {
	slices.SortFunc(changes, func(a, b ledger.Change) int {
		if backward {
			a, b = b, a
		}
		return cmp.Compare(a.Position, b.Position)
	})
	for i := range changes {
		if p := changes[i].Position; p > lo && p < hi && len(page) < limit {
			page = append(page, changes[i])
		}
	}
	return page
}
