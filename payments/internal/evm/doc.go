// Package evm tries package payments over the EVM adapter, end to end, on a pretend Ethereum: what the chain says that our addresses
// hold must be what the ledger says, to the unit, after every block; and whatever step of a withdrawal a process dies at, it
// is paid once. It is here and not with the adapter because providers know nothing of payments.
package evm
