package providertest

import (
	"errors"
	"reflect"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

var descriptorCheck = Check{
	Name: "descriptor",
	Rule: "Describe is valid, pure and the same every time, after a restart too: its name is a lane, an account and a webhook's " +
		"path, and workers ask it before every submit.",
	run: func(p *probe) {
		if err := p.descriptor.Validate(); err != nil {
			p.fatalf("Describe: %v", err)
		}
		if len(p.descriptor.Offers) == 0 {
			p.fatalf("Describe offers nothing: payments would never choose this provider")
		}
		for what, other := range map[string]providers.Provider{"a second time": p.Provider, "after a restart": p.Reopen()} {
			if d := other.Describe(); !reflect.DeepEqual(d, p.descriptor) {
				p.failf("Describe %s: %+v, at first %+v", what, d, p.descriptor)
			}
		}
		p.settle()
		if d := p.Provider.Describe(); !reflect.DeepEqual(d, p.descriptor) {
			p.failf("Describe changed with time")
		}
		offered := map[providers.Kind]bool{}
		for _, o := range p.descriptor.Offers {
			offered[o.Kind] = true
		}
		for k := range offered {
			if op, ok := p.Operation(k); !ok {
				p.failf("Describe offers %s, but the harness has no sample of it: its checks would be skipped", k)
			} else if k != providers.Refund && k != providers.Cancel { // those have no target yet
				if err := errors.Join(op.Validate(), p.descriptor.Supports(op)); err != nil {
					p.failf("the harness' sample of a %s: %v", k, err)
				}
			}
		}
		for _, k := range kinds {
			if _, ok := p.Operation(k); ok && !offered[k] {
				p.failf("the harness has a sample of %s, but Describe does not offer it", k)
			}
		}
	},
}

// first returns a sample of the first kind that there is.
func (p *probe) first() (providers.Operation, bool) {
	for _, k := range kinds {
		if op, ok := p.sample(k); ok {
			return op, true
		}
	}
	return providers.Operation{}, false
}

var unsupportedCheck = Check{
	Name: "unsupported-is-not-sent",
	Rule: "What is not offered (an asset, a method, a kind, no amount) is refused before anything is sent, as NotSent and " +
		"ErrUnsupported or ErrInvalid.",
	run: func(p *probe) {
		for _, k := range []providers.Kind{providers.Deposit, providers.Withdrawal} {
			op, ok := p.Operation(k)
			if !ok {
				continue
			}
			p.refusesAll(op)
		}
		op, ok := p.first()
		if !ok {
			return
		}
		op.Kind = "dance"
		p.refuses(op, "an unknown kind")
		op, _ = p.first()
		op.Method = "carrier-pigeon"
		p.refuses(op, "an unknown method")
	},
}

// refusesAll tries amounts and assets that no offer covers; for bounds see amount-out-of-bounds.
func (p *probe) refusesAll(op providers.Operation) {
	for what, amount := range map[string]func() (currency.Amount, error){
		"no amount":        func() (currency.Amount, error) { return currency.Amount{}, nil },
		"zero":             func() (currency.Amount, error) { return currency.Zero(op.Amount.Asset()), nil },
		"a negative":       op.Amount.Neg,
		"an unknown asset": func() (currency.Amount, error) { return p.unknownAsset(op) },
	} {
		bad := op
		a, err := amount()
		if err != nil || p.descriptor.Supports(providers.Operation{Kind: op.Kind, Method: op.Method, Amount: a}) == nil {
			continue // it is offered
		}
		bad.Key, bad.Amount = uuid.NewString(), a
		p.refuses(bad, what)
	}
}

// unknownAsset returns the sample's count of an asset that is not offered.
func (p *probe) unknownAsset(op providers.Operation) (currency.Amount, error) {
	for _, id := range []currency.AssetID{"XTS", "CHE", "ISK", "VUV"} {
		if d, ok := currency.Lookup(id); ok {
			if _, offered := p.descriptor.Offer(op.Kind, op.Method, id); !offered {
				return currency.New(100, d)
			}
		}
	}
	return currency.Amount{}, errors.New("all are offered")
}

func (p *probe) refuses(op providers.Operation, what string) {
	before := p.Requests()
	_, err := p.Provider.Submit(p.ctx, op)
	switch {
	case err == nil:
		p.failf("Submit of a %s with %s went through: call Descriptor.Supports first", op.Kind, what)
	case providers.CertaintyOf(err) != providers.NotSent:
		p.failf("Submit of a %s with %s is %v, want not sent: %v", op.Kind, what, providers.CertaintyOf(err), err)
	case !errors.Is(err, providers.ErrUnsupported) && !errors.Is(err, providers.ErrInvalid):
		p.failf("Submit of a %s with %s wraps neither ErrUnsupported nor ErrInvalid: %v", op.Kind, what, err)
	case p.Requests() != before:
		p.failf("Submit of a %s with %s says not sent, but the far side was asked", op.Kind, what)
	}
	p.executed(op, 0, what)
}
