package chainworld

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"

	"github.com/koshpay/kosh/providers/evm/internal/eth"
	"github.com/koshpay/kosh/providers/providertest"
)

// secondHeader marks requests to the second endpoint.
const secondHeader = "X-Second-Endpoint"

// RoundTrip sees every request of an adapter's, and plays faults.
func (w *World) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var q struct {
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return nil, err
	}
	pass := func() (*http.Response, error) {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		return http.DefaultTransport.RoundTrip(again)
	}
	switch q.Method {
	case sendMethod:
		return w.send(q.Params[0], pass)
	case "eth_chainId":
		w.mu.Lock()
		stranger := w.stranger
		f := w.fault
		w.mu.Unlock()
		if f != nil && f.err == errPoll { //nolint:errorlint // it is this one
			w.disarm()
			return nil, errPoll
		}
		if stranger {
			return answer(200, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":"0x%x"}`, w.Chain.ChainID()+1)), nil
		}
	case "eth_getBlockByNumber":
		w.mu.Lock()
		lie := w.disagree && r.Header.Get(secondHeader) != ""
		w.mu.Unlock()
		if lie {
			return lied(pass())
		}
	}
	return pass()
}

// lied turns a block's hash into another.
func lied(r *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Body.Close() }()
	var got struct {
		Result map[string]any `json:"result"`
	}
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
		return nil, err
	}
	if got.Result != nil {
		got.Result["hash"] = eth.Keccak(fmt.Append(nil, got.Result["hash"])).String()
	}
	raw, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "result": got.Result})
	return answer(200, string(raw)), err
}

func answer(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}
}

var errPoll = errors.New("i/o timeout")

// send plays the fault that is armed.
func (w *World) send(param json.RawMessage, pass func() (*http.Response, error)) (*http.Response, error) {
	w.busy()
	var raw eth.Data
	if err := json.Unmarshal(param, &raw); err != nil {
		return nil, err
	}
	w.mu.Lock()
	f := w.fault
	w.raws = append(w.raws, raw)
	w.mu.Unlock()
	if f == nil || f.err == errPoll { //nolint:errorlint // it is this one
		w.count()
		return pass()
	}
	w.disarm()
	if errors.Is(f.err, syscall.ECONNREFUSED) {
		return nil, f.err
	}
	w.count()
	if f.later {
		w.mu.Lock()
		w.late = append(w.late, func() { _ = w.Ask(nil, sendMethod, raw) })
		w.mu.Unlock()
	}
	if f.acts {
		r, err := pass()
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	if f.err != nil {
		return nil, f.err
	}
	return answer(f.status, f.body), nil
}

func (w *World) count() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
}

// Requests counts what asks the far side to do something.
func (w *World) Requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent + w.made
}

func (w *World) disarm() {
	w.Store.Set(nil, nil)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = nil
}

// arm lets a withdrawal meet a fault on its way, and an address in the store, whichever comes first.
func (w *World) arm(f fault) {
	w.mu.Lock()
	w.fault = &f
	w.mu.Unlock()
	w.Store.Set(nil, func(key string, v []byte) (bool, error) {
		if !strings.HasPrefix(key, "op/") || !bytes.Contains(v, []byte(`"kind":"deposit_address"`)) {
			return false, nil
		}
		w.Store.Storing = nil // the store calls with its lock held
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fault = nil
		w.made++
		if f.later {
			w.late = append(w.late, func() { _ = w.Store.Put(w.Context(), key, v, 0) })
		}
		return f.acts, errors.New("i/o timeout")
	})
}

// Fault plays a fault of the conformance suite.
func (w *World) Fault(f providertest.Fault) bool {
	w.disarm()
	acts := w.Requests()%2 == 0
	switch f {
	case providertest.LostRequest:
		w.arm(fault{err: errors.New("i/o timeout")})
	case providertest.LostResponse:
		w.arm(fault{acts: true, err: errors.New("connection reset by peer")})
	case providertest.ServerError:
		w.arm(fault{acts: acts, status: 503})
	case providertest.Garbage:
		w.arm(fault{acts: acts, status: 200, body: "<html>"})
	case providertest.RateLimit:
		w.arm(fault{status: 429})
	case providertest.Refuse:
		w.arm(fault{err: fmt.Errorf("dial: %w", syscall.ECONNREFUSED)})
	case providertest.Slow:
		w.arm(fault{later: true, err: errors.New("i/o timeout")})
	case providertest.FailLookup:
		w.Store.Set(func(key string) error {
			if !strings.HasPrefix(key, "op/") {
				return nil
			}
			w.Store.Loading = nil
			return errors.New("i/o timeout")
		}, nil)
	case providertest.FailPoll:
		w.mu.Lock()
		w.fault = &fault{err: errPoll}
		w.mu.Unlock()
	case providertest.NoFault:
	default:
		return false
	}
	return true
}
