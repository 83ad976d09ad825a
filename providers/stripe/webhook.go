package stripe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/providers"
)

// signatureHeader carries t=<Unix seconds> and one v1=<hex HMAC-SHA256 of "t.body"> for each secret of the endpoint.
const signatureHeader = "Stripe-Signature"

// Receive implements [providers.Receiver]. Every event is a hint which operation to look up: events come twice, late and in
// any order, and their objects lack what a look-up expands. An event about an object that is of no concern here, of
// whatever type, is nothing; one about an operation is a hint even when its type is new.
func (p *Provider) Receive(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if d.ReceivedAt.IsZero() {
		d.ReceivedAt = p.config.Clock()
	}
	if err := p.verify(d); err != nil {
		return nil, err
	}
	var e notice
	if err := json.Unmarshal(d.Body, &e); err != nil || !isID(e.ID) {
		return nil, fmt.Errorf("stripe: %w: not an event", providers.ErrMalformed)
	}
	if !compatible(e.APIVersion) {
		return nil, fmt.Errorf("stripe: %w: it is of API version %q; make the webhook endpoint with version %s, which this adapter reads",
			providers.ErrMalformed, short(e.APIVersion), api.APIVersion)
	}
	events := e.hints()
	for _, hint := range events {
		if !isID(hint.Lookup.Reference) || len(hint.Lookup.Key) > providers.MaxID {
			return nil, fmt.Errorf("stripe: %w: an event about no object of Stripe's", providers.ErrMalformed)
		}
	}
	return events, nil
}

// isID tells whether s has the form of Stripe's ids.
func isID(s string) bool {
	return s != "" && len(s) <= 255 && strings.Trim(s, "0123456789_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// verify checks a delivery's signature over its raw body and then its age. The official library does too, but against the wall
// clock, and it takes several spellings of one signature; here there is one.
func (p *Provider) verify(d providers.Delivery) error {
	forged := func(why string) error { return fmt.Errorf("stripe: %w: %s", providers.ErrForged, why) }
	var stamp string
	var signatures [][]byte
	for part := range strings.SplitSeq(d.Header.Get(signatureHeader), ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			if stamp != "" {
				return forged("two times of signing")
			}
			stamp = value
		case "v1":
			if given, err := hex.DecodeString(value); err == nil && value == strings.ToLower(value) {
				signatures = append(signatures, given)
			}
		}
	}
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(signatures) == 0 {
		return forged("no readable signature")
	}
	genuine := false
	for _, secret := range p.config.WebhookSecrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(stamp + "."))
		mac.Write(d.Body)
		want := mac.Sum(nil)
		for _, given := range signatures {
			// Every pair is tried, so that the time taken does not tell which one fits.
			genuine = hmac.Equal(given, want) || genuine
		}
	}
	if !genuine {
		return forged("wrong signature")
	}
	if age := d.ReceivedAt.Sub(time.Unix(unix, 0)); age.Abs() > p.config.Tolerance+time.Second {
		return forged("signed at another time")
	}
	return nil
}

// compatible tells whether objects of an API version have the form that this adapter was compiled for: versions of one
// release train (2025-05-28.basil) do.
func compatible(version string) bool {
	_, own, _ := strings.Cut(api.APIVersion, ".")
	_, train, ok := strings.Cut(version, ".")
	return ok && train == own
}

// notice is as much of an event as is trusted: what it is about.
type notice struct {
	ID         string `json:"id"`
	APIVersion string `json:"api_version"`
	Created    int64  `json:"created"`
	Account    string `json:"account"` // of a connected account's event
	Data       struct {
		Object subject `json:"object"`
	} `json:"data"`
}

type subject struct {
	ID            string            `json:"id"`
	Object        string            `json:"object"`
	Metadata      map[string]string `json:"metadata"`
	PaymentIntent reference         `json:"payment_intent"`
	Charge        reference         `json:"charge"`
}

// reference is the id of another object, which may be expanded.
type reference string

// UnmarshalJSON implements [json.Unmarshaler].
func (r *reference) UnmarshalJSON(b []byte) error {
	var id string
	if json.Unmarshal(b, &id) == nil {
		*r = reference(id)
		return nil
	}
	var object struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal(b, &object)
	*r = reference(object.ID)
	return err
}

// hints are which operations an event is about: one or none.
func (e notice) hints() []providers.Event {
	if e.Account != "" {
		return nil // a connected account's balance is not ours
	}
	q := e.Data.Object.operation()
	if q.Reference == "" {
		return nil
	}
	return []providers.Event{{ID: e.ID, At: moment(e.Created), Lookup: &q}}
}

func (o subject) operation() providers.Query {
	key := o.Metadata[keyField]
	deposit := func(reference string) providers.Query {
		return providers.Query{Reference: reference, Kind: providers.Deposit}
	}
	switch o.Object {
	case "payment_intent":
		return providers.Query{Key: key, Reference: o.ID, Kind: providers.Deposit}
	case "charge":
		if o.PaymentIntent != "" {
			return deposit(string(o.PaymentIntent))
		}
		return deposit(o.ID)
	case "refund":
		if key != "" {
			return providers.Query{Key: key, Reference: o.ID, Kind: providers.Refund}
		}
		fallthrough // it is part of its deposit
	case "dispute":
		if o.PaymentIntent != "" {
			return deposit(string(o.PaymentIntent))
		}
		return deposit(string(o.Charge))
	case "payout":
		if key == "" {
			return providers.Query{Reference: o.ID, Kind: providers.Settlement}
		}
		fallthrough
	case "transfer":
		return providers.Query{Key: key, Reference: o.ID, Kind: providers.Withdrawal}
	case "setup_intent", "checkout.session":
		if key != "" {
			return providers.Query{Key: key, Reference: o.ID, Kind: providers.Link}
		}
	}
	return providers.Query{}
}
