package evmtest_test

import (
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/evm/evmtest"
)

func open(t *testing.T, o evmtest.Options) *evmtest.Node {
	t.Helper()
	n, err := evmtest.New(o)
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n
}

// ask sends a request; nil: the connection broke.
func ask(t *testing.T, url, method string, params string) (status int, answer map[string]any) {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	defer func() { require.NoError(t, r.Body.Close()) }()
	if err := json.NewDecoder(r.Body).Decode(&answer); err != nil {
		return r.StatusCode, nil
	}
	return r.StatusCode, answer
}

func TestFaultsAreMetOnce(t *testing.T) {
	n := open(t, evmtest.Options{})
	n.Fail("eth_blockNumber", evmtest.Fault{}, evmtest.Fault{Status: 503}, evmtest.Fault{Body: "<html>"})
	for _, want := range []int{0, 503, 200} {
		status, answer := ask(t, n.URL(), "eth_blockNumber", "[]")
		assert.Equal(t, want, status)
		assert.Nil(t, answer)
	}
	status, answer := ask(t, n.URL(), "eth_blockNumber", "[]")
	assert.Equal(t, 200, status)
	assert.Equal(t, "0x0", answer["result"])
	n.Fail("eth_chainId", evmtest.Fault{Status: 503})
	n.Fail("eth_chainId")
	_, answer = ask(t, n.URL(), "eth_chainId", "[]")
	assert.Equal(t, "0x7a69", answer["result"], "a fault can be dropped")
	n.Stranger(true)
	_, answer = ask(t, n.URL(), "eth_chainId", "[]")
	assert.Equal(t, "0x7a6a", answer["result"])
}

func TestReorganisationAndDoubleSpend(t *testing.T) {
	n := open(t, evmtest.Options{})
	to, other := n.Address(), n.Address()
	one, err := n.Pay(evmtest.Payment{To: to, Units: big.NewInt(5)})
	require.NoError(t, err)
	two, err := n.Pay(evmtest.Payment{To: other, Units: big.NewInt(7)})
	require.NoError(t, err)
	require.Equal(t, 2, n.Waiting())
	n.Mine(2)
	require.ErrorIs(t, n.Reorganise(9), evmtest.ErrScenario)
	require.ErrorIs(t, n.Reorganise(1, one), evmtest.ErrScenario, "it is not in the last block")
	require.NoError(t, n.Reorganise(2, one))
	require.Equal(t, uint64(3), n.Height())
	_, mined := n.MinedAt(two)
	require.False(t, mined, "it waits again")
	n.Mine(1)
	height, mined := n.MinedAt(two)
	require.True(t, mined)
	require.Equal(t, uint64(4), height)
	_, mined = n.MinedAt(one)
	require.False(t, mined, "its money was spent elsewhere")
	held, err := n.Balance("", to)
	require.NoError(t, err)
	require.Zero(t, held.Sign())
}

func TestTokensOfEveryKind(t *testing.T) {
	n := open(t, evmtest.Options{Instant: true})
	for kind, want := range map[evmtest.Kind]int64{
		evmtest.Plain: 100, evmtest.NoReturn: 100, evmtest.TakesFee: 99, evmtest.Liar: 99, evmtest.ReturnsFalse: 0,
	} {
		token, to := n.Deploy(kind), n.Address()
		_, err := n.Pay(evmtest.Payment{To: to, Token: token, Units: big.NewInt(100)})
		require.NoError(t, err)
		held, err := n.Balance(token, to)
		require.NoError(t, err)
		assert.Equal(t, want, held.Int64(), kind)
	}
	_, err := n.Balance(n.Address(), n.Address())
	require.ErrorIs(t, err, evmtest.ErrScenario)
	_, err = n.Pay(evmtest.Payment{To: "alice", Units: big.NewInt(1)})
	require.Error(t, err)
	_, answer := ask(t, n.URL(), "eth_sendRawTransaction", `["0x02c0"]`)
	require.NotNil(t, answer["error"])
}
