// Package stripe moves money by Stripe: it links cards, US bank accounts and payout accounts, charges and refunds, and pays out, as a
// [providers.Provider] on the official library github.com/stripe/stripe-go/v82.
//
//	adapter, err := stripe.New(stripe.Config{
//		Key:            os.Getenv("STRIPE_KEY"),                        // sk_… or rk_…
//		WebhookSecrets: []string{os.Getenv("STRIPE_WEBHOOK_SECRET")},   // whsec_…
//		State:          service.ProviderState("stripe"),
//		Assets:         []currency.Asset{currency.USD, currency.EUR},
//		ReturnURL:      "https://app.example/wallet",
//	})
//	…
//	err = service.Register(adapter)
//	mux.Handle("/webhooks/", service.Webhooks()) // and in the Dashboard: an endpoint at https://app.example/webhooks/stripe
//
// # What it was tried on
//
// It was never run against the live service, nor against Stripe's test mode. What was run is the whole of package providertest, on
// the pretend Stripe of package stripetest, across real HTTP; every request that it sends, on the official stripe-mock, which
// knows the shape of Stripe's API and nothing of its behaviour; and package payments over the pretend Stripe, end to end.
// What Stripe really does where its documentation is silent is unproven. Try your flows in test mode before you go live, with
// the cards and accounts that Stripe has for that.
//
// # Linking
//
// A link's token is what the member's device got from Stripe:
//
//   - pm_… or ctoken_…: a payment method or confirmation token, made with Stripe.js or a mobile SDK. It is confirmed with a
//     SetupIntent. A bank account needs a ctoken_…, which carries the member's mandate.
//   - [TokenElements]: none yet. The report is ActionRequired with a client secret for the device to confirm with.
//   - [TokenCheckout]: none, and no page of your own either. The action is a redirect to Checkout in setup mode.
//   - acct_…: a connected account that you onboarded and that can take transfers, for withdrawals.
//   - ba_… or card_…: an external account of your own Stripe account, for withdrawals.
//
// Client secrets and page addresses are handed on in Report.Action and stored nowhere. A member is one customer at Stripe,
// made at the first link; Config.State remembers which.
//
// # Deposits
//
// A deposit is a PaymentIntent that is confirmed at once. 3-D Secure makes it ActionRequired, for as long as the member leaves it;
// one who fails the challenge may try again with the same client secret, and what then succeeds is reported, though the
// deposit had been reported as Failed. A debit of a US bank account is Pending for days, though Stripe books it at once; then it is
// provisional for Config.BankReturnWindow, the end of which Poll tells. One that fails is money that came and went. A bank can still take it back afterwards, up to 60 days if the holder says
// that they never agreed; Stripe tells that as a dispute.
//
// A charge in a currency that your balance is not kept in has two effects of kind Converted more, and its fee in your balance's
// currency. A refund that somebody makes in the Dashboard is a take-back of its deposit.
//
// There are no deposits without a linked instrument, no addresses to send money to, and no cancellation.
//
// # Withdrawals
//
// To acct_… money goes by a Transfer, which is done at once: it is then the connected account's, whose own payouts are between
// its holder and Stripe. When their bank sends such a payout back, the money stays there; if you reverse the transfer, that
// is reported and the wallet has it again. To ba_… (standard) or card_… (instant) it goes by a Payout from your balance, which may
// come back days after it was paid. Stripe lets you pay out that way to accounts that are yours, not to other people's. Turn
// automatic payouts off, or keep enough in the balance, so that withdrawals find it.
//
// # Webhooks
//
// Subscribe the endpoint to payment_intent.*, charge.*, charge.dispute.*, refund.*, transfer.*, payout.*, setup_intent.* and
// checkout.session.*, with the API version of the library (its APIVersion constant); an event of another release train is
// refused as malformed, saying so. Every event about an operation, of whatever type, is a hint that is answered by a look-up, so
// their order and number do not matter; others are nothing. While you roll the secret, configure both.
//
// What webhooks lose, [Provider.Poll] finds in Stripe's list of events, which goes back 30 days; it also tells of Stripe's
// monthly fees and of other movements that have no event. [Provider.List] gives all movements, for payments.Service.Reconcile.
//
// # Keys, and what is certain
//
// kosh's key is the Idempotency-Key, the library's own retries are off, and net/http is kept from repeating a request by itself.
// Stripe promises to remember a key for 24 hours, which is the descriptor's KeyRetention. (The 30 days that Stripe also names are
// those of its v2 API, which is not used.) Stripe stores a 500 under its key as well and repeats it: such an operation is
// found by looking it up, by the key in its metadata.
//
//   - Not sent: no connection; 401 and 403; 429, because Stripe documents that it limits requests before executing them.
//   - Rejected: 400, 402 and 404 in Stripe's own form; what could only be refused is not even sent.
//   - Duplicate: the key was used with other parameters.
//   - Maybe: everything else, 409 among it (the key's first request is still running), 5xx, garbage, time-outs.
//
// A decline is no error but a Failed report with the issuer's code.
//
// # Amounts
//
// Wire amounts follow Stripe's table, not ISO 4217: no decimals for JPY, KRW and 13 others, MGA among them; three for BHD, JOD,
// KWD, OMR and TND, the last of which must be 0; ISK and UGX are sent with two decimals that they do not have. HUF and TWD are
// paid out in whole units. An amount that this cannot express is refused before anything is sent. A currency that is in no
// table and has not two decimals in ISO is refused by New. Minimum charges are those that Stripe documents; it may ask for more.
//
// # Fees, disputes, settlement
//
// Stripe's fees are effects of kind Fee, one for each balance transaction that has one; an account that is billed for the month
// has them as settlements instead. A dispute is listed in its deposit's report as it stands; the money that it takes and gives
// back are Disputed and Reinstated effects. An inquiry moves nothing. Stripe does not say when a dispute was decided, so a
// decision counts as a moment later than the last that is known. Disputes are answered in the Dashboard. Automatic payouts to
// your bank are reports of kind Settlement with what they cover.
//
// # The library
//
// The client is stripe.Client of the library's root package. Its packages by resource would have to be imported one by one, need
// that root package all the same, and take the context inside their parameters; stripe.Client takes it first, as Go does.
// The library starts uname once, for a header that says what it runs on.
package stripe
