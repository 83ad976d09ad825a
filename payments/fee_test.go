package payments_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

const outside = "0x00000000000000000000000000000000000000aa"

func (e *env) quote(member, to string, a currency.Amount) payments.Quote {
	e.Helper()
	q, err := e.svc.Quote(e.ctx, payments.QuoteRequest{Actor: payments.Member(member), Amount: a, To: to})
	require.NoError(e, err)
	return q
}

func (e *env) withdrawQuoted(q payments.Quote) (payments.Payment, error) {
	return e.svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: e.key(), Actor: payments.Member(q.Member), Amount: q.Amount, To: q.To, Quote: q.ID})
}

func memberBears(c *payments.Config, _ *sandbox.Config) { c.WithdrawalFees = payments.MemberBears }

// The platform bears the network's fee unless it says otherwise: the member pays the amount, and the gas is an expense.
func TestNetworkFeeIsThePlatformsByDefault(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	q := e.quote("alice", outside, eth("0.5"))
	require.Equal(t, eth("0.0002"), q.Fee)
	require.Equal(t, eth("0.5"), q.Held)
	require.Equal(t, e.clock.Now().Add(10*time.Minute), q.Until)
	p, err := e.withdrawQuoted(q)
	require.NoError(t, err)
	e.hasEther("alice", "1", "0.5", "0")
	e.pass(3 * time.Hour)
	e.hasEther("alice", "0.5", "0", "0")
	p = e.payment(p.ID)
	require.Equal(t, payments.Succeeded, p.State)
	require.Equal(t, []currency.Amount{eth("0.0002"), eth("0.0001"), {}}, []currency.Amount{p.MaxFee, p.NetworkFee, p.FeeBorne})
	require.Equal(t, "0.000100000000000000", e.posted(payments.FeesAccount("sandbox", ether.ID())))
	e.sound()
}

// The member bears it: amount and quoted fee are held, amount and real fee are taken, the rest is given back.
func TestNetworkFeeIsTheMembers(t *testing.T) {
	e := newEnv(t, memberBears)
	e.receive("alice", eth("1"))
	_, err := e.withdraw("alice", outside, eth("0.5"))
	require.ErrorIs(t, err, payments.ErrNoQuote, "nobody bears what they have not seen")
	require.ErrorIs(t, err, payments.ErrInvalid)
	q := e.quote("alice", outside, eth("0.5"))
	require.Equal(t, eth("0.5002"), q.Held)
	p, err := e.withdrawQuoted(q)
	require.NoError(t, err)
	e.hasEther("alice", "1", "0.5002", "0")
	e.pass(3 * time.Minute)
	e.clock.advance(time.Minute)
	e.work()
	e.hasEther("alice", "0.4999", "0", "0")
	p = e.payment(p.ID)
	require.Equal(t, payments.Succeeded, p.State)
	require.Equal(t, []currency.Amount{eth("0.0002"), eth("0.0001"), eth("0.0001")}, []currency.Amount{p.MaxFee, p.NetworkFee, p.FeeBorne})
	require.Equal(t, "0.000000000000000000", e.posted(payments.FeesAccount("sandbox", ether.ID())), "what the provider took, the member gave")
	e.sound()

	require.NoError(t, e.sandbox.Reorganise(8)) // amount and fee come back, and go again
	e.clock.advance(15 * time.Second)
	e.work()
	e.hasEther("alice", "1", "0.5", "0")
	e.sound()
	e.pass(3 * time.Hour)
	e.hasEther("alice", "0.4999", "0", "0")
	require.Equal(t, eth("0.0001"), e.payment(p.ID).FeeBorne)
	e.sound()
	require.Empty(t, e.cases())

	// All that is there, with the fee on top, is too much; with the fee inside it goes.
	q = e.quote("alice", outside, eth("0.4999"))
	_, err = e.withdrawQuoted(q)
	require.ErrorIs(t, err, ledger.ErrInsufficientFunds)
	q = e.quote("alice", outside, eth("0.4997"))
	_, err = e.withdrawQuoted(q)
	require.NoError(t, err)
	e.pass(3 * time.Hour)
	e.hasEther("alice", "0.0001", "0", "0")
	e.sound()
}

