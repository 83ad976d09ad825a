package sqlite

import "encoding/binary"

// A line of an account is found from its newest line by going back. prev leads one line back; every sixteenth line, a block
// line, has two more pointers, as in a skew-binary list: back leads to the block line before, and skip over a whole tree of
// them, so that n lines are crossed in about 2·log₂(n/16) steps and at most thirty of prev.
//
// Which block line skip leads to depends on the trees so far; their roots, one for each digit of the number of blocks, are the
// account's marks.

// blockLines is how many lines a block has.
const blockLines = 16

// mark is the root of a tree of block lines.
type mark struct {
	size uint64 // block lines in the tree, 2^k − 1
	line int64  // the root: its newest line
}

// marks are the roots, the newest first. No two have the same size but the first two.
type marks []mark

// push adds a block line and returns where its back and skip lead, 0 for nowhere. The receiver is left as it is.
func (m marks) push(line int64) (next marks, back, skip int64) {
	if len(m) > 0 {
		back, skip = m[0].line, m[0].line
	}
	if len(m) < 2 || m[0].size != m[1].size {
		return append(marks{{1, line}}, m...), back, skip
	}
	skip = 0
	if len(m) > 2 {
		skip = m[2].line
	}
	return append(marks{{1 + 2*m[0].size, line}}, m[2:]...), back, skip
}

func (m marks) bytes() []byte {
	if len(m) == 0 {
		return nil
	}
	b := make([]byte, 0, 8*len(m))
	for _, k := range m {
		b = binary.AppendUvarint(b, k.size)
		b = binary.AppendUvarint(b, uint64(k.line)) //nolint:gosec // rows are positive
	}
	return b
}

func readMarks(b []byte) (m marks, err error) {
	for len(b) > 0 {
		var k mark
		n := 0
		if k.size, n = binary.Uvarint(b); n <= 0 {
			return nil, damaged("the marks of an account")
		}
		b = b[n:]
		line, n := binary.Uvarint(b)
		if n <= 0 || line > 1<<62 {
			return nil, damaged("the marks of an account")
		}
		k.line, b = int64(line), b[n:]
		m = append(m, k)
	}
	return m, nil
}
