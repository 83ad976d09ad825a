package ach

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Describe implements providers.Provider.
func (p *Provider) Describe() providers.Descriptor {
	c, cent := p.config, currency.MustNew(1, currency.USD)
	return providers.Descriptor{
		Name: c.Name,
		Offers: []providers.Offer{
			{Kind: providers.Link, Method: providers.Bank},
			{Kind: providers.Deposit, Method: providers.Bank, Asset: "USD", Min: cent, Max: c.MaxDebit, Step: cent, Provisional: true, Exponent: 2},
			{Kind: providers.Withdrawal, Method: providers.Bank, Asset: "USD", Min: cent, Max: c.MaxCredit, Step: cent, Exponent: 2},
			{Kind: providers.Cancel, Method: providers.Bank},
		},
		KeyRetention: 100 * 365 * 24 * time.Hour, // the state store forgets nothing
		VisibleAfter: time.Minute,                // a write whose answer was lost may be on its way
	}
}

func opKey(key string) string { return "op/" + key }

// same tells whether two operations ask for the same.
func (o operation) same(other operation) bool {
	return o.Kind == other.Kind && o.Amount == other.Amount && o.Instrument == other.Instrument &&
		o.Target == other.Target && o.TargetRef == other.TargetRef
}

// Submit implements providers.Provider. It makes the operation durable in the state store; the entry goes into the file of the
// next cut-off, see [Provider.Work]. A refusal for a reason of ours (an unknown, unverified or blocked account) is a
// Failed report with its code.
func (p *Provider) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if err := errors.Join(ctx.Err(), op.Validate()); err != nil {
		return providers.Report{}, notSent(err)
	}
	if err := p.Describe().Supports(op); err != nil {
		return providers.Report{}, notSent(err)
	}
	if err := p.hint(ctx); err != nil {
		return providers.Report{}, notSent(err)
	}
	o := operation{
		Kind: op.Kind, Amount: op.Amount, Instrument: op.Instrument, Target: op.Target, TargetRef: op.TargetReference, At: p.now().UTC(),
	}
	var known operation
	version, err := providers.LoadState(ctx, p.state, opKey(op.Key), &known)
	switch {
	case err != nil:
		return providers.Report{}, notSent(err)
	case version == 0:
		if err := p.decide(ctx, op.Key, &o); err != nil {
			return providers.Report{}, err
		}
	case !known.same(o):
		return providers.Report{}, duplicate()
	default:
		o = known
	}
	if err := p.accept(ctx, op.Key, &o, version); err != nil {
		return providers.Report{}, err
	}
	r, err := p.report(ctx, op.Key)
	if err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.Duplicate, Err: err} // accepted; a lookup will say
	}
	return r, nil
}

// decide says which entries an operation needs, or why it fails. The decision is stored with the operation and stays.
func (p *Provider) decide(ctx context.Context, key string, o *operation) error {
	switch o.Kind {
	case providers.Link:
		return p.decideLink(ctx, key, o)
	case providers.Cancel:
		return p.decideCancel(ctx, key, o)
	default:
		return p.decidePayment(ctx, o)
	}
}

func (o *operation) fail(code, public string) { o.Failed = &failure{code, public} }

func (p *Provider) decidePayment(ctx context.Context, o *operation) error {
	var a account
	version, err := providers.LoadState(ctx, p.state, accountKey(o.Instrument), &a)
	if err != nil {
		return notSent(err)
	}
	amount, err := cents(o.Amount)
	if err != nil {
		return notSent(err)
	}
	verified := false
	if version > 0 && a.LinkedBy != "" {
		link, err := p.report(ctx, a.LinkedBy)
		if err != nil && !errors.Is(err, providers.ErrNotFound) {
			return notSent(err)
		}
		verified = link.State == providers.Succeeded
	}
	debit := o.Kind == providers.Deposit
	switch {
	case version == 0:
		o.fail("unknown_account", "This bank account is not known.")
	case a.Blocked != "":
		o.fail(a.Blocked, publicReason(a.Blocked))
	case debit && a.NoDebits != "":
		o.fail(a.NoDebits, publicReason(a.NoDebits))
	case !verified:
		o.fail("account_not_verified", "This bank account is not verified yet.")
	default:
		o.Parts = []part{{Purpose: payment, Credit: !debit, Cents: amount}}
	}
	return nil
}

