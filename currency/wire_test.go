package currency

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	_ json.Marshaler             = Amount{}
	_ json.Unmarshaler           = (*Amount)(nil)
	_ encoding.TextMarshaler     = Amount{}
	_ encoding.TextAppender      = Amount{}
	_ encoding.TextUnmarshaler   = (*Amount)(nil)
	_ encoding.BinaryMarshaler   = Amount{}
	_ encoding.BinaryAppender    = Amount{}
	_ encoding.BinaryUnmarshaler = (*Amount)(nil)
	_ driver.Valuer              = Amount{}
	_ sql.Scanner                = (*Amount)(nil)
	_ fmt.Formatter              = Amount{}
	_ slog.LogValuer             = Amount{}
	_ Asset                      = (*Definition)(nil)
)

var jsonRefusals = map[string]error{
	``: ErrSyntax, `{}`: ErrSyntax, `[]`: ErrSyntax, `1`: ErrSyntax, `12.5`: ErrSyntax, `"1 USD"`: ErrSyntax, `true`: ErrSyntax, `nul`: ErrSyntax, `nulll`: ErrSyntax, `null x`: ErrSyntax,
	`{"amount":1234.56,"asset":"USD"}`:                           ErrSyntax, // a number
	`{"amount":"1","asset":840}`:                                 ErrSyntax,
	`{"amount":null,"asset":"USD"}`:                              ErrSyntax,
	`{"amount":"1"}`:                                             ErrSyntax,
	`{"asset":"USD"}`:                                            ErrSyntax,
	`{"amount":"1","amount":"2","asset":"USD"}`:                  ErrSyntax, // a duplicate
	`{"amount":"1","amount":"1"}`:                                ErrSyntax,
	`{"amount":"1","asset":"USD","asset":"EUR"}`:                 ErrSyntax,
	`{"amount":"1","\u0061mount":"2","asset":"USD"}`:             ErrSyntax, // a duplicate in disguise
	`{"amount":"1","asset":"USD","note":"x"}`:                    ErrSyntax,
	`{"amount":"1","asset":"USD","note":"x","amount":"2"}`:       ErrSyntax,
	`{"Amount":"1","asset":"USD"}`:                               ErrSyntax,
	`{"amount":"1" "asset":"USD"}`:                               ErrSyntax,
	`{"amount":"1","asset":"USD",}`:                              ErrSyntax,
	`{"amount":"1","asset":"USD"`:                                ErrSyntax,
	`{"amount":"1","asset":"USD"}}`:                              ErrSyntax,
	`{"amount":"1","asset":"USD"} {}`:                            ErrSyntax,
	`{,"amount":"1","asset":"USD"}`:                              ErrSyntax,
	`{"amount":{"amount":"1"},"asset":"USD"}`:                    ErrSyntax,
	`{"amount":"1","asset":"USD\q"}`:                             ErrSyntax,
	"{\"amount\":\"1\n\",\"asset\":\"USD\"}":                     ErrSyntax,
	`{"amount":"NaN","asset":"USD"}`:                             ErrSyntax,
	`{"amount":"1E1000000000","asset":"USD"}`:                    ErrSyntax,
	`{"amount":"","asset":"USD"}`:                                ErrSyntax,
	`{"amount":"1","asset":""}`:                                  ErrSyntax,
	`{"amount":"1","asset":"usd"}`:                               ErrSyntax,
	`{"amount":"1","asset":"app:json/unknown"}`:                  ErrUnknownAsset,
	`{"amount":"1.234","asset":"USD"}`:                           ErrPrecision,
	`{"amount":"` + strings.Repeat("9", 45) + `","asset":"USD"}`: ErrOverflow,
	`{"amount":"1","asset":"USD"}` + strings.Repeat(" ", 5000):   ErrSyntax,
}

func TestJSONRefuses(t *testing.T) {
	for in, want := range jsonRefusals {
		a := MustNew(7, EUR)
		err := a.UnmarshalJSON([]byte(in))
		require.ErrorIs(t, err, want, "%.80s", in)
		require.Equal(t, MustNew(7, EUR), a, "a failed decode changes nothing")
	}
}

