package ledger

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"io"
)

// exportFormat names the form of an export. Another form gets another name.
const exportFormat = "kosh-book-1"

// exportBlock is how many rows lie between two sums.
const exportBlock = 1_000

// exportLine is one line of an export: exactly one field is set. The order of the fields is the order of the lines.
type exportLine struct {
	Header      *exportHeader    `json:"header,omitempty"`
	Asset       *AssetRow        `json:"asset,omitempty"`
	Account     *AccountInfo     `json:"account,omitempty"`
	Line        *Line            `json:"line,omitempty"`
	Transaction *Transaction     `json:"transaction,omitempty"`
	Hold        *Hold            `json:"hold,omitempty"`
	Version     *exportedVersion `json:"version,omitempty"`
	Key         *exportedKey     `json:"key,omitempty"`
	Change      *Change          `json:"change,omitempty"`
	Block       *Block           `json:"block,omitempty"`
	Pending     *PendingRow      `json:"pending,omitempty"`
	Sum         *exportSum       `json:"sum,omitempty"`
	End         *exportSum       `json:"end,omitempty"`
}

type exportHeader struct {
	Format   string `json:"format"`
	Book     string `json:"book"`
	Position uint64 `json:"position"` // of the last change that is numbered
	Block    uint64 `json:"block"`    // and the last seal
	Hash     Hash   `json:"hash"`
}

// exportedVersion has the body as a string: as JSON inside JSON it would lose its spaces, and with them its hash.
type exportedVersion struct {
	Document
	Body string `json:"body,omitempty"`
}

type exportedKey struct {
	KeyRow
	Inputs string `json:"inputs"`
}

type exportSum struct {
	Rows   uint64 `json:"rows"`   // so far
	SHA256 Hash   `json:"sha256"` // of all bytes before this line
}

// Export writes the whole book as JSON Lines, for a backup, for another store, or for other eyes. It is lossless:
// [Book.Restore] makes the same book of it, and an export of that one is the same, byte for byte. Only leases are left
// out, which live outside history.
//
// The first line is {"header":{…}} with the format's name kosh-book-1, the book's name, the feed's last position and the
// last block's number and hash. Then comes one row a line, as an object whose only field says what it is: asset; account,
// each followed by its lines; transaction; hold; version, the versions of each document together; key; change; block;
// pending, for changes not yet numbered. Fields are those of the types of this package; bodies and inputs are strings that hold
// their JSON as it was written. The current documents and the references are not written, because the last versions say
// them. After every 1,000 rows comes {"sum":{"rows":…,"sha256":…}} over all bytes before it, and {"end":{…}}, which is the
// same, ends the file.
//
// It streams, and reads the book list by list, so nobody may record meanwhile: when somebody did, it returns
// ErrBookChanged and what was written is no export. An error of w comes back wrapped.
func (b *Book) Export(ctx context.Context, w io.Writer) error {
	last, err := b.lastBlock(ctx)
	if err != nil {
		return err
	}
	before, err := b.stamp(ctx)
	if err != nil {
		return err
	}
	x := &exporter{ctx: ctx, b: b, w: bufio.NewWriter(w), sum: sha256.New()}
	x.put(exportLine{Header: &exportHeader{Format: exportFormat, Book: b.name, Position: last.Last, Block: last.Number, Hash: last.Hash}})
	if err := x.book(); err != nil {
		return err
	}
	after, err := b.stamp(ctx)
	if err != nil {
		return err
	}
	if before != after || before.position != last.Last {
		return refuse(ErrBookChanged, "entries were recorded or numbered while it was exported")
	}
	x.put(exportLine{End: x.total()})
	if x.err == nil {
		x.err = x.w.Flush()
	}
	return x.failed()
}

// stamp changes whenever an entry is recorded, but for its key, or numbered.
type stamp struct {
	position uint64
	pending  int
}

func (b *Book) stamp(ctx context.Context) (s stamp, err error) {
	found, err := b.store.Read(ctx, b.name, Names{Sequences: []string{feedSequence}})
	if err != nil {
		return s, storeError(err)
	}
	s.position = feedLast(found)
	err = scanAll(ctx, b, Range{List: ListPending}, func(r *Rows) []PendingRow { return r.Pending }, PendingRow.PendingPosition,
		func(*PendingRow) { s.pending++ })
	return s, err
}

type exporter struct {
	ctx  context.Context //nolint:containedctx // one call long
	b    *Book
	w    *bufio.Writer
	sum  hash.Hash
	rows uint64
	err  error // the writer's, or the encoder's
}

