package ledger

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"
)

// canonicalJSON returns a JSON text as it counts for a key: without white space, the keys of every object sorted, the last of
// several that are equal. It is byte for byte what encoding/json writes of what it has read, numbers as they are written.
func canonicalJSON(raw []byte) ([]byte, error) {
	c := canonicalizer{in: raw, out: make([]byte, 0, len(raw)), writes: true}
	if c.whole() {
		return c.out, nil
	}
	value, err := readJSON(raw)
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// validJSON is json.Valid.
func validJSON(raw []byte) bool {
	c := canonicalizer{in: raw}
	return c.whole() || json.Valid(raw)
}

// canonicalizer does in one pass over the text, without a value for each part of it, what most texts need. What is rare
// makes it give up: escapes, texts that encoding/json would escape, equal keys, deep nesting, and whatever is no JSON.
type canonicalizer struct {
	in     []byte
	at     int
	out    []byte
	writes bool // else it only looks
	depth  int
	spare  []byte // for objects whose keys have to be sorted
}

// mostNesting is how deep a text may be nested to be read in this way.
const mostNesting = 100

// whole tells whether the text was one value, and nothing rare.
func (c *canonicalizer) whole() bool {
	if !c.value() {
		return false
	}
	c.space()
	return c.at == len(c.in) && (ascii(c.in) || utf8.Valid(c.in) && !bytes.Contains(c.in, []byte("\u2028")) && !bytes.Contains(c.in, []byte("\u2029")))
}

func ascii(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (c *canonicalizer) space() {
	for c.at < len(c.in) && (c.in[c.at] == ' ' || c.in[c.at] == '\n' || c.in[c.at] == '\t' || c.in[c.at] == '\r') {
		c.at++
	}
}

// take goes over a byte that must come next, white space aside.
func (c *canonicalizer) take(b byte) bool {
	c.space()
	if c.at == len(c.in) || c.in[c.at] != b {
		return false
	}
	c.at++
	if c.writes {
		c.out = append(c.out, b)
	}
	return true
}

// keep takes over what was read since a place.
func (c *canonicalizer) keep(from int) bool {
	if c.writes {
		c.out = append(c.out, c.in[from:c.at]...)
	}
	return true
}

func (c *canonicalizer) value() bool {
	c.space()
	if c.at == len(c.in) {
		return false
	}
	switch b := c.in[c.at]; {
	case b == '"':
		return c.text()
	case b == '{':
		return c.object()
	case b == '[':
		return c.array()
	case b == '-' || b >= '0' && b <= '9':
		return c.number()
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if bytes.HasPrefix(c.in[c.at:], []byte(word)) {
			c.at += len(word)
			return c.keep(c.at - len(word))
		}
	}
	return false
}

func (c *canonicalizer) text() bool {
	from := c.at
	for c.at++; c.at < len(c.in); c.at++ {
		switch b := c.in[c.at]; {
		case b == '"':
			c.at++
			return c.keep(from)
		case b < ' ', b == '\\', b == '<', b == '>', b == '&':
			return false
		}
	}
	return false
}

func (c *canonicalizer) number() bool {
	from := c.at
	if c.in[c.at] == '-' {
		c.at++
	}
	if c.at < len(c.in) && c.in[c.at] == '0' {
		c.at++ // and no digit after it, which the next value will not like
	} else if !c.digits() {
		return false
	}
	if c.at < len(c.in) && c.in[c.at] == '.' {
		if c.at++; !c.digits() {
			return false
		}
	}
	if c.at < len(c.in) && c.in[c.at]|0x20 == 'e' {
		if c.at++; c.at < len(c.in) && (c.in[c.at] == '+' || c.in[c.at] == '-') {
			c.at++
		}
		if !c.digits() {
			return false
		}
	}
	return c.keep(from)
}

// digits goes over at least one.
func (c *canonicalizer) digits() bool {
	from := c.at
	for c.at < len(c.in) && c.in[c.at] >= '0' && c.in[c.at] <= '9' {
		c.at++
	}
	return c.at > from
}

func (c *canonicalizer) array() bool {
	if c.depth++; c.depth > mostNesting || !c.take('[') {
		return false
	}
	if c.space(); c.at == len(c.in) || c.in[c.at] != ']' {
		for ok := true; ok; ok = c.take(',') {
			if !c.value() {
				return false
			}
		}
	}
	c.depth--
	return c.take(']')
}

// member is where a name and its value are in what was written.
type member struct{ from, colon, to int }

func (c *canonicalizer) object() bool {
	if c.depth++; c.depth > mostNesting || !c.take('{') {
		return false
	}
	var space [few]member
	members := space[:0]
	if c.space(); c.at == len(c.in) || c.in[c.at] != '}' {
		for ok := true; ok; ok = c.take(',') {
			m := member{from: len(c.out)}
			if c.space(); c.at == len(c.in) || c.in[c.at] != '"' || !c.text() || !c.take(':') {
				return false
			}
			m.colon = len(c.out)
			if !c.value() {
				return false
			}
			m.to = len(c.out)
			members = append(members, m)
		}
	}
	c.depth--
	return (!c.writes || c.sort(members)) && c.take('}')
}

// sort puts the members of the object that was just written in order, unless two have one name.
func (c *canonicalizer) sort(members []member) bool {
	order := func(m, n member) int { return bytes.Compare(c.name(m), c.name(n)) }
	sorted := true
	for i := 1; i < len(members); i++ {
		sorted = sorted && order(members[i-1], members[i]) < 0
	}
	if sorted {
		return true
	}
	slices.SortFunc(members, order)
	c.spare = c.spare[:0]
	for i, m := range members {
		if i > 0 {
			if order(members[i-1], m) == 0 {
				return false
			}
			c.spare = append(c.spare, ',')
		}
		c.spare = append(c.spare, c.out[m.from:m.to]...)
	}
	c.out = append(c.out[:len(c.out)-len(c.spare)], c.spare...)
	return true
}

// name is the name of a member, which ends with a quote and a colon that are not part of it.
func (c *canonicalizer) name(m member) []byte { return c.out[m.from+1 : m.colon-2] }
