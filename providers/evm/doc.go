// Package evm is Ether and ERC-20 tokens on any EVM chain, as a provider of kosh. It speaks JSON-RPC to nodes that somebody else
// runs, keeps what must not be forgotten in a providers.StateStore, and has no key: a providers.Signer signs.
//
// # Assets
//
// An asset is named by its chain and its contract (CAIP-19): eip155:1/slip44:60 is Ether on mainnet, eip155:1/erc20:0xa0b8… a
// token. Nothing else is accepted: a token that is not in Config.Assets is reported as quarantined, whatever it calls itself.
//
// # Money that comes
//
// A DepositAddress operation makes an address of its own, the next child of an extended public key; its number is written
// down before anybody sees it. The chain is looked at block by block in Poll and Lookup, from a cursor that knows the hashes of
// the last Config.Finality blocks. When a block is no longer on the chain, what it brought is taken back; mined again in
// another block it comes again, under the same reference and with another effect id. Value of a transaction and
// Transfer events are seen; a deposit's reference is TXID:native or TXID:N, N counting the transaction's events. What
// contracts send otherwise is found by Reconcile.
//
// Money counts after Step.Confirmations, when Config.Agree endpoints have its block. A reorganisation deeper than
// Config.Finality, endpoints that disagree about a final block, and an endpoint on another chain halt the adapter
// (providers.ErrHalted) until Resume.
//
// # Money that goes
//
// A withdrawal is priced (EIP-1559), gets the account's next nonce, is signed, checked against the signer's public key,
// written down, and only then sent; submitted again it is the same bytes. An error before the bytes are written down is NotSent,
// or Rejected with fee_cap, quote_expired, invalid_address or signer_refused; an error after that is Maybe. A signed
// withdrawal that no node has is ErrNotFound to Lookup, and the worker submits it again. Its reference is the hash of its first
// version; what its effects are named after is the version that was mined. Network fees are effects of kind Fee in the chain's
// own asset, also of what was reverted; those of sweeps, of gas for them and of fills are reports of kind Settlement.
//
// What Submit has sent, Bump sends again if nodes forget it, and replaces at a higher price if it is stuck; Fill uses a nonce
// that would leave a gap; Sweep moves money from deposit addresses to the treasury. Poll does all three, unless Config.Manual.
//
// An account must be used by one StateStore only. A transaction that somebody makes with the treasury's key elsewhere is
// reported as a settlement; a withdrawal whose nonce it used fails when that is final, with nonce_taken.
//
// # What was tried
//
// The conformance suites run on a pretend chain (package evmtest), on go-ethereum's simulated chain and on anvil, a day of it on geth; see
// internal/nodes. It was never run on a public network.
package evm
