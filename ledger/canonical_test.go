package ledger_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/koshpay/kosh/ledger"
)

// texts are JSON, in forms that are easily got wrong, and what is nearly JSON.
var texts = []string{
	`null`, `true`, `false`, `0`, `-0`, `10`, `-1.50e+07`, `1E400`, `123456789012345678901234567890`, `""`, `"a"`, `{}`, `[]`, ` [ 1 , "b" , { } ] `,
	`{"b":1,"a":2}`, `{"a":1,"b":2}`, `{"b":{"d":[{"y":1,"x":2}],"c":3},"a":[]}`, "{\n\t\"a\" : 1 ,\r\n \"A\":2}", `{"a":1,"a":2}`, `{"a":1,"b":2,"a":3}`,
	`{"":1," ":2}`, `{"aa":1,"a":2,"a!":3,"a\"":4}`, `"a\u0062"`, `"\/"`, `"<b>&</b>"`, `{"<":1}`, `"\u003c"`, `"ünï"`, "\"\u2028\"", `{"ü":1,"u":2,"z":3}`,
	"\"\xff\"", `"\ud800"`, "\"\x7f\"", `{"a":{"sha256":"00"}}`, `[[[[[[]]]]]]`,
	``, ` `, `{`, `[`, `"`, `"\`, `tru`, `nul`, `truee`, `+1`, `01`, `-`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{"a":1}}`,
	`1 2`, `"a" "b"`, "\"a\nb\"", "\ufeff1", `{1:2}`, `[1 2]`, `NaN`,
}

// sameJSON holds the ledger's own way against encoding/json.
func sameJSON(t *testing.T, raw []byte) {
	t.Helper()
	require.Equal(t, json.Valid(raw), ledger.ValidJSON(raw), "%q", raw)
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	wantErr := d.Decode(&value)
	got, err := ledger.CanonicalJSON(raw)
	require.Equal(t, wantErr != nil, err != nil, "%q: %v, %v", raw, wantErr, err)
	if err == nil {
		want, err := json.Marshal(value)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "%q", raw)
	}
}

// TestCanonicalJSON: what counts for a key is what encoding/json makes of it.
func TestCanonicalJSON(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		sameJSON(t, []byte(text))
		sameJSON(t, []byte(`{"x":`+text+`,"a":[`+text+`]}`))
	}
	for _, depth := range []int{99, 100, 101, 9_000} {
		sameJSON(t, []byte(strings.Repeat(`[`, depth)+strings.Repeat(`]`, depth)))
		sameJSON(t, []byte(strings.Repeat(`{"b":1,"a":`, depth)+"2"+strings.Repeat(`}`, depth)))
	}
	many := make([]string, 0, 60)
	for i := range 60 {
		many = append(many, `"`+strings.Repeat("k", 60-i)+`":`+texts[i%8])
	}
	sameJSON(t, []byte("{"+strings.Join(many, ", ")+"}"))
}

func FuzzCanonicalJSON(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(sameJSON)
}
