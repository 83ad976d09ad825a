package linear

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
)

// patience ends a search that would take too long; a history that nobody could judge fails the test.
const patience = 3 * time.Second

// yielding gives way around every step of a store, so that clients meet in it also on one core.
type yielding struct{ ledger.Store }

func (s yielding) Update(ctx context.Context, book string, want ledger.Names, decide ledger.Decide) error {
	runtime.Gosched()
	err := s.Store.Update(ctx, book, want, func(found ledger.Rows) (ledger.Rows, ledger.Names, error) {
		runtime.Gosched()
		return decide(found)
	})
	runtime.Gosched()
	return err
}

func (s yielding) Read(ctx context.Context, book string, want ledger.Names) (ledger.Rows, error) {
	runtime.Gosched()
	rows, err := s.Store.Read(ctx, book, want)
	runtime.Gosched()
	return rows, err
}

// posting is yielding for a store that has the shorter way for transfers, and counts what goes by it.
type posting struct {
	yielding
	poster ledger.Poster
	gone   *atomic.Int64
}

func postingOn(p ledger.Poster) posting {
	return posting{yielding: yielding{p.Self()}, poster: p, gone: new(atomic.Int64)}
}

func (s posting) Self() ledger.Store { return s }

func (s posting) Post(ctx context.Context, book string, entries []*ledger.PlainEntry, decide ledger.DecidePlain) (int, error) {
	runtime.Gosched()
	n, err := s.poster.Post(ctx, book, entries, func(e *ledger.PlainEntry, accounts []ledger.AccountInfo, posted []currency.Amount) bool {
		runtime.Gosched()
		return decide(e, accounts, posted)
	})
	s.gone.Add(int64(n))
	runtime.Gosched()
	return n, err
}

func (s posting) Number(
	ctx context.Context, book string, limit int, sequence string,
	next func(*ledger.Change, *ledger.Transaction), seal func(last uint64) (ledger.Block, bool),
) (int, error) {
	return s.poster.Number(ctx, book, limit, sequence, next, seal)
}

func TestHistoriesAreLinearizable(t *testing.T) {
	t.Run("one way for all", func(t *testing.T) {
		checkHistories(t, func() ledger.Store { return yielding{memory.New()} })
	})
	t.Run("transfers by the shorter way", func(t *testing.T) {
		var gone []*atomic.Int64
		checkHistories(t, func() ledger.Store {
			s := postingOn(memory.New())
			gone = append(gone, s.gone)
			return s
		})
		for _, n := range gone {
			require.Positive(t, n.Load(), "nothing went the shorter way")
		}
	})
}

func checkHistories(t *testing.T, open func() ledger.Store) {
	t.Helper()
	seeds := uint64(16)
	if testing.Short() {
		seeds = 2
	}
	kinds := map[ledger.Code]int{}
	var operations, replays, retried, met int
	begin := time.Now()
	for seed := range seeds {
		history := record(t, open(), seed, clients)
		for i := range history {
			a := history[i].Output.(answer)
			operations++
			switch {
			case a.retried:
				retried++
			case a.replayed:
				replays++
			default:
				kinds[a.code]++
			}
			met += overlap(history, i)
		}
		require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(naive, history, patience), "seed %d", seed)
	}
	t.Logf("%d histories, %d calls, %d pairs of calls at once, %d replays, %d tried again, fresh answers %v, %v",
		seeds, operations, met, replays, retried, kinds, time.Since(begin).Round(time.Millisecond))

	// What did not happen was not checked.
	require.Greater(t, met, operations/2, "clients hardly met")
	require.Greater(t, replays, operations/20)
	for _, code := range []ledger.Code{"", ledger.ErrInsufficientFunds, ledger.ErrDenied, ledger.ErrKeyConflict, ledger.ErrHoldClosed, ledger.ErrHoldNotFound} {
		require.Positive(t, kinds[code], "no fresh answer %q", code)
	}
}

// overlap counts the later calls that began before call i ended.
func overlap(history []porcupine.Operation, i int) (n int) {
	for j := range history {
		if history[j].Call > history[i].Call && history[j].Call < history[i].Return {
			n++
		}
	}
	return n
}

// A store that is broken on purpose must not pass: at least one of a few histories is rejected.
func TestBrokenStoresAreRejected(t *testing.T) {
	for name, open := range map[string]func() ledger.Store{
		"forgets a key now and then":   func() ledger.Store { return yielding{&forgetsKeys{Store: memory.New()}} },
		"answers from an old snapshot": func() ledger.Store { return yielding{&stale{Store: memory.New()}} },
		"loses an update now and then": func() ledger.Store {
			return yielding{&losesUpdates{Store: memory.New(), old: map[ledger.AccountID]ledger.AccountInfo{}}}
		},
		"says done and does it not":      func() ledger.Store { return yielding{&losesWrites{Store: memory.New()}} },
		"says posted and has posted not": func() ledger.Store { return postingOn(&losesPosts{Store: memory.New()}) },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(64) {
				// Few clients: to reject a history takes a look at every order that there could be.
				history := record(t, open(), seed, 2+int(seed%3))
				switch porcupine.CheckOperationsTimeout(naive, history, patience/3) {
				case porcupine.Illegal:
					t.Logf("rejected at seed %d", seed)
					return
				case porcupine.Unknown:
					t.Logf("seed %d: no verdict in %v", seed, patience/3)
				}
			}
			t.Fatal("accepted")
		})
	}
}

// The checker itself is asked with the smallest history that is wrong.
func TestTheSmallestWrongHistory(t *testing.T) {
	pay := request{action: transfer, from: 1, to: 2, amount: funds}
	_, paid := first().step(pay)
	_, seen := first().step(request{action: balances})
	history := []porcupine.Operation{
		{ClientId: 0, Input: pay, Call: 1, Output: paid, Return: 2},
		{ClientId: 1, Input: request{action: balances}, Call: 3, Output: seen, Return: 4}, // as if nobody had paid
	}
	require.Equal(t, porcupine.Illegal, porcupine.CheckOperationsTimeout(naive, history, patience))
	history[1].Call = 1 // at the same time it may have come first
	require.Equal(t, porcupine.Ok, porcupine.CheckOperationsTimeout(naive, history, patience))
}
