package providers_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/koshpay/kosh/providers"
)

// hooks receives webhooks that are signed with HMAC-SHA256 over a time and the body.
type hooks struct{ secret func() []byte }

func (h hooks) sign(at string, body []byte) []byte {
	mac := hmac.New(sha256.New, h.secret())
	mac.Write([]byte(at + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

// Receive implements providers.Receiver. The signature comes first, over the bytes as they came; then the time; then the body.
func (h hooks) Receive(_ context.Context, d providers.Delivery) ([]providers.Event, error) {
	at := d.Header.Get("Signed-At")
	signature, err := hex.DecodeString(d.Header.Get("Signature"))
	seconds, errAt := strconv.ParseInt(at, 10, 64)
	if len(h.secret()) == 0 || err != nil || errAt != nil || !hmac.Equal(signature, h.sign(at, d.Body)) {
		return nil, providers.ErrForged
	}
	if age := d.ReceivedAt.Sub(time.Unix(seconds, 0)); age > 5*time.Minute || age < -5*time.Minute {
		return nil, providers.ErrForged // somebody recorded it
	}
	var body struct{ ID, Type, Operation string }
	if json.Unmarshal(d.Body, &body) != nil || body.ID == "" {
		return nil, providers.ErrMalformed
	}
	if body.Type != "operation.changed" {
		return nil, nil // far sides add types
	}
	// A hint is enough: the core looks it up, so the order of deliveries does not matter.
	return []providers.Event{{ID: body.ID, Lookup: &providers.Query{Reference: body.Operation}}}, nil
}

// A webhook is verified before it is parsed, and remembered nowhere: the same delivery gives the same events.
func ExampleReceiver() {
	h, now := hooks{func() []byte { return []byte("whsec_example") }}, time.Unix(1_800_000_000, 0)
	deliver := func(body string, signed []byte, received time.Time) {
		at := strconv.FormatInt(now.Unix(), 10)
		header := http.Header{"Signed-At": {at}, "Signature": {hex.EncodeToString(h.sign(at, signed))}}
		events, err := h.Receive(context.Background(), providers.Delivery{Header: header, Body: []byte(body), ReceivedAt: received})
		fmt.Println(len(events), "events, forged:", errors.Is(err, providers.ErrForged))
	}
	body := `{"id":"evt_1","type":"operation.changed","operation":"tr_1"}`
	deliver(body, []byte(body), now)
	deliver(body, []byte(body), now)
	deliver(`{"id":"evt_1","type":"operation.changed","operation":"tr_2"}`, []byte(body), now)
	deliver(body, []byte(body), now.Add(time.Hour))
	deliver(`{"id":"evt_2","type":"weather.changed"}`, []byte(`{"id":"evt_2","type":"weather.changed"}`), now)
	// Output:
	// 1 events, forged: false
	// 1 events, forged: false
	// 0 events, forged: true
	// 0 events, forged: true
	// 0 events, forged: false
}