// decideLink takes the account for this key: an account is linked once.
func (p *Provider) decideLink(ctx context.Context, key string, o *operation) error {
	unknown, taken := false, false
	_, err := providers.ChangeState(ctx, p.state, accountKey(o.Instrument), func(a *account, _ bool) error {
		switch {
		case len(a.Versions) == 0:
			unknown = true
			return providers.ErrStateSame
		case a.LinkedBy != "":
			taken = a.LinkedBy != key
			return providers.ErrStateSame
		}
		a.LinkedBy = key
		return nil
	})
	switch {
	case err != nil:
		return notSent(err) // taking the account sends nothing, and the same key finds it its own
	case unknown:
		o.fail("unknown_account", "This bank account is not known.")
	case taken:
		o.fail("account_linked", "This bank account was linked before.")
	case p.config.Verification == Prenote:
		o.Parts = []part{{Purpose: prenote}}
	case p.config.Verification == MicroDeposits:
		var amounts [2]int64
		for i := range amounts {
			n, err := rand.Int(p.config.Rand, big.NewInt(99))
			if err != nil {
				return notSent(fmt.Errorf("ach: reading random bytes: %w", err))
			}
			amounts[i] = n.Int64() + 1
		}
		slices.Sort(amounts[:])
		seal, err := p.keys.seal(p.config.Rand, opKey(key), fmt.Sprintf("%d %d", amounts[0], amounts[1]))
		if err != nil {
			return notSent(err)
		}
		o.Micro = &seal
		o.Parts = []part{{Purpose: micro, Credit: true}, {Purpose: micro, Credit: true}, {Purpose: micro}}
	}
	return nil
}

// microAmounts are what the parts of a link by micro-deposits move, in cents.
func (p *Provider) microAmounts(key string, o operation) ([3]int64, error) {
	var amounts [3]int64
	text, err := p.keys.open(opKey(key), *o.Micro)
	if err != nil {
		return amounts, err
	}
	if _, err := fmt.Sscanf(text, "%d %d", &amounts[0], &amounts[1]); err != nil {
		return amounts, fmt.Errorf("%w: micro-deposits of %s", ErrSealed, key)
	}
	amounts[2] = amounts[0] + amounts[1]
	return amounts, nil
}

// decideCancel takes the target out of its page, if no file has it yet. Whoever plans a file stamps the same page, so
// exactly one of them comes first.
func (p *Provider) decideCancel(ctx context.Context, key string, o *operation) error {
	targetKey, target, err := p.find(ctx, o.Target, o.TargetRef)
	if errors.Is(err, providers.ErrNotFound) {
		o.fail("no_such_operation", "There is nothing to cancel.")
		return nil
	}
	if err != nil {
		return notSent(err)
	}
	late := len(target.Parts) != 1 || target.Parts[0].Purpose != payment
	if !late {
		_, err := providers.ChangeState(ctx, p.state, pageKey(target.Slot/pageSize), func(pg *page, _ bool) error {
			i := &pg.Items[target.Slot%pageSize]
			if i.Key != targetKey || i.File != 0 || i.Canceled != "" {
				late = i.Canceled != key
				return providers.ErrStateSame
			}
			i.Canceled = key
			return nil
		})
		if err != nil {
			return &providers.Error{Certainty: providers.Maybe, Err: err}
		}
	}
	if late {
		o.fail("too_late", "It is too late to cancel.")
	}
	o.Target = targetKey
	return nil
}
