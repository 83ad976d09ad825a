package sqlite

import (
	"math"
	"slices"
	"time"

	"github.com/koshpay/kosh/ledger"
)

// putLines adds lines at the end of their accounts. An account's lines come in the order of their versions, without gaps, so a
// line that is there already is refused without an index that says so.
func (w *work) putLines(rows []ledger.Line) error {
	for i := range rows {
		if err := w.putLine(&rows[i]); err != nil {
			return err
		}
	}
	return w.bulk.flush(w, bulkLine)
}

func (w *work) putLine(l *ledger.Line) error {
	a, err := w.account(l.Account)
	if err != nil {
		return err
	}
	if a == nil {
		return damaged("a line of account %v, which is not there", l.Account)
	}
	if l.Version != a.lines+1 {
		return rowError("line %d of %v follows line %d", l.Version, l.Account, a.lines)
	}
	w.touch(a)
	w.last.line++
	id, prev := w.last.line, a.head
	var back, skip int64
	if l.Version%blockLines == 0 {
		a.marks, back, skip = a.marks.push(id)
	}
	a.head, a.lines = id, l.Version
	if skip == back {
		skip = 0
	}

	in := l.Account.Asset
	v := args{values: w.bulk.values()}
	v.add(id, a.id, int64(l.Version), int64(l.Kind), int64(l.Side)) //nolint:gosec // a count of lines
	v.amount(l.Amount, in)
	v.amount(l.Posted, in)
	v.amount(l.Held, in)
	tx, err := w.reference(w.txs, selectTxID, l.Transaction)
	v.err = first(v.err, err)
	hold, err := w.reference(w.holds, selectHoldID, l.Hold)
	v.err = first(v.err, err)
	v.add(tx, hold, l.RecordedAt.UnixMicro(), unlessSame(l.EffectiveAt, l.RecordedAt))
	if l.Terms == nil {
		v.add(nil)
	} else {
		w.write.begin()
		w.write.terms(l.Terms, in)
		v.err = first(v.err, w.write.err)
		v.add(w.write.buf)
	}
	v.add(zeroNull(prev), zeroNull(back), zeroNull(skip))
	if v.err != nil {
		return v.err
	}
	return w.bulk.add(w, bulkLine, v.values)
}

// unlessSame is a time that is null when it is as another.
func unlessSame(t, as time.Time) any {
	if t.Equal(as) {
		return nil
	}
	return t.UnixMicro()
}

// reference is what a line keeps of a transaction or hold: the number of its row, or its id when it has none (yet).
func (w *work) reference(known map[ledger.ID]int64, q *query, id ledger.ID) (any, error) {
	if id == (ledger.ID{}) {
		return nil, nil
	}
	if n := known[id]; n != 0 {
		return n, nil
	}
	rows, err := w.rows(q, w.book, id[:])
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return id[:], nil
	}
	c := columns{row: rows[0]}
	n := c.int()
	known[id] = n
	return n, c.err
}

var (
	selectHead = newQuery(`SELECT a.id, b.head, coalesce(b.lines, b.version) FROM kosh_account a JOIN kosh_balance b ON b.account = a.id
		WHERE a.book = ? AND a.path = ? AND a.asset = ?`)
	selectPlace = newQuery(`SELECT version, recorded_at, prev, back, skip FROM kosh_line WHERE id = ?`)
	// From a line back, a number of lines.
	selectLines = newQuery(`WITH RECURSIVE walk (id, n) AS (
			SELECT ?1, 1 UNION ALL
			SELECT l.prev, walk.n + 1 FROM walk JOIN kosh_line l ON l.id = walk.id WHERE walk.n < ?2 AND l.prev IS NOT NULL)
		SELECT l.account, l.version, l.kind, l.side, l.amount, l.posted, l.held, t.uuid, l.tx, h.uuid, l.hold, l.recorded_at,
			l.effective_at, l.terms
		FROM walk CROSS JOIN kosh_line l ON l.id = walk.id LEFT JOIN kosh_tx t ON t.id = l.tx LEFT JOIN kosh_hold h ON h.id = l.hold
		ORDER BY walk.n`)
)

// place is a line on the way back through an account.
type place struct {
	line             int64 // 0: before the first
	at               ledger.Position
	prev, back, skip int64
}

func (w *work) place(line int64) (p place, err error) {
	if line == 0 {
		return p, nil
	}
	rows, err := w.rows(selectPlace, line)
	if err != nil {
		return p, err
	}
	if len(rows) == 0 {
		return p, damaged("there is no line %d", line)
	}
	c := columns{row: rows[0]}
	p.line, p.at.Number, p.at.Time = line, c.uint(), c.time()
	p.prev, _ = c.optional()
	p.back, _ = c.optional()
	if p.skip, _ = c.optional(); p.skip == 0 {
		p.skip = p.back
	}
	return p, c.err
}

