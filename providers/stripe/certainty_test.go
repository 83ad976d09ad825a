package stripe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

// answers makes an adapter whose far side gives one answer, whatever is asked.
func answers(t *testing.T, status int, header http.Header, body string) *stripe.Provider {
	t.Helper()
	c := newClock()
	s := far(t, c)
	return adapter(t, s, c, newState(), func(cfg *stripe.Config) {
		cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if header == nil {
				header = http.Header{}
			}
			return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestCertaintyOfAnswers(t *testing.T) {
	problem := func(kind, code string) string {
		return fmt.Sprintf(`{"error":{"type":%q,"code":%q,"message":"sk_test_stripetest says no; seti_1_secret_x"}}`, kind, code)
	}
	for _, tt := range []struct {
		name    string
		status  int
		body    string
		attempt int
		want    providers.Certainty
		code    string
		text    string
	}{
		{"bad request", 400, problem("invalid_request_error", "parameter_invalid_integer"), 0, providers.Rejected, "parameter_invalid_integer", "400"},
		{"bad request again", 400, problem("invalid_request_error", "parameter_invalid_integer"), 1, providers.Rejected, "parameter_invalid_integer", "400"},
		{"no balance", 400, problem("invalid_request_error", "balance_insufficient"), 0, providers.Rejected, "balance_insufficient", ""},
		{"no balance for the second attempt", 400, problem("invalid_request_error", "balance_insufficient"), 1, providers.Maybe, "balance_insufficient", ""},
		{"other parameters", 400, problem("idempotency_error", ""), 0, providers.Duplicate, "idempotency_error", ""},
		{"wrong key", 401, problem("invalid_request_error", ""), 0, providers.NotSent, "invalid_request_error", "put the account's current one into Config.Key"},
		{"declined without an intent", 402, problem("card_error", "card_declined"), 0, providers.Rejected, "card_declined", ""},
		{"no permission", 403, problem("invalid_request_error", "more_permissions_required"), 1, providers.NotSent, "more_permissions_required", "permission"},
		{"no such customer", 404, problem("invalid_request_error", "resource_missing"), 0, providers.Rejected, "resource_missing", ""},
		{"key in use", 409, problem("idempotency_error", "idempotency_key_in_use"), 0, providers.Maybe, "idempotency_key_in_use", "same key is running"},
		{"rate limit", 429, problem("invalid_request_error", "rate_limit"), 0, providers.NotSent, "rate_limit", "nothing was executed"},
		{"locked", 429, problem("invalid_request_error", "lock_timeout"), 0, providers.NotSent, "lock_timeout", ""},
		{"server error", 500, problem("api_error", ""), 0, providers.Maybe, "api_error", "500"},
		{"server error in another form", 502, "<html>", 0, providers.Maybe, "", ""},
		{"error of a type unknown", 400, problem("quantum_error", ""), 0, providers.Maybe, "quantum_error", ""},
		{"403 of something in between", 403, `{"error":{}}`, 0, providers.Maybe, "403", ""},
		{"400 of something in between", 400, "Bad Request", 0, providers.Maybe, "", ""},
		{"429 of something in between", 429, "slow down", 0, providers.Maybe, "", ""},
		{"an empty object", 200, "{}", 0, providers.Maybe, "", "cannot be read"},
		{"another object", 200, `{"id":"po_1","object":"payout"}`, 0, providers.Maybe, "", "cannot be read"},
		{"another operation's intent", 200, `{"id":"pi_1","object":"payment_intent","status":"processing","metadata":{"kosh_key":"other"}}`, 0, providers.Maybe, "", "another operation's"},
		{"a status unknown", 200, `{"id":"pi_1","object":"payment_intent","status":"dancing"}`, 0, providers.Maybe, "", "dancing"},
		{"a redirect", 307, "", 0, providers.Maybe, "", ""},
		{"no content", 200, "", 0, providers.Maybe, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := answers(t, tt.status, http.Header{"Retry-After": {"7"}, "Location": {"http://127.0.0.1:1/"}}, tt.body)
			op := sample(newClock(), providers.Deposit, providers.Card, "cus_1/pm_1")
			op.Attempt = tt.attempt
			_, err := p.Submit(t.Context(), op)
			detail, ok := errors.AsType[*providers.Error](err)
			require.True(t, ok, "%v", err)
			assert.Equal(t, tt.want, detail.Certainty, "%v", err)
			assert.Equal(t, tt.code, detail.Code, "%v", err)
			assert.Contains(t, err.Error(), tt.text)
			if tt.status == http.StatusTooManyRequests && tt.code != "" {
				assert.Equal(t, 7*time.Second, detail.RetryAfter)
			}
			for _, secret := range []string{"sk_test_stripetest", "_secret_", secret} {
				for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
					assert.NotContains(t, fmt.Sprintf(verb, err), secret)
				}
			}
		})
	}
}

func TestCertaintyOfConnections(t *testing.T) {
	c := newClock()
	s := far(t, c)
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + closed.Addr().String()
	require.NoError(t, closed.Close())
	ended, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		change func(*stripe.Config)
		want   providers.Certainty
		is     error
	}{
		{"nobody listens", t.Context(), func(cfg *stripe.Config) { cfg.BaseURL, cfg.HTTPClient = nobody, &http.Client{} }, providers.NotSent, nil},
		{"ended before", ended, func(*stripe.Config) {}, providers.NotSent, context.DeadlineExceeded},
		{"ended while waiting", t.Context(), fails(context.Canceled), providers.Maybe, context.Canceled},
		{"reset", t.Context(), fails(&net.OpError{Op: "read", Err: errors.New("reset by peer")}), providers.Maybe, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := adapter(t, s, c, newState(), tt.change)
			_, err := p.Submit(tt.ctx, sample(c, providers.Deposit, providers.Card, "cus_1/pm_1"))
			require.Error(t, err)
			assert.Equal(t, tt.want, providers.CertaintyOf(err), "%v", err)
			if tt.is != nil {
				assert.ErrorIs(t, err, tt.is)
			}
		})
	}
	assert.Zero(t, s.Requests())
}

