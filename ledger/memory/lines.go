package memory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"sort"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// lineList is the history of one account: the places of its lines in order, in blocks that double in size, so that a
// million quiet accounts need little room and a busy one has few blocks. Only the newest is known; each knows the one
// before.
type lineList struct {
	newest  ref
	count   uint32
	time    int64  // recorded time of the last line
	version uint64 // the highest
}

const (
	firstBlock  = 4  // lines
	blockShifts = 12 // doublings
	blockHead   = 4  // bytes: the block before
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
	want, first := blockOf(i)
	block, _ := blockOf(l.count - 1)
	at := l.newest
	for ; block > want; block-- {
		at = ref(binary.LittleEndian.Uint32(b.space.from(at)))
	}
	return ref(binary.LittleEndian.Uint32(b.space.from(at)[blockHead+refUnit*(i-first):]))
}

// append adds a line at the end.
func (b *book) appendLine(l *lineList, line ref) {
	block, first := blockOf(l.count)
	if l.count == first {
		fresh := b.space.room(blockHead + refUnit*firstBlock<<min(block, blockShifts))
		binary.LittleEndian.PutUint32(b.space.from(fresh), uint32(l.newest))
		l.newest = fresh
	}
	binary.LittleEndian.PutUint32(b.space.from(l.newest)[blockHead+refUnit*(l.count-first):], uint32(line))
	l.count++
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
	_, has := r.transactionKey()
	for i := range min(r.postings(has), 1<<(8-lineSideShift)) {
		v := r.uint()
		if amount := r.amount(); n != 0 && v == uint64(n)<<sideBits|uint64(l.Side) && amount == l.Amount {
			return i
		}
	}
	return -1
}

// posting reads the side and the amount of a posting of a transaction.
func (b *book) posting(at ref, place byte) (ledger.Side, currency.Amount) {
	r := b.reader(at)
	_, has := r.transactionKey()
	r.postings(has)
	for range place {
		r.uint()
		r.amount()
	}
	return ledger.Side(r.uint() % (1 << sideBits)), r.amount()
}

// lineBalance reads of a line its version and balances only.
func (r *reader) lineBalance(number uint32) (version uint64, posted, held currency.Amount) {
	has := r.byte()
	r.byte()
	version = uint64(number) + 1
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
	r := b.reader(b.lineAt(&b.accounts.row(account).lines, i))
	return r.line(account, i)
}

// putLines adds lines, whose accounts' numbers check has looked up. It looks at all the places first, so that a processor
// waits for the memory of many at a time.
func (b *book) putLines(lines []ledger.Line, s *scratch) {
	for _, n := range s.lines {
		if n == 0 {
			continue
		}
		if list := &b.accounts.row(n).lines; list.newest != 0 {
			s.touched += uint64(b.space.from(list.newest)[0])
		}
	}
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
	list := &b.accounts.row(n).lines
	if list.count == 0 || l.Version > list.version && l.RecordedAt.UnixMicro() >= list.time {
		b.addLine(list, l)
		return
	}
	all := make([]ledger.Line, 0, list.count+1)
	for i := range list.count {
		all = append(all, b.line(n, i))
	}
	at := sort.Search(len(all), func(i int) bool { return all[i].Position().Compare(l.Position()) > 0 })
	*list = lineList{}
	for i := range all[:at] {
		b.addLine(list, &all[i])
	}
	b.addLine(list, l)
	for i := range all[at:] {
		b.addLine(list, &all[at+i])
	}
}

func (b *book) addLine(list *lineList, l *ledger.Line) {
	b.write.begin()
	b.write.line(l, list.count)
	b.appendLine(list, b.space.add(b.write.buf))
	list.time, list.version = l.RecordedAt.UnixMicro(), max(list.version, l.Version)
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
	list := &b.accounts.row(n).lines
	if list.count == 0 || version > list.version {
		return false
	}
	for i := range list.count { // only for a writer that has it wrong
		if b.line(n, i).Version == version {
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
