package stripe_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

// event is a delivery of an event about an object, signed now.
func event(c *clock, version, account, kind string, object map[string]any) providers.Delivery {
	body, err := json.Marshal(map[string]any{
		"id": "evt_1", "object": "event", "api_version": version, "account": account, "type": kind, "created": c.read().Unix(),
		"data": map[string]any{"object": object},
	})
	if err != nil {
		panic(err)
	}
	return providers.Delivery{Header: stripetest.Sign(c.read(), body, secret), Body: body, ReceivedAt: c.read()}
}

func TestEventsAreHints(t *testing.T) {
	c := newClock()
	p := adapter(t, far(t, c), c, newState())
	const ours = "0190c1f2-7f3e-7cc3-98c4-dc0c0c073001"
	key := map[string]any{"kosh_key": ours, "other": "x"}
	for _, tt := range []struct {
		name   string
		object map[string]any
		want   providers.Query
	}{
		{"an intent of ours", map[string]any{"object": "payment_intent", "id": "pi_1", "metadata": key}, providers.Query{Key: ours, Reference: "pi_1", Kind: providers.Deposit}},
		{"a stranger's intent", map[string]any{"object": "payment_intent", "id": "pi_1"}, providers.Query{Reference: "pi_1", Kind: providers.Deposit}},
		{"a charge", map[string]any{"object": "charge", "id": "ch_1", "payment_intent": "pi_1", "metadata": key}, providers.Query{Reference: "pi_1", Kind: providers.Deposit}},
		{"a charge without an intent", map[string]any{"object": "charge", "id": "ch_1", "payment_intent": nil}, providers.Query{Reference: "ch_1", Kind: providers.Deposit}},
		{"a dispute with an expanded intent", map[string]any{"object": "dispute", "id": "dp_1", "payment_intent": map[string]any{"id": "pi_1"}}, providers.Query{Reference: "pi_1", Kind: providers.Deposit}},
		{"a dispute of a charge", map[string]any{"object": "dispute", "id": "dp_1", "charge": "ch_1"}, providers.Query{Reference: "ch_1", Kind: providers.Deposit}},
		{"a refund of ours", map[string]any{"object": "refund", "id": "re_1", "payment_intent": "pi_1", "metadata": key}, providers.Query{Key: ours, Reference: "re_1", Kind: providers.Refund}},
		{"a refund by hand", map[string]any{"object": "refund", "id": "re_1", "payment_intent": "pi_1"}, providers.Query{Reference: "pi_1", Kind: providers.Deposit}},
		{"a payout of ours", map[string]any{"object": "payout", "id": "po_1", "metadata": key}, providers.Query{Key: ours, Reference: "po_1", Kind: providers.Withdrawal}},
		{"a payout of Stripe's", map[string]any{"object": "payout", "id": "po_1"}, providers.Query{Reference: "po_1", Kind: providers.Settlement}},
		{"a transfer", map[string]any{"object": "transfer", "id": "tr_1", "metadata": key}, providers.Query{Key: ours, Reference: "tr_1", Kind: providers.Withdrawal}},
		{"a link", map[string]any{"object": "setup_intent", "id": "seti_1", "metadata": key}, providers.Query{Key: ours, Reference: "seti_1", Kind: providers.Link}},
		{"a page", map[string]any{"object": "checkout.session", "id": "cs_test_1", "metadata": key}, providers.Query{Key: ours, Reference: "cs_test_1", Kind: providers.Link}},
		{"a link of somebody else", map[string]any{"object": "setup_intent", "id": "seti_1"}, providers.Query{}},
		{"an invoice", map[string]any{"object": "invoice", "id": "in_1", "metadata": key}, providers.Query{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			events, err := p.Receive(t.Context(), event(c, "2025-05-28.basil", "", "a.type.that.is.new", tt.object))
			require.NoError(t, err)
			if tt.want == (providers.Query{}) {
				assert.Empty(t, events)
				return
			}
			require.Len(t, events, 1)
			assert.Equal(t, providers.Event{ID: "evt_1", At: c.read(), Lookup: &tt.want}, events[0])

			connected, err := p.Receive(t.Context(), event(c, "2025-05-28.basil", "acct_1", "a.type", tt.object))
			require.NoError(t, err)
			assert.Empty(t, connected, "a connected account's balance is not ours")
		})
	}
}

func TestAPIVersionOfEvents(t *testing.T) {
	c := newClock()
	p := adapter(t, far(t, c), c, newState())
	about := map[string]any{"object": "payment_intent", "id": "pi_1"}
	for version, ok := range map[string]bool{
		"2025-05-28.basil": true, "2025-07-30.basil": true, "2025-09-30.clover": false, "2024-06-20": false, "": false, "2025-05-28.preview": false,
	} {
		events, err := p.Receive(t.Context(), event(c, version, "", "payment_intent.succeeded", about))
		if ok {
			require.NoError(t, err, version)
			assert.Len(t, events, 1)
			continue
		}
		require.ErrorIs(t, err, providers.ErrMalformed, version)
		require.ErrorContains(t, err, "2025-05-28.basil", "what to do")
		assert.Empty(t, events)
	}
}

