package sandbox_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func newWorldAssets() []currency.Asset { return []currency.Asset{currency.USD, currency.JPY, eth} }

func everyFault(c *sandbox.Config) {
	c.CardFee = sandbox.Fee{Rate: decimal.RequireFromString("0.029"), Fixed: 30}
	c.CardSettleAfter = time.Hour
	c.Faults = sandbox.Faults{
		Refuse: 30, Reject: 30, Decline: 30, LostRequest: 30, LostResponse: 30, SlowRequest: 30, ServerError: 30, Garbage: 30,
		WrongAmount: 30, LookupFails: 50, LookupNotFoundLag: 500, PollFails: 50,
		WebhookLost: 50, WebhookDuplicated: 50, WebhookReordered: 50, WebhookDelayed: 50,
	}
}

// play does random things to a world and returns all that it was told.
func play(t *testing.T, w *world, seed uint64, steps int) (told []string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	ctx := t.Context()
	var sent []providers.Operation
	w.Script(sandbox.None)
	addresses := []string{w.address().Address}
	var txs []string
	tell := func(v any, err error) {
		text, errJSON := json.Marshal(v) // which follows pointers
		require.NoError(t, errJSON)
		told = append(told, fmt.Sprintf("%s %v", text, err))
	}
	newKey := func() string {
		var b [16]byte
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return uuid.UUID(b).String()
	}
	cards := []string{
		sandbox.TokenCard, sandbox.TokenCardDeclined, sandbox.TokenCardAction, sandbox.TokenCardRefundFails, "tok_none",
	}
	accounts := []string{sandbox.TokenBank, sandbox.TokenBankReturned, sandbox.TokenBankBounces, sandbox.TokenBankFails}
	amount := func() currency.Amount { return usd(1 + rng.Int64N(10_000)) }
	for range steps {
		switch rng.IntN(14) {
		case 0, 1:
			sent = append(sent, deposit(providers.Card, cards[rng.IntN(len(cards))], amount()))
		case 2, 3:
			sent = append(sent, deposit(providers.Bank, accounts[rng.IntN(len(accounts))], amount()))
		case 4:
			sent = append(sent, withdrawal(providers.Bank, accounts[rng.IntN(len(accounts))], amount()))
		case 5:
			to := []string{addresses[rng.IntN(len(addresses))], "0xabc", sandbox.AddressReverts, sandbox.AddressRefused}
			sent = append(sent, withdrawal(providers.Chain, to[rng.IntN(4)], gwei(1+rng.Int64N(1000))))
		case 6, 7:
			if len(sent) > 0 {
				target := sent[rng.IntN(len(sent))]
				if target.Kind == providers.Deposit {
					sent = append(sent, refundOf(target, amount()))
				}
			}
		case 8:
			if len(sent) > 0 {
				if target := sent[rng.IntN(len(sent))]; target.Method != providers.Chain {
					sent = append(sent, providers.Operation{Kind: providers.Cancel, Method: target.Method, Target: target.Key})
				}
			}
		case 9:
			id, err := w.SendTo(addresses[rng.IntN(len(addresses))], gwei(1+rng.Int64N(1000)), gwei(1))
			txs = append(txs, id)
			tell(id, err)
		case 10:
			var drop []string
			if len(txs) > 0 && rng.IntN(3) == 0 {
				drop = append(drop, txs[len(txs)-1])
			}
			tell(nil, w.Reorganise(1+rng.IntN(8), drop...))
		case 11:
			if len(sent) > 0 { // again, perhaps after days
				sent = append(sent, sent[rng.IntN(len(sent))])
			}
		case 12:
			w.advance(time.Duration(rng.Int64N(int64(6 * time.Hour))))
			if len(sent) > 0 {
				tell(nil, w.Approve(sent[rng.IntN(len(sent))].Key))
			}
		case 13:
			w.advance(time.Duration(rng.Int64N(int64(5 * time.Minute))))
			for _, d := range w.Deliveries(5) {
				tell(w.Receive(ctx, d))
			}
		}
		if n := len(sent); n > 0 {
			op := &sent[n-1]
			if rng.IntN(3) > 0 {
				op.Key = newKey()
			}
			tell(w.Submit(ctx, *op))
			tell(w.Lookup(ctx, providers.Query{Key: op.Key}))
		}
	}
	w.advance(1000 * time.Hour)
	events, _ := w.poll("")
	tell(events, nil)
	return told
}

func TestSoak(t *testing.T) {
	for seed := range uint64(8) {
		w := newWorld(t, func(c *sandbox.Config) { c.Seed = seed; everyFault(c); c.Faults.PollFails = 0 })
		play(t, w, seed, 400)
		require.NoError(t, w.Audit(), "seed %d", seed)
		assert.Empty(t, w.InFlight(), "everything ends")
	}
}

func TestSameSeedSameAnswers(t *testing.T) {
	answers := func(seed uint64) []string {
		uuid.SetRand(rand.NewChaCha8([32]byte{7})) // for the helpers' keys
		defer uuid.SetRand(nil)
		w := newWorld(t, func(c *sandbox.Config) { c.Seed = seed; everyFault(c); c.Faults.PollFails = 0 })
		return play(t, w, 99, 300)
	}
	first, again, other := answers(1), answers(1), answers(2)
	assert.True(t, slices.Equal(first, again))
	assert.False(t, slices.Equal(first, other))
}

func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			_, err := w.Reconnect().Submit(t.Context(), op)
			assert.NoError(t, err)
			_, err = w.Submit(t.Context(), deposit(providers.Bank, sandbox.TokenBank, usd(int64(i+1))))
			assert.NoError(t, err)
			w.Describe()
			w.Deliveries(2)
			_, _, err = w.Poll(t.Context(), "", 10)
			assert.NoError(t, err)
			w.InFlight()
		})
	}
	group.Wait()
	assert.Equal(t, 1, w.Executed(op.Key))
	assert.Len(t, w.Operations(), 33)
	next, ok := w.NextChange()
	require.True(t, ok)
	assert.Equal(t, w.now.Add(24*time.Hour), next)
	assert.Len(t, w.Balances(), 1)
}

func BenchmarkSubmitAndLookup(b *testing.B) {
	s, err := sandbox.New(sandbox.Config{Assets: newWorldAssets(), Secret: []byte("s")})
	require.NoError(b, err)
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	ctx := b.Context()
	for b.Loop() {
		op.Key = key()
		if _, err := s.Submit(ctx, op); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Lookup(ctx, providers.Query{Key: op.Key}); err != nil {
			b.Fatal(err)
		}
	}
}
