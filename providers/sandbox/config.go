package sandbox

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Config says what a sandbox pretends to be. Only Assets is required. A duration of 0 is the default, a negative one none
// at all.
type Config struct {
	Name string // the provider's name; default "sandbox"
	// Methods it moves money by: Card, Bank, Chain, one or all; default all.
	Methods []providers.Method
	// Assets it deals in: fiat ones by card and bank, crypto ones by chain, virtual ones by every method.
	Assets []currency.Asset
	Seed   uint64
	Clock  func() time.Time // default time.Now
	// Secret signs webhooks. Without one there are none, and every delivery is refused as forged. It never prints.
	Secret []byte
	// Tolerance is how old a webhook's signature may be; default 5 minutes.
	Tolerance time.Duration
	// HintsOnly makes webhooks and events say only which operation to look up.
	HintsOnly bool
	Faults    Faults

	// Terms changes an offer before it is made, of a Deposit, Withdrawal or Refund: bounds, increments, decimals on the wire.
	// What it leaves alone is as wide as it can be. It is pure.
	Terms func(o providers.Offer) providers.Offer

	CardFee    Fee // of a card deposit; default none
	DisputeFee Fee // of a dispute whose money is withdrawn; default none
	NetworkFee Fee // of a chain withdrawal; default a ten-thousandth of the asset, at least one smallest unit
	// Gas is the asset that a chain charges NetworkFee in, its own, which need not be one of Assets; default the asset that moves.
	// With it, only NetworkFee.Fixed counts.
	Gas currency.Asset
	// Dust are the least amounts, one an asset, that are worth collecting from a chain address: what comes in below them is reported
	// with the code dust.
	Dust []currency.Amount

	SettleAfter  time.Duration // from a bank debit to its money; default 24 h
	ReturnWindow time.Duration // from the money to Final; returns and bounces come half-way; default 48 h
	PayoutAfter  time.Duration // from a payout or bank refund to its money; default 24 h
	DisputeAfter time.Duration // from a card deposit to each next step of its instrument's dispute; default 72 h
	ActionWindow time.Duration // how long a charge waits for the person; default 1 h
	// CardSettleAfter, if positive, makes a card deposit leave for our bank account after that time: a Settled effect, and
	// Final only then.
	CardSettleAfter time.Duration

	BlockTime     time.Duration // default 1 minute
	Confirmations uint          // wanted before chain money counts; default 3
	Finality      uint          // confirmations after which no reorganisation comes; default 4 × Confirmations

	KeyRetention time.Duration // default 24 h
	VisibleAfter time.Duration // default 5 s
	// NoKeys makes a far side without idempotency keys: every submit is executed, and the descriptor says so.
	NoKeys bool
	// DuplicateErrors answers a repeated submit with a Duplicate error instead of the operation's report.
	DuplicateErrors bool
}

// Fee is a price: a share of the amount, rounded half up, plus a fixed number of smallest units.
type Fee struct {
	Rate  decimal.Decimal
	Fixed int64
}

func (f Fee) isZero() bool { return f.Rate.IsZero() && f.Fixed == 0 }

// of returns the fee for an amount, as a positive amount or zero.
func (f Fee) of(a currency.Amount) (currency.Amount, error) {
	share, err := a.Mul(f.Rate, currency.HalfUp)
	if err != nil {
		return currency.Amount{}, err
	}
	fixed, err := currency.New(f.Fixed, a.Asset())
	if err != nil {
		return currency.Amount{}, err
	}
	return share.Add(fixed)
}

// ErrConfig is a Config, Faults or scenario call that makes no sense.
var ErrConfig = errors.New("sandbox: invalid configuration")

