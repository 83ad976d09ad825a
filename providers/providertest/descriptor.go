package providertest

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

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

var secretsCheck = Check{
	Name: "no-secret-printed",
	Rule: "Nothing that prints a provider, a report or an error prints a secret: hosts log all three.",
	run: func(p *probe) {
		printed := []any{p.Provider, p.descriptor}
		for _, f := range []Fault{LostRequest, LostResponse, ServerError, Garbage, Refuse, Reject, Decline} {
			op, ok := p.first()
			if ok && p.Fault(f) {
				r, err := p.Provider.Submit(p.ctx, op)
				printed = append(printed, withoutAction(r), err)
			}
		}
		if r, ok := providers.As[providers.Receiver](p.Provider); ok {
			_, err := r.Receive(p.ctx, providers.Delivery{Body: []byte("{}")})
			printed = append(printed, err)
		}
		for _, v := range printed {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				text := fmt.Sprintf(verb, v)
				for i, secret := range p.Secrets {
					if secret != "" && (strings.Contains(text, secret) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", secret)) ||
						strings.Contains(text, strings.Trim(fmt.Sprint([]byte(secret)), "[]"))) {
						p.failf("%s of a %T prints secret number %d: keep it in a type that implements fmt.Formatter, or in a closure", verb, v, i)
					}
				}
			}
		}
	},
}

// withoutAction drops what is passed through to the person and may be secret.
func withoutAction(r providers.Report) providers.Report {
	r.Action = nil
	return r
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
	Rule: "What is not offered (asset, method, kind, an amount out of bounds) is refused before anything is sent, as NotSent and " +
		"ErrUnsupported or ErrInvalid; an amount that the wire cannot carry is refused, never cut.",
	run: func(p *probe) {
		for _, k := range []providers.Kind{providers.Deposit, providers.Withdrawal} {
			op, ok := p.Operation(k)
			if !ok {
				continue
			}
			o, ok := p.descriptor.Offer(op.Kind, op.Method, op.AssetID())
			if !ok {
				p.fatalf("Describe has no offer for the harness' sample of a %s", k)
			}
			p.refusesAll(op, o)
			p.neverCuts(op, o)
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

// refusesAll tries amounts and assets that the offer does not cover.
func (p *probe) refusesAll(op providers.Operation, o providers.Offer) {
	unit := currency.MustNew(1, op.Amount.Asset())
	for what, amount := range map[string]func() (currency.Amount, error){
		"no amount":        func() (currency.Amount, error) { return currency.Amount{}, nil },
		"zero":             func() (currency.Amount, error) { return currency.Zero(op.Amount.Asset()), nil },
		"a negative":       op.Amount.Neg,
		"less than Min":    func() (currency.Amount, error) { return o.Min.Sub(unit) },
		"more than Max":    func() (currency.Amount, error) { return o.Max.Add(unit) },
		"no whole Step":    func() (currency.Amount, error) { return o.Step.Add(unit) },
		"an unknown asset": func() (currency.Amount, error) { return p.unknownAsset(op) },
	} {
		bad := op
		a, err := amount()
		if err != nil || p.descriptor.Supports(providers.Operation{Kind: op.Kind, Method: op.Method, Amount: a}) == nil {
			continue // the offer has no such bound
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

// neverCuts sends more than 64 bits hold. A cut amount would be what the low bits say: one smallest unit.
func (p *probe) neverCuts(op providers.Operation, o providers.Offer) {
	huge, err := currency.FromUnits(1, 1, op.Amount.Asset())
	if err != nil {
		return
	}
	op.Key, op.Amount = uuid.NewString(), huge
	if p.descriptor.Supports(op) != nil {
		p.refuses(op, "an amount beyond 64 bits")
		return
	}
	r, err := p.Provider.Submit(p.ctx, op)
	if err != nil {
		if c := providers.CertaintyOf(err); c != providers.NotSent && c != providers.Rejected {
			p.failf("Submit of %v is %v; say in Offer.Max what the wire can carry: %v", huge, c, err)
		}
		return
	}
	p.settle()
	r = p.lookup(op)
	for _, e := range r.Effects {
		if a, err := e.Amount.Abs(); e.Kind == providers.Moved && (err != nil || a != huge) {
			p.failf("%v was asked for and %v moved: refuse what %d decimals in the wire's integers cannot carry", huge, e.Amount, o.Exponent)
		}
	}
}