func TestSignatures(t *testing.T) {
	c := newClock()
	s := far(t, c)
	const next = "whsec_next"
	old, both, renewed := adapter(t, s, c, newState()), adapter(t, s, c, newState(), secrets(next, secret)), adapter(t, s, c, newState(), secrets(next))
	body := []byte(`{"id":"evt_1","api_version":"2025-05-28.basil","data":{"object":{"object":"payment_intent","id":"pi_1"}}}`)
	at := c.read()
	one, two := stripetest.Sign(at, body, secret).Get("Stripe-Signature"), stripetest.Sign(at, body, next, secret).Get("Stripe-Signature")
	for _, tt := range []struct {
		name   string
		by     *stripe.Provider
		header string
		later  time.Duration
		ok     bool
	}{
		{"as it should be", old, one, 0, true},
		{"during Stripe's rotation", old, two, 0, true},
		{"during ours", both, one, 0, true},
		{"after it", renewed, two, 0, true},
		{"with what was taken out", renewed, one, 0, false},
		{"a scheme unknown beside it", old, one + ",v0=00", 0, true},
		{"in time", old, one, 5 * time.Minute, true},
		{"too late", old, one, 5*time.Minute + 2*time.Second, false},
		{"from the future", old, one, -6 * time.Minute, false},
		{"no header", old, "", 0, false},
		{"no time", old, one[len("t=1772442000,"):], 0, false},
		{"another time", old, "t=2" + one[3:], 0, false},
		{"two times", old, one + ",t=1", 0, false},
		{"two times, the right one last", old, "t=1," + one, 0, false},
		{"a time spelt otherwise", old, "t=0" + one[2:], 0, false},
		{"capitals", old, one[:len("t=1772442000,v1=")] + fmt.Sprintf("%X", []byte("x")), 0, false},
		{"the test scheme alone", old, "t=1772442000,v0" + one[len("t=1772442000,v1"):], 0, false},
		{"an empty signature", old, "t=1772442000,v1=", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := providers.Delivery{Header: http.Header{"Stripe-Signature": {tt.header}}, Body: body, ReceivedAt: at.Add(tt.later)}
			events, err := tt.by.Receive(t.Context(), d)
			if tt.ok {
				require.NoError(t, err)
				assert.Len(t, events, 1)
				return
			}
			require.ErrorIs(t, err, providers.ErrForged)
			assert.Empty(t, events)
		})
	}
	bare := adapter(t, s, c, newState(), secrets())
	_, err := bare.Receive(t.Context(), providers.Delivery{Header: stripetest.Sign(at, body, ""), Body: body, ReceivedAt: at})
	require.ErrorIs(t, err, providers.ErrForged, "no secret is configured")
}

func secrets(all ...string) func(*stripe.Config) {
	return func(cfg *stripe.Config) { cfg.WebhookSecrets = all }
}

// Ten thousand deliveries with one byte or more of body or signature changed: none is accepted, and nothing panics. (Package
// providertest has mutants of its own.)
func TestMutatedWebhooks(t *testing.T) {
	c := newClock()
	s := far(t, c)
	p := adapter(t, s, c, newState())
	for _, token := range []string{stripetest.Card, stripetest.CardDeclined, stripetest.CardDisputeLost, stripetest.Card3DS} {
		_, err := p.Submit(t.Context(), sample(c, providers.Deposit, providers.Card, s.Instrument(token)))
		require.NoError(t, err)
	}
	c.pass(20 * 24 * time.Hour)
	all := s.Deliveries()
	require.NotEmpty(t, all)
	rng := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 10_000 {
		d := all[rng.IntN(len(all))]
		body, header := []byte(string(d.Body)), []byte(d.Header.Get("Stripe-Signature"))
		for range 1 + rng.IntN(4) {
			if target := [][]byte{body, header}[rng.IntN(2)]; rng.IntN(2) == 0 {
				target[rng.IntN(len(target))] ^= byte(1 + rng.IntN(255))
			} else {
				target[rng.IntN(len(target))] = `0"{}[],:=t1v`[rng.IntN(12)]
			}
		}
		if string(body) == string(d.Body) && string(header) == d.Header.Get("Stripe-Signature") {
			body = append(body, ' ')
		}
		events, err := p.Receive(t.Context(), providers.Delivery{
			Header: http.Header{"Stripe-Signature": {string(header)}}, Body: body, ReceivedAt: d.ReceivedAt,
		})
		if err == nil || len(events) > 0 {
			accepted++
			t.Errorf("accepted: %s\n%s", header, body)
		}
	}
	t.Logf("10000 mutated webhooks of %d: %d accepted, 0 panics", len(all), accepted)
}
