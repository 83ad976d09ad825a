package stripe_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

const secret = "whsec_of_the_tests"

// clock is moved by tests while other goroutines may read it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

func (c *clock) pass(d time.Duration) { c.set(c.read().Add(d)) }

// state is a StateStore in memory.
type state struct {
	mu       sync.Mutex
	values   map[string][]byte
	versions map[string]uint64
}

func newState() *state { return &state{values: map[string][]byte{}, versions: map[string]uint64{}} }

func (s *state) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key], s.versions[key], ctx.Err()
}

func (s *state) Store(ctx context.Context, key string, value []byte, version uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.versions[key] != version {
		return 0, providers.ErrStateConflict
	}
	s.values[key], s.versions[key] = value, version+1
	return version + 1, ctx.Err()
}

// far starts a pretend Stripe.
func far(t *testing.T, c *clock, change ...func(*stripetest.Options)) *stripetest.Server {
	t.Helper()
	o := stripetest.Options{Clock: c.read, Secrets: []string{secret}}
	for _, f := range change {
		f(&o)
	}
	s, err := stripetest.New(o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Audit())
		s.Close()
	})
	return s
}

// assets are those that the suite runs with: two decimals, none, three, and the ones that Stripe treats in a way of its own.
var assets = func() (all []currency.Asset) {
	for _, id := range []currency.AssetID{"USD", "EUR", "JPY", "KWD", "UGX", "ISK", "MGA", "HUF"} {
		d, _ := currency.Lookup(id)
		all = append(all, d)
	}
	return all
}()

