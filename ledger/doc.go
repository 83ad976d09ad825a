// Package ledger keeps books by double entry: accounts, transactions, holds and the documents behind them.
package ledger
