package sandbox

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Sandbox is an adapter and, behind it, the far side that it talks to. It implements [providers.Provider],
// [providers.Receiver], [providers.Poller], [providers.Lister], [providers.Checker] and [providers.Quoter]. It is safe for concurrent use.
type Sandbox struct {
	// far is shared with what Reconnect returns. The adapter itself remembers nothing.
	far *farSide
	// accepts are the webhook secrets of an adapter that was told its own; nil: those that the far side signs with.
	accepts signers
}

var (
	_ providers.Provider = (*Sandbox)(nil)
	_ providers.Receiver = (*Sandbox)(nil)
	_ providers.Poller   = (*Sandbox)(nil)
	_ providers.Checker  = (*Sandbox)(nil)
	_ providers.Quoter   = (*Sandbox)(nil)
	_ providers.Lister   = (*Sandbox)(nil)
)

// farSide is the pretend network, bank and chain. Everything is guarded by mu and happens inside a call: see enter.
type farSide struct {
	mu     sync.Mutex
	cfg    Config // without its secret
	rng    *rand.Rand
	now    time.Time // the latest clock reading
	agenda agenda    // what happens later

	descriptor  providers.Descriptor // its offers are replaced, never changed
	keys        map[string]*keyEntry
	operations  []*operation
	byKey       map[string][]*operation
	byReference map[string]*operation
	instruments map[string]instrument
	addresses   map[string]address
	books       books
	settled     map[currency.AssetID]int // how much of the books' log the last batch has covered
	chain       chain

	events  []event
	outbox  agenda
	signers signers

	faults      Faults
	script      []Fault
	failLookups int
	failPolls   int
	requests    int
	halted      error // see Halt
}

// New makes a sandbox. Its world begins at the clock's time.
func New(c Config) (*Sandbox, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	secret, assets := c.Secret, c.Assets
	c.Secret, c.Assets = nil, nil
	f := &farSide{
		cfg:         c,
		rng:         rand.New(rand.NewPCG(c.Seed, 0x6b6f7368)), //nolint:gosec // determinism is the point; nothing here is secret
		keys:        make(map[string]*keyEntry),
		byKey:       make(map[string][]*operation),
		byReference: make(map[string]*operation),
		instruments: make(map[string]instrument),
		addresses:   make(map[string]address),
		settled:     make(map[currency.AssetID]int),
		faults:      c.Faults,
		descriptor:  providers.Descriptor{Name: c.Name, KeyRetention: c.KeyRetention, VisibleAfter: c.VisibleAfter},
	}
	if c.NoKeys {
		f.descriptor.KeyRetention = 0
	}
	f.books.init()
	if len(secret) > 0 {
		f.signers.rotate(secret)
	}
	for _, m := range c.Methods {
		f.descriptor.Offers = append(f.descriptor.Offers, providers.Offer{Kind: providers.Link, Method: m})
		if m != providers.Chain { // what was broadcast cannot be called back
			f.descriptor.Offers = append(f.descriptor.Offers, providers.Offer{Kind: providers.Cancel, Method: m})
		}
	}
	f.now = c.Clock().UTC().Round(0)
	f.chain.genesis = f.now
	s := &Sandbox{far: f}
	if len(assets) == 0 {
		return nil, fmt.Errorf("%w: no assets", ErrConfig)
	}
	for _, a := range assets {
		if err := s.AddAsset(a); err != nil {
			return nil, err
		}
	}
	return s, f.descriptor.Validate()
}

// AddAsset makes the sandbox deal in another asset from now on. Adding one again changes nothing.
func (s *Sandbox) AddAsset(a currency.Asset) error {
	d, err := currency.Intern(a)
	if err != nil {
		return err
	}
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	if slices.ContainsFunc(f.descriptor.Offers, func(o providers.Offer) bool { return o.Asset == d.ID() }) {
		return nil
	}
	offers, err := f.cfg.offers(d)
	if err != nil {
		return err
	}
	if len(offers) == 0 {
		return fmt.Errorf("%w: %s is moved by none of the methods", ErrConfig, d.ID())
	}
	f.descriptor.Offers = slices.Concat(f.descriptor.Offers, offers)
	return nil
}

// Reconnect returns a new adapter for the same far side, as after a restart of the process.
func (s *Sandbox) Reconnect() *Sandbox { return &Sandbox{far: s.far} }

// Rekeyed is Reconnect with webhook secrets of the adapter's own, newest first, as a host configures them during a rotation.
// The far side goes on signing with what it has. An empty secret is ErrConfig: anybody can sign with it.
func (s *Sandbox) Rekeyed(secrets ...[]byte) (*Sandbox, error) {
	accepts := make(signers, 0, len(secrets))
	for _, secret := range secrets {
		if len(secret) == 0 {
			return nil, fmt.Errorf("%w: empty secret", ErrConfig)
		}
		accepts = append(accepts, signer(secret))
	}
	return &Sandbox{far: s.far, accepts: accepts}, nil
}

// Describe implements [providers.Provider]. The answer changes only with AddAsset.
func (s *Sandbox) Describe() providers.Descriptor {
	s.far.mu.Lock()
	defer s.far.mu.Unlock()
	d := s.far.descriptor
	d.Offers = slices.Clone(d.Offers)
	return d
}

// Check implements [providers.Checker]: a sandbox is always reachable.
func (s *Sandbox) Check(ctx context.Context) error { return ctx.Err() }

// Quote implements [providers.Quoter]. A network fee is quoted at twice what it will be, as wallets do to be sure.
func (s *Sandbox) Quote(ctx context.Context, op providers.Operation) (providers.Quote, error) {
	if err := ctx.Err(); err != nil {
		return providers.Quote{}, err
	}
	f := s.far
	f.enter()
	defer f.mu.Unlock()
	if err := f.descriptor.Supports(op); err != nil {
		return providers.Quote{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	q := providers.Quote{Until: f.now.Add(10 * time.Minute)}
	if !op.Amount.IsValid() {
		return q, nil
	}
	var err error
	switch {
	case op.Kind == providers.Deposit && op.Method == providers.Card:
		q.Fee, err = f.cfg.CardFee.of(op.Amount)
	case op.Kind == providers.Withdrawal && op.Method == providers.Chain:
		if q.Fee, err = f.networkFee(op.Amount); err == nil {
			q.Fee, err = q.Fee.MulInt(2)
		}
	default:
		q.Fee = currency.Zero(op.Amount.Asset())
	}
	return q, err
}

// Format prints the sandbox's name and nothing else, whatever the verb.
func (s *Sandbox) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "sandbox.Sandbox("+s.far.cfg.Name+")")
}

// LogValue logs the sandbox's name and nothing else.
func (s *Sandbox) LogValue() slog.Value {
	return slog.StringValue("sandbox.Sandbox(" + s.far.cfg.Name + ")")
}

// enter locks the far side, reads the clock and lets happen what was due by now, in order.
func (f *farSide) enter() {
	f.mu.Lock()
	now := f.cfg.Clock().UTC().Round(0)
	if now.Before(f.now) {
		now = f.now
	}
	for {
		next, ok := f.agenda.pop(now)
		if !ok {
			break
		}
		f.now = next.at // so that what follows from it is as if somebody had called just then
		next.do(next.at)
	}
	f.now = now
}

// later puts something on the agenda.
func (f *farSide) later(at time.Time, do func(at time.Time)) {
	f.agenda.push(appointment{at: at, do: do})
}

// newID makes an id from the seed.
func (f *farSide) newID(prefix string) string { return fmt.Sprintf("%s_%016x", prefix, f.rng.Uint64()) }
