//go:build !race

package payments_test

const raced = false
