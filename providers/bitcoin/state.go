package bitcoin

// What the adapter remembers, as JSON documents of the StateStore:
//
//	scan              how far the chain was read, and the step at hand
//	block/<hash>/<n>  what is ours in a block, for the step n that takes it in: written once, never changed
//	output/<tx>:<n>   an output to an address of ours: where it was mined, who reserved it, what spent it or took its place
//	coins/<n>         which outputs are unspent as of scan
//	op/<key>          an operation: what was asked, the address or the transactions made for it, where they were mined
//	sent/<tx>         the operation that a transaction of ours was signed for
//	foreign/<tx>      a transaction that spends coins of ours and is not
//	addresses/<n>     pageSize addresses: which operation has which
//	change            the next change address
//	events/<n>        what happened, for Poll
//
// A block is taken in, or taken back, by a step with a number: the step becomes durable in scan, is applied to every document that
// it touches, and is then marked done. Each document keeps the number of the last step applied to it, so applying a step again
// changes nothing, and neither does a process that wakes up in the middle of a step that others have finished.

const pageSize = 100

// tries bounds what is tried again because others were faster, where several documents are concerned.
const tries = 1000
