// Package memory keeps books in memory. It is the reference [ledger.Store] and the yardstick for the others: it keeps every
// promise of the interface, and millions of transfers in little room. Use it in tests, in demonstrations and wherever a
// restart may forget everything. Times are kept in microseconds, as the ledger has them.
//
//	book := ledger.New(memory.New(), ledger.Config{Book: "acme"})
//
// # How to write a store
//
// A store keeps rows and knows no rule, so it never looks at what a row means. It needs four things, and this package
// has one file for each:
//
//   - A guard (store.go). Between the moment decide sees a row (or sees that there is none) and the moment its writes are
//     there, nobody else may change that row. Here one lock a book does it; a database locks the rows named, in sorted
//     order, or compares versions and starts again.
//   - Rows by name (rows.go, index.go). Update and Read ask for rows by name only. A row is replaced whole or added; lines,
//     versions, keys and changes are only ever added, and adding one twice is an error, because it means that the
//     guard failed.
//   - Lists by position (order.go). Scan reads a page of one list. Every row says its own place ([ledger.Position]),
//     so a store that keeps what those methods return has the documented order.
//   - Copies at the edge (copy.go, record.go). Nothing that a caller holds may reach into the store. A database has this for free.
//
// book.go puts them together: which rows there are, which lists each is in, and all-or-nothing writes: everything that
// can go wrong is checked before the first row changes.
//
// What every posting writes (accounts.go, lines.go, transactions.go, keys.go, feed.go) lies in records of bytes in large
// chunks without pointers (arena.go, record.go): a tenth of the room that Go values need, and nothing for the garbage collector
// to look at. What is rare, such as documents and leases, lies in Go values (rows.go); read that part first.
//
// What takes time in memory is waiting for it. An update looks each of its accounts and keys up once, in steps over all of
// them and not one by one (accounts.numbersOf, keys.ask), so that the processor waits for many places at the same time. An
// account that the store itself gave out, in a list or with a balance, is not looked up at all: its path lies in its row, so
// the row is where the text is (accounts.placed). Whoever keeps such an id, or its handle, is served soonest. A key or a
// transaction is known by its turn, because rows come in the order of the entries.
//
// The commonest entries, a Post and nothing else, go a shorter way (post.go into the book, number.go into the feed; see
// [ledger.Poster]): the rules run on the accounts themselves, and all that an entry leaves is one record (plain.go), which is
// its key, its transaction, its lines and its place in the feed. It is what to leave out of a first store.
//
// When yours compiles, run package ledgertest against it: it has a check for each of these promises.
package memory
