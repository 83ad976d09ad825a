package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/koshpay/kosh/ledger"
)

// Join returns a store inside a transaction of the host, so that an entry and the host's own rows are committed together or
// not at all:
//
//	db, err := sql.Open("sqlite", "file:app.db?_txlock=immediate&_busy_timeout=10000")  // modernc.org/sqlite
//	tx, err := db.BeginTx(ctx, nil)
//	_, err = tx.ExecContext(ctx, `INSERT INTO likes …`)
//	tip, err := book.In(sqlite.Join(tx)).Record(ctx, entry)
//	err = tx.Commit()
//
// The transaction must be one that writes, which is what _txlock=immediate says; database/sql begins others unless told.
// One that has only read becomes one that writes if nobody has written since its first read; otherwise, or when it is read-only,
// the error has the reason [NotUpdating] and the host begins again. The file's tables must be up to date: run [Migrate].
// Until the host commits, nobody else writes to the file: record last.
//
// What an Update that fails has written is taken back by a savepoint; the host's transaction goes on. The store may be
// used as long as the transaction, by one goroutine at a time or by several.
func Join(tx *sql.Tx) ledger.Store { return &joined{tx: tx, stmts: make(map[*query]*sql.Stmt)} }

type joined struct {
	mu    sync.Mutex
	tx    *sql.Tx
	stmts map[*query]*sql.Stmt
	fit   bool // the tables are up to date
}

var (
	savepoint  = newQuery(`SAVEPOINT kosh`)
	release    = newQuery(`RELEASE kosh`)
	rollbackTo = newQuery(`ROLLBACK TO kosh`)
)

// begin returns a fresh look at the host's transaction. Nothing is remembered from one call to the next: the host may have
// gone back to a savepoint.
func (j *joined) begin(ctx context.Context, book string) (*work, error) {
	// A call that has begun is not interrupted: half a write would have to be taken back on a context that has ended.
	h := &hosted{ctx: context.WithoutCancel(ctx), tx: j.tx, stmts: j.stmts}
	if !j.fit {
		version, err := schemaVersion(h)
		if err == nil {
			err = checkSchema(version)
		}
		if err != nil {
			return nil, err
		}
		j.fit = true
	}
	w := &work{session: h, facts: newFacts(1_000), name: book}
	return w, w.findBook()
}

func (j *joined) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	w, err := j.begin(ctx, book)
	if err != nil {
		return explain("", err)
	}
	if err := w.exec(touchSchema); err != nil {
		return notUpdating(err)
	}
	w.cache, w.bulk = &cache{accounts: generations[accountName, *account]{room: 1 << 20}}, new(bulks)
	write, err := w.decide(want, decide)
	if err != nil {
		return explain("", err)
	}
	if rowsEmpty(&write) {
		return nil
	}
	if w.last, err = w.readNumbers(); err != nil {
		return explain("", err)
	}
	if err := w.exec(savepoint); err != nil {
		return explain("", err)
	}
	if err := w.apply(&write); err != nil {
		return explain("", errors.Join(err, w.exec(rollbackTo), w.exec(release)))
	}
	return explain("", w.exec(release))
}

// notUpdating says why a transaction could not begin to write.
func notUpdating(err error) error {
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_LOCKED:
		return failure(NotUpdating, "", err)
	}
	return explain("", err)
}

func (j *joined) Read(ctx context.Context, book string, want ledger.Names) (found ledger.Rows, err error) {
	err = j.read(ctx, book, func(w *work) error {
		found, err = w.find(want.Sorted())
		return err
	})
	return found, err
}

func (j *joined) Scan(ctx context.Context, book string, r ledger.Range) (rows ledger.Rows, err error) {
	err = j.read(ctx, book, func(w *work) error {
		rows, err = w.scan(r)
		return err
	})
	return rows, err
}

func (j *joined) read(ctx context.Context, book string, look func(*work) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	w, err := j.begin(ctx, book)
	if err == nil {
		err = look(w)
	}
	return explain("", err)
}
