//go:build unix

package sqlite_test

import (
	"fmt"
	"testing"
)

func BenchmarkProfile(b *testing.B) {
	for b.Loop() {
		for range 4 {
			r := measureKosh(b, 256, 40_000, false)
			fmt.Printf("%.0f/s %.0f µs\n", r.rate, r.cpu)
		}
	}
}
