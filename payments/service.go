package payments

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
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
	// Screen is asked about withdrawals before they are sent, and about money that came by itself before it is credited; nil: nobody is.
	Screen Screener
	// TipFee is the platform's share of a tip as a fraction of 1, for example 0.05, rounded half even. Zero: none.
	TipFee decimal.Decimal
	// WithdrawalFees says who bears what a provider charges for a withdrawal; default PlatformBears.
	WithdrawalFees Bearer
	// Route chooses among several providers for one operation; nil: by name.
	Route Router
	// Rates gives the price of an exchange; nil means that nothing can be exchanged.
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

// Service is what people do with money. It is safe for concurrent use, by several processes on one book too, and starts no
// goroutine of its own.
type Service struct {
	book   *ledger.Book
	config Config

	desk  *Desk // works on the book itself, outside any transaction of the host
	lanes *lanes

	silent atomic.Pointer[time.Time] // when the screener last did not answer

	numbering sync.Mutex // of the sequencer, which is for one at a time
	sequencer *ledger.Sequencer
}

// New makes a service over a book. It does no I/O.
func New(book *ledger.Book, c Config) (*Service, error) {
	if book == nil {
		return nil, invalid("book", "is nil")
	}
	if c.TipFee.IsNegative() || c.TipFee.GreaterThanOrEqual(decimal.NewFromInt(1)) {
		return nil, invalid("config.TipFee", "%s is not in [0, 1)", c.TipFee)
	}
	if c.WithdrawalFees != PlatformBears && c.WithdrawalFees != MemberBears {
		return nil, invalid("config.WithdrawalFees", "%q is unknown", c.WithdrawalFees)
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
	all := newLanes()
	desk := &Desk{book: book, config: c, offers: all, patience: c.SubmitTimeout}
	return &Service{book: book, config: c, desk: desk, lanes: all, sequencer: book.Sequencer()}, nil
}

// Book returns the book that the service keeps.
func (s *Service) Book() *ledger.Book { return s.book }

// Assets returns the registry of assets that the service accepts; enable more at any time.
func (s *Service) Assets() *currency.Registry { return s.config.Assets }

// Payment returns a payment as it stands in the book; it asks no provider.
func (s *Service) Payment(ctx context.Context, actor Actor, id string) (Payment, error) {
	return s.desk.Payment(ctx, actor, id)
}
