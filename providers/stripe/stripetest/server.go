package stripetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what to pretend. All are optional.
type Options struct {
	Clock func() time.Time // default time.Now
	// Secrets sign webhooks: the newest first, two while one is rotated. None: there are no webhooks.
	Secrets []string
	// KeyRetention is how long an idempotency key is remembered; default 24 hours.
	KeyRetention time.Duration
	// Settlement is the currency of the balance for charges in a currency that Rates has: how many of its smallest units
	// (numerator) a number of the charge's (denominator) are.
	Settlement string
	Rates      map[string][2]int64
}

// Server is the pretend Stripe. It is safe for concurrent use.
type Server struct {
	options  Options
	listener net.Listener
	http     *http.Server

	mu       sync.Mutex
	now      time.Time
	serial   int
	objects  map[string]object
	lists    map[string][]string // ids by kind of object, oldest first
	keys     map[string]*answer
	agenda   []appointment
	books    books
	outbox   []letter
	mail     Mail
	onEvent  func(body []byte)
	fresh    []string // events of the request at work
	script   []Fault
	lookups  int // that fail
	requests int
	coin     bool
	gate     chan struct{} // closed when held requests may go on
}

// answer is what is stored under an idempotency key.
type answer struct {
	at      time.Time
	request string
	running bool
	status  int
	body    []byte
}

const apiKey = "sk_test_stripetest" //nolint:gosec // opens nothing but this server

// New starts a server on a free loopback port.
func New(o Options) (*Server, error) {
	if o.Clock == nil {
		o.Clock = time.Now //nolint:forbidigo // the default clock
	}
	if o.KeyRetention == 0 {
		o.KeyRetention = 24 * time.Hour
	}
	o.Secrets = slices.Clone(o.Secrets)
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stripetest: %w", err)
	}
	s := &Server{
		options: o, listener: listener, objects: map[string]object{}, lists: map[string][]string{}, keys: map[string]*answer{},
		books: newBooks(), gate: make(chan struct{}),
	}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.http.Serve(listener) }() // ends with Close
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() { _ = s.http.Close() }

// URL is where the API is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Key is the secret key that the API takes.
func (s *Server) Key() string { return apiKey }

// Client is an HTTP client for the server, which plays the fault Refuse.
func (s *Server) Client() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &gatekeeper{server: s, base: &http.Transport{}}}
}

// gatekeeper refuses connections when the script says so.
type gatekeeper struct {
	server *Server
	base   http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (g *gatekeeper) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && !spared(r) && g.server.refuses() {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: g.server.listener.Addr(), Err: syscall.ECONNREFUSED}
	}
	return g.base.RoundTrip(r)
}

func (s *Server) refuses() bool {
	s.enter()
	defer s.mu.Unlock()
	if len(s.script) == 0 || s.script[0] != Refuse {
		return false
	}
	s.script = s.script[1:]
	s.requests++
	return true
}

// enter locks the server, reads its clock and lets happen what is due.
func (s *Server) enter() {
	s.mu.Lock()
	now := s.options.Clock()
	for len(s.agenda) > 0 && !s.agenda[0].at.After(now) {
		next := s.agenda[0]
		s.agenda = s.agenda[1:]
		if next.at.After(s.now) {
			s.now = next.at
		}
		next.do()
	}
	if now.After(s.now) {
		s.now = now
	}
	s.fresh = nil
}

type appointment struct {
	at time.Time
	do func()
}

func (s *Server) later(after time.Duration, do func()) {
	at := s.now.Add(after)
	i, _ := slices.BinarySearchFunc(s.agenda, at, func(a appointment, at time.Time) int {
		if a.at.After(at) {
			return 1
		}
		return -1 // equal times keep their order
	})
	s.agenda = slices.Insert(s.agenda, i, appointment{at, do})
}

// NextChange is when something is due to happen by itself.
func (s *Server) NextChange() (time.Time, bool) {
	s.enter()
	defer s.mu.Unlock()
	if len(s.agenda) == 0 {
		return time.Time{}, false
	}
	return s.agenda[0].at, true
}

// problem is an error answer.
type problem struct {
	status                     int
	kind, code, message, param string
	decline                    string
	about                      object // the intent of a card error
	unsaved                    bool   // refused before anything was executed
}

func invalid(param, message string) *problem {
	return &problem{status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: message, unsaved: true}
}

func missing(id string) *problem {
	return &problem{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "resource_missing", param: "id",
		message: "No such object: '" + id + "'", unsaved: true,
	}
}

func (s *Server) problemBody(p *problem) []byte {
	e := object{"type": p.kind, "message": p.message}
	for k, v := range map[string]string{"code": p.code, "param": p.param, "decline_code": p.decline} {
		if v != "" {
			e[k] = v
		}
	}
	if p.about != nil {
		e[p.about.text("object")] = s.render(p.about, nil)
	}
	return encode(object{"error": e})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("stripetest: " + err.Error()) // objects hold only what JSON can carry
	}
	return b
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	form, err := url.ParseQuery(string(body))
	if r.Method == http.MethodGet {
		form, err = r.URL.Query(), nil
	}
	s.mu.Lock()
	s.serial++
	w.Header().Set("Request-Id", "req_"+strconv.Itoa(s.serial))
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case token != apiKey:
		s.reply(w, http.StatusUnauthorized, s.problemBody(&problem{kind: "invalid_request_error", message: "Invalid API Key provided: " + token}))
	case err != nil:
		s.reply(w, http.StatusBadRequest, s.problemBody(invalid("", "the form cannot be read")))
	case r.Method == http.MethodGet:
		status, body := s.read(r.URL.Path, form)
		s.reply(w, status, body)
	case r.Method == http.MethodPost:
		s.write(w, r, form)
	default:
		s.reply(w, http.StatusMethodNotAllowed, s.problemBody(invalid("", "method")))
	}
}

