package payments_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func TestNewAndRegisterRefuse(t *testing.T) {
	book := ledger.New(memory.New(), ledger.Config{})
	_, err := payments.New(nil, payments.Config{})
	require.ErrorIs(t, err, payments.ErrInvalid)
	for _, fee := range []string{"-0.01", "1", "5"} {
		_, err = payments.New(book, payments.Config{TipFee: decimal.RequireFromString(fee)})
		require.ErrorIs(t, err, payments.ErrInvalid)
	}
	e := newEnv(t)
	require.ErrorIs(t, e.svc.Register(nil), payments.ErrInvalid)
	require.ErrorIs(t, e.svc.Register(e.sandbox), payments.ErrProviderExists)
	require.ErrorIs(t, e.svc.Register(nameless{e.sandbox}), payments.ErrInvalid)
	require.Equal(t, []string{"sandbox"}, e.svc.Providers())
}

type nameless struct{ *sandbox.Sandbox }

func (nameless) Describe() providers.Descriptor { return providers.Descriptor{Name: "Not A Name"} }

// Assets and providers appear while members pay; the race detector watches.
func TestRegisteringWhileTheServiceRuns(t *testing.T) {
	e := newEnv(t)
	e.fund("alice", usd("100.00"))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if _, err := e.svc.Send(e.ctx, payments.TransferRequest{
					Key: freshKey(), Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("0.10"),
				}); err != nil {
					t.Error(err)
				}
				if _, err := e.svc.Step(e.ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, name := range []string{"one", "two", "three"} {
		wg.Go(func() {
			p, err := sandbox.New(sandbox.Config{Name: name, Assets: []currency.Asset{currency.GBP}, Clock: e.clock.Now})
			if err == nil {
				err = e.svc.Register(p)
			}
			if err == nil {
				err = e.svc.Assets().Enable(currency.GBP)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	e.hasWallet("bob", "8.00", "0.00", "0.00")
	require.Len(t, e.svc.Providers(), 4)
	p, err := e.svc.Deposit(e.ctx, payments.DepositRequest{
		Key: "gbp", Actor: payments.Member("alice"), Member: "alice", Amount: currency.MustParse("1", currency.GBP), Instrument: "",
	})
	require.NoError(t, err)
	require.Equal(t, payments.Address, p.Kind)
	e.sound()
}

var keys struct {
	sync.Mutex
	n int
}

func freshKey() string {
	keys.Lock()
	defer keys.Unlock()
	keys.n++
	return time.Unix(int64(keys.n), 0).UTC().Format(time.RFC3339)
}

// Run works by itself, tells its errors, and leaves no goroutine behind; synctest fails if it did.
func TestRunWorksUntilItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := ledger.New(memory.New(), ledger.Config{})
		var mu sync.Mutex
		var told []error
		svc, err := payments.New(book, payments.Config{Interval: time.Minute, PollEvery: time.Minute, OnError: func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, err)
		}})
		require.NoError(t, err)
		bank, err := sandbox.New(sandbox.Config{Name: "bank", Assets: []currency.Asset{currency.USD}})
		require.NoError(t, err)
		require.NoError(t, svc.Register(bank))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- svc.Run(ctx) }()
		i, err := svc.Link(ctx, payments.LinkRequest{Key: "1", Actor: payments.Member("alice"), Member: "alice", Method: providers.Bank, Token: sandbox.TokenBank})
		require.NoError(t, err)
		p, err := svc.Deposit(ctx, payments.DepositRequest{Key: "2", Actor: payments.Member("alice"), Member: "alice", Amount: usd("5.00"), Instrument: i.ID})
		require.NoError(t, err)
		require.Equal(t, payments.Pending, p.State)
		bank.FailLookups(1)
		time.Sleep(100 * time.Hour)
		p, err = svc.Payment(ctx, payments.Member("alice"), p.ID)
		require.NoError(t, err)
		require.Equal(t, payments.Succeeded, p.State)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestProviderState(t *testing.T) {
	e := newEnv(t)
	state := e.svc.ProviderState("chain")
	_, version, err := state.Load(e.ctx, "nonce")
	require.NoError(t, err)
	require.Zero(t, version)
	version, err = state.Store(e.ctx, "nonce", []byte("7"), 0)
	require.NoError(t, err)
	_, err = state.Store(e.ctx, "nonce", []byte("7"), 0)
	require.ErrorIs(t, err, providers.ErrStateConflict, "the same value is not the same writer")
	_, err = state.Store(e.ctx, "nonce", []byte("8"), version)
	require.NoError(t, err)
	value, version, err := state.Load(e.ctx, "nonce")
	require.NoError(t, err)
	require.Equal(t, "8", string(value))
	require.EqualValues(t, 2, version)
	_, err = state.Store(e.ctx, "nonce", []byte("9"), 1)
	require.ErrorIs(t, err, providers.ErrStateConflict)

	// One winner among many.
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 16 {
		wg.Go(func() {
			if _, err := state.Store(e.ctx, "race", []byte("x"), 0); err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, won)
}
