package bitcoin_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
)

// newAddress makes one and returns the operation's key.
func (w *world) newAddress() string {
	w.t.Helper()
	op := providers.Operation{
		Key: uuid.NewString(), Kind: providers.DepositAddress, Method: providers.Chain, Asset: btc.ID(), Member: "alice", FirstSent: w.now(),
	}
	_, err := w.p.Submit(w.t.Context(), op)
	require.NoError(w.t, err)
	return op.Key
}

// moody is a signer that answers as it likes.
type moody struct {
	providers.Signer
	err error
}

func (m *moody) Sign(ctx context.Context, r providers.SignRequest) ([]byte, error) {
	if m.err != nil {
		return nil, m.err
	}
	return m.Signer.Sign(ctx, r)
}

// What was reserved for a withdrawal that is not signed stays reserved, until it is refused for good.
func TestCoinsOfWhatIsNotSigned(t *testing.T) {
	w := newWorld(t)
	w.fund(1, 1_000_000)
	signer := &moody{w.signer, errors.New("the module does not answer")}
	w.signer = signer
	w.p = w.open()
	first, second := w.withdrawal(600_000), w.withdrawal(500_000)
	_, err := w.p.Submit(t.Context(), first)
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err))
	_, err = w.p.Lookup(t.Context(), providers.Query{Key: first.Key})
	require.ErrorIs(t, err, providers.ErrNotFound)

	signer.err = nil
	_, err = w.p.Submit(t.Context(), second)
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err))
	detail, ok := errors.AsType[*providers.Error](err)
	require.True(t, ok)
	require.Equal(t, "insufficient_funds", detail.Code, "the only coin is the first one's")

	signer.err = providers.ErrSignerRefused
	_, err = w.p.Submit(t.Context(), first)
	require.Equal(t, providers.Rejected, providers.CertaintyOf(err))
	signer.err = nil
	_, err = w.p.Submit(t.Context(), first)
	require.Equal(t, providers.Rejected, providers.CertaintyOf(err), "for good, whatever the signer would say today")
	require.Equal(t, providers.Failed, w.lookup(providers.Query{Key: first.Key}).State)

	_, err = w.p.Submit(t.Context(), second)
	require.NoError(t, err)
	w.conserved()
	n, err := w.miner.Received(t.Context(), first.Instrument)
	require.NoError(t, err)
	require.Zero(t, n)
}

// A price that was refused is refused for good, also when the network is cheap again.
func TestAPriceThatWasRefused(t *testing.T) {
	w := newWorld(t)
	w.fund(3, 1_000_000)
	dear, late := w.withdrawal(100_000), w.withdrawal(100_000)
	dear.MaxFee = sats(281) // one less than 141 virtual bytes cost
	late.FeeUntil = w.now()
	for op, code := range map[*providers.Operation]string{&dear: "fee_cap", &late: "quote_expired"} {
		_, err := w.p.Submit(t.Context(), *op)
		detail, ok := errors.AsType[*providers.Error](err)
		require.True(t, ok, err)
		require.Equal(t, providers.Rejected, detail.Certainty)
		require.Equal(t, code, detail.Code)
	}
	w.node.FeeRate = "0.00001"
	dear.Attempt = 1
	_, err := w.p.Submit(t.Context(), dear)
	require.Equal(t, providers.Rejected, providers.CertaintyOf(err))
	exact := w.withdrawal(100_000)
	exact.MaxFee, exact.FeeUntil = sats(141), w.now().Add(time.Second)
	_, err = w.p.Submit(t.Context(), exact)
	require.NoError(t, err)
	w.conserved()
}

