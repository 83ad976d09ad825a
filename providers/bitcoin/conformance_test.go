package bitcoin_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/providertest"
)

// pages watches the documents that give operations their addresses: writing a key into one is what makes an address.
type pages struct {
	last   map[string][]byte
	takes  int
	fault  func() (do bool, err error)
	unread error // the answer to the next load
	late   []func()
}

func (g *pages) decide(call, key string, value []byte) (bool, error) {
	if call == "load" {
		err := g.unread
		if err != nil && !strings.HasPrefix(key, "op/") && !strings.HasPrefix(key, "events/") {
			return true, nil
		}
		g.unread = nil
		return true, err
	}
	if !strings.HasPrefix(key, "addresses/") {
		return true, nil
	}
	g.takes++
	if g.fault == nil {
		return true, nil
	}
	fault := g.fault
	g.fault = nil
	return fault()
}

// harness plays the suite. A withdrawal talks to the node, an address to the state store: the fault waits on both ways for whichever is
// taken first.
func harness(core bool, change ...func(*bitcoin.Config)) providertest.Harness {
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		w := newWorld(t, change...)
		w.node.Core = core
		w.fund(200, 200_000)
		w.fund(4, 400_000_000)
		guard := &pages{}
		w.state.Fault = guard.decide
		to := map[string]string{}
		kind, declines, flips, quiet := providers.Kind(""), false, 0, int64(0)
		arm := func(onWire func(do func() (*http.Response, error)) (*http.Response, error), onState func() (bool, error)) {
			w.wire.once(sending, func(do func() (*http.Response, error)) (*http.Response, error) {
				guard.fault = nil
				return onWire(do)
			})
			guard.fault = func() (bool, error) {
				w.wire.fault = nil
				return onState()
			}
		}
		busy := func() {
			quiet = w.miner.Height() + finality + 2
		}
		operation := func(k providers.Kind) (providers.Operation, bool) {
			kind = k
			op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: providers.Chain, Member: "alice", FirstSent: w.now()}
			switch k {
			case providers.Withdrawal:
				op.Amount, op.Instrument = sats(10_000), w.stranger()
				if declines {
					op.Instrument = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
				}
			case providers.DepositAddress:
				op.Asset = btc.ID()
			default:
				return op, false
			}
			declines = false
			to[op.Key] = op.Instrument
			busy()
			return op, true
		}
		return &providertest.World{
			Provider:  w.p,
			Reopen:    func() providers.Provider { return w.open() },
			Operation: operation,
			OperationIn: func(k providers.Kind, asset currency.AssetID) (providers.Operation, bool) {
				op, ok := operation(k)
				return op, ok && asset == btc.ID()
			},
			Executed: func(key string) int {
				if to[key] == "" {
					return w.made(key)
				}
				n, _ := w.node.Paid(to[key])
				return n
			},
			Requests: func() int {
				w.wire.mu.Lock()
				defer w.wire.mu.Unlock()
				return w.wire.sends + guard.takes
			},
			Fault: func(f providertest.Fault) bool {
				flips++
				act := flips%2 == 0
				switch f {
				case providertest.LostRequest:
					arm(func(func() (*http.Response, error)) (*http.Response, error) { return nil, errReset },
						func() (bool, error) { return false, errReset })
				case providertest.LostResponse:
					arm(func(do func() (*http.Response, error)) (*http.Response, error) { _, _ = do(); return nil, errReset },
						func() (bool, error) { return true, errReset })
				case providertest.ServerError, providertest.Garbage:
					code := map[providertest.Fault]int{providertest.ServerError: 503, providertest.Garbage: 200}[f]
					arm(func(do func() (*http.Response, error)) (*http.Response, error) {
						if act {
							_, _ = do()
						}
						return status(code, "<html>busy</html>")
					}, func() (bool, error) { return act, errors.New("it answered 503") })
				case providertest.Refuse:
					arm(func(func() (*http.Response, error)) (*http.Response, error) { return nil, errDial },
						func() (bool, error) { return false, errDial })
				case providertest.RateLimit:
					arm(func(func() (*http.Response, error)) (*http.Response, error) { return status(429, "") },
						func() (bool, error) { return false, errors.New("slow down") })
				case providertest.Reject:
					arm(func(func() (*http.Response, error)) (*http.Response, error) {
						return status(500, `{"result":null,"error":{"code":-26,"message":"min relay fee not met"},"id":"kosh"}`)
					}, func() (bool, error) { return false, errors.New("read-only") })
				case providertest.Slow:
					if kind != providers.Withdrawal {
						return false
					}
					w.wire.once(sending, func(do func() (*http.Response, error)) (*http.Response, error) {
						w.wire.late = append(w.wire.late, func() { _, _ = do() })
						return nil, errReset
					})
				case providertest.Decline:
					if kind != providers.Withdrawal {
						return false
					}
					declines = true
				case providertest.FailLookup, providertest.FailPoll:
					guard.unread = errReset
				case providertest.NoFault:
					w.wire.fault, guard.fault, guard.unread, declines = nil, nil, nil, false
				default:
					return false
				}
				return true
			},
			Advance: func() bool {
				for _, do := range w.wire.late {
					do()
					busy()
				}
				w.wire.late = nil
				w.mine(1)
				if w.miner.Height() < quiet {
					return true
				}
				w.pass(w.p.Describe().VisibleAfter)
				return false
			},
			Moved: func(key string) (currency.Amount, bool) {
				n, units := w.node.Paid(to[key])
				return sats(units), n > 0
			},
			Unasked: func() (currency.Amount, error) {
				busy()
				_, err := w.miner.Pay(t.Context(), bitcointest.Payment{To: w.address(1, 3), Units: 77_000})
				return sats(77_000), err
			},
			Pay: func(address string, amount currency.Amount) error {
				busy()
				units, _ := amount.Int64()
				_, err := w.miner.Pay(t.Context(), bitcointest.Payment{To: address, Units: units})
				return err
			},
			Reorganise: func() error { busy(); return w.miner.Reorganise(t.Context(), confirmations) },
			Secrets:    []string{password},
		}
	}}
}

func TestConformance(t *testing.T) {
	for name, core := range map[string]bool{"as btcd answers": false, "as Bitcoin Core answers": true} {
		t.Run(name, func(t *testing.T) { providertest.Run(t, harness(core)) })
	}
}
