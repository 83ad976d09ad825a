package payments_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// returning notes how many leases each write gives back.
type returning struct {
	ledger.Store
	leases *[]int
}

func (r returning) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	given := 0
	err := r.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		write, more, err := decide(found)
		given = len(write.Delete.Leases)
		return write, more, err
	})
	if err == nil && given > 0 {
		*r.leases = append(*r.leases, given)
	}
	return err
}

// slow takes its time over a look-up.
type slow struct {
	*sandbox.Sandbox
	clock *clock
}

func (s slow) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	s.clock.advance(700 * time.Millisecond)
	return s.Sandbox.Lookup(ctx, q)
}

// TestLeasesGoBackTogether: a worker gives back the leases of what is done in few writes, and keeps none for long.
func TestLeasesGoBackTogether(t *testing.T) {
	for name, c := range map[string]struct {
		provider func(e *env) providers.Provider
		want     []int
	}{
		"quick": {func(e *env) providers.Provider { return e.sandbox }, []int{16, 4}},
		"slow":  {func(e *env) providers.Provider { return slow{e.sandbox, e.clock} }, []int{3, 3, 3, 3, 3, 3, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			var leases []int
			e := newEnvOn(t, returning{openStore(t), &leases})
			bank := e.link("alice", sandbox.TokenBank)
			for range 20 {
				require.Equal(t, payments.Pending, e.deposit("alice", bank, usd("1.00")).State)
			}
			e.work() // the poll is done, so that only payments are due
			svc, err := payments.New(e.book, e.config)
			require.NoError(t, err)
			require.NoError(t, svc.Register(c.provider(e)))
			e.clock.advance(time.Minute)
			leases = nil
			_, err = svc.Step(e.ctx)
			require.NoError(t, err)
			require.Equal(t, c.want, leases)
			rows, err := e.store.Scan(e.ctx, e.book.Name(), ledger.Range{List: ledger.ListLeases, Limit: ledger.MaxPage})
			require.NoError(t, err)
			for _, l := range rows.Leases {
				require.NotEqual(t, "payment", l.Document.Kind)
			}
		})
	}
}