// A withdrawal that reverts costs gas all the same, and the member gets everything back: what was not paid out costs them nothing.
func TestGasOfWhatRevertsIsThePlatforms(t *testing.T) {
	for _, bearer := range []payments.Bearer{payments.PlatformBears, payments.MemberBears} {
		e := newEnv(t, func(c *payments.Config, _ *sandbox.Config) { c.WithdrawalFees = bearer })
		e.receive("alice", eth("1"))
		p, err := e.withdrawQuoted(e.quote("alice", sandbox.AddressReverts, eth("0.5")))
		require.NoError(t, err)
		e.pass(3 * time.Hour)
		p = e.payment(p.ID)
		require.Equal(t, payments.Failed, p.State)
		require.Equal(t, eth("0.0001"), p.NetworkFee)
		require.Equal(t, "reverted", p.Reason.Code)
		e.hasEther("alice", "1", "0", "0")
		require.Equal(t, "0.000100000000000000", e.posted(payments.FeesAccount("sandbox", ether.ID())))
		e.sound()
	}
}

// Gas in another asset is posted in that asset, whoever bears fees; so is what sweeps, top-ups and replacements cost.
func TestGasInAnotherAsset(t *testing.T) {
	usdc := currency.MustDefine(currency.Info{ID: "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", Code: "USDC", Name: "USD Coin", Scale: 6, Kind: currency.Crypto})
	dollars := func(s string) currency.Amount { return currency.MustParse(s, usdc) }
	e := newEnv(t, func(c *payments.Config, s *sandbox.Config) {
		c.WithdrawalFees = payments.MemberBears
		c.Assets = currency.MustRegistry(ether, usdc)
		s.Assets = []currency.Asset{ether, usdc}
	})
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(gasChain{e.sandbox}))
	e.svc = svc
	e.receive("alice", dollars("100"))
	q := e.quote("alice", outside, dollars("40"))
	require.Equal(t, eth("0.003"), q.Fee)
	require.Equal(t, dollars("40"), q.Held, "ether is not taken from who withdraws dollars")
	p, err := e.withdrawQuoted(q)
	require.NoError(t, err)
	e.postings()
	now := e.clock.Now()
	fee := func(id, amount string) providers.Effect {
		return providers.Effect{ID: id, Kind: providers.Fee, Amount: eth(amount), At: now}
	}
	paid := providers.Report{Key: p.ID, Reference: "0x22", Kind: providers.Withdrawal, State: providers.Succeeded, At: now, Effects: []providers.Effect{
		fee("eip155:1/0x22/fee", "-0.002"), {ID: "eip155:1/0x22/1/b", Kind: providers.Moved, Amount: dollars("-40"), At: now},
	}}
	replaced := providers.Report{Reference: "0x21", Kind: providers.Settlement, State: providers.Succeeded, At: now, Effects: []providers.Effect{fee("eip155:1/0x21/fee", "-0.001")}}
	sweep := providers.Report{Reference: "0x31", Kind: providers.Settlement, State: providers.Succeeded, Final: true, At: now, Effects: []providers.Effect{fee("eip155:1/0x31/fee", "-0.0004")}}
	for range 2 {
		for _, r := range []providers.Report{replaced, sweep, paid} {
			e.report(r)
		}
	}
	const gas, token = " eip155:1/slip44:60", " eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
	require.ElementsMatch(t, []string{
		"F 0.001000000000000000" + gas + " → C 0.001000000000000000" + gas,
		"F 0.000400000000000000" + gas + " → C 0.000400000000000000" + gas,
		"F 0.002000000000000000" + gas + " → C 0.002000000000000000" + gas,
		"U 40.000000" + token + " → C 40.000000" + token,
	}, e.postings())
	p = e.payment(p.ID)
	require.Equal(t, payments.Succeeded, p.State)
	require.Equal(t, eth("0.002"), p.NetworkFee)
	require.Zero(t, p.FeeBorne.Sign())
	require.Equal(t, "60.000000", e.wallet("alice", usdc).Available.Number())
	require.Empty(t, e.cases())
}

