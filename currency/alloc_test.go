package currency

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// What a ledger does millions of times must not feed the garbage collector.
func TestNoAllocations(t *testing.T) {
	eth := testAsset(t, "eip155:1/slip44:60", 18)
	a, b := MustParse("1234.56", USD), MustParse("0.44", USD)
	wei := MustParse("123456789.123456789123456789", eth)
	factor := decimal.New(1075, -3)
	rate := MustRate(USD, eth, dec("0.000321"))
	text, json := []byte(wei.String()), []byte(`{"amount":"1.5","asset":"eip155:1/slip44:60"}`)
	binary, err := wei.MarshalBinary()
	require.NoError(t, err)
	buf := make([]byte, 0, 128)
	registry := MustRegistry(USD, eth)
	var sink Amount
	parts, many := make([]Amount, 3), make([]Amount, 100)
	weights := make([]int64, len(many))
	for i := range weights {
		weights[i] = int64(i % 7)
	}
	for name, op := range map[string]func(){
		"new":              func() { sink, _ = New(5, USD) },
		"from units":       func() { sink, _ = FromUnits(5, 5, eth) },
		"from minor":       func() { sink, _ = FromMinor(int64(5), 2, eth) },
		"from decimal":     func() { sink, _ = FromDecimal(factor, eth) },
		"zero":             func() { sink = Zero(USD) },
		"add":              func() { sink, _ = a.Add(b) },
		"subtract":         func() { sink, _ = a.Sub(b) },
		"compare":          func() { _, _ = a.Cmp(b) },
		"sum":              func() { sink, _ = Sum(a, b, a) },
		"multiply":         func() { sink, _ = a.Mul(factor, HalfEven) },
		"multiply large":   func() { sink, _ = wei.Mul(factor, HalfEven) },
		"multiply int":     func() { sink, _ = a.MulInt(3) },
		"allocate into":    func() { _ = a.AllocateInto(parts, 70, 20, 10) },
		"allocate many":    func() { _ = wei.AllocateInto(many, weights...) },
		"round":            func() { sink, _ = a.RoundTo(b, Up) },
		"convert":          func() { sink, _ = rate.Convert(a, HalfEven) },
		"parse":            func() { sink, _ = Parse("1234.56", USD) },
		"parse large":      func() { sink, _ = Parse("123456789.123456789123456789", eth) },
		"parse text":       func() { sink, _ = ParseText("1234.56 USD") },
		"unmarshal text":   func() { _ = sink.UnmarshalText(text) },
		"unmarshal json":   func() { _ = sink.UnmarshalJSON(json) },
		"unmarshal binary": func() { _ = sink.UnmarshalBinary(binary) },
		"append text":      func() { buf, _ = wei.AppendText(buf[:0]) },
		"append binary":    func() { buf, _ = wei.AppendBinary(buf[:0]) },
		"lookup":           func() { _, _ = Lookup("eip155:1/slip44:60") },
		"registry lookup":  func() { _, _ = registry.Lookup("USD") },
	} {
		require.Zero(t, testing.AllocsPerRun(100, op), name)
		require.NotPanics(t, op)
	}
	_ = sink
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _, _ = a.Allocate(1, 2, 3) }), 1.0, "allocate: its result")
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = a.String() }), 1.0, "string: its result")
}
