package ach

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

// interrupted calls do once, before one of its calls.
type interrupted struct {
	providers.StateStore
	countdown int
	do        func()
}

func (i *interrupted) step() {
	if i.countdown--; i.countdown == 0 {
		i.do()
	}
}

func (i *interrupted) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	i.step()
	return i.StateStore.Load(ctx, key)
}

func (i *interrupted) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	i.step()
	return i.StateStore.Store(ctx, key, value, version)
}

// script is what another caller does in between.
type script struct {
	name string
	do   func(w *world, same, other providers.Operation)
}

var scripts = []script{
	{"same", func(w *world, same, _ providers.Operation) { w.submit(same) }},
	{"other", func(w *world, _, other providers.Operation) { w.submit(other) }},
	{"same, but lost", func(w *world, same, _ providers.Operation) {
		w.state.faultOnce("store", "page/", false, "lost")
		_, _ = w.p.Submit(w.t.Context(), same) // accepted before, there is nothing to lose
		w.state.fault = nil
	}},
}

// TestOthersAtAnyStep lets other callers run between any two steps of a Submit, and again between two later ones: with the
// same key, with another, and with a request that is lost half-way. A key has its slots once, and the operation knows them.
func TestOthersAtAnyStep(t *testing.T) {
	worlds, dir := 0, t.TempDir()
	for _, v := range []Verification{ByHost, MicroDeposits} {
		for _, one := range scripts {
			for _, two := range scripts {
				for first, steps := 1, 1; first <= steps; first++ {
					for second := 1; second == 1 || first+second <= steps; second++ {
						steps = othersAt(t, dir, v, one, two, first, second)
						worlds++
					}
				}
			}
		}
	}
	t.Logf("%d worlds", worlds)
}

// othersAt interrupts at a step, and again some steps later, and returns how many steps there were.
func othersAt(t *testing.T, dir string, v Verification, one, two script, first, second int) (steps int) {
	t.Helper()
	w := newWorldIn(t, dir, func(c *Config) { c.Verification = v })
	sample := func() providers.Operation {
		token, _ := w.added()
		return linkOf(token)
	}
	same, others := sample(), []providers.Operation{sample(), sample()}
	count := 0
	store := &interrupted{StateStore: w.state, countdown: first}
	store.do = func() {
		one.do(w, same, others[0])
		store.do = func() { two.do(w, same, others[1]) }
		store.countdown = second
	}
	p, err := New(countingStore{store, &count}, w.keys, w.cfg)
	require.NoError(t, err)
	_, err = p.Submit(t.Context(), same)
	require.NoError(t, err)
	for _, op := range append(others, same) {
		slots := slotsOf(t, w, op.Key)
		if op.Key != same.Key && len(slots) == 0 {
			continue // its turn never came
		}
		want := map[Verification]int{ByHost: 1, MicroDeposits: 3}[v]
		require.Len(t, slots, want, "%s, then %s, at %d and %d", one.name, two.name, first, second)
		var o operation
		_, err := providers.LoadState(t.Context(), w.p.state, opKey(op.Key), &o)
		require.NoError(t, err)
		require.Equal(t, o.Slot, slots[0], "%s, then %s, at %d and %d", one.name, two.name, first, second)
	}
	return count
}

// countingStore counts the calls.
type countingStore struct {
	providers.StateStore
	n *int
}

func (c countingStore) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	*c.n++
	return c.StateStore.Load(ctx, key)
}

func (c countingStore) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	*c.n++
	return c.StateStore.Store(ctx, key, value, version)
}

func slotsOf(t *testing.T, w *world, key string) (slots []int64) {
	t.Helper()
	for n := int64(0); ; n++ {
		var pg page
		version, err := providers.LoadState(t.Context(), w.p.state, pageKey(n), &pg)
		require.NoError(t, err)
		if version == 0 {
			return slots
		}
		for i, it := range pg.Items {
			if it.Key == key {
				slots = append(slots, n*pageSize+int64(i))
			}
		}
	}
}

// TestPagesFillUp: operations of three entries leave gaps at a page's end, which others fill.
func TestPagesFillUp(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Verification = MicroDeposits })
	token, _ := w.linked()
	var keys []string
	for i := range 3 * pageSize {
		op := w.payment(providers.Withdrawal, token, int64(i+1))
		if i%5 == 0 {
			other, _ := w.added()
			op = linkOf(other)
		}
		w.submit(op)
		keys = append(keys, op.Key)
		if i%50 == 0 {
			w.p = w.open()
		}
	}
	for _, key := range keys {
		w.lookup(key)
	}
	w.at(at(w.clock.read(), 20, 0))
	for i, key := range keys {
		assert.Equal(t, map[bool]int{true: 3, false: 1}[i%5 == 0], w.bank.executed(key))
	}
	var index work
	_, err := providers.LoadState(t.Context(), w.p.state, workKey, &index)
	require.NoError(t, err)
	assert.Positive(t, index.Scan, "what is done is not looked at again")
}
