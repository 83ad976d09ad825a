package ledgertest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/ledgertest"
	"github.com/koshpay/kosh/ledger/memory"
)

// brokenStore is a store that breaks one promise, with the check that must notice.
type brokenStore struct {
	name  string
	check string
	wrap  func(*memory.Store) ledger.Store
	stuck bool // the check cannot end on it
}

var brokenStores = slices.Concat(brokenUpdates, brokenScans, brokenRows, brokenBooks)

// TestBrokenStores shows that the suite rejects what it should, each by the check meant for it and for what it found,
// not because it took too long.
func TestBrokenStores(t *testing.T) {
	checks := map[string]ledgertest.Check{}
	for _, c := range ledgertest.Checks() {
		require.NotContains(t, checks, c.Name, "two checks have one name")
		require.NotEmpty(t, c.Rule)
		require.NotEmpty(t, c.Advice)
		checks[c.Name] = c
	}
	require.GreaterOrEqual(t, len(checks), 16)
	rejected := 0
	for _, b := range brokenStores {
		t.Run(b.name, func(t *testing.T) {
			c, ok := checks[b.check]
			require.True(t, ok, "no check is called %s", b.check)
			h := ledgertest.Harness{
				Open:     func(*testing.T) ledger.Store { return b.wrap(memory.New()) },
				Reopen:   reopenBroken,
				Patience: 30 * time.Second,
			}
			if b.stuck {
				h.Patience = 2 * time.Second
			}
			err := ledgertest.Try(t, h, c)
			require.Error(t, err, "the check %s accepts a store that %s", b.check, b.name)
			assert.Contains(t, err.Error(), c.Rule)
			assert.Contains(t, err.Error(), c.Advice)
			assert.NotContains(t, err.Error(), "panicked: runtime error", "the check itself fell over")
			assert.Equal(t, b.stuck, strings.Contains(err.Error(), "had not ended"), "%v", err)
			rejected++
		})
	}
	t.Logf("%d of %d broken stores rejected", rejected, len(brokenStores))
}

// TestEveryCheckIsNeeded holds the suite to its own rule: for each check there is a broken store that it alone is meant for.
func TestEveryCheckIsNeeded(t *testing.T) {
	for _, c := range ledgertest.Checks() {
		assert.True(t, slices.ContainsFunc(brokenStores, func(b brokenStore) bool { return b.check == c.Name }), "no broken store for %s", c.Name)
	}
}

func reopenBroken(_ *testing.T, s ledger.Store) ledger.Store {
	if r, ok := s.(interface{ reopen() ledger.Store }); ok {
		return r.reopen()
	}
	return s
}
