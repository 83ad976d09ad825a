package chainworld

import (
	"context"
	"sync"

	"github.com/koshpay/kosh/providers/evm/evmtest"
)

// Store is a providers.StateStore in memory that can fail.
type Store struct {
	state evmtest.State
	mu    sync.Mutex
	// Loading and Storing, if set, are asked before each call; an error is returned instead. Storing may say that the value is
	// stored all the same.
	Loading func(key string) error
	Storing func(key string, v []byte) (stored bool, err error)
}

// Load implements providers.StateStore.
func (s *Store) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Loading != nil {
		if err := s.Loading(key); err != nil {
			return nil, 0, err
		}
	}
	return s.state.Load(ctx, key)
}

// Store implements providers.StateStore.
func (s *Store) Store(ctx context.Context, key string, v []byte, version uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Storing != nil {
		if stored, err := s.Storing(key, v); err != nil {
			if stored {
				_, _ = s.state.Store(ctx, key, v, version)
			}
			return 0, err
		}
	}
	return s.state.Store(ctx, key, v, version)
}

// Put stores a value as Store does, past Storing.
func (s *Store) Put(ctx context.Context, key string, v []byte, version uint64) error {
	_, err := s.state.Store(ctx, key, v, version)
	return err
}

// Has tells whether a key was ever stored.
func (s *Store) Has(ctx context.Context, key string) bool {
	_, version, err := s.state.Load(ctx, key)
	return err == nil && version > 0
}

// Set changes the hooks.
func (s *Store) Set(loading func(string) error, storing func(string, []byte) (bool, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Loading, s.Storing = loading, storing
}
