package stripe_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
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

// mockVersion is the release of the official stripe-mock that knows the API of the library's time.
const mockVersion = "v0.195.0"

// stripeMock builds the official stripe-mock once for this machine, through the Go proxy, starts it and returns where it listens.
func stripeMock(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir() // built anew each time
	}
	dir := filepath.Join(cache, "kosh", "stripe-mock-"+mockVersion)
	program := filepath.Join(dir, "stripe-mock")
	if _, err := os.Stat(program); err != nil {
		build := exec.CommandContext(t.Context(), "go", "install", "github.com/stripe/stripe-mock@"+mockVersion)
		build.Dir = t.TempDir()
		build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod", "GOWORK=off")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Printf("KOSH-MISSING: stripe-mock: go install github.com/stripe/stripe-mock@%s (%v)\n", mockVersion, err)
			t.Skipf("stripe-mock cannot be built: %s", out)
		}
	}
	mock := exec.CommandContext(t.Context(), program, "-http-addr", "127.0.0.1:0", "-strict-version-check")
	mock.WaitDelay = 5 * time.Second
	out, err := mock.StdoutPipe()
	require.NoError(t, err)
	mock.Stderr = mock.Stdout
	require.NoError(t, mock.Start())
	t.Cleanup(func() {
		_ = mock.Process.Kill()
		_ = mock.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "address: "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the program
			return "http://" + strings.TrimSpace(address)
		}
	}
	require.Fail(t, "stripe-mock did not say where it listens")
	return ""
}

// request is one that the adapter sent.
type request struct {
	method, path, query, body string
	header                    http.Header
}

// recorder keeps what passes through.
type recorder struct {
	base http.RoundTripper
	mu   sync.Mutex
	all  []request
}

func (r *recorder) RoundTrip(q *http.Request) (*http.Response, error) {
	var body []byte
	if q.Body != nil {
		var err error
		if body, err = io.ReadAll(q.Body); err != nil {
			return nil, err
		}
		q.Body = io.NopCloser(bytes.NewReader(body))
	}
	r.mu.Lock()
	r.all = append(r.all, request{q.Method, q.URL.Path, q.URL.RawQuery, string(body), q.Header.Clone()})
	r.mu.Unlock()
	return r.base.RoundTrip(q)
}

