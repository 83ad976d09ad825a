package ledger_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// collect drains an iterator that must not fail.
func collect[T any](t testing.TB, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var all []T
	for v, err := range seq {
		require.NoError(t, err)
		all = append(all, v)
	}
	return all
}

// lastError drains an iterator that must fail, once and last.
func lastError[T any](t testing.TB, seq iter.Seq2[T, error]) error {
	t.Helper()
	var last error
	for _, err := range seq {
		require.NoError(t, last, "an error that is not last")
		last = err
	}
	require.Error(t, last)
	return last
}

// scanned counts the scans of a store.
type scanned struct {
	ledger.Store
	n *int
}

func (s scanned) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	*s.n++
	return s.Store.Scan(ctx, book, r)
}

// examining counts the rows that the scans of a store return.
type examining struct {
	ledger.Store
	rows int
}

func (s *examining) Scan(ctx context.Context, book string, r ledger.Range) (ledger.Rows, error) {
	rows, err := s.Store.Scan(ctx, book, r)
	s.rows += len(rows.Accounts) + len(rows.Lines) + len(rows.Transactions) + len(rows.Holds) + len(rows.Documents) + len(rows.Versions) + len(rows.Feed)
	return rows, err
}
