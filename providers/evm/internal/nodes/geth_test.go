//go:build chains

package nodes

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm"
	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
)

// gethNode is geth --dev as a process of its own. It makes a block for every transaction, and none without: Pay is mined at once, and
// a block is made by a transaction of the rich account's to itself.
type gethNode struct {
	at   string
	rich common.Address
}

const gethID = 1337

// buildGeth builds the geth of the version that go.mod requires into the cache, once.
func buildGeth(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("KOSH_GETH"); path != "" {
		return path
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/ethereum/go-ethereum").Output()
	require.NoError(t, err)
	version := strings.TrimSpace(string(out))
	require.NotEmpty(t, version)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	folder := filepath.Join(cache, "kosh", "geth-"+version)
	path := filepath.Join(folder, "geth")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "install", "github.com/ethereum/go-ethereum/cmd/geth@"+version)
	cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), "GOBIN="+folder, "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

func startGeth(t *testing.T) *gethNode {
	t.Helper()
	path := buildGeth(t)
	ctx, cancel := context.WithCancel(t.Context())
	port := freePort(t)
	cmd := exec.CommandContext(ctx, path, "--dev", "--datadir", t.TempDir(), "--http", "--http.addr", "127.0.0.1", "--http.port", fmt.Sprint(port),
		"--http.api", "eth,txpool,net", "--port", "0", "--nodiscover", "--authrpc.port", fmt.Sprint(freePort(t)), "--ipcdisable", "--verbosity", "1")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was told to end
	})
	n := &gethNode{at: fmt.Sprintf("http://127.0.0.1:%d", port)}
	require.Eventually(t, func() bool {
		var accounts []common.Address
		if chainworld.Ask(n.at, &accounts, "eth_accounts") != nil || len(accounts) == 0 {
			return false
		}
		n.rich = accounts[0]
		return true
	}, time.Minute, 50*time.Millisecond)
	return n
}

func (n *gethNode) url() string     { return n.at }
func (n *gethNode) chainID() uint64 { return gethID }

// give sends ether from the rich account, and waits for its block.
func (n *gethNode) give(to common.Address, wei *big.Int) error {
	var hash common.Hash
	err := chainworld.Ask(n.at, &hash, "eth_sendTransaction", map[string]any{"from": n.rich, "to": to, "value": hexutil.EncodeBig(wei)})
	if err != nil {
		return err
	}
	return n.mined(hash)
}

// mined waits for a transaction's block, which comes by itself.
func (n *gethNode) mined(hash common.Hash) error {
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for {
		var r map[string]any
		if err := chainworld.Ask(n.at, &r, "eth_getTransactionReceipt", hash); err != nil && !strings.Contains(err.Error(), "indexing is in progress") {
			return err
		}
		if r != nil {
			return nil
		}
		pause := time.NewTimer(20 * time.Millisecond)
		select {
		case <-deadline.C:
			return fmt.Errorf("transaction %s is in no block", hash)
		case <-pause.C:
		}
	}
}

func (n *gethNode) fund(wei *big.Int, accounts ...common.Address) error {
	for _, a := range accounts[:1] { // the others pay nothing here
		if err := n.give(a, wei); err != nil {
			return err
		}
	}
	return nil
}

func (n *gethNode) mine(time.Time) error { return n.give(n.rich, big.NewInt(1)) }

func (n *gethNode) reset(uint64) error { return fmt.Errorf("geth is not reorganised") }

func (n *gethNode) forget() error { return fmt.Errorf("geth does not forget") }

// TestGeth is a life on geth: ether and a token come, count and are swept; ether and a token go out; the chain says that our addresses
// hold what the reports come to, to the unit.
func TestGeth(t *testing.T) {
	n := startGeth(t)
	c := &chain{t: t, node: n, build: contracts(t), now: startOfTime, by: map[string]spent{}, kinds: map[common.Address]string{}, instant: true}
	keys, accounts := testKeys(t)
	c.admin, c.payers = keys[0], keys[1:]
	ether := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	require.NoError(t, n.fund(new(big.Int).Mul(ether, big.NewInt(2_000_000)), accounts[0]))
	w := chainworld.New(t, c, true)
	w.Change = append(w.Change, func(c *evm.Config) {
		for i := range c.Assets {
			c.Assets[i].SweepFrom = w.Units(c.Assets[i].Asset, "0.5")
		}
	})
	p := w.Open()
	opening := map[string]*big.Int{}
	for _, a := range []string{"", chainworld.Contract(w.Token)} {
		held, err := c.Balance(a, w.Keys.Treasury.Address)
		require.NoError(t, err)
		opening[a] = held
	}
	effects := map[string]providers.Effect{}
	cursor := ""
	poll := func() {
		for {
			events, next, err := p.Poll(t.Context(), cursor, 100)
			require.NoError(t, err)
			for _, e := range events {
				for _, x := range e.Report.Effects {
					effects[x.ID] = x
				}
			}
			if cursor = next; len(events) == 0 {
				return
			}
		}
	}
	poll()
	var out []providers.Operation
	for _, asset := range []*currency.Definition{w.Ether, w.Token} {
		op, ok := w.Operation(providers.DepositAddress, asset.ID())
		require.True(t, ok)
		made, err := p.Submit(t.Context(), op)
		require.NoError(t, err)
		require.NoError(t, c.Endow(chainworld.Contract(asset), made.Address, w.Units(asset, "12.345678").Big()))
		withdrawal, ok := w.Operation(providers.Withdrawal, asset.ID())
		require.True(t, ok)
		_, err = p.Submit(t.Context(), withdrawal)
		require.NoError(t, err)
		out = append(out, withdrawal)
	}
	for range 10 * chainworld.Finality {
		require.NoError(t, c.Mine(1))
		poll()
	}
	for _, op := range out {
		r, err := p.Lookup(t.Context(), providers.Query{Key: op.Key})
		require.NoError(t, err)
		require.Equal(t, providers.Succeeded, r.State)
		require.True(t, r.Final)
		moved, ok := w.Moved(op.Key)
		require.True(t, ok)
		require.Equal(t, op.Amount, moved)
	}
	for _, asset := range []*currency.Definition{w.Ether, w.Token} {
		held, err := w.Custody(asset)
		require.NoError(t, err)
		want := new(big.Int).Set(opening[chainworld.Contract(asset)])
		for _, x := range effects {
			if x.Amount.AssetID() == asset.ID() {
				want.Add(want, x.Amount.Big())
			}
		}
		require.Zero(t, want.Cmp(held), "the chain says %s %s, the reports %s", held, asset.Code(), want)
		t.Logf("%s: %s units, %d effects", asset.Name(), held, len(effects))
	}
}
