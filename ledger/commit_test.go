package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// gate is a store whose updates wait to be let through, one token each, while it is shut; and which may fail them.
type gate struct {
	ledger.Store
	mu      sync.Mutex
	shut    chan struct{}
	batches [][]string                                                         // the keys that each Update named
	fail    func(keys []string, update func() error) error                     // nil: update
	ended   func(context.Context, func(context.Context) error, []string) error // nil: ctx.Err()
}

func (g *gate) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	g.mu.Lock()
	g.batches = append(g.batches, want.Keys)
	g.mu.Unlock()
	run := func(ctx context.Context) error { return g.Store.Update(ctx, book, want, decide) }
	if g.shut != nil {
		select {
		case <-g.shut:
		case <-ctx.Done():
			if g.ended != nil {
				return g.ended(ctx, run, want.Keys)
			}
			return ctx.Err()
		}
	}
	if g.fail != nil {
		return g.fail(want.Keys, func() error { return run(ctx) })
	}
	return run(ctx)
}

// sizes is how many keys each Update named.
func (g *gate) sizes() (sizes []int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range g.batches {
		sizes = append(sizes, len(b))
	}
	return sizes
}

func (g *gate) let(n int) {
	for range n {
		g.shut <- struct{}{}
	}
	synctest.Wait()
}

// crowd is a furnished book behind a gate that is shut from now on, and callers of it.
type crowd struct {
	*world
	gate    *gate
	wg      sync.WaitGroup
	mu      sync.Mutex
	results map[string]result
}

type result struct {
	receipt ledger.Receipt
	err     error
}

func newCrowd(t *testing.T, c ledger.Config) *crowd {
	g := &gate{Store: memory.New()}
	w := newWorldOn(t, g)
	c.Clock, c.NewID = w.clock.Now, counter()
	w.Book = ledger.New(g, c)
	w.furnish(1_000_000)
	g.shut, g.batches = make(chan struct{}), nil
	return &crowd{world: w, gate: g, results: map[string]result{}}
}

func transfer(key string) ledger.Entry {
	return ledger.Entry{Key: key, Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(1))}}
}

// call records in a goroutine and waits until it is asleep, so that callers come in the order of the calls.
func (c *crowd) call(ctx context.Context, e ledger.Entry) {
	c.wg.Go(func() {
		r, err := c.Record(ctx, e)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.results[e.Key] = result{r, err}
	})
	synctest.Wait()
}

func (c *crowd) result(key string) (result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.results[key]
	return r, ok
}

// ok expects first answers, no replays.
func (c *crowd) ok(keys ...string) {
	c.Helper()
	for _, k := range keys {
		r, answered := c.result(k)
		require.True(c, answered, "%s has no answer", k)
		require.NoError(c, r.err, k)
		require.False(c, r.receipt.Replayed, k)
		require.Equal(c, k, r.receipt.Key)
	}
}

func (c *crowd) recorded(key string) bool {
	_, err := c.Receipt(c.Context(), key)
	return err == nil
}

// open lets everything through from now on.
func (c *crowd) open() {
	close(c.gate.shut)
	c.wg.Wait()
}

// inCrowd runs a test in a bubble, which also shows that no goroutine stays behind.
func inCrowd(t *testing.T, cfg ledger.Config, f func(*crowd)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, cfg)
		f(c)
		c.wg.Wait()
		c.gate.shut, c.gate.fail = nil, nil
		c.sound()
	})
}

func keys(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("%s%d", prefix, i))
	}
	return all
}

func TestCallersShareAnUpdate(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		c.call(c.Context(), transfer("first"))
		for _, k := range keys("k", 300) {
			c.call(c.Context(), transfer(k))
		}
		c.gate.let(1)
		c.ok("first") // it has handed the lead over
		c.gate.let(1)
		c.ok(keys("k", 300)...)
		require.Equal(c, []int{1, 300}, c.gate.sizes())
		c.has(bob, 301, 0)
	})
}

func TestBatchesAreBounded(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		c.call(c.Context(), transfer("first"))
		for _, k := range keys("k", 1_500) {
			c.call(c.Context(), transfer(k))
		}
		c.open()
		require.Equal(c, []int{1, 1_000, 500}, c.gate.sizes())
	})
}

