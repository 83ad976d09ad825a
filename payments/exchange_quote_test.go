package payments_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/ledger/memory"
	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers/sandbox"
)

func eur(s string) currency.Amount { return currency.MustParse(s, currency.EUR) }

func rate(from, to currency.Asset, value string) currency.Rate {
	return currency.MustRate(from, to, decimal.RequireFromString(value))
}

// market is a source of prices that tests move.
type market struct {
	price payments.Price
	none  bool
	err   error
	asked int
}

func (m *market) rates(_ context.Context, _, _ currency.Asset) (payments.Price, bool, error) {
	m.asked++
	return m.price, !m.none, m.err
}

// marketEnv gives 0.9 euros for a dollar after a fee of 1 %, where the market has 0.92.
func marketEnv(t *testing.T, change ...func(*payments.Config, *sandbox.Config)) (*env, *market) {
	t.Helper()
	return marketEnvOn(t, openStore(t), change...)
}

func marketEnvOn(t *testing.T, s ledger.Store, change ...func(*payments.Config, *sandbox.Config)) (*env, *market) {
	t.Helper()
	m := &market{price: payments.Price{
		Rate: rate(currency.USD, currency.EUR, "0.90"), Market: rate(currency.USD, currency.EUR, "0.92"),
		Fee: decimal.RequireFromString("0.01"), QuoteFor: 30 * time.Second,
	}}
	quoting := func(c *payments.Config, s *sandbox.Config) {
		c.Rates = m.rates
		s.CardFee = sandbox.Fee{}
	}
	return newEnvOn(t, s, append([]func(*payments.Config, *sandbox.Config){quoting}, change...)...), m
}

// swap asks for the price of an amount in euros.
func (e *env) swap(member string, a currency.Amount) payments.ExchangeQuote {
	e.Helper()
	q, err := e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member(member), Amount: a, To: "EUR"})
	require.NoError(e, err)
	return q
}

// take is the request that uses a quote.
func (e *env) take(q payments.ExchangeQuote) payments.ExchangeRequest {
	return payments.ExchangeRequest{Key: e.key(), Actor: payments.Member(q.Member), Quote: q.ID}
}

func (e *env) hasEuros(member, posted, held, owes string) {
	e.Helper()
	w := e.wallet(member, currency.EUR)
	require.Equal(e, []string{posted, held, owes}, []string{w.Posted.Number(), w.Held.Number(), w.Owes.Number()}, "posted, held and owed of %s", member)
}

func TestExchangeAtAQuote(t *testing.T) {
	e, m := marketEnv(t)
	e.fund("alice", usd("100.00"))
	e.postings()
	q := e.swap("alice", usd("10.55"))
	require.Equal(t, payments.ExchangeQuote{
		ID: q.ID, Member: "alice", Amount: usd("10.55"), Fee: usd("0.11"), Bought: eur("9.39"), // of 10.44 dollars: 9.396
		Rate: m.price.Rate, Rounding: currency.Down, Market: m.price.Market, Spread: eur("0.21"), Until: q.Until, // at the market 9.6048
	}, q)
	require.WithinRange(t, q.Until, e.clock.Now().Add(30*time.Second), e.clock.Now().Add(31*time.Second))
	require.Empty(t, e.postings(), "a price moves nothing")
	d, err := e.book.Document(e.ctx, ledger.DocumentID{Kind: "quote", ID: q.ID})
	require.NoError(t, err)
	require.Equal(t, []string{"alice", "open"}, []string{d.Owner, d.State})
	require.Contains(t, string(d.Body), `"actor":"member/alice"`)
	require.Contains(t, string(d.Body), `"rounding":"down"`)

	m.price, m.none, m.asked = payments.Price{}, true, 0 // the market is closed now
	p, err := e.svc.Exchange(e.ctx, e.take(q))
	require.NoError(t, err)
	require.Zero(t, m.asked)
	require.Equal(t, []any{payments.Exchange, payments.Succeeded, usd("10.55"), usd("0.11"), eur("9.39"), q.Rate, q.ID},
		[]any{p.Kind, p.State, p.Amount, p.Fee, p.Bought, p.Rate, p.Quote})
	require.Equal(t, []string{"P 9.39 EUR, U 10.55 → P 10.44, U 9.39 EUR, V 0.11"}, e.postings())
	e.hasWallet("alice", "89.45", "0.00", "0.00")
	e.hasEuros("alice", "9.39", "0.00", "0.00")
	d, err = e.book.Document(e.ctx, ledger.DocumentID{Kind: "quote", ID: q.ID})
	require.NoError(t, err)
	require.Equal(t, "used", d.State)
	require.Contains(t, string(d.Body), p.ID)
	e.sound()
	e.balanced()
}

