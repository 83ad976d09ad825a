package nodes

import (
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	gethnode "github.com/ethereum/go-ethereum/node"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
	"github.com/koshpay/kosh/providers/providertest"
)

// simulatedNode is go-ethereum in this process, over HTTP.
type simulatedNode struct {
	*simulated.Backend
	at string
}

const simulatedID = 1337

func newSimulated(t testing.TB) *simulatedNode {
	t.Helper()
	_, accounts := testKeys(t)
	alloc := types.GenesisAlloc{}
	for _, a := range accounts {
		alloc[a] = types.Account{Balance: new(big.Int).Lsh(big.NewInt(1), 200)}
	}
	port := freePort(t)
	backend := simulated.NewBackend(alloc, func(n *gethnode.Config, _ *ethconfig.Config) {
		n.HTTPHost, n.HTTPPort, n.HTTPModules = "127.0.0.1", port, []string{"eth", "txpool", "net"}
	})
	t.Cleanup(func() { require.NoError(t, backend.Close()) })
	return &simulatedNode{backend, fmt.Sprintf("http://127.0.0.1:%d", port)}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	address, ok := l.Addr().(*net.TCPAddr)
	require.True(t, ok)
	return address.Port
}

func (n *simulatedNode) url() string     { return n.at }
func (n *simulatedNode) chainID() uint64 { return simulatedID }

func (n *simulatedNode) fund(*big.Int, ...common.Address) error { return nil } // they have it from the beginning

func (n *simulatedNode) mine(time.Time) error {
	n.Commit()
	return nil
}

func (n *simulatedNode) forget() error {
	n.Rollback()
	return nil
}

func (n *simulatedNode) reset(height uint64) error {
	var b struct {
		Hash common.Hash `json:"hash"`
	}
	if err := chainworld.Ask(n.at, &b, "eth_getBlockByNumber", fmt.Sprintf("0x%x", height), false); err != nil {
		return err
	}
	n.Rollback()
	if err := n.Fork(b.Hash); err != nil {
		return err
	}
	// The pool takes the transactions of the old branch back in, and must not.
	n.Rollback()
	return nil
}

func openSimulated(t *testing.T) chainworld.Chain { return open(t, newSimulated(t)) }

func TestSimulated(t *testing.T) {
	t.Run("providertest", func(t *testing.T) { providertest.Run(t, chainworld.Harness(openSimulated)) })
	t.Run("chain", func(t *testing.T) { providertest.RunChain(t, chainworld.ChainHarness(openSimulated)) })
}
