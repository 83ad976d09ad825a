package bitcoin_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	msg "github.com/btcsuite/btcd/wire/v2"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
)

// A node that answers with something else than it was asked for is not believed, and nothing is stored of it.
func TestLies(t *testing.T) {
	result := func(v any) string {
		b, err := json.Marshal(map[string]any{"result": v, "error": nil, "id": "kosh"})
		require.NoError(t, err)
		return string(b)
	}
	w := newWorld(t)
	w.polled(w.p)
	w.deposit(500_000)
	w.mine(1)
	// The block that comes next, with a transaction of it doubled and one replaced.
	old, err := w.miner.Tip(t.Context())
	require.NoError(t, err)
	honest := w.ask("getblock", old, 0)
	changed := func(change func(b *msg.MsgBlock)) string {
		raw, err := hex.DecodeString(honest)
		require.NoError(t, err)
		var b msg.MsgBlock
		require.NoError(t, b.Deserialize(bytes.NewReader(raw)))
		change(&b)
		var out bytes.Buffer
		require.NoError(t, b.Serialize(&out))
		return hex.EncodeToString(out.Bytes())
	}
	for what, lie := range map[string]struct{ method, answer string }{
		"a richer payment":        {"getblock", result(changed(func(b *msg.MsgBlock) { b.Transactions[1].TxOut[0].Value *= 10 }))},
		"a transaction twice":     {"getblock", result(changed(func(b *msg.MsgBlock) { b.Transactions = append(b.Transactions, b.Transactions[1]) }))},
		"no transactions":         {"getblock", result(changed(func(b *msg.MsgBlock) { b.Transactions = b.Transactions[:1] }))},
		"another header":          {"getblock", result(changed(func(b *msg.MsgBlock) { b.Header.Nonce++ }))},
		"no block":                {"getblock", result("00")},
		"no hexadecimal":          {"getblock", result("zz")},
		"a number for a block":    {"getblock", result(7)},
		"no hash":                 {"getblockhash", result("abc")},
		"a text for a height":     {"getblockcount", result("131")},
		"a result and an error":   {"getblockcount", `{"result":500,"error":{"code":-1,"message":"x"},"id":1}`},
		"nothing":                 {"getblockcount", `{"result":null,"error":null,"id":1}`},
		"an answer without end":   {"getblock", `{"result":"` + strings.Repeat("0", 17<<20) + `"}`},
		"something else entirely": {"getblockhash", `<html>`},
	} {
		t.Run(what, func(t *testing.T) {
			w.wire.once(func(method string) bool { return method == lie.method }, func(func() (*http.Response, error)) (*http.Response, error) {
				return status(200, lie.answer)
			})
			before, version, err := w.state.Load(t.Context(), "scan")
			require.NoError(t, err)
			_, _, err = w.p.Poll(t.Context(), "", 10)
			require.Error(t, err)
			require.NotErrorIs(t, err, providers.ErrHalted)
			after, now, err := w.state.Load(t.Context(), "scan")
			require.NoError(t, err)
			require.Equal(t, version, now)
			require.Equal(t, before, after)
		})
	}
	w.conserved()
}

// ask asks the pretend node directly.
func (w *world) ask(method string, params ...any) (text string) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"method": method, "params": params})
	require.NoError(w.t, err)
	endpoint := w.node.Endpoint()
	res, err := endpoint.Client.Post(endpoint.URL, "application/json", bytes.NewReader(body))
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, res.Body.Close()) }()
	var answer struct{ Result string }
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&answer))
	return answer.Result
}

// The answers of nodes to a broadcast, each as it is written down in what was seen of btcd and in Bitcoin Core's manual.
func TestAnswersToABroadcast(t *testing.T) {
	for what, tt := range map[string]struct {
		status  int
		code    int
		message string
		sent    bool
		want    string // the code
	}{
		"btcd has it in its pool":    {200, -26, "TX rejected: already have transaction in mempool 00", true, ""},
		"btcd has it in a block":     {200, -27, "TX rejected: transaction already exists in blockchain", true, ""},
		"Core has it in its pool":    {500, -26, "txn-already-in-mempool", true, ""},
		"Core has it in a block":     {500, -27, "Transaction outputs already in utxo set", true, ""},
		"Core knows its witness":     {500, -26, "txn-already-known", true, ""},
		"btcd misses an input":       {200, -25, "TX rejected: orphan transaction 00 references outputs of unknown or fully-spent transaction 11", false, "inputs_spent"},
		"Core misses an input":       {500, -25, "bad-txns-inputs-missingorspent", false, "inputs_spent"},
		"the fee is too low":         {500, -26, "min relay fee not met, 141 < 282", false, "refused_by_node"},
		"the node is starting":       {500, -28, "Loading block index…", false, "refused_by_node"},
		"a code that nobody has yet": {200, -1234, "?", false, "refused_by_node"},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.fund(1, 1_000_000)
			w.wire.once(func(method string) bool { return method == "sendrawtransaction" }, func(func() (*http.Response, error)) (*http.Response, error) {
				b, err := json.Marshal(map[string]any{"result": nil, "error": map[string]any{"code": tt.code, "message": tt.message}})
				require.NoError(t, err)
				return status(tt.status, string(b))
			})
			op := w.withdrawal(100_000)
			r, err := w.p.Submit(t.Context(), op)
			if tt.sent {
				require.NoError(t, err)
				require.Equal(t, providers.Pending, r.State)
				return
			}
			require.Equal(t, providers.Maybe, providers.CertaintyOf(err))
			detail, ok := errors.AsType[*providers.Error](err)
			require.True(t, ok)
			require.Equal(t, tt.want, detail.Code)
			again, err := w.p.Submit(t.Context(), op)
			require.NoError(t, err)
			require.Equal(t, providers.Pending, again.State)
			w.conserved()
		})
	}
}

