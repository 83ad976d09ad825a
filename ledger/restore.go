package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/koshpay/kosh/currency"
)

// maxExportLine bounds the memory that a damaged file can ask for: an entry of the longest keeps far below it.
const maxExportLine = 64 << 20

// Restore makes the book that [Book.Export] wrote, under its own name, in a store where that name is empty
// (ErrBookNotEmpty). It reads twice. The first time it changes nothing and believes nothing: every line must be
// exactly what Export writes, in order, under its sums, and the chain of blocks must lead to the header's; anything else
// is ErrDamaged with the number of the line in Refusal.Field (of a sum that does not fit: that line's, and the
// damage lies between it and the sum before). Assets that this process does not know yet are defined as the file says.
// The second time it writes, some thousand rows an Update.
//
// When it is interrupted the book is there in part and of no use: call Restore again with the same file, and it goes on
// where it stopped; of a file that is restored already it changes nothing. Nobody may record in the book meanwhile.
//
// The sums find damage, not forgery: for that, [Book.Verify] the restored book against a checkpoint.
func (b *Book) Restore(ctx context.Context, r io.ReadSeeker) error {
	begin, err := r.Seek(0, io.SeekCurrent)
	if err != nil {
		return unreadable(err)
	}
	check := &restorer{b: b, ctx: ctx}
	if err := check.read(r, check.check); err != nil {
		return err
	}
	if check.end == nil {
		return damaged(check.line, "the file ends before its end")
	}
	if _, err := r.Seek(begin, io.SeekStart); err != nil {
		return unreadable(err)
	}
	write := &restorer{b: b, ctx: ctx, marker: "restored/" + check.end.SHA256.String()}
	if err := write.begin(); err != nil || write.done == check.end.Rows {
		return err
	}
	if err := write.read(r, write.write); err != nil {
		return err
	}
	return write.flush()
}

func damaged(line int, format string, args ...any) *Refusal {
	return refuse(ErrDamaged, fmt.Sprintf(format, args...)).in(fmt.Sprintf("line %d", line))
}

func unreadable(err error) *Refusal {
	r := refuse(ErrStore, "the export cannot be read")
	r.Cause = err
	return r
}

// restorer goes through a file once.
type restorer struct {
	b    *Book
	ctx  context.Context //nolint:containedctx // one call long
	line int

	// While checking.
	sum      hash.Hash
	rows     uint64
	header   *exportHeader
	end      *exportSum
	summed   bool // the line before was a sum
	rank     int  // of the kind of the last row
	last     Position
	account  AccountID
	document DocumentID
	version  uint64 // of the account or the document
	block    Block
	position uint64

	// While writing.
	marker string // the sequence that counts the rows written of this file
	done   uint64 // rows that were written when it began, and since
	batch  Rows
	size   uint64 // rows of the file in the batch
}

// read decodes line by line.
func (s *restorer) read(r io.Reader, visit func(*exportLine) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	s.sum = sha256.New()
	for {
		if err := s.ctx.Err(); err != nil {
			return storeError(err)
		}
		text, err := readLine(in)
		if errors.Is(err, io.EOF) && len(text) == 0 {
			return nil
		}
		s.line++
		if errors.Is(err, io.EOF) {
			return damaged(s.line, "the line does not end")
		}
		if errors.Is(err, bufio.ErrTooLong) {
			return damaged(s.line, "longer than any line of an export")
		}
		if err != nil {
			return unreadable(err)
		}
		var l exportLine
		if err := decodeLine(text, &l); err != nil {
			return damaged(s.line, "%s", clip(err.Error()))
		}
		if err := visit(&l); err != nil {
			return err
		}
		s.sum.Write(text)
	}
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return text, err
		}
		if len(text) > maxExportLine {
			return text, bufio.ErrTooLong
		}
	}
}

// decodeLine accepts exactly what encodeLine writes: whatever would be lost or read otherwise makes other bytes.
func decodeLine(text []byte, l *exportLine) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(l); err != nil {
		return err
	}
	if l.Asset != nil {
		if err := l.Asset.define(); err != nil {
			return err
		}
	}
	again, err := encodeLine(l)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, text) {
		return errors.New("not as an export writes it")
	}
	return nil
}

