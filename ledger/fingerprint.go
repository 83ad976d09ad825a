package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// fingerprint is what a key stands for, as JSON: the caller's inputs, or {"commands":[{"post":{…}},…]}. Inputs have the
// keys of every object sorted, so that a struct whose fields were moved still means the same.
//
// Commands too long to be kept are kept as a digest; then a conflict cannot say what differs. Of a single Post a digest is
// kept too, see appendDigest.
func fingerprint(inputs any, commands []Command) ([]byte, *Refusal) {
	if inputs == nil {
		return fingerprintCommands(commands)
	}
	if given, is := inputs.(asGiven); is {
		return fingerprintCommands(given)
	}
	raw, err := json.Marshal(inputs)
	if err != nil {
		return nil, invalid("inputs", clip(err.Error()))
	}
	if len(raw) > MaxInputsBytes {
		return nil, tooLarge("inputs", fmt.Sprintf("%d bytes of JSON; at most %d", len(raw), MaxInputsBytes))
	}
	if raw, err = canonicalJSON(raw); err != nil {
		return nil, invalid("inputs", clip(err.Error()))
	}
	return raw, nil
}

func fingerprintCommands(commands []Command) ([]byte, *Refusal) {
	b := append(make([]byte, 0, 64+256*len(commands)), `{"commands":[`...)
	for i, c := range commands {
		if i > 0 {
			b = append(b, ',')
		}
		if d, ok := c.(PutDocument); ok {
			c = d.withoutBody()
		}
		b = append(append(append(b, `{"`...), commandName(c)...), `":`...)
		var err error
		if b, err = appendCommand(b, c); err != nil {
			r := invalid("", clip(err.Error()))
			r.Command = i
			return nil, r
		}
		b = append(b, '}')
	}
	b = append(b, "]}"...)
	if len(b) > MaxInputsBytes {
		sum := sha256.Sum256(b)
		return fmt.Appendf(nil, `{"bytes":%d,"sha256":%q}`, len(b), hex.EncodeToString(sum[:])), nil
	}
	return b, nil
}

func commandName(c Command) string {
	switch c.(type) {
	case OpenAccount:
		return "open_account"
	case Post:
		return "post"
	case Import:
		return "import"
	case Draw:
		return "draw"
	case PlaceHold:
		return "place_hold"
	case Capture:
		return "capture"
	case Release:
		return "release"
	case Reverse:
		return "reverse"
	case SetAccount:
		return "set_account"
	case PutDocument:
		return "put_document"
	case EraseDocument:
		return "erase_document"
	}
	return fmt.Sprintf("%T", c)
}

// difference returns the path of the first value that differs between two JSON texts, "" when they mean the same.
// Object keys count in sorted order; numbers are compared as they are written.
func difference(a, b []byte) (string, error) {
	if bytes.Equal(a, b) {
		return "", nil
	}
	av, err := readJSON(a)
	if err != nil {
		return "", err
	}
	bv, err := readJSON(b)
	if err != nil {
		return "", err
	}
	path, differs := differs(av, bv)
	if differs && path == "" {
		path = "inputs" // the whole of it
	}
	return path, nil
}

// differs returns where two JSON values differ; the path is empty when they differ as a whole.
func differs(a, b any) (path string, differ bool) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			return objectsDiffer(a, b)
		}
	case []any:
		if b, ok := b.([]any); ok {
			return arraysDiffer(a, b)
		}
	default:
		return "", a != b || !isScalar(b)
	}
	return "", true
}

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

func objectsDiffer(a, b map[string]any) (string, bool) {
	keys := slices.AppendSeq(sortedKeys(a), maps.Keys(b))
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		av, inA := a[k]
		bv, inB := b[k]
		if inA != inB {
			return clip(k), true
		}
		if path, differ := differs(av, bv); differ {
			return join(clip(k), path), true
		}
	}
	return "", false
}

func arraysDiffer(a, b []any) (string, bool) {
	for i := range max(len(a), len(b)) {
		at := fmt.Sprintf("[%d]", i)
		if i >= len(a) || i >= len(b) {
			return at, true
		}
		if path, differ := differs(a[i], b[i]); differ {
			return join(at, path), true
		}
	}
	return "", false
}

func join(parent, path string) string {
	if path == "" || path[0] == '[' {
		return parent + path
	}
	return parent + "." + path
}

// canonicalJSON returns a JSON text as it counts for a key: without white space, the keys of every object sorted.
func canonicalJSON(raw []byte) ([]byte, error) {
	value, err := readJSON(raw)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

func readJSON(raw []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a 64-bit id must not lose digits
	if err = d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	return v, nil
}

func sortedKeys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(m))
}
