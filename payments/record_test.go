package payments

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// awkward are texts that JSON has to escape or replace, or that look like JSON.
var awkward = []string{
	"", "plain", "m1", "Visa •• 4242", `a "quoted" \ one`, "<b>&</b>", "line\nfeed\ttab", "\u2028", "\x7f", "bad \xff UTF-8", `","kind":"x`, "null", "}", "é",
}

// fill gives every field a value by chance, so that a field that is added to a type is met here.
func fill(rnd *rand.Rand, v reflect.Value) {
	switch a := v.Addr().Interface().(type) {
	case *currency.Amount:
		if rnd.IntN(3) > 0 {
			*a = currency.MustNew(rnd.Int64N(2_000_000)-1_000_000, []*currency.Definition{currency.USD, currency.JPY, currency.KWD}[rnd.IntN(3)])
		}
		return
	case *currency.Rate:
		if rnd.IntN(2) > 0 {
			*a = currency.MustRate(currency.USD, currency.JPY, decimal.New(1+rnd.Int64N(1_000_000), -rnd.Int32N(20)))
		}
		return
	case *time.Time:
		if rnd.IntN(2) > 0 {
			*a = time.UnixMicro(rnd.Int64N(4e15)).UTC()
		}
		return
	case *uuid.UUID:
		if rnd.IntN(2) > 0 {
			for i := range a {
				a[i] = byte(rnd.IntN(256))
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(awkward[rnd.IntN(len(awkward))])
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) > 0)
	case reflect.Int:
		v.SetInt([]int64{0, 1, 17, -3}[rnd.IntN(4)])
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	case reflect.Slice:
		for range rnd.IntN(4) {
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			fill(rnd, v.Index(v.Len()-1))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range rnd.IntN(3) {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(rnd, value)
			v.SetMapIndex(reflect.ValueOf(awkward[rnd.IntN(len(awkward)-1)]+fmt.Sprint(i)), value)
		}
	case reflect.Pointer:
		if rnd.IntN(2) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem())
		}
	default:
		panic("no value for " + v.Type().String())
	}
}

// TestBodyIsJSON: what is written without reflection is what encoding/json writes, and reads as it reads.
func TestBodyIsJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2_000) {
		var r record
		fill(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(&r).Elem())
		want, err := json.Marshal(&r)
		require.NoError(t, err)
		got, ok := writeBody(r.walk)
		require.True(t, ok, "%s", want)
		require.Equal(t, string(want), string(got))
		sameReading(t, got, true)
	}
}

// sameReading reads a text both ways. What is read without reflection must be what encoding/json reads; with always it must be read.
func sameReading(t *testing.T, text []byte, always bool) {
	t.Helper()
	var got, want record
	if !readBody(text, got.walk) {
		require.False(t, always, "%s", text)
		return
	}
	require.NoError(t, json.Unmarshal(text, &want), "%s", text)
	require.Equal(t, want, got, "%s", text)
}

// TestBodyOfOthers: what another program wrote is read by encoding/json, in whatever form it is, or is refused as it always was.
func TestBodyOfOthers(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		``, `null`, `{}`, `[]`, ` {"id":"a","kind":"tip"}`, `{"id":"a","kind":"tip"} `, `{"id":"a", "kind":"tip"}`, `{"kind":"tip","id":"a"}`,
		`{"id":"a","kind":"tip","newer":1}`, `{"id":"a","kind":"tip","member":1}`, `{"id":"a","kind":"tip","looks":01}`, `{"id":"a","kind":"tip","looks":+1}`,
		`{"id":"a","kind":"tip","looks":}`, `{"id":"a","kind":"tip","looks":1`, `{"id":"a","kind":"tip"`, `{"id":"a","kind":"tip"}}`, `{"id":"a","kind":"ti`,
		`{"id":"a","kind":"tip","undone":false}`, `{"id":"a","kind":"tip","first_sent":"2030"}`, `{"id":"a","kind":"tip","first_sent":"`,
		`{"id":"a","kind":"tip","transaction":"no"}`, `{"id":"a","kind":"tip","amount":{"amount":"1","asset":"USD"`, `{"id":"a","kind":"tip","amount":"1"}`,
		`{"id":"a","kind":"tip","amount":null}`, `{"id":"a","kind":"tip","routes":[]}`, `{"id":"a","kind":"tip","routes":["x",]}`, `{"id":"a","kind":"tip","refunds":{}}`,
		"{\"id\":\"a\x01\",\"kind\":\"tip\"}", `{"id":"a\q","kind":"tip"}`, "{\"id\":\"\xff\",\"kind\":\"tip\"}", `{"id":"\ud800","kind":"tip"}`,
		`{"ID":"a","Kind":"tip"}`, `{"id":"a","kind":"tip","refunds":{"b":null,"b":{"amount":"1","asset":"USD"}}}`,
	} {
		sameReading(t, []byte(text), false)
		var want record
		err := json.Unmarshal([]byte(text), &want)
		got, errGot := readRecord(ledger.Document{Body: []byte(text)})
		if assert.Equal(t, err == nil, errGot == nil, "%s: %v", text, errGot) && err == nil {
			assert.Equal(t, &want, got, "%s", text)
		}
	}
}

func FuzzRecordBody(f *testing.F) {
	for seed := range uint64(20) {
		var r record
		fill(rand.New(rand.NewPCG(seed, 2)), reflect.ValueOf(&r).Elem())
		text, _ := writeBody(r.walk)
		f.Add([]byte(text))
		f.Add(bytes.Replace(text, []byte(`"`), []byte(`\u0022`), 3))
	}
	f.Fuzz(func(t *testing.T, text []byte) { sameReading(t, text, false) })
}
