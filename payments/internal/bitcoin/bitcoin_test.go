package bitcoin_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
)

func (w *world) pay(to string, units int64) string {
	w.Helper()
	txid, err := w.miner.Pay(w.ctx, bitcointest.Payment{To: to, Units: units})
	require.NoError(w, err)
	return txid
}

func (w *world) has(member string, posted, held, owes int64) {
	w.Helper()
	p, h, o := w.wallet(member)
	require.Equal(w, []int64{posted, held, owes}, []int64{p, h, o}, "posted, held and owed of %s", member)
}

// sound checks the book against itself, and the chain.
func (w *world) sound() {
	w.Helper()
	w.custody(0)
	v, err := w.book.Verify(w.ctx)
	require.NoError(w, err)
	require.Empty(w, v.Problems)
}

// A member tops up from a chain, tips another one, who cashes out to an address of somebody else's. The tip is not on the chain.
func TestTopUpTipAndCashOut(t *testing.T) {
	w := newWorld(t)
	address := w.address("a", "alice")
	require.Equal(t, w.ours[0], address)
	w.pay(address, 5_000_000)
	w.mine(confirmations - 1)
	w.has("alice", 0, 0, 0)
	w.custody(5_000_000)
	w.mine(1)
	w.has("alice", 5_000_000, 0, 0)
	w.custody(0)

	_, err := w.svc.Tip(w.ctx, payments.TransferRequest{Key: "t", Actor: payments.Member("alice"), To: "bob", Amount: sats(2_000_000), Reference: "post:1"})
	require.NoError(t, err)
	w.has("bob", 1_900_000, 0, 0)

	to, err := w.miner.NewAddress()
	require.NoError(t, err)
	bob := payments.Member("bob")
	q, err := w.svc.Quote(w.ctx, payments.QuoteRequest{Actor: bob, Amount: sats(1_000_000), To: to})
	require.NoError(t, err)
	fee, _ := q.Fee.Int64()
	p, err := w.svc.Withdraw(w.ctx, payments.WithdrawRequest{Key: "w", Actor: bob, Amount: sats(1_000_000), To: to, Quote: q.ID})
	require.NoError(t, err)
	w.has("bob", 1_900_000, 1_000_000+fee, 0)
	w.mine(1)
	inBlock, err := w.miner.Received(w.ctx, to)
	require.NoError(t, err)
	require.Equal(t, int64(1_000_000), inBlock)
	const real = 282 // 141 virtual bytes at the node's 2000 satoshi for 1000
	w.custody(-1_000_000 - real)
	w.mine(finality)
	w.has("bob", 900_000-real, 0, 0)
	done, err := w.svc.Payment(w.ctx, bob, p.ID)
	require.NoError(t, err)
	require.Equal(t, payments.Succeeded, done.State)
	w.sound()
}

// What a mistyped address, another network's address, and too little money come to: nothing held, nothing sent.
func TestRefusedCashOuts(t *testing.T) {
	w := newWorld(t)
	w.pay(w.address("a", "alice"), 5_000_000)
	w.mine(confirmations)
	alice := payments.Member("alice")
	good, err := w.miner.NewAddress()
	require.NoError(t, err)
	q, err := w.svc.Quote(w.ctx, payments.QuoteRequest{Actor: alice, Amount: sats(4_999_999), To: good})
	require.NoError(t, err)
	for to, quote := range map[string]string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4": "",
		good[:len(good)-1] + "x":                     "",
		good:                                         q.ID, // amount and fee are more than there is
	} {
		_, err := w.svc.Withdraw(w.ctx, payments.WithdrawRequest{Key: "w" + to, Actor: alice, Amount: sats(4_999_999), To: to, Quote: quote})
		require.Error(t, err, to)
		w.has("alice", 5_000_000, 0, 0)
	}
	w.mine(2)
	w.sound()
}

// A deposit that was credited and spent is orphaned; mined again it is credited again.
func TestReorganisationAfterCredit(t *testing.T) {
	w := newWorld(t)
	w.pay(w.address("a", "alice"), 3_000_000)
	w.mine(confirmations)
	_, err := w.svc.Send(w.ctx, payments.TransferRequest{Key: "s", Actor: payments.Member("alice"), To: "bob", Amount: sats(2_000_000)})
	require.NoError(t, err)
	require.NoError(t, w.miner.Reorganise(w.ctx, confirmations))
	w.pass()
	w.has("alice", 0, 0, 2_000_000)
	w.has("bob", 2_000_000, 0, 0)
	w.custody(0)
	w.mine(confirmations)
	w.has("alice", 1_000_000, 0, 0)
	w.mine(finality)
	w.sound()
}