// The side that is wanted is fixed, and what it costs is the least that buys it: rounded up, once, fee included.
func TestQuoteOfWhatIsWanted(t *testing.T) {
	e, m := marketEnv(t)
	e.fund("alice", usd("100.00"))
	for _, c := range []struct{ fee, wanted, amount, fees string }{
		{"0.01", "9.39", "10.55", "0.11"}, // 10.4333 rounded up is 10.44, of 10.5454 rounded up
		{"0", "9.00", "10.00", "0.00"},
		{"0", "9.01", "10.02", "0.00"},
		{"0.99", "0.01", "2.00", "1.98"},
		{"0.333333333333333333333333333333", "0.09", "0.15", "0.05"},
	} {
		m.price.Fee = decimal.RequireFromString(c.fee)
		q, err := e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Bought: eur(c.wanted), From: "USD"})
		require.NoError(t, err)
		require.Equal(t, []any{usd(c.amount), usd(c.fees), eur(c.wanted), currency.Up}, []any{q.Amount, q.Fee, q.Bought, q.Rounding}, "%v", c)
		less, err := q.Amount.Sub(usd("0.01"))
		require.NoError(t, err)
		if cheaper, err := e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Amount: less, To: "EUR"}); err == nil {
			short, err := cheaper.Bought.Cmp(q.Bought)
			require.NoError(t, err)
			require.Negative(t, short, "a cent less buys less: %v", c)
		}
		if c.wanted == "9.39" {
			p, err := e.svc.Exchange(e.ctx, e.take(q))
			require.NoError(t, err)
			require.Equal(t, []currency.Amount{q.Amount, q.Fee, q.Bought}, []currency.Amount{p.Amount, p.Fee, p.Bought})
		}
	}
	e.hasWallet("alice", "89.45", "0.00", "0.00")
	e.hasEuros("alice", "9.39", "0.00", "0.00")
	e.sound()
}

// The fee is taken without a quote too: nobody gets around it by not asking.
func TestExchangeWithoutAQuoteCostsTheSame(t *testing.T) {
	e, m := marketEnv(t)
	e.fund("alice", usd("100.00"))
	e.postings()
	p, err := e.exchange("alice", usd("10.55"), currency.EUR)
	require.NoError(t, err)
	require.Equal(t, []any{usd("0.11"), eur("9.39"), m.price.Rate, ""}, []any{p.Fee, p.Bought, p.Rate, p.Quote})
	require.Equal(t, []string{"P 9.39 EUR, U 10.55 → P 10.44, U 9.39 EUR, V 0.11"}, e.postings())
	_, err = e.exchange("alice", usd("0.01"), currency.EUR)
	require.ErrorIs(t, err, payments.ErrInvalid, "all of it is fee")
	e.sound()
}

