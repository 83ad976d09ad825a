package sandbox

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// SignatureHeader carries a delivery's time and signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "t.body">.
const SignatureHeader = "Sandbox-Signature"

const (
	eventReport = "operation.changed"
	eventHint   = "operation.hint"
)

// signers are the webhook secrets, newest first: two during a rotation. They are functions so that nothing that prints
// a sandbox, by reflection too, can print a secret.
type signers []func(message []byte) []byte

func (s signers) ready() bool { return len(s) > 0 }

func (s *signers) rotate(secret []byte) {
	*s = append(signers{signer(secret)}, (*s)[:min(len(*s), 1)]...)
}

func signer(secret []byte) func(message []byte) []byte {
	secret = bytes.Clone(secret)
	return func(message []byte) []byte {
		h := hmac.New(sha256.New, secret)
		h.Write(message)
		return h.Sum(nil)
	}
}

// RotateSecret makes the far side sign with a new secret from now on. The adapter goes on accepting the one before, until the
// next rotation.
func (s *Sandbox) RotateSecret(secret []byte) error {
	if len(secret) == 0 {
		return fmt.Errorf("%w: empty secret", ErrConfig)
	}
	s.far.enter()
	defer s.far.mu.Unlock()
	s.far.signers.rotate(secret)
	return nil
}

// Sign returns the headers of a webhook with this body, for tests that forge deliveries or write their own.
func Sign(secret []byte, at time.Time, body []byte) http.Header {
	var s signers
	s.rotate(secret)
	return s.header(at, body)
}

func (s signers) header(at time.Time, body []byte) http.Header {
	t := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{"Content-Type": {"application/json"}}
	h.Set(SignatureHeader, "t="+t+",v1="+hex.EncodeToString(s[0](message(t, body))))
	return h
}

func message(t string, body []byte) []byte { return append(append([]byte(t), '.'), body...) }

// wireEvent is the body of a webhook. What a person must do next is not in it, because that can be secret.
type wireEvent struct {
	ID      string        `json:"id"`
	Type    string        `json:"type"`
	Created time.Time     `json:"created"`
	Object  wireOperation `json:"object"`
}

type wireOperation struct {
	Key           string                `json:"key,omitempty"`
	Reference     string                `json:"reference"`
	Kind          providers.Kind        `json:"kind"`
	State         providers.State       `json:"state,omitempty"`
	Effects       []wireEffect          `json:"effects,omitempty"`
	Final         bool                  `json:"final,omitempty"`
	Code          string                `json:"code,omitempty"`
	Public        string                `json:"public,omitempty"`
	Confirmations uint                  `json:"confirmations,omitempty"`
	Required      uint                  `json:"required,omitempty"`
	Instrument    *providers.Instrument `json:"instrument,omitempty"`
	Member        string                `json:"member,omitempty"`
	Address       string                `json:"address,omitempty"`
	Disputes      []wireDispute         `json:"disputes,omitempty"`
	Covers        []string              `json:"covers,omitempty"`
	At            time.Time             `json:"at,omitzero"`
}

type wireEffect struct {
	ID       string               `json:"id"`
	Kind     providers.EffectKind `json:"kind"`
	Amount   currency.Amount      `json:"amount"`
	Reverses string               `json:"reverses,omitempty"`
	Dispute  string               `json:"dispute,omitempty"`
	At       time.Time            `json:"at"`
}

type wireDispute struct {
	ID         string                 `json:"id"`
	State      providers.DisputeState `json:"state"`
	Amount     currency.Amount        `json:"amount,omitzero"`
	Reason     providers.Reason       `json:"reason,omitzero"`
	EvidenceBy time.Time              `json:"evidence_by,omitzero"`
	At         time.Time              `json:"at"`
}

func (e event) body(hint bool) ([]byte, error) {
	r := e.report
	w := wireEvent{ID: e.id, Type: eventHint, Created: e.at, Object: wireOperation{Key: r.Key, Reference: r.Reference, Kind: r.Kind}}
	if !hint {
		w.Type = eventReport
		w.Object = wireOperation{
			Key: r.Key, Reference: r.Reference, Kind: r.Kind, State: r.State, Final: r.Final, Code: r.Reason.Code,
			Public: r.Reason.Public, Confirmations: r.Confirmations, Required: r.Required, Instrument: r.Instrument,
			Member: r.Member, Address: r.Address, Covers: r.Covers, At: r.At,
		}
		for _, d := range r.Disputes {
			w.Object.Disputes = append(w.Object.Disputes, wireDispute(d))
		}
		for _, e := range r.Effects {
			w.Object.Effects = append(w.Object.Effects, wireEffect(e))
		}
	}
	return json.Marshal(w)
}

