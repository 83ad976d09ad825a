// Package app is the social app that the examples play: one day of it, over any store of kosh. It is a package of its own so
// that the quickstart plays it in memory and examples/durable on a file or a server.
//
// Read host.go first: it is what a host writes. app.go sets kosh up, world.go pretends to be everybody else.
package app

import (
	"bytes"
	"context"
	_ "embed" // for day.csv
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

// day is the bundled input; internal/day makes it.
//
//go:generate go test -run TestDayIsWhatTheGeneratorMakes -update
//go:embed day.csv
var day []byte

// The exit statuses.
const (
	exitOK         = 0
	exitUnbalanced = 1 // the books do not balance, or something else went wrong
	exitUnread     = 2 // the arguments or the reader's own file could not be read, whole or in part
)

// midnight begins the day that the times of the input belong to.
var midnight = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// Program is a command that plays a day.
type Program struct {
	Name string
	// Flags adds flags of the program's own; nil adds none.
	Flags func(*flag.FlagSet)
	// Open returns what the day is kept in; nil keeps it in memory. It is called once the flags are read, and close at
	// the end.
	Open func(ctx context.Context) (b Backing, close func() error, err error)

	In       io.Reader
	Out, Err io.Writer
	Terminal bool // Out is one: somebody watches
}

// Main runs a program with the arguments and streams of the process, and ends the process.
func Main(p Program) {
	info, err := os.Stdout.Stat()
	p.Terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	p.In, p.Out, p.Err = os.Stdin, os.Stdout, os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := p.Run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}

// Run reads the arguments, plays the day and returns the exit status.
func (p Program) Run(ctx context.Context, args []string) int {
	stdin, stdout, stderr := p.In, p.Out, p.Err
	complain := func(err error) { _, _ = fmt.Fprintf(stderr, "%s: %v\n", p.Name, err) }
	flags := flag.NewFlagSet(p.Name, flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("in", "", "read this `file` instead of the bundled day; - is standard input")
	if p.Flags != nil {
		p.Flags(flags)
	}
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUnread
	}
	if flags.NArg() > 0 {
		complain(fmt.Errorf("unexpected argument %q; see -help", flags.Arg(0)))
		return exitUnread
	}
	name, in := "the bundled day.csv", io.Reader(bytes.NewReader(day))
	switch *file {
	case "":
	case "-":
		name, in = "standard input", stdin
	default:
		f, err := os.Open(*file)
		if err != nil {
			complain(err)
			return exitUnread
		}
		defer func() { _ = f.Close() }()
		name, in = *file, f
	}
	backing, closeBacking := Backing{}, func() error { return nil }
	if p.Open != nil {
		var err error
		if backing, closeBacking, err = p.Open(ctx); err != nil {
			complain(err)
			return exitUnbalanced
		}
	}
	d := &play{name: p.Name, backing: backing, out: stdout, own: *file != "", complain: stderr, terminal: p.Terminal, tally: NewTally()}
	balanced, err := d.play(ctx, name, in)
	err = errors.Join(err, closeBacking())
	switch {
	case err != nil && ctx.Err() != nil:
		complain(errInterrupted)
		return exitUnbalanced
	case err != nil:
		complain(err)
		if _, unread := errors.AsType[*unreadable](err); unread {
			return exitUnread
		}
		return exitUnbalanced
	case !balanced:
		return exitUnbalanced
	case d.own && len(d.tally.Unread) > 0:
		return exitUnread
	}
	return exitOK
}

var errInterrupted = errors.New("interrupted; what was kept is whole, run it again and it goes on")

// play is one day on its way.
type play struct {
	name          string
	backing       Backing
	out, complain io.Writer
	own           bool // the reader's own file
	terminal      bool
	tally         *Tally
}

// unreadable is an input that ends in the middle.
type unreadable struct{ error }

func (p *play) play(ctx context.Context, name string, in io.Reader) (balanced bool, err error) {
	app, err := NewApp(ctx, midnight, p.backing)
	if err != nil {
		return false, err
	}
	var failed error // of ours, so not of the reader
	err = ReadLines(in, func(l Line) error {
		failed = p.handle(ctx, app, l)
		return failed
	}, p.unread)
	p.progress("")
	if failed != nil {
		return false, err
	}
	if err != nil {
		return false, &unreadable{err}
	}
	if err := app.World.Settle(ctx); err != nil {
		return false, err
	}
	return Report(ctx, p.out, p.name+": "+name, app, p.tally)
}

func (p *play) handle(ctx context.Context, app *App, l Line) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stopped at line %d: %w", l.Number, err)
	}
	if err := app.World.PassUntil(ctx, midnight.Add(l.At)); err != nil {
		return err
	}
	app.World.Before(l)
	payment, err := app.Handle(ctx, l)
	p.tally.Count(l, payment, err)
	if err := app.World.After(l, payment); err != nil {
		return err
	}
	if n := p.tally.Lines; n >= longInput && n%100 == 0 {
		p.progress(fmt.Sprintf("%s  %d lines", app.World.Now().Format("15:04"), n))
	}
	return nil
}

// longInput is how many lines take long enough for somebody to wonder.
const longInput = 500

// progress replaces the line at the bottom of a terminal.
func (p *play) progress(text string) {
	if p.terminal {
		_, _ = fmt.Fprint(p.out, "\r\x1b[K"+text)
	}
}

// mostComplaints bounds what a file that is no CSV at all makes us print.
const mostComplaints = 20

func (p *play) unread(number int, why string) {
	p.tally.CountUnread(number, why)
	switch n := sum(p.tally.Unread); {
	case !p.own || n > mostComplaints+1:
	case n > mostComplaints:
		_, _ = fmt.Fprintf(p.complain, "%s: more lines cannot be read; the report counts them\n", p.name)
	default:
		_, _ = fmt.Fprintf(p.complain, "%s: line %d skipped: %s\n", p.name, number, why)
	}
}

func usage(flags *flag.FlagSet) {
	w := flags.Output()
	_, _ = fmt.Fprintf(w, "usage: go run ./examples/%s [flags]\n\n", flags.Name())
	flags.PrintDefaults()
	_, _ = fmt.Fprintf(w, `
The file is CSV, one request a line, with these columns; the last ones may be missing:

  %s

  time       HH:MM or HH:MM:SS of the day; it never runs back
  request    idempotency key: the same again is the same request again
  verb       %s
  member     who asks
  amount     a plain number such as 12.50
  asset      its code or id: USD, EUR, INR, JPY, KWD; from noon on CHIRP and ETH too
  with       what is linked, charged or paid out to (see below); of a deposit empty: to an address that is shown
  other      of a tip or send the other member, of a refund the request, of an exchange the asset wanted
  reference  such as the post that is tipped
  note       any text, but no card number

Blank lines and lines that begin with # are skipped. These cards and accounts can be linked:

`, strings.Join(columns, ","), strings.Join(verbs, " "))
	for _, h := range hands {
		_, _ = fmt.Fprintf(w, "  %-14s %s\n", h.name, h.what)
	}
	_, _ = fmt.Fprintf(w, `
Exit status: %d when the books balance, %d when they do not or the program failed, %d when the arguments or the file
could not be read; also when a single line of the file could not: it is reported and skipped.
`, exitOK, exitUnbalanced, exitUnread)
}
