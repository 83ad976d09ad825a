package nodes_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/koshpay/kosh/providers/providertest"
)

// wire is the way to the node. The next broadcast meets the fault, if one is set; while strange is set another node answers.
type wire struct {
	next http.RoundTripper

	mu      sync.Mutex
	strange http.RoundTripper
	sends   int // broadcasts, those that met a fault included
	fault   func(do func() (*http.Response, error)) (*http.Response, error)
	late    []func()
}

// method reads the name of a call, and returns the request as it was.
func method(r *http.Request) (string, func() *http.Request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", nil, err
	}
	var call struct{ Method string }
	if err := json.Unmarshal(body, &call); err != nil {
		return "", nil, err
	}
	return call.Method, func() *http.Request {
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return again
	}, nil
}

const broadcast = "sendrawtransaction"

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	name, again, err := method(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	next, fault := w.next, w.fault
	if w.strange != nil {
		next = w.strange
	}
	if name == broadcast {
		w.sends++
		w.fault = nil
	}
	w.mu.Unlock()
	do := func() (*http.Response, error) { return next.RoundTrip(again()) }
	if name == broadcast && fault != nil {
		return fault(do)
	}
	return do()
}

func (w *wire) meet(fault func(do func() (*http.Response, error)) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = fault
}

func status(code int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

var (
	errReset = errors.New("connection reset by peer")
	errDial  = &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
)

// tapped is the way through the tap of a check.
type tapped struct {
	tap  *providertest.Tap
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w tapped) RoundTrip(r *http.Request) (res *http.Response, err error) {
	name, again, err := method(r)
	if err != nil {
		return nil, err
	}
	err = w.tap.Call(name, name == broadcast, func() error {
		if res, err = w.next.RoundTrip(again()); err != nil { //nolint:bodyclose // it is read and closed below
			return err
		}
		answer, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		res.Body = io.NopCloser(bytes.NewReader(answer))
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}
