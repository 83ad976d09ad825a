package ledgertest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// rowText writes a row as one line of JSON that is equal exactly when the rows are. It does not go through the types' own
// JSON, because that is for readers and may leave out what a comparison must see: zero dollars are not the absence of a
// bound, and the bytes of a body count. Empty and nil slices and maps are the same; fields that are never stored (tag
// "-") are left out; a time shows its zone, because rows are in UTC.
func rowText(row any) string {
	return string(appendValue(nil, reflect.ValueOf(row)))
}

func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Struct, reflect.Array: // some have a text of their own
		switch x := v.Interface().(type) {
		case time.Time:
			return append(x.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
		case currency.Amount:
			return strconv.AppendQuote(b, x.String())
		case ledger.ID:
			return strconv.AppendQuote(b, x.String())
		case ledger.Hash:
			return strconv.AppendQuote(b, x.String())
		}
	default:
	}
	switch v.Kind() {
	case reflect.Pointer:
		return appendValue(b, v.Elem()) // nil ones are left out by their struct
	case reflect.Struct:
		b = append(b, '{')
		return append(appendFields(b, v), '}')
	case reflect.Map:
		return appendMap(b, v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return appendBytes(b, v.Bytes())
		}
		b = append(b, '[')
		for i := range v.Len() {
			b = appendValue(appendComma(b), v.Index(i))
		}
		return append(b, ']')
	case reflect.String:
		return appendBytes(b, []byte(v.String()))
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10)
	default:
		panic(fmt.Sprintf("ledgertest: a row with a %s", v.Type()))
	}
}

// fieldNames remembers what the fields of a type are called: a dump writes thousands of rows of a few types.
var fieldNames sync.Map // reflect.Type → []fieldName

type fieldName struct {
	quoted string // with the colon
	left   bool   // never written
	within bool   // its own fields are written in its place
}

func fieldsOf(t reflect.Type) []fieldName {
	if known, ok := fieldNames.Load(t); ok {
		return known.([]fieldName)
	}
	names := make([]fieldName, t.NumField())
	for i := range names {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		names[i] = fieldName{strconv.Quote(name) + ":", name == "-", field.Anonymous && field.Type.Kind() == reflect.Struct}
	}
	fieldNames.Store(t, names)
	return names
}

// appendFields writes the fields that are not zero. Zero in Go's sense: an amount of zero dollars is there.
func appendFields(b []byte, v reflect.Value) []byte {
	for i, field := range fieldsOf(v.Type()) {
		value := v.Field(i)
		switch {
		case field.left || value.IsZero():
		case (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0:
		case field.within:
			b = appendFields(b, value)
		default:
			b = appendValue(append(appendComma(b), field.quoted...), value)
		}
	}
	return b
}

func appendMap(b []byte, v reflect.Value) []byte {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	b = append(b, '{')
	for _, k := range keys {
		b = appendBytes(appendComma(b), []byte(k.String()))
		b = appendValue(append(b, ':'), v.MapIndex(k))
	}
	return append(b, '}')
}

func appendBytes(b, text []byte) []byte {
	if !slices.ContainsFunc(text, escaped) {
		return append(append(append(b, '"'), text...), '"')
	}
	if !utf8.Valid(text) {
		return strconv.AppendQuote(b, "not UTF-8: "+hex.EncodeToString(text))
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		panic(err) // a string can always be written
	}
	return append(b, quoted...)
}

// escaped tells whether JSON may write a byte of a text otherwise than it is.
func escaped(c byte) bool {
	return c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&'
}

func appendComma(b []byte) []byte {
	if last := b[len(b)-1]; last == '{' || last == '[' {
		return b
	}
	return append(b, ',')
}
