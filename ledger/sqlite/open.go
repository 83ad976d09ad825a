package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"
)

// Open opens the file at path, creates it when it is not there, and brings its tables up to date as [Migrate] does. The folder
// must exist. A new file can be read by its owner only; chmod it for others, before there is a log beside it. A file stays as it
// is when it is no database, damaged, or of a newer kosh; see [Error].
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s, err := prepare(ctx, path, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Migrate creates the tables of kosh in the file at path, or brings them up to date, and leaves other tables alone. It goes
// forward only, one step at a time, each in a transaction of its own; several processes may call it at once.
func Migrate(ctx context.Context, path string) error {
	s, err := prepare(ctx, path, Options{})
	if err != nil {
		return err
	}
	return s.Close()
}

func prepare(ctx context.Context, path string, o Options) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, failure(CannotOpen, path, errors.New("a book in memory is ledger/memory"))
	}
	o = o.orDefaults()
	info, err := os.Stat(path)
	there := err == nil
	if there && !info.Mode().IsRegular() {
		return nil, failure(CannotOpen, path, errors.New("this is no file"))
	}
	if there && isTorn(path, info.Size()) {
		return nil, failure(Damaged, path, errors.New("it ends within a page"))
	}
	if !there {
		// SQLite would let everybody read a new file; it gives the -wal and -shm files the mode of this one. Whatever fails
		// here fails in dial again, and there it gets its reason.
		if f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600); err == nil { //nolint:gosec // the caller's path
			if err := f.Close(); err != nil {
				return nil, failure(InputOutput, path, err)
			}
		}
	}
	c, err := dial(ctx, path, o)
	if err != nil {
		if code := codeOf(err) & 0xff; there && code == sqlite3.SQLITE_CANTOPEN {
			return nil, failure(ReadOnly, path, err) // it is the log beside it that cannot be made
		}
		return nil, explain(path, err)
	}
	if err := c.migrate(ctx, migrations); err != nil {
		return nil, explain(path, errors.Join(err, c.close()))
	}
	if err := c.exec(touchSchema); err != nil { // a file that can only be read is found now and not by the first payment
		return nil, explain(path, errors.Join(err, c.close()))
	}
	s := &Store{path: path, options: o, facts: newFacts(o.CacheAccounts), writer: make(chan *writer, 1), readers: make(chan *conn, o.Readers), closed: make(chan struct{})}
	w := &writer{conn: c}
	w.cache.accounts.room = o.CacheAccounts
	s.writer <- w
	for range o.Readers {
		s.readers <- nil
	}
	return s, nil
}

// isTorn reports whether a file ends within a page, which SQLite would take for zeros. Beside a log that is no damage: the log has
// the page.
func isTorn(path string, size int64) bool {
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return false
	}
	f, err := os.Open(path) //nolint:gosec // the caller's path
	if err != nil {
		return false // SQLite will say why
	}
	defer func() { _ = f.Close() }()
	const magic = "SQLite format 3\x00"
	head := make([]byte, len(magic)+2)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(magic)]) != magic {
		return false // it is something else
	}
	page := int64(head[len(magic)])<<8 | int64(head[len(magic)+1])
	if page == 1 {
		page = 1 << 16
	}
	return page > 0 && size%page != 0
}

// Close waits for updates and reads that are under way, writes the log back into the file and closes it. After it every
// method is an error with the reason [Closed].
func (s *Store) Close() (err error) {
	s.once.Do(func() {
		close(s.closed)
		for range s.options.Readers {
			if c := <-s.readers; c != nil {
				err = errors.Join(err, c.close())
			}
		}
		if w := <-s.writer; w.conn != nil {
			err = errors.Join(err, w.close())
		}
	})
	return explain(s.path, err)
}

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step from a version of the tables to the next.
type migration struct {
	version int64
	name    string
	text    string
}

var migrations = mustReadMigrations(migrationFiles)

func mustReadMigrations(files fs.FS) []migration {
	all, err := readMigrations(files)
	if err != nil {
		panic(err) // the files are part of the program
	}
	return all
}

// readMigrations reads files such as 0001_book.sql, whose numbers have no gap.
func readMigrations(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, name := range names { // sorted
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".sql")
		number, _, _ := strings.Cut(base, "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil || version != int64(i)+1 {
			return nil, fmt.Errorf("sqlite: migration %s is not number %d", base, i+1)
		}
		all = append(all, migration{version, base, string(text)})
	}
	return all, nil
}

var (
	findSchema   = newQuery(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'kosh_schema'`)
	selectSchema = newQuery(`SELECT max(version) FROM kosh_schema`)
	insertSchema = newQuery(`INSERT INTO kosh_schema (version, name) VALUES (?, ?)`)
	// Changes nothing and takes the write lock, or says why not.
	touchSchema = newQuery(`UPDATE kosh_schema SET name = name WHERE version < 0`)
)

const createSchema = `CREATE TABLE kosh_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT`

// schemaVersion is the version of the tables in a file, 0 when there are none.
func schemaVersion(s session) (int64, error) {
	rows, err := s.rows(findSchema)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	if rows, err = s.rows(selectSchema); err != nil {
		return 0, err
	}
	c := columns{row: rows[0]}
	v, _ := c.optional()
	return v, c.err
}

// checkSchema says whether tables of a version can be used as they are.
func checkSchema(version int64) error {
	newest := int64(len(migrations))
	switch {
	case version == newest:
		return nil
	case version == 0:
		return failure(NoSchema, "", nil)
	case version < newest:
		return failure(OldSchema, "", fmt.Errorf("version %d; this is version %d", version, newest))
	default:
		return failure(NewSchema, "", fmt.Errorf("version %d; this is version %d", version, newest))
	}
}

// migrate brings the tables up to date. Who comes second finds nothing to do.
func (c *conn) migrate(ctx context.Context, steps []migration) error {
	newest := int64(len(steps))
	for {
		version, err := schemaVersion(c)
		if err != nil || version == newest {
			return err
		}
		if version > newest {
			return failure(NewSchema, "", fmt.Errorf("version %d; this is version %d", version, newest))
		}
		if err := c.step(ctx, steps); err != nil {
			return err
		}
	}
}

// step takes one step in a transaction.
func (c *conn) step(ctx context.Context, steps []migration) (err error) {
	if err := c.execContext(ctx, begin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.exec(rollback))
		}
	}()
	version, err := schemaVersion(c)
	if err != nil {
		return err
	}
	if version < int64(len(steps)) {
		if version == 0 {
			if err := c.script(createSchema); err != nil {
				return err
			}
		}
		m := steps[version]
		if err := c.script(m.text); err != nil {
			return fmt.Errorf("sqlite: migration %s: %w", m.name, err)
		}
		if err := c.exec(insertSchema, m.version, m.name); err != nil {
			return err
		}
	}
	return c.exec(commit)
}
