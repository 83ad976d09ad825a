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
//     ceiling. A bound stops only what moves towards it.
//  4. What is held on an account is the sum of what remains of its open holds, and a hold ends once: captured + released =
//     amount. It is dead at its deadline, whether anybody looked or not.
//  5. A key has at most one effect, for ever. The same inputs get the first answer again, also when that was a decline;
//     other inputs are refused.
//  6. A refusal changes nothing. A decline leaves its key and verdict.
//  7. Time never runs back on an account or document: the recorded time of an entry is the clock's, or just after the last
//     change of anything that the entry names. The lines of one entry share it, so no past balance shows half an entry.
//  8. Lines, versions and transactions are never changed or removed; only what was reversed of a transaction is added up.
//  9. The feed tells every change exactly once, without gaps, in the order of each account, hold and document.
//  10. One book never sees another.
//
// [Book.Verify] proves all of it again from the rows.
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
// truth. That is safe however often it happens.
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
// [OpenAccount] does nothing when the account is there. Split an account that everybody writes (fees/0 … fees/7) when one
// becomes too hot, and read the parts together with Query.Path "fees/".
//
// A conversion posts both assets in one transaction, through a position account in each. Do not put a person's data into
// paths, keys or references: history is never rewritten.
//
// # Running
//
// [New] starts nothing. Let [Book.Run] run somewhere, in one process or several: it gives back what expired holds keep and
// numbers the feed. Workers take due documents with [Book.Lease].
//
// # Storage
//
// All rules live in this package. A [Store] keeps rows, in memory (ledger/memory) or in a database, and knows no rule,
// so the same entries have the same outcome everywhere.
package ledger
