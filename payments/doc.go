// Package payments is what people do with money: wallets, linked cards and banks, deposits, tips, sends, withdrawals and
// refunds, in any asset and through any provider.
//
// A [Service] joins a ledger book (where money is) with providers (how money moves). It is the only place where a fact
// that a provider reports becomes postings:
//
//	svc, err := payments.New(book, payments.Config{Assets: registry})
//	err = svc.Register(cards)                                  // any providers.Provider
//	go svc.Run(ctx)                                            // the worker; any number may run, anywhere
//	http.Handle("/webhooks/", svc.Webhooks())                  // provider's name as last path segment
//
//	alice := payments.Member("alice")
//	p, err := svc.Deposit(ctx, payments.DepositRequest{
//		Key: requestID, Actor: alice, Member: "alice", Amount: twentyDollars, Instrument: card.ID,
//	})
//	p, err = svc.Tip(ctx, payments.TransferRequest{Key: …, Actor: alice, From: "alice", To: "bob", Amount: five, Reference: postID})
//
// None of these calls names an asset kind or a provider: the day a coin or a chain is registered, the same code moves it.
//
// # What a caller can rely on
//
//  1. Keys. Every request carries an idempotency key, scoped to its actor. Calling again with the same key and the same
//     request returns the payment as it stands now, with Replayed set, and resumes it if it was stuck. The same key with
//     another request is ledger.ErrKeyConflict. A refusal of class [ErrDeclined] is final for its key: try again with a new one.
//  2. Record before effect. The intent, and the hold on the money, are durable before a provider is called. A crash
//     anywhere is finished by the next worker.
//  3. Unknown is unknown. When a provider's answer is lost, the money stays held and the payment is [Unknown] until the
//     provider, or a person, says what happened. Nothing is failed by a timer.
//  4. A fact is never declined. Money that really moved is posted: what a wallet cannot give is a receivable from its
//     member, what it cannot take goes to suspense with a [Case].
//  5. Effects accumulate. A posting belongs to one effect of the provider, unique in storage, so a webhook delivered
//     three times, out of order or before the call that caused it returned, changes the books once. A report of many effects
//     is recorded in parts; the payment keeps its state until the last of them.
//  6. Debts first. While a member owes in an asset, all that comes to them in it repays that first, and so does what was held
//     when it is given back: they have nothing to spend there, and are paid out in no asset at all.
//
// # Beside the happy path
//
//   - A tip that commits together with the host's own rows: [Service.In].
//   - Payers who object to a deposit: what is disputed is held, what is lost is charged; see [Dispute] and [Service.Evidence].
//   - What a person must decide: [Service.Cases] and [Service.Resolve]; debts that nobody will pay: [Service.Forgive].
//   - Rules that refuse, count, or let a person decide: [Rule], [ErrReview].
//   - Evidence that only somebody else has, asked for before money leaves or is credited: [Screener].
//   - Several providers for one thing: [Router].
//   - What the network charges for a withdrawal, and who bears it: [Service.Quote], [Config].
//   - Conversions, at the price of the moment or at one that holds for a while: [Service.Exchange], [Service.QuoteExchange].
//   - Coins of the app's own: [Service.Issue], [Service.Exchange], [Service.Burn].
//   - Whether our books and a provider's agree: [Service.Reconcile].
//
// # Chains
//
// An asset of a chain is used with the calls that are there for dollars. Between members it moves by postings; the chain is touched
// at the edge only.
//
//   - In: Deposit without an instrument gives an address. What arrives is credited when it has the confirmations that its
//     provider wants; it is held until no reorganisation can take it, if the provider's offer is Provisional. What a deeper
//     reorganisation takes back comes from that hold, then from the wallet, then the member owes it, and a person hears of it
//     (orphaned); mined again it is credited again. Dust, assets that the host has not enabled, and what comes to nobody's address lie in
//     suspense with a case. What no amount can hold is a case, and nothing is posted.
//   - Out: Withdraw takes an address where it takes a bank account. An address that is mistyped is refused before anything is held. Network
//     fees are posted in the asset that they are charged in, F → C, also those of what reverts, is replaced, or sweeps addresses. What a
//     reorganisation takes back is the member's and stays held, because it may be mined again; after an hour of that a person is asked
//     (orphaned), who can release it with NeverHappened.
//   - A provider that stopped by itself has one case (halted), which closes when it works again; what it would not send waits.
//
// # Names and texts
//
// Members' ids are the host's. They have 1 to 100 letters, digits and . _ ~ @ : + = - of ASCII, the restriction level ASCII-Only
// of Unicode Technical Standard #39, so that no letter of another script passes for one of these; ids that differ are
// different members, those that only look alike in ASCII (l and I, 0 and O) too: an app whose members choose their names
// should not use these as ids. Addresses and tokens are printable ASCII for the same reason. Free texts may be of any script, and
// are refused with control characters, bad UTF-8, card numbers, and what is not seen but changes what is: Unicode's
// Bidi_Control, line and paragraph separators, byte-order marks, annotations.
//
// # Accounts
//
// wallet/MEMBER (liability, floor 0), receivable/MEMBER (asset, floor 0), provider/NAME/clearing (asset: our balance at the
// provider), provider/NAME/fees (expense), provider/NAME/suspense (liability), provider/NAME/disputed (asset: what it holds
// back while payers dispute), bank/settlement (asset), write-offs (expense), revenue/fees (income), position (equity, one side of every exchange), supply (asset: what was
// issued of an in-app coin less what was burned, which is what everybody holds of it).
package payments
