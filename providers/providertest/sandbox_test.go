package providertest_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
	"github.com/koshpay/kosh/providers/sandbox"
)

var eth = currency.MustDefine(currency.Info{ID: "eip155:1/slip44:60", Code: "ETH", Name: "Ether", Scale: 18, Kind: currency.Crypto})

// grain has as many decimals as ether, and moves like money; token has them too, but not on its wire.
var (
	grain = currency.MustDefine(currency.Info{ID: "app:kosh-suite/grain", Code: "GRAIN", Name: "Grain", Scale: 18, Kind: currency.Virtual})
	token = currency.MustDefine(currency.Info{
		ID: "eip155:1/erc20:0x00000000000000000000000000000000000000bb", Code: "TOK", Name: "Token", Scale: 18, Kind: currency.Crypto,
	})
)

// assets are those that a method is tried with, the sample's first.
func assets(m providers.Method) []currency.Asset {
	if m == providers.Chain {
		return []currency.Asset{eth, token}
	}
	all := []currency.Asset{currency.USD, currency.JPY, currency.KWD, grain}
	if ugx, ok := currency.Lookup("UGX"); ok {
		all = append(all, ugx)
	}
	return all
}

// terms are bounds as far sides have them.
func terms(o providers.Offer) providers.Offer {
	switch o.Asset {
	case "USD":
		o.Min, o.Max = currency.MustNew(50, currency.USD), currency.MustNew(99_999_999, currency.USD)
	case "JPY":
		o.Min = currency.MustNew(50, currency.JPY)
	case "KWD":
		o.Step = currency.MustNew(10, currency.KWD)
	case "UGX":
		o.Exponent = 2 // hundredths of what has none
	case token.ID():
		o.Exponent = 9
	}
	if o.Kind == providers.Refund {
		o.Min = currency.Amount{} // a rest may be small
	}
	return o
}

const (
	secret    = "whsec of/the+suite"
	strangers = "whsec_of_a_stranger"
)

// clock is moved by Advance while other goroutines may read it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

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

var faults = map[providertest.Fault]sandbox.Fault{
	providertest.LostRequest:  sandbox.LostRequest,
	providertest.LostResponse: sandbox.LostResponse,
	providertest.ServerError:  sandbox.ServerError,
	providertest.Garbage:      sandbox.Garbage,
	providertest.Refuse:       sandbox.Refuse,
	providertest.Reject:       sandbox.Reject,
	providertest.Decline:      sandbox.Decline,
	providertest.RateLimit:    sandbox.RateLimit,
	providertest.Slow:         sandbox.SlowRequest,
	providertest.OtherAmount:  sandbox.WrongAmount,
}

