package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/koshpay/kosh/providers/bitcoin/bitcointest"
	"github.com/koshpay/kosh/providers/evm/evmtest"
)

// chainID is that of development chains.
const chainID = 31337

// world is everything outside the app: two chains and a clock.
type world struct {
	ctx     context.Context
	ether   ground
	bitcoin *bitcointest.Node
	miner   *bitcointest.Miner
	now     time.Time
	close   func()
}

// ground is a development chain: the pretend one, or anvil.
type ground interface {
	URL() string
	Token() string // contract of a token; empty: there is none
	Endow(treasury string) error
	Pay(token, to string, units *big.Int) error
	Mine(n int) error
	Balance(token, address string) (*big.Int, error)
	Somebody() string // an address of nobody that we know
}

// newWorld starts the chains. ANVIL, if it is set, is the URL of a running anvil, which takes the place of the pretend Ethereum.
func newWorld(ctx context.Context, anvil string) (*world, error) {
	w := &world{ctx: ctx, now: time.Date(2030, 1, 7, 9, 0, 0, 0, time.UTC), close: func() {}}
	switch {
	case anvil == "":
		node, err := evmtest.New(evmtest.Options{ChainID: chainID, Start: w.now}) //nolint:contextcheck // a server of its own, which close ends
		if err != nil {
			return nil, err
		}
		w.ether, w.close = &pretend{Node: node, token: node.Deploy(evmtest.NoReturn)}, node.Close
	case isURL(anvil):
		w.ether = &development{url: anvil}
	default:
		return nil, fmt.Errorf("ANVIL is no URL: %q", anvil)
	}
	w.bitcoin = bitcointest.NewNode()
	var err error
	w.miner, err = bitcointest.NewMiner(ctx, w.bitcoin.Endpoint())
	return w, err
}

func (w *world) clock() time.Time { return w.now }

// pass makes a block on each chain, and passes some time.
func (w *world) pass() error {
	w.now = w.now.Add(10 * time.Minute)
	return errors.Join(w.ether.Mine(1), w.miner.Mine(w.ctx, 1))
}

// pretend is the pretend Ethereum, in this process.
type pretend struct {
	*evmtest.Node
	token string
}

func (p *pretend) Token() string    { return strings.ToLower(p.token) }
func (p *pretend) Somebody() string { return p.Address() }
func (p *pretend) Mine(n int) error { p.Node.Mine(n); return nil }

func (p *pretend) Endow(treasury string) error { return p.Fund(treasury, big.NewInt(1e18)) }

func (p *pretend) Pay(token, to string, units *big.Int) error {
	_, err := p.Node.Pay(evmtest.Payment{To: to, Token: token, Units: units})
	return err
}

// development is anvil, which has rich accounts of its own.
type development struct{ url string }

func (d *development) URL() string      { return d.url }
func (d *development) Token() string    { return "" }
func (d *development) Somebody() string { return "0x00000000000000000000000000000000c0ffee01" }

func (d *development) Endow(treasury string) error {
	return d.ask(nil, "anvil_setBalance", treasury, "0xde0b6b3a7640000")
}

func (d *development) Pay(_, to string, units *big.Int) error {
	var rich []string
	if err := d.ask(&rich, "eth_accounts"); err != nil {
		return err
	}
	if len(rich) == 0 {
		return errors.New("the development chain has no accounts")
	}
	return d.ask(nil, "eth_sendTransaction", map[string]string{"from": rich[0], "to": to, "value": fmt.Sprintf("0x%x", units)})
}

func (d *development) Mine(n int) error { return d.ask(nil, "anvil_mine", fmt.Sprintf("0x%x", n)) }

func (d *development) Balance(_, address string) (*big.Int, error) {
	var text string
	if err := d.ask(&text, "eth_getBalance", address, "latest"); err != nil {
		return nil, err
	}
	n, ok := new(big.Int).SetString(strings.TrimPrefix(text, "0x"), 16)
	if !ok {
		return nil, fmt.Errorf("not a balance: %q", text)
	}
	return n, nil
}

func (d *development) ask(result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, d.url, bytes.NewReader(body)) //nolint:gosec // the URL is that of whoever runs the example
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r) //nolint:gosec // likewise
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	var got struct {
		Result json.RawMessage           `json:"result"`
		Error  *struct{ Message string } `json:"error"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil {
		return err
	}
	if got.Error != nil {
		return fmt.Errorf("%s: %s", method, got.Error.Message)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(got.Result, result)
}
