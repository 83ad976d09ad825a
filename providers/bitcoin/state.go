package bitcoin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/koshpay/kosh/providers"
)

// What the adapter remembers, as JSON documents of the StateStore:
//
//	scan              how far the chain was read, and the step at hand
//	block/<hash>/<n>  what is ours in a block, for the step n that takes it in: written once, never changed
//	output/<tx>:<n>   an output to an address of ours: where it was mined, who reserved it, what spent it or took its place
//	coins/<n>         which outputs are unspent as of scan
//	op/<key>          an operation: what was asked, the address or the transactions made for it, where they were mined
//	sent/<tx>         the operation that a transaction of ours was signed for
//	foreign/<tx>      a transaction that spends coins of ours and is not
//	addresses/<n>     pageSize addresses: which operation has which
//	change            the next change address
//	events/<n>        what happened, for Poll
//
// A block is taken in, or taken back, by a step with a number: the step becomes durable in scan, is applied to every document that
// it touches, and is then marked done. Each document keeps the number of the last step applied to it, so applying a step again
// changes nothing, and neither does a process that wakes up in the middle of a step that others have finished.

const pageSize = 100

// documents reads and writes JSON through a StateStore.
type documents struct{ store providers.StateStore }

// load reads a document; one that was never stored is version 0 and leaves v alone.
func (d documents) load(ctx context.Context, key string, v any) (version uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	value, version, err := d.store.Load(ctx, key)
	if err != nil {
		return 0, fmt.Errorf("bitcoin: loading %s: %w", key, err)
	}
	if version == 0 {
		return 0, nil
	}
	if err := json.Unmarshal(value, v); err != nil {
		return 0, fmt.Errorf("bitcoin: %s holds something that cannot be read: %w", key, err)
	}
	return version, nil
}

// save writes a document over the version that was read, and returns the new version.
func (d documents) save(ctx context.Context, key string, v any, version uint64) (uint64, error) {
	value, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("bitcoin: %s: %w", key, err)
	}
	version, err = d.store.Store(ctx, key, value, version)
	if err != nil {
		return 0, fmt.Errorf("bitcoin: storing %s: %w", key, err)
	}
	return version, nil
}

// errSame is what a change returns when there is nothing to change.
var errSame = errors.New("bitcoin: nothing to change")

// errBusy says that a document changed under our hands for too long.
var errBusy = errors.New("bitcoin: too many writers at once")

const tries = 1000

// change reads, changes and writes a document until nobody else was in between; one that was never stored is the zero value. An
// error of do ends it; errSame does so without being one. It returns the document as it is then.
func change[T any](ctx context.Context, d documents, key string, do func(v *T) error) (T, error) {
	for range tries {
		var v T
		version, err := d.load(ctx, key, &v)
		if err != nil {
			return v, err
		}
		if err := do(&v); err != nil {
			if errors.Is(err, errSame) {
				return v, nil
			}
			return v, err
		}
		_, err = d.save(ctx, key, v, version)
		if !errors.Is(err, providers.ErrStateConflict) {
			return v, err
		}
	}
	var zero T
	return zero, fmt.Errorf("%w: %s", errBusy, key)
}
