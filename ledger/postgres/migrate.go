package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// DefaultSchema is the PostgreSQL schema of the tables when Options do not say.
const DefaultSchema = "kosh"

// Migrations are the files that [Migrate] runs, for hosts with tools of their own: plain SQL, in the order of their names, each
// to be run once with the schema first in search_path. A host that runs them itself also notes each in the table
// "migration", as Migrate does: insert into migration (version, name) values (1, '0001_ledger.sql').
//
//go:embed migrations/*.sql
var Migrations embed.FS

// migrationTable notes what was run.
const migrationTable = `create table if not exists @migration (
	version integer primary key,
	name text not null,
	applied_at timestamptz not null default now()
)`

// MigrateOptions configure [Migrate]. The zero value is safe.
type MigrateOptions struct {
	// Schema is created when it is not there; empty means DefaultSchema.
	Schema string
	// Distribute makes distributed tables of all, by book, with create_distributed_table of the Citus extension, which must be
	// there. Tables that are distributed already are left alone.
	Distribute bool
}

// Migrate brings the tables to the version of this program, in one transaction: all or nothing. Any number of processes may
// call it at once; one does the work and the others wait. It only goes forward; tables newer than the program are left
// alone, which is [ErrNewSchema].
func Migrate(ctx context.Context, conn *pgx.Conn, o MigrateOptions) error {
	if o.Schema == "" {
		o.Schema = DefaultSchema
	}
	schema := pgx.Identifier{o.Schema}.Sanitize()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}) // whoever waited sees what the other did
	if err != nil {
		return explain(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after the commit
	for _, sql := range []string{
		// Advisory, because before the first run there is no row to lock.
		"select pg_advisory_xact_lock(hashtextextended('kosh ' || " + quote(o.Schema) + ", 0))",
		"create schema if not exists " + schema,
		"set local search_path to " + schema,
		strings.ReplaceAll(migrationTable, "@", schema+"."),
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return explain(err)
		}
	}
	var version int
	if err := tx.QueryRow(ctx, "select coalesce(max(version), 0) from "+schema+".migration").Scan(&version); err != nil {
		return explain(err)
	}
	if version > len(migrations()) {
		return newer(version)
	}
	for i, name := range migrations() {
		if i < version {
			continue
		}
		text, err := Migrations.ReadFile("migrations/" + name)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, string(text)); err != nil {
			return fmt.Errorf("postgres: migration %s: %w", name, err)
		}
		if _, err := tx.Exec(ctx, "insert into "+schema+".migration (version, name) values ($1, $2)", i+1, name); err != nil {
			return explain(err)
		}
	}
	if o.Distribute {
		if err := distribute(ctx, tx, schema); err != nil {
			return err
		}
	}
	return explain(tx.Commit(ctx))
}

// tables are distributed in this order, all beside the first.
var tables = []string{
	"account", "account_terms", "asset", "block", "counter", "document", "entry", "feed", "hold", "lease", "pending", "reference", "tx", "version",
}

func distribute(ctx context.Context, tx pgx.Tx, schema string) error {
	for i, table := range tables {
		name := schema + "." + table
		var already bool
		if err := tx.QueryRow(ctx, "select exists (select from pg_dist_partition where logicalrelid = $1::text::regclass)", name).Scan(&already); err != nil {
			return fmt.Errorf("postgres: distribute: is the Citus extension there? %w", err)
		}
		if already {
			continue
		}
		beside := "default"
		if i > 0 {
			beside = schema + "." + tables[0]
		}
		if _, err := tx.Exec(ctx, "select create_distributed_table($1::text::regclass, 'book', colocate_with => $2)", name, beside); err != nil {
			return fmt.Errorf("postgres: distribute %s: %w", table, err)
		}
	}
	return nil
}

// migrations are the files' names in order; the first is version 1.
func migrations() []string {
	names, _ := fs.Glob(Migrations, "migrations/*.sql") // sorted; the pattern is good
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "migrations/")
	}
	return names
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func newer(version int) error {
	return &SetupError{ErrNewSchema, "the tables are at version " + strconv.Itoa(version) + ", this program knows " + strconv.Itoa(len(migrations())) + ": deploy a newer program", nil}
}

// Check reports whether the database can be used: reached, with the tables of this program's version, and writable. Open
// calls it; a host that made the pool itself may. The error is a *[SetupError], or the context's.
func (s *Store) Check(ctx context.Context) error {
	var version int
	var readOnly bool
	err := s.pool.QueryRow(ctx, "select current_setting('transaction_read_only') = 'on'").Scan(&readOnly)
	if err != nil {
		return explain(err)
	}
	err = s.pool.QueryRow(ctx, "select coalesce(max(version), 0) from "+s.sql.schema+"migration").Scan(&version)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		version = 0
	case err != nil:
		return explain(err)
	}
	switch {
	case version == 0:
		return explain(&SetupError{ErrNoSchema, "run Migrate once before Open", nil})
	case version < len(migrations()):
		return &SetupError{ErrOldSchema, "the tables are at version " + strconv.Itoa(version) + ", this program needs " + strconv.Itoa(len(migrations())) + ": run Migrate", nil}
	case version > len(migrations()):
		return newer(version)
	case readOnly:
		return &SetupError{ErrReadOnly, "connect to the primary (target_session_attrs=read-write and all hosts in the URL), and look at default_transaction_read_only", nil}
	}
	return nil
}
