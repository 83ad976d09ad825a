//go:build race

package simulation

// raced tells that the race detector watches: everything takes eight times as long, so the tests play less. They play all
// of it without the detector: see "simulator" in .ci/test.
const raced = true
