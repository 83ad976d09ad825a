// Package evmtest is a pretend Ethereum for tests of hosts and of package evm: one node in this process, on the loopback interface, that
// speaks the JSON-RPC that package evm needs. Blocks come when Mine is called, reorganisations and faults when they are
// asked for.
//
//	node, err := evmtest.New(evmtest.Options{})
//	defer node.Close()
//	node.Fund(treasury, ether(10))
//	usdt := node.Deploy(evmtest.NoReturn)
//	node.Pay(evmtest.Payment{To: address, Token: usdt, Units: big.NewInt(5_000_000)})
//	node.Mine(12)
//
// It knows accounts, gas, transactions of type 2 and tokens, and executes no byte code: a contract is one of the kinds that are
// listed here. That it agrees with real nodes is what providers/evm/internal/nodes is for.
package evmtest