// The lead goes to whoever has waited longest: a caller that comes back at once, or with very many entries, is served in
// its turn.
func TestHotCallerIsFair(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		c.wg.Go(func() {
			for _, k := range keys("hot", 20) {
				_, err := c.Record(c.Context(), transfer(k))
				assert.NoError(c, err)
			}
		})
		synctest.Wait()
		var many []ledger.Entry
		for _, k := range keys("many", 5_000) {
			many = append(many, transfer(k))
		}
		c.wg.Go(func() { c.RecordAll(c.Context(), many) })
		synctest.Wait()
		c.call(c.Context(), transfer("other"))
		c.gate.let(3) // hot0, then many and what fits, then other
		c.ok("other")
		c.open()
		require.Equal(c, "hot0", c.gate.batches[0][0])
	})
}

func TestCallerLeavesTheQueue(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		ctx, cancel := context.WithCancel(c.Context())
		c.call(c.Context(), transfer("first"))
		c.call(ctx, transfer("left"))
		c.call(c.Context(), transfer("stays"))
		cancel()
		synctest.Wait()
		r, _ := c.result("left")
		require.ErrorIs(c, r.err, ledger.Unavailable)
		require.ErrorIs(c, r.err, context.Canceled)
		c.open()
		c.ok("first", "stays")
		require.False(c, c.recorded("left"))
	})
}

func TestFollowerLeavesItsBatch(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		ctx, cancel := context.WithCancel(c.Context())
		c.call(c.Context(), transfer("first"))
		c.call(c.Context(), transfer("leader"))
		c.call(ctx, transfer("left"))
		c.gate.let(1)
		cancel()
		synctest.Wait()
		r, _ := c.result("left")
		require.ErrorIs(c, r.err, context.Canceled)
		c.open()
		c.ok("leader")
		require.True(c, c.recorded("left"), "it was on its way")
	})
}

// A leader whose context ends is free; its neighbours are carried again, by another, and it may have been recorded or not.
func TestLeaderLeaves(t *testing.T) {
	for _, written := range []bool{false, true} {
		inCrowd(t, ledger.Config{}, func(c *crowd) {
			if written { // the commit went through, but nobody heard of it
				c.gate.ended = func(ctx context.Context, update func(context.Context) error, _ []string) error {
					if err := update(context.WithoutCancel(ctx)); err != nil {
						return err
					}
					return ctx.Err()
				}
			}
			ctx, cancel := context.WithCancel(c.Context())
			c.call(c.Context(), transfer("first"))
			c.call(ctx, transfer("leader"))
			c.call(c.Context(), transfer("a"))
			c.call(c.Context(), transfer("b"))
			c.gate.let(1)
			cancel()
			synctest.Wait()
			r, answered := c.result("leader")
			require.True(c, answered)
			require.ErrorIs(c, r.err, context.Canceled)
			require.Equal(c, written, c.recorded("leader"))
			c.open()
			c.ok("a", "b") // no replays, although they were written before
			require.Equal(c, []int{1, 3, 2}, c.gate.sizes())
		})
	}
}

// A batch is given up once. The second time it goes on without its leader, until nobody waits for it.
func TestLeaderLeavesASecondTime(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		var cancels []context.CancelFunc
		c.call(c.Context(), transfer("first"))
		for _, k := range keys("k", 4) {
			ctx, cancel := context.WithCancel(c.Context())
			cancels = append(cancels, cancel)
			c.call(ctx, transfer(k))
		}
		c.gate.let(1)
		cancels[0]() // gives up
		synctest.Wait()
		cancels[1]() // leads now
		synctest.Wait()
		require.Equal(c, []int{1, 4, 3}, c.gate.sizes(), "the batch goes on")
		cancels[2]()
		synctest.Wait()
		_, answered := c.result("k2")
		require.True(c, answered)
		cancels[3]()
		synctest.Wait()
		r, answered := c.result("k1")
		require.True(c, answered, "nobody waits any longer")
		require.ErrorIs(c, r.err, context.Canceled)
		c.call(c.Context(), transfer("next"))
		c.open()
		c.ok("next")
	})
}

func TestShieldedLeaderIsRecorded(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		one, cancelOne := context.WithCancel(c.Context())
		two, cancelTwo := context.WithCancel(c.Context())
		c.call(c.Context(), transfer("first"))
		c.call(one, transfer("one"))
		c.call(two, transfer("two"))
		c.call(c.Context(), transfer("three"))
		c.gate.let(1)
		cancelOne()
		synctest.Wait()
		cancelTwo()
		synctest.Wait()
		c.open()
		c.ok("two", "three")
	})
}

