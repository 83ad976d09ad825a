package memory

import (
	"errors"
	"fmt"
	"math/bits"
	"sort"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// lineList is the history of one account: the places of its lines in order. The last few stand in the list itself; the others
// in blocks that double in size, so that a million quiet accounts need little room and a busy one has few blocks. Only the
// newest block is known; each knows the one before.
type lineList struct {
	newest ref
	count  uint32
	last   [lineGroup - 1]ref // those that are not a whole group yet
}

const (
	lineGroup   = 4  // lines go into a block together
	firstBlock  = 4  // lines
	blockShifts = 12 // doublings
	blockHead   = refBytes
)

// blockOf returns the number of the block that has line i, and the number of the block's first line.
func blockOf(i uint32) (block, first uint32) {
	const doubling = firstBlock * (1<<blockShifts - 1) // lines in all blocks that are still smaller
	if i >= doubling {
		n := (i - doubling) / (firstBlock << blockShifts)
		return blockShifts + n, doubling + n*(firstBlock<<blockShifts)
	}
	block = uint32(bits.Len32(i/firstBlock+1)) - 1 //nolint:gosec // small
	return block, firstBlock * (1<<block - 1)
}

// lineAt returns the place of line i.
func (b *book) lineAt(l *lineList, i uint32) ref {
	whole := l.count - l.count%lineGroup
	if i >= whole {
		return l.last[i-whole]
	}
	want, first := blockOf(i)
	block, _ := blockOf(whole - 1)
	at := l.newest
	for ; block > want; block-- {
		at = b.space.refAt(at, 0)
	}
	return b.space.refAt(at, blockHead+refBytes*int(i-first))
}

// appendLine adds a line at the end.
func (b *book) appendLine(l *lineList, line ref) {
	i := l.count % lineGroup
	l.count++
	if i < lineGroup-1 {
		l.last[i] = line
		return
	}
	i = l.count - lineGroup
	block, first := blockOf(i)
	if i == first {
		fresh := b.space.room(blockHead + refBytes*firstBlock<<min(block, blockShifts))
		b.space.setRef(fresh, 0, l.newest)
		l.newest = fresh
	}
	offset := blockHead + refBytes*int(i-first)
	for j, earlier := range l.last {
		b.space.setRef(l.newest, offset+refBytes*j, earlier)
	}
	b.space.setRef(l.newest, offset+refBytes*(lineGroup-1), line)
}

// What a line says beside its kind and amounts; most say little.
const (
	lineInTurn    = 1 << iota // the version is the line's number in the list
	lineKnown                 // of a transaction that is kept
	lineOther                 // of one that is not
	lineSameTimes             // as the transaction's, else the time recorded
	lineEffective             // its own effective time
	lineHold                  // of a hold
	lineTerms                 // carries terms
	linePosting               // of a posting of a transaction that is kept, whose place stands where the side would
	lineSideShift = 4         // of the second byte
)

func (w *writer) line(l *ledger.Line, number uint32) {
	at := w.book.transactions.known(l.Transaction)
	sameTimes := false
	if at != 0 {
		recorded, effective := w.book.transactions.times(at)
		sameTimes = recorded == l.RecordedAt.UnixMicro() && effective == l.EffectiveAt.UnixMicro()
	}
	has := bit(l.Version == uint64(number)+1, lineInTurn) | bit(at != 0, lineKnown) |
		bit(at == 0 && l.Transaction != ledger.ID{}, lineOther) | bit(sameTimes, lineSameTimes) |
		bit(!sameTimes && !l.EffectiveAt.Equal(l.RecordedAt), lineEffective) | bit(l.Hold != ledger.ID{}, lineHold) |
		bit(l.Terms != nil, lineTerms)
	where := byte(l.Side)
	if has&lineKnown != 0 {
		if posting := w.book.postingOf(at, l); posting >= 0 {
			has, where = has|linePosting, byte(posting) //nolint:gosec // below 1<<lineSideShift
		}
	}
	w.byte(has)
	w.byte(byte(l.Kind) | where<<lineSideShift)
	if has&lineInTurn == 0 {
		w.uint(l.Version)
	}
	if has&lineKnown != 0 {
		w.ref(at)
	}
	if has&lineOther != 0 {
		w.id(l.Transaction)
	}
	if has&lineSameTimes == 0 {
		w.time(l.RecordedAt)
	}
	if has&lineEffective != 0 {
		w.time(l.EffectiveAt)
	}
	w.amount(l.Posted)
	if has&linePosting == 0 {
		w.amount(l.Amount)
	}
	w.amount(l.Held)
	if has&lineHold != 0 {
		w.id(l.Hold)
	}
	if has&lineTerms != 0 {
		w.terms(l.Terms)
	}
}

func (r *reader) line(account, number uint32) (l ledger.Line) {
	has, kind := r.byte(), r.byte()
	l.Account = r.book.accounts.id(account)
	l.Kind, l.Side = ledger.LineKind(kind&(1<<lineSideShift-1)), ledger.Side(kind>>lineSideShift)
	l.Version = uint64(number) + 1
	if has&lineInTurn == 0 {
		l.Version = r.uint()
	}
	var known ref
	if has&lineKnown != 0 {
		at := r.ref()
		known = at
		l.Transaction = r.book.transactions.idAt(at)
		if has&lineSameTimes != 0 {
			recorded, effective := r.book.transactions.times(at)
			l.RecordedAt, l.EffectiveAt = microTime(recorded), microTime(effective)
		}
	}
	if has&lineOther != 0 {
		l.Transaction = r.id()
	}
	if has&lineSameTimes == 0 {
		l.RecordedAt = r.time()
		l.EffectiveAt = l.RecordedAt
	}
	if has&lineEffective != 0 {
		l.EffectiveAt = r.time()
	}
	l.Posted = r.amount()
	if has&linePosting != 0 {
		l.Side, l.Amount = r.book.posting(known, kind>>lineSideShift)
	} else {
		l.Amount = r.amount()
	}
	l.Held = r.amount()
	if has&lineHold != 0 {
		l.Hold = r.id()
	}
	if has&lineTerms != 0 {
		l.Terms = new(r.terms())
	}
	return l
}

// postingOf returns the place of the posting of a transaction that a line is of, or −1.
func (b *book) postingOf(at ref, l *ledger.Line) int {
	n := b.accounts.known(&l.Account)
	r := b.reader(at)
	for i := range min(r.transactionHead(), 1<<(8-lineSideShift)) {
		if p := r.posting(); n != 0 && p.account == n && p.side == l.Side && p.amount == l.Amount {
			return i
		}
	}
	return -1
}

// posting reads the side and the amount of a posting of a transaction.
func (b *book) posting(at ref, place byte) (ledger.Side, currency.Amount) {
	r := b.reader(at)
	r.transactionHead()
	for range place {
		r.posting()
	}
	p := r.posting()
	return p.side, p.amount
}

// lineBalance reads of line i of an account its version and balances only.
func (b *book) lineBalance(account, i uint32) (version uint64, posted, held currency.Amount) {
	at := b.lineAt(&b.accounts.row(account).lines, i)
	r := b.reader(at)
	if at.isPlain() {
		p := r.plainLine(account, b.sameBefore(account, i, at))
		return p.version, p.posted, p.held
	}
	has := r.byte()
	r.byte()
	version = uint64(i) + 1
	if has&lineInTurn == 0 {
		version = r.uint()
	}
	if has&lineKnown != 0 {
		r.ref()
	}
	if has&lineOther != 0 {
		r.id()
	}
	if has&lineSameTimes == 0 {
		r.int()
	}
	if has&lineEffective != 0 {
		r.int()
	}
	posted = r.amount()
	if has&linePosting == 0 {
		r.amount()
	}
	return version, posted, r.amount()
}

// sameBefore counts the lines just before line i that are at the same place: those of earlier postings of one entry to the
// same account.
func (b *book) sameBefore(account, i uint32, at ref) (count int) {
	for ; i > 0 && b.lineAt(&b.accounts.row(account).lines, i-1) == at; i-- {
		count++
	}
	return count
}

func (w *writer) terms(t *ledger.Terms) {
	w.amount(t.Floor)
	w.amount(t.Ceiling)
	w.byte(bit(t.DebitsFrozen, 1) | bit(t.CreditsFrozen, 2) | bit(t.Closed, 4))
}

func (r *reader) terms() (t ledger.Terms) {
	t.Floor, t.Ceiling = r.amount(), r.amount()
	is := r.byte()
	t.DebitsFrozen, t.CreditsFrozen, t.Closed = is&1 != 0, is&2 != 0, is&4 != 0
	return t
}

// line reads line i of an account.
func (b *book) line(account uint32, i uint32) ledger.Line {
	at := b.lineAt(&b.accounts.row(account).lines, i)
	r := b.reader(at)
	if at.isPlain() {
		return r.lineOfPlain(account, b.sameBefore(account, i, at))
	}
	return r.line(account, i)
}

// lastVersion returns the version of the last line of an account, 0 when there is none.
func (b *book) lastVersion(account uint32) uint64 {
	row := b.accounts.row(account)
	if row.is&oddLines == 0 {
		return uint64(row.lines.count)
	}
	version, _, _ := b.lineBalance(account, row.lines.count-1)
	return version
}

// putLines adds lines, whose accounts' numbers check has looked up.
func (b *book) putLines(lines []ledger.Line, s *scratch) {
	for i := range lines {
		n := s.lines[i]
		if n == 0 {
			n = b.accounts.number(&lines[i].Account)
		}
		b.putLine(n, &lines[i])
	}
}

// putLine adds a line. Lines that a ledger writes come in order; for any other the list is written anew.
func (b *book) putLine(n uint32, l *ledger.Line) {
	row := b.accounts.row(n)
	list := &row.lines
	if list.count == 0 || l.Version > b.lastVersion(n) && l.RecordedAt.UnixMicro() >= row.lineTime {
		b.addLine(row, l)
		return
	}
	all := make([]ledger.Line, 0, list.count+1)
	for i := range list.count {
		all = append(all, b.line(n, i))
	}
	at := sort.Search(len(all), func(i int) bool { return all[i].Position().Compare(l.Position()) > 0 })
	*list = lineList{}
	for i := range all[:at] {
		b.addLine(row, &all[i])
	}
	b.addLine(row, l)
	for i := range all[at:] {
		b.addLine(row, &all[at+i])
	}
	row.is |= oddLines // whatever they are now, they were
}

func (b *book) addLine(row *accountRow, l *ledger.Line) {
	list := &row.lines
	b.write.begin()
	b.write.line(l, list.count)
	b.appendLine(list, b.space.add(b.write.buf))
	row.lineTime = l.RecordedAt.UnixMicro()
	if l.Version != uint64(list.count) {
		row.is |= oddLines
	}
}

// checkLines says what is wrong with lines to be written. It leaves the numbers of their accounts.
func (b *book) checkLines(rows []ledger.Line, s *scratch) error {
	s.lines = sized(s.lines, len(rows))
	s.once.begin(len(rows))
	odd := false
	for i := range rows {
		n, version := b.accounts.known(&rows[i].Account), rows[i].Version
		s.lines[i] = n
		if n == 0 || version>>32 != 0 {
			odd = true
		} else if !s.once.add(uint64(n)<<32 | version) {
			return errTwiceLine
		}
		if n != 0 && b.hasLine(n, version) {
			return fmt.Errorf("memory: line %d of %v is there already", version, rows[i].Account)
		}
	}
	type name struct {
		account ledger.AccountID
		version uint64
	}
	if odd && repeats(rows, func(l *ledger.Line) name { return name{l.Account, l.Version} }) {
		return errTwiceLine
	}
	return nil
}

var errTwiceLine = errors.New("memory: a line is written twice in one update")

// hasLine reports whether there is a line of an account and version already.
func (b *book) hasLine(n uint32, version uint64) bool {
	row := b.accounts.row(n)
	if row.is&oddLines == 0 {
		return version > 0 && version <= uint64(row.lines.count)
	}
	for i := range row.lines.count { // only for a writer that has it wrong
		if v, _, _ := b.lineBalance(n, i); v == version {
			return true
		}
	}
	return false
}

// pageOfLines returns a part of the lines of an account.
func (b *book) pageOfLines(r ledger.Range) []ledger.Line {
	n := b.accounts.find(r.Account)
	if n == 0 {
		return nil
	}
	list := &b.accounts.row(n).lines
	first, end := 0, int(list.count)
	against := func(at *ledger.Position, bound int) func(int) bool {
		return func(i int) bool {
			return b.line(n, uint32(i)).Position().Compare(*at) >= bound //nolint:gosec // below count
		}
	}
	if r.After != nil {
		first = sort.Search(end, against(r.After, 1))
	}
	if r.Before != nil {
		end = sort.Search(end, against(r.Before, 0))
	}
	if end <= first {
		return nil
	}
	size := min(r.Limit, end-first)
	page := make([]ledger.Line, size)
	for i := range page {
		at := first + i
		if r.Backward {
			at = end - 1 - i
		}
		page[i] = b.line(n, uint32(at))
	}
	return page
}
