package sandbox_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

func TestWebhooksSayWhatPollSays(t *testing.T) {
	w := newWorld(t)
	w.submit(link(providers.Card, sandbox.TokenCard))
	w.submit(deposit(providers.Bank, sandbox.TokenBankReturned, usd(100)))
	w.submit(deposit(providers.Card, sandbox.TokenCardDeclined, usd(100)))
	a := w.address()
	_, err := w.SendTo(a.Address, gwei(1))
	require.NoError(t, err)
	w.advance(100 * time.Hour)
	polled, _ := w.poll("")
	deliveries := w.Deliveries(1000)
	require.Len(t, deliveries, len(polled))
	assert.Empty(t, w.Deliveries(1000), "handed out once")
	for i, d := range deliveries {
		events, err := w.Receive(t.Context(), d)
		require.NoError(t, err)
		require.Len(t, events, 1)
		got, want := events[0], polled[i]
		assert.Equal(t, want.ID, got.ID)
		assert.NotEmpty(t, got.Report.Raw)
		got.Report.Raw, got.Report.Action, want.Report.Action = nil, nil, nil
		assert.Equal(t, want, got)
	}
}

func TestSignatures(t *testing.T) {
	w := newWorld(t)
	w.submit(deposit(providers.Card, sandbox.TokenCard, usd(100)))
	genuine := w.Deliveries(1)[0]
	ctx := t.Context()
	with := func(change func(d *providers.Delivery)) providers.Delivery {
		d := providers.Delivery{Header: genuine.Header.Clone(), Body: append([]byte(nil), genuine.Body...), ReceivedAt: genuine.ReceivedAt}
		change(&d)
		return d
	}
	signature := genuine.Header.Get(sandbox.SignatureHeader)
	for name, d := range map[string]providers.Delivery{
		"body":      with(func(d *providers.Delivery) { d.Body[7] ^= 1 }),
		"no header": with(func(d *providers.Delivery) { d.Header = nil }),
		"short":     with(func(d *providers.Delivery) { d.Header.Set(sandbox.SignatureHeader, signature[:len(signature)-2]) }),
		"capitals":  with(func(d *providers.Delivery) { d.Header.Set(sandbox.SignatureHeader, strings.ToUpper(signature)) }),
		"late":      with(func(d *providers.Delivery) { d.ReceivedAt = d.ReceivedAt.Add(10 * time.Minute) }),
		"early":     with(func(d *providers.Delivery) { d.ReceivedAt = d.ReceivedAt.Add(-10 * time.Minute) }),
		"secret":    with(func(d *providers.Delivery) { d.Header = sandbox.Sign([]byte("other"), w.now, d.Body) }),
	} {
		events, err := w.Receive(ctx, d)
		require.ErrorIs(t, err, providers.ErrForged, name)
		assert.Empty(t, events)
	}
	sign := func(body string) providers.Delivery {
		return providers.Delivery{Header: sandbox.Sign([]byte("whsec_of_the_test"), w.now, []byte(body)), Body: []byte(body)}
	}
	for _, body := range []string{
		`{`, `{"type":"operation.changed"}`, `{"type":"operation.changed","object":{"effects":[{"amount":1}]}}`,
		`{"type":"operation.hint","object":{"reference":"ch_1","kind":"deposit"}}`,
		`{"id":"evt_1","type":"operation.hint","object":{"kind":"deposit"}}`,
	} {
		_, err := w.Receive(ctx, sign(body))
		require.ErrorIs(t, err, providers.ErrMalformed, body)
	}
	events, err := w.Receive(ctx, sign(`{"id":"evt_1","type":"dispute.won"}`))
	require.NoError(t, err)
	assert.Empty(t, events)
}

func TestRotation(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	one := func() providers.Delivery {
		w.submit(deposit(providers.Card, sandbox.TokenCard, usd(100)))
		return w.Deliveries(1)[0]
	}
	first := one()
	require.NoError(t, w.RotateSecret([]byte("second")))
	second := one()
	for _, d := range []providers.Delivery{first, second} {
		_, err := w.Receive(ctx, d)
		require.NoError(t, err)
	}
	require.NoError(t, w.RotateSecret([]byte("third")))
	_, err := w.Receive(ctx, first)
	require.ErrorIs(t, err, providers.ErrForged)
	_, err = w.Receive(ctx, second)
	require.NoError(t, err)
	require.ErrorIs(t, w.RotateSecret(nil), sandbox.ErrConfig)
}

func TestWebhookFaults(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) {
		c.Faults = sandbox.Faults{WebhookLost: 200, WebhookDuplicated: 300, WebhookReordered: 500, WebhookDelayed: 300}
	})
	for range 300 {
		w.submit(deposit(providers.Card, sandbox.TokenCard, usd(100)))
		w.advance(time.Second)
	}
	w.advance(25 * time.Hour)
	copies, disorder, last := map[string]int{}, 0, time.Time{}
	for _, d := range w.Deliveries(10_000) {
		events, err := w.Receive(t.Context(), d)
		require.NoError(t, err, "signed when handed out, however late")
		copies[events[0].ID]++
		if events[0].At.Before(last) {
			disorder++
		}
		last = events[0].At
	}
	assert.InDelta(t, 240, len(copies), 30, "some are lost")
	most := 0
	for _, n := range copies {
		most = max(most, n)
	}
	assert.Equal(t, 3, most)
	assert.Greater(t, disorder, 50)
	events, next := w.poll("")
	assert.Len(t, events, 100)
	events, next = w.poll(next)
	assert.Len(t, events, 100)
	events, _ = w.poll(next)
	assert.Len(t, events, 100, "poll loses nothing")
	for _, cursor := range []string{"-1", "301", "x"} {
		_, _, err := w.Poll(t.Context(), cursor, 1)
		require.Error(t, err)
	}
}

func TestHintsAndNoSecret(t *testing.T) {
	w := newWorld(t, func(c *sandbox.Config) { c.HintsOnly = true })
	op := deposit(providers.Card, sandbox.TokenCard, usd(100))
	w.submit(op)
	events, err := w.Receive(t.Context(), w.Deliveries(1)[0])
	require.NoError(t, err)
	require.Nil(t, events[0].Report)
	r, err := w.Lookup(t.Context(), *events[0].Lookup)
	require.NoError(t, err)
	assert.Equal(t, op.Key, r.Key)

	silent := newWorld(t, func(c *sandbox.Config) { c.Secret = nil })
	silent.submit(op)
	assert.Empty(t, silent.Deliveries(10))
	body := []byte(`{}`)
	_, err = silent.Receive(t.Context(), providers.Delivery{Header: sandbox.Sign(nil, silent.now, body), Body: body})
	require.ErrorIs(t, err, providers.ErrForged)
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := sandbox.Config{Name: "bank", Assets: newWorldAssets(), Secret: []byte("whsec_hush")}
	s, err := sandbox.New(c)
	require.NoError(t, err)
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("made", "config", c, "sandbox", s)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		text := fmt.Sprintf(verb+verb+verb, c, &c, s) + log.String()
		assert.NotContains(t, text, "hush", verb)
		assert.NotContains(t, text, fmt.Sprintf("%x", "hush"), verb)
		assert.NotContains(t, text, "104 117 115 104", verb)
	}
}
