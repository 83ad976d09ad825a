//go:build !race

package ledger_test

const modelRuns = 1_000

const slowness = 1
