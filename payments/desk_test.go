package payments_test

import (
	"context"
	"encoding/binary"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

// begin opens a transaction of the host: a copy of the store, which nobody sees unless it is committed.
func (e *env) begin() (tx *memory.Store, desk *payments.Desk) {
	e.Helper()
	tx = e.store.(*memory.Store).Clone()
	return tx, e.svc.In(tx)
}

// newDeskEnv is newEnv in memory, whose copies are transactions. Those of databases have tests of their own.
func newDeskEnv(t *testing.T, change ...func(*payments.Config, *sandbox.Config)) *env {
	t.Helper()
	return newEnvOn(t, memory.New(), change...)
}

// commit makes the transaction's copy what everybody sees.
func (e *env) commit(tx *memory.Store) {
	e.Helper()
	e.store = tx
	e.book = ledger.New(tx, ledger.Config{Clock: e.clock.Now, NewID: e.ids})
	var err error
	e.svc, err = payments.New(e.book, e.config)
	require.NoError(e, err)
	require.NoError(e, e.svc.Register(e.sandbox))
}

// countIDs makes ids that are the same in every run.
func countIDs() func() uuid.UUID {
	n := uint64(0)
	return func() (id uuid.UUID) {
		n++
		binary.BigEndian.PutUint64(id[8:], n)
		return id
	}
}

// counter is where every desk request can be made at: the service itself, or a desk of it.
type counter interface {
	Tip(ctx context.Context, r payments.TransferRequest) (payments.Payment, error)
	Send(ctx context.Context, r payments.TransferRequest) (payments.Payment, error)
	Exchange(ctx context.Context, r payments.ExchangeRequest) (payments.Payment, error)
	QuoteExchange(ctx context.Context, r payments.ExchangeQuoteRequest) (payments.ExchangeQuote, error)
	Issue(ctx context.Context, r payments.IssueRequest) (payments.Payment, error)
	Burn(ctx context.Context, r payments.BurnRequest) (payments.Payment, error)
	Withdraw(ctx context.Context, r payments.WithdrawRequest) (payments.Payment, error)
	Deposit(ctx context.Context, r payments.DepositRequest) (payments.Payment, error)
	Refund(ctx context.Context, r payments.RefundRequest) (payments.Payment, error)
	OpenWallet(ctx context.Context, a payments.Actor, member string, assets ...currency.Asset) error
}

var (
	_ counter = (*payments.Service)(nil)
	_ counter = (*payments.Desk)(nil)
)

func tipOf(a currency.Amount) payments.TransferRequest {
	return payments.TransferRequest{Key: "tip", Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: a, Reference: "post-1"}
}

// Everything that ends at the desk leaves the same book as at the service, to the byte.
func TestDeskCommittedIsThePlainCall(t *testing.T) {
	requests := map[string]func(*env, counter) error{
		"tip": func(e *env, c counter) error { _, err := c.Tip(e.ctx, tipOf(usd("4.00"))); return err },
		"send": func(e *env, c counter) error {
			_, err := c.Send(e.ctx, tipOf(usd("4.00")))
			return err
		},
		"declined": func(e *env, c counter) error {
			_, err := c.Send(e.ctx, tipOf(usd("4000.00")))
			require.ErrorIs(e, err, ledger.ErrInsufficientFunds)
			return nil
		},
		"exchange": func(e *env, c counter) error {
			_, err := c.Exchange(e.ctx, payments.ExchangeRequest{Key: "x", Actor: payments.Member("alice"), Amount: usd("4.00"), To: "EUR"})
			return err
		},
		"exchange at a quote": func(e *env, c counter) error {
			q, err := c.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Amount: usd("4.00"), To: "EUR"})
			require.NoError(e, err)
			_, err = c.Exchange(e.ctx, payments.ExchangeRequest{Key: "x", Actor: payments.Member("alice"), Quote: q.ID})
			return err
		},
		"issue": func(e *env, c counter) error {
			_, err := c.Issue(e.ctx, payments.IssueRequest{Key: "i", Actor: payments.Platform(), Amount: currency.MustParse("4.00", coin)})
			return err
		},
		"open a wallet": func(e *env, c counter) error {
			return c.OpenWallet(e.ctx, payments.Member("carol"), "carol", currency.USD, currency.EUR)
		},
	}
	for name, ask := range requests {
		t.Run(name, func(t *testing.T) {
			var dumps []string
			for _, joined := range []bool{false, true} {
				e := newDeskEnv(t, withRate, func(c *payments.Config, _ *sandbox.Config) { c.NewID = countIDs() })
				e.ids = countIDs()
				e.commit(e.store.(*memory.Store))
				e.fund("alice", usd("10.00"))
				if joined {
					tx, desk := e.begin()
					before := e.dump()
					require.NoError(t, ask(e, desk))
					require.Equal(t, before, e.dump(), "nobody sees it before the commit")
					e.commit(tx)
				} else {
					require.NoError(t, ask(e, e.svc))
				}
				dumps = append(dumps, e.dump())
				e.sound()
			}
			require.Equal(t, dumps[0], dumps[1])
		})
	}
}

