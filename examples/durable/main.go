// Command durable plays the quickstart's day on a store that outlives the program: a SQLite file, or PostgreSQL.
//
//	go run ./examples/durable                                  # in kosh-day.db, in the working folder
//	go run ./examples/durable -store sqlite:/tmp/day.db
//	go run ./examples/durable -store postgres:postgres://localhost/kosh
//
// Run it twice: every request of the second run is the same request again, so it is answered as before, and the books end as
// they were. Stop it in the middle, kill it even, and run it again: it finishes the day.
//
// The app is that of the quickstart; this program only opens its store. The pretend providers outlive the program as real
// ones do, in a file of their own beside the store's.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/koshpay/kosh/examples/quickstart/app"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/postgres"
	"github.com/koshpay/kosh/ledger/sqlite"
)

// book is the tenant of the day, so that it meddles with nothing else in a database that others use too.
const book = "durable"

func main() {
	where := &place{}
	app.Main(app.Program{Name: "durable", Flags: where.flags, Open: where.open})
}

// place says what the day is kept in.
type place struct{ store, tape string }

func (p *place) flags(f *flag.FlagSet) {
	f.StringVar(&p.store, "store", "sqlite:kosh-day.db", "keep the day in sqlite:`FILE`, or in PostgreSQL at postgres:URL")
	f.StringVar(&p.tape, "tape", "", "keep the pretend providers in this `file` (default the SQLite file and .providers, or kosh-day.providers)")
}

func (p *place) open(ctx context.Context) (app.Backing, func() error, error) {
	store, tapePath, closeStore, err := p.openStore(ctx)
	if err != nil {
		return app.Backing{}, nil, err
	}
	if p.tape != "" {
		tapePath = p.tape
	}
	tape, err := app.OpenTape(tapePath)
	if err != nil {
		return app.Backing{}, nil, errors.Join(err, closeStore())
	}
	closeBoth := func() error { return errors.Join(tape.Close(), closeStore()) }
	if err := belongTogether(ctx, store, tape, tapePath); err != nil {
		return app.Backing{}, nil, errors.Join(err, closeBoth())
	}
	return app.Backing{Store: store, Book: book, Tape: tape}, closeBoth, nil
}

func (p *place) openStore(ctx context.Context) (store ledger.Store, tape string, closeStore func() error, err error) {
	if file, is := strings.CutPrefix(p.store, "sqlite:"); is && file != "" {
		s, err := sqlite.Open(ctx, file, sqlite.Options{})
		if err != nil {
			return nil, "", nil, err
		}
		return s, file + ".providers", s.Close, nil
	}
	url := p.store
	if after, is := strings.CutPrefix(url, "postgres:"); is && !strings.HasPrefix(after, "//") {
		url = after
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		s, err := openPostgres(ctx, url)
		if err != nil {
			return nil, "", nil, err
		}
		return s, "kosh-day.providers", func() error { s.Close(); return nil }, nil
	}
	return nil, "", nil, fmt.Errorf("-store %q is neither sqlite:FILE nor postgres:URL", p.store)
}

// openPostgres brings the schema up to date first. A host with tools of its own for migrations runs the .sql files instead.
func openPostgres(ctx context.Context, url string) (*postgres.Store, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	err = postgres.Migrate(ctx, conn, postgres.MigrateOptions{})
	if err = errors.Join(err, conn.Close(ctx)); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, url, postgres.Options{})
}

// belongTogether refuses books whose providers are gone: everything would look lost. A real provider does not go.
func belongTogether(ctx context.Context, store ledger.Store, tape *app.Tape, path string) error {
	keys, err := store.Scan(ctx, book, ledger.Range{List: ledger.ListKeys, Limit: 1})
	if err != nil {
		return err
	}
	if len(keys.Keys) > 0 && tape.Empty() {
		return fmt.Errorf("the store has a day, and %s, the pretend providers of it, is gone: begin with another store", path)
	}
	return nil
}