// Three processes read one chain while it is reorganised again and again and money comes and goes: nothing is missed, nothing counted twice.
func TestManyProcesses(t *testing.T) {
	w := newWorld(t)
	w.fund(40, 300_000)
	var adapters []*bitcoin.Provider
	for range 3 {
		adapters = append(adapters, w.open())
	}
	address := w.lookup(providers.Query{Key: w.newAddress()}).Address
	var payees []string
	for round := range 12 {
		_, err := w.miner.Pay(t.Context(), bitcointest.Payment{To: address, Units: int64(10_000 + round)}, bitcointest.Payment{To: address, Units: 20_000})
		require.NoError(t, err)
		var group sync.WaitGroup
		problems := make(chan error, 100)
		for i, p := range adapters {
			op := w.withdrawal(int64(5000 + 10*round + i))
			payees = append(payees, op.Instrument)
			group.Go(func() {
				if _, err := p.Submit(t.Context(), op); err != nil {
					problems <- err
				}
			})
			group.Go(func() {
				for range 4 {
					if _, _, err := p.Poll(t.Context(), "", 10); err != nil {
						problems <- err
					}
				}
			})
		}
		group.Go(func() {
			if err := w.miner.Mine(t.Context(), 1+round%3); err != nil {
				problems <- err
			}
			if round%2 == 1 {
				if err := w.miner.Reorganise(t.Context(), 1+round%4); err != nil {
					problems <- err
				}
			}
		})
		group.Wait()
		close(problems)
		for err := range problems {
			require.NoError(t, err)
		}
	}
	w.conserved()
	for i, to := range payees {
		got, err := w.miner.Received(t.Context(), to)
		require.NoError(t, err)
		require.Equal(t, int64(5000+10*(i/3)+i%3), got)
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	usd := currency.MustNew(100, currency.USD)
	for what, change := range map[string]func(*bitcoin.Config){
		"no network":                func(c *bitcoin.Config) { c.Network = "bip122:00" },
		"no node":                   func(c *bitcoin.Config) { c.Node.URL = "" },
		"a password in the URL":     func(c *bitcoin.Config) { c.Node.URL = "http://u:secret@localhost" },
		"a scheme that is not HTTP": func(c *bitcoin.Config) { c.Node.URL = "ws://localhost" },
		"a private key": func(c *bitcoin.Config) {
			c.XPub = "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
		},
		"no account":                   func(c *bitcoin.Config) { c.Account = "" },
		"a negative height":            func(c *bitcoin.Config) { c.StartHeight = -1 },
		"dust in dollars":              func(c *bitcoin.Config) { c.Dust = usd },
		"a minimum that nobody relays": func(c *bitcoin.Config) { c.MinWithdrawal = sats(545) },
		"more than there can be":       func(c *bitcoin.Config) { c.MaxWithdrawal = sats(2_100_000_000_000_001) },
		"no confirmations":             func(c *bitcoin.Config) { c.Confirmations = []bitcoin.Tier{{}} },
		"more than finality":           func(c *bitcoin.Config) { c.Confirmations = []bitcoin.Tier{{Confirmations: finality + 1}} },
		"a bound on the last tier":     func(c *bitcoin.Config) { c.Confirmations = []bitcoin.Tier{{Below: sats(5), Confirmations: 1}} },
		"tiers that fall": func(c *bitcoin.Config) {
			c.Confirmations = []bitcoin.Tier{{sats(5), 1}, {sats(4), 2}, {currency.Amount{}, 3}}
		},
		"fee rates that do not rise":     func(c *bitcoin.Config) { c.MinFeeRate, c.MaxFeeRate = 5000, 4000 },
		"a fallback beyond the bounds":   func(c *bitcoin.Config) { c.FallbackFeeRate = 1 },
		"a name that is none":            func(c *bitcoin.Config) { c.Name = "Bit Coin" },
		"a target beyond what is served": func(c *bitcoin.Config) { c.FeeTarget = 2000 },
	} {
		c := w.config
		change(&c)
		_, err := bitcoin.New(w.state, w.signer, c)
		require.Error(t, err, what)
		require.NotContains(t, err.Error(), "secret", what)
		require.NotContains(t, err.Error(), "xprv9s21", what)
	}
	_, err := bitcoin.New(nil, w.signer, w.config)
	require.Error(t, err)
	_, err = bitcoin.New(w.state, nil, w.config)
	require.Error(t, err)
	text := fmt.Sprintf("%v %+v %#v %s", w.p, w.p, w.p, w.p)
	require.NotContains(t, text, password)
	require.Contains(t, text, "bitcoin.Provider(bitcoin)")
}