func (s *Server) reply(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // JSON, to a test
}

// spared are requests that faults leave alone.
func spared(r *http.Request) bool { return r.URL.Path == "/v1/customers" }

// write serves a request that does something, with the fault that is due.
func (s *Server) write(w http.ResponseWriter, r *http.Request, form url.Values) {
	s.enter()
	fault := None
	if !spared(r) {
		s.requests++
		if len(s.script) > 0 {
			fault, s.script = s.script[0], s.script[1:]
		}
	}
	acts := true
	switch fault {
	case LostRequest, TooManyRequests, Forbidden, Reject:
		acts = false
	case LateRequest:
		acts = false
		s.later(30*time.Second, func() { s.once(r, form, None) })
	case ServerError, Garbage:
		s.coin = !s.coin
		acts = s.coin
	case OtherAmount:
		if units, err := strconv.ParseInt(form.Get("amount"), 10, 64); err == nil {
			form.Set("amount", strconv.FormatInt(max(units-1, 1), 10))
		}
	case None, Refuse, LostResponse, StoredError, Decline, Held:
	}
	var status int
	var body []byte
	if acts {
		status, body = s.once(r, form, fault)
	}
	early, fresh := s.onEvent, s.fresh
	s.mu.Unlock()
	if early != nil {
		for _, id := range fresh {
			early([]byte(id))
		}
	}
	switch fault {
	case LostRequest, LostResponse, LateRequest:
		hangUp(w)
	case ServerError:
		s.reply(w, http.StatusInternalServerError, []byte(`{"error":{"type":"api_error","message":"An unknown error occurred"}}`))
	case Garbage:
		s.reply(w, http.StatusOK, []byte("<html><body>Bad gateway "+apiKey+"</body></html>"))
	case TooManyRequests:
		w.Header().Set("Retry-After", "2")
		s.reply(w, http.StatusTooManyRequests, s.problemBody(&problem{kind: "invalid_request_error", code: "rate_limit", message: "Too many requests"}))
	case Forbidden:
		s.reply(w, http.StatusForbidden, s.problemBody(&problem{kind: "invalid_request_error", code: "more_permissions_required", message: "The key " + apiKey + " may not do this"}))
	case Reject:
		s.reply(w, http.StatusBadRequest, s.problemBody(invalid("amount", "Invalid, says "+apiKey)))
	case None, Refuse, StoredError, Decline, Held, OtherAmount:
		s.reply(w, status, body)
	}
}

// hangUp breaks the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			_ = conn.Close()
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// once executes a request unless its key is known.
func (s *Server) once(r *http.Request, form url.Values, fault Fault) (int, []byte) {
	key := r.Header.Get("Idempotency-Key")
	request := r.URL.Path + "?" + form.Encode()
	if known, ok := s.keys[key]; ok && key != "" && s.now.Sub(known.at) <= s.options.KeyRetention {
		switch {
		case known.running:
			return http.StatusConflict, s.problemBody(&problem{
				kind: "idempotency_error", code: "idempotency_key_in_use", message: "There is currently another in-progress request using this Idempotent Key.",
			})
		case known.request != request:
			return http.StatusBadRequest, s.problemBody(&problem{
				kind: "idempotency_error", message: "Keys for idempotent requests can only be used with the same parameters they were first used with.",
			})
		}
		return known.status, known.body
	}
	stored := &answer{at: s.now, request: request, running: true}
	s.keys[key] = stored
	if fault == Held {
		gate := s.gate
		s.mu.Unlock()
		<-gate
		s.enter()
	}
	made, trouble := s.execute(r.URL.Path, form, fault == Decline)
	stored.running = false
	switch {
	case trouble != nil:
		stored.status, stored.body = trouble.status, s.problemBody(trouble)
		if trouble.unsaved {
			delete(s.keys, key)
		}
	case fault == StoredError:
		stored.status, stored.body = http.StatusInternalServerError, []byte(`{"error":{"type":"api_error","message":"An unknown error occurred"}}`)
	default:
		stored.status, stored.body = http.StatusOK, encode(s.render(made, form["expand[]"], expands(form)...))
	}
	return stored.status, bytes.Clone(stored.body)
}

// expands are the paths to expand, which libraries number.
func expands(form url.Values) (paths []string) {
	for k, v := range form {
		if strings.HasPrefix(k, "expand[") && k != "expand[]" {
			paths = append(paths, v...)
		}
	}
	return paths
}

func (s *Server) execute(path string, form url.Values, decline bool) (object, *problem) {
	do, ok := map[string]func(url.Values, bool) (object, *problem){
		"/v1/customers": s.makeCustomer, "/v1/setup_intents": s.makeSetup, "/v1/checkout/sessions": s.makeCheckout,
		"/v1/payment_intents": s.makeIntent, "/v1/refunds": s.makeRefund, "/v1/transfers": s.makeTransfer, "/v1/payouts": s.makePayout,
	}[path]
	if !ok {
		return nil, &problem{status: http.StatusNotFound, kind: "invalid_request_error", message: "Unrecognized request URL", unsaved: true}
	}
	return do(form, decline)
}

var errScenario = errors.New("stripetest: does not apply")