// define makes an asset known to the process, as the book knows it.
func (r *AssetRow) define() error {
	if def, known := currency.Lookup(r.ID); known {
		if f := r.agrees(def); f != nil {
			return f
		}
		return nil
	}
	_, err := currency.Define(currency.Info{ID: r.ID, Code: r.Code, Name: r.Name, Scale: r.Scale, Kind: r.Kind})
	return err
}

// check looks at a line and remembers what the next one must follow.
func (s *restorer) check(l *exportLine) error {
	things := 0
	for _, there := range []bool{
		l.Header != nil, l.Asset != nil, l.Account != nil, l.Line != nil, l.Transaction != nil, l.Hold != nil, l.Version != nil,
		l.Key != nil, l.Change != nil, l.Block != nil, l.Pending != nil, l.Sum != nil, l.End != nil,
	} {
		if there {
			things++
		}
	}
	so := exportSum{Rows: s.rows, SHA256: Hash(s.sum.Sum(nil))}
	due := s.rows > 0 && s.rows%exportBlock == 0 && !s.summed
	switch {
	case things != 1:
		return damaged(s.line, "a line has one thing")
	case s.end != nil:
		return damaged(s.line, "a line after the end")
	case (s.line == 1) != (l.Header != nil):
		return damaged(s.line, "the first line is the header, and no other")
	case l.Header != nil:
		return s.checkHeader(l.Header)
	case due != (l.Sum != nil):
		return damaged(s.line, "a sum follows every %d rows", exportBlock)
	case l.Sum != nil && *l.Sum != so, l.End != nil && *l.End != so:
		return damaged(s.line, "the lines before it are not those that were written")
	case l.Sum != nil:
		s.summed = true
		return nil
	case l.End != nil:
		s.end = l.End
		return s.checkEnd()
	}
	s.summed = false
	s.rows++
	if !s.follows(l) {
		return damaged(s.line, "the row does not follow the one before")
	}
	return nil
}

// follows reports whether a row may stand here, and makes it the last one.
func (s *restorer) follows(l *exportLine) bool {
	switch {
	case l.Asset != nil:
		return s.next(1, l.Asset.Position())
	case l.Account != nil:
		s.account, s.version = l.Account.ID, 0
		return s.next(2, l.Account.Position())
	case l.Line != nil:
		s.version++
		return s.rank == 2 && l.Line.Account == s.account && l.Line.Version == s.version
	case l.Transaction != nil:
		return s.next(3, l.Transaction.Position())
	case l.Hold != nil:
		return s.next(4, l.Hold.Position())
	case l.Version != nil:
		return s.nextVersion(&l.Version.Document)
	case l.Key != nil:
		return s.next(6, l.Key.Position())
	case l.Change != nil:
		s.position++
		return s.next(7, l.Change.FeedPosition()) && l.Change.Position == s.position
	case l.Block != nil:
		before := s.block
		s.block = *l.Block
		return s.next(8, l.Block.Position()) && l.Block.Number == before.Number+1 && l.Block.First == before.Last+1 && l.Block.Previous == before.Hash
	default:
		return s.next(9, l.Pending.PendingPosition())
	}
}

// next wants kinds in their order, and rows of one kind in the order of their list.
func (s *restorer) next(rank int, at Position) bool {
	ok := rank > s.rank || rank == s.rank && at.Compare(s.last) > 0
	s.rank, s.last = rank, at
	return ok
}

func (s *restorer) nextVersion(d *Document) bool {
	if s.rank == 5 && d.DocumentID == s.document {
		s.version++
		return d.Version == s.version && d.Position() == s.last
	}
	s.document, s.version = d.DocumentID, 1
	return s.next(5, d.Position()) && d.Version == 1
}

func (s *restorer) checkHeader(h *exportHeader) error {
	if h.Format != exportFormat {
		return damaged(s.line, "the format is %s, not %s", clip(h.Format), exportFormat)
	}
	if h.Book != s.b.name {
		return invalid("book", fmt.Sprintf("the export is of book %q, this is %q", clip(h.Book), s.b.name))
	}
	s.header = h
	return nil
}

func (s *restorer) checkEnd() error {
	if s.position != s.header.Position || s.block.Number != s.header.Block || s.block.Hash != s.header.Hash || s.block.Last != s.position {
		return damaged(s.line, "the feed ends at position %d and block %d, the header says %d and %d", s.position, s.block.Number, s.header.Position, s.header.Block)
	}
	return nil
}