func TestWokenLeaderHasLeft(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		for i := range 50 { // either may be noticed first
			ctx, cancel := context.WithCancel(c.Context())
			c.call(c.Context(), transfer(fmt.Sprintf("first%d", i)))
			c.call(ctx, transfer(fmt.Sprintf("gone%d", i)))
			c.call(c.Context(), transfer(fmt.Sprintf("last%d", i)))
			cancel()
			c.gate.shut <- struct{}{}
			synctest.Wait()
			c.gate.let(1)
			c.ok(fmt.Sprintf("first%d", i), fmt.Sprintf("last%d", i))
		}
	})
}

// A row that the store does not take fails the entry that wants it and no other.
func TestPoison(t *testing.T) {
	refusal := errors.New("value too long")
	for _, n := range []int{1, 2, 7, 200} {
		inCrowd(t, ledger.Config{}, func(c *crowd) {
			c.gate.fail = func(keys []string, update func() error) error {
				if slices.Contains(keys, "k0") || slices.Contains(keys, "k5") || slices.Contains(keys, "k6") {
					return refusal
				}
				return update()
			}
			c.call(c.Context(), transfer("first"))
			for _, k := range keys("k", n) {
				c.call(c.Context(), transfer(k))
			}
			c.open()
			c.ok("first")
			for i, k := range keys("k", n) {
				if i == 0 || i == 5 || i == 6 {
					r, _ := c.result(k)
					require.ErrorIs(c, r.err, ledger.ErrStore)
					require.ErrorIs(c, r.err, refusal)
					require.False(c, c.recorded(k))
				} else {
					c.ok(k)
				}
			}
		})
	}
}

// A failure that was written after all is found when the batch is divided, and is no replay.
func TestLostAnswer(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		lost := false
		c.gate.fail = func(keys []string, update func() error) error {
			err := update()
			if err == nil && len(keys) > 1 && !lost {
				lost = true
				return errors.New("connection lost")
			}
			return err
		}
		c.call(c.Context(), transfer("first"))
		for _, k := range keys("k", 8) {
			c.call(c.Context(), transfer(k))
		}
		c.open()
		c.ok(keys("k", 8)...)
		c.has(bob, 9, 0)
	})
}

func TestStoreDown(t *testing.T) {
	for name, down := range map[string]struct {
		err     error
		updates int
	}{
		"an error of its own": {errors.New("no route to host"), 40},
		"says unavailable":    {ledger.Refuse(ledger.ErrStore, "", "no route to host"), 3},
	} {
		t.Run(name, func(t *testing.T) {
			inCrowd(t, ledger.Config{MaxWaiting: 500}, func(c *crowd) {
				c.gate.fail = func([]string, func() error) error { return down.err }
				c.call(c.Context(), transfer("first"))
				for _, k := range keys("k", 501) {
					c.call(c.Context(), transfer(k))
				}
				r, answered := c.result("k500")
				require.True(c, answered, "one too many is told at once")
				require.ErrorIs(c, r.err, ledger.ErrBusy)
				require.Equal(c, ledger.Unavailable, ledger.ClassOf(r.err))
				c.open()
				for _, k := range keys("k", 500) {
					r, _ := c.result(k)
					require.ErrorIs(c, r.err, ledger.ErrStore)
					require.ErrorIs(c, r.err, ledger.Unavailable)
				}
				require.Less(c, len(c.gate.sizes()), down.updates, "a store that is down is not asked for each")
				c.gate.fail = nil
				_, err := c.Record(c.Context(), transfer("k1"))
				require.NoError(c, err, "it is up again")
			})
		})
	}
}

// TestStoreCorrupt has a store that writes, or does not, and then says that it is corrupt: nothing more is tried on it.
func TestStoreCorrupt(t *testing.T) {
	for name, says := range map[string]error{
		"a code":            ledger.ErrCorrupt,
		"a class":           fmt.Errorf("page 17: %w", ledger.Corrupt),
		"a refusal":         ledger.Refuse(ledger.ErrCorrupt, "", "page 17"),
		"a wrapped refusal": fmt.Errorf("reading: %w", ledger.Refuse(ledger.ErrCorrupt, "", "page 17")),
	} {
		for _, writes := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, written %t", name, writes), func(t *testing.T) {
				inCrowd(t, ledger.Config{}, func(c *crowd) {
					c.gate.fail = func(_ []string, update func() error) error {
						if writes {
							require.NoError(c, update())
						}
						return says
					}
					c.call(c.Context(), transfer("first"))
					for _, k := range keys("k", 100) {
						c.call(c.Context(), transfer(k))
					}
					before := len(c.gate.sizes())
					c.open()
					for _, k := range keys("k", 100) {
						r, _ := c.result(k)
						require.ErrorIs(c, r.err, ledger.ErrCorrupt)
						require.Equal(c, ledger.Corrupt, ledger.ClassOf(r.err))
					}
					require.LessOrEqual(c, len(c.gate.sizes())-before, 2, "no batch is divided")
					c.gate.fail = nil
					r, err := c.Record(c.Context(), transfer("k1"))
					require.NoError(c, err)
					require.Equal(c, writes, r.Replayed, "what was written answers under its key")
				})
			})
		}
	}
}

