package sqlite

import (
	"math"
	"strings"
	"sync"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// part is how one part of a position is compared.
type part uint8

const (
	byTime part = iota
	byNumber
	byText  // A
	byText2 // B
	byID    // A, the text form of an id that is kept as 16 bytes
)

// list is how a list is read: its columns and rows, the values that pick it, and its order.
type list struct {
	from  string // columns and table
	where string // with the book first
	order []string
	parts []part
}

var lists = map[ledger.List]list{
	ledger.ListAccounts:     {accountColumns, "a.book = ?", []string{"a.path", "a.asset"}, []part{byText, byText2}},
	ledger.ListOwned:        {accountColumns, "a.book = ? AND a.owner = ?", []string{"a.path", "a.asset"}, []part{byText, byText2}},
	ledger.ListTransactions: {txColumns, "t.book = ?", []string{"t.recorded_at", "t.uuid"}, []part{byTime, byID}},
	ledger.ListHolds:        {holdColumns, "h.book = ?", []string{"h.placed_at", "h.uuid"}, []part{byTime, byID}},
	ledger.ListOpenHolds:    {holdColumns, "h.account = ? AND h.state = 1", []string{"h.placed_at", "h.uuid"}, []part{byTime, byID}},
	ledger.ListDueHolds:     {holdColumns, "h.book = ? AND h.state = 1 AND h.expires_at IS NOT NULL", []string{"h.expires_at", "h.uuid"}, []part{byTime, byID}},
	ledger.ListDocuments:    {documentFields + " FROM kosh_document", "book = ?", []string{"created_at", "kind", "name"}, []part{byTime, byText, byText2}},
	ledger.ListDossier:      {documentFields + " FROM kosh_document", "book = ? AND owner = ?", []string{"created_at", "kind", "name"}, []part{byTime, byText, byText2}},
	ledger.ListDueDocuments: {documentFields + " FROM kosh_document", "book = ? AND due IS NOT NULL", []string{"due", "kind", "name"}, []part{byTime, byText, byText2}},
	ledger.ListVersions:     {documentFields + " FROM kosh_version", "book = ? AND kind = ? AND name = ?", []string{"version"}, []part{byNumber}},
	ledger.ListFeed:         {feedColumns, "f.book = ?", []string{"f.position"}, []part{byNumber}},
	ledger.ListBlocks:       {blockColumns, "book = ?", []string{"number"}, []part{byNumber}},
	ledger.ListLeases:       {leaseColumns, "book = ?", []string{"kind", "name"}, []part{byText, byText2}},
	ledger.ListKeys:         {entryColumns, "e.book = ?", []string{"e.key"}, []part{byText}},
	ledger.ListReferences:   {referenceColumns, "book = ?", []string{"reference"}, []part{byText}},
	ledger.ListAssets:       {assetColumns, "book = ?", []string{"asset"}, []part{byText}},
	ledger.ListPending:      {pendingColumns, "p.book = ?", []string{"p.recorded_at", "p.uuid"}, []part{byTime, byID}},
	ledger.ListSequences:    {sequenceColumns, "book = ?", []string{"name"}, []part{byText}},
}

// kindList is ListDocuments of one kind.
var kindList = list{documentFields + " FROM kosh_document", "book = ? AND kind = ?", []string{"created_at", "name"}, []part{byTime, byText2}}

// shape is what the text of a list's query depends on.
type shape struct {
	list                    ledger.List
	kind                    bool
	after, before, backward bool
}

var shapes sync.Map // of *query by shape

func (l *list) query(s shape) *query {
	if q, made := shapes.Load(s); made {
		return q.(*query)
	}
	tuple := "(" + strings.Join(l.order, ", ") + ")"
	marks := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(l.order)), ", ") + ")"
	text := []string{"SELECT", l.from, "WHERE", l.where}
	if s.after {
		text = append(text, "AND", tuple, ">", marks)
	}
	if s.before {
		text = append(text, "AND", tuple, "<", marks)
	}
	direction := ""
	if s.backward {
		direction = " DESC"
	}
	text = append(text, "ORDER BY", strings.Join(l.order, direction+", ")+direction, "LIMIT ?")
	q, _ := shapes.LoadOrStore(s, newQuery(text...))
	return q.(*query)
}

// bound turns a position into values that the columns of the list's order are compared with.
func (l *list) bound(p ledger.Position) []any {
	values := make([]any, len(l.parts))
	for i, k := range l.parts {
		switch k {
		case byTime:
			values[i] = p.Time.UnixMicro()
		case byNumber:
			values[i] = int64(min(p.Number, math.MaxInt64))
		case byText:
			values[i] = p.A
		case byText2:
			values[i] = p.B
		case byID:
			values[i] = idBound(p.A)
		}
	}
	return values
}

// whole moves a position to whole microseconds, which is what rows have: what is between two is just before the second.
func whole(p *ledger.Position) *ledger.Position {
	if p == nil {
		return nil
	}
	if t := p.Time.Truncate(time.Microsecond); !t.Equal(p.Time) {
		return &ledger.Position{Time: t.Add(time.Microsecond)}
	}
	return p
}

// kindBound is bound for the documents of one kind, whose order has no column for it.
func kindBound(l *list, p ledger.Position, kind string) []any {
	values := l.bound(p)
	if p.A < kind {
		values[1] = "" // before all of this kind at that time
	} else if p.A > kind {
		values[0], values[1] = values[0].(int64)+1, ""
	}
	return values
}

