package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const sample = `goos: plan9
pkg: github.com/koshpay/kosh/currency/bench
BenchmarkAdd/kosh-8         	100	 2.000 ns/op	 0 B/op	 0 allocs/op
BenchmarkAdd/kosh-8         	100	 4.5 ns/op	 0 B/op	 0 allocs/op
BenchmarkAdd/kosh-8         	100	 2.2 ns/op	 0 B/op	 0 allocs/op
BenchmarkAdd/kosh_Into-8    	100	 1 ns/op	 0 B/op	 0 allocs/op
BenchmarkAdd/other/one-8    	100	 33 ns/op	 16 B/op	 2 allocs/op
BenchmarkParse/kosh         	100	 1234 ns/op	 0 B/op	 0 allocs/op
BenchmarkParse/other/one    	100	 617 ns/op	 8 B/op	 1 allocs/op
PASS
`

func TestTable(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(strings.NewReader(sample), &out))
	require.Equal(t, `goos: plan9

Add                     ns/op     ±   × kosh   B/op allocs/op samples
kosh                     2.20  104%     1.00      0         0       3
kosh Into                1.00    0%     0.45      0         0       1
other/one               33.00    0%    15.00     16         2       1

Parse                   ns/op     ±   × kosh   B/op allocs/op samples
kosh                  1234.00    0%     1.00      0         0       1
other/one              617.00    0%     0.50      8         1       1

kosh is slower than
  Parse: other/one
`, out.String())
}

func TestTableRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":         "PASS\n",
		"a failure":       sample + "--- FAIL: BenchmarkAdd\n",
		"a panic":         sample + "panic: oh\n",
		"nothing of ours": "BenchmarkAdd/other-8 \t1\t 2 ns/op\t 0 B/op\t 0 allocs/op\n",
		"not a number":    "BenchmarkAdd/kosh-8 \t1\t 99999999999999999999 ns/op\t 0 B/op\t 0 allocs/op\n",
	} {
		require.Error(t, run(strings.NewReader(in), new(strings.Builder)), name)
	}
}
