package bitcoin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
)

// sleepy is the store of a process that sleeps before one of its writes, while others work.
type sleepy struct {
	providers.StateStore
	writes int
	at     int
	wake   func()
}

func (s *sleepy) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	if s.writes++; s.writes == s.at {
		s.wake()
	}
	return s.StateStore.Store(ctx, key, value, version)
}

// TestOvertaken has a process fall asleep before every single write of a scan. Meanwhile another one finishes the scan, the chain is
// reorganised without a deposit, or comes back to the very blocks; what the sleeper then writes is out of date and must do nothing.
func TestOvertaken(t *testing.T) {
	slept := 0
	for _, comesBack := range []bool{false, true} {
		for _, again := range []bool{false, true} { // the sleeper's scan follows a reorganisation of its own
			for n := 1; ; n += thin {
				w := newWorld(t, func(c *bitcoin.Config) { c.Confirmations = []bitcoin.Tier{{Confirmations: 1}} }) // what is seen counts
				w.fund(3, 400_000)
				w.polled(w.p)
				op := w.withdrawal(100_000)
				_, err := w.p.Submit(t.Context(), op)
				require.NoError(t, err)
				reference := w.deposit(50_000)
				txid, _, _ := strings.Cut(reference, ":")
				w.mine(2)
				if again {
					w.polled(w.p)
					require.NoError(t, w.miner.Reorganise(t.Context(), 2))
				}
				tip, err := w.miner.Tip(t.Context())
				require.NoError(t, err)
				other := w.open()
				s := &sleepy{StateStore: w.state, at: n, wake: func() {
					slept++
					w.polled(other)
					if !comesBack {
						require.NoError(t, w.miner.Reorganise(t.Context(), 2, txid)) // the deposit is gone for good
						w.polled(other)
						return
					}
					require.NoError(t, w.miner.Reorganise(t.Context(), 2))
					w.polled(other)
					require.NoError(t, w.miner.Return(t.Context(), tip, 2))
					w.polled(other)
				}}
				sleeper, err := bitcoin.New(s, w.signer, w.config)
				require.NoError(t, err)
				_, _, err = sleeper.Poll(t.Context(), "", 1000)
				require.NoError(t, err)
				if s.writes < n {
					break
				}
				when := fmt.Sprintf("asleep at write %d, back %v, again %v", n, comesBack, again)
				_, err = w.miner.Pay(t.Context(), bitcointest.Payment{To: w.address(0, 0), Units: 70_000})
				require.NoError(t, err)
				w.mine(finality + 1)
				sum, _ := w.polled(w.p)
				require.Equal(t, w.custody(), sum, when)
				require.Equal(t, providers.Succeeded, w.lookup(providers.Query{Key: op.Key}).State, when)
				if comesBack {
					require.Equal(t, providers.Succeeded, w.lookup(providers.Query{Reference: reference}).State, when)
				}
				// No coin was forgotten: all that there is can be withdrawn.
				all := w.withdrawal(w.custody() - 5000)
				_, err = w.p.Submit(t.Context(), all)
				require.NoError(t, err, when)
				w.conserved()
			}
		}
	}
	t.Logf("fell asleep %d times", slept)
	require.Greater(t, slept, 60/thin)
}
