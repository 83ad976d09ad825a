package bitcoin_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
)

var errDied = errors.New("the process has died")

// random is a world in which anything may happen next.
type random struct {
	*world
	rng     *rand.Rand
	address string
	unsure  []providers.Operation // whose outcome is not known yet
	sent    []providers.Operation
	refused map[string]bool
	paid    []string // transactions of others
	gone    []string // those of them that never come back
	lost    int      // withdrawals that were to be paid with them
	dead    bool
	steps   int // until the process dies; 0: it does not
	late    bool
	deaths  int
}

// fault lets the process die at one of its writes.
func (r *random) fault(call, _ string, _ []byte) (bool, error) {
	if r.dead {
		return false, errDied
	}
	if call != "store" || r.steps == 0 {
		return true, nil
	}
	if r.steps--; r.steps == 0 {
		r.dead = true
		r.deaths++
		return r.late, errDied
	}
	return true, nil
}

// revive replaces a process that died.
func (r *random) revive() {
	if r.dead || r.rng.IntN(6) == 0 {
		r.dead, r.steps = false, 0
		r.p = r.open()
	}
}

func (r *random) submit(op providers.Operation) {
	_, err := r.p.Submit(r.t.Context(), op)
	switch providers.CertaintyOf(err) {
	case providers.Rejected:
		r.refused[op.Key] = true
	case providers.Maybe, providers.NotSent, providers.Duplicate:
		if err == nil {
			r.sent = append(r.sent, op)
		} else {
			r.unsure = append(r.unsure, op)
		}
	}
}

func (r *random) act() string {
	ctx, rng := r.t.Context(), r.rng
	if rng.IntN(4) == 0 {
		r.steps, r.late = 1+rng.IntN(25), rng.IntN(2) == 0
	}
	switch n := rng.IntN(100); {
	case n < 20:
		require.NoError(r.t, r.miner.Mine(ctx, 1+rng.IntN(3)))
		return "mine"
	case n < 35:
		var list []bitcointest.Payment
		for range 1 + rng.IntN(3) {
			list = append(list, bitcointest.Payment{To: r.address, Units: 600 + rng.Int64N(400_000)})
		}
		txid, err := r.miner.Pay(ctx, list...)
		require.NoError(r.t, err)
		r.paid = append(r.paid, txid)
		return "pay"
	case n < 50:
		op := r.withdrawal(1000 + rng.Int64N(300_000))
		if rng.IntN(5) == 0 {
			op.Instrument = r.address // to ourselves
		}
		if rng.IntN(4) == 0 {
			op.MaxFee = sats(200 + rng.Int64N(2000))
		}
		r.submit(op)
		return "withdraw"
	case n < 62 && len(r.unsure) > 0:
		op := r.unsure[0]
		r.unsure = r.unsure[1:]
		op.Attempt++
		r.submit(op)
		return "send again"
	case n < 80:
		_, _, err := r.p.Poll(ctx, "", 1+rng.IntN(20))
		require.True(r.t, err == nil || errors.Is(err, errDied), "%v", err)
		return "poll"
	case n < 88:
		r.dead, r.steps = false, 0
		r.p = r.open()
		depth := 1 + rng.IntN(finality-2)
		require.NoError(r.t, r.miner.Reorganise(ctx, depth, r.dropped(depth)...))
		// What the other branch has counts from now on, so two in a row stay above what is final.
		_, _, err := r.p.Poll(ctx, "", 1)
		require.NoError(r.t, err)
		require.NoError(r.t, r.miner.Mine(ctx, finality))
		return "reorganise"
	case n < 92:
		require.NoError(r.t, r.miner.Withhold(ctx))
		return "withhold"
	case n < 94:
		r.miner.Release()
		return "release"
	case n < 98:
		rates := []string{"0.00001", "0.00002", "0.00005", "0.0001", ""}
		r.node.FeeRate = jsonNumber(rates[rng.IntN(len(rates))])
		if err := r.p.Bump(ctx); err != nil && !errors.Is(err, errDied) {
			require.ErrorContains(r.t, err, "the node says", "of a replacement that the node refuses")
		}
		return "bump"
	default:
		r.node.Forget()
		return "forget"
	}
}

