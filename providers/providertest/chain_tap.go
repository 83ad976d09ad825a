package providertest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/koshpay/kosh/providers"
)

// Tap stands between an adapter and what it talks to, so that a check can watch every step, and make any one of them fail or be the
// last. The harness puts it there: it gives the adapter State(store) for its store and Signer(signer) for its signer, and its transport
// (of an http.Client, say) wraps every request to an endpoint in Call. What the harness itself asks the chain does not pass.
//
// A nil *Tap lets everything pass. A Tap is safe for concurrent use.
type Tap struct {
	// before is asked before each step and may refuse it; nil: all pass. It is not called concurrently. after is told its error, and
	// may return another one.
	before func(s step) error
	after  func(s step, err error) error
	// sign takes the place of the signer's answer.
	sign func(r providers.SignRequest, signature []byte) ([]byte, error)

	mu       sync.Mutex
	dead     bool
	requests []providers.SignRequest
	all      []step
}

// step is one that an adapter takes.
type step struct {
	n         int    // counts from 1
	name      string // load, store, public key, sign, or what the harness calls the request
	call      bool   // to an endpoint
	broadcast bool   // of a transaction
	changes   bool   // something outlives the process when the step is done
}

// errDied is what a dead process' steps return: nobody sees it.
var errDied = errors.New("providertest: the process has died")

// Call wraps one request to an endpoint, its answer included. The name is for people: the method. broadcast says that the request
// carries a transaction to the network. When Call returns an error, the adapter must get that error, or one that wraps it, and no answer.
func (t *Tap) Call(name string, broadcast bool, do func() error) error {
	return t.take(step{name: name, call: true, broadcast: broadcast, changes: broadcast}, do)
}

func (t *Tap) take(s step, do func() error) error {
	if t == nil {
		return do()
	}
	s, err := t.enter(s)
	if err != nil {
		return err
	}
	err = do()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return errDied
	}
	if t.after != nil {
		err = t.after(s, err)
	}
	return err
}

func (t *Tap) enter(s step) (step, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return s, errDied
	}
	s.n = len(t.all) + 1
	t.all = append(t.all, s)
	if t.before != nil {
		if err := t.before(s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// taken returns the steps taken so far.
func (t *Tap) taken() []step {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.all)
}

// broadcasts counts the transactions sent so far.
func (t *Tap) broadcasts() (n int) {
	for _, s := range t.taken() {
		if s.broadcast {
			n++
		}
	}
	return n
}

// died says whether the process has died.
func (t *Tap) died() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dead
}

// signed returns the requests to sign so far.
func (t *Tap) signed() []providers.SignRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.requests)
}

// diesAt is a Tap whose process dies at the step n: before it is done, or when it is done and before the process hears of it.
func diesAt(n int, late bool) *Tap {
	return dies(late, func(s step) bool { return s.n == n })
}

// diesAtChange is diesAt of the steps that change something.
func diesAtChange(n int, late bool) *Tap {
	changes := 0
	return dies(late, func(s step) bool {
		if s.changes {
			changes++
		}
		return s.changes && changes == n
	})
}

// dies is a Tap whose process dies at a step, the one of which last is true.
func dies(late bool, last func(s step) bool) *Tap {
	t, at := &Tap{}, 0
	t.before = func(s step) error {
		if !last(s) {
			return nil
		}
		at = s.n
		if !late {
			t.dead = true
			return errDied
		}
		return nil
	}
	t.after = func(s step, err error) error {
		if s.n == at {
			t.dead = true
			return errDied
		}
		return err
	}
	return t
}

// State returns the store as the adapter sees it.
func (t *Tap) State(s providers.StateStore) providers.StateStore {
	if t == nil {
		return s
	}
	return tappedState{t, s}
}

type tappedState struct {
	tap   *Tap
	store providers.StateStore
}

func (s tappedState) Load(ctx context.Context, key string) (value []byte, version uint64, err error) {
	err = s.tap.take(step{name: "load"}, func() error {
		value, version, err = s.store.Load(ctx, key)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return value, version, nil
}

func (s tappedState) Store(ctx context.Context, key string, value []byte, version uint64) (next uint64, err error) {
	err = s.tap.take(step{name: "store", changes: true}, func() error {
		next, err = s.store.Store(ctx, key, value, version)
		return err
	})
	if err != nil {
		return 0, err
	}
	return next, nil
}

// Signer returns the signer as the adapter sees it.
func (t *Tap) Signer(s providers.Signer) providers.Signer {
	if t == nil {
		return s
	}
	return tappedSigner{t, s}
}

type tappedSigner struct {
	tap    *Tap
	signer providers.Signer
}

func (s tappedSigner) PublicKey(ctx context.Context, key string) (public []byte, err error) {
	err = s.tap.take(step{name: "public key"}, func() error {
		public, err = s.signer.PublicKey(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return public, nil
}

func (s tappedSigner) Sign(ctx context.Context, r providers.SignRequest) (signature []byte, err error) {
	err = s.tap.take(step{name: "sign", changes: true}, func() error {
		s.tap.mu.Lock()
		s.tap.requests = append(s.tap.requests, r)
		replace := s.tap.sign
		s.tap.mu.Unlock()
		signature, err = s.signer.Sign(ctx, r)
		if err == nil && replace != nil {
			signature, err = replace(r, signature)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return signature, nil
}