func TestStorePanics(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		c.gate.fail = func(keys []string, update func() error) error {
			if slices.Contains(keys, "leader") {
				panic("boom")
			}
			return update()
		}
		c.call(c.Context(), transfer("first"))
		c.wg.Go(func() {
			assert.PanicsWithValue(c, "boom", func() { _, _ = c.Record(c.Context(), transfer("leader")) })
		})
		synctest.Wait()
		c.call(c.Context(), transfer("a"))
		c.gate.let(1)
		c.call(c.Context(), transfer("b"))
		c.open()
		r, _ := c.result("a")
		require.ErrorIs(c, r.err, ledger.Unavailable)
		c.ok("b")
	})
}

func TestEqualKeysInOneBatch(t *testing.T) {
	inCrowd(t, ledger.Config{}, func(c *crowd) {
		var mu sync.Mutex
		var receipts []ledger.Receipt
		var conflict error
		c.call(c.Context(), transfer("first"))
		for range 10 {
			c.wg.Go(func() {
				r, err := c.Record(c.Context(), transfer("same"))
				mu.Lock()
				defer mu.Unlock()
				assert.NoError(c, err)
				receipts = append(receipts, r)
			})
			synctest.Wait()
		}
		c.wg.Go(func() {
			_, conflict = c.Record(c.Context(), ledger.Entry{Key: "same", Commands: []ledger.Command{ledger.Transfer(alice, bob, dollars(2))}})
		})
		c.open()
		replays := 0
		for _, r := range receipts {
			require.Equal(c, receipts[0].ID, r.ID)
			if r.Replayed {
				replays++
			}
		}
		require.Equal(c, 9, replays)
		require.ErrorIs(c, conflict, ledger.ErrKeyConflict)
		require.ErrorContains(c, conflict, "amount")
		c.has(bob, 2, 0)
	})
}

// Callers of every sort at once, some without patience: what was acknowledged is there, once, and the books are sound.
func TestCrowdWithoutPatience(t *testing.T) {
	w := newWorld(t)
	w.furnish(1_000_000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	for i := range 16 {
		wg.Go(func() {
			for j := range 60 {
				ctx, cancel := context.WithCancel(t.Context())
				if (i+j)%3 == 0 {
					wg.Go(cancel)
				}
				key := fmt.Sprintf("%d/%d", i, j)
				_, err := w.Record(ctx, transfer(key))
				cancel()
				if err == nil {
					mu.Lock()
					acknowledged[key] = true
					mu.Unlock()
				} else if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	recorded := 0
	for i := range 16 {
		for j := range 60 {
			key := fmt.Sprintf("%d/%d", i, j)
			_, err := w.Receipt(t.Context(), key)
			if err == nil {
				recorded++
			} else {
				require.False(t, acknowledged[key], key)
			}
		}
	}
	w.has(bob, int64(recorded), 0)
	w.sound()
}

// RecordAll says what Record would have said, one after the other.
func TestRecordAll(t *testing.T) {
	one, all := newWorld(t), newWorld(t)
	one.furnish(1_200)
	all.furnish(1_200)
	var entries []ledger.Entry
	for i, k := range keys("k", 2_500) {
		e := transfer(k)
		switch i % 7 {
		case 3:
			e.Key = "k0" // again
		case 4:
			e.Commands = nil
		case 5:
			e.Guards = []ledger.Guard{{Check: func(ledger.View) ([]ledger.Command, error) { panic("boom") }}}
		}
		entries = append(entries, e)
	}
	for i, o := range all.RecordAll(t.Context(), entries) {
		r, err := one.Record(t.Context(), entries[i])
		require.Equal(t, r.Replayed, o.Receipt.Replayed)
		require.Equal(t, r.Results == nil, o.Receipt.Results == nil)
		require.Equal(t, r.Balances, o.Receipt.Balances)
		require.Equal(t, err == nil, o.Err == nil)
		if err != nil {
			require.Equal(t, err.Error(), o.Err.Error())
		}
	}
	all.sound()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, o := range all.RecordAll(ctx, entries[:3]) {
		require.ErrorIs(t, o.Err, ledger.Unavailable)
	}
	require.Empty(t, all.RecordAll(t.Context(), nil))
}
