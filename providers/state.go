package providers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

var (
	// ErrStateConflict says that a key of a StateStore changed since it was read.
	ErrStateConflict = errors.New("providers: state changed since it was read")
	// ErrStateSame is what the function given to ChangeState returns when there is nothing to change.
	ErrStateSame = errors.New("providers: nothing to change")
	// ErrStateBusy says that others changed a key every time that it was to be changed here. Nothing was changed, and it may be tried
	// again later.
	ErrStateBusy = errors.New("providers: too many writers of one state at once")
)

// StateStore is what an adapter must remember across restarts: nonces, reserved outputs, signed bytes, cursors, trace
// numbers. package payments implements it over documents of the ledger (payments.Service.ProviderState); give it to the adapter's
// constructor. It is safe for concurrent use, by several processes too. What is kept as JSON is read, written and changed by
// [LoadState], [SaveState] and [ChangeState].
type StateStore interface {
	// Load returns the value and its version; a key never stored has version 0 and no value.
	Load(ctx context.Context, key string) (value []byte, version uint64, err error)
	// Store writes the value if the key is still at the version, or returns ErrStateConflict. It returns the new version.
	Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error)
}

// maxStateTries bounds ChangeState. Each try that fails is one in which another writer succeeded, so nobody waits in between.
const maxStateTries = 1000

// ChangeState reads the JSON that is kept under a key into a T, lets change change it, and writes it over what was read; when
// somebody else was faster it begins again, with a T that it has read anew. It returns the value as it stands then.
//
// A key that was never stored gives the zero T, and isNew. An error of change ends the call and leaves what is stored as it was;
// ErrStateSame does so too and is no error of ChangeState. Beside an error it returns the value as far as change had come. As change
// may be called more than once it must do nothing but change its argument, and set variables that it sets every time.
//
// Other errors: ErrStateBusy after a thousand tries, the context's, and those of the store, after which the change may have been
// stored or not: read before it is made again, or make changes that may be made twice.
func ChangeState[T any](ctx context.Context, s StateStore, key string, change func(v *T, isNew bool) error) (T, error) {
	for range maxStateTries {
		var v T
		version, err := LoadState(ctx, s, key, &v)
		if err != nil {
			return v, err
		}
		switch err := change(&v, version == 0); {
		case errors.Is(err, ErrStateSame):
			return v, nil
		case err != nil:
			return v, err
		}
		if _, err = SaveState(ctx, s, key, v, version); !errors.Is(err, ErrStateConflict) {
			return v, err
		}
	}
	var none T
	return none, fmt.Errorf("%w: %s", ErrStateBusy, key)
}

// LoadState reads the JSON that is kept under a key into v and returns its version; of one that was never stored that is 0, and v
// is left alone. An error never quotes what is stored, which may be secret.
func LoadState(ctx context.Context, s StateStore, key string, v any) (version uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	value, version, err := s.Load(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("providers: loading %s: %w", key, err)
	}
	if version == 0 {
		return 0, nil
	}
	if json.Unmarshal(value, v) != nil {
		return 0, fmt.Errorf("providers: %s holds something that cannot be read", key)
	}
	return version, nil
}

// SaveState writes v as JSON over the version that was read, and returns the new version. ErrStateConflict says that it is not the
// version any more.
func SaveState(ctx context.Context, s StateStore, key string, v any, version uint64) (uint64, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("providers: %s: %w", key, err)
	}
	version, err = s.Store(ctx, key, value, version)
	if err != nil {
		return 0, fmt.Errorf("providers: storing %s: %w", key, err)
	}
	return version, nil
}
