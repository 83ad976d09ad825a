package ledger_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// Ids of one book are version 7, carry the clock's time, ascend and are all different.
func TestIDs(t *testing.T) {
	c := newClock()
	b := ledger.New(memory.New(), ledger.Config{Clock: c.Now})
	var mu sync.Mutex
	var wg sync.WaitGroup
	seen := map[uuid.UUID]bool{}
	for range 8 {
		wg.Go(func() {
			var own []uuid.UUID
			for range 2_000 {
				own = append(own, ledger.NewID(b))
			}
			require.True(t, slices.IsSortedFunc(own, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }))
			mu.Lock()
			defer mu.Unlock()
			for _, id := range own {
				require.False(t, seen[id])
				seen[id] = true
				require.Equal(t, uuid.Version(7), id.Version())
				require.Equal(t, uuid.RFC4122, id.Variant())
			}
		})
	}
	wg.Wait()
	c.advance(1_000_000_000_000) // far ahead of what 16,000 ids in one instant borrowed
	sec, nsec := ledger.NewID(b).Time().UnixTime()
	require.Equal(t, c.Now().UnixMilli(), sec*1_000+nsec/1_000_000)
}
