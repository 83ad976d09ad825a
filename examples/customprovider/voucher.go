package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// method is how this money travels: providers name their own.
const method providers.Method = "voucher"

// Vouchers is a provider over a gift-card scheme: a member links a card by its code, tops up from it, and gets a top-up back
// onto it. It keeps nothing: the scheme knows every operation by kosh's key.
type Vouchers struct {
	url    string
	secret func() string // a func prints as an address
	client *http.Client
}

// NewVouchers talks to the scheme at a URL.
func NewVouchers(base, secret string) *Vouchers {
	return &Vouchers{url: base, secret: func() string { return secret }, client: &http.Client{Timeout: 10 * time.Second}}
}

// Describe says what the scheme does, and within what bounds.
func (v *Vouchers) Describe() providers.Descriptor {
	cent, most := currency.MustNew(1, currency.USD), currency.MustParse("2000.00", currency.USD)
	return providers.Descriptor{
		Name: "vouchers", KeyRetention: 24 * time.Hour, VisibleAfter: 10 * time.Second,
		Offers: []providers.Offer{
			{Kind: providers.Link, Method: method},
			{Kind: providers.Deposit, Method: method, Asset: "USD", Min: cent, Max: most, Step: cent, Exponent: 2},
			{Kind: providers.Refund, Method: method, Asset: "USD", Min: cent, Max: most, Step: cent, Exponent: 2},
		},
	}
}

// request and answer are the scheme's own words.
type (
	request struct {
		Do    string `json:"do"` // link, redeem, refund
		Card  string `json:"card,omitempty"`
		Of    string `json:"of,omitempty"` // the scheme's id of what is refunded
		Cents int64  `json:"cents,omitempty"`
	}
	answer struct {
		ID     string    `json:"id"`
		Key    string    `json:"key"`
		Do     string    `json:"do"`
		Status string    `json:"status"` // done, declined
		Code   string    `json:"code"`
		Card   string    `json:"card"`
		Last4  string    `json:"last4"`
		Cents  int64     `json:"cents"`
		At     time.Time `json:"at"`
	}
)

var words = map[providers.Kind]string{providers.Link: "link", providers.Deposit: "redeem", providers.Refund: "refund"}

// Submit asks the scheme once, under the key it is given.
func (v *Vouchers) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := errors.Join(ctx.Err(), op.Validate(), v.Describe().Supports(op)); err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	cents, _ := op.Amount.Int64() // Max is far below; a link has none
	body, err := json.Marshal(request{Do: words[op.Kind], Card: op.Instrument, Of: op.TargetReference, Cents: cents})
	if err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	// net/http sends a request again by itself when it has an Idempotency-Key and a body that can be read twice. Adapters
	// never send twice, so this one hides that its body can.
	once := struct{ io.Reader }{bytes.NewReader(body)}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.url+"/operations", once)
	if err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	r.Header.Set("Idempotency-Key", op.Key)
	return v.ask(r)
}

// Lookup asks what became of an operation.
func (v *Vouchers) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	what := url.Values{"key": {q.Key}, "id": {q.Reference}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+"/operations?"+what.Encode(), http.NoBody)
	if err != nil {
		return providers.Report{}, err
	}
	return v.ask(r)
}

// ask sends a request and reads the answer. Every line of it says what is known about the far side.
func (v *Vouchers) ask(r *http.Request) (providers.Report, error) {
	r.Header.Set("Authorization", "Bearer "+v.secret())
	response, err := v.client.Do(r)
	if err != nil {
		if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "dial" {
			return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err} // there was no connection to send on
		}
		return providers.Report{}, &providers.Error{Err: err} // Maybe
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
		var a answer
		if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&a); err != nil {
			return providers.Report{}, &providers.Error{Err: errors.New("the answer cannot be read")}
		}
		return v.report(a)
	case http.StatusNotFound:
		return providers.Report{}, fmt.Errorf("vouchers: %w", providers.ErrNotFound)
	case http.StatusConflict: // the key stands for something else
		return providers.Report{}, &providers.Error{Certainty: providers.Duplicate, Code: "key_in_use"}
	case http.StatusBadRequest: // the scheme remembers it under the key, and would say the same again
		return providers.Report{}, &providers.Error{Certainty: providers.Rejected, Code: "bad_request"}
	case http.StatusTooManyRequests:
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Code: "rate_limit", RetryAfter: time.Second}
	default:
		return providers.Report{}, &providers.Error{Err: fmt.Errorf("status %d", response.StatusCode)} // Maybe
	}
}

// report turns what the scheme says into facts.
func (v *Vouchers) report(a answer) (providers.Report, error) {
	r := providers.Report{Key: a.Key, Reference: a.ID, State: providers.Succeeded, Final: true, At: a.At}
	for kind, word := range words {
		if word == a.Do {
			r.Kind = kind
		}
	}
	units := a.Cents
	if r.Kind == providers.Refund {
		units = -units // it leaves our balance
	}
	switch {
	case a.Status == "declined":
		r.State = providers.Failed
		r.Reason = providers.Reason{Code: cmp.Or(a.Code, "declined"), Public: "The gift card was not accepted."}
	case a.Status != "done" || r.Kind == "":
		return providers.Report{}, &providers.Error{Err: errors.New("the answer makes no sense")}
	case r.Kind == providers.Link:
		r.Instrument = &providers.Instrument{Token: a.Card, Method: method, Label: "Gift card •• " + a.Last4, Last4: a.Last4}
	default:
		r.Effects = []providers.Effect{{ID: a.ID, Kind: providers.Moved, Amount: currency.MustNew(units, currency.USD), At: a.At}}
	}
	return r, r.Validate()
}
