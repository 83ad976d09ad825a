package postgres_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/postgres"
)

// TestStore runs the conformance suite at both levels of isolation.
func TestStore(t *testing.T) {
	for name, o := range map[string]postgres.Options{"read committed": {}, "serializable": {Isolation: pgx.Serializable}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledgertest.Run(t, harness(t, o))
		})
	}
}

// TestUnpreparedStore is as through a pooler that keeps no statements, with a process that remembers next to nothing. It is a
// sample, because parsing everything again is slow.
func TestUnpreparedStore(t *testing.T) {
	t.Parallel()
	h := harness(t, postgres.Options{Unprepared: true, Remember: 4})
	sample := []string{
		"edges-come-back-whole", "rows-are-replaced-whole", "more-rows-are-added", "history-is-only-added-to", "books-are-apart", "lists-equal-brute-force",
		"overlapping-updates-end", "every-kind-of-row-is-guarded", "reopening-keeps-all", "money-is-conserved", "the-feed-has-no-gaps",
	}
	for _, c := range ledgertest.Checks() {
		if slices.Contains(sample, c.Name) {
			t.Run(c.Name, func(t *testing.T) { require.NoError(t, ledgertest.Try(t, h, c)) })
		}
	}
}

func harness(t *testing.T, o postgres.Options) ledgertest.Harness {
	t.Helper()
	url := serverURL(t)
	o.Schema = newSchema(t, url)
	s := open(t, url, o)
	var tenants atomic.Int64
	return ledgertest.Harness{
		Open: func(*testing.T) ledger.Store {
			return tenant{s, fmt.Sprintf("%d/", tenants.Add(1))}
		},
		Reopen: func(t *testing.T, old ledger.Store) ledger.Store {
			return tenant{open(t, url, o), old.(tenant).prefix}
		},
	}
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
