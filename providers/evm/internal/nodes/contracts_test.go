package nodes

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed contracts/tokens.sol
var source string

//go:embed contracts/tokens.json
var compiled []byte

// build is what contracts/build.mjs recorded.
type build struct {
	Compiler  string            `json:"compiler"`
	Source    string            `json:"source"`
	Bytecode  string            `json:"bytecode"`
	Contracts map[string]string `json:"contracts"`
}

func contracts(t testing.TB) build {
	t.Helper()
	var b build
	require.NoError(t, json.Unmarshal(compiled, &b))
	return b
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// TestContractsAreWhatWasCompiled fails when the source was changed and not compiled, or the bytecode was changed by hand.
func TestContractsAreWhatWasCompiled(t *testing.T) {
	b := contracts(t)
	assert.Equal(t, b.Source, sum(source), "tokens.sol changed: run contracts/build.mjs")
	assert.Contains(t, source, "pragma solidity "+strings.SplitN(b.Compiler, "+", 2)[0]+";")
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(b.Contracts)) {
		parts = append(parts, name+b.Contracts[name])
	}
	assert.Equal(t, b.Bytecode, sum(strings.Join(parts, "\n")))
	assert.NotEqual(t, b.Source, sum(source+" "))
	t.Logf("solc %s, source %s, bytecode %s", b.Compiler, b.Source[:16], b.Bytecode[:16])
}
