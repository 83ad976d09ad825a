package bitcointest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"github.com/koshpay/kosh/providers/bitcoin"
)

// Node is a pretend node. It is safe for concurrent use. Its JSON-RPC is an http.Handler; [Node.Endpoint] reaches it without a network.
type Node struct {
	// Core makes it answer as Bitcoin Core does, in codes and statuses, where that differs from btcd.
	Core bool
	// FeeRate is what it estimates, in whole coins for 1000 virtual bytes, such as 0.0001; "": it has no estimate.
	FeeRate json.Number

	mu    sync.Mutex
	chain *chain
	pool  pool
}

// NewNode makes a node that has the first block of the regression-test network and nothing else.
func NewNode() *Node { return newNode(&chaincfg.RegressionNetParams) }

// NewStranger makes a node of another network.
func NewStranger() *Node { return newNode(&chaincfg.SimNetParams) }

func newNode(params *chaincfg.Params) *Node {
	return &Node{chain: newChain(params.GenesisBlock), pool: pool{}}
}

// Endpoint is how package bitcoin and a Miner reach the node.
func (n *Node) Endpoint() bitcoin.Node {
	return bitcoin.Node{URL: "http://node.invalid", User: "kosh", Password: "pretend", Client: &http.Client{Transport: inProcess{n}}}
}

// inProcess calls a handler as if over a network.
type inProcess struct{ h http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// Forget drops all transactions that wait, as a restart does.
func (n *Node) Forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pool = pool{}
}

// answer is a result or an error of JSON-RPC.
type answer struct {
	Result any       `json:"result"`
	Error  *rpcError `json:"error"`
	ID     any       `json:"id"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// ServeHTTP implements http.Handler.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var call struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
		ID     any               `json:"id"`
	}
	if err != nil || json.Unmarshal(body, &call) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	a := answer{ID: call.ID}
	n.mu.Lock()
	a.Result, a.Error = n.do(call.Method, call.Params)
	n.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if a.Error != nil && n.Core {
		w.WriteHeader(http.StatusInternalServerError)
	}
	_ = json.NewEncoder(w).Encode(a)
}

func (n *Node) do(method string, params []json.RawMessage) (any, *rpcError) {
	text, number := "", int64(0)
	if len(params) > 0 && json.Unmarshal(params[0], &text) != nil && json.Unmarshal(params[0], &number) != nil {
		return nil, &rpcError{-32602, "invalid parameter"}
	}
	switch method {
	case "getblockcount":
		return n.chain.height(), nil
	case "getblockhash":
		if number < 0 || number > n.chain.height() {
			return nil, &rpcError{map[bool]int{true: -8, false: -1}[n.Core], "Block number out of range"}
		}
		return n.chain.best[number].String(), nil
	case "getblock":
		return n.getBlock(text)
	case "submitblock":
		return n.submitBlock(text)
	case "getrawmempool":
		return n.pool.ids(), nil
	case "getrawtransaction":
		return n.getRawTransaction(text)
	case "sendrawtransaction":
		return n.send(text)
	case "estimatesmartfee":
		if !n.Core {
			break
		}
		if n.FeeRate == "" {
			return map[string]any{"errors": []string{"Insufficient data or no feerate found"}, "blocks": 0}, nil
		}
		return map[string]any{"feerate": n.FeeRate, "blocks": number}, nil
	case "estimatefee":
		if n.Core {
			break
		}
		if n.FeeRate == "" {
			return nil, &rpcError{-1, "not enough blocks have been observed"}
		}
		return n.FeeRate, nil
	}
	return nil, &rpcError{-32601, "Method not found"}
}

func (n *Node) getBlock(hash string) (any, *rpcError) {
	h, err := chainhash.NewHashFromStr(hash)
	if err != nil || n.chain.blocks[*h] == nil {
		return nil, &rpcError{-5, "Block not found"}
	}
	return serialize(n.chain.blocks[*h].msg), nil
}

func (n *Node) submitBlock(text string) (any, *rpcError) {
	var b wire.MsgBlock
	if raw, err := hex.DecodeString(text); err != nil || b.Deserialize(bytes.NewReader(raw)) != nil {
		return nil, &rpcError{-22, "Block decode failed"}
	}
	left, err := n.chain.add(&b)
	if err != nil {
		return "rejected: " + err.Error(), nil
	}
	// What a block has does not wait any more, nor what conflicts with it. What was in blocks that were left waits again.
	for _, tx := range left {
		n.pool[tx.TxHash()] = tx
	}
	n.pool.prune(n.chain)
	return nil, nil
}

func (n *Node) getRawTransaction(txid string) (any, *rpcError) {
	h, err := chainhash.NewHashFromStr(txid)
	if err != nil || n.pool[*h] == nil {
		return nil, &rpcError{-5, "No such mempool transaction. Use -txindex to enable blockchain transaction queries."}
	}
	return serialize(n.pool[*h]), nil
}

func serialize(m interface{ Serialize(w io.Writer) error }) string {
	var b bytes.Buffer
	_ = m.Serialize(&b) // into memory
	return hex.EncodeToString(b.Bytes())
}
