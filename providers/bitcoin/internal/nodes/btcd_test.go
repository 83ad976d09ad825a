package nodes_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
)

// version is that of go.mod: the cached program is named after it.
const version = "v0.26.2"

// build makes the node once, and keeps it for all later runs.
var build = sync.OnceValues(func() (program string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	program = filepath.Join(cache, "kosh", "btcd-"+version)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	fresh := program + "." + strconv.Itoa(os.Getpid())
	cmd := exec.Command("go", "build", "-trimpath", "-o", fresh, "github.com/btcsuite/btcd")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return program, os.Rename(fresh, program)
})

// btcd is a node of its own in regression-test mode, on the loopback interface, without peers.
type btcd struct {
	t       *testing.T
	program string
	args    []string
	at      bitcoin.Node
	cmd     *exec.Cmd
}

// start starts a node, or skips the test where it cannot be built.
func start(t *testing.T) *btcd {
	t.Helper()
	program, err := build()
	if err != nil {
		fmt.Println("KOSH-MISSING: btcd " + version + ": the Go module proxy, to build it from (once): " + err.Error())
		t.Skip("no btcd")
	}
	dir := t.TempDir()
	address := "127.0.0.1:" + freePort(t)
	n := &btcd{
		t: t, program: program,
		args: []string{
			"--regtest", "--configfile=" + filepath.Join(dir, "none"), "--datadir=" + dir, "--logdir=" + dir, "--debuglevel=error",
			"--rpclisten=" + address, "--notls", "--rpcuser=kosh", "--rpcpass=regtest", "--rpcmaxclients=1000", "--rpcmaxconcurrentreqs=1000",
			"--nolisten", "--nodnsseed", "--nocfilters", "--utxocachemaxsize=10",
		},
		at: bitcoin.Node{URL: "http://" + address, User: "kosh", Password: "regtest"},
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "none"), nil, 0o600))
	n.run()
	t.Cleanup(n.stop)
	return n
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port
}

// run starts the program and waits until it answers.
func (n *btcd) run() {
	n.t.Helper()
	n.cmd = exec.Command(n.program, n.args...)
	require.NoError(n.t, n.cmd.Start())
	ctx, cancel := context.WithTimeout(n.t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for bitcointest.Ping(ctx, n.at) != nil {
		select {
		case <-ctx.Done():
			n.t.Fatal("btcd does not answer")
		case <-tick.C:
		}
	}
}

func (n *btcd) stop() {
	if n.cmd.ProcessState == nil {
		_ = n.cmd.Process.Signal(os.Interrupt)
		_ = n.cmd.Wait()
	}
}

// restart empties it: in this mode it begins anew.
func (n *btcd) restart() {
	n.stop()
	n.run()
}
