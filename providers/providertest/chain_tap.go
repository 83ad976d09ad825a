package providertest

import (
	"context"
	"errors"
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
	steps    int
	dead     bool
	requests []providers.SignRequest
	names    []string
}

// step is one that an adapter takes.
type step struct {
	n         int    // counts from 1
	name      string // load, store, public key, sign, or what the harness calls the request
	broadcast bool   // of a transaction
}

// errDied is what a dead process' steps return: nobody sees it.
var errDied = errors.New("providertest: the process has died")

// Call wraps one request to an endpoint, its answer included. The name is for people: the method. broadcast says that the request
// carries a transaction to the network. When Call returns an error, the adapter must get that error, or one that wraps it, and no answer.
func (t *Tap) Call(name string, broadcast bool, do func() error) error {
	return t.take(name, broadcast, do)
}

func (t *Tap) take(name string, broadcast bool, do func() error) error {
	if t == nil {
		return do()
	}
	s, err := t.enter(name, broadcast)
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

func (t *Tap) enter(name string, broadcast bool) (step, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return step{}, errDied
	}
	t.steps++
	s := step{t.steps, name, broadcast}
	t.names = append(t.names, name)
	if t.before != nil {
		if err := t.before(s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// taken returns the names of the steps taken so far.
func (t *Tap) taken() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.names...)
}

// signed returns the requests to sign so far.
func (t *Tap) signed() []providers.SignRequest {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]providers.SignRequest(nil), t.requests...)
}

// diesAt is a Tap whose process dies at the step n: before it is done, or when it is done and before the process hears of it.
func diesAt(n int, late bool) *Tap {
	t := &Tap{}
	t.before = func(s step) error {
		if s.n == n && !late {
			t.dead = true
			return errDied
		}
		return nil
	}
	t.after = func(s step, err error) error {
		if s.n == n {
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
	err = s.tap.take("load", false, func() error {
		value, version, err = s.store.Load(ctx, key)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return value, version, nil
}

func (s tappedState) Store(ctx context.Context, key string, value []byte, version uint64) (next uint64, err error) {
	err = s.tap.take("store", false, func() error {
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
	err = s.tap.take("public key", false, func() error {
		public, err = s.signer.PublicKey(ctx, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return public, nil
}

func (s tappedSigner) Sign(ctx context.Context, r providers.SignRequest) (signature []byte, err error) {
	err = s.tap.take("sign", false, func() error {
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