// A quote is good for one exchange, of whoever asked for it, until it expires. What it is refused for changes nothing.
func TestExchangeQuoteIsForOneExchange(t *testing.T) {
	support := errors.New("only support and the member")
	e, _ := marketEnv(t, func(c *payments.Config, _ *sandbox.Config) {
		c.Authorize = func(_ context.Context, actor payments.Actor, _ payments.Action, member string) error {
			if actor.IsPlatform() || actor.MemberID() == member {
				return nil
			}
			return support
		}
	})
	e.fund("alice", usd("100.00"))
	e.fund("bob", usd("100.00"))
	q := e.swap("alice", usd("10.00"))
	there := ledger.New(e.store, ledger.Config{Book: "another", Clock: e.clock.Now})
	other, err := payments.New(there, e.config)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		change func(*payments.ExchangeRequest)
		class  error
	}{
		"another member":           {func(r *payments.ExchangeRequest) { r.Actor = payments.Member("bob") }, payments.ErrNotFound},
		"another actor, for alice": {func(r *payments.ExchangeRequest) { r.Actor, r.Member = payments.Platform(), "alice" }, payments.ErrNotFound},
		"no such quote":            {func(r *payments.ExchangeRequest) { r.Quote = uuid.NewString() }, payments.ErrNotFound},
		"a withdrawal's": {func(r *payments.ExchangeRequest) {
			r.Quote = e.quote("alice", e.link("alice", sandbox.TokenBank), usd("10.00")).ID
		}, payments.ErrNotFound},
		"a cent more":               {func(r *payments.ExchangeRequest) { r.Amount = usd("10.01") }, payments.ErrInvalid},
		"as many of another asset":  {func(r *payments.ExchangeRequest) { r.Amount = eur("10.00") }, payments.ErrInvalid},
		"for what it does not give": {func(r *payments.ExchangeRequest) { r.To = "JPY" }, payments.ErrInvalid},
	} {
		r := payments.ExchangeRequest{Key: "x", Actor: payments.Member("alice"), Quote: q.ID}
		c.change(&r)
		before := e.dump()
		_, err := e.svc.Exchange(e.ctx, r)
		require.ErrorIs(t, err, payments.ErrNoQuote, name)
		require.ErrorIs(t, err, c.class, name)
		require.Equal(t, before, e.dump(), name)
	}
	_, err = other.Exchange(e.ctx, payments.ExchangeRequest{Key: "x", Actor: payments.Member("alice"), Quote: q.ID})
	require.ErrorIs(t, err, payments.ErrNoQuote, "it was given in another book")
	require.ErrorIs(t, err, payments.ErrNotFound)
	_, err = e.svc.Withdraw(e.ctx, payments.WithdrawRequest{Key: "w", Actor: payments.Member("alice"), Amount: q.Amount, To: e.link("alice", sandbox.TokenBank), Quote: q.ID})
	require.ErrorIs(t, err, payments.ErrNoQuote, "nor is it one of a withdrawal")

	r := payments.ExchangeRequest{Key: "x", Actor: payments.Member("alice"), Amount: q.Amount, To: "EUR", Quote: q.ID}
	p, err := e.svc.Exchange(e.ctx, r)
	require.NoError(t, err)
	before := e.dump()
	second := r
	second.Key = "y"
	_, err = e.svc.Exchange(e.ctx, second)
	require.ErrorIs(t, err, payments.ErrQuoteUsed)
	require.ErrorIs(t, err, payments.ErrDeclined)
	require.Equal(t, before, withoutKeys(before, e.dump()))

	late := e.swap("alice", usd("10.00"))
	e.clock.advance(31 * time.Second)
	before = e.dump()
	_, err = e.svc.Exchange(e.ctx, e.take(late))
	require.ErrorIs(t, err, payments.ErrQuoteExpired)
	require.ErrorIs(t, err, payments.ErrDeclined)
	require.Equal(t, before, withoutKeys(before, e.dump()))

	// The same request again is the same exchange, for ever, whatever became of quote and prices.
	again, err := e.svc.Exchange(e.ctx, r)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, p.ID, again.ID)
	r.Quote = late.ID
	_, err = e.svc.Exchange(e.ctx, r)
	require.ErrorIs(t, err, ledger.ErrKeyConflict)
	_, err = e.svc.Exchange(e.ctx, second)
	require.ErrorIs(t, err, payments.ErrQuoteUsed, "a decline stays one")
	e.hasWallet("alice", "90.00", "0.00", "0.00")

	given, err := e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Platform(), Member: "alice", Amount: usd("1.00"), To: "EUR"})
	require.NoError(t, err)
	_, err = e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: "s", Actor: payments.Platform(), Member: "bob", Quote: given.ID})
	require.ErrorIs(t, err, payments.ErrNotFound, "it is for alice")
	config := e.config
	config.Assets = currency.MustRegistry(currency.USD)
	fewer, err := payments.New(e.book, config)
	require.NoError(t, err)
	_, err = fewer.Exchange(e.ctx, payments.ExchangeRequest{Key: "s", Actor: payments.Platform(), Member: "alice", Quote: given.ID})
	require.ErrorIs(t, err, payments.ErrUnsupported, "euros are not dealt in any more")
	_, err = e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: "s", Actor: payments.Platform(), Member: "alice", Quote: given.ID})
	require.NoError(t, err, "who asked may use it")
	again, err = fewer.Exchange(e.ctx, payments.ExchangeRequest{Key: "s", Actor: payments.Platform(), Member: "alice", Quote: given.ID})
	require.NoError(t, err)
	require.True(t, again.Replayed)
	e.sound()
}

