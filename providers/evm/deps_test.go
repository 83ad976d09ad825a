package evm_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestModules keeps the promise that a host which pays in ether links a curve and a hash beyond what kosh itself brings.
func TestModules(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	require.NoError(t, err)
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	modules = slices.Compact(modules)
	t.Logf("providers/evm links %d modules: %s", len(modules), strings.Join(modules, " "))
	assert.Equal(t, []string{
		"github.com/decred/dcrd/dcrec/secp256k1/v4",
		"github.com/google/uuid",
		"github.com/koshpay/kosh",
		"github.com/koshpay/kosh/providers/evm",
		"github.com/koshpay/kosh/providers/hdkey",
		"github.com/shopspring/decimal",
		"golang.org/x/crypto",
		"golang.org/x/sys",
		"golang.org/x/text",
	}, modules)
}
