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
//   - a process around each service: it dies before or after any update of the store and any call of a provider, answers
//     an update that was applied with an error, and lets the other process act in the middle of a call;
//   - members who repeat requests, change them under the same key, and ask for what they must not have.
//
// # Swarms
//
// Every kind of fault and every kind of operation is off, rare or frequent in a given seed. Fixed rates miss bugs that
// need one fault often and another one never.
package simulation