func TestDeskRolledBackLeavesNothing(t *testing.T) {
	e := newDeskEnv(t, withRate)
	deposit := e.fund("alice", usd("10.00"))
	card := e.link("alice", sandbox.TokenCard)
	bank := e.link("alice", sandbox.TokenBank)
	e.work()
	before, requests := e.dump(), e.sandbox.Requests()

	_, desk := e.begin()
	tip, err := desk.Tip(e.ctx, tipOf(usd("1.00")))
	require.NoError(t, err)
	require.Equal(t, payments.Succeeded, tip.State)
	_, err = desk.Send(e.ctx, payments.TransferRequest{Key: "too much", Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("100.00")})
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	out, err := desk.Withdraw(e.ctx, payments.WithdrawRequest{Key: "out", Actor: payments.Member("alice"), Amount: usd("2.00"), To: bank})
	require.NoError(t, err)
	require.Equal(t, payments.Created, out.State)
	back, err := desk.Refund(e.ctx, payments.RefundRequest{Key: "back", Actor: payments.Member("alice"), Of: deposit.ID, Amount: usd("3.00")})
	require.NoError(t, err)
	require.Equal(t, payments.Created, back.State)
	in, err := desk.Deposit(e.ctx, payments.DepositRequest{Key: "in", Actor: payments.Member("alice"), Amount: usd("5.00"), Instrument: card})
	require.NoError(t, err)
	require.Equal(t, payments.Created, in.State)
	wallets, err := desk.Wallets(e.ctx, payments.Member("alice"), "alice")
	require.NoError(t, err)
	require.Equal(t, []string{"9.00", "5.00"}, []string{wallets[0].Posted.Number(), wallets[0].Held.Number()}, "the transaction sees itself")
	seen, err := desk.Payment(e.ctx, payments.Member("alice"), out.ID)
	require.NoError(t, err)
	require.Equal(t, usd("2.00"), seen.Amount)

	require.Equal(t, before, e.dump(), "rolled back")
	require.Equal(t, requests, e.sandbox.Requests(), "no provider was asked")
	_, err = e.svc.Payment(e.ctx, payments.Member("alice"), out.ID)
	require.ErrorIs(t, err, payments.ErrNoPayment)
	// The decline went with the transaction: its key stands for nothing.
	p, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: "too much", Actor: payments.Member("alice"), From: "alice", To: "bob", Amount: usd("1.00")})
	require.NoError(t, err)
	require.False(t, p.Replayed)
	e.sound()
}

func TestDeskKeysReplayInsideAndAfter(t *testing.T) {
	e := newDeskEnv(t)
	e.fund("alice", usd("10.00"))
	tx, desk := e.begin()
	first, err := desk.Tip(e.ctx, tipOf(usd("1.00")))
	require.NoError(t, err)
	again, err := desk.Tip(e.ctx, tipOf(usd("1.00")))
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.ID, again.ID)
	_, err = desk.Tip(e.ctx, tipOf(usd("2.00")))
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
	e.commit(tx)
	after, err := e.svc.Tip(e.ctx, tipOf(usd("1.00")))
	require.NoError(t, err)
	require.True(t, after.Replayed)
	require.Equal(t, first.ID, after.ID)
	_, desk = e.begin()
	after, err = desk.Tip(e.ctx, tipOf(usd("1.00")))
	require.NoError(t, err)
	require.True(t, after.Replayed, "a key of the book replays in a transaction")
	e.hasWallet("alice", "9.00", "0.00", "0.00")
}

