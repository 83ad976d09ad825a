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
//				Operation: bank.Sample, Executed: bank.Executed, Moved: bank.Moved, Requests: bank.Requests,
//				Fault: bank.Fault, Advance: bank.Advance, Returned: bank.ReturnedDebit,
//				Deliveries: bank.Deliveries, Forge: bank.SignWrongly, Unknown: bank.UnknownEvent,
//				Keyed: acmeWith(bank.URL), Sign: bank.SignWith,
//			}
//		}})
//	}
//
// A fake that answers from memory is enough, as long as it answers what the real far side would: the suite believes what
// Executed, Moved and Requests say, and holds the adapter to it.
//
// # What is asked
//
//   - Configuration and secrets: Describe is pure; nothing that hosts print or log shows a secret or a member's text; card
//     numbers stay out, and a post's long id does not.
//   - Amounts: in every asset offered, to the unit, by the far side's own books; never rounded, cut or out of bounds.
//   - Idempotent writes: the same key twice, 32 times at once, from two processes, after a restart, in mid-flight, with
//     another amount.
//   - Certainty: under every [Fault] the error says truly whether the far side may have acted; later attempts take nothing
//     back; nobody but Submit acts, and once.
//   - Webhooks: tampered with, with wrong, empty, rotated and withdrawn secrets, a day late, twice, in any order, of an
//     unknown type, ten thousand mutants, signed garbage.
//   - Calls at once: answers are about what was asked for.
//   - Look-ups, polls and statements: an error carries no state and moves no cursor; nothing is skipped; money that nobody
//     asked for is reported.
//   - Life afterwards: returns, bounces, refunds in part, too large, of nothing and that come back, people who are asked,
//     cancellations in time and too late, disputes, reorganisations.
//
// [Checks] lists them with their rules.
//
// # What may be left out
//
// A check is waived, visibly, only when the provider declares that it lacks the capability: no offer of the kind, no
// [providers.Receiver], no [providers.Poller], a key retention of 0; or when the harness declares by leaving a hook nil that its far
// side never does such a thing, which each optional field of [World] says. The checks that keep money safe are never waived
// because a harness is incomplete: a fake that cannot lose a response cannot show that the adapter survives one, and without
// Moved, Keyed and Sign nobody knows what was on the wire, or what a missing secret accepts. Such a check fails and names
// the hook.
//
// # What it prints
//
// Each failure says what happened and what to do, and the rule. Secrets and card numbers that an adapter quotes are redacted
// in it, because test logs are read by many.
//
// # Chains
//
// [RunChain] is the suite for adapters to block chains, run in addition to [Run]:
//
//	func TestChain(t *testing.T) {
//		providertest.RunChain(t, providertest.ChainHarness{Open: func(t *testing.T) *providertest.ChainWorld {
//			node := devnode.Start(t) // a node of its own, or a model of one, that makes blocks when it is told to
//			store, signer := &memoryStore{}, openSigner(t)
//			return &providertest.ChainWorld{
//				Connect: func(tap *providertest.Tap) providers.Provider {
//					return acme.New(tap.State(store), tap.Signer(signer), acme.Config{Transport: tapped(node.Transport, tap)})
//				},
//				Asset: ether, Usual: aHundredth, Confirmations: 3, Window: 6, Now: node.Now,
//				Mine: node.Mine, Pay: node.Pay, Reorganise: node.Reorganise, Custody: node.BalanceOfOurs, Received: node.Balance,
//				NewAddress: newAddress, Resume: resume,
//			}
//		}})
//	}
//
// The world makes blocks on demand, reorganisations, strangers who pay, and congestion. A [Tap] stands in front of store, signer
// and endpoints: with it a check lets a process die at every step of a withdrawal, replaces blocks between two requests of one scan, and
// answers for the signer. At the end of every check the chain's own word on what our addresses hold must be the sum of the effects
// that were reported, to the unit. What a chain does not have (tokens, a mempool that forgets) is declared by a hook left nil, and waived
// visibly. [ChainChecks] lists the checks with their rules.
//
// The tests of this package hold some eighty providers, and some seventy chain adapters, that are each broken in one way, and show that the check
// meant for it rejects it.
package providertest
