package payments

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
	"github.com/koshpay/kosh/providers"
)

// Config configures a [Service]. The zero value is safe: all current ISO 4217 currencies, only owners take money out, no
// platform fee, no limits.
type Config struct {
	// Assets are the assets that the service accepts; nil means every current currency of ISO 4217. More can be enabled
	// while the service runs.
	Assets *currency.Registry
	// Authorize decides who may do what; nil means OwnerOnly.
	Authorize Authorizer
	// Rules are asked about every proposed payment, inside the step that records it; the strictest verdict wins.
	Rules []Rule
	// TipFee is the platform's share of a tip as a fraction of 1, for example 0.05, rounded half even. Zero: none.
	TipFee decimal.Decimal
	// Rates gives the rate of an exchange; nil means that nothing can be exchanged.
	Rates RateSource
	// SubmitTimeout is how long an attempt may take before a worker considers its outcome unknown. Default 1 minute.
	SubmitTimeout time.Duration
	// PollEvery is how often providers that are Pollers are polled. Default 10 seconds.
	PollEvery time.Duration
	// WatchFor is how long a payment that succeeded but is not final is still looked up. Default 180 days.
	WatchFor time.Duration
	// MaxNotSent is how often an operation that certainly was never sent is tried before it fails. Default 5.
	MaxNotSent int
	// Interval is how long Run rests when there is nothing to do. Default 1 second.
	Interval time.Duration
	// Worker names this process in leases, for operators.
	Worker string
	// OnError is told of every error that Run meets; nil drops them. Run goes on in any case.
	OnError func(error)
	// NewID makes the ids of payments, which are also their keys at the provider; they must never repeat. Default UUIDv7.
	NewID func() uuid.UUID
}

// RateSource gives the rate at which the platform exchanges from for to. ok is false when it does not.
type RateSource func(ctx context.Context, from, to currency.Asset) (rate currency.Rate, ok bool, err error)

// Service is what people do with money. It is safe for concurrent use, by several processes on one book too, and starts no
// goroutine of its own.
type Service struct {
	book   *ledger.Book
	config Config

	mu      sync.RWMutex
	lanes   map[string]providers.Provider
	cursors map[string]bool // providers whose polling is recorded as due work
}

// New makes a service over a book. It does no I/O.
func New(book *ledger.Book, c Config) (*Service, error) {
	if book == nil {
		return nil, invalid("book", "is nil")
	}
	if c.TipFee.IsNegative() || c.TipFee.GreaterThanOrEqual(decimal.NewFromInt(1)) {
		return nil, invalid("config.TipFee", "%s is not in [0, 1)", c.TipFee)
	}
	if c.Assets == nil {
		registry, err := currency.NewRegistry()
		if err != nil {
			return nil, err
		}
		for _, d := range currency.ISO() {
			if err := registry.Enable(d); err != nil {
				return nil, err
			}
		}
		c.Assets = registry
	}
	if c.Authorize == nil {
		c.Authorize = OwnerOnly
	}
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&c.SubmitTimeout, time.Minute},
		{&c.PollEvery, 10 * time.Second},
		{&c.WatchFor, 180 * 24 * time.Hour},
		{&c.Interval, time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.usual
		}
	}
	if c.NewID == nil {
		c.NewID = func() uuid.UUID { return uuid.Must(uuid.NewV7()) }
	}
	if c.MaxNotSent <= 0 {
		c.MaxNotSent = 5
	}
	return &Service{book: book, config: c, lanes: map[string]providers.Provider{}, cursors: map[string]bool{}}, nil
}

// Book returns the book that the service keeps.
func (s *Service) Book() *ledger.Book { return s.book }

// Assets returns the registry of assets that the service accepts; enable more at any time.
func (s *Service) Assets() *currency.Registry { return s.config.Assets }

// Register adds a provider. Providers may be registered while the service runs; a worker takes only work whose provider it
// has. The same name again is ErrProviderExists.
func (s *Service) Register(p providers.Provider) error {
	if p == nil {
		return invalid("provider", "is nil")
	}
	d := p.Describe()
	if err := d.Validate(); err != nil {
		r := refuse(ErrInvalid, ledger.ErrInvalid, "provider", "descriptor of %q", d.Name)
		r.Cause = err
		return r
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.lanes[d.Name]; taken {
		return refuse(ErrConflict, ErrProviderExists, "provider", "%q is registered already", d.Name)
	}
	s.lanes[d.Name] = p
	return nil
}

// Providers returns the registered providers' names, sorted.
func (s *Service) Providers() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.lanes))
}

