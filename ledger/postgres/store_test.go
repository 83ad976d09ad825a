package postgres_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/postgres"
)

// TestStore runs the conformance suite at both levels of isolation, and as through a pooler that keeps no statements.
func TestStore(t *testing.T) {
	for name, o := range map[string]postgres.Options{
		"read committed": {},
		"serializable":   {Isolation: pgx.Serializable},
		"unprepared":     {Unprepared: true, Remember: 4},
	} {
		t.Run(name, func(t *testing.T) { conform(t, o) })
	}
}

func conform(t *testing.T, o postgres.Options) {
	t.Parallel()
	url := serverURL(t)
	o.Schema = newSchema(t, url)
	s := open(t, url, o)
	var tenants atomic.Int64
	ledgertest.Run(t, ledgertest.Harness{
		Open: func(*testing.T) ledger.Store {
			return tenant{s, fmt.Sprintf("%d/", tenants.Add(1))}
		},
		Reopen: func(t *testing.T, old ledger.Store) ledger.Store {
			return tenant{open(t, url, o), old.(tenant).prefix}
		},
	})
}

// tenant shows one store as many empty ones, each with books of its own: what a check finds of another is a fault.
type tenant struct {
	*postgres.Store
	prefix string
}

func (s tenant) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	return s.Store.Update(ctx, s.prefix+book, want, decide)
}

func (s tenant) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	return s.Store.Read(ctx, s.prefix+book, want)
}

func (s tenant) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	return s.Store.Scan(ctx, s.prefix+book, r)
}