// What a provider carries out is recorded with its hold, and sent only after the commit, by a worker at once or by Advance.
func TestDeskRecordsAndAWorkerSends(t *testing.T) {
	for _, advance := range []bool{false, true} {
		e := newDeskEnv(t)
		deposit := e.fund("alice", usd("50.00"))
		bank := e.link("alice", sandbox.TokenBank)
		e.work()
		requests := e.sandbox.Requests()
		tx, desk := e.begin()
		out, err := desk.Withdraw(e.ctx, payments.WithdrawRequest{Key: "out", Actor: payments.Member("alice"), Amount: usd("20.00"), To: bank})
		require.NoError(t, err)
		back, err := desk.Refund(e.ctx, payments.RefundRequest{Key: "back", Actor: payments.Member("alice"), Of: deposit.ID, Amount: usd("30.00")})
		require.NoError(t, err)
		e.work()
		require.Equal(t, requests, e.sandbox.Requests(), "not before the commit")
		e.commit(tx)
		e.hasWallet("alice", "50.00", "50.00", "0.00")
		if advance {
			for _, p := range []payments.Payment{out, back} {
				_, err := e.svc.Advance(e.ctx, payments.Member("alice"), p.ID)
				require.NoError(t, err)
			}
		} else {
			e.clock.advance(time.Millisecond) // the ledger's time is ahead of a clock that stands still
			e.work()
		}
		require.Equal(t, requests+2, e.sandbox.Requests())
		require.Equal(t, payments.Pending, e.payment(out.ID).State)
		require.Equal(t, payments.Succeeded, e.payment(back.ID).State)
		p, err := e.svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: "out", Actor: payments.Member("alice"), Amount: usd("20.00"), To: bank})
		require.NoError(t, err)
		require.True(t, p.Replayed)
		require.Equal(t, 1, e.sandbox.Executed(out.ID))
	}
}

func TestDeskRefusesWhatTheServiceRefuses(t *testing.T) {
	e := newDeskEnv(t)
	e.fund("alice", usd("10.00"))
	tx, desk := e.begin()
	inside := e.dumpOf(tx)
	bad := tipOf(usd("1.00"))
	bad.Actor = payments.Member("mallory")
	_, err := desk.Tip(e.ctx, bad)
	require.ErrorIs(t, err, payments.ErrForbidden)
	bad = tipOf(usd("1.00"))
	bad.Description = "4242 4242 4242 4242"
	_, err = desk.Tip(e.ctx, bad)
	require.ErrorIs(t, err, payments.ErrCardNumber)
	bad = tipOf(usd("1.00"))
	bad.Key = ""
	_, err = desk.Tip(e.ctx, bad)
	require.ErrorIs(t, err, payments.ErrInvalid)
	_, err = desk.Withdraw(e.ctx, payments.WithdrawRequest{Key: "k", Actor: payments.Member("alice"), Amount: usd("1.00"), To: uuid.NewString()})
	require.ErrorIs(t, err, payments.ErrNoInstrument)
	_, err = desk.Payment(e.ctx, payments.Member("mallory"), "x")
	require.ErrorIs(t, err, payments.ErrNoPayment)
	require.Equal(t, inside, e.dumpOf(tx))
}

// The desk has no method that could reach a provider; a new one is added here after looking.
func TestDeskCallsNoProvider(t *testing.T) {
	var methods []string
	for m := range reflect.TypeFor[*payments.Desk]().Methods() {
		methods = append(methods, m.Name)
	}
	require.Equal(t, []string{
		"Burn", "Deposit", "Exchange", "Issue", "OpenWallet", "Payment", "QuoteExchange", "Refund", "Send", "Tip", "Wallets", "Withdraw",
	}, methods)
}

func withRate(c *payments.Config, _ *sandbox.Config) {
	c.Rates = payments.FixedRates(currency.MustRate(currency.USD, currency.EUR, decimal.RequireFromString("0.9")))
}
