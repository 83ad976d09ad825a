package memory

import "strings"

// texts keeps short texts one after the other in large blocks, so that a million names are a few objects to the collector.
// A text lives as long as its block.
type texts struct {
	block *strings.Builder
	size  int
}

const (
	firstTexts = 1 << 8
	mostTexts  = 1 << 16 // bytes of a block
)

// keepBytes returns the text of bytes.
func (t *texts) keepBytes(b []byte) string {
	if len(b) > mostTexts/8 {
		return string(b)
	}
	start := t.room(len(b))
	t.block.Write(b)
	return t.block.String()[start:]
}

// room finds the place for a text. It fits there without moving what was given out before.
func (t *texts) room(size int) (start int) {
	if t.block == nil || t.block.Len()+size > t.block.Cap() {
		t.size = min(max(2*t.size, firstTexts, size), mostTexts)
		t.block = new(strings.Builder)
		t.block.Grow(t.size)
	}
	return t.block.Len()
}
