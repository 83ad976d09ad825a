package providers_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
)

// Vouchers is a gift voucher scheme: a code from a shop can be paid in, once. It is the least that a provider needs.
type Vouchers struct {
	mu    sync.Mutex
	worth map[string]currency.Amount  // by voucher code; what is still unused
	done  map[string]providers.Report // by our key: what was done stays done
}

// Describe says what the scheme does: deposits in dollars. Its keys never expire, and nothing is ever late to be seen.
func (v *Vouchers) Describe() providers.Descriptor {
	return providers.Descriptor{
		Name:         "vouchers",
		KeyRetention: 100 * 365 * 24 * time.Hour,
		Offers:       []providers.Offer{{Kind: providers.Deposit, Method: "voucher", Asset: "USD", Exponent: 2}},
	}
}

// Submit redeems the voucher whose code is the operation's instrument.
func (v *Vouchers) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	// Before anything is sent, say so. A host may correct the request or give up; nothing can have happened.
	if err := errors.Join(ctx.Err(), op.Validate(), v.Describe().Supports(op)); err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	// The key is known: answer as before, a refusal included. This is what makes a retry after a time-out safe.
	if r, ok := v.done[op.Key]; ok {
		return r, nil
	}
	r := providers.Report{Key: op.Key, Reference: "redeemed-" + op.Instrument, Kind: op.Kind, Final: true}
	if v.worth[op.Instrument] == op.Amount {
		delete(v.worth, op.Instrument)
		// Money moved: an effect, with an id that will be the same whenever this is reported.
		r.State = providers.Succeeded
		r.Effects = []providers.Effect{{ID: r.Reference, Kind: providers.Moved, Amount: op.Amount}}
	} else {
		// "No" is an answer, not an error.
		r.State = providers.Failed
		r.Reason = providers.Reason{Code: "void", Public: "This voucher is used up or not worth that much."}
	}
	v.done[op.Key] = r
	return r, nil
}

// Lookup finds what Submit did, by key.
func (v *Vouchers) Lookup(_ context.Context, q providers.Query) (providers.Report, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if r, ok := v.done[q.Key]; ok {
		return r, nil
	}
	return providers.Report{}, providers.ErrNotFound
}

// A provider from scratch. Package providertest would run its checks against it next.
func Example_writingAProvider() {
	fifty := currency.MustParse("50.00", currency.USD)
	scheme := &Vouchers{worth: map[string]currency.Amount{"SUMMER": fifty}, done: map[string]providers.Report{}}
	ctx := context.Background()

	op := providers.Operation{
		Key:  "0190c1f2-7f3e-7cc3-98c4-dc0c0c07398f", // kosh makes and stores it before anything is sent
		Kind: providers.Deposit, Method: "voucher", Amount: fifty, Instrument: "SUMMER",
	}
	for range 2 { // the second is a retry
		report, err := scheme.Submit(ctx, op)
		fmt.Println(report.State, report.Effects[0].Amount, err)
	}

	op.Key = "0190c1f2-7f3e-7cc3-98c4-dc0c0c073990" // another deposit with the same voucher
	report, err := scheme.Submit(ctx, op)
	fmt.Println(report.State, report.Reason.Public, err)

	op.Amount = currency.MustParse("50.00", currency.EUR)
	_, err = scheme.Submit(ctx, op)
	fmt.Println(providers.CertaintyOf(err), errors.Is(err, providers.ErrUnsupported))

	// Output:
	// succeeded 50.00 USD <nil>
	// succeeded 50.00 USD <nil>
	// failed This voucher is used up or not worth that much. <nil>
	// not sent true
}
