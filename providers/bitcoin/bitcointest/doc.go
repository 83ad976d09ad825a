// Package bitcointest is a pretend Bitcoin node and a pretend rest of the world, for tests of package bitcoin and of hosts that use it.
//
// [Node] keeps a chain of real blocks on the regression-test network: it checks proof of work, scripts, signatures, double spends and
// the rules of replacement (BIP-125), follows the longest chain, and answers what package bitcoin asks over JSON-RPC. It has no peers and
// writes nothing to disk. [Miner] is everybody else: it pays to addresses, makes blocks, withholds transactions and replaces blocks. It
// speaks JSON-RPC only, so it works on a real node in regression-test mode as well.
//
//	node := bitcointest.NewNode()
//	miner, err := bitcointest.NewMiner(ctx, node.Endpoint())
//	…
//	adapter, err := bitcoin.New(state, signer, bitcoin.Config{Network: bitcoin.RegTest, Node: node.Endpoint(), …})
//	…
//	_, err = miner.Pay(ctx, bitcointest.Payment{To: address, Units: 100_000})
//	err = miner.Mine(ctx, 6)
package bitcointest
