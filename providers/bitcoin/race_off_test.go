//go:build !race

package bitcoin_test

const thin = 1