func (w wireEvent) event(raw []byte) providers.Event {
	o := w.Object
	e := event{id: w.ID, at: w.Created, report: providers.Report{
		Key: o.Key, Reference: o.Reference, Kind: o.Kind, State: o.State, Final: o.Final,
		Reason: providers.Reason{Code: o.Code, Public: o.Public}, Confirmations: o.Confirmations, Required: o.Required,
		Instrument: o.Instrument, Member: o.Member, Address: o.Address, Covers: o.Covers, At: o.At, Raw: bytes.Clone(raw),
	}}
	if o.Kind == providers.DepositAddress && o.Address != "" {
		e.report.Action = &providers.Action{Kind: "address", Address: o.Address}
	}
	for _, d := range o.Disputes {
		e.report.Disputes = append(e.report.Disputes, providers.Dispute(d))
	}
	for _, x := range o.Effects {
		e.report.Effects = append(e.report.Effects, providers.Effect(x))
	}
	return e.public(w.Type == eventHint)
}

// Deliveries hands out the webhooks that are due by the clock, at most so many, signed as of now. A delivery is handed out
// once; what the receiver could not record must be fetched with Poll or Lookup.
func (s *Sandbox) Deliveries(atMost int) []providers.Delivery {
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	var due []providers.Delivery
	for len(due) < atMost {
		next, ok := f.outbox.pop(f.now)
		if !ok {
			break
		}
		body, err := f.events[next.event].body(f.cfg.HintsOnly)
		if err != nil {
			f.books.breaks(err)
			continue
		}
		due = append(due, providers.Delivery{Header: f.signers.header(f.now, body), Body: body, ReceivedAt: f.now})
	}
	return due
}

// Receive implements [providers.Receiver].
func (s *Sandbox) Receive(ctx context.Context, d providers.Delivery) ([]providers.Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := s.far
	f.mu.Lock()
	keys, tolerance, clock := f.signers, f.cfg.Tolerance, f.cfg.Clock
	f.mu.Unlock()
	if s.accepts != nil {
		keys = s.accepts
	}
	if d.ReceivedAt.IsZero() {
		d.ReceivedAt = clock()
	}
	if err := keys.verify(d, tolerance); err != nil {
		return nil, err
	}
	var w wireEvent
	if err := json.Unmarshal(d.Body, &w); err != nil {
		return nil, fmt.Errorf("%w: %w", providers.ErrMalformed, err)
	}
	if w.Type != eventReport && w.Type != eventHint {
		return nil, nil
	}
	if w.ID == "" || w.Object.Key == "" && w.Object.Reference == "" {
		return nil, fmt.Errorf("%w: it names no event or no operation", providers.ErrMalformed)
	}
	e := w.event(d.Body)
	if e.Report != nil {
		if err := e.Report.Validate(); err != nil {
			return nil, fmt.Errorf("%w: %w", providers.ErrMalformed, err)
		}
	}
	return []providers.Event{e}, nil
}

func (s signers) verify(d providers.Delivery, tolerance time.Duration) error {
	stamp, signature, ok := strings.Cut(d.Header.Get(SignatureHeader), ",")
	t, hasT := strings.CutPrefix(stamp, "t=")
	v1, hasV1 := strings.CutPrefix(signature, "v1=")
	unix, errT := strconv.ParseInt(t, 10, 64)
	given, errV1 := hex.DecodeString(v1)
	// One spelling of each signature: hex in capitals would be a second.
	if !ok || !hasT || !hasV1 || errT != nil || errV1 != nil || strings.ToLower(v1) != v1 {
		return fmt.Errorf("sandbox: %w: no readable signature", providers.ErrForged)
	}
	genuine := false
	for _, sign := range s {
		// Every secret is tried, so that the time taken does not tell which one fits.
		genuine = hmac.Equal(given, sign(message(t, d.Body))) || genuine
	}
	if !genuine {
		return fmt.Errorf("sandbox: %w: wrong signature", providers.ErrForged)
	}
	if age := d.ReceivedAt.Sub(time.Unix(unix, 0)); age.Abs() > tolerance+time.Second {
		return fmt.Errorf("sandbox: %w: signed at another time", providers.ErrForged)
	}
	return nil
}
