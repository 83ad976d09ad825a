package evmtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"

	"github.com/koshpay/kosh/providers/evm/internal/eth"
)

// Fault is what the next request of a method meets.
type Fault struct {
	Acts   bool   // the node does what it is asked before the fault
	Later  bool   // it does so with the next block
	Status int    // the HTTP status of the answer; 0: see Body
	Body   string // the answer; empty, and no Status: the connection breaks
}

// Fail makes the next request of a JSON-RPC method meet a fault; called again, those after it. Without faults it makes the method
// go well again.
func (n *Node) Fail(method string, faults ...Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(faults) == 0 {
		delete(n.faults, method)
		return
	}
	n.faults[method] = append(n.faults[method], faults...)
}

type request struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcError) Error() string { return e.Message }

func refuse(format string, args ...any) error { return &rpcError{-32000, fmt.Sprintf(format, args...)} }

func (n *Node) handler(second bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, "not JSON-RPC", http.StatusBadRequest)
			return
		}
		answer, fault := n.serve(q, second)
		switch {
		case fault != nil && fault.Status == 0 && fault.Body == "":
			if hijacker, ok := w.(http.Hijacker); ok {
				if connection, _, err := hijacker.Hijack(); err == nil {
					_ = connection.Close()
				}
			}
			return
		case fault != nil:
			w.WriteHeader(max(fault.Status, http.StatusOK))
			_, _ = w.Write([]byte(fault.Body))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// serve answers one request, or says which fault it meets.
func (n *Node) serve(q request, second bool) (answer map[string]any, fault *Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if q.Method == "eth_sendRawTransaction" {
		n.requests++
	}
	if waiting := n.faults[q.Method]; len(waiting) > 0 {
		fault = &waiting[0]
		n.faults[q.Method] = waiting[1:]
		if fault.Later {
			n.late = append(n.late, func() { _, _ = n.call(q, second) })
		}
		if !fault.Acts {
			return nil, fault
		}
	}
	result, err := n.call(q, second)
	answer = map[string]any{"jsonrpc": "2.0", "id": q.ID}
	if err != nil {
		detail, ok := errors.AsType[*rpcError](err)
		if !ok {
			detail = &rpcError{-32602, err.Error()}
		}
		answer["error"] = detail
		return answer, fault
	}
	answer["result"] = result
	return answer, fault
}

// params reads as many parameters as there are targets.
func (q request) params(into ...any) error {
	if len(q.Params) < len(into) {
		return refuse("missing value for required argument")
	}
	for i, v := range into {
		if err := json.Unmarshal(q.Params[i], v); err != nil {
			return fmt.Errorf("invalid argument %d: %w", i, err)
		}
	}
	return nil
}

func (n *Node) call(q request, second bool) (any, error) {
	var (
		a    eth.Address
		h    eth.Hash
		tag  string
		full bool
		raw  eth.Data
		m    message
	)
	switch q.Method {
	case "eth_chainId":
		if n.stranger {
			return eth.Uint64(n.options.ChainID + 1), nil
		}
		return eth.Uint64(n.options.ChainID), nil
	case "eth_blockNumber":
		return eth.Uint64(n.head().number), nil
	case "eth_getBlockByNumber":
		if err := q.params(&tag, &full); err != nil {
			return nil, err
		}
		b, err := n.at(tag)
		return n.showBlock(b, full, second), err
	case "eth_getBlockByHash":
		if err := q.params(&h, &full); err != nil {
			return nil, err
		}
		return n.showBlock(n.byHash[h], full, false), nil
	case "eth_getTransactionByHash":
		err := q.params(&h)
		return n.showTx(n.txs[h]), err
	case "eth_getTransactionReceipt":
		if err := q.params(&h); err != nil {
			return nil, err
		}
		if t := n.txs[h]; t != nil && t.mined != nil {
			return t.mined.rcpts[h], nil
		}
		return nil, nil //nolint:nilnil // JSON-RPC's null
	case "eth_getLogs":
		return n.getLogs(q)
	case "eth_getTransactionCount", "eth_getBalance":
		if err := q.params(&a, &tag); err != nil {
			return nil, err
		}
		b, err := n.at(tag)
		if err != nil || b == nil {
			return nil, errors.Join(err, refuse("header not found"))
		}
		if q.Method == "eth_getBalance" {
			return eth.NewQuantity(b.state.of(ether, a)), nil
		}
		return eth.Uint64(b.state.nonces[a]), nil
	case "eth_call":
		if err := q.params(&m, &tag); err != nil {
			return nil, err
		}
		return n.ethCall(m, tag)
	case "eth_estimateGas":
		if err := q.params(&m); err != nil {
			return nil, err
		}
		return n.estimate(m)
	case "eth_maxPriorityFeePerGas":
		return eth.NewQuantity(big.NewInt(1_000_000_000)), nil
	case "eth_sendRawTransaction":
		if err := q.params(&raw); err != nil {
			return nil, err
		}
		return n.send(raw)
	}
	return nil, &rpcError{-32601, "the method " + q.Method + " does not exist/is not available"}
}

type message struct {
	From  eth.Address   `json:"from"`
	To    eth.Address   `json:"to"`
	Value *eth.Quantity `json:"value"`
	Data  eth.Data      `json:"data"`
}

// at finds a block by its tag; nil above the newest.
func (n *Node) at(tag string) (*block, error) {
	if tag == "latest" || tag == "pending" {
		return n.head(), nil
	}
	var height eth.Uint64
	if err := height.UnmarshalText([]byte(tag)); err != nil {
		return nil, err
	}
	if uint64(height) >= uint64(len(n.blocks)) {
		return nil, nil //nolint:nilnil // JSON-RPC's null
	}
	return n.blocks[height], nil
}

func (n *Node) showBlock(b *block, full, second bool) any {
	if b == nil {
		return nil
	}
	hash := b.hash
	if second && n.disagree {
		hash = eth.Keccak(hash[:])
	}
	txs := []any{}
	for _, t := range b.txs {
		if full {
			txs = append(txs, n.showTx(t))
		} else {
			txs = append(txs, t.hash)
		}
	}
	return map[string]any{
		"number": eth.Uint64(b.number), "hash": hash, "parentHash": b.parent, "timestamp": eth.Uint64(b.time),
		"baseFeePerGas": eth.NewQuantity(b.base), "transactions": txs,
	}
}

func (n *Node) showTx(t *transaction) any {
	if t == nil {
		return nil
	}
	shown := eth.BlockTx{Hash: t.hash, From: t.from, To: &t.to, Nonce: eth.Uint64(t.nonce), Value: eth.NewQuantity(t.value)}
	if t.mined != nil {
		shown.BlockHash = &t.mined.hash
	}
	return shown
}

func (n *Node) getLogs(q request) (any, error) {
	var filter struct {
		BlockHash eth.Hash   `json:"blockHash"`
		Topics    []eth.Hash `json:"topics"`
	}
	if err := q.params(&filter); err != nil {
		return nil, err
	}
	b := n.byHash[filter.BlockHash]
	if b == nil {
		return nil, refuse("unknown block")
	}
	logs := []eth.Log{}
	for _, l := range b.logs {
		if len(filter.Topics) == 0 || l.Topics[0] == filter.Topics[0] {
			logs = append(logs, l)
		}
	}
	return logs, nil
}

func (n *Node) ethCall(m message, tag string) (any, error) {
	b, err := n.at(tag)
	if err != nil || b == nil {
		return nil, errors.Join(err, refuse("header not found"))
	}
	owner, ok := eth.ParseBalanceOf(m.Data)
	if !ok || n.kinds[m.To] == "" {
		return eth.Data{}, nil // what a call to an account without code answers
	}
	word := make([]byte, 32)
	b.state.of(m.To, owner).FillBytes(word)
	return eth.Data(word), nil
}

func (n *Node) estimate(m message) (any, error) {
	if m.Value == nil {
		m.Value = new(eth.Quantity)
	}
	s := n.head().state
	if s.of(ether, m.From).Cmp(&m.Value.Int) < 0 {
		return nil, refuse("insufficient funds for transfer")
	}
	o := n.execute(s.clone(), &transaction{from: m.From, to: m.To, value: &m.Value.Int, data: m.Data}, true)
	if !o.ok {
		return nil, &rpcError{3, "execution reverted"}
	}
	return eth.Uint64(o.gas), nil
}

// send takes a signed transaction into the pool, with the refusals of real nodes.
func (n *Node) send(raw []byte) (any, error) {
	signed, err := eth.DecodeTx(raw)
	if err != nil {
		return nil, refuse("%s", strings.TrimPrefix(err.Error(), "eth: "))
	}
	t := &transaction{
		hash: signed.Hash, from: signed.From, to: signed.To, nonce: signed.Nonce, value: signed.Value, data: signed.Data,
		gas: signed.Gas, tip: signed.Tip, maxFee: signed.MaxFee,
	}
	s := n.head().state
	switch {
	case signed.ChainID != n.options.ChainID:
		return nil, refuse("invalid sender: invalid chain id for signer")
	case n.txs[t.hash] != nil && n.txs[t.hash].mined == nil && n.waits(t.hash):
		return nil, refuse("already known")
	case t.nonce < s.nonces[t.from]:
		return nil, refuse("nonce too low: next nonce %d, tx nonce %d", s.nonces[t.from], t.nonce)
	case t.gas < gasOfEther:
		return nil, refuse("intrinsic gas too low")
	case s.of(ether, t.from).Cmp(worst(t)) < 0:
		return nil, refuse("insufficient funds for gas * price + value")
	}
	for i, other := range n.pool {
		if other.from != t.from || other.nonce != t.nonce {
			continue
		}
		if !enough(other.tip, t.tip) || !enough(other.maxFee, t.maxFee) {
			return nil, refuse("replacement transaction underpriced")
		}
		t.replaces = other
		delete(n.txs, other.hash)
		n.txs[t.hash], n.pool[i] = t, t
		return t.hash, nil
	}
	n.wait(t)
	return t.hash, nil
}

func (n *Node) waits(hash eth.Hash) bool {
	for _, t := range n.pool {
		if t.hash == hash {
			return true
		}
	}
	return false
}

// enough tells whether a price is the tenth more that a replacement needs.
func enough(old, fresh *big.Int) bool {
	least := new(big.Int).Mul(old, big.NewInt(110))
	return new(big.Int).Mul(fresh, big.NewInt(100)).Cmp(least) >= 0
}

// Executed counts the transactions that moved, or are to move, something to an address: mined or waiting, and signed by
// somebody.
func (n *Node) Executed(to string) int {
	at, err := eth.ParseAddress(to)
	if err != nil {
		return 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	see := func(t *transaction) {
		target := t.to
		if into, _, ok := eth.ParseTransfer(t.data); ok {
			target = into
		}
		if t.script == nil && target == at {
			count++
		}
	}
	for _, b := range n.blocks {
		for _, t := range b.txs {
			if b.rcpts[t.hash].Status == 1 {
				see(t)
			}
		}
	}
	for _, t := range n.pool {
		see(t)
	}
	return count
}

// MinedAt is the height of the block that a transaction is in.
func (n *Node) MinedAt(hash string) (height uint64, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range n.txs {
		if t.mined != nil && t.hash.String() == hash {
			return t.mined.number, true
		}
	}
	return 0, false
}

// Waiting is how many transactions wait for a block.
func (n *Node) Waiting() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.pool)
}
