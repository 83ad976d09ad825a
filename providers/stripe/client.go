package stripe

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/currency"
)

// newClient makes a client of the official library that does one request a call and writes no log: its errors quote what
// Stripe says, and hosts keep logs.
func newClient(c Config) *api.Client {
	http := *c.HTTPClient
	http.Transport = once{http.Transport}
	http.CheckRedirect = noRedirect
	return api.NewClient(c.Key, api.WithBackends(api.NewBackendsWithConfig(&api.BackendConfig{
		HTTPClient: &http, URL: api.String(c.BaseURL), MaxNetworkRetries: api.Int64(0), EnableTelemetry: api.Bool(false),
		LeveledLogger: &api.LeveledLogger{Level: api.LevelNull},
	})))
}

// maxAnswer bounds an answer's body; a page of a hundred objects is well below.
const maxAnswer = 32 << 20

// once sends a request once. An Idempotency-Key makes net/http believe that it may send a request again by itself when a
// kept connection breaks; without GetBody it cannot. The attempt that the worker recorded is then the only one.
type once struct{ base http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	base := o.base
	if base == nil {
		base = http.DefaultTransport
	}
	if r.Method != http.MethodGet {
		r = r.Clone(r.Context())
		r.GetBody = nil
	}
	answer, err := base.RoundTrip(r)
	if err == nil {
		answer.Body = limited{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

type limited struct {
	io.Reader
	io.Closer
}

// noRedirect leaves a redirect as the answer: it is none of Stripe's, so it is garbage, and a key must not follow it.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// errAnswer is an answer that arrived whole and makes no sense.
var errAnswer = errors.New("stripe: the answer cannot be read")

// amount reads a wire amount.
func amount(units int64, code api.Currency) (currency.Amount, error) {
	id := currency.AssetID(strings.ToUpper(string(code)))
	d, ok := currency.Lookup(id)
	if !ok {
		return currency.Amount{}, fmt.Errorf("%w: %w", errAnswer, currency.ErrUnknownAsset)
	}
	a, err := currency.FromMinor(units, exponent(id), d)
	if err != nil {
		return currency.Amount{}, fmt.Errorf("%w: %w", errAnswer, err)
	}
	return a, nil
}

// wire writes an amount, which Supports has admitted.
func wire(a currency.Amount) (units *int64, code *string, err error) {
	minor, err := a.Minor(exponent(a.AssetID()))
	if err != nil {
		return nil, nil, err
	}
	if !minor.IsInt64() {
		return nil, nil, currency.ErrOverflow
	}
	return api.Int64(minor.Int64()), api.String(strings.ToLower(string(a.AssetID()))), nil
}

// moment reads Unix seconds; 0 is no time.
func moment(unix int64) time.Time {
	if unix <= 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}
