package providertest_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
	"github.com/koshpay/kosh/providers/sandbox"
)

// broken is a sandbox behind an adapter with a mistake in it. What is nil is as it should be.
type broken struct {
	*sandbox.Sandbox
	describe func() providers.Descriptor
	submit   func(context.Context, providers.Operation) (providers.Report, error)
	lookup   func(context.Context, providers.Query) (providers.Report, error)
	receive  func(context.Context, providers.Delivery) ([]providers.Event, error)
	poll     func(context.Context, string, int) ([]providers.Event, string, error)
	list     func(context.Context, time.Time, time.Time, string, int) ([]providers.Movement, string, error)
	rekey    func(secrets []string) []string // which of its secrets it accepts
}

func (b *broken) Describe() providers.Descriptor {
	if b.describe != nil {
		return b.describe()
	}
	return b.Sandbox.Describe()
}

func (b *broken) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if b.submit != nil {
		return b.submit(ctx, op)
	}
	return b.Sandbox.Submit(ctx, op)
}

func (b *broken) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if b.lookup != nil {
		return b.lookup(ctx, q)
	}
	return b.Sandbox.Lookup(ctx, q)
}

func (b *broken) Receive(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
	if b.receive != nil {
		return b.receive(ctx, d)
	}
	return b.Sandbox.Receive(ctx, d)
}

func (b *broken) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	if b.poll != nil {
		return b.poll(ctx, cursor, limit)
	}
	return b.Sandbox.Poll(ctx, cursor, limit)
}

func (b *broken) List(
	ctx context.Context, since, until time.Time, cursor string, limit int,
) ([]providers.Movement, string, error) {
	if b.list != nil {
		return b.list(ctx, since, until, cursor, limit)
	}
	return b.Sandbox.List(ctx, since, until, cursor, limit)
}

// mistake is one as people make them, with the check that is there for it.
type mistake struct {
	name   string
	check  string
	method providers.Method
	breaks func(b *broken)
}

// asCertainty turns errors of one certainty into another.
func asCertainty(b *broken, from, to providers.Certainty) {
	b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
		r, err := b.Sandbox.Submit(ctx, op)
		if err != nil && providers.CertaintyOf(err) == from {
			return r, &providers.Error{Certainty: to, Err: err}
		}
		return r, err
	}
}

// rewrite changes every report on its way to the core.
func rewrite(b *broken, change func(r *providers.Report)) {
	b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
		r, err := b.Sandbox.Submit(ctx, op)
		if err == nil {
			change(&r)
		}
		return r, err
	}
	b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
		r, err := b.Sandbox.Lookup(ctx, q)
		if err == nil {
			change(&r)
		}
		return r, err
	}
}

// underKeys submits under keys that translate makes of ours, and looks up under them.
func underKeys(b *broken, translate func(key string) string) {
	theirs := struct {
		sync.Mutex
		of map[string]string
	}{of: map[string]string{}}
	b.submit = func(ctx context.Context, op providers.Operation) (providers.Report, error) {
		ours, key := op.Key, translate(op.Key)
		theirs.Lock()
		theirs.of[ours] = key
		if t, ok := theirs.of[op.Target]; ok {
			op.Target = t
		}
		theirs.Unlock()
		op.Key = key
		r, err := b.Sandbox.Submit(ctx, op)
		r.Key = ours
		return r, err
	}
	b.lookup = func(ctx context.Context, q providers.Query) (providers.Report, error) {
		ours := q.Key
		theirs.Lock()
		q.Key = theirs.of[ours]
		theirs.Unlock()
		r, err := b.Sandbox.Lookup(ctx, q)
		r.Key = ours
		return r, err
	}
}

// resign makes a delivery authentic.
func resign(d providers.Delivery) providers.Delivery {
	d.Header = sandbox.Sign([]byte(secret), d.ReceivedAt, d.Body)
	return d
}

func TestBrokenProvidersAreRejected(t *testing.T) {
	brokenProviders := slices.Concat(mistakes, amountMistakes, attemptMistakes, webhookMistakes, lifeMistakes)
	checks := map[string]providertest.Check{}
	for _, c := range providertest.Checks() {
		checks[c.Name] = c
		assert.NotEmpty(t, c.Rule, c.Name)
	}
	require.Len(t, checks, len(providertest.Checks()), "names are distinct")
	rejected, meant := 0, map[string]bool{}
	for _, tt := range brokenProviders {
		check, ok := checks[tt.check]
		require.True(t, ok, tt.check)
		meant[tt.check] = true
		finding := check.Inspect(t, harness(tt.method, func(s *sandbox.Sandbox) providers.Provider {
			b := &broken{Sandbox: s}
			tt.breaks(b)
			return b
		}))
		if len(finding.Failures) == 0 {
			t.Errorf("a provider that %s passes %s", tt.name, tt.check)
			continue
		}
		rejected++
		t.Logf("a provider that %s: %s", tt.name, finding.Failures[0])

		// The same way of wrapping without the mistake passes: the check rejects the mistake, not the wrapper.
		sound := check.Inspect(t, harness(tt.method, func(s *sandbox.Sandbox) providers.Provider { return &broken{Sandbox: s} }))
		assert.Empty(t, sound.Failures, tt.check)
		assert.Empty(t, sound.Waived, tt.check)
	}
	for name := range checks {
		assert.True(t, meant[name], "no broken provider shows what %s is for", name)
	}
	t.Logf("%d of %d broken providers rejected", rejected, len(brokenProviders))
}
