package providers_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
)

// flaky is a StateStore that does something else before each Store.
type flaky struct {
	memoryState
	loads, stores int
	before        func(version uint64) error
	loadErr       error
}

func (f *flaky) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	f.loads++
	if f.loadErr != nil {
		return nil, 0, f.loadErr
	}
	return f.memoryState.Load(ctx, key)
}

func (f *flaky) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	f.stores++
	if f.before != nil {
		if err := f.before(version); err != nil {
			return 0, err
		}
	}
	return f.memoryState.Store(ctx, key, value, version)
}

func newFlaky() *flaky { return &flaky{memoryState: memoryState{rows: map[string]row{}}} }

type tally struct {
	Names []string       `json:"names,omitempty"`
	Of    map[string]int `json:"of,omitempty"`
}

func TestChangeStateLosesNoChange(t *testing.T) {
	t.Parallel()
	state := &memoryState{rows: map[string]row{}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				_, err := providers.ChangeState(t.Context(), state, "n", func(n *int, isNew bool) error {
					assert.Equal(t, *n == 0, isNew)
					*n++
					return nil
				})
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	var n int
	version, err := providers.LoadState(t.Context(), state, "n", &n)
	require.NoError(t, err)
	require.Equal(t, 400, n)
	require.EqualValues(t, 400, version)
}

// What a try that was too slow had made of its value is not there in the next one.
func TestChangeStateBeginsAgainWithWhatIsStored(t *testing.T) {
	t.Parallel()
	state := newFlaky()
	state.before = func(version uint64) error {
		if version == 0 { // another process is faster
			state.rows["t"] = row{[]byte(`{"names":["theirs"],"of":{"theirs":1}}`), 1}
		}
		return nil
	}
	got, err := providers.ChangeState(t.Context(), state, "t", func(v *tally, isNew bool) error {
		require.Equal(t, len(v.Names) == 0, isNew)
		v.Names = append(v.Names, "ours")
		if v.Of == nil {
			v.Of = map[string]int{}
		}
		v.Of["ours"]++
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, tally{[]string{"theirs", "ours"}, map[string]int{"theirs": 1, "ours": 1}}, got)
	require.Equal(t, []int{2, 2}, []int{state.loads, state.stores})
	var kept tally
	_, err = providers.LoadState(t.Context(), state, "t", &kept)
	require.NoError(t, err)
	require.Equal(t, got, kept)
}

func TestChangeStateGivesUpWhenOthersAreAlwaysFaster(t *testing.T) {
	t.Parallel()
	state := newFlaky()
	state.before = func(uint64) error { return providers.ErrStateConflict }
	_, err := providers.ChangeState(t.Context(), state, "n", func(n *int, _ bool) error { *n++; return nil })
	require.ErrorIs(t, err, providers.ErrStateBusy)
	require.ErrorContains(t, err, "n")
	require.Equal(t, 1_000, state.stores)
	require.Empty(t, state.rows)
}

func TestChangeStateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	state := newFlaky()
	state.before = func(uint64) error {
		cancel()
		return providers.ErrStateConflict
	}
	_, err := providers.ChangeState(ctx, state, "n", func(n *int, _ bool) error { *n++; return nil })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []int{1, 1}, []int{state.loads, state.stores})
}

func TestChangeStateThatChangesNothing(t *testing.T) {
	t.Parallel()
	state := newFlaky()
	_, err := providers.SaveState(t.Context(), state, "n", 7, 0)
	require.NoError(t, err)
	got, err := providers.ChangeState(t.Context(), state, "n", func(*int, bool) error { return providers.ErrStateSame })
	require.NoError(t, err)
	require.Equal(t, 7, got)

	refused := errors.New("refused")
	for _, cause := range []error{refused, providers.ErrStateConflict} { // which is the change's own, and not the store's
		got, err = providers.ChangeState(t.Context(), state, "n", func(n *int, _ bool) error { *n = 8; return cause })
		require.ErrorIs(t, err, cause)
		require.Equal(t, 8, got, "what was wanted")
	}
	require.Equal(t, map[string]row{"n": {[]byte("7"), 1}}, state.rows)
	require.Equal(t, 1, state.stores)
}

// A store that fails is not asked again, and what is said about what it holds does not repeat it.
func TestStateThatCannotBeReadOrWritten(t *testing.T) {
	t.Parallel()
	down := errors.New("the disk is on fire")
	up := func(n *int, _ bool) error { *n++; return nil }

	state := newFlaky()
	state.loadErr = down
	_, err := providers.ChangeState(t.Context(), state, "some/key", up)
	require.ErrorIs(t, err, down)
	require.ErrorContains(t, err, "some/key")
	require.Zero(t, state.stores)

	state = newFlaky()
	state.before = func(uint64) error { return down }
	_, err = providers.ChangeState(t.Context(), state, "some/key", up)
	require.ErrorIs(t, err, down)
	require.ErrorContains(t, err, "some/key")
	require.Equal(t, 1, state.stores)

	state = newFlaky()
	state.rows["some/key"] = row{[]byte(`"secret"`), 3}
	_, err = providers.ChangeState(t.Context(), state, "some/key", up)
	require.ErrorContains(t, err, "some/key")
	require.NotContains(t, err.Error(), "secret")
	require.Zero(t, state.stores)

	_, err = providers.SaveState(t.Context(), state, "f", make(chan int), 0)
	require.ErrorContains(t, err, "f")
	require.Zero(t, state.stores)

	n := 5
	version, err := providers.LoadState(t.Context(), state, "never", &n)
	require.NoError(t, err)
	require.Zero(t, version)
	require.Equal(t, 5, n, "what was never stored changes nothing")
	_, err = providers.SaveState(t.Context(), state, "some/key", 1, 2)
	require.ErrorIs(t, err, providers.ErrStateConflict)
}
