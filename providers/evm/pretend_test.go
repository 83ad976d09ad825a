package evm_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/evm/evmtest"
	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
	"github.com/koshpay/kosh/providers/providertest"
)

const testChain = 31337

// pretend is the node of package evmtest as a chainworld.Chain.
type pretend struct{ node *evmtest.Node }

func newPretend(t testing.TB) pretend {
	t.Helper()
	node, err := evmtest.New(evmtest.Options{ChainID: testChain})
	require.NoError(t, err)
	t.Cleanup(node.Close)
	return pretend{node}
}

func (p pretend) URL() string        { return p.node.URL() }
func (p pretend) ChainID() uint64    { return testChain }
func (p pretend) Now() time.Time     { return p.node.Now() }
func (p pretend) Height() uint64     { return p.node.Height() }
func (p pretend) NewAddress() string { return p.node.Address() }
func (p pretend) Forget() error      { p.node.Forget(); return nil }
func (p pretend) Congest() error     { p.node.Congest(); return nil }
func (p pretend) Unbump() error      { p.node.Unbump(); return nil }

func (p pretend) Mine(n int) error {
	p.node.Mine(n)
	return nil
}

func (p pretend) Reorganise(depth int, drop ...string) error {
	return p.node.Reorganise(depth, drop...)
}

func (p pretend) Pay(payments ...chainworld.Payment) (string, error) {
	all := make([]evmtest.Payment, len(payments))
	for i, one := range payments {
		all[i] = evmtest.Payment(one)
	}
	return p.node.Pay(all...)
}

func (p pretend) PayFails(one chainworld.Payment) (string, error) {
	return p.node.PayFails(evmtest.Payment(one))
}

func (p pretend) PayFake(to string, units *big.Int) (string, error) {
	hash, _, err := p.node.PayFake(to, units)
	return hash, err
}

func (p pretend) PayInside(to string, wei *big.Int) (string, error) { return p.node.PayInside(to, wei) }

func (p pretend) Balance(token, address string) (*big.Int, error) {
	return p.node.Balance(token, address)
}

func (p pretend) Deploy(kind string) (string, error) { return p.node.Deploy(evmtest.Kind(kind)), nil }

func (p pretend) Endow(token, address string, units *big.Int) error {
	return p.node.FundToken(token, address, units)
}

func (p pretend) Trap() (string, error) { return p.node.Deploy(evmtest.Trap), nil }

func (p pretend) MinedAt(tx string) (uint64, bool) { return p.node.MinedAt(tx) }

func openPretend(t *testing.T) chainworld.Chain { return newPretend(t) }

func TestConformance(t *testing.T) { providertest.Run(t, chainworld.Harness(openPretend)) }

func TestChain(t *testing.T) { providertest.RunChain(t, chainworld.ChainHarness(openPretend)) }
