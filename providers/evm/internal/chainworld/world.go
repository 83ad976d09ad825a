// Package chainworld is what the tests of package evm and of its nodes play with: a state store in memory that can fail, and the
// keys of an adapter.
package chainworld

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
)

// Store is a providers.StateStore in memory.
type Store struct {
	mu     sync.Mutex
	values map[string]value
	// Loading and Storing, if set, are asked before each call; an error is returned instead. Storing may say that the value is
	// stored all the same.
	Loading func(key string) error
	Storing func(key string, v []byte) (stored bool, err error)
	writes  int
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
	s.writes++
	return version + 1, nil
}

// Has tells whether a key was ever stored.
func (s *Store) Has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key].version > 0
}

// Count is how many keys begin so.
func (s *Store) Count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.values {
		if strings.HasPrefix(key, prefix) {
			n++
		}
	}
	return n
}

// Set changes the hooks.
func (s *Store) Set(loading func(string) error, storing func(string, []byte) (bool, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Loading, s.Storing = loading, storing
}

// Keys are an adapter's.
type Keys struct {
	Signer      providers.Signer
	Treasury    evm.Account
	Deposits    string
	DepositKeys string
}

// NewKeys makes the keys of a seed. The same seed makes the same keys.
func NewKeys(t testing.TB, seed string) Keys {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed")
	if err := filesigner.Create(path, []byte(seed)); err != nil {
		t.Fatal(err)
	}
	signer, err := filesigner.Open(path, filesigner.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := Keys{Signer: signer, DepositKeys: "m/44'/60'/0'/0"}
	if k.Deposits, err = signer.Account(k.DepositKeys); err != nil {
		t.Fatal(err)
	}
	k.Treasury.Key = "m/44'/60'/1'/0/0"
	public, err := signer.PublicKey(t.Context(), k.Treasury.Key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := eth.AddressOfCompressed(public)
	if err != nil {
		t.Fatal(err)
	}
	k.Treasury.Address = a.String()
	return k
}

// Seed is 32 bytes that are no secret.
const Seed = "kosh test seed, worth nothing ---"

// Address is the deposit address with a number, made from the signer's own key: not from the extended public key, as the adapter
// makes it.
func (k Keys) Address(t testing.TB, index int) string {
	t.Helper()
	public, err := k.Signer.PublicKey(t.Context(), fmt.Sprintf("%s/%d", k.DepositKeys, index))
	if err != nil {
		t.Fatal(err)
	}
	a, err := eth.AddressOfCompressed(public)
	if err != nil {
		t.Fatal(err)
	}
	return a.String()
}