// decimals are those of amounts on Stripe's pages, written down here a second time.
var decimals = map[currency.AssetID]uint8{"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "UGX": 2, "ISK": 2, "MGA": 0, "HUF": 2}

// moved reads the far side's books.
func moved(s *stripetest.Server, key string) (currency.Amount, bool) {
	units, code, ok := s.Moved(key)
	id := currency.AssetID(strings.ToUpper(code))
	d, known := currency.Lookup(id)
	if !ok || !known {
		return currency.Amount{}, false
	}
	a, err := currency.FromMinor(units, decimals[id], d)
	return a, err == nil
}

// config is for an adapter on the pretend Stripe.
func config(s *stripetest.Server, c *clock, kept providers.StateStore, change ...func(*stripe.Config)) stripe.Config {
	cfg := stripe.Config{
		Key: s.Key(), BaseURL: s.URL(), HTTPClient: s.Client(), WebhookSecrets: []string{secret}, State: kept, Clock: c.read, Assets: assets,
	}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// adapter opens the adapter on it.
func adapter(t *testing.T, s *stripetest.Server, c *clock, kept providers.StateStore, change ...func(*stripe.Config)) *stripe.Provider {
	t.Helper()
	p, err := stripe.New(config(s, c, kept, change...))
	require.NoError(t, err)
	return p
}

// sample is an operation with an instrument of its own.
func sample(c *clock, k providers.Kind, m providers.Method, instrument string) providers.Operation {
	return providers.Operation{
		Key: uuid.NewString(), Kind: k, Method: m, Amount: usd("100.00"), Instrument: instrument, Member: "alice", FirstSent: c.read(),
	}
}

func usd(s string) currency.Amount { return currency.MustParse(s, currency.USD) }

// samples are the instruments of one run of the suite.
type samples struct {
	name         string
	method       providers.Method // of links, deposits and refunds
	link, charge string
	payout       string
	payoutBy     providers.Method
}

var runs = []samples{
	{name: "card and transfer", method: providers.Card, link: stripetest.Card, charge: stripetest.Card, payout: stripetest.Account, payoutBy: providers.Bank},
	{name: "bank and payout", method: providers.Bank, link: "ctoken_" + stripetest.Bank, charge: stripetest.Bank, payout: stripetest.PayoutBank, payoutBy: providers.Bank},
	{name: "card and instant payout", method: providers.Card, link: stripetest.Card, charge: stripetest.Card, payout: stripetest.PayoutCard, payoutBy: providers.Card},
}

var faults = map[providertest.Fault]stripetest.Fault{
	providertest.LostRequest:  stripetest.LostRequest,
	providertest.LostResponse: stripetest.LostResponse,
	providertest.ServerError:  stripetest.ServerError,
	providertest.Garbage:      stripetest.Garbage,
	providertest.Refuse:       stripetest.Refuse,
	providertest.Reject:       stripetest.Reject,
	providertest.Decline:      stripetest.Decline,
	providertest.RateLimit:    stripetest.TooManyRequests,
	providertest.Slow:         stripetest.LateRequest,
	providertest.OtherAmount:  stripetest.OtherAmount,
}

func harness(of samples) providertest.Harness {
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		c, kept := newClock(), newState()
		s := far(t, c, func(o *stripetest.Options) { o.KeyRetention = 100_000 * time.Hour }) // the suite lets months pass
		for code := range decimals {
			s.TopUp(100_000_000, strings.ToLower(string(code)))
		}
		var declines bool
		quiet, requests := c.read(), 0
		return &providertest.World{
			Provider: adapter(t, s, c, kept),
			Reopen:   func() providers.Provider { return adapter(t, s, c, kept) },
			Operation: func(k providers.Kind) (providers.Operation, bool) {
				op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: of.method, Member: "alice", FirstSent: c.read()}
				switch k {
				case providers.Deposit:
					op.Amount, op.Instrument = usd("100.00"), s.Instrument(of.charge)
				case providers.Withdrawal:
					op.Amount, op.Instrument, op.Method = usd("100.00"), of.payout, of.payoutBy
					if declines { // Stripe never declines a transfer; a payout may fail
						op.Instrument, op.Method = stripetest.PayoutBankRefuses, providers.Bank
					}
				case providers.Refund:
					op.Amount = usd("0.01")
				case providers.Link:
					op.Instrument = of.link
				case providers.DepositAddress, providers.Cancel:
					return op, false
				}
				declines = false
				return op, true
			},
			Executed: s.Executed,
			Requests: s.Requests,
			Fault: func(f providertest.Fault) bool {
				if f == providertest.FailLookup || f == providertest.FailPoll {
					s.FailLookups(1)
					return true
				}
				fault, ok := faults[f]
				if !ok {
					return false
				}
				declines = f == providertest.Decline
				s.Script(fault)
				return true
			},
			Advance: func() bool {
				if n := s.Requests(); n != requests {
					quiet, requests = c.read(), n
				}
				if next, ok := s.NextChange(); ok {
					c.set(next)
					quiet = c.read()
					return true
				}
				// Nothing is scheduled any more, but return windows are still open.
				if end := quiet.Add(31 * 24 * time.Hour); c.read().Before(end) {
					c.set(end)
					return true
				}
				c.pass(2 * time.Minute)
				return false
			},
			Moved: func(key string) (currency.Amount, bool) { return moved(s, key) },
			Returned: func() (providers.Operation, bool) {
				return sample(c, providers.Deposit, providers.Bank, s.Instrument(stripetest.BankReturned)), true
			},
			Bounced: func() (providers.Operation, bool) {
				return sample(c, providers.Withdrawal, providers.Bank, stripetest.PayoutBankBounces), of.method == providers.Bank
			},
			RefundFails: func() (providers.Operation, bool) {
				return sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.CardRefundFails)), of.method == providers.Card
			},
			Waiting: func() (providers.Operation, bool) {
				return sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card3DS)), of.method == providers.Card
			},
			Answer: func(key string, approve bool) error {
				if approve {
					return s.Approve(key)
				}
				return s.Deny(key)
			},
			Disputed: func(won bool) (providers.Operation, bool) {
				token := map[bool]string{true: stripetest.CardDisputeWon, false: stripetest.CardDisputeLost}[won]
				return sample(c, providers.Deposit, providers.Card, s.Instrument(token)), of.method == providers.Card
			},
			Unasked: func() (currency.Amount, error) {
				s.PayByHand(7_00, "usd")
				return usd("7.00"), nil
			},
			Keyed: func(secrets ...string) (providers.Provider, error) {
				return stripe.New(config(s, c, kept, func(cfg *stripe.Config) { cfg.WebhookSecrets = secrets }))
			},
			Sign: func(d providers.Delivery, secret string) providers.Delivery {
				d.Header = stripetest.Sign(d.ReceivedAt, d.Body, secret)
				return d
			},
			Deliveries: s.Deliveries,
			Forge: func(d providers.Delivery) providers.Delivery {
				d.Header = stripetest.Sign(d.ReceivedAt, d.Body, "whsec_another")
				return d
			},
			Unknown: func() providers.Delivery {
				body := []byte(`{"id":"evt_1","object":"event","type":"weather.changed","api_version":"2025-05-28.basil","data":{"object":{"id":"sky_1","object":"sky"}}}`)
				return providers.Delivery{Header: stripetest.Sign(c.read(), body, secret), Body: body, ReceivedAt: c.read()}
			},
			Secrets: []string{s.Key(), secret, "_secret_stripetest"},
		}
	}}
}

func TestStripeConforms(t *testing.T) {
	for _, of := range runs {
		t.Run(of.name, func(t *testing.T) { providertest.Run(t, harness(of)) })
	}
}
