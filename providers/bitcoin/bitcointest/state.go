package bitcointest

import (
	"bytes"
	"context"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// State is a providers.StateStore in memory. The zero value is empty.
type State struct {
	// Fault, if any, decides about each call ("load" or "store"): whether it is done, and what is answered.
	Fault func(call, key string, value []byte) (do bool, err error)

	mu       sync.Mutex
	values   map[string][]byte
	versions map[string]uint64
}

var _ providers.StateStore = (*State)(nil)

// Load implements providers.StateStore.
func (s *State) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	if s.Fault != nil {
		if _, err := s.Fault("load", key, nil); err != nil {
			return nil, 0, err
		}
	}
	return bytes.Clone(s.values[key]), s.versions[key], nil
}

// Store implements providers.StateStore.
func (s *State) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if s.Fault != nil {
		if do, err := s.Fault("store", key, value); !do {
			return 0, err
		} else if err != nil {
			_ = s.put(key, value, version)
			return 0, err
		}
	}
	if err := s.put(key, value, version); err != nil {
		return 0, err
	}
	return version + 1, nil
}

func (s *State) put(key string, value []byte, version uint64) error {
	if s.versions[key] != version {
		return providers.ErrStateConflict
	}
	if s.values == nil {
		s.values, s.versions = map[string][]byte{}, map[string]uint64{}
	}
	s.values[key], s.versions[key] = bytes.Clone(value), version+1
	return nil
}

// Copy returns another store with the same values.
func (s *State) Copy() *State {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &State{values: map[string][]byte{}, versions: map[string]uint64{}}
	for key, value := range s.values {
		c.values[key], c.versions[key] = bytes.Clone(value), s.versions[key]
	}
	return c
}