func TestExchangeQuoteIsUsedOnceByManyAtOnce(t *testing.T) {
	e, _ := marketEnv(t)
	e.fund("alice", usd("100.00"))
	q := e.swap("alice", usd("10.00"))
	var used, refused atomic.Int64
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			_, err := e.svc.Exchange(e.ctx, payments.ExchangeRequest{Key: fmt.Sprint("many-", i), Actor: payments.Member("alice"), Quote: q.ID})
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
	require.Equal(t, []int64{1, 15}, []int64{used.Load(), refused.Load()})
	e.hasWallet("alice", "90.00", "0.00", "0.00")
	e.sound()
}

// What an exchange is refused for otherwise leaves its quote as it was.
func TestExchangeThatIsRefusedKeepsItsQuote(t *testing.T) {
	e, _ := marketEnv(t, func(c *payments.Config, s *sandbox.Config) {
		c.Rules = []payments.Rule{payments.DailyLimit{Name: "swaps", Kinds: []payments.Kind{payments.Exchange}, Max: usd("50.00"), Now: s.Clock}}
	})
	e.fund("alice", usd("40.00"))
	require.NoError(t, e.svc.OpenWallet(e.ctx, payments.Member("alice"), "alice", currency.EUR))
	freeze := func(a currency.AssetID, all bool) func() {
		return func() { require.NoError(t, e.svc.Freeze(e.ctx, payments.Platform(), e.key(), "alice", a, all)) }
	}
	thaw := func(a currency.AssetID) func() {
		return func() { require.NoError(t, e.svc.Unfreeze(e.ctx, payments.Platform(), e.key(), "alice", a)) }
	}
	for _, c := range []struct {
		name       string
		amount     string
		break_, do func()
		is         error
	}{
		{"the wallet it leaves is frozen", "1.00", freeze("USD", false), thaw("USD"), ledger.ErrAccountFrozen},
		{"the wallet it comes to takes nothing", "1.00", freeze("EUR", true), thaw("EUR"), ledger.ErrAccountFrozen},
		{"there is not so much", "45.00", func() {}, func() { e.fund("alice", usd("45.00")) }, ledger.ErrInsufficientFunds},
		{"it is beyond the limit", "30.00", func() {}, func() { e.clock.advance(24 * time.Hour) }, payments.ErrLimit},
	} {
		c.break_()
		q := e.swap("alice", usd(c.amount))
		before := e.dump()
		_, err := e.svc.Exchange(e.ctx, e.take(q))
		require.ErrorIs(t, err, c.is, c.name)
		require.ErrorIs(t, err, payments.ErrDeclined, c.name)
		require.Equal(t, before, withoutKeys(before, e.dump()), c.name)
		c.do()
		p, err := e.svc.Exchange(e.ctx, e.take(q))
		if errors.Is(c.is, payments.ErrLimit) {
			require.ErrorIs(t, err, payments.ErrQuoteExpired)
			continue
		}
		require.NoError(t, err, c.name)
		require.Equal(t, q.Bought, p.Bought)
	}
	e.sound()
}

