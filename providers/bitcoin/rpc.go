package bitcoin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxAnswer bounds what a node may answer: a block of four million bytes in hexadecimal, and some.
const maxAnswer = 16 << 20

// rpcError is what the node itself says.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error describes it. The message is the node's own and repeats no secret.
func (e *rpcError) Error() string {
	return fmt.Sprintf("bitcoin: the node says %d: %s", e.Code, e.Message)
}

// The node's codes, as of Bitcoin Core and btcd.
const (
	codeNotFound       = -5 // also: no such block
	codeOutOfRange     = -8
	codeMissing        = -25 // inputs are missing or spent
	codeRefused        = -26 // by consensus or policy; btcd says so of what its pool has already
	codeKnown          = -27 // in the chain already
	codeNoMethod       = -32601
	codeBtcdOutOfRange = -1
)

func hasCode(err error, codes ...int) bool {
	e, ok := errors.AsType[*rpcError](err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

// slowDown is a request that the node put off.
type slowDown struct{ after time.Duration }

// Error says so.
func (slowDown) Error() string { return "bitcoin: the node asks to wait" }

// node speaks JSON-RPC with a node.
type node struct {
	url, user, password string
	client              *http.Client
}

func newNode(n Node) node {
	client := n.Client
	if client == nil {
		client = &http.Client{
			Timeout:       30 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	return node{n.URL, n.User, n.Password, client}
}

// call makes one request, once, and reads the result into v. An *rpcError is the node's answer; after any other error but a slowDown it may
// have done what it was asked.
func (n node) call(ctx context.Context, v any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": "kosh", "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("bitcoin: %s: %w", method, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("bitcoin: Config.Node.URL cannot be used")
	}
	req.GetBody = nil // net/http may send again what it can read again
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth(n.user, n.password)
	res, err := n.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("bitcoin: %s: %w", method, ctx.Err())
		}
		return fmt.Errorf("bitcoin: %s: no connection, or it broke", method) // whose error has the URL
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return slowDown{time.Duration(max(seconds, 0)) * time.Second}
	case err != nil:
		return fmt.Errorf("bitcoin: %s: the answer broke off", method)
	case len(answer) > maxAnswer:
		return fmt.Errorf("bitcoin: %s: an answer of more than %d bytes", method, maxAnswer)
	}
	// Bitcoin Core says with status 500 or 404 what btcd says with 200.
	var envelope struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcError       `json:"error"`
	}
	if json.Unmarshal(answer, &envelope) != nil {
		return fmt.Errorf("bitcoin: %s: status %d with an answer that cannot be read", method, res.StatusCode)
	}
	switch {
	case envelope.Error != nil && envelope.Error.Code != 0:
		return envelope.Error
	case res.StatusCode != http.StatusOK || len(envelope.Result) == 0 || string(envelope.Result) == "null":
		return fmt.Errorf("bitcoin: %s: status %d without a result", method, res.StatusCode)
	}
	if json.Unmarshal(envelope.Result, v) != nil {
		return fmt.Errorf("bitcoin: %s: a result that cannot be read", method)
	}
	return nil
}