// tour makes the adapter send every type of request that it has.
func tour(t *testing.T) []request {
	t.Helper()
	c := newClock()
	s := far(t, c)
	s.TopUp(10_000_00, "usd")
	tape := &recorder{base: s.Client().Transport}
	use := func(cfg *stripe.Config) {
		cfg.HTTPClient, cfg.ReturnURL = &http.Client{Transport: tape}, "https://app.example/wallet"
		cfg.PollFrom = c.read().Add(-time.Hour)
	}
	p := adapter(t, s, c, newState(), use)
	submit := func(op providers.Operation) providers.Report {
		op.Description = "a tour"
		r, err := p.Submit(t.Context(), op)
		require.NoError(t, err)
		for _, q := range []providers.Query{{Reference: r.Reference}, {Key: op.Key, Kind: op.Kind, SentAt: op.FirstSent}} {
			_, err := p.Lookup(t.Context(), q)
			require.NoError(t, err)
		}
		return r
	}
	for token, method := range map[string]providers.Method{
		stripetest.Card: providers.Card, "ctoken_" + stripetest.Bank: providers.Bank, stripe.TokenElements: providers.Bank,
		stripe.TokenCheckout: providers.Card, stripetest.Account: providers.Bank, stripetest.PayoutBank: providers.Bank,
	} {
		op := sample(c, providers.Link, method, token)
		op.Amount = currency.Amount{}
		submit(op)
	}
	deposit := sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.CardDisputed))
	d := submit(deposit)
	submit(sample(c, providers.Deposit, providers.Bank, s.Instrument(stripetest.Bank)))
	submit(sample(c, providers.Deposit, providers.Card, s.Instrument(stripetest.Card3DS)))
	for _, target := range []string{d.Reference, ""} {
		submit(providers.Operation{
			Key: uuid.NewString(), Kind: providers.Refund, Method: providers.Card, Amount: usd("10.00"), Target: deposit.Key, TargetReference: target,
			FirstSent: c.read(),
		})
	}
	submit(sample(c, providers.Withdrawal, providers.Bank, stripetest.Account))
	submit(sample(c, providers.Withdrawal, providers.Bank, stripetest.PayoutBank))
	submit(sample(c, providers.Withdrawal, providers.Card, stripetest.PayoutCard))
	for range 12 {
		require.NoError(t, s.RefundByHand(deposit.Key, 100))
	}
	c.pass(stripetest.DisputeAfter)
	_, err := p.Lookup(t.Context(), providers.Query{Reference: d.Reference})
	require.NoError(t, err)
	require.NoError(t, s.Sweep("usd"))
	c.pass(time.Minute)
	cursor := ""
	for {
		events, next, err := p.Poll(t.Context(), cursor, 40)
		require.NoError(t, err)
		for _, e := range events {
			q := providers.Query{Reference: e.ID}
			if e.Lookup != nil {
				q = *e.Lookup
			}
			_, err := p.Lookup(t.Context(), q)
			require.NoError(t, err)
		}
		if next == cursor {
			break
		}
		cursor = next
	}
	for cursor, done := "", false; !done; done = cursor == "" {
		var page []providers.Movement
		page, cursor, err = p.List(t.Context(), time.Time{}, c.read(), cursor, 7)
		require.NoError(t, err)
		for _, m := range page {
			if strings.HasPrefix(m.ID, "ch_") {
				_, err := p.Lookup(t.Context(), providers.Query{Reference: m.ID})
				require.NoError(t, err)
			}
		}
	}
	require.NoError(t, p.Check(t.Context()))

	// A charge of old, without an intent: the pretend Stripe has none.
	lone := &recorder{base: roundTrip(func(r *http.Request) (*http.Response, error) {
		body := `{"object":"list","data":[]}`
		if strings.HasSuffix(r.URL.Path, "/ch_1") {
			body = `{"id":"ch_1","object":"charge","status":"succeeded","disputed":true,"currency":"usd","amount":100}`
		}
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
	old := adapter(t, s, c, newState(), func(cfg *stripe.Config) { cfg.HTTPClient = &http.Client{Transport: lone} })
	_, err = old.Lookup(t.Context(), providers.Query{Reference: "ch_1"})
	require.NoError(t, err)
	return append(tape.all, lone.all...)
}

var (
	made  = regexp.MustCompile(`client\.(V1\w+)\.(\w+)\(`)
	ident = regexp.MustCompile(`^[a-z]+_[A-Za-z0-9_]+$`)
)

// TestStripeMockAcceptsEveryRequest replays on the official stripe-mock, which checks requests against Stripe's own description of
// its API, what the adapter sends; and checks that it sends every request that its code can.
func TestStripeMockAcceptsEveryRequest(t *testing.T) {
	where := stripeMock(t)
	sent := map[string]request{} // by form: one of each
	types := map[string]bool{}
	for _, q := range tour(t) {
		parts := strings.Split(strings.TrimPrefix(q.path, "/v1/"), "/")
		kind := strings.Join(parts, "/")
		if last := parts[len(parts)-1]; ident.MatchString(last) && len(parts) > 1 && last != "sessions" {
			kind = strings.Join(parts[:len(parts)-1], "/") + "/{id}"
		}
		types[q.method+" "+kind] = true
		var names []string
		for field := range strings.SplitSeq(q.query+"&"+q.body, "&") {
			name, value, _ := strings.Cut(field, "=")
			if strings.HasPrefix(name, "expand") {
				name += "=" + value
			}
			names = append(names, name)
		}
		slices.Sort(names)
		sent[q.method+" "+kind+" "+strings.Join(names, " ")] = q
	}
	// First that it does check: a request with one parameter too many, and one with a word for a number.
	for _, q := range sent {
		if q.method == http.MethodPost && strings.Contains(q.body, "amount=") {
			wrong := q
			wrong.body += "&colour=red"
			sent["wrong: an unknown parameter"] = wrong
			wrong.body = regexp.MustCompile(`amount=\d+`).ReplaceAllString(q.body, "amount=much")
			sent["wrong: a word for a number"] = wrong
			break
		}
	}
	for form, q := range sent {
		r, err := http.NewRequestWithContext(t.Context(), q.method, where+q.path+"?"+q.query, strings.NewReader(q.body))
		require.NoError(t, err)
		r.Header = q.header
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		if strings.HasPrefix(form, "wrong: ") {
			assert.Equal(t, http.StatusBadRequest, answer.StatusCode, form)
			continue
		}
		assert.Equal(t, http.StatusOK, answer.StatusCode, "%s\n%.800s", form, body)
	}
	t.Logf("stripe-mock %s took %d requests of %d types", mockVersion, len(sent)-2, len(types))
	assert.Equal(t, calls(t), types, "every call in the adapter's code is tried")
}

// calls are the requests that the adapter's code can send.
func calls(t *testing.T) map[string]bool {
	t.Helper()
	of := map[string]string{"Create": "POST %s", "List": "GET %s", "Retrieve": "GET %s/{id}", "GetByID": "GET %s/{id}"}
	paths := map[string]string{
		"V1Accounts": "accounts", "V1Balance": "balance", "V1BalanceTransactions": "balance_transactions", "V1Charges": "charges",
		"V1CheckoutSessions": "checkout/sessions", "V1Customers": "customers", "V1Disputes": "disputes", "V1Events": "events",
		"V1PaymentIntents": "payment_intents", "V1Payouts": "payouts", "V1Refunds": "refunds", "V1SetupIntents": "setup_intents",
		"V1Transfers": "transfers",
	}
	found := map[string]bool{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		code, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, m := range made.FindAllStringSubmatch(string(code), -1) {
			switch m[1] + m[2] {
			case "V1AccountsRetrieve":
				found["GET account"] = true
			case "V1BalanceRetrieve":
				found["GET balance"] = true
			default:
				require.Contains(t, of, m[2])
				found[fmt.Sprintf(of[m[2]], paths[m[1]])] = true
			}
		}
	}
	require.Greater(t, len(found), 20)
	return found
}