// What is bought repays first what the member owes in that asset.
func TestExchangeAtAQuoteRepaysDebt(t *testing.T) {
	e, _ := marketEnv(t)
	e.deposit("alice", e.link("alice", sandbox.TokenCardDisputeLost), eur("5.00"))
	_, err := e.svc.Send(e.ctx, payments.TransferRequest{Key: e.key(), Actor: payments.Member("alice"), To: "bob", Amount: eur("5.00")})
	require.NoError(t, err)
	e.pass(30 * 24 * time.Hour)
	e.hasEuros("alice", "0.00", "0.00", "5.00")
	e.fund("alice", usd("20.00"))
	e.postings()
	q := e.swap("alice", usd("10.00"))
	_, err = e.svc.Exchange(e.ctx, e.take(q))
	require.NoError(t, err)
	require.Equal(t, []string{"P 8.91 EUR, U 10.00 → P 9.90, R 5.00 EUR, U 3.91 EUR, V 0.10"}, e.postings())
	e.hasEuros("alice", "3.91", "0.00", "0.00")
	e.sound()
}

// A person who takes their time approves the exchange at the price that the member was told; one who denies it has spent the quote.
func TestReviewOfAnExchangeAtAQuote(t *testing.T) {
	for _, approve := range []bool{true, false} {
		e, m := marketEnv(t, func(c *payments.Config, _ *sandbox.Config) {
			c.Rules = []payments.Rule{above{usd("50.00"), payments.ErrReview, []payments.Kind{payments.Exchange}}}
		})
		e.fund("alice", usd("100.00"))
		q := e.swap("alice", usd("60.00"))
		p, err := e.svc.Exchange(e.ctx, e.take(q))
		require.NoError(t, err)
		require.Equal(t, payments.Review, p.State)
		e.hasWallet("alice", "100.00", "60.00", "0.00")
		_, err = e.svc.Exchange(e.ctx, e.take(q))
		require.ErrorIs(t, err, payments.ErrQuoteUsed)
		e.postings()
		e.pass(48 * time.Hour)
		m.price.Rate = rate(currency.USD, currency.EUR, "0.5")
		action := payments.Deny
		if approve {
			action = payments.Approve
		}
		_, err = e.resolve(p.ID, action, "")
		require.NoError(t, err)
		if approve {
			require.ElementsMatch(t, []string{"U 60.00 → P 59.40, V 0.60", "P 53.46 EUR → U 53.46 EUR"}, e.postings())
			e.hasWallet("alice", "40.00", "0.00", "0.00")
		} else {
			require.Empty(t, e.postings())
			e.hasWallet("alice", "100.00", "0.00", "0.00")
			_, err = e.svc.Exchange(e.ctx, e.take(q))
			require.ErrorIs(t, err, payments.ErrQuoteUsed)
		}
		e.sound()
	}
}

