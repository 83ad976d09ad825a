package providers

import (
	"context"
	"errors"
)

// ErrStateConflict says that a key of a StateStore changed since it was read.
var ErrStateConflict = errors.New("providers: state changed since it was read")

// StateStore is what an adapter must remember across restarts: nonces, reserved outputs, signed bytes, cursors, trace
// numbers. package payments implements it over documents of the ledger (payments.Service.ProviderState); give it to the adapter's
// constructor. It is safe for concurrent use, by several processes too.
type StateStore interface {
	// Load returns the value and its version; a key never stored has version 0 and no value.
	Load(ctx context.Context, key string) (value []byte, version uint64, err error)
	// Store writes the value if the key is still at the version, or returns ErrStateConflict. It returns the new version.
	Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error)
}
