// Package ledgertest is the conformance suite for every [ledger.Store]. A store that passes can carry a ledger: it loses no
// update, tears no read, skips no row of a list and mixes no two books. Run it in ten lines:
//
//	func TestStore(t *testing.T) {
//		ledgertest.Run(t, ledgertest.Harness{
//			Open: func(t *testing.T) ledger.Store { return mystore.Open(t.TempDir()) },
//			Reopen: func(t *testing.T, s ledger.Store) ledger.Store { // leave out when nothing survives a restart
//				return mystore.Open(s.(*mystore.Store).Close())
//			},
//		})
//	}
//
// Run it with -race too, and under load: some promises only break when goroutines meet.
//
// # What it checks
//
// Each check of [Checks] states one rule of the contract, and a failure says the rule, what was found instead and what
// to look at:
//
//	ledgertest: absent-rows-are-guarded
//	  rule:  A row named in want that does not exist does not appear between decide and commit: …
//	  found: 3 updates found key "key 0" absent and committed, 5 found it; exactly one may find it absent
//	  do:    A row that is not there cannot be locked: lock something that stands for its name, …
//
// The first checks speak to the store directly, simple things first: mend a store in that order. The last ones go through
// [ledger.Book], and show what a ledger on top of it promises: keys that have one effect, money that is conserved, a
// feed without gaps.
//
// # What a store may rely on
//
// The suite writes rows as the rule book does. Every account's row agrees with its last line, so a store may
// rebuild one from the other. Whatever a row refers to is there or is written with it, so a store may keep foreign
// keys. Names and texts are valid UTF-8 without NUL and within the limits of package ledger; times are UTC in
// microseconds. Rows that break this are only written to see them refused.
//
// # For other tests
//
// [Dump] writes a whole book as text, the same for the same rows in whatever store, and [Diff] shows in which lines two
// dumps differ: so a test can say that a refused entry left the book byte for byte as it was. [Try] runs a single check
// and returns what it found, to show that a store that is broken on purpose is rejected.
package ledgertest
