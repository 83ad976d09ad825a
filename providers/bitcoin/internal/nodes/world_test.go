package nodes_test

import (
	"bytes"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/bitcoin"
	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/hdkey"
	"github.com/koshpay/kosh/providers/hdkey/filesigner"
	"github.com/koshpay/kosh/providers/providertest"
)

const account = "m/84'/1'/0'"

var btc = func() currency.Asset {
	a, err := bitcoin.RegTest.Asset()
	if err != nil {
		panic(err)
	}
	return a
}()

func sats(n int64) currency.Amount { return currency.MustNew(n, btc) }

// world is a node, everybody else, and what an adapter needs.
type world struct {
	t      *testing.T
	miner  *bitcointest.Miner
	config bitcoin.Config
	state  *bitcointest.State
	signer providers.Signer
	wire   *wire
	ours   []string // addresses that a test can come to use, as many of the first branch as of the other
}

// newWorld pays coins to the first addresses of change, which nobody asked for, and lets them become final.
func newWorld(t *testing.T, at bitcoin.Node, confirmations, finality uint, coins ...int64) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{t: t, state: &bitcointest.State{}}
	var err error
	w.miner, err = bitcointest.NewMiner(ctx, at)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, filesigner.Create(path, bytes.Repeat([]byte{9}, 32)))
	signer, err := filesigner.Open(path, filesigner.Options{})
	require.NoError(t, err)
	w.signer = signer
	xpub, err := signer.Account(account)
	require.NoError(t, err)
	w.ours = addresses(xpub)
	w.wire = &wire{next: http.DefaultTransport}
	if at.Client != nil {
		w.wire.next = at.Client.Transport
	}
	at.Client = &http.Client{Transport: w.wire}
	w.config = bitcoin.Config{
		Network: bitcoin.RegTest, Node: at, XPub: xpub, Account: account, StartHeight: 1, BlocksPerCall: 1000,
		Confirmations: []bitcoin.Tier{{Confirmations: confirmations}}, Finality: finality, Clock: w.miner.Now,
		BumpAfter: 3 * bitcointest.BlockTime,
	}
	for group := range slices.Chunk(coins, 60) {
		var list []bitcointest.Payment
		for i, units := range group {
			list = append(list, bitcointest.Payment{To: w.change(i % 20), Units: units})
		}
		_, err = w.miner.Pay(ctx, list...)
		require.NoError(t, err)
	}
	require.NoError(t, w.miner.Mine(ctx, int(finality)+1))
	return w
}

// change is an address of the second branch.
func (w *world) change(i int) string { return w.ours[len(w.ours)/2+i] }

func (w *world) open(tap *providertest.Tap) *bitcoin.Provider {
	c := w.config
	c.Node.Client = &http.Client{Transport: tapped{tap, w.wire}}
	p, err := bitcoin.New(tap.State(w.state), tap.Signer(w.signer), c)
	require.NoError(w.t, err)
	return p
}

func (w *world) stranger() string {
	w.t.Helper()
	a, err := w.miner.NewAddress()
	require.NoError(w.t, err)
	return a
}

func repeated(units int64, n int) []int64 { return slices.Repeat([]int64{units}, n) }

// addresses are those of the account that a test can come to use: as many of the first branch as of the other. All tests have one account.
var addresses = func() func(xpub string) []string {
	var once sync.Once
	var list []string
	return func(xpub string) []string {
		once.Do(func() {
			root, err := hdkey.ParsePublic(xpub)
			for i := uint32(0); err == nil && i < 800; i++ {
				var key *hdkey.Public
				if key, err = root.Child(i / 400); err != nil {
					break
				}
				if key, err = key.Child(i % 400); err == nil {
					list = append(list, bitcointest.Address(key.Bytes()))
				}
			}
			if err != nil {
				panic(err)
			}
		})
		return list
	}
}()
