package evm_test

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// moody is a signer that is down while down is set.
type moody struct {
	providers.Signer
	down bool
}

var errDown = errors.New("the signer is down")

func (m *moody) Sign(ctx context.Context, r providers.SignRequest) ([]byte, error) {
	if m.down {
		return nil, errDown
	}
	return m.Signer.Sign(ctx, r)
}

// life is a world whose adapter is patient for two minutes.
type life struct {
	*chainworld.World
	p      *evm.Provider
	signer *moody
	cursor string
}

func newLife(t *testing.T, change ...func(*evm.Config)) *life {
	t.Helper()
	w := chainworld.New(t, newPretend(t), true)
	l := &life{World: w, signer: &moody{Signer: w.Keys.Signer}}
	w.Change = append(change, func(c *evm.Config) { c.StuckAfter, c.Signer = 2*time.Minute, l.signer })
	l.p = w.Open()
	return l
}

// mine makes blocks and polls after each; it returns what Poll told, the latest of each reference.
func (l *life) mine(blocks int) map[string]providers.Report {
	l.Helper()
	told := map[string]providers.Report{}
	for range blocks {
		require.NoError(l, l.Chain.Mine(1))
		for {
			events, next, err := l.p.Poll(l.Context(), l.cursor, 100)
			require.NoError(l, err)
			for _, e := range events {
				require.NoError(l, e.Report.Validate())
				told[e.Report.Reference] = *e.Report
			}
			if l.cursor = next; len(events) == 0 {
				break
			}
		}
	}
	return told
}

func (l *life) withdrawal(a currency.Asset) providers.Operation {
	op, ok := l.Operation(providers.Withdrawal, a.ID())
	require.True(l, ok)
	return op
}

func (l *life) lookup(op providers.Operation) providers.Report {
	l.Helper()
	r, err := l.p.Lookup(l.Context(), providers.Query{Key: op.Key, Kind: op.Kind})
	require.NoError(l, err)
	return r
}

// sums are the effects of reports, by asset.
func sums(t testing.TB, reports ...providers.Report) map[currency.AssetID]*big.Int {
	t.Helper()
	all := map[currency.AssetID]*big.Int{}
	for _, r := range reports {
		for _, e := range r.Effects {
			if all[e.Amount.AssetID()] == nil {
				all[e.Amount.AssetID()] = new(big.Int)
			}
			all[e.Amount.AssetID()].Add(all[e.Amount.AssetID()], e.Amount.Big())
		}
	}
	return all
}

// TestGapIsFilled: a withdrawal takes a nonce and is not signed; the one behind it waits, until the gap is filled by a transaction that
// moves nothing. What lost its nonce gets another one.
func TestGapIsFilled(t *testing.T) {
	l := newLife(t)
	l.mine(1)
	first, second := l.withdrawal(l.Ether), l.withdrawal(l.Ether)
	l.signer.down = true
	_, err := l.p.Submit(t.Context(), first)
	require.ErrorIs(t, err, errDown)
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err))
	l.signer.down = false
	_, err = l.p.Submit(t.Context(), second)
	require.NoError(t, err)
	l.mine(5)
	require.Zero(t, l.lookup(second).Confirmations, "it waits behind the gap")
	told := l.mine(20)
	r := l.lookup(second)
	require.Equal(t, providers.Succeeded, r.State)
	require.Equal(t, 1, l.Executed(second.Key))
	fills := 0
	for _, r := range told {
		if r.Kind == providers.Settlement {
			fills++
			require.Len(t, r.Effects, 1)
			require.Equal(t, providers.Fee, r.Effects[0].Kind)
		}
	}
	require.Equal(t, 1, fills)
	_, err = l.p.Submit(t.Context(), first)
	require.NoError(t, err)
	l.mine(chainworld.Finality)
	require.Equal(t, providers.Succeeded, l.lookup(first).State)
	require.Equal(t, 1, l.Executed(first.Key))
}

// TestRefusedNonceIsUsedAgain: what the signer refuses is over for good, and its nonce is the next one's.
func TestRefusedNonceIsUsedAgain(t *testing.T) {
	refuses := true
	l := newLife(t)
	l.Change = append(l.Change, func(c *evm.Config) {
		c.Signer = signerFunc{c.Signer, func() error {
			if refuses {
				return providers.ErrSignerRefused
			}
			return nil
		}}
	})
	l.p = l.Open()
	first, second := l.withdrawal(l.Ether), l.withdrawal(l.Ether)
	for range 2 {
		_, err := l.p.Submit(t.Context(), first)
		require.Equal(t, providers.Rejected, providers.CertaintyOf(err), "%v", err)
		refuses = false // it changes its mind, too late
	}
	require.Equal(t, providers.Failed, l.lookup(first).State)
	_, err := l.p.Submit(t.Context(), second)
	require.NoError(t, err)
	l.mine(chainworld.Finality)
	require.Equal(t, providers.Succeeded, l.lookup(second).State)
	require.Zero(t, l.Executed(first.Key))
	require.Equal(t, 1, l.Requests())
}

