package currency

import (
	"bytes"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
)

// The ten promises of doc.go. Each test draws amounts from the edges as often as from the middle, see randomUnits.

func randomAmount(r *rand.Rand, d *Definition) Amount { return Amount{units: randomUnits(r), def: d} }

func TestPromise1AddAndSubtractAreInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(101, 1))
	refused := 0
	for range 20_000 {
		a, b := randomAmount(r, USD), randomAmount(r, USD)
		sum, err := a.Add(b)
		if err != nil {
			require.ErrorIs(t, err, ErrOverflow)
			refused++
			continue
		}
		require.Equal(t, a, must(sum.Sub(b)))
		require.Equal(t, b, must(sum.Sub(a)))
		require.Equal(t, sum, must(b.Add(a)))
	}
	require.NotZero(t, refused, "the edges were reached")
}

func TestPromise2AllocationSumsAndIsSignSymmetric(t *testing.T) {
	r := rand.New(rand.NewPCG(102, 1))
	for range 5_000 {
		a := randomAmount(r, USD)
		weights := randomWeights(r)
		parts := must(a.Allocate(weights...))
		mirror := must(must(a.Neg()).Allocate(weights...))
		require.Equal(t, a, must(Sum(parts...)))
		for i := range parts {
			require.Equal(t, must(parts[i].Neg()), mirror[i])
		}
	}
}

func TestPromise3EachPartIsWithinOneUnitOfItsExactShare(t *testing.T) {
	r := rand.New(rand.NewPCG(103, 1))
	for range 3_000 {
		a := randomAmount(r, USD)
		weights := randomWeights(r)
		total := new(big.Rat)
		for _, w := range weights {
			total.Add(total, new(big.Rat).SetInt64(w))
		}
		for i, part := range must(a.Allocate(weights...)) {
			share := new(big.Rat).SetInt(a.Big())
			share.Mul(share, new(big.Rat).SetInt64(weights[i]))
			share.Quo(share, total)
			off := share.Sub(share, new(big.Rat).SetInt(part.Big()))
			require.Negative(t, off.Abs(off).Cmp(big.NewRat(1, 1)), "part %d of %v by %v", i, a, weights)
		}
	}
}

func randomWeights(r *rand.Rand) []int64 {
	weights := make([]int64, 1+r.IntN(30))
	for i := range weights {
		if r.IntN(4) > 0 {
			weights[i] = int64(randomWord(r) >> 1)
		}
	}
	weights[r.IntN(len(weights))] = 1 + int64(r.IntN(9)) // not all zero
	return weights
}

// roundRat rounds a fraction by the definition of each mode; nil where Exact refuses.
func roundRat(v *big.Rat, mode Rounding) *big.Int {
	floor := new(big.Int).Div(v.Num(), v.Denom()) // Euclidean, and denominators are positive
	rest := new(big.Rat).Sub(v, new(big.Rat).SetInt(floor))
	if rest.Sign() == 0 {
		return floor
	}
	ceiling := new(big.Int).Add(floor, big.NewInt(1))
	zero, away := floor, ceiling
	if v.Sign() < 0 {
		zero, away = ceiling, floor
	}
	even := floor
	if floor.Bit(0) == 1 {
		even = ceiling
	}
	tie := map[Rounding]*big.Int{HalfEven: even, HalfUp: away, HalfDown: zero}
	if half := tie[mode]; half != nil {
		switch rest.Cmp(big.NewRat(1, 2)) {
		case -1:
			return floor
		case 0:
			return half
		default:
			return ceiling
		}
	}
	return map[Rounding]*big.Int{Up: away, Down: zero, Ceiling: ceiling, Floor: floor}[mode]
}

func TestPromise4RoundingAgreesWithRat(t *testing.T) {
	r := rand.New(rand.NewPCG(104, 1))
	check := func(exact *big.Rat, mode Rounding, got Amount, err error, what string) {
		t.Helper()
		want := roundRat(exact, mode)
		if mode == Exact && !inRange(roundRat(exact, Down)) {
			require.ErrorIs(t, err, ErrOverflow, what)
			return
		}
		checkResult(t, want, got, err, what)
	}
	for range 10_000 {
		a := randomAmount(r, USD)
		units := new(big.Rat).SetInt(a.Big())
		mode := Rounding(r.IntN(int(Exact) + 1))
		coefficient, exponent := int64(randomWord(r)), -r.IntN(40)
		if r.IntN(3) == 0 {
			coefficient, exponent = int64(r.IntN(2000)-1000)*5, -3 // many ties
		}
		factor := decimal.New(coefficient, int32(exponent))

		got, err := a.Mul(factor, mode)
		check(new(big.Rat).Mul(units, factor.Rat()), mode, got, err, "multiply")

		step := MustNew(1+int64(randomWord(r)>>2), USD)
		got, err = a.RoundTo(step, mode)
		steps := roundRat(new(big.Rat).Quo(units, new(big.Rat).SetInt(step.Big())), mode)
		if steps != nil {
			steps.Mul(steps, step.Big())
		}
		checkResult(t, steps, got, err, "round")

		if factor.Sign() > 0 {
			rate := MustRate(USD, KWD, factor) // thousandths for hundredths
			got, err = rate.Convert(a, mode)
			check(new(big.Rat).Mul(units, new(big.Rat).Mul(factor.Rat(), big.NewRat(10, 1))), mode, got, err, "convert")
		}
	}
}

