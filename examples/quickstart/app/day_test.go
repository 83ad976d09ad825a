package app

import (
	"bytes"
	"flag"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	generator "github.com/koshpay/kosh/examples/quickstart/app/internal/day"
)

var update = flag.Bool("update", false, "write day.csv and the golden file anew")

func usd(t *testing.T, number string) currency.Amount {
	t.Helper()
	a, err := currency.Parse(number, currency.USD)
	require.NoError(t, err)
	return a
}

func TestDayIsWhatTheGeneratorMakes(t *testing.T) {
	made, _ := generator.Make()
	if *update {
		require.NoError(t, os.WriteFile("day.csv", made, 0o600))
		day = made
	}
	assert.True(t, bytes.Equal(made, day), "day.csv is not what internal/day makes; run go generate")
	again, _ := generator.Make()
	assert.True(t, bytes.Equal(made, again), "the generator is not deterministic")
}

// Every kind of mistake that the generator makes on purpose is found, as often as it was made.
func TestDayHasItsMistakes(t *testing.T) {
	_, d := generator.Make()
	requests := 0
	unread := 0
	require.NoError(t, ReadLines(bytes.NewReader(day), func(Line) error { requests++; return nil }, func(int, string) { unread++ }))
	assert.GreaterOrEqual(t, requests, 2_000)
	assert.Equal(t, d.Mistakes["garbage line"], unread)

	r := wholeDay()
	for reason, kinds := range map[string][]string{
		"unknown asset":                       {"unknown currency", "too early"},
		"too many decimal places":             {"decimals of yen"},
		"insufficient funds":                  {"overdraft"},
		"to oneself":                          {"tip to oneself"},
		"key conflict":                        {"same request, other content"},
		"by the provider: card declined":      {"declined card"},
		"by the provider: insufficient funds": {"empty card"},
		"by the provider: instrument refused": {"refused card"},
		"unknown member":                      {"unknown member"},
		"unknown other member":                {"unknown other member"},
		"invalid amount":                      {"negative amount", "zero amount"},
		"card number":                         {"card number in a note"},
		"amount is not a number":              {"empty amount", "amount that is no number"},
		"empty request id":                    {"empty request"},
		"invalid to":                          {"empty destination"},
		"is a member already":                 {"member already"},
		"unsupported":                         {"cash-out of coins"},
	} {
		made := 0
		for _, kind := range kinds {
			assert.Positive(t, d.Mistakes[kind], kind)
			made += d.Mistakes[kind]
		}
		assert.Equal(t, made, refused(t, r.stdout, reason), "refused for %q", reason)
	}
	assert.Equal(t, d.Mistakes["somebody else's refund"], refused(t, r.stdout, "forbidden")+refused(t, r.stdout, "unknown request to refund"))
	assert.Contains(t, r.stdout, strconv.Itoa(d.Mistakes["same request, same content"])+" more repeated an earlier request")
	assert.Positive(t, d.Mistakes["lost answer"])
	assert.Contains(t, r.stdout, strconv.Itoa(d.Mistakes["lost answer"])+" waited for a lost answer")
}

// refused finds how many lines the report says were refused for a reason.
func refused(t *testing.T, report, reason string) int {
	t.Helper()
	for line := range strings.Lines(report) {
		count, rest, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if strings.HasPrefix(rest, reason+"  ") {
			n, err := strconv.Atoi(count)
			require.NoError(t, err)
			return n
		}
	}
	return 0
}
