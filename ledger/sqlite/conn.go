package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// query is one statement. Every session prepares it once, so a query is made once and used by its address.
type query struct{ text string }

func newQuery(text ...string) *query { return &query{strings.Join(text, " ")} }

// session runs statements in a transaction: of a connection of our own, or of the host.
type session interface {
	exec(q *query, args ...any) error
	rows(q *query, args ...any) ([]row, error)
}

// conn is a connection of our own. It speaks to the driver directly: what database/sql adds (a pool, contexts, conversions) costs
// as much as the statements themselves. It is for one goroutine.
type conn struct {
	ctx   context.Context // that never ends: a statement that has begun is short, and half a write would have to be taken back
	raw   driver.Conn
	stmts map[*query]driver.Stmt
	named []driver.NamedValue
}

// dataSource is the name of a file as the driver takes it: a URI, so that no character of the path means something.
func dataSource(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
	return u.String(), nil
}

// dial opens a connection and sets it up.
func dial(ctx context.Context, path string, o Options) (*conn, error) {
	name, err := dataSource(path)
	if err != nil {
		return nil, err
	}
	raw, err := new(sqlite.Driver).Open(name)
	if err != nil {
		return nil, err
	}
	c := &conn{ctx: context.WithoutCancel(ctx), raw: raw, stmts: make(map[*query]driver.Stmt)}
	if err := c.writeAhead(ctx, o.LockWait); err != nil {
		return nil, errors.Join(err, c.close())
	}
	for _, pragma := range []string{
		"synchronous = FULL",
		"cache_size = -" + strconv.Itoa(o.CacheKilobytes),
		"wal_autocheckpoint = " + strconv.Itoa(checkpointPages),
		"journal_size_limit = " + strconv.Itoa(checkpointPages*pageBytes),
		"temp_store = MEMORY",
	} {
		if _, err := c.once("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// writeAhead puts the file into write-ahead mode, and waits until it can. SQLite waits by itself, for as long as busy_timeout says, but
// not for two who are about to change the mode of a new file: there it says at once that the file is busy.
func (c *conn) writeAhead(ctx context.Context, lockWait time.Duration) error {
	if _, err := c.once("PRAGMA busy_timeout = " + strconv.FormatInt(lockWait.Milliseconds(), 10)); err != nil {
		return err
	}
	over := time.After(lockWait)
	for {
		_, err := c.once("PRAGMA journal_mode = WAL")
		if codeOf(err)&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-over:
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

const (
	pageBytes       = 4_096
	checkpointPages = 32_768 // 128 MB: the longer the log, the more often a page is written there and only once to its place
)

// once runs a statement that nobody repeats.
func (c *conn) once(text string, args ...any) ([]row, error) {
	q := newQuery(text)
	rows, err := c.rows(q, args...)
	if s := c.stmts[q]; s != nil {
		delete(c.stmts, q)
		err = errors.Join(err, s.Close())
	}
	return rows, err
}

func (c *conn) stmt(q *query) (driver.Stmt, error) {
	if s := c.stmts[q]; s != nil {
		return s, nil
	}
	s, err := c.raw.Prepare(q.text)
	if err == nil {
		c.stmts[q] = s
	}
	return s, err
}

func (c *conn) bind(args []any) []driver.NamedValue {
	c.named = c.named[:0]
	for i, a := range args {
		c.named = append(c.named, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.named
}

// execContext is exec for what may have to wait for other processes.
func (c *conn) execContext(ctx context.Context, q *query) error {
	s, err := c.stmt(q)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(ctx, nil)
	return err
}

// script runs any number of statements.
func (c *conn) script(text string) error {
	s, err := c.raw.Prepare(text)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(c.ctx, nil)
	return errors.Join(err, s.Close())
}

func (c *conn) exec(q *query, args ...any) error {
	s, err := c.stmt(q)
	if err != nil {
		return err
	}
	_, err = s.(driver.StmtExecContext).ExecContext(c.ctx, c.bind(args))
	return err
}

func (c *conn) rows(q *query, args ...any) (found []row, err error) {
	s, err := c.stmt(q)
	if err != nil {
		return nil, err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(c.ctx, c.bind(args))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	width := len(rows.Columns())
	for {
		r := make(row, width)
		if err := rows.Next(r); err != nil {
			if errors.Is(err, io.EOF) {
				return found, nil
			}
			return nil, err
		}
		found = append(found, r)
	}
}

func (c *conn) close() error {
	var all error
	for _, s := range c.stmts {
		all = errors.Join(all, s.Close())
	}
	clear(c.stmts)
	return errors.Join(all, c.raw.Close())
}

// hosted is the session of a host's transaction.
type hosted struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[*query]*sql.Stmt
}

func (h *hosted) stmt(q *query) (*sql.Stmt, error) {
	if s := h.stmts[q]; s != nil {
		return s, nil
	}
	s, err := h.tx.PrepareContext(h.ctx, q.text)
	if err == nil {
		h.stmts[q] = s
	}
	return s, err
}

func (h *hosted) exec(q *query, args ...any) error {
	s, err := h.stmt(q) //nolint:sqlclosecheck // the end of the transaction closes it
	if err != nil {
		return err
	}
	_, err = s.ExecContext(h.ctx, args...)
	return err
}

func (h *hosted) rows(q *query, args ...any) (found []row, err error) {
	s, err := h.stmt(q) //nolint:sqlclosecheck // the end of the transaction closes it
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(h.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range into {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		r := make(row, len(values))
		for i, v := range values {
			r[i] = v
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

// row is one row as SQLite gives it: nil, int64, string or []byte in each column.
type row []driver.Value

// columns takes a row apart from left to right. The first value of a wrong type is remembered, and everything after it is zero.
type columns struct {
	row row
	at  int
	err error
}

func (c *columns) next() driver.Value {
	c.at++
	return c.row[c.at-1]
}

func (c *columns) wrong(v driver.Value) {
	if c.err == nil {
		c.err = damaged("column %d of a row holds %T", c.at, v)
	}
}

func (c *columns) int() int64 {
	v, ok := c.next().(int64)
	if !ok {
		c.wrong(c.row[c.at-1])
	}
	return v
}

func (c *columns) uint() uint64 { return uint64(c.int()) } //nolint:gosec // the bits, as they were written

// optional returns an integer that may be missing.
func (c *columns) optional() (v int64, there bool) {
	if c.row[c.at] == nil {
		c.at++
		return 0, false
	}
	return c.int(), true
}

func (c *columns) text() string {
	switch v := c.next().(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		c.wrong(v)
		return ""
	}
}

func (c *columns) bytes() []byte {
	switch v := c.next().(type) {
	case nil:
		return nil
	case []byte:
		return v
	default:
		c.wrong(v)
		return nil
	}
}

func (c *columns) time() time.Time { return fromMicros(c.int()) }

func (c *columns) optionalTime(otherwise time.Time) time.Time {
	if v, there := c.optional(); there {
		return fromMicros(v)
	}
	return otherwise
}

// Times are microseconds since 1970; the zero time is one of them.
func fromMicros(v int64) time.Time { return time.UnixMicro(v).UTC() }

// micros is a time that is null when zero.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
