// Package stripetest is a pretend Stripe: an HTTP server on the loopback interface with as much of Stripe's API as the adapter
// in package stripe uses, for the adapter's tests and for tests of hosts. It keeps state and books of its own, so a test can
// ask what really happened:
//
//	far, err := stripetest.New(stripetest.Options{Clock: clock, Secrets: []string{"whsec_test"}})
//	defer far.Close()
//	adapter, err := stripe.New(stripe.Config{
//		Key: far.Key(), BaseURL: far.URL(), HTTPClient: far.Client(), WebhookSecrets: []string{"whsec_test"}, Clock: clock, …
//	})
//
// It was written from Stripe's public documentation and from what the official Go library reads and writes. Where Stripe's
// behaviour is not documented it does the more awkward thing. Prices are invented.
//
// # What happens when
//
// There is no goroutine but the server's own: at each request or call the clock is read and all that was due happens. Cards
// answer at once; a bank debit is booked at once, as Stripe
// does, and succeeds or fails after [DebitAfter]; a payout is paid after [PayoutAfter]. What a payment method does
// follows from the test token that it was linked with: [CardDeclined], [BankDisputed] and so on, most of them Stripe's own.
//
// # Keys
//
// A request under a known Idempotency-Key with the same parameters gets the stored answer, errors of the executed request
// included; with other parameters 400 idempotency_error; while the first one runs, 409. Answers to requests that were refused
// before anything was executed are not stored.
//
// # Faults
//
// [Server.Script] says what the next requests that do something meet; the making of a customer is left alone.
package stripetest
