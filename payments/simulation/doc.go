// Package simulation looks for bugs in kosh by playing worlds: from one seed it draws members, assets, pretend providers
// with faults, a policy and a few hundred operations, lets two workers die at any call, and checks after every step that
// what must always hold still holds.
//
//	r := simulation.Run(simulation.Config{Seed: 42, Ops: 200})
//	if r.Failure != nil {
//		fmt.Println(r.Failure) // the seed, the last steps, the invariant, the journal, how to play it again
//	}
//
// A world is deterministic: one goroutine, one clock that only the simulation moves, ids and chance from the seed. The same
// seed gives the same trace, and so the same [Result.Trace].
//
// # What is real
//
// The ledger, its memory store, payments with its worker and its webhook handler, and the sandbox's adapters. Around
// them the simulation puts
//
//   - a witness between the ledger and the store: it sees every row that is written, refolds it with code of its own, and
//     knows the rules of DESIGN section 6 (see witness.go and witness_payments.go);
//   - a process around each service, two or three at a time with clocks that differ: it dies before or after any update of the
//     store and any call of a provider, answers an update that was applied with an error, decides one twice, and lets another
//     process act in the middle of a call;
//   - members who repeat requests, change them under the same key, give up while they wait, and ask for what they must not have;
//     people who decide about cases, rightly most of the time; rules, a screener and a source of prices that move, which may not answer;
//     providers that are away for longer than they remember keys.
//
// # What a failure says
//
// The first invariant that broke, by the number of DESIGN section 6 and by name, the trace that led to it, the journal of the accounts
// concerned, and how to play it again. [Shrink] leaves out all operations that it does not need: every operation has chance of
// its own, so the others do what they did.
//
//	again: make sim SEED=60 OPS=218 KEEP=2-8,31,65
//
// # What proves the simulator
//
// Deliberate bugs in the real code, under the build tag koshplant, each of which must be caught (make sim-planted); crashes at
// every step of scripted scenarios, and of those who take over (make sim-crashes); a matrix of which fault has met which
// payment in which state, with the reachable cells that none has met (see [Matrix]).
//
// # Swarms
//
// Every kind of fault and every kind of operation is off, rare or frequent in a given seed. Fixed rates miss bugs that
// need one fault often and another one never.
package simulation