type signerFunc struct {
	providers.Signer
	before func() error
}

func (s signerFunc) Sign(ctx context.Context, r providers.SignRequest) ([]byte, error) {
	if err := s.before(); err != nil {
		return nil, err
	}
	return s.Signer.Sign(ctx, r)
}

// TestNonceTaken: somebody uses the treasury's key elsewhere. What they moved is reported, and the withdrawal whose nonce they took
// fails when that is final, not before.
func TestNonceTaken(t *testing.T) {
	l := newLife(t)
	l.mine(1)
	op := l.withdrawal(l.Ether)
	sent, err := l.p.Submit(t.Context(), op)
	require.NoError(t, err)
	to, err := eth.ParseAddress(l.Chain.NewAddress())
	require.NoError(t, err)
	tx := eth.Tx{
		ChainID: testChain, Tip: big.NewInt(9e9), MaxFee: big.NewInt(90e9), Gas: 21_000, To: to, Value: big.NewInt(4e17),
	}
	key := l.Keys.Treasury.Key
	public, err := l.Keys.Signer.PublicKey(t.Context(), key)
	require.NoError(t, err)
	signature, err := l.Keys.Signer.Sign(t.Context(), providers.SignRequest{
		Key: key, Digest: tx.Digest(), Intent: providers.Intent{Chain: "eip155:31337"},
	})
	require.NoError(t, err)
	signed, err := tx.Sign(signature, public)
	require.NoError(t, err)
	require.NoError(t, l.Ask(nil, "eth_sendRawTransaction", eth.Data(signed.Raw)))
	told := l.mine(chainworld.Finality - 1)
	require.Equal(t, providers.Pending, l.lookup(op).State, "the other one may still be taken back")
	for reference, r := range l.mine(1) {
		told[reference] = r
	}
	r := l.lookup(op)
	require.Equal(t, providers.Failed, r.State)
	require.Equal(t, "nonce_taken", r.Reason.Code)
	require.Equal(t, sent.Reference, r.Reference)
	require.Zero(t, l.Executed(op.Key))
	outside := told[signed.Hash.String()]
	require.Equal(t, providers.Settlement, outside.Kind)
	left, err := l.Chain.Balance("", l.Keys.Treasury.Address)
	require.NoError(t, err)
	want := new(big.Int).Add(l.Units(l.Ether, "1000000").Big(), sums(t, outside)[l.Ether.ID()])
	require.Zero(t, left.Cmp(want), "what they took is reported: %v", outside.Effects)
}

// TestTokensThatLie: credited is what the balance became, not what an event says; a transfer that returns false paid nobody.
func TestTokensThatLie(t *testing.T) {
	w := chainworld.New(t, newPretend(t), true)
	liar, refuser := w.Deploy("liar"), w.Deploy("returns false")
	w.Change = append(w.Change, func(c *evm.Config) {
		for _, d := range []*currency.Definition{liar, refuser} {
			c.Assets = append(c.Assets, evm.Asset{Asset: d, Confirmations: []evm.Step{{Confirmations: chainworld.Confirmations}}})
		}
	})
	l := &life{World: w, p: w.Open()}
	op, _ := l.Operation(providers.DepositAddress, liar.ID())
	made, err := l.p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, l.Pay(made.Address, l.Units(liar, "100")))
	told := l.mine(chainworld.Finality)
	var credited providers.Report
	for _, r := range told {
		if r.Kind == providers.Deposit {
			credited = r
		}
	}
	require.Equal(t, l.Units(liar, "99").Big(), sums(t, credited)[liar.ID()])

	// Two events of a liar in one block: nobody can tell which is how much, so neither counts, and reconciling finds it.
	for range 2 {
		require.NoError(t, l.Pay(made.Address, l.Units(liar, "10")))
	}
	for _, r := range l.mine(chainworld.Finality) {
		require.NotEqual(t, providers.Deposit, r.Kind, "%+v", r)
	}

	out := l.withdrawal(refuser)
	_, err = l.p.Submit(t.Context(), out)
	require.NoError(t, err)
	l.mine(chainworld.Finality - 1)
	require.Equal(t, providers.Pending, l.lookup(out).State)
	l.mine(1)
	r := l.lookup(out)
	require.Equal(t, providers.Failed, r.State)
	require.Equal(t, "token_refused", r.Reason.Code)
	require.Len(t, r.Effects, 1)
	require.Equal(t, providers.Fee, r.Effects[0].Kind)

	balances, err := l.p.Reconcile(t.Context())
	require.NoError(t, err)
	for _, b := range balances {
		switch b.Asset {
		case liar.ID():
			opening := l.Units(liar, "1000000").Big()
			require.Equal(t, opening.Add(opening, l.Units(liar, "19.8").Big()), b.Surplus)
		case refuser.ID(), l.Token.ID():
			require.Equal(t, l.Units(l.Token, "1000000").Big(), b.Surplus, "what was there before")
		}
	}
	again, err := l.p.Reconcile(t.Context())
	require.NoError(t, err)
	for _, b := range again {
		require.Zero(t, b.Surplus.Sign(), "%s: once", b.Asset)
	}
}

