package providertest_test

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/providertest"
	"github.com/koshpay/kosh/providers/sandbox"
)

// sandboxChecks are the checks of chains that the sandbox' chain can play: it has no store, signer or endpoint that could fail, and
// replaces nothing, and its transactions pay one address.
var sandboxChecks = []string{
	"confirmations-count", "dust-is-called-dust", "addresses-are-distinct",
	"too-large-is-quarantined", "largest-word-is-quarantined",
	"double-spent-is-taken-back", "mined-again-is-another-effect", "orphaned-before-it-counts",
	"rescan-credits-once", "restart-credits-once", "pages-skip-nothing", "two-processes-scan",
	"withdrawal-counts", "eight-at-once", "two-processes-send", "failed-withdrawal-costs", "withdrawal-orphaned", "withdrawal-to-ourselves",
	"quote-bounds-the-fee",
}

// remembering is the sandbox as an adapter, which remembers where withdrawals went for those who ask the chain.
type remembering struct {
	*sandbox.Sandbox
	mu *sync.Mutex
	to map[string]string // address by key
}

func (r remembering) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	r.mu.Lock()
	r.to[op.Key] = op.Instrument
	r.mu.Unlock()
	return r.Sandbox.Submit(ctx, op)
}

func sandboxWorld(t *testing.T) *providertest.ChainWorld {
	t.Helper()
	const window = 6
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, err := sandbox.New(sandbox.Config{
		Methods: []providers.Method{providers.Chain}, Assets: []currency.Asset{ether, coin}, Gas: ether, NetworkFee: sandbox.Fee{Fixed: 21_000},
		Clock: func() time.Time { return now }, BlockTime: blockTime, Confirmations: wanted, Finality: window + 1,
		Dust: []currency.Amount{currency.MustNew(dust, ether)},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Audit()) })
	r, addresses := remembering{s, &sync.Mutex{}, map[string]string{}}, 0
	return &providertest.ChainWorld{
		Connect: func(*providertest.Tap) providers.Provider { return remembering{s.Reconnect(), r.mu, r.to} },
		Asset:   ether, Token: coin, Confirmations: wanted, Window: window, Now: func() time.Time { return now },
		Usual:      func(a currency.Asset) currency.Amount { return currency.MustNew(1_234_567_891, a) },
		Mine:       func(n int) error { now = now.Add(time.Duration(n) * blockTime); return nil },
		NewAddress: func() string { addresses++; return fmt.Sprintf("0x%020d", addresses) },
		Received: func(address string, a currency.Asset) (*big.Int, error) {
			sum := new(big.Int)
			for _, o := range s.Operations() {
				for _, e := range o.Effects {
					if r.to[o.Key] == address && e.Kind != providers.Fee && e.Amount.AssetID() == a.ID() {
						sum.Sub(sum, e.Amount.Big())
					}
				}
			}
			return sum, nil
		},
		Custody: func(a currency.Asset) (*big.Int, error) {
			sum := s.Balance(a).Big()
			for _, o := range s.Operations() {
				for _, q := range o.Quarantined {
					if n, ok := new(big.Int).SetString(q.Quantity, 10); ok && q.Asset == string(a.ID()) {
						sum.Add(sum, n)
					}
				}
			}
			return sum, nil
		},
		Pay: func(payments ...providertest.ChainPayment) (string, error) { // its transactions pay one address
			var more []currency.Amount
			for _, p := range payments[1:] {
				more = append(more, p.Amount)
			}
			return s.SendTo(payments[0].To, payments[0].Amount, more...)
		},
		Reorganise: s.Reorganise,
		Resume:     func(providers.Provider) error { s.Resume(); return nil },
		PayRaw: func(to string, a currency.Asset, quantity *big.Int) (string, error) {
			return s.SendRaw(to, a.ID(), quantity)
		},
		Fails: func() string { return sandbox.AddressReverts },
		Dust:  currency.MustNew(dust-1, ether),
	}
}

func TestTheSandboxChainConforms(t *testing.T) {
	checks := map[string]providertest.ChainCheck{}
	for _, c := range providertest.ChainChecks() {
		checks[c.Name] = c
	}
	h := providertest.ChainHarness{Open: sandboxWorld}
	for _, name := range sandboxChecks {
		c, ok := checks[name]
		require.True(t, ok, name)
		f := c.Inspect(t, h)
		assert.Empty(t, f.Failures, name)
		assert.Empty(t, f.Waived, name)
	}
	t.Logf("the sandbox' chain plays %d of %d checks", len(sandboxChecks), len(checks))
}