// harness runs the suite over a sandbox with one method, behind what wrap makes of it.
func harness(
	m providers.Method, wrap func(*sandbox.Sandbox) providers.Provider, change ...func(*sandbox.Config),
) providertest.Harness {
	asset, instrument := assets(m)[0], map[providers.Method]string{
		providers.Card: sandbox.TokenCard, providers.Bank: sandbox.TokenBank,
		providers.Chain: "0x00000000000000000000000000000000000000aa",
	}[m]
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		c := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		config := sandbox.Config{
			Methods: []providers.Method{m}, Assets: assets(m), Seed: 1, Clock: c.read, Secret: []byte(secret),
			CardFee: sandbox.Fee{Fixed: 30}, DisputeFee: sandbox.Fee{Fixed: 1500}, Terms: terms,
			KeyRetention: 1000 * time.Hour, // the suite lets days pass
		}
		for _, f := range change {
			f(&config)
		}
		s, err := sandbox.New(config)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Audit()) })
		d := s.Describe()
		return &providertest.World{
			Provider: wrap(s),
			Reopen:   func() providers.Provider { return wrap(s.Reconnect()) },
			Operation: func(k providers.Kind) (providers.Operation, bool) {
				op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: m, Member: "alice", FirstSent: c.read()}
				switch k {
				case providers.Deposit, providers.Withdrawal:
					op.Amount, op.Instrument = currency.MustNew(10_000, asset), instrument
				case providers.Refund:
					op.Amount = currency.MustNew(1, asset)
				case providers.DepositAddress:
					op.Asset = asset.ID()
				case providers.Link:
					op.Instrument = instrument
				case providers.Cancel:
				}
				_, ok := d.Offer(k, m, op.AssetID())
				return op, ok
			},
			Executed: s.Executed,
			Requests: s.Requests,
			Fault: func(f providertest.Fault) bool {
				fault, ok := faults[f]
				switch {
				case f == providertest.NoFault: // every submit takes one off the script
				case f == providertest.FailLookup:
					s.FailLookups(1)
				case f == providertest.FailPoll:
					s.FailPolls(1)
				case ok:
					s.Script(fault)
				default:
					return false
				}
				return true
			},
			Advance: func() bool {
				next, ok := s.NextChange()
				if !ok {
					next = c.read().Add(d.VisibleAfter)
				}
				c.set(next)
				return ok
			},
			Moved: func(key string) (currency.Amount, bool) { return moved(s, key) },
			Returned: func() (providers.Operation, bool) {
				return sample(c, providers.Deposit, m, asset, sandbox.TokenBankReturned), m == providers.Bank
			},
			Bounced: func() (providers.Operation, bool) {
				return sample(c, providers.Withdrawal, m, asset, sandbox.TokenBankBounces), m == providers.Bank
			},
			RefundFails: func() (providers.Operation, bool) {
				return sample(c, providers.Deposit, m, asset, sandbox.TokenCardRefundFails), m == providers.Card
			},
			Waiting: func() (providers.Operation, bool) {
				return sample(c, providers.Deposit, m, asset, sandbox.TokenCardAction), m == providers.Card
			},
			Answer: func(key string, approve bool) error {
				if approve {
					return s.Approve(key)
				}
				return s.Deny(key)
			},
			Disputed: func(won bool) (providers.Operation, bool) {
				token := map[bool]string{true: sandbox.TokenCardDisputeWon, false: sandbox.TokenCardDisputeLost}[won]
				return sample(c, providers.Deposit, m, asset, token), m == providers.Card
			},
			Unasked: map[bool]func() (currency.Amount, error){true: func() (currency.Amount, error) {
				a := currency.MustNew(700, asset)
				_, err := s.SendStray(m, a)
				return a, err
			}}[m != providers.Card],
			Keyed: func(secrets ...string) (providers.Provider, error) {
				if b, ok := wrap(s).(*broken); ok && b.rekey != nil {
					secrets = b.rekey(secrets)
				}
				var keys [][]byte
				for _, s := range secrets {
					keys = append(keys, []byte(s))
				}
				rekeyed, err := s.Rekeyed(keys...)
				if err != nil {
					return nil, err
				}
				return wrap(rekeyed), nil
			},
			Sign: func(d providers.Delivery, secret string) providers.Delivery {
				d.Header = sandbox.Sign([]byte(secret), d.ReceivedAt, d.Body)
				return d
			},
			Deliveries: func() []providers.Delivery { return s.Deliveries(10_000) },
			Forge: func(f providers.Delivery) providers.Delivery {
				f.Header = sandbox.Sign([]byte(strangers), f.ReceivedAt, f.Body)
				return f
			},
			Unknown: func() providers.Delivery {
				body := []byte(`{"id":"evt_1","type":"weather.changed"}`)
				return providers.Delivery{Header: sandbox.Sign([]byte(secret), c.read(), body), Body: body, ReceivedAt: c.read()}
			},
			Pay: func(address string, amount currency.Amount) error {
				_, err := s.SendTo(address, amount)
				return err
			},
			Reorganise: map[bool]func() error{true: func() error { return s.Reorganise(3) }}[m == providers.Chain],
			Secrets:    []string{secret},
		}
	}}
}

// sample is an operation with an instrument of its own.
func sample(c *clock, k providers.Kind, m providers.Method, asset currency.Asset, instrument string) providers.Operation {
	return providers.Operation{
		Key: uuid.NewString(), Kind: k, Method: m, Amount: currency.MustNew(10_000, asset), Instrument: instrument, Member: "alice",
		FirstSent: c.read(),
	}
}

// moved reads the far side's books.
func moved(s *sandbox.Sandbox, key string) (currency.Amount, bool) {
	var sum currency.Amount
	for _, record := range s.Operations() {
		for _, e := range record.Effects {
			if record.Key != key || e.Kind != providers.Moved && e.Kind != providers.Reversed {
				continue
			}
			if !sum.IsValid() {
				sum = currency.Zero(e.Amount.Asset())
			}
			next, err := sum.Add(e.Amount)
			if err != nil {
				return currency.Amount{}, false
			}
			sum = next
		}
	}
	a, err := sum.Abs()
	return a, err == nil
}

func asIs(s *sandbox.Sandbox) providers.Provider { return s }

func TestSandboxConforms(t *testing.T) {
	for _, m := range []providers.Method{providers.Card, providers.Bank, providers.Chain} {
		t.Run(string(m), func(t *testing.T) { providertest.Run(t, harness(m, asIs)) })
	}
}

// The suite must not take one way of keeping the contract for the contract.
func TestSandboxConformsWhateverItIsLike(t *testing.T) {
	card, bank, chain := providers.Card, providers.Bank, providers.Chain
	for name, tt := range map[string]struct {
		methods []providers.Method
		change  func(*sandbox.Config)
	}{
		"duplicate errors": {[]providers.Method{bank, chain}, func(c *sandbox.Config) { c.DuplicateErrors = true }},
		"hints only":       {[]providers.Method{card, bank, chain}, func(c *sandbox.Config) { c.HintsOnly = true }},
		"no keys":          {[]providers.Method{card, chain}, func(c *sandbox.Config) { c.NoKeys = true }},
		"settles cards":    {[]providers.Method{card}, func(c *sandbox.Config) { c.CardSettleAfter = 48 * time.Hour }},
		"seen at once":     {[]providers.Method{bank}, func(c *sandbox.Config) { c.VisibleAfter = -1 }},
		"another seed":     {[]providers.Method{card, bank, chain}, func(c *sandbox.Config) { c.Seed = 99 }},
	} {
		for _, m := range tt.methods {
			t.Run(name+"/"+string(m), func(t *testing.T) { providertest.Run(t, harness(m, asIs, tt.change)) })
		}
	}
}