// TestEndpointsTakeTurns: one that is down is passed over, and money waits until enough of them have its block.
func TestEndpointsTakeTurns(t *testing.T) {
	w := chainworld.New(t, newPretend(t), true)
	w.Change = append(w.Change, func(c *evm.Config) {
		c.Endpoints = append([]evm.Endpoint{{URL: "http://127.0.0.1:1"}}, c.Endpoints...)
		c.Agree = 1
	})
	l := &life{World: w, p: w.Open()}
	op, _ := l.Operation(providers.DepositAddress, l.Ether.ID())
	made, err := l.p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, l.Pay(made.Address, l.Units(l.Ether, "1")))
	told := l.mine(chainworld.Confirmations)
	assert.Len(t, told, 2, "the address and the deposit")

	w.Change = append(w.Change, func(c *evm.Config) { c.Agree = 2 })
	l.p = w.Open()
	require.NoError(t, l.Pay(made.Address, l.Units(l.Ether, "1")))
	require.NoError(t, l.Chain.Mine(chainworld.Confirmations))
	_, next, err := l.p.Poll(t.Context(), l.cursor, 100)
	require.Error(t, err, "one endpoint alone is not two")
	require.NotErrorIs(t, err, providers.ErrHalted)
	require.Equal(t, l.cursor, next)
}

// TestConfirmationsByAmount: large money waits longer.
func TestConfirmationsByAmount(t *testing.T) {
	l := newLife(t)
	l.Change = append(l.Change, func(c *evm.Config) {
		c.Assets[0].Confirmations = []evm.Step{{Confirmations: 1}, {From: l.Units(l.Ether, "10"), Confirmations: 4}}
	})
	l.p = l.Open()
	op, _ := l.Operation(providers.DepositAddress, l.Ether.ID())
	made, err := l.p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, l.Pay(made.Address, l.Units(l.Ether, "9.999999999999999999")))
	require.NoError(t, l.Pay(made.Address, l.Units(l.Ether, "10")))
	count := func(told map[string]providers.Report) (n int) {
		for _, r := range told {
			if r.Kind == providers.Deposit && r.State == providers.Succeeded {
				n++
			}
		}
		return n
	}
	require.Equal(t, 1, count(l.mine(1)))
	require.Zero(t, count(l.mine(2)))
	require.Equal(t, 1, count(l.mine(1)))
}

// TestSlowSignerLosesItsNonce: while a signature is awaited its nonce is filled, so the signature is not used: the bytes would be for a
// nonce that is another transaction's.
func TestSlowSignerLosesItsNonce(t *testing.T) {
	l := newLife(t)
	first, second := l.withdrawal(l.Ether), l.withdrawal(l.Ether)
	waits := true
	l.Change = append(l.Change, func(c *evm.Config) {
		c.Signer = signerFunc{c.Signer, func() error {
			if waits {
				waits = false
				_, err := l.p.Submit(t.Context(), second)
				require.NoError(t, err)
				l.mine(20)
			}
			return nil
		}}
	})
	l.p = l.Open()
	l.mine(1)
	_, err := l.p.Submit(t.Context(), first)
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err), "%v", err)
	require.Equal(t, providers.Succeeded, l.lookup(second).State)
	require.Zero(t, l.Executed(first.Key))
	_, err = l.p.Submit(t.Context(), first)
	require.NoError(t, err)
	l.mine(chainworld.Finality)
	require.Equal(t, providers.Succeeded, l.lookup(first).State)
	require.Equal(t, 1, l.Executed(first.Key))
}
