package ach

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	nacha "github.com/moov-io/ach"
	"github.com/moov-io/base"

	"github.com/koshpay/kosh/providers"
)

// arrival is the mark that a file of the inbox was dealt with.
type arrival struct {
	Name        string    `json:"name"`
	At          time.Time `json:"at"`
	Quarantined bool      `json:"quarantined,omitempty"`
}

// readInbox deals with every file of the inbox once: its entries are applied, each of which may be repeated; then a mark by
// its content's hash is stored; then it is moved away. What cannot be read is moved to quarantine with a notice.
func (p *Provider) readInbox(ctx context.Context) error {
	names, err := p.folders.arrived()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if err := p.receive(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("ach: inbox: %s: %w", name, err)) // the others need not wait for it
		}
	}
	return errors.Join(errs...)
}

func (p *Provider) receive(ctx context.Context, name string) error {
	content, err := p.folders.read(name)
	tooLarge := errors.Is(err, errTooLarge)
	if err != nil && !tooLarge {
		return err
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	var mark arrival
	version, err := providers.LoadState(ctx, p.state, "inbox/"+hash, &mark)
	if err != nil {
		return err
	}
	if version == 0 {
		mark = arrival{Name: name, At: p.now().UTC()}
		problem := errTooLarge
		if !tooLarge {
			if problem, err = p.take(ctx, name, content); err != nil {
				return err
			}
		}
		if problem != nil {
			mark.Quarantined = true
			if err := p.notice(ctx, Notice{Kind: Quarantined, File: name, Text: problem.Error()}); err != nil {
				return err
			}
		}
		if _, err := providers.SaveState(ctx, p.state, "inbox/"+hash, mark, 0); err != nil {
			return err
		}
	}
	if mark.Quarantined {
		return p.folders.clear(name, quarantineFolder, hash)
	}
	return p.folders.clear(name, doneFolder, hash)
}

// take applies a file. A problem is the file's, and nothing of it was applied; an error is ours, and it is tried again.
func (p *Provider) take(ctx context.Context, name string, content []byte) (problem, err error) {
	if !looksLikeNacha(content) {
		ack, problem := p.config.Acknowledgements(name, content)
		if problem != nil {
			return fmt.Errorf("ach: %s is neither a Nacha file nor an acknowledgement", name), nil
		}
		return nil, p.acknowledge(ctx, name, ack)
	}
	f, problem := parse(name, content)
	if problem != nil {
		return problem, nil
	}
	for _, b := range f.Batches {
		for _, e := range b.GetEntries() {
			if err := p.takeEntry(ctx, name, e); err != nil {
				return nil, err
			}
		}
	}
	for range f.IATBatches {
		if err := p.notice(ctx, Notice{Kind: Unexpected, File: name, Text: "an international (IAT) batch, of which we send none"}); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (p *Provider) takeEntry(ctx context.Context, name string, e *nacha.EntryDetail) error {
	switch {
	case e.Addenda99 != nil:
		return p.takeReturn(ctx, name, e)
	case e.Addenda98 != nil:
		return p.takeChange(ctx, name, e)
	case e.Addenda98Refused != nil:
		a := e.Addenda98Refused
		return p.notice(ctx, Notice{Kind: ChangeUnapplied, File: name, Trace: a.OriginalTrace, Code: a.RefusedChangeCode, Text: "a notification of change was refused: " + describe(a.RefusedChangeCode)})
	case e.Addenda99Dishonored != nil:
		a := e.Addenda99Dishonored
		return p.notice(ctx, Notice{
			Kind: DishonoredNote, File: name, Trace: strings.TrimSpace(a.OriginalEntryTraceNumber), Code: a.DishonoredReturnReasonCode,
			Text: "a return was dishonoured: " + describe(a.DishonoredReturnReasonCode),
		})
	case e.Addenda99Contested != nil:
		a := e.Addenda99Contested
		return p.notice(ctx, Notice{
			Kind: DishonoredNote, File: name, Trace: strings.TrimSpace(a.OriginalEntryTraceNumber), Code: a.ContestedReturnCode,
			Text: "a dishonoured return was contested: " + describe(a.ContestedReturnCode),
		})
	default:
		return p.notice(ctx, Notice{Kind: Unexpected, File: name, Trace: e.TraceNumber, Text: "an entry that is no return and no notification of change"})
	}
}

func looksLikeNacha(content []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(content), []byte("101"))
}

// parse reads a Nacha file, all of it or nothing. Return files of banks differ from the letter in origin, destination and
// trace numbers; sums and counts must be right.
func parse(name string, content []byte) (f nacha.File, problem error) {
	defer func() {
		if recover() != nil { // the library reads what strangers wrote; a file is no reason to stop
			problem = fmt.Errorf("%w: %s: it made the parser panic", ErrMalformed, name)
		}
	}()
	opts := &nacha.ValidateOpts{
		BypassOriginValidation: true, BypassDestinationValidation: true, CustomTraceNumbers: true, CustomReturnCodes: true, AllowUnorderedBatchNumbers: true,
	}
	r := nacha.NewReader(bytes.NewReader(content))
	r.SetValidation(opts)
	f, err := r.Read()
	if err == nil {
		err = f.ValidateWith(opts)
	}
	if err != nil {
		return nacha.File{}, malformed(name, err)
	}
	return f, nil
}

// ErrMalformed says that a Nacha file is not well-formed.
var ErrMalformed = errors.New("ach: not a well-formed Nacha file")

// malformed says what is wrong with a file, but not what it holds: the library's errors quote account numbers.
func malformed(name string, err error) error {
	return fmt.Errorf("%w: %s: %s", ErrMalformed, name, explain(err))
}

func explain(err error) string {
	if list, ok := errors.AsType[base.ErrorList](err); ok && len(list) > 0 {
		return explain(list[0])
	}
	if e, ok := errors.AsType[*base.ParseError](err); ok {
		return fmt.Sprintf("line %d, %s: %s", e.Line, e.Record, explain(e.Err))
	}
	if e, ok := errors.AsType[*nacha.BatchError](err); ok {
		return "batch " + strconv.Itoa(e.BatchNumber) + ": " + e.FieldName + " is wrong"
	}
	if e, ok := errors.AsType[*nacha.FieldError](err); ok {
		return e.FieldName + " is wrong"
	}
	for _, known := range []error{
		nacha.ErrFileTooLong, nacha.ErrFileHeader, nacha.ErrFileControl, nacha.ErrFileEntryOutsideBatch, nacha.ErrFileAddendaOutsideBatch,
		nacha.ErrFileAddendaOutsideEntry, nacha.ErrFileBatchControlOutsideBatch, nacha.ErrFileNoBatches,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprintf("%T", err)
}

// Acknowledgement is what a bank says about a file that was handed over.
type Acknowledgement struct {
	File     string // name in the outbox
	Accepted bool
	Code     string // of a rejection
}

// ReadAcknowledgement reads the plainest form that there is, one line: "ACK <file>" or "NAK <file> <code>". There is no
// standard; give Config.Acknowledgements what reads your bank's.
func ReadAcknowledgement(_ string, content []byte) (Acknowledgement, error) {
	words := strings.Fields(string(content[:min(len(content), 1000)]))
	switch {
	case len(words) == 2 && words[0] == "ACK":
		return Acknowledgement{File: words[1], Accepted: true}, nil
	case len(words) == 3 && words[0] == "NAK":
		return Acknowledgement{File: words[1], Code: words[2]}, nil
	}
	return Acknowledgement{}, errors.New("ach: no acknowledgement")
}

// acknowledge marks a file of ours as accepted or rejected.
func (p *Provider) acknowledge(ctx context.Context, name string, ack Acknowledgement) error {
	number, ok := p.fileNumber(ack.File)
	known, contradiction := false, false
	if ok {
		_, err := providers.ChangeState(ctx, p.state, fileKey(number), func(f *file, _ bool) error {
			if known = f.Name == ack.File; !known || f.Rejected != nil {
				return providers.ErrStateSame
			}
			now := p.now()
			if f.Sent == nil {
				f.Sent = &now
			}
			if ack.Accepted {
				if f.Accepted == nil {
					f.Accepted = &now
				}
				return nil
			}
			for _, b := range f.Batches {
				contradiction = contradiction || b.Settled != nil
			}
			if contradiction {
				return providers.ErrStateSame
			}
			f.Rejected = &failure{Code: "file_rejected", Public: publicReason("file_rejected")}
			return nil
		})
		if err != nil {
			return err
		}
	}
	switch {
	case !known:
		return p.notice(ctx, Notice{Kind: Unexpected, File: name, Text: "an acknowledgement of a file that is not ours"})
	case contradiction:
		return p.notice(ctx, Notice{Kind: Contradiction, File: ack.File, Code: ack.Code, Text: "the bank rejected a file whose entries had settled; ask it"})
	case !ack.Accepted:
		return p.notice(ctx, Notice{Kind: FileRejected, File: ack.File, Code: ack.Code, Text: "the bank rejected a file; its entries have failed"})
	}
	return nil
}

// fileNumber reads the number in a name of ours.
func (p *Provider) fileNumber(name string) (int64, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(name), ".ach"), p.config.Name+"-")
	_, number, more := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(number, 10, 64)
	return n, ok && more && err == nil && n >= 0
}
