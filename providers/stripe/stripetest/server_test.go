package stripetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

type caller struct {
	*testing.T
	s *stripetest.Server
}

// call sends a request as any client would and returns the status and the answer.
func (c caller) call(method, path, key, bearer string, form url.Values) (int, map[string]any) {
	c.Helper()
	target, body := c.s.URL()+path, form.Encode()
	if method == http.MethodGet {
		target, body = target+"?"+body, ""
	}
	r, err := http.NewRequestWithContext(c.Context(), method, target, strings.NewReader(body))
	require.NoError(c, err)
	r.Header.Set("Authorization", "Bearer "+bearer)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(c, err)
	raw, err := io.ReadAll(answer.Body)
	require.NoError(c, err)
	require.NoError(c, answer.Body.Close())
	var object map[string]any
	require.NoError(c, json.Unmarshal(raw, &object), "%s", raw)
	return answer.StatusCode, object
}

func (c caller) post(path, key string, form url.Values) (int, map[string]any) {
	c.Helper()
	return c.call(http.MethodPost, path, key, c.s.Key(), form)
}

func (c caller) get(path string, form url.Values) (int, map[string]any) {
	c.Helper()
	return c.call(http.MethodGet, path, "", c.s.Key(), form)
}

func intent(token, amount string) url.Values {
	return url.Values{
		"amount": {amount}, "currency": {"usd"}, "payment_method": {token}, "confirm": {"true"}, "payment_method_types[0]": {"card"},
		"metadata[kosh_key]": {"k-" + amount},
	}
}

func start(t *testing.T) (caller, *time.Time) {
	t.Helper()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s, err := stripetest.New(stripetest.Options{Clock: func() time.Time { return now }, Secrets: []string{"whsec_x"}})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return caller{t, s}, &now
}

func reason(answer map[string]any) string {
	e, _ := answer["error"].(map[string]any)
	code, _ := e["code"].(string)
	kind, _ := e["type"].(string)
	return kind + " " + code
}

func TestKeys(t *testing.T) {
	c, now := start(t)
	status, first := c.post("/v1/payment_intents", "one", intent(stripetest.Card, "500"))
	require.Equal(t, http.StatusOK, status)
	status, again := c.post("/v1/payment_intents", "one", intent(stripetest.Card, "500"))
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, first, again, "the stored answer")
	status, other := c.post("/v1/payment_intents", "one", intent(stripetest.Card, "501"))
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Equal(t, "idempotency_error ", reason(other))

	for range 2 {
		status, declined := c.post("/v1/payment_intents", "two", intent(stripetest.CardDeclined, "600"))
		assert.Equal(t, http.StatusPaymentRequired, status, "a decline is stored")
		assert.Equal(t, "card_error card_declined", reason(declined))
	}
	_, list := c.get("/v1/payment_intents", nil)
	assert.Len(t, list["data"], 2, "what was declined twice under one key was tried once")

	status, _ = c.post("/v1/payment_intents", "three", intent(stripetest.Card, "none"))
	assert.Equal(t, http.StatusBadRequest, status)
	status, _ = c.post("/v1/payment_intents", "three", intent(stripetest.Card, "700"))
	assert.Equal(t, http.StatusOK, status, "a refusal before anything was executed is not stored")

	assert.Equal(t, 1, c.s.Executed("k-500"))
	*now = now.Add(25 * time.Hour)
	status, later := c.post("/v1/payment_intents", "one", intent(stripetest.Card, "500"))
	assert.Equal(t, http.StatusOK, status)
	assert.NotEqual(t, first["id"], later["id"], "keys are forgotten")
	assert.Equal(t, 2, c.s.Executed("k-500"))
	assert.NoError(t, c.s.Audit())
}

