//go:build race

package payments_test

// raced tells that the race detector watches: everything takes eight times as long, so what one goroutine does alone is played
// once. All of it is played without the detector: see "payments on" in .ci/test.
const raced = true
