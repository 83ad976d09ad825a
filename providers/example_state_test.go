package providers_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// memoryState is a StateStore for tests; payments.Service.ProviderState gives a durable one.
type memoryState struct {
	mu   sync.Mutex
	rows map[string]row
}

type row struct {
	value   []byte
	version uint64
}

func (m *memoryState) Load(_ context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rows[key].value, m.rows[key].version, nil
}

func (m *memoryState) Store(_ context.Context, key string, value []byte, version uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[key].version != version {
		return 0, providers.ErrStateConflict
	}
	m.rows[key] = row{value, version + 1}
	return version + 1, nil
}

// nextNumber takes the next number of a sequence, a nonce or a trace number. It is taken for good before it is used: a crash
// afterwards leaves a gap, never the same number twice.
func nextNumber(ctx context.Context, state providers.StateStore, sequence string) (int64, error) {
	return providers.ChangeState(ctx, state, sequence, func(last *int64, _ bool) error {
		*last++
		return nil
	})
}

// Whatever an adapter must not forget goes through a StateStore, which several processes share.
func ExampleChangeState() {
	state := &memoryState{rows: map[string]row{}}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if _, err := nextNumber(context.Background(), state, "trace"); err != nil {
				fmt.Println(err)
			}
		})
	}
	group.Wait()
	fmt.Println(nextNumber(context.Background(), state, "trace"))
	// Output: 11 <nil>
}
