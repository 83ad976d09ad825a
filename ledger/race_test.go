//go:build race

package ledger_test

// modelRuns: the race detector makes each run ten times as long, and there is nothing concurrent to find.
const modelRuns = 100

// slowness divides what is tried many times in one goroutine, for the same reason.
const slowness = 4
