// Package scheme is a pretend gift-card scheme: a server on the loopback interface that keeps books, remembers keys and plays
// faults. The provider talks to it as to a real one.
package scheme

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Secret is the API key.
const Secret = "sk_of_the_voucher_scheme" //nolint:gosec // of a pretend scheme

// Scheme is the far side.
type Scheme struct {
	URL string

	mu       sync.Mutex
	cards    map[string]int64 // cents by code
	done     []*operation
	requests int
	fault    string
	late     []func()
	flip     bool
	next     int
}

// operation is what was asked under a key, and what became of it.
type operation struct {
	ID     string    `json:"id"`
	Key    string    `json:"key"`
	Do     string    `json:"do"`
	Status string    `json:"status"`
	Code   string    `json:"code,omitempty"`
	Card   string    `json:"card"`
	Last4  string    `json:"last4"`
	Of     string    `json:"of,omitempty"`
	Cents  int64     `json:"cents"`
	At     time.Time `json:"at"`
}

// Open starts a scheme that clean ends.
func Open(clean func(func())) *Scheme {
	s := &Scheme{cards: map[string]int64{}}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	clean(server.Close)
	s.URL = server.URL
	return s
}

// Sell makes a card that is worth so many cents, and returns its code.
func (s *Scheme) Sell(cents int64) (code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	code = fmt.Sprintf("GIFT-%04d", s.next)
	s.cards[code] = cents
	return code
}

func (s *Scheme) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer "+Secret {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fault := s.fault
	if looks := r.Method == http.MethodGet; looks != (fault == "failed lookup") {
		fault = ""
	} else {
		s.fault = ""
	}
	if r.Method == http.MethodGet {
		s.find(w, r, fault)
		return
	}
	s.requests++
	var in operation
	if json.NewDecoder(r.Body).Decode(&in) != nil || r.Header.Get("Idempotency-Key") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in.Key = r.Header.Get("Idempotency-Key")
	s.flip = !s.flip
	switch fault {
	case "lost request":
		hangUp(w)
	case "lost response":
		s.do(in)
		hangUp(w)
	case "slow request":
		s.late = append(s.late, func() { s.do(in) })
		hangUp(w)
	case "server error", "garbage":
		if s.flip {
			s.do(in)
		}
		if fault == "garbage" {
			_, _ = w.Write([]byte("<html>"))
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	case "rate limit":
		w.WriteHeader(http.StatusTooManyRequests)
	case "rejected":
		w.WriteHeader(http.StatusBadRequest)
	default:
		in.Code = map[bool]string{true: "not_accepted"}[fault == "declined"]
		status, out := s.do(in)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out)
	}
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if c, _, err := h.Hijack(); err == nil {
			_ = c.Close()
		}
	}
}

func (s *Scheme) find(w http.ResponseWriter, r *http.Request, fault string) {
	key, id := r.FormValue("key"), r.FormValue("id")
	i := slices.IndexFunc(s.done, func(o *operation) bool {
		return (key == "" || o.Key == key) && (id == "" || o.ID == id) && key+id != ""
	})
	switch {
	case fault != "":
		w.WriteHeader(http.StatusInternalServerError)
	case i < 0:
		w.WriteHeader(http.StatusNotFound)
	default:
		_ = json.NewEncoder(w).Encode(s.done[i])
	}
}

// do does what is asked once under a key, and says the same ever after.
func (s *Scheme) do(in operation) (status int, out *operation) {
	for _, o := range s.done {
		if o.Key == in.Key {
			if o.Do != in.Do || o.Cents != in.Cents || in.Do != "refund" && o.Card != in.Card {
				return http.StatusConflict, nil
			}
			return http.StatusOK, o
		}
	}
	o := &in
	o.ID, o.Status, o.At = fmt.Sprintf("op_%d", len(s.done)+1), "done", time.Unix(1_800_000_000+int64(len(s.done)), 0).UTC()
	if o.Code == "" {
		o.Code = s.apply(o)
	}
	if o.Code != "" {
		o.Status = "declined"
	}
	o.Last4 = o.Card[max(0, len(o.Card)-4):]
	s.done = append(s.done, o)
	return http.StatusOK, o
}

// apply moves the money, or says why not.
func (s *Scheme) apply(o *operation) (declined string) {
	if o.Do == "refund" {
		return s.refund(o)
	}
	balance, known := s.cards[o.Card]
	switch {
	case !known:
		return "unknown_card"
	case o.Do == "redeem" && balance < o.Cents:
		return "insufficient_funds"
	case o.Do == "redeem":
		s.cards[o.Card] -= o.Cents
	}
	return ""
}

func (s *Scheme) refund(o *operation) (declined string) {
	left := int64(0)
	for _, other := range s.done {
		switch {
		case other.ID == o.Of && other.Do == "redeem" && other.Status == "done":
			left += other.Cents
			o.Card = other.Card
		case other.Of == o.Of && other.Status == "done":
			left -= other.Cents
		}
	}
	if left < o.Cents {
		return "exceeds_payment"
	}
	s.cards[o.Card] += o.Cents
	return ""
}

// What follows is what providertest asks a far side for.

// Sample is an operation that goes well.
func (s *Scheme) Sample(k providers.Kind) (providers.Operation, bool) {
	const plenty = 1_000_000_000
	op := providers.Operation{Key: uuid.NewString(), Kind: k, Method: "voucher", Member: "alice"}
	switch k {
	case providers.Link:
		op.Instrument = s.Sell(plenty)
	case providers.Deposit:
		op.Instrument, op.Amount = s.Sell(plenty), currency.MustNew(4000, currency.USD)
	case providers.Refund:
		op.Amount = currency.MustNew(4000, currency.USD)
	default:
		return op, false
	}
	return op, true
}

// Executed says how often the scheme did what was asked under a key.
func (s *Scheme) Executed(key string) (n int) {
	for _, o := range s.of(key) {
		if o.Status == "done" {
			n++
		}
	}
	return n
}

// Moved says how much.
func (s *Scheme) Moved(key string) (currency.Amount, bool) {
	for _, o := range s.of(key) {
		if o.Status == "done" && o.Cents > 0 {
			return currency.MustNew(o.Cents, currency.USD), true
		}
	}
	return currency.Amount{}, false
}

func (s *Scheme) of(key string) (found []*operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.done {
		if o.Key == key {
			found = append(found, o)
		}
	}
	return found
}

// Requests says how many requests to do something came.
func (s *Scheme) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Fault makes the next request meet one of providertest's faults.
func (s *Scheme) Fault(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = name
	known := "lost request, lost response, slow request, server error, garbage, rate limit, rejected, declined, failed lookup"
	if !strings.Contains(", "+known+", ", ", "+cmp.Or(name, "?")+", ") {
		s.fault = ""
		return false
	}
	return true
}

// Advance lets what is late arrive.
func (s *Scheme) Advance() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := len(s.late) > 0
	for _, do := range s.late {
		do()
	}
	s.late = nil
	return changed
}
