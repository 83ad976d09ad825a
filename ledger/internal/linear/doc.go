// Package linear checks that a ledger behaves, however many callers it has at once, as if they had come one after another:
// that its histories are linearizable. It has tests and nothing else.
//
// Clients share the accounts, holds, keys and a counter document of a book. Each call is recorded with the moments
// before and after it and with all that it answered: the verdict, the figures, the balances and versions of every account it
// touched. The checker then looks for an order of the calls that respects those moments and in which a naive ledger,
// one page of whole numbers and arrays, gives every one of these answers. Stores that are broken on purpose show that it
// finds none when there is none.
package linear