// Fees may be heard of before the movement, after it, in parts, and be more than was quoted: the member bears the quote at most, and
// nothing of what was not paid out.
func TestFeeReportsInAnyOrder(t *testing.T) {
	permutations(4, func(order []int) {
		e := newEnv(t, memberBears)
		svc, err := payments.New(e.book, e.config)
		require.NoError(t, err)
		require.NoError(t, svc.Register(gasChain{e.sandbox}))
		e.svc = svc
		e.receive("alice", eth("1"))
		p, err := e.withdrawQuoted(e.quote("alice", outside, eth("0.5")))
		require.NoError(t, err)
		e.hasEther("alice", "1", "0.503", "0")
		now := e.clock.Now()
		effects := []providers.Effect{
			{ID: "m", Kind: providers.Moved, Amount: eth("-0.5"), At: now},
			{ID: "f1", Kind: providers.Fee, Amount: eth("-0.002"), At: now},
			{ID: "f2", Kind: providers.Fee, Amount: eth("-0.0015"), At: now},
			{ID: "f3", Kind: providers.Fee, Amount: eth("0.0001"), At: now},
		}
		moved := false
		for _, i := range order {
			e.report(providers.Report{Key: p.ID, Reference: "0x22", Kind: providers.Withdrawal, State: providers.Pending, At: now, Effects: effects[i : i+1]})
			if moved = moved || i == 0; !moved {
				e.hasEther("alice", "1", "0.503", "0")
			}
		}
		e.report(providers.Report{Key: p.ID, Reference: "0x22", Kind: providers.Withdrawal, State: providers.Succeeded, Final: true, At: now})
		e.hasEther("alice", "0.497", "0", "0")
		require.Equal(t, "0.000400000000000000", e.posted(payments.FeesAccount("sandbox", ether.ID())), "%v", order)
		require.Equal(t, "0.496600000000000000", e.posted(payments.ClearingAccount("sandbox", ether.ID())), "%v", order)
		require.Equal(t, eth("0.003"), e.payment(p.ID).FeeBorne)
		require.Empty(t, e.cases())
		v, err := e.book.Verify(e.ctx)
		require.NoError(t, err)
		require.Empty(t, v.Problems)
	})
}

// gasChain quotes its price in ether, whatever is withdrawn, and decides nothing.
type gasChain struct{ *sandbox.Sandbox }

func (gasChain) Quote(_ context.Context, op providers.Operation) (providers.Quote, error) {
	return providers.Quote{Fee: eth("0.003")}, op.Validate()
}

func (g gasChain) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if op.Kind != providers.Withdrawal {
		return g.Sandbox.Submit(ctx, op)
	}
	if op.MaxFee != eth("0.003") {
		return providers.Report{}, errors.New("without its bound")
	}
	return providers.Report{Key: op.Key, Reference: "sent/" + op.Key, Kind: op.Kind, State: providers.Pending}, nil
}

// What the provider refuses because of its price fails, with the provider's code, and the money is back.
func TestQuoteTooDearOrTooOldAtTheProvider(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*env)
		code   string
	}{
		"fee cap": {func(e *env) {
			require.NoError(e, e.sandbox.SetNetworkFee(sandbox.Fee{Fixed: 1_000_000_000_000_000}))
		}, providers.CodeFeeCap},
		"expired": {func(e *env) { e.clock.advance(11 * time.Minute) }, providers.CodeQuoteExpired},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t, memberBears)
			e.receive("alice", eth("1"))
			q := e.quote("alice", outside, eth("0.5"))
			p, err := e.svc.In(e.store).Withdraw(e.ctx, payments.WithdrawRequest{ // recorded in time, and sent later
				Key: "w", Actor: payments.Member("alice"), Amount: q.Amount, To: q.To, Quote: q.ID,
			})
			require.NoError(t, err)
			e.hasEther("alice", "1", "0.5002", "0")
			c.change(e)
			e.pass(2 * time.Minute)
			p = e.payment(p.ID)
			require.Equal(t, payments.Failed, p.State)
			require.Equal(t, c.code, p.Reason.Code)
			e.hasEther("alice", "1", "0", "0")
			require.Zero(t, e.sandbox.Executed(p.ID))
			e.sound()
		})
	}
}

