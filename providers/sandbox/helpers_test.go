package sandbox_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

var eth = currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})

// world is a sandbox under a clock that only the test moves.
type world struct {
	*sandbox.Sandbox
	t   *testing.T
	now time.Time
}

func newWorld(t *testing.T, change ...func(*sandbox.Config)) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	c := sandbox.Config{
		Assets: []currency.Asset{currency.USD, currency.JPY, eth},
		Clock:  func() time.Time { return w.now },
		Secret: []byte("whsec_of_the_test"),
	}
	for _, f := range change {
		f(&c)
	}
	s, err := sandbox.New(c)
	require.NoError(t, err)
	w.Sandbox = s
	t.Cleanup(func() { require.NoError(t, s.Audit()) })
	return w
}

func (w *world) advance(d time.Duration) { w.now = w.now.Add(d) }

func usd(cents int64) currency.Amount { return currency.MustNew(cents, currency.USD) }

func key() string { return uuid.NewString() }

func deposit(m providers.Method, token string, a currency.Amount) providers.Operation {
	return providers.Operation{Key: key(), Kind: providers.Deposit, Method: m, Amount: a, Instrument: token, Member: "alice"}
}

func withdrawal(m providers.Method, token string, a currency.Amount) providers.Operation {
	op := deposit(m, token, a)
	op.Kind = providers.Withdrawal
	return op
}

func refundOf(op providers.Operation, a currency.Amount) providers.Operation {
	return providers.Operation{Key: key(), Kind: providers.Refund, Method: op.Method, Amount: a, Target: op.Key, Member: "alice"}
}

func (w *world) submit(op providers.Operation) providers.Report {
	w.t.Helper()
	r, err := w.Submit(context.Background(), op)
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	return r
}

func (w *world) lookup(op providers.Operation) providers.Report {
	w.t.Helper()
	r, err := w.Lookup(context.Background(), providers.Query{Key: op.Key})
	require.NoError(w.t, err)
	require.NoError(w.t, r.Validate())
	return r
}

func (w *world) poll(cursor string) ([]providers.Event, string) {
	w.t.Helper()
	events, next, err := w.Poll(context.Background(), cursor, 0)
	require.NoError(w.t, err)
	return events, next
}

// moved adds up what a report's effects did.
func moved(t *testing.T, r providers.Report) currency.Amount {
	t.Helper()
	var list []currency.Amount
	for _, e := range r.Effects {
		list = append(list, e.Amount)
	}
	if len(list) == 0 {
		return currency.Amount{}
	}
	sum, err := currency.Sum(list...)
	require.NoError(t, err)
	return sum
}