func TestRefusals(t *testing.T) {
	c, _ := start(t)
	for name, want := range map[string]struct {
		method, path, bearer string
		form                 url.Values
		status               int
		reason               string
	}{
		"a wrong key":          {http.MethodGet, "/v1/balance", "sk_test_other", nil, 401, "invalid_request_error "},
		"an unknown path":      {http.MethodPost, "/v1/dances", c.s.Key(), nil, 404, "invalid_request_error "},
		"an unknown list":      {http.MethodGet, "/v1/dances", c.s.Key(), nil, 404, "invalid_request_error resource_missing"},
		"another method":       {http.MethodDelete, "/v1/payment_intents", c.s.Key(), nil, 405, "invalid_request_error "},
		"an unknown intent":    {http.MethodGet, "/v1/payment_intents/pi_1", c.s.Key(), nil, 404, "invalid_request_error resource_missing"},
		"an unknown card":      {http.MethodPost, "/v1/payment_intents", c.s.Key(), intent("pm_unknown", "500"), 404, "invalid_request_error resource_missing"},
		"a bank as a card":     {http.MethodPost, "/v1/payment_intents", c.s.Key(), intent(stripetest.Bank, "500"), 400, "invalid_request_error "},
		"less than nothing":    {http.MethodPost, "/v1/payment_intents", c.s.Key(), intent(stripetest.Card, "-5"), 400, "invalid_request_error "},
		"a refund of nothing":  {http.MethodPost, "/v1/refunds", c.s.Key(), url.Values{"payment_intent": {"pi_1"}, "amount": {"5"}}, 404, "invalid_request_error resource_missing"},
		"a payout of nothing":  {http.MethodPost, "/v1/payouts", c.s.Key(), url.Values{"destination": {stripetest.PayoutBank}, "amount": {"5"}, "currency": {"usd"}}, 400, "invalid_request_error balance_insufficient"},
		"a transfer to nobody": {http.MethodPost, "/v1/transfers", c.s.Key(), url.Values{"destination": {"acct_1"}, "amount": {"5"}, "currency": {"usd"}}, 404, "invalid_request_error resource_missing"},
		"a gone cursor":        {http.MethodGet, "/v1/events", c.s.Key(), url.Values{"ending_before": {"evt_1"}}, 400, "invalid_request_error resource_missing"},
	} {
		status, answer := c.call(want.method, want.path, "", want.bearer, want.form)
		assert.Equal(t, want.status, status, name)
		assert.Equal(t, want.reason, reason(answer), name)
	}
	assert.Zero(t, c.s.Balance("usd"))
}

func TestLists(t *testing.T) {
	c, _ := start(t)
	var ids []string // newest first
	for _, amount := range []string{"500", "501", "502", "503", "504"} {
		_, pi := c.post("/v1/payment_intents", amount, intent(stripetest.Card, amount))
		id, _ := pi["id"].(string)
		ids = append([]string{id}, ids...)
	}
	page := func(form url.Values) (got []string, more any) {
		status, list := c.get("/v1/payment_intents", form)
		require.Equal(t, http.StatusOK, status)
		data, _ := list["data"].([]any)
		for _, o := range data {
			id, _ := o.(map[string]any)["id"].(string)
			got = append(got, id)
		}
		return got, list["has_more"]
	}
	for name, want := range map[string]struct {
		form url.Values
		ids  []string
		more bool
	}{
		"all":                   {nil, ids, false},
		"the newest":            {url.Values{"limit": {"2"}}, ids[:2], true},
		"after":                 {url.Values{"limit": {"2"}, "starting_after": {ids[1]}}, ids[2:4], true},
		"the last":              {url.Values{"limit": {"2"}, "starting_after": {ids[3]}}, ids[4:], false},
		"before, the next ones": {url.Values{"limit": {"2"}, "ending_before": {ids[4]}}, ids[2:4], true},
		"before, to the newest": {url.Values{"limit": {"9"}, "ending_before": {ids[2]}}, ids[:2], false},
	} {
		got, more := page(want.form)
		assert.Equal(t, want.ids, got, name)
		assert.Equal(t, want.more, more, name)
	}
	none, _ := page(url.Values{"created[gt]": {"1772442000"}})
	assert.Empty(t, none)
}

func TestMail(t *testing.T) {
	c, now := start(t)
	c.s.SetMail(stripetest.Mail{Copies: 3, Delay: time.Hour, Shuffle: 7})
	c.post("/v1/payment_intents", "one", intent(stripetest.Card, "500"))
	assert.Empty(t, c.s.Deliveries(), "an hour late")
	*now = now.Add(time.Hour)
	got := c.s.Deliveries()
	require.Len(t, got, 9, "three events, three times")
	seen := map[string]int{}
	for _, d := range got {
		seen[string(d.Body)]++
		assert.Equal(t, stripetest.Sign(*now, d.Body, "whsec_x"), d.Header, "signed as of the delivery")
	}
	assert.Len(t, seen, 3)
	assert.NotEqual(t, string(got[0].Body), string(got[8].Body))
	assert.Empty(t, c.s.Deliveries(), "handed out once")
	c.s.RotateSecret("whsec_y")
	c.s.SetMail(stripetest.Mail{})
	c.post("/v1/payment_intents", "two", intent(stripetest.Card, "500"))
	for _, d := range c.s.Deliveries() {
		assert.Equal(t, 2, strings.Count(d.Header.Get("Stripe-Signature"), "v1="), "both secrets sign")
	}
}