// dropped chooses a transaction of others, of the newest blocks, that never comes back.
func (r *random) dropped(depth int) []string {
	_, _, err := r.p.Poll(r.t.Context(), "", 1)
	require.NoError(r.t, err)
	for i, txid := range r.paid {
		report, err := r.p.Lookup(r.t.Context(), providers.Query{Reference: txid + ":0"})
		if err == nil && report.Confirmations > 0 && int(report.Confirmations) <= depth && r.rng.IntN(2) == 0 {
			r.paid = append(r.paid[:i:i], r.paid[i+1:]...)
			r.gone = append(r.gone, txid)
			return []string{txid}
		}
	}
	return nil
}

// end lets everything come to an end, and checks it: each withdrawal that was not refused arrived once, what was refused never did, and the
// chain's custody is the sum of all effects.
func (r *random) end() {
	ctx := r.t.Context()
	r.dead, r.steps = false, 0
	r.p = r.open()
	r.miner.Release()
	_, err := r.miner.Pay(ctx, bitcointest.Payment{To: r.address, Units: 20_000_000}) // so that nothing ends for want of coins
	require.NoError(r.t, err)
	for range 40 {
		r.mine(1)
		_, _, err := r.p.Poll(ctx, "", 1)
		require.NoError(r.t, err)
		waiting := r.unsure
		r.unsure = nil
		for _, op := range waiting {
			op.Attempt++
			r.submit(op)
		}
		_ = r.p.Bump(ctx) // what the node refuses is seen below
	}
	require.Empty(r.t, r.unsure)
	r.conserved()
	for _, txid := range r.gone {
		got := r.lookup(providers.Query{Reference: txid + ":0"})
		require.True(r.t, got.Final, txid)
		require.Equal(r.t, "double_spent", got.Reason.Code)
	}
	for _, op := range r.sent {
		got := r.lookup(providers.Query{Key: op.Key})
		require.True(r.t, got.Final)
		if got.Reason.Code == "inputs_spent" { // of a coin that the payer took back
			require.NotEmpty(r.t, r.gone)
			r.lost++
			if op.Instrument != r.address {
				units, err := r.miner.Received(ctx, op.Instrument)
				require.NoError(r.t, err)
				require.Zero(r.t, units, op.Key)
			}
			continue
		}
		require.Equal(r.t, providers.Succeeded, got.State, op.Key)
		if op.Instrument == r.address {
			continue
		}
		units, err := r.miner.Received(ctx, op.Instrument)
		require.NoError(r.t, err)
		want, _ := op.Amount.Int64()
		require.Equal(r.t, want, units, op.Key)
	}
}

// TestRandomWorlds plays worlds in which processes die at any write, chains are reorganised, nodes forget, blocks leave out what waits and
// fees change. KOSH_BITCOIN_SEED plays one of them again.
func TestRandomWorlds(t *testing.T) {
	first, worlds := uint64(1), uint64(30/thin)
	if text := os.Getenv("KOSH_BITCOIN_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		first, worlds = n, 1
	}
	for seed := first; seed < first+worlds; seed++ {
		ok := t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := &random{
				world: newWorld(t, func(c *bitcoin.Config) { c.BumpAfter = 30 * time.Minute }), rng: rand.New(rand.NewPCG(seed, 7)), refused: map[string]bool{},
			}
			r.fund(12, 500_000)
			r.address = r.lookup(providers.Query{Key: r.newAddress()}).Address
			r.state.Fault = r.fault
			for range 60 {
				r.revive()
				r.act()
			}
			r.end()
			t.Logf("%d withdrawals sent, %d refused, %d deaths, %d payments in, %d of them gone with %d withdrawals", len(r.sent), len(r.refused), r.deaths, len(r.paid), len(r.gone), r.lost)
		})
		if !ok {
			t.Logf("play it again with KOSH_BITCOIN_SEED=%d", seed)
			return
		}
	}
}