// seek goes back from a line to the first that is not beyond, in a number of steps that grows with the logarithm.
func (w *work) seek(p place, beyond func(at ledger.Position) bool) (place, error) {
	for p.line != 0 && beyond(p.at) {
		next, err := w.jump(p, beyond)
		if err != nil {
			return p, err
		}
		if next.line != 0 && next.at.Number >= p.at.Number {
			return p, damaged("line %d follows itself", p.line)
		}
		p = next
	}
	return p, nil
}

// jump goes as far back as one step can without passing what is looked for.
func (w *work) jump(p place, beyond func(at ledger.Position) bool) (place, error) {
	tried := int64(0)
	for _, line := range [...]int64{p.skip, p.back} {
		if line == 0 || line == tried {
			continue
		}
		tried = line
		far, err := w.place(line)
		if err != nil || beyond(far.at) {
			return far, err
		}
	}
	return w.place(p.prev)
}

// scanLines returns a part of an account's lines.
func (w *work) scanLines(r ledger.Range) ([]ledger.Line, error) {
	rows, err := w.rows(selectHead, w.book, r.Account.Path, string(r.Account.Asset))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	c := columns{row: rows[0]}
	c.int()
	head, _ := c.optional()
	if c.err != nil {
		return nil, c.err
	}
	last, err := w.place(head)
	if err != nil {
		return nil, err
	}
	if r.Before != nil {
		if last, err = w.seek(last, func(at ledger.Position) bool { return at.Compare(*r.Before) >= 0 }); err != nil {
			return nil, err
		}
	}
	if last.line == 0 {
		return nil, nil
	}
	var past uint64 // version of the last line that is not after After
	if r.After != nil {
		p, err := w.seek(last, func(at ledger.Position) bool { return at.Compare(*r.After) > 0 })
		if err != nil {
			return nil, err
		}
		past = p.at.Number
	}
	if last.at.Number <= past {
		return nil, nil
	}
	from, count := last, min(last.at.Number-past, uint64(r.Limit)) //nolint:gosec // 1 to MaxPage
	if !r.Backward && from.at.Number > past+count {
		if from, err = w.seek(last, func(at ledger.Position) bool { return at.Number > past+count }); err != nil {
			return nil, err
		}
	}
	if count > math.MaxInt32 {
		return nil, damaged("a page of %d lines", count)
	}
	lines, err := w.readLines(r.Account, from.line, int64(count))
	if err != nil {
		return nil, err
	}
	if !r.Backward {
		slices.Reverse(lines)
	}
	return lines, nil
}

// readLines reads lines of an account from one of them back.
func (w *work) readLines(id ledger.AccountID, from, count int64) ([]ledger.Line, error) {
	rows, err := w.rows(selectLines, from, count)
	if err != nil {
		return nil, err
	}
	lines := make([]ledger.Line, len(rows))
	in := id.Asset
	for i, r := range rows {
		c, l := columns{row: r, at: 1}, &lines[i]
		l.Account, l.Version = id, c.uint()
		l.Kind, l.Side = ledger.LineKind(c.int()), ledger.Side(c.int()) //nolint:gosec // as they were written
		l.Amount, l.Posted, l.Held = w.amount(&c, in), w.amount(&c, in), w.amount(&c, in)
		l.Transaction, l.Hold = c.referred(), c.referred()
		l.RecordedAt = c.time()
		l.EffectiveAt = c.optionalTime(l.RecordedAt)
		if terms := c.bytes(); terms != nil {
			b := decoder{buf: terms, work: w}
			l.Terms = new(b.terms(in))
			c.err = first(c.err, b.err)
		}
		if c.err != nil {
			return nil, c.err
		}
		if i > 0 && l.Version+1 != lines[i-1].Version {
			return nil, damaged("line %d of %v follows line %d", lines[i-1].Version, id, l.Version)
		}
	}
	return lines, nil
}

// referred reads what a line keeps of a transaction or hold: the id of the row that it leads to, or the id itself.
func (c *columns) referred() (id ledger.ID) {
	joined, kept := c.next(), c.next()
	for _, v := range []any{joined, kept} {
		if b, is := v.([]byte); is && len(b) == len(id) {
			return ledger.ID(b)
		}
	}
	if kept != nil {
		c.wrong(kept)
	}
	return id
}