// A quote is a price for one withdrawal, of one member, amount and destination, until it expires.
func TestQuoteIsForOneWithdrawal(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	e.receive("bob", eth("1"))
	q := e.quote("alice", outside, eth("0.1"))
	for name, c := range map[string]struct {
		change func(*payments.WithdrawRequest)
		is     error
	}{
		"another member":      {func(r *payments.WithdrawRequest) { r.Actor = payments.Member("bob") }, payments.ErrNoQuote},
		"another amount":      {func(r *payments.WithdrawRequest) { r.Amount = eth("0.2") }, payments.ErrNoQuote},
		"another destination": {func(r *payments.WithdrawRequest) { r.To = "0x00000000000000000000000000000000000000ab" }, payments.ErrNoQuote},
		"no such quote":       {func(r *payments.WithdrawRequest) { r.Quote = "01890000-0000-7000-8000-000000000000" }, payments.ErrNoQuote},
		"no quote at all":     {func(r *payments.WithdrawRequest) { r.Quote = "cheap" }, payments.ErrNoQuote},
		"a payment":           {func(r *payments.WithdrawRequest) { r.Quote = e.payments("alice")[0] }, payments.ErrNoQuote},
	} {
		r := payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: q.Amount, To: q.To, Quote: q.ID}
		c.change(&r)
		before := e.history()
		_, err := e.svc.Withdraw(e.ctx, r)
		require.ErrorIs(t, err, c.is, name)
		refusal, ok := errors.AsType[*payments.Refusal](err)
		require.True(t, ok, name)
		require.Equal(t, "quote", refusal.Field, name)
		require.Equal(t, before, e.history(), name)
	}

	// The same request again is the same withdrawal; another one needs another quote.
	r := payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: q.Amount, To: q.To, Quote: q.ID}
	p, err := e.svc.Withdraw(e.ctx, r)
	require.NoError(t, err)
	again, err := e.svc.Withdraw(e.ctx, r)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, p.ID, again.ID)
	_, err = e.withdrawQuoted(q)
	require.ErrorIs(t, err, payments.ErrQuoteUsed)
	require.ErrorIs(t, err, payments.ErrDeclined)

	late := e.quote("alice", outside, eth("0.1"))
	e.clock.advance(10*time.Minute + time.Second)
	_, err = e.withdrawQuoted(late)
	require.ErrorIs(t, err, payments.ErrQuoteExpired)
	require.ErrorIs(t, err, payments.ErrDeclined)
	e.hasEther("alice", "1", "0.1", "0")

	_, err = e.svc.Quote(e.ctx, payments.QuoteRequest{Actor: payments.Member("bob"), Member: "alice", Amount: eth("0.1"), To: outside})
	require.ErrorIs(t, err, payments.ErrForbidden)
	_, err = e.svc.Quote(e.ctx, payments.QuoteRequest{Actor: payments.Member("alice"), Amount: eth("0.1"), To: "not an address"})
	require.ErrorIs(t, err, payments.ErrBadAddress)
}

// payments are the ids of a member's payments.
func (e *env) payments(member string) (ids []string) {
	e.Helper()
	for d, err := range e.book.Documents(e.ctx, ledger.Query{List: ledger.ListDossier, Owner: member, Kind: "payment"}) {
		require.NoError(e, err)
		ids = append(ids, d.ID)
	}
	return ids
}

// priceless is a provider that cannot be asked for a price, or answers nonsense.
type priceless struct {
	*sandbox.Sandbox
	answer providers.Quote
	err    error
}

func (s *priceless) Quote(context.Context, providers.Operation) (providers.Quote, error) {
	return s.answer, s.err
}

// plainChain quotes nothing.
type plainChain struct{ providers.Provider }

