package evmtest

import (
	"bytes"
	"context"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// State is a providers.StateStore in memory, for tests. Its zero value is ready. It is safe for concurrent use.
type State struct {
	mu     sync.Mutex
	values map[string]stored
}

type stored struct {
	bytes   []byte
	version uint64
}

// Load implements providers.StateStore.
func (s *State) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.values[key]
	return bytes.Clone(v.bytes), v.version, ctx.Err()
}

// Store implements providers.StateStore.
func (s *State) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values[key].version != version {
		return 0, providers.ErrStateConflict
	}
	if s.values == nil {
		s.values = map[string]stored{}
	}
	s.values[key] = stored{bytes.Clone(value), version + 1}
	return version + 1, nil
}
