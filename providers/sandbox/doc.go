// Package sandbox is a pretend card network, bank and chain behind [providers.Provider]: for tests, for demos, and for
// the simulator that looks for bugs in kosh. It costs nothing, needs no network, and is deterministic: the same seed, clock
// readings and calls give the same answers.
//
//	bank, err := sandbox.New(sandbox.Config{
//		Methods: []providers.Method{providers.Card, providers.Bank},
//		Assets:  []currency.Asset{currency.USD},
//		Secret:  []byte("whsec_demo"),
//	})
//
// # What happens when
//
// There is no goroutine: whenever the sandbox is called it reads its clock and lets everything happen that was due.
//
//   - Cards answer at once. Bank debits are Pending, move after SettleAfter and are Final after ReturnWindow more, unless
//     they are returned in between. Payouts move after PayoutAfter and are Final after ReturnWindow.
//   - Money sent to a chain address with [Sandbox.SendTo] is mined into the next block, reported as Pending until it has
//     enough confirmations, and can be orphaned with [Sandbox.Reorganise]. Each arrival is an operation of its own: its
//     report has no Key, the transaction and output as Reference, and the address and its member for attribution.
//     Transfers to a bank account made with a DepositAddress are the same without blocks.
//   - What an instrument does follows from the one-time token that it was linked with: [TokenCardDeclined],
//     [TokenBankReturned] … A token may also be charged directly. An unknown token is a Failed report, not an error.
//
// A chain withdrawal costs a network fee, in the asset that moves or in Config.Gas, also when it reverts. One that may cost less
// (Operation.MaxFee), or whose price was quoted for a time that has passed (FeeUntil), is Rejected with the code fee_cap or
// quote_expired; see [Sandbox.SetNetworkFee]. What comes in below Config.Dust is called dust, what no amount holds is quarantined
// ([Sandbox.SendRaw]), and [Sandbox.Halt] is what an adapter does that is afraid of going on.
//
// # The same key again
//
// The same operation under a known key is answered as it stands now, or with a Duplicate error if Config.DuplicateErrors
// asks for that. Another operation under a known key is Duplicate as well, never Rejected: the key's first operation is alive, and
// Rejected would license the release of its money. Keys are forgotten after KeyRetention.
//
// # Faults
//
// [Faults] are rates per thousand, [Sandbox.Script] says exactly what the next submits suffer. Faults never break the
// contract of package providers: an error's certainty is always true. A fault that would contradict what already
// happened under a key (Reject, Decline and WrongAmount on a known key) does nothing.
//
// # The truth
//
// The sandbox keeps books of its own and shares no code with the ledger: [Sandbox.Balance], [Sandbox.Executed],
// [Sandbox.Operations] and [Sandbox.InFlight] say what really happened, whatever was lost on the way;
// [Sandbox.Audit] checks them against each other.
package sandbox