func TestJSONSaysThatANameIsRepeated(t *testing.T) {
	var a Amount
	require.ErrorContains(t, a.UnmarshalJSON([]byte(`{"amount":"1","amount":"1","asset":"USD"}`)), "twice")
}

func TestJSON(t *testing.T) {
	eth := testAsset(t, "eip155:1/slip44:60", 18)
	for in, want := range map[string]Amount{
		`{"amount":"1234.56","asset":"USD"}`:                              MustNew(123456, USD),
		" {\n\t\"asset\" : \"JPY\" ,\r \"amount\" : \"-5\" } ":            MustNew(-5, JPY),
		`{"amount":"0.000000000000000001","asset":"eip155:1\/slip44:60"}`: MustNew(1, eth), // as PHP escapes
		`{"\u0061mount":"\u0031","asset":"USD"}`:                          MustNew(100, USD),
		`null`:                                                            {},
		` null\n`[:5]:                                                     {},
	} {
		a := MustNew(7, EUR)
		require.NoError(t, a.UnmarshalJSON([]byte(in)), in)
		require.Equal(t, want, a, in)
	}

	type invoice struct {
		Total Amount            `json:"total"`
		Tip   Amount            `json:"tip"`
		Split map[string]Amount `json:"split"`
	}
	in := invoice{Total: MustNew(123456, USD), Split: map[string]Amount{"a": MustNew(1, JPY)}}
	data, err := json.Marshal(in)
	require.NoError(t, err)
	require.JSONEq(t, `{"total":{"amount":"1234.56","asset":"USD"},"tip":null,"split":{"a":{"amount":"1","asset":"JPY"}}}`, string(data))
	var out invoice
	require.NoError(t, json.Unmarshal(data, &out))
	require.Equal(t, in, out)
}

func TestJSONAndBinaryRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for range 3_000 {
		a := Amount{units: randomUnits(r), def: testAssets(t)[r.IntN(4)]}
		data, err := json.Marshal(a)
		require.NoError(t, err)
		var back Amount
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, a, back)

		data, err = a.MarshalBinary()
		require.NoError(t, err)
		back = Amount{}
		require.NoError(t, back.UnmarshalBinary(data))
		require.Equal(t, a, back)
	}
}

// jsonOracle walks the tokens of encoding/json.
func jsonOracle(data []byte) (map[string]string, bool) {
	if len(data) > maxJSONLen || !json.Valid(data) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	fields := map[string]string{}
	for i := 0; ; i++ {
		token, err := dec.Token()
		if err == io.EOF {
			return fields, len(fields) == 2
		}
		if err != nil {
			return nil, false
		}
		switch {
		case i == 0 && token != json.Delim('{'):
			return nil, false
		case i == 0 || token == json.Delim('}'):
			continue
		}
		key, ok := token.(string)
		if _, twice := fields[key]; !ok || twice || key != "amount" && key != "asset" {
			return nil, false
		}
		value, err := dec.Token()
		text, ok := value.(string)
		if err != nil || !ok {
			return nil, false
		}
		fields[key] = text
	}
}

func FuzzJSON(f *testing.F) {
	for s := range jsonRefusals {
		f.Add([]byte(s))
	}
	f.Add([]byte(`{"amount":"1234.56","asset":"USD"}`))
	f.Add([]byte(`{"asset":"app:test\/deep","\u0061mount":"-0.1"}`))
	testAssets(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Amount
		err := a.UnmarshalJSON(data)
		if string(bytes.Trim(data, " \t\r\n")) == "null" && len(data) <= maxJSONLen {
			require.NoError(t, err)
			return
		}
		fields, ok := jsonOracle(data)
		if !ok {
			require.ErrorIs(t, err, ErrSyntax, "%q", data)
			require.Equal(t, Amount{}, a)
			return
		}
		var want Amount
		d, ok := Lookup(AssetID(fields["asset"]))
		if ok {
			want, _ = Parse(fields["amount"], d)
		}
		require.Equal(t, want.IsValid(), err == nil, "%q", data)
		require.Equal(t, want, a, "%q", data)
	})
}

