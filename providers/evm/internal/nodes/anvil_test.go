package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/evm/internal/chainworld"
	"github.com/koshpay/kosh/providers/providertest"
)

// anvilNode is anvil as a process of its own. One serves all tests; each begins with an empty chain.
type anvilNode struct {
	at string
}

const anvilID = 31337

var anvil struct {
	once    sync.Once
	at      string
	missing string
	err     error
	stop    func()
}

// TestMain ends what the tests started.
func TestMain(m *testing.M) {
	code := m.Run()
	if anvil.stop != nil {
		anvil.stop()
	}
	os.Exit(code)
}

// needAnvil starts anvil, or skips and says how to get it.
func needAnvil(t testing.TB) *anvilNode {
	t.Helper()
	anvil.once.Do(func() { anvil.at, anvil.missing, anvil.err = startAnvil(freePort(t)) })
	if anvil.missing != "" {
		fmt.Println("KOSH-MISSING: anvil: " + anvil.missing)
		t.Skip(anvil.missing)
	}
	require.NoError(t, anvil.err)
	require.NoError(t, chainworld.Ask(anvil.at, nil, "anvil_reset"))
	return &anvilNode{at: anvil.at}
}

// findAnvil returns the program, or how to get it.
func findAnvil() (path, missing string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "bash", "../../../../.ci/anvil").Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; err == nil {
		return last, ""
	} else if last != "" {
		return "", last
	}
	return "", "bash .ci/anvil says how"
}

func startAnvil(port int) (at, missing string, err error) {
	path, missing := findAnvil()
	if missing != "" {
		return "", missing, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "--host", "127.0.0.1", "--port", fmt.Sprint(port), "--no-mining", "--order", "fifo",
		"--chain-id", fmt.Sprint(anvilID), "--accounts", "1", "--silent")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		cancel()
		return "", "", err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	anvil.stop = func() {
		cancel()
		<-done //nolint:errcheck // it was killed
	}
	at = fmt.Sprintf("http://127.0.0.1:%d", port)
	ready := time.NewTimer(30 * time.Second)
	defer ready.Stop()
	for {
		if chainworld.Ask(at, nil, "eth_chainId") == nil {
			return at, "", nil
		}
		pause := time.NewTimer(20 * time.Millisecond)
		select {
		case err := <-done:
			done <- err
			return "", "", fmt.Errorf("anvil ended: %w: %s", err, output.String())
		case <-ready.C:
			return "", "", errors.New("anvil does not answer")
		case <-pause.C:
		}
	}
}

func (n *anvilNode) url() string     { return n.at }
func (n *anvilNode) chainID() uint64 { return anvilID }

func (n *anvilNode) fund(wei *big.Int, accounts ...common.Address) error {
	for _, a := range accounts {
		if err := chainworld.Ask(n.at, nil, "anvil_setBalance", a, hexutil.EncodeBig(wei)); err != nil {
			return err
		}
	}
	return nil
}

func (n *anvilNode) mine(at time.Time) error {
	if err := chainworld.Ask(n.at, nil, "evm_setNextBlockTimestamp", at.Unix()); err != nil {
		return err
	}
	return chainworld.Ask(n.at, nil, "evm_mine")
}

func (n *anvilNode) forget() error { return chainworld.Ask(n.at, nil, "anvil_dropAllTransactions") }

func (n *anvilNode) reset(height uint64) error {
	if err := n.forget(); err != nil {
		return err
	}
	var now hexutil.Uint64
	if err := chainworld.Ask(n.at, &now, "eth_blockNumber"); err != nil {
		return err
	}
	if err := chainworld.Ask(n.at, nil, "anvil_rollback", uint64(now)-height); err != nil {
		return err
	}
	return n.forget()
}

// anvilChain can be congested: its base fee can be set.
type anvilChain struct{ *chain }

func (c anvilChain) Congest() error {
	raws, order, err := c.waiting()
	if err != nil {
		return err
	}
	c.held, c.congested = raws, big.NewInt(1)
	for _, id := range order {
		var tx types.Transaction
		if err := tx.UnmarshalBinary(raws[id]); err != nil {
			return err
		}
		if tx.GasFeeCap().Cmp(c.congested) >= 0 {
			c.congested = new(big.Int).Add(tx.GasFeeCap(), big.NewInt(1))
		}
	}
	return nil
}

func (c anvilChain) Unbump() error {
	c.congested = nil
	if err := c.ask(nil, "anvil_setNextBlockBaseFeePerGas", "0x1"); err != nil {
		return err
	}
	now, order, err := c.waiting()
	if err != nil {
		return err
	}
	for _, id := range order {
		old, ok := c.held[id]
		if !ok || bytes.Equal(old, now[id]) {
			continue
		}
		var tx types.Transaction
		if err := tx.UnmarshalBinary(now[id]); err != nil {
			return err
		}
		if err := c.ask(nil, "anvil_dropTransaction", tx.Hash()); err != nil {
			return err
		}
		if err := c.ask(nil, "eth_sendRawTransaction", old); err != nil {
			return err
		}
	}
	return nil
}

func openAnvil(t *testing.T) chainworld.Chain { return anvilChain{open(t, needAnvil(t))} }

func TestAnvil(t *testing.T) {
	needAnvil(t)
	t.Run("providertest", func(t *testing.T) { providertest.Run(t, chainworld.Harness(openAnvil)) })
	t.Run("chain", func(t *testing.T) { providertest.RunChain(t, chainworld.ChainHarness(openAnvil)) })
}
