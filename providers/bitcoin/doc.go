// Package bitcoin moves bitcoin on its own chain: deposits to addresses of an account of yours, withdrawals from its coins, as a
// [providers.Provider]. It speaks JSON-RPC with one node, keeps what it must remember in a [providers.StateStore], and never sees a
// private key: a [providers.Signer] signs what it is shown decoded.
//
//	signer := …                                        // an HSM; for development providers/hdkey/filesigner
//	adapter, err := bitcoin.New(service.ProviderState("bitcoin"), signer, bitcoin.Config{
//		Network: bitcoin.MainNet,
//		Node:    bitcoin.Node{URL: "http://127.0.0.1:8332", User: "kosh", Password: os.Getenv("BITCOIN_RPC_PASSWORD")},
//		XPub:    "zpub6r…", Account: "m/84'/0'/0'",
//	})
//	…
//	err = service.Register(adapter)
//
// # What it was tried on
//
// btcd v0.26.2 in regression-test mode, and the pretend node of package bitcointest, which checks proof of work, scripts, signatures and the
// rules of replacement, and answers as btcd or as Bitcoin Core: all of package providertest, its suite of chains included, on all three. It
// was never run on a public network, nor on a real Bitcoin Core: what is said of Core here is by its manual.
//
// # The node
//
// Any node that answers getblockcount, getblockhash, getblock (verbosity 0), getrawtransaction (of its pool), sendrawtransaction, and
// estimatesmartfee or estimatefee. No wallet, no index of transactions or addresses is needed. The node must keep the blocks that were not
// read yet: a pruned one may throw away what came while no adapter ran. Everything is believed but what can be checked without
// a chain of headers: a block has the hash that was asked for and the transactions of its header; that the node follows the chain with
// the most work is the node's word. Run your own, reach it over loopback or TLS.
//
// # Deposits
//
// A DepositAddress operation makes one P2WPKH address (BIP-84), the next index of the account's first branch, made durable before it
// is shown. Every output to it is a deposit of its own, with the reference TXID:INDEX: Pending from its first block on, with
// confirmations as they come, Succeeded when it has those that its amount needs (Config.Confirmations), Final at Config.Finality. What only
// waits in a pool is not reported. Outputs to addresses that no operation made, of the branch of change or up to 20 beyond the last, are
// reported too, and payments puts them into suspense.
//
// Blocks are read one after the other, each one in a step that is durable before it is applied, so a crash or a second process changes
// nothing. When the chain was reorganised the blocks it no longer has are taken back, newest first: a deposit that had counted gets
// a Reversed effect, and a new Moved one if it is mined again, whose id has the new block. One whose payer spent the money otherwise ends when
// that is final (double_spent), and so does a withdrawal that was to be paid with it (inputs_spent). The scan begins with Config.StartHeight, or where
// the chain ends when the adapter is first used.
//
// # Withdrawals
//
// A withdrawal chooses confirmed coins (deposits that count, change with one confirmation), takes them by compare-and-swap, signs every
// input by BIP-143, checks the signature, stores the signed bytes, and only then broadcasts them. Whatever goes wrong from there on is Maybe; the
// same key submitted again broadcasts the same bytes. The report's reference is the first transaction's id; its effects, at the
// confirmations that the amount needs, are what was paid and the miners' fee, both by the id of the transaction that was mined. Change goes
// to an address of ours and is no effect: custody is the sum over all our addresses.
//
// The fee is the node's estimate within Config.MinFeeRate and MaxFeeRate. [Provider.Quote] says beforehand what it will be at most, and an
// operation with MaxFee or FeeUntil is Rejected, for good, when it would cost more or comes too late (codes fee_cap, quote_expired).
// With too few free coins a withdrawal is NotSent with the code insufficient_funds: send it again after the next block. A Signer's refusal
// is Rejected (signer_refused); a signer with another key than the account's is NotSent (wrong_key).
//
// What waits for a block is looked after by [Provider.Bump]: call it every few minutes, or set Config.BumpInPoll. It broadcasts again what the
// node forgot, and replaces (BIP-125) what has waited too long, within what the withdrawal may cost. Whichever is mined is what is reported.
//
// # When it halts
//
// Poll and Submit return [providers.ErrHalted] until a person has looked and called [Provider.Resume]: when the chain was reorganised so deep
// that something Final would be taken back, when a block has a transaction that spends coins of ours and that the adapter did not make
// (somebody else has the keys), and when the node's first block is not the network's.
//
// # Many processes
//
// Any number may share one StateStore. Each keeps the addresses of the account in memory, about 200 bytes each, derived when it
// starts.
package bitcoin
