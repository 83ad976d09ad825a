package nodes_test

import (
	"math/big"
	"testing"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/providertest"
)

// chainWorld is what the suite of chains plays with. forget makes the node forget what waits.
func chainWorld(t *testing.T, at bitcoin.Node, forget func(w *world) error) *providertest.ChainWorld {
	t.Helper()
	const confirmations, finality = 3, 6
	// Sixty coins, each enough for two of the usual withdrawals.
	w := newWorld(t, at, confirmations, finality, repeated(3_000_000, 60)...)
	ctx, miner := t.Context(), w.miner
	stranger := bitcointest.NewStranger().Endpoint().Client.Transport
	units := func(addresses ...string) (*big.Int, error) {
		n, err := miner.Received(ctx, addresses...)
		return big.NewInt(n), err
	}
	return &providertest.ChainWorld{
		Connect: func(tap *providertest.Tap) providers.Provider { return w.open(tap) },
		Asset:   btc, Usual: func(currency.Asset) currency.Amount { return sats(1_234_567) },
		Confirmations: confirmations, Window: finality - 1, Now: miner.Now,
		Mine:       func(n int) error { return miner.Mine(ctx, n) },
		NewAddress: w.stranger,
		Received:   func(to string, _ currency.Asset) (*big.Int, error) { return units(to) },
		Custody:    func(currency.Asset) (*big.Int, error) { return units(w.ours...) },
		Pay: func(payments ...providertest.ChainPayment) (string, error) {
			var list []bitcointest.Payment
			for _, p := range payments {
				n, _ := p.Amount.Int64()
				list = append(list, bitcointest.Payment{To: p.To, Units: n})
			}
			return miner.Pay(ctx, list...)
		},
		Reorganise: func(depth int, drop ...string) error { return miner.Reorganise(ctx, depth, drop...) },
		Resume:     func(p providers.Provider) error { return p.(*bitcoin.Provider).Resume(ctx) },
		Dust:       sats(700),
		Congest:    func() error { return miner.Withhold(ctx) },
		Bump:       func(p providers.Provider) error { return p.(*bitcoin.Provider).Bump(ctx) },
		Unbump:     func() error { miner.Release(); return nil },
		Forget:     func() error { return forget(w) },
		Stranger: func(on bool) error {
			w.wire.mu.Lock()
			defer w.wire.mu.Unlock()
			if w.wire.strange = nil; on {
				w.wire.strange = stranger
			}
			return nil
		},
	}
}

func TestChainOnThePretendNode(t *testing.T) {
	providertest.RunChain(t, providertest.ChainHarness{Open: func(t *testing.T) *providertest.ChainWorld {
		node := bitcointest.NewNode()
		node.Core = true
		return chainWorld(t, node.Endpoint(), func(*world) error { node.Forget(); return nil })
	}})
}

func TestChainOnBtcd(t *testing.T) {
	providertest.RunChain(t, providertest.ChainHarness{Open: func(t *testing.T) *providertest.ChainWorld {
		node := start(t)
		return chainWorld(t, node.at, func(w *world) error {
			return w.miner.Restart(t.Context(), func() error { node.restart(); return nil }) // btcd in this mode empties its database
		})
	}})
}
