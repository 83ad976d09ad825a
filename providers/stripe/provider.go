package stripe

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	api "github.com/stripe/stripe-go/v82"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

const (
	day = 24 * time.Hour
	// keyRetention is how long Stripe promises to remember an idempotency key of its v1 API; it may be longer. (Keys of its v2
	// API live 30 days; nothing here uses that.)
	keyRetention = day
	// visibleAfter is how long a request that nobody waits for any more may still be running at Stripe.
	visibleAfter = 90 * time.Second
	// keyField is the metadata field with kosh's key, which is how an operation is found again whose answer was lost.
	keyField = "kosh_key"
)

// Provider is the Stripe adapter. It is safe for concurrent use and keeps nothing in memory.
type Provider struct {
	config     Config
	client     *api.Client
	descriptor providers.Descriptor
}

// New makes the adapter. It does no I/O; see [Provider.Check].
func New(c Config) (*Provider, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	p := &Provider{config: c, client: newClient(c)}
	if p.descriptor, err = describe(c); err != nil {
		return nil, err
	}
	if err := p.descriptor.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return p, nil
}

func describe(c Config) (providers.Descriptor, error) {
	d := providers.Descriptor{Name: c.Name, KeyRetention: keyRetention, VisibleAfter: visibleAfter, Offers: []providers.Offer{
		{Kind: providers.Link, Method: providers.Card}, {Kind: providers.Link, Method: providers.Bank},
	}}
	for _, a := range c.Assets {
		offers, err := offersOf(a)
		if err != nil {
			return d, fmt.Errorf("%w: %s: %w", ErrConfig, a.ID(), err)
		}
		d.Offers = append(d.Offers, offers...)
	}
	return d, nil
}

func offersOf(a currency.Asset) ([]providers.Offer, error) {
	o := providers.Offer{Asset: a.ID(), Exponent: exponent(a.ID())}
	var err error
	if o.Max, err = currency.FromMinor(int64(maxUnits), o.Exponent, a); err != nil {
		// Wire amounts of some currencies are whole only at a coarser place: the bound may round down.
		if o.Max, err = currency.FromMinor(int64(maxUnits+1-100), o.Exponent, a); err != nil {
			return nil, err
		}
	}
	if o.Step, err = chargeStep(a); err != nil {
		return nil, err
	}
	deposit, refund, withdrawal := o, o, o
	deposit.Kind, refund.Kind, withdrawal.Kind = providers.Deposit, providers.Refund, providers.Withdrawal
	if least, ok := minima[a.ID()]; ok {
		if deposit.Min, err = currency.FromMinor(least, o.Exponent, a); err != nil {
			return nil, err
		}
	}
	if withdrawal.Step, err = payoutStep(a); err != nil {
		return nil, err
	}
	var offers []providers.Offer
	for _, m := range []providers.Method{providers.Card, providers.Bank} {
		deposit.Method, refund.Method, withdrawal.Method = m, m, m
		if m == providers.Card || a.ID() == "USD" { // bank debits are ACH
			deposit.Provisional = m == providers.Bank
			offers = append(offers, deposit, refund)
		}
		offers = append(offers, withdrawal)
	}
	return offers, nil
}

// Describe implements [providers.Provider].
func (p *Provider) Describe() providers.Descriptor {
	d := p.descriptor
	d.Offers = append([]providers.Offer(nil), d.Offers...)
	return d
}

// Submit implements [providers.Provider].
func (p *Provider) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	for _, check := range []func() error{ctx.Err, op.Validate, func() error { return p.descriptor.Supports(op) }} {
		if err := check(); err != nil {
			return providers.Report{}, notSent(err)
		}
	}
	switch op.Kind {
	case providers.Link:
		return p.link(ctx, op)
	case providers.Deposit:
		return p.charge(ctx, op)
	case providers.Refund:
		return p.refund(ctx, op)
	case providers.Withdrawal:
		return p.withdraw(ctx, op)
	case providers.DepositAddress, providers.Cancel, providers.Settlement:
	}
	return providers.Report{}, notSent(fmt.Errorf("%w: %s", providers.ErrUnsupported, op.Kind))
}

// Lookup implements [providers.Provider]. By reference it is one request or two; by our key it pages through what was made
// since the operation was first sent, newest first, because Stripe's search lags and is not there for everybody.
func (p *Provider) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if err := ctx.Err(); err != nil {
		return providers.Report{}, err
	}
	var r providers.Report
	var err error
	switch prefix, _, _ := strings.Cut(q.Reference, "_"); {
	case q.Reference == "" && q.Key == "":
		return providers.Report{}, errQuery
	case q.Reference == "":
		r, err = p.findByKey(ctx, q)
	case strings.ContainsAny(q.Reference, "/?#% ") && prefix != "acct" && prefix != "ba" && prefix != "card":
		err = providers.ErrNotFound // no id of Stripe's
	default:
		read, ok := map[string]func(context.Context, string) (providers.Report, error){
			"pi": p.readIntent, "ch": p.readCharge, "py": p.readCharge, "re": p.readRefund, "pyr": p.readRefund,
			"tr": p.readTransfer, "po": p.readPayout, "seti": p.readSetup, "cs": p.readCheckout, "txn": p.readMovement,
			"acct": p.readDestination, "ba": p.readDestination, "card": p.readDestination,
		}[prefix]
		if !ok {
			err = providers.ErrNotFound
			break
		}
		r, err = read(ctx, q.Reference)
	}
	if err != nil {
		return providers.Report{}, p.lookupFailure(err)
	}
	if q.Key != "" && r.Key != q.Key {
		return providers.Report{}, fmt.Errorf("stripe: %w: the reference is another operation's", providers.ErrNotFound)
	}
	return r, nil
}

func (p *Provider) findByKey(ctx context.Context, q providers.Query) (providers.Report, error) {
	finders := map[providers.Kind]func(context.Context, providers.Query) (providers.Report, error){
		providers.Deposit: p.findIntent, providers.Refund: p.findRefund, providers.Withdrawal: p.findWithdrawal, providers.Link: p.findLink,
	}
	if find, ok := finders[q.Kind]; ok {
		return find(ctx, q)
	}
	if q.Kind != "" {
		return providers.Report{}, providers.ErrNotFound // a kind that is never submitted here
	}
	for _, k := range []providers.Kind{providers.Deposit, providers.Refund, providers.Withdrawal, providers.Link} {
		if r, err := finders[k](ctx, q); !isNotFound(err) {
			return r, err
		}
	}
	return providers.Report{}, providers.ErrNotFound
}

// Check implements [providers.Checker]: it reads the account's balance, which needs the key and nothing else.
func (p *Provider) Check(ctx context.Context) error {
	_, err := p.client.V1Balance.Retrieve(ctx, nil)
	if err != nil {
		return p.lookupFailure(err)
	}
	return nil
}

// Format prints the provider without its secrets, whatever the verb.
func (p *Provider) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, "stripe.Provider("+p.config.Name+")")
}

// LogValue logs the provider without its secrets.
func (p *Provider) LogValue() slog.Value {
	return slog.StringValue("stripe.Provider(" + p.config.Name + ")")
}