func (x *exporter) total() *exportSum {
	return &exportSum{Rows: x.rows, SHA256: Hash(x.sum.Sum(nil))}
}

// put writes a line.
func (x *exporter) put(l exportLine) {
	if x.err != nil {
		return
	}
	text, err := encodeLine(&l)
	if err != nil {
		x.err = err
		return
	}
	x.sum.Write(text)
	_, x.err = x.w.Write(text)
}

func encodeLine(l *exportLine) ([]byte, error) {
	text, err := json.Marshal(l)
	return append(text, '\n'), err
}

// row writes a row, and a sum when it is time.
func (x *exporter) row(l exportLine) {
	x.put(l)
	if x.rows++; x.rows%exportBlock == 0 {
		x.put(exportLine{Sum: x.total()})
	}
}

func (x *exporter) failed() error {
	if x.err == nil {
		return nil
	}
	r := refuse(ErrStore, "the export cannot be written")
	r.Cause = x.err
	return r
}

// book writes every list in the order of exportLine.
func (x *exporter) book() error {
	for _, part := range []func() error{
		func() error {
			return exportAll(x, Range{List: ListAssets}, func(r *Rows) []AssetRow { return r.Assets }, AssetRow.Position,
				func(r *AssetRow) error { x.row(exportLine{Asset: r}); return nil })
		},
		func() error {
			return exportAll(x, Range{List: ListAccounts}, func(r *Rows) []AccountInfo { return r.Accounts }, AccountInfo.Position, x.account)
		},
		func() error {
			return exportAll(x, Range{List: ListTransactions}, func(r *Rows) []Transaction { return r.Transactions }, Transaction.Position,
				func(r *Transaction) error { x.row(exportLine{Transaction: r}); return nil })
		},
		func() error {
			return exportAll(x, Range{List: ListHolds}, func(r *Rows) []Hold { return r.Holds }, Hold.Position,
				func(r *Hold) error { x.row(exportLine{Hold: r}); return nil })
		},
		func() error {
			return exportAll(x, Range{List: ListDocuments}, func(r *Rows) []Document { return r.Documents }, Document.Position, x.document)
		},
		func() error {
			return exportAll(x, Range{List: ListKeys}, func(r *Rows) []KeyRow { return r.Keys }, KeyRow.Position,
				func(r *KeyRow) error { x.row(exportLine{Key: &exportedKey{*r, string(r.Inputs)}}); return nil })
		},
		func() error {
			return exportAll(x, Range{List: ListFeed}, func(r *Rows) []Change { return r.Feed }, Change.FeedPosition,
				func(r *Change) error { x.row(exportLine{Change: r}); return nil })
		},
		func() error {
			return exportAll(x, Range{List: ListBlocks}, func(r *Rows) []Block { return r.Blocks }, Block.Position,
				func(r *Block) error { x.row(exportLine{Block: r}); return nil })
		},
		func() error {
			return exportAll(x, Range{List: ListPending}, func(r *Rows) []PendingRow { return r.Pending }, PendingRow.PendingPosition,
				func(r *PendingRow) error { x.row(exportLine{Pending: r}); return nil })
		},
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) account(a *AccountInfo) error {
	x.row(exportLine{Account: a})
	return exportAll(x, Range{List: ListLines, Account: a.ID}, func(r *Rows) []Line { return r.Lines }, Line.Position,
		func(l *Line) error { x.row(exportLine{Line: l}); return nil })
}

func (x *exporter) document(d *Document) error {
	return exportAll(x, Range{List: ListVersions, Document: d.DocumentID}, func(r *Rows) []Document { return r.Versions },
		Document.VersionPosition, func(v *Document) error {
			x.row(exportLine{Version: &exportedVersion{*v, string(v.Body)}})
			return nil
		})
}

// exportAll visits every row of a list, and stops at the first failure of the writer.
func exportAll[T any](x *exporter, r Range, take func(*Rows) []T, at func(T) Position, visit func(*T) error) error {
	r.Limit = MaxPage
	for {
		found, err := x.b.store.Scan(x.ctx, x.b.name, r)
		if err != nil {
			return storeError(err)
		}
		rows := take(&found)
		for i := range rows {
			if err := visit(&rows[i]); err != nil {
				return err
			}
		}
		if x.err != nil {
			return x.failed()
		}
		if len(rows) < r.Limit {
			return nil
		}
		last := at(rows[len(rows)-1])
		r.After = &last
	}
}