func fails(err error) func(*stripe.Config) {
	return func(cfg *stripe.Config) {
		cfg.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })}
	}
}

// A kept connection that the far side closes is what makes net/http send a request with an Idempotency-Key again, and the library's
// own retries are on unless they are switched off.
func TestOneSubmitIsOneRequest(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	card := s.Instrument(stripetest.Card)
	for _, f := range []stripetest.Fault{
		stripetest.LostRequest, stripetest.LostResponse, stripetest.ServerError, stripetest.ServerError, stripetest.Garbage, stripetest.StoredError,
		stripetest.TooManyRequests,
	} {
		_, err := p.Submit(t.Context(), sample(c, providers.Deposit, providers.Card, card)) // warms a connection
		require.NoError(t, err)
		before := s.Requests()
		s.Script(f)
		_, err = p.Submit(t.Context(), sample(c, providers.Deposit, providers.Card, card))
		require.Error(t, err, f)
		assert.Equal(t, 1, s.Requests()-before, "fault %d", f)
	}
}

// A key must not follow a redirect, whoever sends it.
func TestRedirectsAreNotFollowed(t *testing.T) {
	c := newClock()
	s := far(t, c)
	asked := 0
	p := adapter(t, s, c, newState(), func(cfg *stripe.Config) {
		cfg.HTTPClient = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			return &http.Response{
				StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: http.NoBody, Request: r,
			}, nil
		})}
	})
	_, err := p.Lookup(t.Context(), providers.Query{Reference: "re_1"})
	require.Error(t, err)
	assert.NotErrorIs(t, err, providers.ErrNotFound)
	assert.Equal(t, 1, asked)
}

// The library logs what Stripe answers to standard error unless it is told not to.
func TestNothingIsLogged(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	before := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = before }()
	for _, status := range []int{400, 401, 402, 500} {
		p := answers(t, status, nil, `{"error":{"type":"invalid_request_error","message":"sk_live_x"}}`)
		_, err := p.Submit(t.Context(), sample(newClock(), providers.Deposit, providers.Card, "cus_1/pm_1"))
		require.Error(t, err)
	}
	os.Stderr = before
	require.NoError(t, file.Close())
	logged, err := os.ReadFile(file.Name())
	require.NoError(t, err)
	assert.Empty(t, string(logged))
}