func TestPromise5ComparisonIsATotalOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(105, 1))
	for range 20_000 {
		a, b, c := randomAmount(r, USD), randomAmount(r, USD), randomAmount(r, USD)
		if r.IntN(4) == 0 {
			b = a
		}
		ab, bc, ac := must(a.Cmp(b)), must(b.Cmp(c)), must(a.Cmp(c))
		require.Equal(t, -ab, must(b.Cmp(a)), "antisymmetric")
		require.Equal(t, ab == 0, a == b, "equal means ==")
		require.Equal(t, ab < 0, must(a.Less(b)))
		require.Equal(t, a.Big().Cmp(b.Big()), ab)
		if ab <= 0 && bc <= 0 {
			require.LessOrEqual(t, ac, 0, "transitive")
		}
		if ab >= 0 && bc >= 0 {
			require.GreaterOrEqual(t, ac, 0, "transitive")
		}
	}
}

// Every method and function that takes a second amount is found by its type, so that a new one cannot be forgotten.
func TestPromise6MixedAssetsAlwaysFail(t *testing.T) {
	usd, eur, half := MustNew(100, USD), MustNew(100, EUR), MustRate(USD, JPY, dec("0.5"))
	amount, tried := reflect.TypeFor[Amount](), 0
	refused := func(name string, out []reflect.Value) {
		t.Helper()
		err, _ := out[len(out)-1].Interface().(error)
		require.ErrorIs(t, err, ErrAssetMismatch, name)
		require.True(t, out[0].IsZero(), "%s gives nothing", name)
		tried++
	}
	for i := range amount.NumMethod() {
		m := amount.Method(i)
		args := []reflect.Value{reflect.ValueOf(usd)}
		mixed := false
		for in := 1; in < m.Type.NumIn(); in++ {
			if m.Type.In(in) == amount {
				args, mixed = append(args, reflect.ValueOf(eur)), true
			} else {
				args = append(args, reflect.Zero(m.Type.In(in)))
			}
		}
		if mixed {
			refused(m.Name, m.Func.Call(args))
		}
	}
	for name, f := range map[string]any{
		"Min":         Min,
		"Max":         Max,
		"Sum":         func(a, b Amount) (Amount, error) { return Sum(a, a, b) },
		"Convert":     func(_, b Amount) (Amount, error) { return Convert(b, half, HalfEven) },
		"ConvertBack": func(_, b Amount) (Amount, error) { return half.ConvertBack(b, HalfEven) },
	} {
		refused(name, reflect.ValueOf(f).Call([]reflect.Value{reflect.ValueOf(usd), reflect.ValueOf(eur)}))
	}
	require.GreaterOrEqual(t, tried, 10)
}

func TestPromise7ConflictingDefinitionsAreRefusedInARace(t *testing.T) {
	const callers = 8
	for round := range 200 {
		id := AssetID("app:promise/seven-" + strconv.Itoa(round))
		var defs [callers]*Definition
		var errs [callers]error
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range callers {
			wg.Go(func() {
				<-start
				defs[i], errs[i] = Intern(&token{id: id, code: "SEVEN", scale: uint8(i % 3), kind: Virtual})
			})
		}
		close(start)
		wg.Wait()
		known, ok := Lookup(id)
		require.True(t, ok)
		for i := range callers {
			if uint8(i%3) == known.Scale() {
				require.NoError(t, errs[i])
				require.Same(t, known, defs[i])
			} else {
				require.ErrorIs(t, errs[i], ErrAssetConflict)
				require.Nil(t, defs[i])
			}
		}
	}
}

