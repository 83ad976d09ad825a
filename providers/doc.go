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
// Card numbers never enter kosh: there is no field for them. An instrument is a token that the provider made.
//
// # From an empty file to a provider that passes
//
// An afternoon's way, in the order in which it is least work. examples/customprovider is where it ends: a gift-card scheme in
// one file, its tests in ten lines, and a member who tops up with it. Each step names an example that runs.
//
// Step 1, the far side. You cannot lose an answer of the real one on purpose, so pretend one: a server on the loopback
// interface with a list of operations by key, balances, and a switch for the next fault. A hundred lines are enough. It must do
// what the real one does, and nothing kinder: when it acts and hangs up, it has acted. Let it count requests.
//
// Step 2, the test. Fill a providertest.World with what the far side knows, and run providertest.Run: ten lines, all red. From
// here on the suite says what to do next. What your far side never does you leave nil, and the check is waived, visibly.
//
// Step 3, Describe. One [Offer] for each kind, method and asset, with the bounds that the far side has; Exponent is the
// number of decimals on its wire. From then on [Descriptor.Supports] refuses for you, exactly. KeyRetention is how long the far side
// remembers a key: read its manual, it is often a day. VisibleAfter is how long a lookup may miss what was sent.
// See the example of [Descriptor.Supports].
//
// Step 4, Submit. First context, [Operation.Validate] and Supports, all [NotSent]: nothing has left. Then one request, with
// Operation.Key as the far side's key. Then the answer, and this is the part to write slowly: for each status, what does
// it prove? A decline is an answer, a Failed report with the far side's code. A 400 is [Rejected] if the far side will say
// it again under this key. A refused connection and most 429s are [NotSent]. A 409 is [Duplicate]. All else is [Maybe]. See the
// example of [Error].
//
// Switch off what sends again by itself: the retries of an SDK, and those of net/http, which repeats a request that has an
// Idempotency-Key when a connection breaks, unless its body can be read once only. The suite finds both.
//
// Step 5, the report. State says how the operation stands, effects what moved, with the far side's ids: of the movement, not of
// your answer, for the same movement is reported by Submit, by Lookup and by webhooks, and is one. Money that comes in is positive,
// fees that the far side keeps are effects of their own. Final means that nothing more is expected. [Report.Validate] finds
// what contradicts itself; see its example.
//
// Step 6, Lookup. By key, by reference, or by both, which must then agree. Nothing found is [ErrNotFound], which proves nothing
// before VisibleAfter; every other failure is an error without a report.
//
// Step 7, what comes by itself. Webhooks: implement [Receiver], verify the raw bytes before parsing, in constant time, refuse what
// is old, and remember nothing: the same delivery gives the same events. See its example. A list of events:
// [Poller], whose cursor skips nothing. An account statement: [Lister]. Debits that may come back for a while: Offer.Provisional, and
// Final only when the window has passed.
//
// Step 8, memory. Most adapters need none: the far side knows. What must be remembered (a cursor, a nonce, the next trace
// number) goes through [StateStore], by compare-and-swap, before anything is sent that depends on it: [ChangeState] does that for
// whatever is kept as JSON. A variable is lost in a restart, and a second process does not see it. See its example.
//
// Step 9, secrets. Hosts log providers, reports and errors with %+v. Keep keys in a type with a Format method or in a closure, and
// never wrap an error of a library that quotes a request.
//
// When the suite is green, give the provider to payments.Service.Register. Nothing else changes: the code that tops up, tips
// and cashes out does not know which provider it runs on. What the suite cannot know is whether your pretended far side is
// like the real one; say in your package's comment what was never run live.
//
// Beside [Provider], [Checker] says whether the configuration works, [Quoter] what an operation will cost, [AddressChecker]
// whether an address is mistyped, and [Wrapper] lets metrics or limits stand around a provider; [As] looks through them.
package providers
