package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// maxAnswer bounds what is read of an answer: a full block of a busy chain is a few megabytes.
const maxAnswer = 64 << 20

// endpoint talks JSON-RPC 2.0 to one server. It never tries again.
type endpoint struct {
	name string // for errors: its place in the configuration
	post func(ctx context.Context, body []byte) (*http.Response, error)
}

// newEndpoint keeps URL and header in a closure, where nothing prints them.
func newEndpoint(client *http.Client, e Endpoint, i int) *endpoint {
	header := e.Header.Clone()
	return &endpoint{name: fmt.Sprintf("endpoint %d", i), post: func(ctx context.Context, body []byte) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, io.NopCloser(bytes.NewReader(body)))
		if err != nil {
			return nil, errors.New("the request cannot be made") // the cause quotes the URL
		}
		if header != nil {
			r.Header = header.Clone()
		}
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = int64(len(body))
		answer, err := client.Do(r)
		if detail, ok := errors.AsType[*url.Error](err); ok {
			err = detail.Err // without the URL
		}
		return answer, err
	}}
}

// rpcError is an answer that says no. Its message is the node's, shortened.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string {
	return fmt.Sprintf("the node answers %d: %s", e.Code, shorten(e.Message))
}

// says tells whether an error is an answer of the node's with one of these phrases. Nodes have codes of their own and share
// the phrases.
func says(err error, phrases ...string) bool {
	detail, ok := errors.AsType[*rpcError](err)
	if !ok {
		return false
	}
	for _, phrase := range phrases {
		if strings.Contains(strings.ToLower(detail.Message), phrase) {
			return true
		}
	}
	return false
}

func shorten(s string) string {
	const most = 200
	clean := strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
	return clean[:min(len(clean), most)]
}

type request struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type response struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *rpcError       `json:"error"`
}

// call asks one thing. A result of null leaves a pointer nil.
func (e *endpoint) call(ctx context.Context, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(request{"2.0", 1, method, params})
	if err != nil {
		return fmt.Errorf("evm: %s: %w", method, err)
	}
	raw, err := e.exchange(ctx, body)
	if err != nil {
		return fmt.Errorf("evm: %s of %s: %w", method, e.name, err)
	}
	var answer response
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("evm: %s of %s: the answer cannot be read", method, e.name)
	}
	if answer.Error != nil {
		return fmt.Errorf("evm: %s of %s: %w", method, e.name, answer.Error)
	}
	if len(answer.Result) == 0 {
		return fmt.Errorf("evm: %s of %s: the answer has no result", method, e.name)
	}
	if err := json.Unmarshal(answer.Result, result); err != nil {
		return fmt.Errorf("evm: %s of %s: the result cannot be read", method, e.name)
	}
	return nil
}

func (e *endpoint) exchange(ctx context.Context, body []byte) ([]byte, error) {
	answer, err := e.post(ctx, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %d", answer.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, errors.New("the answer broke off")
	}
	return raw, nil
}

// pick returns the first endpoint that answers, if it is on the right chain. One on another chain halts the adapter: a
// transaction signed for one chain must not meet another's history.
func (p *Provider) pick(ctx context.Context) (*endpoint, error) {
	var errs []error
	for _, e := range p.endpoints {
		var id eth.Uint64
		if err := e.call(ctx, &id, "eth_chainId"); err != nil {
			errs = append(errs, err)
			continue
		}
		if uint64(id) != p.config.ChainID {
			return nil, p.halt(ctx, fmt.Sprintf("%s is on chain %d, not %d", e.name, id, p.config.ChainID))
		}
		return e, nil
	}
	return nil, fmt.Errorf("evm: no endpoint answers: %w", errors.Join(errs...))
}

func (e *endpoint) header(ctx context.Context, at string) (*eth.Header, error) {
	var h *eth.Header
	err := e.call(ctx, &h, "eth_getBlockByNumber", at, false)
	return h, err
}

func (e *endpoint) headerAt(ctx context.Context, height uint64) (*eth.Header, error) {
	return e.header(ctx, hexNumber(height))
}

// latest returns the newest block, which every node has.
func (e *endpoint) latest(ctx context.Context) (*eth.Header, error) {
	h, err := e.header(ctx, "latest")
	if err == nil && h == nil {
		err = fmt.Errorf("evm: %s has no block", e.name)
	}
	return h, err
}

func (e *endpoint) block(ctx context.Context, height uint64) (*eth.Block, error) {
	var b *eth.Block
	err := e.call(ctx, &b, "eth_getBlockByNumber", hexNumber(height), true)
	return b, err
}

func (e *endpoint) blockByHash(ctx context.Context, h eth.Hash) (*eth.Block, error) {
	var b *eth.Block
	err := e.call(ctx, &b, "eth_getBlockByHash", h, true)
	return b, err
}

func (e *endpoint) receipt(ctx context.Context, tx eth.Hash) (*eth.Receipt, error) {
	var r *eth.Receipt
	err := e.call(ctx, &r, "eth_getTransactionReceipt", tx)
	return r, err
}

// knows tells whether the node has a transaction, waiting or mined.
func (e *endpoint) knows(ctx context.Context, tx eth.Hash) (bool, error) {
	var t *eth.BlockTx
	err := e.call(ctx, &t, "eth_getTransactionByHash", tx)
	return t != nil, err
}

// transfers returns the Transfer events of a block, of all contracts.
func (e *endpoint) transfers(ctx context.Context, block eth.Hash) ([]eth.Log, error) {
	var logs []eth.Log
	err := e.call(ctx, &logs, "eth_getLogs", map[string]any{"blockHash": block, "topics": []any{eth.TopicTransfer}})
	return logs, err
}

func (e *endpoint) nonce(ctx context.Context, a eth.Address, at string) (uint64, error) {
	var n eth.Uint64
	err := e.call(ctx, &n, "eth_getTransactionCount", a, at)
	return uint64(n), err
}

// balance is what an address holds of an asset, in smallest units.
func (e *endpoint) balance(ctx context.Context, known *asset, of eth.Address, at string) (*eth.Quantity, error) {
	if known.token == nil {
		q := new(eth.Quantity)
		return q, e.call(ctx, q, "eth_getBalance", of, at)
	}
	var data eth.Data
	call := map[string]any{"to": known.token, "data": eth.Data(eth.BalanceOf(of))}
	if err := e.call(ctx, &data, "eth_call", call, at); err != nil {
		return nil, err
	}
	q := new(eth.Quantity)
	if len(data) != 32 {
		return nil, fmt.Errorf("evm: %s answers balanceOf with %d bytes: it is no ERC-20 token", known.id, len(data))
	}
	q.SetBytes(data)
	return q, nil
}

func hexNumber(n uint64) string { return fmt.Sprintf("0x%x", n) }

// notSent says that nothing left under this attempt.
func notSent(err error) error {
	if detail, ok := errors.AsType[*providers.Error](err); ok {
		return detail
	}
	return &providers.Error{Certainty: providers.NotSent, Err: err}
}
