package postgres

import (
	"context"

	"github.com/koshpay/kosh/ledger"
)

// WriteUnchecked writes rows as an Update would, in one transaction, without locking, reading or deciding anything: the
// ceiling that benchmarks compare with. Accounts must be remembered already.
func (s *Store) WriteUnchecked(ctx context.Context, book string, write ledger.Rows) error {
	return s.onConnection(ctx, func(ctx context.Context, session session) error {
		w := &writer{finder: s.finder(session, book, false), want: &ledger.Names{}, found: &ledger.Rows{}, write: &write}
		w.compose()
		calls := append([]*call{{statement: s.sql.begin}, {statement: s.sql.settings}}, w.calls...)
		return session.run(ctx, append(calls, &call{statement: s.sql.commit}))
	})
}
