package main

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/examples/cryptolater/host"
)

// TestDays plays both days and looks for what must be there on each.
func TestDays(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, ""))
	text := out.String()
	t.Log("\n" + text)
	first, later, ok := strings.Cut(text, "== months later")
	require.True(t, ok)
	for _, word := range []string{"ETH", "USDX", "BTC"} {
		assert.NotContains(t, first, word, "the first day knows dollars only")
	}
	assert.Contains(t, first, "bob has 6.50 USD")
	for _, line := range []string{
		"alice has 30.00 USD, 0.01500000 TBTC, 70.000000 USDX, 1.300000000000000000 ETH",
		"bob has 6.50 USD, 0.00175000 TBTC, 5.250000 USDX, 0.140000000000000000 ETH",
		"on the chain and in the books: 75.750000 USDX",
		"books balance: yes",
	} {
		assert.Contains(t, later, line)
	}
}

// TestDaysOnAnvil plays the days on a node that others wrote: at their end the books are compared with it.
func TestDaysOnAnvil(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "bash", "../../.ci/anvil").Output()
	last := strings.TrimSpace(string(out))
	last = last[strings.LastIndex(last, "\n")+1:]
	if err != nil {
		fmt.Println("KOSH-MISSING: anvil: " + last)
		t.Skip(last)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	ctx, cancel := context.WithCancel(t.Context())
	anvil := exec.CommandContext(ctx, last, "--host", "127.0.0.1", "--port", port, "--silent")
	require.NoError(t, anvil.Start())
	t.Cleanup(func() {
		cancel()
		_ = anvil.Wait() // it was told to end
	})
	node := &development{url: "http://" + address}
	require.Eventually(t, func() bool { return node.ask(nil, "eth_chainId") == nil }, time.Minute, 20*time.Millisecond)
	var text strings.Builder
	require.NoError(t, run(t.Context(), &text, node.url))
	t.Log("\n" + text.String())
	assert.Contains(t, text.String(), "bob has 6.50 USD, 0.00175000 TBTC, 0.140000000000000000 ETH")
	assert.Contains(t, text.String(), "books balance: yes")
}

// TestHostIsTheSame: the code that serves members on both days is one function of one file, compiled once, that neither imports a
// chain nor has a word for one.
func TestHostIsTheSame(t *testing.T) {
	handle := runtime.FuncForPC(reflect.ValueOf((*host.Host).Handle).Pointer())
	file, _ := handle.FileLine(handle.Entry())
	require.True(t, strings.HasSuffix(file, "cryptolater/host/host.go"), file)

	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./host").Output()
	require.NoError(t, err)
	for _, pkg := range strings.Fields(string(out)) {
		for _, chain := range []string{"providers/evm", "providers/bitcoin", "providers/hdkey", "decred", "btcsuite", "x/crypto/sha3"} {
			assert.NotContains(t, pkg, chain, "the host links a chain")
		}
	}
	out, err = exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "kosh/providers/evm\n", "the test looks at what the program links")

	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	assert.Empty(t, words(source))
	sample, err := parser.ParseFile(token.NewFileSet(), "a.go", `package a; var bitcoinRate, walletETH = "ether", 1`, parser.SkipObjectResolution)
	require.NoError(t, err)
	assert.Len(t, words(sample), 3, "the test can fail")
}

// words are the identifiers and texts that speak of a chain.
func words(f *ast.File) (found []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		text := ""
		switch n := n.(type) {
		case *ast.Ident:
			text = n.Name
		case *ast.BasicLit:
			text = n.Value
		}
		for _, word := range []string{"crypto", "ether", "bitcoin", "btc", "erc20", "usdx", "chain", "wei", "gas", "satoshi", "eip155"} {
			if strings.Contains(strings.ToLower(text), word) || strings.Contains(text, "ETH") {
				found = append(found, text)
				break
			}
		}
		return true
	})
	return found
}

func TestRefusesNonsense(t *testing.T) {
	var out strings.Builder
	require.ErrorContains(t, run(t.Context(), &out, "not a url"), "ANVIL")
	require.Error(t, run(t.Context(), &out, "http://127.0.0.1:1"), "nobody answers there")
}
