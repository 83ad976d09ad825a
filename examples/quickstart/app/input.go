package app

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Line is one line of the input: what one member asked for at one moment of the day.
type Line struct {
	Number int           // in the file, from 1
	At     time.Duration // since midnight

	Request, Verb, Member, Amount, Asset, With, Other, Reference, Note string
}

// columns are those of the input, in this order. The last ones may be missing from a line.
var columns = []string{"time", "request", "verb", "member", "amount", "asset", "with", "other", "reference", "note"}

var verbs = []string{"join", "link", "deposit", "tip", "send", "exchange", "withdraw", "refund"}

const (
	leastColumns = 4       // nothing can be said about less than time, request, verb and member
	maxLineBytes = 4 << 10 // no honest line is longer, and a file without line feeds must not fill the memory
)

// ReadLines calls line for every line that can be read and bad for every other one. It stops at an error of the reader or
// of line. Blank lines, lines that begin with # and the line with the columns' names are neither.
func ReadLines(r io.Reader, line func(Line) error, bad func(number int, why string)) error {
	in := bufio.NewReaderSize(r, maxLineBytes)
	for number := 1; ; number++ {
		raw, long, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if number == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // as spreadsheets write it
		}
		text := strings.TrimSuffix(string(raw), "\r")
		if strings.TrimSpace(text) == "" || strings.HasPrefix(text, "#") || text == strings.Join(columns, ",") {
			continue
		}
		l, err := parseLine(text)
		if long {
			err = fmt.Errorf("longer than %d bytes", maxLineBytes)
		}
		if err != nil {
			bad(number, err.Error())
			continue
		}
		l.Number = number
		if err := line(l); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

// readLine returns the next line without its line feed. Of a line that is too long it returns the beginning, and skips
// the rest.
func readLine(in *bufio.Reader) (line []byte, long bool, err error) {
	line, err = in.ReadSlice('\n')
	line = bytes.Clone(bytes.TrimSuffix(line, []byte("\n")))
	for errors.Is(err, bufio.ErrBufferFull) {
		long = true
		_, err = in.ReadSlice('\n')
	}
	if errors.Is(err, io.EOF) && (len(line) > 0 || long) {
		err = nil // the last line needs no line feed
	}
	return line, long, err
}

// parseLine reads the columns. Each line is read by itself, so that a stray quotation mark spoils no other line.
func parseLine(text string) (Line, error) {
	if !utf8.ValidString(text) {
		return Line{}, errors.New("not UTF-8 text")
	}
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return Line{}, errors.New("a stray quotation mark")
	}
	if len(fields) < leastColumns || len(fields) > len(columns) {
		return Line{}, fmt.Errorf("%d columns, want %d to %d", len(fields), leastColumns, len(columns))
	}
	for len(fields) < len(columns) {
		fields = append(fields, "")
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	at, err := parseTime(fields[0])
	if err != nil {
		return Line{}, fmt.Errorf("no time of day: %s", quote(fields[0]))
	}
	if !slices.Contains(verbs, fields[2]) {
		return Line{}, fmt.Errorf("no verb: %s", quote(fields[2]))
	}
	return Line{
		At: at, Request: fields[1], Verb: fields[2], Member: fields[3], Amount: fields[4], Asset: fields[5],
		With: fields[6], Other: fields[7], Reference: fields[8], Note: fields[9],
	}, nil
}

func parseTime(text string) (time.Duration, error) {
	t, err := time.Parse("15:04:05", text)
	if err != nil {
		t, err = time.Parse("15:04", text)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second, err
}

// quote makes text from a file safe to print: whatever it holds, the terminal shows it and does not obey it.
func quote(text string) string {
	if len(text) > 40 {
		text = strings.ToValidUTF8(text[:40], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
