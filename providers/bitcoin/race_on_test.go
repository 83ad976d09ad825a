//go:build race

package bitcoin_test

// thin says that the race detector watches, under which everything takes several times as long: one case of so many is played.
const thin = 5
