package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/providers"
	"github.com/koshpay/kosh/providers/sandbox"
)

// Tape lets the pretend providers outlive the program, as real ones do: it has every call that they got, and they are
// deterministic, so playing it brings them back as they were. A call is written before it is made. A program killed in
// between finds a provider that did what nobody was told of, which is what kosh is made for.
type Tape struct {
	file  *os.File
	calls map[string][]json.RawMessage // of earlier runs, by provider
}

// call is something that a provider was asked, or that happened to it.
type call struct {
	Provider string               `json:"provider"`
	At       time.Time            `json:"at"`
	Do       string               `json:"do"`
	Label    string               `json:"label,omitempty"` // of what happens once
	Submit   *providers.Operation `json:"submit,omitempty"`
	Lookup   *providers.Query     `json:"lookup,omitempty"`
	Text     string               `json:"text,omitempty"` // a cursor, a key, an address
	Amount   currency.Amount      `json:"amount,omitzero"`
	Number   int                  `json:"number,omitempty"`
}

// OpenTape opens a tape, or begins one. What the end of a killed program left half written is cut off.
func OpenTape(path string) (*Tape, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the path is for whoever runs the program to say
	if err != nil {
		return nil, err
	}
	t := &Tape{file: file, calls: map[string][]json.RawMessage{}}
	if err := t.read(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return t, nil
}

func (t *Tape) read() error {
	text, err := io.ReadAll(t.file)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	for i, l := range bytes.Split(bytes.TrimSuffix(text[:whole], []byte("\n")), []byte("\n")) {
		if len(l) == 0 {
			continue
		}
		var of struct{ Provider string }
		if err := json.Unmarshal(l, &of); err != nil {
			return fmt.Errorf("%s, line %d: %w", t.file.Name(), i+1, err)
		}
		t.calls[of.Provider] = append(t.calls[of.Provider], l) // read once its assets are known
	}
	if err := t.file.Truncate(int64(whole)); err != nil {
		return err
	}
	_, err = t.file.Seek(int64(whole), io.SeekStart)
	return err
}

// Empty reports whether the tape had nothing on it when it was opened.
func (t *Tape) Empty() bool { return len(t.calls) == 0 }

// Close closes the file.
func (t *Tape) Close() error { return t.file.Close() }

func (t *Tape) write(c call) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = t.file.Write(append(text, '\n'))
	return err
}

// line is the line to a provider. Once in a while it drops an answer: the provider did what it was asked to, and nobody
// was told.
type line struct {
	*sandbox.Sandbox
	name  string
	world *World
	tape  *Tape           // nil: nothing is kept
	done  map[string]bool // by label
	drops bool
}

// newLine makes a provider, or brings back the one that a tape has.
func newLine(ctx context.Context, w *World, c sandbox.Config, tape *Tape) (*line, error) {
	l := &line{name: c.Name, world: w, tape: tape, done: map[string]bool{}}
	now := w.Now()
	playing := true
	c.Clock = func() time.Time { // where the tape ends later than it is now, the sandbox does not let time run back
		if playing {
			return now
		}
		return w.Now()
	}
	s, err := sandbox.New(c)
	if err != nil {
		return nil, err
	}
	l.Sandbox = s
	if tape != nil {
		for _, text := range tape.calls[l.name] {
			var c call
			if err := json.Unmarshal(text, &c); err != nil {
				return nil, fmt.Errorf("%s: %w", tape.file.Name(), err)
			}
			now = c.At
			l.again(ctx, c)
		}
	}
	playing = false
	return l, nil
}

// again makes a call as it was made once. Its answer was for a program that has ended.
func (l *line) again(ctx context.Context, c call) {
	switch c.Do {
	case "submit":
		_, _ = l.Sandbox.Submit(ctx, *c.Submit)
	case "lookup":
		_, _ = l.Sandbox.Lookup(ctx, *c.Lookup)
	case "poll":
		_, _, _ = l.Sandbox.Poll(ctx, c.Text, c.Number)
	case "deliveries":
		l.Sandbox.Deliveries(c.Number)
	case "approve":
		_ = l.Sandbox.Approve(c.Text)
	case "send":
		_, _ = l.Sandbox.SendTo(c.Text, c.Amount)
	case "stray":
		_, _ = l.Sandbox.SendStray(providers.Method(c.Text), c.Amount)
	case "reorganise":
		_ = l.Sandbox.Reorganise(c.Number)
	case "drop":
		l.Script(sandbox.LostResponse)
	}
	if c.Label != "" {
		l.done[c.Label] = true
	}
}

// note writes a call down before it is made.
func (l *line) note(c call) error {
	if c.Label != "" {
		l.done[c.Label] = true
	}
	if l.tape == nil {
		return nil
	}
	c.Provider, c.At = l.name, l.world.Now()
	return l.tape.write(c)
}

// Submit implements providers.Provider.
func (l *line) Submit(ctx context.Context, op providers.Operation) (providers.Report, error) {
	if l.drops {
		l.drops = false
		if err := l.note(call{Do: "drop"}); err != nil {
			return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
		}
		l.Script(sandbox.LostResponse)
	}
	if err := l.note(call{Do: "submit", Submit: &op}); err != nil {
		return providers.Report{}, &providers.Error{Certainty: providers.NotSent, Err: err}
	}
	return l.Sandbox.Submit(ctx, op)
}

// Lookup implements providers.Provider.
func (l *line) Lookup(ctx context.Context, q providers.Query) (providers.Report, error) {
	if err := l.note(call{Do: "lookup", Lookup: &q}); err != nil {
		return providers.Report{}, err
	}
	return l.Sandbox.Lookup(ctx, q)
}

// Poll implements providers.Poller.
func (l *line) Poll(ctx context.Context, cursor string, limit int) ([]providers.Event, string, error) {
	if err := l.note(call{Do: "poll", Text: cursor, Number: limit}); err != nil {
		return nil, "", err
	}
	return l.Sandbox.Poll(ctx, cursor, limit)
}

// deliveries are the webhooks that are due.
func (l *line) deliveries(atMost int) ([]providers.Delivery, error) {
	if err := l.note(call{Do: "deliveries", Number: atMost}); err != nil {
		return nil, err
	}
	return l.Sandbox.Deliveries(atMost), nil
}

// once does what happens to the provider from outside, unless it has happened already, in this run or an earlier one.
func (l *line) once(label string, c call) error {
	if l.done[label] {
		return nil
	}
	c.Label = label
	if err := l.note(c); err != nil {
		return err
	}
	var err error
	switch c.Do {
	case "approve":
		err = l.Approve(c.Text)
	case "send":
		_, err = l.SendTo(c.Text, c.Amount)
	case "stray":
		_, err = l.SendStray(providers.Method(c.Text), c.Amount)
	case "reorganise":
		err = l.Reorganise(c.Number)
	}
	return err
}
