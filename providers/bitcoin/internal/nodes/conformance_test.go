package nodes_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/providertest"
)

// pages watches the documents that give operations their addresses: writing a key into one is what makes an address.
type pages struct {
	takes  int
	fault  func() (do bool, err error)
	unread error // the answer to the next load
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

// unheard makes a call whose answer does not arrive.
func unheard(do func() (*http.Response, error)) {
	if res, err := do(); err == nil {
		_ = res.Body.Close()
	}
}

// harness plays the suite. A withdrawal talks to the node, an address to the state store: the fault waits on both ways for whichever is
// taken first.
func harness(node func(t *testing.T) bitcoin.Node) providertest.Harness {
	return providertest.Harness{Open: func(t *testing.T) *providertest.World {
		const confirmations, finality = 2, 5
		w := newWorld(t, node(t), confirmations, finality, append(repeated(200_000, 150), repeated(400_000_000, 4)...)...)
		var later time.Duration // that passed without a block
		now := func() time.Time { return w.miner.Now().Add(later) }
		w.config.Clock = now
		adapter := w.open(nil)
		guard := &pages{}
		w.state.Fault = guard.decide
		to := map[string]string{}
		kind, declines, flips, quiet := providers.Kind(""), false, 0, int64(0)
		arm := func(onWire func(do func() (*http.Response, error)) (*http.Response, error), onState func() (bool, error)) {
			w.wire.meet(func(do func() (*http.Response, error)) (*http.Response, error) {
				guard.fault = nil
				return onWire(do)
			})
			guard.fault = func() (bool, error) {
				w.wire.meet(nil)
				return onState()
			}
		}
		busy := func() { quiet = w.miner.Height() + finality + 2 }
		paid := func(key string) (int, int64) {
			outputs, units, err := w.miner.Paid(t.Context(), to[key])
			require.NoError(t, err)
			return outputs, units
		}
		operation := func(k providers.Kind) (providers.Operation, bool) {
			kind = k
			op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: providers.Chain, Member: "alice", FirstSent: now()}
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
			Provider:  adapter,
			Reopen:    func() providers.Provider { return w.open(nil) },
			Operation: operation,
			OperationIn: func(k providers.Kind, asset currency.AssetID) (providers.Operation, bool) {
				op, ok := operation(k)
				return op, ok && asset == btc.ID()
			},
			Executed: func(key string) int {
				if to[key] == "" {
					return w.made(key)
				}
				n, _ := paid(key)
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
					arm(func(do func() (*http.Response, error)) (*http.Response, error) { unheard(do); return nil, errReset },
						func() (bool, error) { return true, errReset })
				case providertest.ServerError, providertest.Garbage:
					code := map[providertest.Fault]int{providertest.ServerError: 503, providertest.Garbage: 200}[f]
					arm(func(do func() (*http.Response, error)) (*http.Response, error) {
						if act {
							unheard(do)
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
					w.wire.meet(func(do func() (*http.Response, error)) (*http.Response, error) {
						w.wire.late = append(w.wire.late, func() { unheard(do) })
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
					guard.fault, guard.unread, declines = nil, nil, false
					w.wire.meet(nil)
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
				require.NoError(t, w.miner.Mine(t.Context(), 1))
				if w.miner.Height() < quiet {
					return true
				}
				later += adapter.Describe().VisibleAfter
				return false
			},
			Moved: func(key string) (currency.Amount, bool) {
				n, units := paid(key)
				return sats(units), n > 0
			},
			Unasked: func() (currency.Amount, error) {
				busy()
				_, err := w.miner.Pay(t.Context(), bitcointest.Payment{To: w.change(3), Units: 77_000})
				return sats(77_000), err
			},
			Pay: func(address string, amount currency.Amount) error {
				busy()
				units, _ := amount.Int64()
				_, err := w.miner.Pay(t.Context(), bitcointest.Payment{To: address, Units: units})
				return err
			},
			Reorganise: func() error { busy(); return w.miner.Reorganise(t.Context(), confirmations) },
			Secrets:    []string{w.config.Node.Password},
		}
	}}
}

// made is how many addresses were made for a key, by the documents.
func (w *world) made(key string) (n int) {
	w.t.Helper()
	for page := 0; ; page++ {
		value, version, err := w.state.Load(w.t.Context(), fmt.Sprintf("addresses/%d", page))
		require.NoError(w.t, err)
		if version == 0 {
			return n
		}
		n += strings.Count(string(value), `"key":"`+key+`"`)
	}
}

// The pretend node answers as Bitcoin Core does; how btcd answers, btcd shows.
func TestConformanceOnThePretendNode(t *testing.T) {
	providertest.Run(t, harness(func(*testing.T) bitcoin.Node {
		node := bitcointest.NewNode()
		node.Core, node.FeeRate = true, "0.00002"
		return node.Endpoint()
	}))
}

func TestConformanceOnBtcd(t *testing.T) {
	providertest.Run(t, harness(func(t *testing.T) bitcoin.Node { return start(t).at }))
}
