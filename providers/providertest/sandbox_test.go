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

const secret = "whsec_of_the_suite"

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
}

// harness runs the suite over a sandbox with one method, behind what wrap makes of it.
func harness(m providers.Method, wrap func(*sandbox.Sandbox) providers.Provider) providertest.Harness {
	asset, instrument := currency.Asset(currency.USD), map[providers.Method]string{
		providers.Card: sandbox.TokenCard, providers.Bank: sandbox.TokenBank,
		providers.Chain: "0x00000000000000000000000000000000000000aa",
	}[m]
	if m == providers.Chain {
		asset = eth
	}
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		c := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		s, err := sandbox.New(sandbox.Config{
			Methods: []providers.Method{m}, Assets: []currency.Asset{asset}, Seed: 1, Clock: c.read, Secret: []byte(secret),
			CardFee:      sandbox.Fee{Fixed: 30},
			KeyRetention: 1000 * time.Hour, // the suite lets days pass
		})
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
				if f == providertest.FailLookup {
					s.FailLookups(1)
					return true
				}
				s.Script(faults[f])
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
			Returned: func() (providers.Operation, bool) {
				return providers.Operation{
					Key: uuid.NewString(), Kind: providers.Deposit, Method: m, Amount: currency.MustNew(10_000, asset),
					Instrument: sandbox.TokenBankReturned, FirstSent: c.read(),
				}, m == providers.Bank
			},
			Deliveries: func() []providers.Delivery { return s.Deliveries(10_000) },
			Forge: func(f providers.Delivery) providers.Delivery {
				f.Header = sandbox.Sign([]byte("another secret"), f.ReceivedAt, f.Body)
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

func asIs(s *sandbox.Sandbox) providers.Provider { return s }

func TestSandboxConforms(t *testing.T) {
	for _, m := range []providers.Method{providers.Card, providers.Bank, providers.Chain} {
		t.Run(string(m), func(t *testing.T) { providertest.Run(t, harness(m, asIs)) })
	}
}
