package payments_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

func (e *env) tip(key, from, to string, a currency.Amount) (payments.Payment, error) {
	return e.svc.Tip(e.ctx, payments.TransferRequest{Key: key, Actor: payments.Member(from), From: from, To: to, Amount: a, Reference: "post-1"})
}

func TestTipSplitsTheFeeAndComesBackWhole(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("10.00"))
	p, err := e.tip("t", "alice", "bob", usd("5.00"))
	require.NoError(t, err)
	require.Equal(t, payments.Succeeded, p.State)
	require.Equal(t, usd("0.25"), p.Fee)
	e.hasWallet("alice", "5.00", "0.00", "0.00")
	e.hasWallet("bob", "4.75", "0.00", "0.00")
	require.Equal(t, "0.25", e.posted(payments.RevenueAccount("USD")))

	_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("alice"), Of: p.ID})
	require.ErrorIs(t, err, payments.ErrForbidden, "only who has the money gives it back")
	undone, err := e.svc.Refund(e.ctx, payments.RefundRequest{Key: "r", Actor: payments.Member("bob"), Of: p.ID})
	require.NoError(t, err)
	require.Equal(t, payments.Reversed, undone.State)
	e.hasWallet("alice", "10.00", "0.00", "0.00")
	e.hasWallet("bob", "0.00", "0.00", "0.00")
	require.Equal(t, "0.00", e.posted(payments.RevenueAccount("USD")))
	_, err = e.svc.Refund(e.ctx, payments.RefundRequest{Key: e.key(), Actor: payments.Member("bob"), Of: p.ID})
	require.ErrorIs(t, err, payments.ErrNotRefundable)
	e.sound()
}

func TestKeysReplayAndConflict(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("10.00"))
	first, err := e.tip("same", "alice", "bob", usd("5.00"))
	require.NoError(t, err)
	second, err := e.tip("same", "alice", "bob", usd("5.00"))
	require.NoError(t, err)
	require.True(t, second.Replayed)
	require.Equal(t, first.ID, second.ID)
	e.hasWallet("bob", "4.75", "0.00", "0.00")

	before := e.dump()
	_, err = e.tip("same", "alice", "bob", usd("5.01"))
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
	require.ErrorContains(t, err, "amount")
	_, err = e.svc.Send(e.ctx, payments.TransferRequest{Key: "same", Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("5.00"), Reference: "post-1"})
	require.ErrorIs(t, err, ledger.ErrKeyConflict, "a send is not a tip")
	require.Equal(t, before, e.dump())

	// A key belongs to its actor.
	e.fund("carol", usd("10.00"))
	_, err = e.tip("same", "carol", "bob", usd("1.00"))
	require.NoError(t, err)
}

func TestDeclineReplaysAsTheSameDecline(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("1.00"))
	_, err := e.tip("k", "alice", "bob", usd("5.00"))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	refusal, ok := errors.AsType[*payments.Refusal](err)
	require.True(t, ok)
	require.Equal(t, "1.00", refusal.Available.Number())
	e.fund("alice", usd("100.00"))
	_, err = e.tip("k", "alice", "bob", usd("5.00"))
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds, "the key is burned")
	_, err = e.tip("k2", "alice", "bob", usd("5.00"))
	require.NoError(t, err)
}

func TestManyGoroutinesCannotOverdraw(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("10.00"))
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		key := e.key()
		wg.Go(func() {
			switch _, err := e.tip(key, "alice", "bob", usd("0.50")); {
			case err == nil:
				accepted.Add(1)
			case !errors.Is(err, ledger.ErrInsufficientFunds):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 20, accepted.Load())
	e.hasWallet("alice", "0.00", "0.00", "0.00")
	e.sound()
}

func TestManyGoroutinesCannotPassTheDailyLimit(t *testing.T) {
	e := newEnv(t, func(c *payments.Config, s *sandbox.Config) {
		c.Rules = []payments.Rule{payments.DailyLimit{Name: "tips", Kinds: []payments.Kind{payments.Tip}, Max: usd("6.00"), Now: s.Clock}}
	})
	e.fund("alice", usd("100.00"))
	var accepted atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		key := e.key()
		wg.Go(func() {
			switch _, err := e.tip(key, "alice", "bob", usd("0.50")); {
			case err == nil:
				accepted.Add(1)
			case !errors.Is(err, payments.ErrLimit) || !errors.Is(err, payments.ErrDeclined):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 12, accepted.Load())
	e.clock.advance(24 * time.Hour)
	_, err := e.tip(e.key(), "alice", "bob", usd("6.00"))
	require.NoError(t, err, "a new day")
	e.sound()
}

func TestCoinIsIssuedBoughtAndTipped(t *testing.T) {
	rate := decimal.RequireFromString("100")
	e := newEnv(t, func(c *payments.Config, _ *sandbox.Config) {
		c.Rates = payments.FixedRates(currency.MustRate(currency.USD, coin, rate))
	})
	e.fund("alice", usd("10.00"))
	buy := func() (payments.Payment, error) {
		return e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: e.key(), Actor: payments.Member("alice"), Member: "alice", Amount: usd("2.00"), To: coin.ID()})
	}
	_, err := buy()
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds, "nothing was issued")
	_, err = e.svc.Issue(e.ctx, payments.IssueRequest{Key: e.key(), Actor: payments.Member("alice"), Amount: currency.MustParse("1000", coin)})
	require.ErrorIs(t, err, payments.ErrForbidden)
	_, err = e.svc.Issue(e.ctx, payments.IssueRequest{Key: e.key(), Actor: payments.Platform(), Amount: currency.MustParse("1000", coin)})
	require.NoError(t, err)
	p, err := buy()
	require.NoError(t, err)
	require.Equal(t, "200.00", p.Bought.Number())
	_, err = e.tip(e.key(), "alice", "bob", currency.MustParse("50", coin))
	require.NoError(t, err)
	require.Equal(t, "47.50", e.wallet("bob", coin).Available.Number())
	require.Equal(t, "1000.00", e.posted(payments.SupplyAccount(coin.ID())))
	e.sound()
}