func TestPromise8ChangingAHostsAssetChangesNothing(t *testing.T) {
	host := &token{id: "app:promise/eight", code: "EIGHT", name: "Eight", scale: 4, kind: Virtual}
	a := MustNew(12345, host)
	registry := MustRegistry(host)
	before := a.Asset().Info()
	text, data, number := a.String(), must(json.Marshal(a)), a.Decimal()

	*host = token{id: "app:promise/other", code: "OTHER", name: "Other", scale: 9, kind: Virtual}
	require.Equal(t, before, a.Asset().Info())
	require.Equal(t, text, a.String())
	require.Equal(t, data, must(json.Marshal(a)))
	require.True(t, number.Equal(a.Decimal()))
	require.Equal(t, a, must(ParseText(text)))
	require.True(t, registry.Enabled("app:promise/eight"))
	require.False(t, registry.Enabled("app:promise/other"))
	info := a.Asset().Info() // a copy
	info.Scale, info.Code = 0, "CHANGED"
	require.Equal(t, before, a.Asset().Info())
}

func TestPromise9EveryFormReadsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(109, 1))
	for scale := range uint8(MaxScale + 1) {
		d := testAsset(t, AssetID("app:promise/nine-"+strconv.Itoa(int(scale))), scale)
		for range 300 {
			a := randomAmount(r, d)
			require.Equal(t, a, must(FromDecimal(a.Decimal(), d)))
			require.Equal(t, a, must(FromDecimal(decimal.RequireFromString(a.Number()), d)))
			require.Equal(t, a.Decimal().StringFixed(int32(scale)), a.Number())
			require.Equal(t, a, must(Parse(a.Number(), d)))
			require.Equal(t, a, must(ParseText(a.String())))
			var text, fromJSON, binary, fromSQL Amount
			require.NoError(t, text.UnmarshalText(must(a.MarshalText())))
			require.NoError(t, json.Unmarshal(must(json.Marshal(a)), &fromJSON))
			require.NoError(t, binary.UnmarshalBinary(must(a.MarshalBinary())))
			require.NoError(t, fromSQL.Scan(must(a.Value())))
			require.Equal(t, []Amount{a, a, a, a}, []Amount{text, fromJSON, binary, fromSQL})
		}
	}
}

func TestPromise10EveryDecoderIsBounded(t *testing.T) {
	const mega = 1 << 20
	decoders := map[string]func([]byte) error{
		"Parse":           func(b []byte) error { _, err := Parse(string(b), USD); return err },
		"ParseText":       func(b []byte) error { _, err := ParseText(string(b)); return err },
		"UnmarshalText":   func(b []byte) error { return new(Amount).UnmarshalText(b) },
		"UnmarshalJSON":   func(b []byte) error { return new(Amount).UnmarshalJSON(b) },
		"UnmarshalBinary": func(b []byte) error { return new(Amount).UnmarshalBinary(b) },
		"Scan text":       func(b []byte) error { return new(Amount).Scan(string(b)) },
		"Scan bytes":      func(b []byte) error { return new(Amount).Scan(b) },
		"rate JSON":       func(b []byte) error { return new(Rate).UnmarshalJSON(b) },
		"kind":            func(b []byte) error { return new(Kind).UnmarshalText(b) },
		"asset ID":        func(b []byte) error { return AssetID(b).Validate() },
		"Define": func(b []byte) error {
			_, err := Define(Info{ID: "app:promise/ten", Code: string(b), Kind: Virtual})
			return err
		},
		"Find": func(b []byte) error { _, err := MustRegistry(USD).Find(string(b)); return err },
	}
	units := []string{"9", "-", ".", " ", "\\u0031", "{", `{"amount":`, "app:a/b", "\x01", "९"}
	for name, decode := range decoders {
		for _, unit := range units {
			input := bytes.Repeat([]byte(unit), mega/len(unit))
			for _, prefix := range []string{"", "1 ", `{"amount":"`, "app:"} {
				input := append([]byte(prefix), input...)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				err := decode(input)
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				require.Error(t, err, "%s of %q…", name, input[:20])
				require.Less(t, len(err.Error()), 1024, "%s of %q…", name, input[:20])
				// The decoders that take a string pay for the copy that the call makes of the input.
				require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*mega), "%s of %q…", name, input[:20])
				require.Less(t, took, time.Second, "%s of %q…", name, input[:20])
			}
		}
	}
	// A decimal of a million digits, which somebody else has parsed.
	long := decimal.NewFromBigInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(mega), nil), -mega)
	start := time.Now()
	_, err := FromDecimal(long, USD)
	require.ErrorIs(t, err, ErrOverflow)
	_, err = MustNew(1, USD).Mul(long, HalfEven)
	require.ErrorIs(t, err, ErrOverflow)
	_, err = NewRate(USD, EUR, long)
	require.ErrorIs(t, err, ErrInvalidRate)
	require.Less(t, time.Since(start), 5*time.Second, "shopspring/decimal counts the digits, and slowly")
}