// A quote of a host's transaction is there when that commits, and is used when that commits.
func TestExchangeQuoteInTheHostsTransaction(t *testing.T) {
	e, _ := marketEnvOn(t, memory.New())
	e.fund("alice", usd("100.00"))
	ask := payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Amount: usd("10.00"), To: "EUR"}
	_, desk := e.begin()
	lost, err := desk.QuoteExchange(e.ctx, ask)
	require.NoError(t, err)
	_, err = desk.Exchange(e.ctx, e.take(lost))
	require.NoError(t, err)
	_, err = e.svc.Exchange(e.ctx, e.take(lost)) // rolled back
	require.ErrorIs(t, err, payments.ErrNoQuote)
	q := e.swap("alice", usd("10.00"))
	_, desk = e.begin()
	_, err = desk.Exchange(e.ctx, e.take(q))
	require.NoError(t, err)
	tx, desk := e.begin() // the one before rolled back
	r := e.take(q)
	_, err = desk.Exchange(e.ctx, r)
	require.NoError(t, err)
	_, err = desk.Exchange(e.ctx, e.take(q))
	require.ErrorIs(t, err, payments.ErrQuoteUsed)
	e.commit(tx)
	p, err := e.svc.Exchange(e.ctx, r)
	require.NoError(t, err)
	require.True(t, p.Replayed)
	_, err = e.svc.Exchange(e.ctx, e.take(q))
	require.ErrorIs(t, err, payments.ErrQuoteUsed)
	e.hasWallet("alice", "90.00", "0.00", "0.00")
	e.sound()
}

// A source that fails or answers nonsense gives no price: the same call may be made again, and nothing is recorded.
func TestExchangeWithoutAPrice(t *testing.T) {
	e, m := marketEnv(t)
	e.fund("alice", usd("100.00"))
	good := m.price
	before := e.dump()
	for name, spoil := range map[string]func(*payments.Price){
		"none at all":          func(p *payments.Price) { *p = payments.Price{} },
		"of the other way":     func(p *payments.Price) { p.Rate = rate(currency.EUR, currency.USD, "1.1") },
		"of another asset":     func(p *payments.Price) { p.Rate = rate(currency.USD, currency.JPY, "150") },
		"another market":       func(p *payments.Price) { p.Market = rate(currency.USD, currency.JPY, "150") },
		"a fee of all":         func(p *payments.Price) { p.Fee = decimal.NewFromInt(1) },
		"a fee that is a gift": func(p *payments.Price) { p.Fee = decimal.RequireFromString("-0.01") },
		"an endless fee":       func(p *payments.Price) { p.Fee = decimal.New(1, -1_000_000_000) },
		"an enormous fee":      func(p *payments.Price) { p.Fee = decimal.New(1, 1_000_000_000) },
		"expired":              func(p *payments.Price) { p.QuoteFor = -time.Second },
		"the source fails":     func(*payments.Price) { m.err = errors.New("no route to host") },
	} {
		m.price, m.err = good, nil
		spoil(&m.price)
		_, err := e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Amount: usd("1.00"), To: "EUR"})
		require.ErrorIs(t, err, payments.ErrNoRate, name)
		require.ErrorIs(t, err, payments.ErrUnavailable, name)
		_, err = e.exchange("alice", usd("1.00"), currency.EUR)
		require.ErrorIs(t, err, payments.ErrNoRate, name)
		require.ErrorIs(t, err, payments.ErrUnavailable, name)
	}
	m.price, m.err, m.none = good, nil, true
	_, err := e.svc.QuoteExchange(e.ctx, payments.ExchangeQuoteRequest{Actor: payments.Member("alice"), Bought: eur("1.00"), From: "USD"})
	require.ErrorIs(t, err, payments.ErrNoRate)
	require.ErrorIs(t, err, payments.ErrInvalid)
	require.Equal(t, before, e.dump())
	m.none, m.price.QuoteFor, m.price.Market = false, 0, currency.Rate{}
	q := e.swap("alice", usd("1.00"))
	require.WithinRange(t, q.Until, e.clock.Now().Add(time.Minute), e.clock.Now().Add(time.Minute+time.Second))
	require.Equal(t, []any{currency.Rate{}, currency.Amount{}}, []any{q.Market, q.Spread})
}
