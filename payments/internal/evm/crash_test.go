package evm_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
)

// survives runs a process that may die, and tells whether it lived.
func survives(t testing.TB, run func()) (lived bool) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			if err, ok := v.(error); !ok || !errors.Is(err, errDied) {
				panic(v)
			}
		}
	}()
	run()
	return true
}

// TestACrashAtAnyStep ends the process at every write to the state store, every signature and every broadcast of a withdrawal's life,
// before and after the step is done. The next process pays once, and the books agree with the chain.
func TestACrashAtAnyStep(t *testing.T) {
	crashes := map[bool]int{}
	for _, late := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			w.opening()
			w.pay(w.address("alice", w.dollar), w.amount(w.dollar, "50"))
			w.mine(confirms)
			to, out := w.node.Address(), w.amount(w.dollar, "12.34")
			w.death.countdown, w.death.late = n, late
			request := payments.WithdrawRequest{Key: w.key(), Actor: payments.Member("alice"), Amount: out, To: to}
			play := func() {
				_, err := w.svc.Withdraw(w.ctx, request)
				require.NoError(t, err)
				w.mine(confirms)
			}
			if survives(t, play) {
				break
			}
			crashes[late]++
			when := fmt.Sprintf("a crash at step %d (%s), done %v", n, w.death.name, late)
			w.start()
			_, err := w.svc.Withdraw(w.ctx, request)
			require.NoError(t, err, when)
			w.settle()
			w.settle()
			arrived, err := w.node.Balance(w.contract, to)
			require.NoError(t, err)
			require.Equal(t, out.Big(), arrived, when)
			require.Equal(t, 1, w.node.Executed(to), when)
			require.Equal(t, w.amount(w.dollar, "37.66").Big(), w.wallet("alice", w.dollar), when)
			w.sound(when)
		}
	}
	t.Logf("%d crashes before a step and %d after it", crashes[false], crashes[true])
	require.Greater(t, crashes[false], 10)
	require.Equal(t, crashes[false], crashes[true])
}
