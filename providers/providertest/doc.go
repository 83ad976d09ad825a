// Package providertest is the conformance suite for any [providers.Provider]. It plays faults, restarts, forged webhooks,
// redelivery and reorganisations against an adapter and says which rule of package providers was broken, and why that rule is
// there. Run it in the adapter's tests, over a fake of the far side that the adapter talks to by its real protocol:
//
//	func TestConformance(t *testing.T) {
//		providertest.Run(t, providertest.Harness{Open: func(t *testing.T) *providertest.World {
//			bank := fakebank.Serve(t) // the far side: counts requests, keeps books, plays faults on demand
//			open := func() providers.Provider { return acme.New(bank.URL, acme.Config{Secret: "whsec_1"}) }
//			return &providertest.World{
//				Provider: open(), Reopen: open, Secrets: []string{"whsec_1"},
//				Operation: bank.Sample, Executed: bank.Executed, Requests: bank.Requests,
//				Fault: bank.Fault, Advance: bank.Advance,
//				Deliveries: bank.Deliveries, Forge: bank.SignWrongly, Unknown: bank.UnknownEvent,
//			}
//		}})
//	}
//
// # What may be left out
//
// A check is waived, visibly, only when the provider declares that it lacks the capability: no offer of the kind, no
// [providers.Receiver], no [providers.Poller], a key retention of 0. The checks that keep money safe are never waived because
// a harness is incomplete: a fake that cannot lose a response cannot show that the adapter survives one.
//
// The tests of this package hold a dozen providers that are each broken in one way, and show that the check meant for it
// rejects it.
package providertest
