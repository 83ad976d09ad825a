package providertest

import (
	"errors"
	"reflect"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/providers"
)

var unknownCheck = Check{
	Name: "unknown-is-not-found",
	Rule: "An operation that the far side does not know is ErrNotFound and no state: a Failed report would release money that a " +
		"late request still moves.",
	run: func(p *probe) {
		sample, ok := p.first()
		if !ok {
			p.fatalf("the harness has no sample")
		}
		for _, q := range []providers.Query{
			{Key: uuid.NewString(), Kind: sample.Kind, Amount: sample.Amount},
			{Reference: "no-such-reference", Kind: sample.Kind, Amount: sample.Amount},
		} {
			r, err := p.Provider.Lookup(p.ctx, q)
			if !errors.Is(err, providers.ErrNotFound) {
				p.failf("Lookup of what does not exist (%+v): state %q, err %v; want ErrNotFound", q, r.State, err)
			}
			if !reflect.DeepEqual(r, providers.Report{}) {
				p.failf("ErrNotFound came with a report: %+v", r)
			}
		}
	},
}

var lookupErrorCheck = Check{
	Name: "lookup-error-has-no-state",
	Rule: "A lookup that fails is an error that carries no state and is not ErrNotFound: a failed look-up once overwrote a " +
		"payment's state in a well-known gateway.",
	run: func(p *probe) {
		p.each(func(op providers.Operation) {
			p.submit(op)
			p.settle()
			before := p.lookup(op)
			if !p.Fault(FailLookup) {
				p.fatalf("the harness cannot play %q", FailLookup)
			}
			r, err := p.Provider.Lookup(p.ctx, query(op))
			switch {
			case err == nil:
				p.failf("a failed look-up of a %s returned %q and no error", op.Kind, r.State)
			case errors.Is(err, providers.ErrNotFound):
				p.failf("a failed look-up of a %s is ErrNotFound, which would license sending again: %v", op.Kind, err)
			case r.State != "" || len(r.Effects) > 0:
				p.failf("a failed look-up of a %s carries state %q and %d effects", op.Kind, r.State, len(r.Effects))
			}
			if after := p.lookup(op); !same(before, after) {
				p.failf("a failed look-up changed a %s from %+v to %+v", op.Kind, before, after)
			}
		})
	},
}

var referenceCheck = Check{
	Name: "lookup-by-key-and-reference",
	Rule: "A lookup by our key and one by their reference say the same, and looking changes nothing.",
	run: func(p *probe) {
		p.each(func(op providers.Operation) {
			first := p.submit(op)
			if first.Key != op.Key || first.Kind != op.Kind || first.Reference == "" {
				p.failf("Submit of %s %s returned a report about %s %q with reference %q", op.Kind, op.Key, first.Kind, first.Key, first.Reference)
			}
			p.settle()
			byKey := p.lookup(op)
			for range 3 {
				byReference, err := p.Provider.Lookup(p.ctx, providers.Query{Reference: first.Reference, Kind: op.Kind, Amount: op.Amount})
				if err != nil || !same(byKey, byReference) {
					p.failf("%s %s by reference: %+v, err %v; by key: %+v", op.Kind, first.Reference, byReference, err, byKey)
				}
			}
			p.executed(op, 1, "looking it up")
			mixed, err := p.Provider.Lookup(p.ctx, providers.Query{Key: uuid.NewString(), Reference: first.Reference, Kind: op.Kind})
			if err == nil && mixed.Key != op.Key {
				p.failf("Lookup by a reference and another operation's key returned that key: a report would be booked on a stranger's payment")
			}
		})
	},
}

// same compares what matters of two reports of one operation.
func same(a, b providers.Report) bool {
	return a.Key == b.Key && a.Reference == b.Reference && a.Kind == b.Kind && a.State == b.State && a.Final == b.Final &&
		sameEffects(a.Effects, b.Effects)
}

func sameEffects(a, b []providers.Effect) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !sameEffect(a[i], b[i]) {
			return false
		}
	}
	return true
}

// sameEffect leaves out the time, which need not survive the wire to the nanosecond.
func sameEffect(a, b providers.Effect) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.Amount == b.Amount && a.Reverses == b.Reverses && a.Dispute == b.Dispute
}
