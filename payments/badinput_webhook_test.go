package payments_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/payments"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// forgery is a delivery that must be answered with the status, and have no effect.
type forgery struct {
	name   string
	d      providers.Delivery
	method string // empty: POST
	path   string // empty: the sandbox's
	status int
}

// webhooks tells how many deliveries were refused, after which the genuine ones still have their effect, and once.
func (w *world) webhooks(t *testing.T) (total knocks) {
	t.Helper()
	t.Run("Webhooks", func(t *testing.T) {
		e := newDeskEnv(t, noPolling)
		in := e.deposit("dora", e.link("dora", sandbox.TokenBankReturned), usd("50.00"))
		genuine := e.deliveries(100 * time.Hour)
		require.NotEmpty(t, genuine)
		before := e.dump()
		for _, f := range forgeries(e.clock.Now(), genuine) {
			total.tried++
			var status int
			require.NotPanics(t, func() { status = e.knockAt(f) }, f.name)
			require.Equal(t, f.status, status, f.name)
			total.refused++
		}
		require.Equal(t, before, e.dump())
		for _, d := range genuine {
			require.Equal(t, http.StatusNoContent, e.hook(d))
		}
		require.Equal(t, payments.Reversed, e.payment(in.ID).State)
		after := e.dump()
		for _, d := range slices.Concat(genuine, genuine) {
			total.replayed++
			require.Equal(t, http.StatusNoContent, e.hook(d), "it is a fact that is known")
		}
		require.Equal(t, after, e.dump(), "what was delivered before has no effect")
	})
	return total
}

func (e *env) knockAt(f forgery) int {
	method, path := f.method, f.path
	if method == "" {
		method = http.MethodPost
	}
	if path == "" {
		path = "/webhooks/sandbox"
	}
	r := httptest.NewRequestWithContext(e.ctx, method, path, bytesReader(f.d.Body))
	r.Header = f.d.Header.Clone()
	answer := httptest.NewRecorder()
	e.svc.Webhooks().ServeHTTP(answer, r)
	return answer.Code
}

func forgeries(now time.Time, genuine []providers.Delivery) (all []forgery) {
	secret := []byte("whsec_test")
	d := genuine[0]
	forged := func(name string, header http.Header, body []byte) {
		all = append(all, forgery{name: name, d: providers.Delivery{Header: header, Body: body}, status: http.StatusBadRequest})
	}
	signature := d.Header.Get(sandbox.SignatureHeader)
	signed := func(s string) http.Header {
		h := d.Header.Clone()
		h.Set(sandbox.SignatureHeader, s)
		return h
	}
	stamp, v1, _ := strings.Cut(signature, ",v1=")
	for name, s := range map[string]string{
		"no signature": "", "only the time": stamp, "no time": "v1=" + v1, "time after it": "v1=" + v1 + "," + stamp,
		"another time": "t=1,v1=" + v1, "a negative time": "t=-1,v1=" + v1, "a time beyond all": "t=99999999999999999999,v1=" + v1,
		"capitals": stamp + ",v1=" + strings.ToUpper(v1), "cut short": signature[:len(signature)-2], "one more byte": signature + "00",
		"not hexadecimal": stamp + ",v1=zz", "empty": stamp + ",v1=", "zeros": stamp + ",v1=" + strings.Repeat("0", 64), "another scheme": stamp + ",v0=" + v1,
		"two": signature + "," + signature, "a space": stamp + ", v1=" + v1, "a megabyte": stamp + ",v1=" + strings.Repeat("0", 1<<20),
	} {
		forged("signature: "+name, signed(s), d.Body)
	}
	forged("no header at all", http.Header{}, d.Body)
	forged("another secret", sandbox.Sign([]byte("whsec_guess"), now, d.Body), d.Body)
	forged("an empty secret", sandbox.Sign(nil, now, d.Body), d.Body)
	forged("signed long ago", sandbox.Sign(secret, now.Add(-2_000*time.Hour), d.Body), d.Body)
	forged("signed in the future", sandbox.Sign(secret, now.Add(2_000*time.Hour), d.Body), d.Body)
	for i, g := range genuine {
		forged("the signature of another", g.Header, genuine[(i+1)%len(genuine)].Body)
		for at := 0; at < len(g.Body); at += max(1, len(g.Body)/10) {
			body := slices.Clone(g.Body)
			body[at] ^= 1
			forged("a bit is turned", g.Header, body)
		}
		forged("cut short", g.Header, g.Body[:len(g.Body)-1])
		forged("something follows", g.Header, append(slices.Clone(g.Body), ' '))
	}
	for _, body := range brokenBodies(string(d.Body)) {
		forged("authentic and unreadable: "+body.name, sandbox.Sign(secret, now, []byte(body.text)), []byte(body.text))
	}
	large := []byte(strings.Repeat(" ", 1<<20+1))
	all = append(all, forgery{name: "a megabyte and one", d: providers.Delivery{Header: sandbox.Sign(secret, now, large), Body: large}, status: http.StatusRequestEntityTooLarge})
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, "post"} {
		all = append(all, forgery{name: method, d: d, method: method, status: http.StatusMethodNotAllowed})
	}
	for _, path := range []string{"/", "/webhooks", "/webhooks/nobody", "/webhooks/Sandbox", "/webhooks/sandbox.", "/sandbox/..", "/webhooks/sandb%00x"} {
		all = append(all, forgery{name: path, d: d, path: path, status: http.StatusNotFound})
	}
	return all
}

// brokenBodies are what a far side with a bug could sign.
func brokenBodies(body string) []sample {
	return []sample{
		{"empty", ""},
		{"a list", "[]"},
		{"a text", `"x"`},
		{"no JSON", "operation=1"},
		{"cut short", body[:len(body)/2]},
		{"bad UTF-8", `{"type":"operation.changed","id":"` + "\xff"},
		{"no operation", `{"type":"operation.changed","id":"e","created":"2026-03-02T09:00:00Z","object":{}}`},
		{"no id", `{"type":"operation.changed","object":{"reference":"r"}}`},
		{"an amount as a number", `{"type":"operation.changed","id":"e","created":"2026-03-02T09:00:00Z","object":{"reference":"r","kind":"deposit","state":"succeeded","effects":[{"id":"x","kind":"moved","amount":5}]}}`},
		{"an asset that nobody knows", `{"type":"operation.changed","id":"e","created":"2026-03-02T09:00:00Z","object":{"reference":"r","kind":"deposit","state":"succeeded","effects":[{"id":"x","kind":"moved","amount":{"amount":"5.00","asset":"XQX"}}]}}`},
		{"an effect without an amount", `{"type":"operation.changed","id":"e","created":"2026-03-02T09:00:00Z","object":{"reference":"r","kind":"deposit","state":"succeeded","effects":[{"id":"x","kind":"moved","amount":null}]}}`},
		{"an effect without an id", `{"type":"operation.changed","id":"e","created":"2026-03-02T09:00:00Z","object":{"reference":"r","kind":"deposit","state":"succeeded","effects":[{"id":"","kind":"moved","amount":{"amount":"5.00","asset":"USD"}}]}}`},
		{"a year beyond all", `{"type":"operation.changed","id":"e","created":"99999-03-02T09:00:00Z","object":{"reference":"r","kind":"deposit"}}`},
	}
}