func TestAStored500IsFoundByLookingUp(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card))
	s.Script(stripetest.StoredError)
	for range 2 {
		_, err := p.Submit(t.Context(), op)
		require.Equal(t, providers.Maybe, providers.CertaintyOf(err))
		op.Attempt++
	}
	r, err := p.Lookup(t.Context(), providers.Query{Key: op.Key, Kind: op.Kind, SentAt: op.FirstSent})
	require.NoError(t, err)
	assert.Equal(t, providers.Succeeded, r.State)
	assert.Equal(t, 1, s.Executed(op.Key))
}

func TestAKeyInUseIsMaybe(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	op := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card))
	s.Script(stripetest.Held)
	var group sync.WaitGroup
	group.Go(func() {
		r, err := p.Submit(t.Context(), op)
		assert.NoError(t, err)
		assert.Equal(t, providers.Succeeded, r.State)
	})
	for s.Requests() == 0 { // until the first request is there and waits
		_ = s.Balance("usd")
	}
	_, err := p.Submit(t.Context(), op)
	assert.Equal(t, providers.Maybe, providers.CertaintyOf(err))
	assert.ErrorContains(t, err, "idempotency_key_in_use")
	s.Release()
	group.Wait()
	assert.Equal(t, 1, s.Executed(op.Key))
}

// What the far side really executed, counted by its own books, over every fault and a worker that sends again as payments does.
func TestExecutedOnceUnderEveryFault(t *testing.T) {
	c := newClock()
	s := far(t, c)
	s.TopUp(1_000_000_00, "usd")
	kept := newState()
	p := adapter(t, s, c, kept)
	deposit := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card))
	d, err := p.Submit(t.Context(), deposit)
	require.NoError(t, err)
	all := []stripetest.Fault{
		stripetest.Refuse, stripetest.LostRequest, stripetest.LostResponse, stripetest.ServerError, stripetest.ServerError, stripetest.StoredError,
		stripetest.Garbage, stripetest.Garbage, stripetest.TooManyRequests, stripetest.Forbidden, stripetest.LateRequest,
	}
	ops := 0
	for _, first := range all {
		for _, second := range append(all, stripetest.None) {
			for _, op := range []providers.Operation{
				sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card)),
				sample(c, providers.Deposit, providers.Bank, s.Instrument(stripetest.Bank)),
				sample(c, providers.Withdrawal, providers.Bank, stripetest.Account),
				sample(c, providers.Withdrawal, providers.Bank, stripetest.PayoutBank),
				{
					Key: uuid.NewString(), Kind: providers.Refund, Method: providers.Card, Amount: currency.MustNew(1, currency.USD),
					TargetReference: d.Reference, FirstSent: c.read(),
				},
			} {
				ops++
				s.Script(first, second)
				worker(t, p, c, op)
				require.Equal(t, 1, s.Executed(op.Key), "%s %s after %d and %d", op.Kind, op.Key, first, second)
				moved, _, _ := s.Moved(op.Key)
				if op.Method == providers.Bank && op.Kind == providers.Deposit {
					continue // it moves in days
				}
				require.Equal(t, op.Amount, currency.MustNew(moved, currency.USD))
			}
		}
	}
	t.Logf("%d operations under two faults each: every one executed exactly once", ops)
}

// worker sends, looks up and sends again by the rules of package payments.
func worker(t *testing.T, p *stripe.Provider, c *clock, op providers.Operation) {
	t.Helper()
	for range 20 {
		_, err := p.Submit(t.Context(), op)
		op.Attempt++
		if err == nil {
			return
		}
		switch providers.CertaintyOf(err) {
		case providers.NotSent:
			continue
		case providers.Rejected:
			require.NoError(t, err, "nothing here is to be rejected")
		case providers.Maybe, providers.Duplicate:
		}
		c.pass(2 * time.Minute)
		r, err := p.Lookup(t.Context(), providers.Query{Key: op.Key, Kind: op.Kind, Amount: op.Amount, SentAt: op.FirstSent})
		if err == nil {
			require.Equal(t, op.Key, r.Key)
			return
		}
		require.ErrorIs(t, err, providers.ErrNotFound)
	}
	require.Fail(t, "the worker does not come to an end")
}
