package ach

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
)

// faultOnce makes the next call that fits meet a fault.
func (m *memory) faultOnce(op, prefix string, done bool, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = func(o, key string) (bool, error) {
		if o != op || !strings.HasPrefix(key, prefix) {
			return true, nil
		}
		m.fault = nil
		return done, errors.New(text)
	}
}

// harness plays the suite. What Submit talks to is the state store: writing a key into its page is what accepts an operation.
// From there to the bank nothing is submitted, only carried.
func harness(configure func(*Config)) providertest.Harness {
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		w := newWorld(t, configure)
		good, number := w.linked()
		closed, _ := w.linked()
		bouncing, bouncingNumber := w.linked()
		refusing, refusingNumber := w.linked()
		w.bank.returns[bouncingNumber], w.bank.returns[refusingNumber] = "R01", "R23"
		if _, err := providers.ChangeState(t.Context(), w.p.state, accountKey(closed), func(a *account, _ bool) error { a.Blocked = "R02"; return nil }); err != nil {
			t.Fatal(err)
		}
		declines, flips := false, 0
		usd := currency.MustNew(10_000, currency.USD)
		return &providertest.World{
			Provider: w.p,
			Reopen:   func() providers.Provider { return w.open() },
			Operation: func(k providers.Kind) (providers.Operation, bool) {
				op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: providers.Bank, Member: "alice", FirstSent: w.clock.read()}
				switch k {
				case providers.Deposit, providers.Withdrawal:
					op.Amount, op.Instrument = usd, good
					if declines {
						op.Instrument = closed
					}
				case providers.Link:
					op.Instrument, _ = w.added()
					if declines {
						op.Instrument = good
					}
				case providers.Cancel:
				default:
					return op, false
				}
				declines = false
				return op, true
			},
			Executed: func(key string) int {
				var o operation
				if _, err := providers.LoadState(t.Context(), w.p.state, opKey(key), &o); err != nil {
					t.Fatal(err)
				}
				if o.Kind == providers.Link { // made once, by one entry, by three or by none
					ok, err := w.p.accepted(t.Context(), key, o)
					if n := w.bank.executed(key) + w.queued(key); err != nil || n > len(o.Parts) {
						t.Fatalf("%d entries for a link, err %v", n, err)
					}
					return map[bool]int{true: 1}[ok && o.Failed == nil]
				}
				return w.bank.executed(key) + w.queued(key)
			},
			Requests: func() int {
				w.state.mu.Lock()
				defer w.state.mu.Unlock()
				return w.state.appends
			},
			Fault: func(f providertest.Fault) bool {
				flips++
				switch f {
				case providertest.LostRequest:
					w.state.faultOnce("store", "page/", false, "i/o timeout")
				case providertest.LostResponse:
					w.state.faultOnce("store", "page/", true, "connection reset by peer")
				case providertest.ServerError:
					w.state.faultOnce("store", "page/", flips%2 == 0, "the server answered 503")
				case providertest.Garbage:
					w.state.faultOnce("store", "page/", flips%2 == 0, "invalid character '<' looking for beginning of value")
				case providertest.Slow:
					w.state.slow("page/")
				case providertest.FailLookup, providertest.Refuse, providertest.RateLimit:
					w.state.faultOnce("load", "op/", false, "connection refused")
				case providertest.FailPoll:
					w.state.faultOnce("load", "events/", false, "connection refused")
				case providertest.NoFault:
					w.state.mu.Lock()
					defer w.state.mu.Unlock()
					w.state.fault, declines = nil, false
				case providertest.Decline:
					declines = true
				default:
					return false
				}
				return true
			},
			Advance: w.advance,
			Returned: func() (providers.Operation, bool) {
				return w.payment(providers.Deposit, bouncing, 10_000), true
			},
			Bounced: func() (providers.Operation, bool) {
				return w.payment(providers.Withdrawal, refusing, 10_000), true
			},
			Moved:   w.bank.moved,
			Secrets: []string{number, bouncingNumber, string(secretKey)},
		}
	}}
}

// moved is what the bank's books say of a key.
func (b *bank) moved(key string) (currency.Amount, bool) {
	sum, any := currency.Zero(currency.USD), false
	for _, e := range b.entries {
		if strings.TrimSpace(e.detail.IdentificationNumber) == ident(key) && e.detail.Amount != 0 {
			var err error
			if sum, err = sum.Add(currency.MustNew(int64(e.detail.Amount), currency.USD)); err != nil {
				b.t.Fatal(err)
			}
			any = true
		}
	}
	return sum, any
}

func TestConformance(t *testing.T) {
	for _, v := range []Verification{Prenote, MicroDeposits, ByHost} {
		for _, acknowledged := range []bool{false, true} {
			if acknowledged && v != ByHost {
				continue
			}
			t.Run(fmt.Sprintf("%s, acknowledged %v", []string{"prenote", "micro-deposits", "by host"}[v], acknowledged), func(t *testing.T) {
				providertest.Run(t, harness(func(c *Config) { c.Verification, c.Acknowledged = v, acknowledged }))
			})
		}
	}
}
