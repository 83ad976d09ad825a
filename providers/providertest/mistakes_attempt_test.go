package providertest_test

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/providers"
)

// attemptMistakes concern what comes after the first attempt: other attempts, processes, restarts.
var attemptMistakes = []mistake{
	{"takes a 429 for a refusal", "rate-limit-is-for-now", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if e, ok := errors.AsType[*providers.Error](err); ok && e.Code == "429" {
				e.Certainty = providers.Rejected
			}
			return r, err
		}
	}},
	{"waits out a 429 on its own", "rate-limit-is-for-now", providers.Card, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if e, ok := errors.AsType[*providers.Error](err); ok && e.Code == "429" {
				return b.Sandbox.Submit(ctx, op)
			}
			return r, err
		}
	}},
	{"gives up on what it has looked for in vain", "slow-request-is-maybe", providers.Bank, func(b *broken) {
		var missed sync.Map
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			if _, ok := missed.Load(q.Key); ok {
				return providers.Report{Key: q.Key, Kind: q.Kind, State: providers.Failed}, nil
			}
			r, err := b.Sandbox.Lookup(ctx, q)
			if errors.Is(err, providers.ErrNotFound) {
				missed.Store(q.Key, true)
			}
			return r, err
		}
	}},
	{"takes a refusal of the moment for one of the key", "later-attempt-takes-nothing-back", providers.Bank, func(b *broken) {
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if op.Attempt > 0 && err != nil && providers.CertaintyOf(err) == providers.NotSent {
				err = &providers.Error{Certainty: providers.Rejected, Err: err}
			}
			return r, err
		}
	}},
	{"sends again what it does not find", "only-submit-acts", providers.Card, func(b *broken) {
		var sent sync.Map
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			sent.Store(op.Key, op)
			return b.Sandbox.Submit(ctx, op)
		}
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			r, err := b.Sandbox.Lookup(ctx, q)
			if op, ok := sent.Load(q.Key); ok && errors.Is(err, providers.ErrNotFound) {
				return b.Sandbox.Submit(ctx, op.(providers.Operation))
			}
			return r, err
		}
	}},
	{"keeps the request at hand in a field", "calls-at-once-do-not-mix", providers.Card, func(b *broken) {
		var mu sync.Mutex
		var at providers.Operation
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			mu.Lock()
			at = op
			mu.Unlock()
			r, err := b.Sandbox.Submit(ctx, op)
			for range 1000 {
				runtime.Gosched() // as a request to the far side would
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				r.Key, r.Kind = at.Key, at.Kind
			}
			return r, err
		}
	}},
	{"lets only one of a process' callers through", "same-key-in-two-processes", providers.Card, func(b *broken) {
		var mu sync.Mutex
		made := map[string]string{}
		underKeys(b, func(key string) string {
			mu.Lock()
			defer mu.Unlock()
			if made[key] == "" {
				made[key] = uuid.NewString()
			}
			return made[key]
		})
	}},
	{"keeps in memory which reference is whose", "restart-in-mid-flight", providers.Bank, func(b *broken) {
		var references sync.Map
		b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
			r, err := b.Sandbox.Submit(ctx, op)
			if err == nil {
				references.Store(op.Key, r.Reference)
			}
			return r, err
		}
		b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
			if q.Reference != "" {
				return b.Sandbox.Lookup(ctx, q)
			}
			reference, ok := references.Load(q.Key)
			if !ok {
				return providers.Report{}, providers.ErrNotFound
			}
			return b.Sandbox.Lookup(ctx, providers.Query{Reference: reference.(string)})
		}
	}},
}
