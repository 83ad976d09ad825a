package stripetest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/koshpay/kosh/providers"
)

// apiVersion is what events are written in, as of the library that the adapter uses.
const apiVersion = "2025-05-28.basil"

// Mail says how webhooks travel from now on.
type Mail struct {
	Copies  int           // each is delivered so often; 0 means once
	Delay   time.Duration // they are due so much later
	Shuffle uint64        // not 0: the seed of an order of their own within each call of Deliveries
}

type letter struct {
	due   time.Time
	event string
}

// SetMail changes how webhooks travel.
func (s *Server) SetMail(m Mail) {
	s.enter()
	defer s.mu.Unlock()
	s.mail = m
}

// OnEvent makes each event of a request be told while the request is still waiting for its answer, besides being delivered
// as usual: Stripe's webhooks do come before the response. The function runs without the server's lock.
func (s *Server) OnEvent(tell func(providers.Delivery)) {
	s.enter()
	defer s.mu.Unlock()
	s.onEvent = nil
	if tell != nil {
		s.onEvent = func(id []byte) { tell(s.Delivery(string(id))) }
	}
}

// tell makes an event with the object as it stands.
func (s *Server) tell(kind string, about object) {
	e := s.put("event", "evt", object{
		"type": kind, "api_version": apiVersion, "data": object{"object": s.render(about, nil)}, "pending_webhooks": 1,
	})
	s.fresh = append(s.fresh, e.id())
	if len(s.options.Secrets) == 0 {
		return
	}
	for range max(s.mail.Copies, 1) {
		s.outbox = append(s.outbox, letter{s.now.Add(s.mail.Delay), e.id()})
	}
}

// Deliveries hands out the webhooks that are due by the clock, signed as of now.
func (s *Server) Deliveries() []providers.Delivery {
	s.enter()
	defer s.mu.Unlock()
	var due []providers.Delivery
	s.outbox = slices.DeleteFunc(s.outbox, func(l letter) bool {
		if l.due.After(s.now) {
			return false
		}
		due = append(due, s.delivery(l.event))
		return true
	})
	if seed := s.mail.Shuffle; seed != 0 {
		rand.New(rand.NewPCG(seed, uint64(len(due)))).Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] }) //nolint:gosec // a test's order
	}
	return due
}

// Delivery is the webhook of one event, signed as of now.
func (s *Server) Delivery(event string) providers.Delivery {
	s.enter()
	defer s.mu.Unlock()
	return s.delivery(event)
}

func (s *Server) delivery(event string) providers.Delivery {
	body := encode(s.render(s.objects[event], nil))
	return providers.Delivery{Header: Sign(s.now, body, s.options.Secrets...), Body: body, ReceivedAt: s.now}
}

// RotateSecret makes webhooks be signed with a new secret and with the one before, as Stripe does for a day.
func (s *Server) RotateSecret(secret string) {
	s.enter()
	defer s.mu.Unlock()
	s.options.Secrets = append([]string{secret}, s.options.Secrets[:min(len(s.options.Secrets), 1)]...)
}

// Sign returns the headers of a webhook with this body, for tests that forge deliveries or write their own.
func Sign(at time.Time, body []byte, secrets ...string) http.Header {
	t := strconv.FormatInt(at.Unix(), 10)
	signature := "t=" + t
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(t + "."))
		mac.Write(body)
		signature += ",v1=" + hex.EncodeToString(mac.Sum(nil))
	}
	return http.Header{"Content-Type": {"application/json"}, "Stripe-Signature": {signature}}
}
