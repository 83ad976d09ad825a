// Package ledger keeps books by double entry: who owns how much of what, how it came to be so, and why.
//
// It is the middle of kosh. Package currency says what money is; package providers says how money moves in the world
// outside; package payments decides what a tip, a deposit or a chargeback means in postings. This package knows none of
// that. It records what it is told, all or nothing, and refuses what cannot be.
//
//	book := ledger.New(memory.New(), ledger.Config{Book: "acme"})
//	receipt, err := book.Record(ctx, ledger.Entry{
//		Key:      "tip/7f3c",
//		Commands: []ledger.Command{ledger.Transfer(alice, bob, amount)},
//	})
//
// # The words
//
// An account is one path in one asset, such as wallet/alice in USD. Its type fixes its normal side, the side on which it
// grows: debit for assets and expenses, credit for liabilities, equity and income. A member's wallet is a liability:
// the host owes the member that money. So a member pays by a debit, and is paid by a credit.
//
// A transaction is two or more postings whose debits equal its credits in every asset. A hold reserves money until it is
// captured, released or expires. A document is the evidence: what the layers above must remember, kept by
// compare-and-swap with all its versions. Every change of an account is a line with the balances after it.
//
// Everything that changes a book is an [Entry], given to [Book.Record]: a key, commands, and guards. A guard decides
// inside the step that records: it reads rows that it declared, and adds commands or refuses. Limits, policies and
// state machines are guards.
//
// # What always holds
//
//  1. In every asset, debits equal credits: of a transaction, and of the book ([Book.TrialBalance]).
//  2. A balance is the fold of its lines, now and at any past moment ([Book.Balances]).
//  3. No posting or hold takes a balance past a bound: available never falls below the floor, posted never rises above the
//     ceiling. A bound stops only what moves towards it. [Import] alone may, because the past asks nobody.
//  4. What is held on an account is the sum of what remains of its open holds, and a hold ends once: captured + released =
//     amount. It is dead at its deadline, whether anybody looked or not.
//  5. A key has at most one effect, for ever. The same inputs get the first answer again, also when that was a decline;
//     other inputs are refused.
//  6. A refusal changes nothing. A decline leaves its key and verdict.
//  7. Time never runs back on an account or document: the recorded time of an entry is the clock's, or just after the last
//     change of anything that the entry names. The lines of one entry share it, so no past balance shows half an entry.
//  8. Lines, versions and transactions are never changed or removed; only what was reversed of a transaction is added up,
//     and of a document's body [EraseDocument] leaves the digest.
//  9. The feed tells every change exactly once, without gaps, in the order of each account, hold and document.
//  10. One book never sees another.
//  11. An edit of sealed history is found, by [Book.Verify] against a [Checkpoint] kept elsewhere.
//  12. However many callers there are, each gets the answer that it would have got had they come one after another.
//
// [Book.Verify] proves all of it again from the rows, but for 12: a checker of histories tests that.
//
// # Units, times and callers
//
// Amounts are [currency.Amount]: a whole number of smallest units (cents) together with its asset, in 128 bits. What does not
// fit is [ErrOverflow]; nothing is ever rounded here. Times are UTC in microseconds. Sizes are in bytes of UTF-8; the
// constants beginning with Max are the limits of everything, and one more is [ErrTooLarge].
//
// A [Book] and the handles that it gives out are safe for concurrent use. Every entry has a key and may be sent again;
// what reads changes nothing. A context that ends frees its caller, not the entry: what became of it, the same key
// tells.
//
// # Errors
//
// Every error is a *[Refusal]: data with a [Code], a [Class] that says what to do next, and figures.
//
//	errors.Is(err, ledger.ErrInsufficientFunds)       // this reason
//	errors.Is(err, ledger.Declined)                   // any reason of the kind "try again with a new key"
//	r, ok := errors.AsType[*ledger.Refusal](err)      // the account, what was wanted, what was available
//
// After [Unavailable] nobody knows whether the entry was recorded: call again with the same key, and the answer is the
// truth. That is safe however often it happens. What a guard returned and is no refusal comes back wrapped, as it was.
//
// # Accounts for a social app
//
//	wallet/<member>         liability, floor 0    what members have
//	receivable/<member>     asset, floor 0        what a member owes after a chargeback: repaid first, see [Draw]
//	clearing/<provider>     asset                 on its way through a card network, bank or chain
//	bank/<name>             asset                 where the money lies
//	fees/tips               income                what the app earns
//	expense/<provider>      expense               what it pays
//	suspense                liability             money nobody expected, until a person decides
//	issued/<coin>           asset                 the app's own coin: its balance is what is outstanding
//
// Give each member one wallet an asset, with the member as owner and a floor of zero. Leave clearing, suspense and fees
// without bounds: a fact from outside must always find a place. Open what an entry needs in the entry itself:
// [OpenAccount] does nothing when the account is there.
//
// Callers of one Book share their writes, so an account that everybody writes, such as fees, is no trouble in one process.
// When it is too hot for several, keep it in parts ([Stripes]): entries write fees/*, each lands on the part that its key
// chooses, and the balance of fees/* is that of all parts. Parts are opened once, not in every entry.
//
// One account a purpose: a balance should answer one question. Money that waits for something belongs to a hold when its
// owner may still get it back alone (a cash-out, an authorization), and to an account of its own when not (escrow, a prize
// pool). What the app promises is a liability, what it hopes to get is an asset, and what it decides to give away is an
// expense. Make the key from the request (tip/<id of the tap>), never from the time or a counter. Do not put a person's
// data into paths, keys or references: history is never rewritten.
//
// # Recipes
//
// Those with a name in quotes are examples that run, and so are those of most types and methods named here.
//
//   - A rate limit is a counter document that a guard reads and writes: by the day in the example of [Guard], over a sliding
//     window in its example "SlidingLimit". Parallel requests cannot pass it together.
//   - Escrow is an account of the order, opened by the entry that fills it and closed by the one that empties it: [Book.Record],
//     "Escrow". A cash-out is a hold: [PlaceHold].
//   - A currency exchange posts both assets in one transaction, through a position account in each: [Post], "Exchange".
//   - Fees and splits divide an amount with [currency.Amount.Allocate], one posting a party: [Post], "Fees".
//   - A refund takes back a part of a transaction: [Reverse]. A chargeback draws from what there is: [Draw].
//   - Closing the books empties income and expense into equity as of the last moment: [Import], "ClosingTheBooks".
//   - A statement is the lines of an [Account]; what members see live is [Book.Feed] or [Book.Follow]. Every list has
//     filters and cursors: the table is at [Query].
//   - Moving in from elsewhere is [Import]; moving a whole book is [Book.Export] and [Book.Restore].
//
// # Running
//
// [New] starts nothing. Let [Book.Run] run somewhere, in one process or several: it gives back what expired holds keep and
// numbers the feed. Workers take due documents with [Book.Lease].
//
// Keep a signed [Checkpoint] a day where nobody who runs the store can write. Each night let [Book.VerifySince] look at what
// came after yesterday's, on a copy that stands still, and now and then [Book.Verify] at all of it.
//
// # Storage
//
// All rules live in this package. A [Store] keeps rows, in memory (ledger/memory) or in a database, and knows no rule,
// so the same entries have the same outcome everywhere.
package ledger
