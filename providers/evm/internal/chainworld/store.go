package chainworld

import (
	"bytes"
	"context"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// Store is a providers.StateStore in memory.
type Store struct {
	mu     sync.Mutex
	values map[string]value
	// Loading and Storing, if set, are asked before each call; an error is returned instead. Storing may say that the value is
	// stored all the same.
	Loading func(key string) error
	Storing func(key string, v []byte) (stored bool, err error)
}

type value struct {
	bytes   []byte
	version uint64
}

// Load implements providers.StateStore.
func (s *Store) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Loading != nil {
		if err := s.Loading(key); err != nil {
			return nil, 0, err
		}
	}
	v := s.values[key]
	return bytes.Clone(v.bytes), v.version, nil
}

// Store implements providers.StateStore.
func (s *Store) Store(ctx context.Context, key string, v []byte, version uint64) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Storing != nil {
		if stored, err := s.Storing(key, v); err != nil {
			if stored {
				_, _ = s.put(key, v, version)
			}
			return 0, err
		}
	}
	return s.put(key, v, version)
}

// Put stores a value as Store does, past Storing.
func (s *Store) Put(key string, v []byte, version uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.put(key, v, version)
	return err
}

func (s *Store) put(key string, v []byte, version uint64) (uint64, error) {
	if s.values[key].version != version {
		return 0, providers.ErrStateConflict
	}
	if s.values == nil {
		s.values = map[string]value{}
	}
	s.values[key] = value{bytes.Clone(v), version + 1}
	return version + 1, nil
}

// Has tells whether a key was ever stored.
func (s *Store) Has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key].version > 0
}

// Set changes the hooks.
func (s *Store) Set(loading func(string) error, storing func(string, []byte) (bool, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Loading, s.Storing = loading, storing
}
