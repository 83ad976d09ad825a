// Package providers is the contract between kosh and the outside world: card networks, banks, chains.
//
// A [Provider] does three things. It describes itself; it submits an operation, once, under a key that kosh made; and it
// looks an operation up. What it says is a [Report]: facts, as the far side knows them. A provider never decides what a
// fact means for somebody's wallet; package payments does that, in one place, so that all double entry is reviewed there.
//
// # The three rules
//
//  1. Tell the truth about certainty. When Submit returns an error, [Error.Certainty] says whether the far side may have
//     acted. Its zero value is [Maybe], and so is every error that is not an [*Error]: a time-out, a dropped connection,
//     a 5xx, garbage, "key in use". After Maybe the money stays held until a lookup knows better. Claim [NotSent] or
//     [Rejected] only when it is certain that nothing happened and nothing will under this key.
//  2. Send what you are given, once. Operation.Key is the far side's idempotency key; never make one, never retry: the
//     worker retries, with the same key, when that is safe.
//  3. Report effects, not hopes. An [Effect] is money that really moved on our balance at the provider, signed, with the
//     provider's own id. The same effect always has the same id and amount. A take-back is a new effect with an id of its own.
//
// # Writing one
//
// Implement [Provider], beginning Submit with [Operation.Validate] and [Descriptor.Supports]; add [Receiver] when the far
// side calls webhooks, [Poller] when it offers a list of events, [Checker] and [Quoter] when they make sense. Then run
// package providertest against it: it plays faults, restarts, forged webhooks and redelivery, and says which rule was
// broken. The example in this package shows the least that works.
//
// Card numbers never enter kosh: there is no field for them. An instrument is a token that the provider made.
package providers