// idBound turns the text of an id, or any text, into bytes that compare with the bytes of ids as the text compares with their
// texts: the id itself, or else something between the ids that are before the text and those that are after it.
func idBound(text string) []byte {
	const hex = "0123456789abcdef"
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	bound := make([]byte, 0, 17)
	half := false
	push := func(digit int) {
		if half = !half; half {
			bound = append(bound, byte(digit<<4)) //nolint:gosec // a digit
		} else {
			bound[len(bound)-1] |= byte(digit) //nolint:gosec // a digit
		}
	}
	// beyond is a bound after all ids that begin with what was read so far.
	beyond := func() []byte {
		if half {
			bound[len(bound)-1] |= 0x0f
		}
		for len(bound) < 17 {
			bound = append(bound, 0xff)
		}
		return bound
	}
	for i := range len(form) {
		if i == len(text) {
			break
		}
		c := text[i]
		if form[i] == '-' {
			if c > '-' {
				return beyond()
			} else if c < '-' {
				return before(bound, half)
			}
			continue
		}
		digit := strings.IndexByte(hex, c)
		if digit >= 0 {
			push(digit)
			continue
		}
		// The first digit that is greater, if any.
		at := 0
		for at < len(hex) && hex[at] < c {
			at++
		}
		if at == len(hex) {
			return beyond()
		}
		push(at)
		return before(bound, half)
	}
	if len(text) > len(form) {
		return append(bound, 0)
	}
	if len(text) < len(form) {
		return before(bound, half)
	}
	return bound
}

// before is a bound just before all ids that begin with these digits.
func before(bound []byte, half bool) []byte {
	if !half && len(bound) < len(ledger.ID{}) {
		return bound // shorter than an id, so before all that begin with it
	}
	// What ends before the last byte would be too low: ids with a smaller last byte are before the text.
	last := len(bound) - 1
	if bound[last] > 0 {
		bound[last]--
		for len(bound) < 17 {
			bound = append(bound, 0xff)
		}
		return bound
	}
	return bound[:last]
}

// scan returns one page of one list.
func (w *work) scan(r ledger.Range) (rows ledger.Rows, err error) {
	if r.Limit < 1 || r.Limit > ledger.MaxPage {
		return rows, rowError("a page of %d rows; it has 1 to %d", r.Limit, ledger.MaxPage)
	}
	l, known := lists[r.List]
	if !known && r.List != ledger.ListLines {
		return rows, rowError("there is no list %d", r.List)
	}
	if w.book == 0 {
		return rows, nil
	}
	r.After, r.Before = whole(r.After), whole(r.Before)
	if r.List == ledger.ListLines {
		rows.Lines, err = w.scanLines(r)
		return rows, err
	}
	values := []any{w.book}
	s := shape{list: r.List, after: r.After != nil, before: r.Before != nil, backward: r.Backward}
	bound := l.bound
	switch r.List {
	case ledger.ListOwned, ledger.ListDossier:
		values = append(values, r.Owner)
	case ledger.ListVersions:
		values = append(values, r.Document.Kind, r.Document.ID)
	case ledger.ListOpenHolds:
		a, err := w.account(r.Account)
		if err != nil || a == nil {
			return rows, err
		}
		values[0] = a.id
	case ledger.ListDocuments:
		if s.kind = r.Kind != ""; s.kind {
			l = kindList
			values = append(values, r.Kind)
			bound = func(p ledger.Position) []any { return kindBound(&l, p, r.Kind) }
		}
	default: // one a book
	}
	if s.after {
		values = append(values, bound(*r.After)...)
	}
	if s.before {
		values = append(values, bound(*r.Before)...)
	}
	found, err := w.rows(l.query(s), append(values, int64(r.Limit))...)
	if err != nil {
		return rows, err
	}
	return rows, w.fill(&rows, r.List, found)
}

// fill reads the rows of a list.
func (w *work) fill(rows *ledger.Rows, l ledger.List, found []row) (err error) {
	switch l {
	case ledger.ListAccounts, ledger.ListOwned:
		rows.Accounts, err = readAll(found, func(r row) (ledger.AccountInfo, error) {
			a, err := w.readAccount(r)
			if err != nil {
				return ledger.AccountInfo{}, err
			}
			return a.info, nil
		})
	case ledger.ListTransactions:
		rows.Transactions, err = readAll(found, w.readTx)
	case ledger.ListHolds, ledger.ListOpenHolds, ledger.ListDueHolds:
		rows.Holds, err = readAll(found, w.readHold)
	case ledger.ListDocuments, ledger.ListDossier, ledger.ListDueDocuments:
		rows.Documents, err = readAll(found, w.readDocument)
	case ledger.ListVersions:
		rows.Versions, err = readAll(found, w.readDocument)
	case ledger.ListFeed:
		rows.Feed, err = readAll(found, w.readChange)
	case ledger.ListBlocks:
		rows.Blocks, err = readAll(found, w.readBlock)
	case ledger.ListLeases:
		rows.Leases, err = readAll(found, w.readLease)
	case ledger.ListKeys:
		rows.Keys, err = readAll(found, w.readKey)
	case ledger.ListReferences:
		rows.References, err = readAll(found, w.readReference)
	case ledger.ListAssets:
		rows.Assets, err = readAll(found, w.readAsset)
	case ledger.ListPending:
		rows.Pending, err = readAll(found, w.readPending)
	case ledger.ListSequences:
		rows.Sequences, err = readAll(found, w.readSequence)
	default: // lines have their own way
	}
	return err
}

func readAll[R any](found []row, read func(row) (R, error)) ([]R, error) {
	all := make([]R, len(found))
	for i, r := range found {
		var err error
		if all[i], err = read(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}