func (c Config) withDefaults() (Config, error) {
	if c.Name == "" {
		c.Name = "sandbox"
	}
	if len(c.Methods) == 0 {
		c.Methods = []providers.Method{providers.Card, providers.Bank, providers.Chain}
	}
	for i, m := range c.Methods {
		if m != providers.Card && m != providers.Bank && m != providers.Chain {
			return c, fmt.Errorf("%w: unknown method %q", ErrConfig, m)
		}
		if slices.Contains(c.Methods[:i], m) {
			return c, fmt.Errorf("%w: method %q twice", ErrConfig, m)
		}
	}
	if err := c.chargesIn(); err != nil {
		return c, err
	}
	if c.Clock == nil {
		c.Clock = time.Now //nolint:forbidigo // the default clock
	}
	if c.CardFee.Rate.IsNegative() || c.CardFee.Fixed < 0 || c.NetworkFee.Rate.IsNegative() || c.NetworkFee.Fixed < 0 ||
		c.DisputeFee.Rate.IsNegative() || c.DisputeFee.Fixed < 0 {
		return c, fmt.Errorf("%w: negative fee", ErrConfig)
	}
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&c.Tolerance, 5 * time.Minute},
		{&c.SettleAfter, 24 * time.Hour},
		{&c.ReturnWindow, 48 * time.Hour},
		{&c.PayoutAfter, 24 * time.Hour},
		{&c.ActionWindow, time.Hour},
		{&c.DisputeAfter, 72 * time.Hour},
		{&c.BlockTime, time.Minute},
		{&c.KeyRetention, 24 * time.Hour},
		{&c.VisibleAfter, 5 * time.Second},
	} {
		switch {
		case *d.field == 0:
			*d.field = d.standard
		case *d.field < 0:
			*d.field = 0
		}
	}
	if c.BlockTime == 0 || c.KeyRetention == 0 {
		return c, fmt.Errorf("%w: BlockTime and KeyRetention must be positive; NoKeys makes a far side without keys", ErrConfig)
	}
	if c.Confirmations == 0 {
		c.Confirmations = 3
	}
	if c.Finality == 0 {
		c.Finality = 4 * c.Confirmations
	}
	if c.Finality < c.Confirmations {
		return c, fmt.Errorf("%w: Finality below Confirmations", ErrConfig)
	}
	return c, c.Faults.validate()
}

// chargesIn checks what chains charge in and what they call dust.
func (c Config) chargesIn() error {
	if c.Gas != nil && !c.NetworkFee.Rate.IsZero() {
		return fmt.Errorf("%w: a share of one asset cannot be charged in another", ErrConfig)
	}
	for _, d := range c.Dust {
		if d.Sign() <= 0 {
			return fmt.Errorf("%w: dust below %v", ErrConfig, d)
		}
	}
	return nil
}

// Format prints the configuration without its secret, whatever the verb.
func (c Config) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "sandbox.Config("+c.Name+")")
}

// LogValue logs the configuration without its secret.
func (c Config) LogValue() slog.Value { return slog.StringValue("sandbox.Config(" + c.Name + ")") }

// offers returns what the methods do with an asset, or nothing if none of them moves its kind.
func (c Config) offers(d *currency.Definition) ([]providers.Offer, error) {
	// The pretend far side's API counts cards and banks in 64 bits, chains in more.
	max64, err := currency.FromUnits(0, 1<<63-1, d)
	if err != nil {
		return nil, err
	}
	max98, err := currency.FromUnits(1<<34, 0, d)
	if err != nil {
		return nil, err
	}
	var offers []providers.Offer
	for _, m := range c.Methods {
		kinds, limit := []providers.Kind{providers.Deposit, providers.Withdrawal, providers.Refund}, max64
		switch {
		case m == providers.Chain && d.Kind() == currency.Fiat, m != providers.Chain && d.Kind() == currency.Crypto:
			continue
		case m == providers.Chain:
			kinds, limit = []providers.Kind{providers.DepositAddress, providers.Withdrawal}, max98
		case m == providers.Bank:
			kinds = append(kinds, providers.DepositAddress)
		}
		for _, k := range kinds {
			o := providers.Offer{Kind: k, Method: m, Asset: d.ID(), Exponent: d.Scale()}
			o.Provisional = k == providers.Deposit && m == providers.Bank // debits are returned
			if k != providers.DepositAddress {
				o.Max = limit
				if c.Terms != nil {
					o = c.Terms(o)
				}
			}
			offers = append(offers, o)
		}
	}
	return offers, nil
}
