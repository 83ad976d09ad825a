package stripe_test

import (
	"context"
	"fmt"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/stripe"
	"github.com/koshpay/kosh/providers/stripe/stripetest"
)

// A card is linked and charged, part of it is given back, and the pretend Stripe says what is left. A host does none of this by hand: it
// registers the adapter with a payments.Service, which sends and looks up.
func Example() {
	ctx := context.Background()
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	far, err := stripetest.New(stripetest.Options{Clock: clock, Secrets: []string{"whsec_example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer far.Close()
	adapter, err := stripe.New(stripe.Config{
		Key: far.Key(), BaseURL: far.URL(), HTTPClient: far.Client(), WebhookSecrets: []string{"whsec_example"},
		State: newState(), Assets: []currency.Asset{currency.USD}, Clock: clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	link, err := adapter.Submit(ctx, providers.Operation{
		Key: "0190c1f2-7f3e-7cc3-98c4-dc0c0c073001", Kind: providers.Link, Method: providers.Card, Member: "alice",
		Instrument: stripetest.Card, // what the device got from Stripe
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("link:", link.State, link.Instrument.Label, link.Instrument.Expiry)

	deposit, err := adapter.Submit(ctx, providers.Operation{
		Key: "0190c1f2-7f3e-7cc3-98c4-dc0c0c073002", Kind: providers.Deposit, Method: providers.Card, Member: "alice",
		Instrument: link.Instrument.Token, Amount: currency.MustParse("20.00", currency.USD),
	})
	fmt.Println("deposit:", deposit.State, err)
	for _, e := range deposit.Effects {
		fmt.Println("  ", e.Kind, e.Amount)
	}

	far.Script(stripetest.LostResponse) // the answer to the next request is lost
	refund := providers.Operation{
		Key: "0190c1f2-7f3e-7cc3-98c4-dc0c0c073003", Kind: providers.Refund, Method: providers.Card, Member: "alice",
		TargetReference: deposit.Reference, Amount: currency.MustParse("5.00", currency.USD), FirstSent: now,
	}
	_, err = adapter.Submit(ctx, refund)
	fmt.Println("refund:", providers.CertaintyOf(err))
	found, err := adapter.Lookup(ctx, providers.Query{Key: refund.Key, Kind: refund.Kind, SentAt: now})
	fmt.Println("refund:", found.State, found.Effects[0].Amount, err)
	fmt.Println("cents left:", far.Balance("usd"), "executed:", far.Executed(refund.Key))

	// Output:
	// link: succeeded Visa •• 4242 2034-12
	// deposit: succeeded <nil>
	//    moved 20.00 USD
	//    fee -0.88 USD
	// refund: maybe
	// refund: succeeded -5.00 USD <nil>
	// cents left: 1412 executed: 1
}