func TestBinaryRefuses(t *testing.T) {
	good, err := MustNew(1, USD).MarshalBinary()
	require.NoError(t, err)
	edit := func(i int, b byte) []byte {
		data := bytes.Clone(good)
		data[i] = b
		return data
	}
	least := append([]byte{1, 2, 0x80}, append(make([]byte, 15), "USD"...)...)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"version 0":     {edit(0, 0), ErrSyntax},
		"version 2":     {edit(0, 2), ErrSyntax},
		"other scale":   {edit(1, 3), ErrAssetConflict},
		"cut":           {good[:10], ErrSyntax},
		"no asset":      {good[:18], ErrSyntax},
		"no such ISO":   {edit(18, 'Z'), ErrSyntax},
		"lower case":    {edit(18, 'u'), ErrSyntax},
		"unknown asset": {append(bytes.Clone(good[:18]), "app:binary/unknown"...), ErrUnknownAsset},
		"too long":      {append(bytes.Clone(good[:18]), make([]byte, 259)...), ErrSyntax},
		"−2¹²⁷":         {least, ErrOverflow},
	} {
		a := MustNew(7, EUR)
		require.ErrorIs(t, a.UnmarshalBinary(c.data), c.want, name)
		require.Equal(t, MustNew(7, EUR), a)
	}
	empty, err := Amount{}.MarshalBinary()
	require.NoError(t, err)
	require.Empty(t, empty)
	a := MustNew(7, EUR)
	require.NoError(t, a.UnmarshalBinary(nil))
	require.Equal(t, Amount{}, a)
}

func TestGob(t *testing.T) {
	var b bytes.Buffer
	in := MustNew(-5, JPY)
	require.NoError(t, gob.NewEncoder(&b).Encode(in))
	var out Amount
	require.NoError(t, gob.NewDecoder(&b).Decode(&out))
	require.Equal(t, in, out)
}

// There is exactly one encoding of each amount.
func FuzzBinary(f *testing.F) {
	for _, d := range testAssets(f) {
		data, _ := MustNew(-12345, d).MarshalBinary()
		f.Add(data)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Amount
		if a.UnmarshalBinary(data) != nil {
			require.Equal(t, Amount{}, a)
			return
		}
		back, err := a.MarshalBinary()
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, back), "%x became %x", data, back)
		require.True(t, inRange(a.Big()))
	})
}

func TestSQL(t *testing.T) {
	for _, src := range []any{12, int64(12), 12.5, true, time.Time{}, "12.50", []byte("12.50"), "", []byte{}, "12.50 usd", struct{}{}, (*string)(nil)} {
		a := MustNew(7, EUR)
		require.ErrorIs(t, a.Scan(src), ErrSyntax, "%T %v", src, src)
		require.Equal(t, MustNew(7, EUR), a)
	}
	for _, a := range []Amount{{}, MustNew(-1250, USD), Zero(JPY)} {
		value, err := a.Value()
		require.NoError(t, err)
		back := MustNew(7, EUR)
		require.NoError(t, back.Scan(value))
		require.Equal(t, a, back)
	}
	var a Amount
	require.NoError(t, a.Scan([]byte("12.50 USD")))
	require.Equal(t, MustNew(1250, USD), a)
	value, err := Amount{}.Value()
	require.NoError(t, err)
	require.Nil(t, value)
}

func TestPrinting(t *testing.T) {
	a := MustNew(123456, USD)
	for format, want := range map[string]string{
		"%v": "1234.56 USD", "%s": "1234.56 USD", "%q": `"1234.56 USD"`, "%f": "1234.56", "%d": "123456", "%+v": "+1234.56 USD", "%+d": "+123456",
		"%#v": "currency.Amount(1234.56 USD)", "%15v|": "    1234.56 USD|", "%-15v|": "1234.56 USD    |", "%x": "%!x(currency.Amount=1234.56 USD)",
		"%.1f": "%!f(currency.Amount does not round)", "%1v": "1234.56 USD", "%10f": "   1234.56",
	} {
		require.Equal(t, want, fmt.Sprintf(format, a), format)
	}
	require.Equal(t, "-0.01 USD", fmt.Sprintf("%+v", MustNew(-1, USD)))
	require.Equal(t, "<invalid amount>", fmt.Sprint(Amount{}))
	require.Equal(t, "<invalid amount>", fmt.Sprintf("%+v", Amount{}))
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("paid", "amount", a)
	require.Contains(t, b.String(), `amount="1234.56 USD"`)
}
