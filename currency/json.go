package currency

import "encoding/json"

// maxJSONLen bounds an amount in JSON: the longest ID with every character
// escaped, and room for white space.
const maxJSONLen = 4096

// MarshalJSON writes {"amount":"1234.56","asset":"USD"}. The number is a
// string, because many JSON readers turn numbers into floats and lose units
// above 2⁵³. Amount{} is null.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a.def == nil {
		return []byte("null"), nil
	}
	b := make([]byte, 0, 80)
	b = append(b, `{"amount":"`...)
	b = appendNumber(b, a.units, a.def.info.Scale)
	b = append(b, `","asset":"`...)
	b = append(b, a.def.info.ID...) // its characters need no escape
	return append(b, `"}`...), nil
}

// UnmarshalJSON reads what MarshalJSON writes, in any order and spacing: two
// strings named amount and asset, each once, and nothing else. A JSON number, a
// missing, unknown or repeated name, other capitals, or a malformed value is
// [ErrSyntax], an asset nobody has defined [ErrUnknownAsset]. null is Amount{}.
// After an error the amount is as before.
func (a *Amount) UnmarshalJSON(data []byte) error {
	const op = "unmarshal json"
	var values [2][]byte
	null, err := scanObject(op, data, []string{"amount", "asset"}, values[:])
	if err != nil {
		return err
	}
	if null {
		*a = Amount{}
		return nil
	}
	d, err := known(op, values[1])
	if err != nil {
		return err
	}
	v, err := parseNumber(op, values[0], d)
	if err != nil {
		return err
	}
	*a = v
	return nil
}

// scanObject reads a flat object with exactly the given names, each once, and
// strings as values, or null. encoding/json would let duplicates, other
// capitals and unknown names pass.
func scanObject(op string, data []byte, names []string, values [][]byte) (null bool, err error) {
	s := scanner{data: data}
	fail := func(detail string) (bool, error) {
		return false, inputError(op, string(data[:min(len(data), maxErrorInput+1)]), ErrSyntax, detail)
	}
	if len(data) > maxJSONLen {
		return fail("too long")
	}
	if s.take("null") {
		if !s.end() {
			return fail("something follows")
		}
		return true, nil
	}
	if !s.take("{") {
		return fail("want an object; a number or a string has no asset")
	}
	for n := range names {
		if n > 0 && !s.take(",") {
			return fail("a name is missing")
		}
		name, ok := s.str()
		if !ok || !s.take(":") {
			return fail("want a name and a colon")
		}
		i := 0
		for i < len(names) && names[i] != string(name) {
			i++
		}
		if i == len(names) {
			return fail("unknown name")
		}
		if values[i] != nil {
			return fail("name given twice")
		}
		if values[i], ok = s.str(); !ok {
			return fail("the value of " + names[i] + " must be a string")
		}
	}
	if !s.take("}") || !s.end() {
		return fail("something follows, or a name too many")
	}
	return false, nil
}

// scanner reads the tokens of a flat JSON object.
type scanner struct{ data []byte }

func (s *scanner) skip() {
	for len(s.data) > 0 && (s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\n' || s.data[0] == '\r') {
		s.data = s.data[1:]
	}
}

func (s *scanner) end() bool {
	s.skip()
	return len(s.data) == 0
}

func (s *scanner) take(token string) bool {
	s.skip()
	if len(s.data) < len(token) || string(s.data[:len(token)]) != token {
		return false
	}
	s.data = s.data[len(token):]
	return true
}

// str reads a string. The result is not nil when ok, and refers to the input
// unless something was escaped.
func (s *scanner) str() (value []byte, ok bool) {
	s.skip()
	if len(s.data) == 0 || s.data[0] != '"' {
		return nil, false
	}
	escaped := false
	for i := 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			token := s.data[:i+1]
			s.data = s.data[i+1:]
			if !escaped {
				return token[1:i:i], true
			}
			var text string // some encoders write the slash of an ID as \/
			if json.Unmarshal(token, &text) != nil {
				return nil, false
			}
			return []byte(text), true
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}
