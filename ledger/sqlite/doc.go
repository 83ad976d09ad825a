// Package sqlite keeps books in one file: the store for one machine, and the first one whose money survives a restart. It needs
// no server and no C compiler; the engine is modernc.org/sqlite.
//
//	store, err := sqlite.Open(ctx, "book.db", sqlite.Options{})
//	defer store.Close()
//	book := ledger.New(store, ledger.Config{Book: "acme"})
//
// # Durability
//
// An Update that returned nil is on the device: the file is in write-ahead mode with synchronous = FULL, so every commit ends with
// one fsync. A process that is killed, or a machine that loses power, leaves a file that opens as it stood after the last
// commit. Callers of one [ledger.Book] share their commits, up to 1,000 entries in one.
//
// # Processes
//
// One connection writes at a time, several read beside it, each on a snapshot of its own. Any number of Stores, in one process or in
// several of one machine, may work on one file: SQLite's locks make their updates take turns, an update waits for at most
// Options.LockWait ([Locked]), and a store notices that another has written and forgets what it remembered. One process is faster,
// because it shares commits. The file must lie on a local disk: the locks of network file systems are not to be trusted.
//
// # The host's own tables
//
// A host may keep its own tables in the same file. kosh's are called kosh_…, and two views balances and statement.
// [Join] records inside a transaction of the host.
//
// # Backup
//
// [Store.Backup] writes a consistent copy while the store is in use. Never copy the file alone while it is open: what was committed
// last is in the file with the ending -wal beside it.
//
// # What is in the file
//
// Ask with the sqlite3 shell:
//
//	sqlite3 -readonly -header -column book.db "SELECT * FROM balances WHERE path LIKE 'wallet/%'"
//	sqlite3 -readonly -header -column book.db "SELECT * FROM statement WHERE path = 'wallet/alice' ORDER BY line DESC LIMIT 50"
//
// Rows lie so that history makes nothing slower: lines, transactions and keys are only ever added at the end, each line knows the one
// before it of its account, and a few know one much further back, so a past balance is found in some steps that grow with the
// logarithm of the account's history. What is looked up at random is one index of keys and one small row an account. Keys that
// begin with the time (UUIDv7, or a date) keep the index of keys growing at its end, too.
//
// # Capacity
//
// Some 420 bytes a transfer of two legs, feed and index of keys included: 100 million transfers are 42 GB. SQLite holds 281 TB; the
// disk ends first. The log grows to 128 MB before it is written back, and longer while a reader stays on one snapshot. A store
// needs a page cache (Options.CacheKilobytes) and some 500 bytes for each account that it remembers (Options.CacheAccounts).
//
// make bench-sqlite compares it with naive SQL, which has the same columns, indexes and durability, prepared statements, and one
// transaction a transfer. It was measured on 2 cores, Debian, while seven others kept
// the machine busy, so CPU time says more than the clock; 10,000 wallets, the feed numbered afterwards, as kosh / naive:
//
//	callers   transfers/s         CPU a transfer
//	          uniform  one hot    uniform  one hot
//	      1       0.3      0.9       1.15     0.89
//	     16       4.7      4.4       0.21     0.16
//	     64       2.8      4.0       0.16     0.12
//	    256       9.7     11.9       0.09     0.08
//	  1,024       4.5     12.3       0.09     0.07
//
// A transfer takes 421 bytes where naive takes 541. With keys that begin with the time, a transfer took 85 CPU µs among the first
// 250,000 and 100 after 3.75 million, feed included; with random keys 95 and, after 1.25 million, 108. Further nobody has
// looked yet. Among 200,000 transfers, half of all pages of the last 50 lines were there within 0.6 ms and half of all past
// balances within 0.2 ms.
//
// # Errors
//
// What is wrong with the file is an [Error] with a [Reason] that says what to do, of the ledger's class Unavailable or Corrupt.
package sqlite