func TestQuoteOfAProviderThatGivesNone(t *testing.T) {
	e := newEnv(t, memberBears)
	e.receive("alice", eth("1"))
	far := &priceless{Sandbox: e.sandbox, err: errors.New("no route to host")}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(far))
	request := payments.QuoteRequest{Actor: payments.Member("alice"), Amount: eth("0.1"), To: outside}
	before := e.history()
	for _, answer := range []providers.Quote{{}, {Fee: currency.MustNew(-1, ether)}} {
		_, err = svc.Quote(e.ctx, request)
		require.ErrorIs(t, err, payments.ErrNoQuote)
		require.ErrorIs(t, err, payments.ErrUnavailable)
		far.answer, far.err = answer, nil
	}
	require.Equal(t, before, e.history())

	svc, err = payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(plainChain{e.sandbox}))
	q, err := svc.Quote(e.ctx, request)
	require.NoError(t, err)
	require.Equal(t, []currency.Amount{eth("0"), eth("0.1")}, []currency.Amount{q.Fee, q.Held})
	require.Zero(t, q.Until)
	_, err = svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: "q", Actor: request.Actor, Amount: q.Amount, To: q.To, Quote: q.ID})
	require.NoError(t, err)
	_, err = svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: "n", Actor: request.Actor, Amount: q.Amount, To: q.To})
	require.NoError(t, err, "who cannot be told a price needs none")
}

// The host's reference for the Travel Rule reaches the provider, is shown, and means nothing in between.
func TestTravelRuleIsPassedOn(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	seen := &noting{Provider: e.sandbox}
	svc, err := payments.New(e.book, e.config)
	require.NoError(t, err)
	require.NoError(t, svc.Register(seen))
	r := payments.WithdrawRequest{Key: "t", Actor: payments.Member("alice"), Amount: eth("0.1"), To: outside, TravelRule: "ivms101:7f3e/é"}
	p, err := svc.Withdraw(e.ctx, r)
	require.NoError(t, err)
	require.Equal(t, "ivms101:7f3e/é", p.TravelRule)
	require.Len(t, seen.operations, 1)
	require.Equal(t, "ivms101:7f3e/é", seen.operations[0].TravelRule)
	r.TravelRule = "another"
	_, err = svc.Withdraw(e.ctx, r)
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
	r.Key, r.TravelRule = "t2", "a\x00b"
	_, err = svc.Withdraw(e.ctx, r)
	require.ErrorIs(t, err, payments.ErrInvalid)
}

// noting remembers what it was asked.
type noting struct {
	providers.Provider
	operations []providers.Operation
}

func (n *noting) Unwrap() providers.Provider { return n.Provider }

func (n *noting) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	n.operations = append(n.operations, op)
	return n.Provider.Submit(ctx, op)
}

// Of many withdrawals that name one quote at the same moment, one gets it.
func TestQuoteIsUsedOnceByManyAtOnce(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	q := e.quote("alice", outside, eth("0.01"))
	var used, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			_, err := e.svc.Withdraw(e.ctx, payments.WithdrawRequest{
				Key: fmt.Sprint("many-", i), Actor: payments.Member("alice"), Amount: q.Amount, To: q.To, Quote: q.ID,
			})
			switch {
			case err == nil:
				used.Add(1)
			case errors.Is(err, payments.ErrQuoteUsed):
				refused.Add(1)
			default:
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	require.Equal(t, []int64{1, 7}, []int64{used.Load(), refused.Load()})
	e.pass(3 * time.Hour)
	e.hasEther("alice", "0.99", "0", "0")
	e.sound()
}

// A payout that came back while its provider says that it is done is the member's at once: only what may go again is held.
func TestBouncedPayoutIsNotHeld(t *testing.T) {
	e := newEnv(t)
	e.receive("alice", eth("1"))
	p, err := e.withdraw("alice", outside, eth("0.5"))
	require.NoError(t, err)
	out := providers.Effect{ID: "out", Kind: providers.Moved, Amount: eth("-0.5"), At: e.clock.Now()}
	e.report(e.sent(p, providers.Succeeded, out, orphaned(out)))
	e.hasEther("alice", "1", "0", "0")
}