// What waits is replaced from more coins when its own do not pay for it, within its cap, and exactly one of all is mined.
func TestAReplacementThatNeedsAnotherCoin(t *testing.T) {
	w := newWorld(t, func(c *bitcoin.Config) { c.BumpAfter = time.Minute })
	w.fund(1, 100_300)
	w.fund(2, 50_000)
	op := w.withdrawal(100_000) // the rest of its coin is the fee
	_, err := w.p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, w.miner.Withhold(t.Context()))
	w.mine(1)
	w.node.FeeRate = "0.0005"
	require.NoError(t, w.p.Bump(t.Context()))
	require.NoError(t, w.p.Bump(t.Context()), "the replacement is young")
	w.mine(1)
	got, err := w.miner.Received(t.Context(), op.Instrument)
	require.NoError(t, err)
	require.Equal(t, int64(100_000), got)
	w.conserved()
	r := w.lookup(providers.Query{Key: op.Key})
	require.Equal(t, providers.Succeeded, r.State)
	require.True(t, r.Final)
	fee, _ := r.Effects[1].Amount.Int64()
	require.Equal(t, int64(-209*50), fee, "two inputs and two outputs are 209 virtual bytes")
	require.NotContains(t, r.Effects[0].ID, r.Reference, "the reference stays; the movement is the replacement's")

	// The coins are free, or spent, once it is final: what remains can be withdrawn.
	last := w.withdrawal(80_000)
	w.node.FeeRate = "0.00001"
	_, err = w.p.Submit(t.Context(), last)
	require.NoError(t, err)
	w.conserved()
}

// A replacement is not signed when it would cost more than the withdrawal may.
func TestAReplacementBeyondTheCap(t *testing.T) {
	w := newWorld(t, func(c *bitcoin.Config) { c.BumpAfter = time.Minute })
	w.fund(1, 1_000_000)
	op := w.withdrawal(100_000)
	op.MaxFee = sats(400)
	_, err := w.p.Submit(t.Context(), op)
	require.NoError(t, err)
	require.NoError(t, w.miner.Withhold(t.Context()))
	w.mine(1)
	require.NoError(t, w.p.Bump(t.Context()), "282 and as much as replacing costs are 423")
	w.mine(3)
	require.Zero(t, w.lookup(providers.Query{Key: op.Key}).Confirmations)
	w.miner.Release()
	w.conserved()
}

// What is mined to an address of ours needs a hundred blocks more, to count and to be spent.
func TestMinedByOurselves(t *testing.T) {
	w := newWorld(t)
	address := w.lookup(providers.Query{Key: w.newAddress()}).Address
	require.NoError(t, w.miner.MineTo(t.Context(), address))
	w.mine(confirmations + 98)
	sum, _ := w.polled(w.p)
	require.Zero(t, sum)
	_, err := w.p.Submit(t.Context(), w.withdrawal(10_000))
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err))
	w.mine(1)
	sum, _ = w.polled(w.p)
	require.Equal(t, int64(50_0000_0000), sum)
	_, err = w.p.Submit(t.Context(), w.withdrawal(10_000))
	require.NoError(t, err)
	w.conserved()
}

// Addresses are made and looked up while the node is down, once the scan has begun.
func TestAddressesWithoutANode(t *testing.T) {
	w := newWorld(t)
	w.polled(w.p)
	w.wire.next = down{}
	key := w.newAddress()
	r, err := w.open().Lookup(t.Context(), providers.Query{Key: key})
	require.NoError(t, err)
	byAddress, err := w.p.Lookup(t.Context(), providers.Query{Reference: r.Address})
	require.NoError(t, err)
	require.Equal(t, r, byAddress)
	_, err = w.p.Submit(t.Context(), w.withdrawal(10_000))
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err))

	fresh := newWorld(t)
	fresh.wire.next = down{}
	_, err = fresh.p.Submit(t.Context(), providers.Operation{
		Key: uuid.NewString(), Kind: providers.DepositAddress, Method: providers.Chain, Asset: btc.ID(), Member: "alice",
	})
	require.Equal(t, providers.NotSent, providers.CertaintyOf(err), "what is paid before the scan begins would not be seen")
}

type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}