// A deposit that the payer takes back for good is owed.
func TestDoubleSpentAfterCredit(t *testing.T) {
	w := newWorld(t)
	txid := w.pay(w.address("a", "alice"), 3_000_000)
	w.mine(confirmations)
	_, err := w.svc.Send(w.ctx, payments.TransferRequest{Key: "s", Actor: payments.Member("alice"), To: "bob", Amount: sats(3_000_000)})
	require.NoError(t, err)
	require.NoError(t, w.miner.Reorganise(w.ctx, confirmations, txid))
	w.pass()
	w.mine(finality + 1)
	w.has("alice", 0, 0, 3_000_000)
	w.has("bob", 3_000_000, 0, 0)
	w.sound()
}

// A chain that is rewritten deeper than what was final stops the adapter, and opens a case for a person.
func TestTooDeepAReorganisation(t *testing.T) {
	w := newWorld(t)
	w.pay(w.address("a", "alice"), 3_000_000)
	w.mine(finality + 2)
	require.NoError(t, w.miner.Reorganise(w.ctx, finality+3))
	w.tick()
	_, err := w.svc.Step(w.ctx)
	require.ErrorContains(t, err, "deep")
	open := 0
	for c, err := range w.svc.Cases(w.ctx, payments.CaseQuery{}) {
		require.NoError(t, err)
		if c.State == payments.CaseOpen {
			open++
		}
	}
	require.Equal(t, 1, open)
}

// play is two days of a host: an address, a top-up, a tip, a cash-out. It is played again after a crash, from the beginning, with the
// same keys, as the devices of members do.
func (w *world) play(to string) {
	w.Helper()
	alice, bob := payments.Member("alice"), payments.Member("bob")
	if w.address("a", "alice"); w.crash.dead {
		return
	}
	w.work()
	if got, err := w.miner.Received(w.ctx, w.ours[0]); err == nil && got == 0 && w.paid == "" {
		w.paid = w.pay(w.ours[0], 5_000_000)
	}
	w.mine(confirmations + 1)
	if w.crash.dead {
		return
	}
	_, err := w.svc.Tip(w.ctx, payments.TransferRequest{Key: "t", Actor: alice, To: "bob", Amount: sats(2_000_000), Reference: "post:1"})
	require.NoError(w, err)
	if w.quote == "" {
		q, err := w.svc.Quote(w.ctx, payments.QuoteRequest{Actor: bob, Amount: sats(1_000_000), To: to})
		if w.crash.dead {
			return
		}
		require.NoError(w, err)
		w.quote = q.ID
	}
	p, err := w.svc.Withdraw(w.ctx, payments.WithdrawRequest{Key: "w", Actor: bob, Amount: sats(1_000_000), To: to, Quote: w.quote})
	if w.crash.dead {
		return
	}
	require.NoError(w, err)
	for range 30 {
		if w.mine(1); w.crash.dead {
			return
		}
		if p, err = w.svc.Payment(w.ctx, bob, p.ID); err == nil && p.State.Done() {
			break
		}
	}
	w.mine(finality + 2)
}

// TestACrashAtAnyStep ends the adapter's process before and after every write to its state, every signature and every broadcast of two
// days: the member is credited once, the payee is paid once, and the chain's custody is the book's.
func TestACrashAtAnyStep(t *testing.T) {
	crashes := 0
	for _, after := range []bool{false, true} {
		for n := 1; ; n += thin {
			w := newWorld(t)
			to, err := w.miner.NewAddress()
			require.NoError(t, err)
			w.crash.countdown, w.crash.after = n, after
			w.play(to)
			if !w.crash.dead {
				break
			}
			crashes++
			w.restart()
			w.play(to)
			when := fmt.Sprintf("a crash at step %d, done %v", n, after)
			require.False(t, w.crash.dead, when)
			paid, err := w.miner.Received(w.ctx, to)
			require.NoError(t, err)
			posted, held, _ := w.wallet("bob")
			if !assert.Equal(t, int64(1_000_000), paid, when) || !assert.Equal(t, []int64{900_000 - 282, 0}, []int64{posted, held}, when) {
				return
			}
			w.has("alice", 3_000_000, 0, 0)
			w.sound()
		}
	}
	t.Logf("%d crashes", crashes)
	require.Greater(t, crashes, 100/thin)
}