func (s *Service) provider(name string) (providers.Provider, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.lanes[name]
	if !ok {
		return nil, refuse(ErrUnavailable, ErrNoProvider, "provider", "%q is not registered here", name)
	}
	return p, nil
}

// offering finds a provider for an operation: the one named, or the first by name that offers it.
func (s *Service) offering(name string, kind providers.Kind, method providers.Method, asset currency.AssetID) (string, providers.Offer, bool) {
	for _, n := range s.Providers() {
		if name != "" && n != name {
			continue
		}
		p, err := s.provider(n)
		if err != nil {
			continue
		}
		for _, o := range p.Describe().Offers {
			if o.Kind == kind && o.Asset == asset && (method == "" || o.Method == method) {
				return n, o, true
			}
		}
	}
	return "", providers.Offer{}, false
}

// within refuses an amount that the provider does not take, before anything is recorded.
func within(o providers.Offer, a currency.Amount) error {
	err := o.Admits(a)
	if err == nil {
		return nil
	}
	r := refuse(ErrInvalid, ErrUnsupported, "amount", "the provider does not take it")
	r.Cause = err
	return r
}

// request records what an actor asks for, under the actor's own key, and returns the payment that it made or that an
// earlier call with this key made.
func (s *Service) request(ctx context.Context, actor Actor, key string, inputs any, id uuid.UUID, e ledger.Entry) (Payment, error) {
	if key == "" {
		return Payment{}, invalid("key", "is empty")
	}
	e.Key = requestKey(actor, key)
	e.Inputs = inputs
	receipt, err := s.book.Record(ctx, e)
	if err != nil {
		return Payment{Replayed: receipt.Replayed}, err
	}
	document := paymentDocument(id.String())
	if receipt.Replayed {
		if document, err = madeBy(receipt); err != nil {
			return Payment{}, err
		}
	}
	d, err := s.book.Document(ctx, document)
	if err != nil {
		return Payment{}, err
	}
	p, err := payment(d)
	p.Replayed = receipt.Replayed
	return p, err
}

// madeBy finds the payment that an entry made: its request's own document comes last.
func madeBy(r ledger.Receipt) (ledger.DocumentID, error) {
	for _, results := range [][]ledger.Result{r.Results, r.Guarded} {
		for i := len(results) - 1; i >= 0; i-- {
			if results[i].Document.Kind == kindPayment {
				return results[i].Document, nil
			}
		}
	}
	return ledger.DocumentID{}, refuse(ErrConflict, ledger.ErrKeyConflict, "key", "the key made no payment")
}

// Payment returns a payment as it stands in the book; it asks no provider.
func (s *Service) Payment(ctx context.Context, actor Actor, id string) (Payment, error) {
	p, err := s.load(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	if p.Counterparty != "" && actor.member == p.Counterparty {
		return p, nil // both sides of a transfer may see it
	}
	if err := s.authorize(ctx, actor, ActView, p.Member); err != nil {
		return Payment{}, err
	}
	return p, nil
}

func (s *Service) load(ctx context.Context, id string) (Payment, error) {
	d, err := s.document(ctx, id)
	if err != nil {
		return Payment{}, err
	}
	return payment(d)
}

func (s *Service) document(ctx context.Context, id string) (ledger.Document, error) {
	if !parseKey(id) {
		return ledger.Document{}, refuse(ErrNotFound, ErrNoPayment, "id", "%q is not the id of a payment", id)
	}
	d, err := s.book.Document(ctx, paymentDocument(id))
	if errors.Is(err, ledger.NotFound) {
		return d, refuse(ErrNotFound, ErrNoPayment, "id", "there is no payment %s", id)
	}
	return d, err
}

// again answers a request that cannot be prepared any more, because a provider, rate or instrument has gone since: when
// its key was used before, with what that made; else with the cause.
func (s *Service) again(ctx context.Context, actor Actor, key string, inputs any, cause error) (Payment, error) {
	if _, err := s.book.Receipt(ctx, requestKey(actor, key)); errors.Is(err, ledger.ErrKeyNotFound) {
		return Payment{}, cause
	}
	return s.request(ctx, actor, key, inputs, uuid.Nil, ledger.Entry{})
}

func requestKey(actor Actor, key string) string { return "req/" + actor.String() + "/" + key }

// tagged is what a request's key stands for: the request and what was wanted with it.
type tagged struct {
	Kind    Kind `json:"kind"`
	Request any  `json:"request"`
}
