package simulation

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// trace is what happened, a line each: hashed whole, kept for its last lines.
type trace struct {
	hash  hash.Hash
	lines []string
}

const keptLines = 60

func newTrace() trace { return trace{hash: sha256.New()} }

// note writes a line of the trace.
func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	w.trace.hash.Write([]byte(line + "\n"))
	if len(w.trace.lines) >= 2*keptLines {
		w.trace.lines = append(w.trace.lines[:0], w.trace.lines[keptLines:]...)
	}
	w.trace.lines = append(w.trace.lines, line)
}

// last are the last lines.
func (t *trace) last() []string { return t.lines[max(0, len(t.lines)-keptLines):] }
