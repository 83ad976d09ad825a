package memory

import (
	"slices"
	"sort"

	"github.com/koshpay/kosh/ledger"
)

// What a change may have. Most are of an entry that has a key, and its id and time are those of the key's receipt.
const (
	changeOfKey = 1 << iota
	changeAccount
	changeTransaction
	changeHold
	changeDocument
	changeVersion
	changeState
	changeAmount
)

// keyOfTransaction is in the byte of the kind: the key is that of the transaction.
const keyOfTransaction = 1 << 7

// change writes a change without its position.
func (w *writer) change(c *ledger.Change) {
	key := w.book.keys.word(c.Key)
	ofKey := false
	if row := w.book.keys.row(key); row != 0 {
		id, micros := w.book.keyTime(row)
		ofKey = id == c.Entry && micros == c.RecordedAt.UnixMicro()
	}
	has := bit(ofKey, changeOfKey) | bit(c.Account != ledger.AccountID{}, changeAccount) | bit(c.Transaction != ledger.ID{}, changeTransaction) |
		bit(c.Hold != ledger.ID{}, changeHold) | bit(c.Document != ledger.DocumentID{}, changeDocument) |
		bit(c.Version != 0, changeVersion) | bit(c.State != "", changeState) | bit(c.Amount.IsValid(), changeAmount)
	at := ref(0)
	if has&changeTransaction != 0 {
		at = w.book.transactions.known(c.Transaction)
	}
	ofTransaction := false
	if at != 0 {
		ofTransaction = w.book.keyOf(at) == key
	}
	w.byte(has)
	w.byte(byte(c.Kind) | bit(ofTransaction, keyOfTransaction))
	if ofTransaction {
		w.ref(at)
	} else {
		w.uint(uint64(key))
	}
	if has&changeOfKey == 0 {
		w.idAndTime(c.Entry, c.RecordedAt)
	}
	if has&changeTransaction != 0 && !ofTransaction {
		w.transaction(c.Transaction)
	}
	if has&changeAccount != 0 {
		w.account(c.Account)
	}
	if has&changeHold != 0 {
		w.id(c.Hold)
	}
	if has&changeDocument != 0 {
		w.text(c.Document.Kind)
		w.text(c.Document.ID)
	}
	if has&changeVersion != 0 {
		w.uint(c.Version)
	}
	if has&changeState != 0 {
		w.text(c.State)
	}
	if has&changeAmount != 0 {
		w.amount(c.Amount)
	}
}

func (r *reader) change(c *ledger.Change) {
	has := r.byte()
	kind := r.byte()
	c.Kind = ledger.ChangeKind(kind &^ keyOfTransaction)
	var key ref
	if kind&keyOfTransaction != 0 {
		at := r.ref()
		c.Transaction = r.book.transactions.idAt(at)
		key = r.book.keyOf(at)
	} else {
		key = ref(r.uint()) //nolint:gosec // written from 32 bits
	}
	c.Key = r.bulk.text(r.book.keys.bytes(key))
	if has&changeOfKey != 0 {
		id, micros := r.book.keyTime(r.book.keys.row(key))
		c.Entry, c.RecordedAt = id, microTime(micros)
	} else {
		c.Entry, c.RecordedAt = r.idAndTime()
	}
	if has&changeTransaction != 0 && kind&keyOfTransaction == 0 {
		c.Transaction = r.transaction()
	}
	if has&changeAccount != 0 {
		c.Account = r.account()
	}
	if has&changeHold != 0 {
		c.Hold = r.id()
	}
	if has&changeDocument != 0 {
		c.Document = ledger.DocumentID{Kind: r.text(), ID: r.text()}
	}
	if has&changeVersion != 0 {
		c.Version = r.uint()
	}
	if has&changeState != 0 {
		c.State = r.text()
	}
	if has&changeAmount != 0 {
		c.Amount = r.amount()
	}
}

// feed is the list of changes by position. A ledger numbers them without gaps, so a position need not be kept: the list
// consists of runs of changes that follow one another.
type feed struct {
	runs []feedRun
	size int
}

type feedRun struct {
	first   uint64
	changes []ref
}

func (r *feedRun) end() uint64 { return r.first + uint64(len(r.changes)) }

// add adds a change whose position no other has.
func (f *feed) add(position uint64, at ref) {
	f.size++
	n := len(f.runs)
	if n > 0 && f.runs[n-1].end() == position && len(f.runs[n-1].changes) < chunkLen {
		f.runs[n-1].changes = append(f.runs[n-1].changes, at)
		return
	}
	space := 1
	if n > 0 && f.runs[n-1].end() == position {
		space = chunkLen
	}
	i := f.search(func(p uint64) bool { return p >= position })
	f.runs = slices.Insert(f.runs, i, feedRun{position, append(make([]ref, 0, space), at)})
}

// search returns the first run whose last position has reached what is looked for.
func (f *feed) search(reached func(position uint64) bool) int {
	return sort.Search(len(f.runs), func(i int) bool { return reached(f.runs[i].end() - 1) })
}

// seek returns the place of the first change at or above a position.
func (f *feed) seek(at *ledger.Position) (run, i int) {
	reached := func(p uint64) bool { return ledger.Position{Number: p}.Compare(*at) >= 0 }
	if run = f.search(reached); run == len(f.runs) {
		return run, 0
	}
	r := &f.runs[run]
	return run, sort.Search(len(r.changes), func(i int) bool { return reached(r.first + uint64(i)) }) //nolint:gosec // below len
}

func (f *feed) has(position uint64) bool {
	i := f.search(func(p uint64) bool { return p >= position })
	return i < len(f.runs) && f.runs[i].first <= position
}

// walk calls yield with the changes strictly between after and before (nil: no bound), first or last first, until it returns
// false.
func (f *feed) walk(r *ledger.Range, yield func(position uint64, at ref) bool) {
	first, i, last, j := 0, 0, len(f.runs), 0 // up to the one before j
	if r.After != nil {
		if first, i = f.seek(r.After); first < len(f.runs) && f.positionAt(first, i).Compare(*r.After) == 0 {
			i++
		}
	}
	if r.Before != nil {
		last, j = f.seek(r.Before)
	}
	next := func(run, i int) bool { return yield(f.runs[run].first+uint64(i), f.runs[run].changes[i]) } //nolint:gosec // below len
	if !r.Backward {
		for ; first < len(f.runs) && first <= last; first, i = first+1, 0 {
			for ; i < len(f.runs[first].changes) && (first < last || i < j); i++ {
				if !next(first, i) {
					return
				}
			}
		}
		return
	}
	for ; last >= first; last-- {
		if last < len(f.runs) {
			for j--; j >= 0 && (last > first || j >= i); j-- {
				if !next(last, j) {
					return
				}
			}
		}
		if last > 0 {
			j = len(f.runs[last-1].changes)
		}
	}
}

func (f *feed) positionAt(run, i int) ledger.Position {
	return ledger.Position{Number: f.runs[run].first + uint64(i)} //nolint:gosec // below len
}

func (f *feed) clone() feed {
	c := feed{runs: slices.Clone(f.runs), size: f.size}
	for i := range c.runs {
		c.runs[i].changes = slices.Clone(c.runs[i].changes)
	}
	return c
}

func (b *book) putChange(c *ledger.Change) {
	b.write.begin()
	b.write.change(c)
	b.feed.add(c.Position, b.space.add(b.write.buf))
}

// checkFeed says what is wrong with changes to be written. Those of a ledger ascend and follow the last one.
func (b *book) checkFeed(rows []ledger.Change) error {
	follow, last := true, uint64(0)
	if n := len(b.feed.runs); n > 0 {
		last = b.feed.runs[n-1].end() - 1
	}
	for i := range rows {
		follow = follow && (rows[i].Position > last || i == 0 && b.feed.size == 0)
		last = rows[i].Position
	}
	if follow {
		return nil
	}
	return once("change", rows, func(c *ledger.Change) uint64 { return c.Position }, func(c *ledger.Change) bool {
		return b.feed.has(c.Position)
	})
}

func (b *book) pageOfFeed(r ledger.Range) []ledger.Change {
	size := min(r.Limit, b.feed.size)
	rows, shared := make([]ledger.Change, 0, size), newBulk(size)
	b.feed.walk(&r, func(position uint64, at ref) bool {
		reader := b.reader(at)
		reader.bulk = shared
		c := ledger.Change{Position: position}
		if at.isPlain() {
			h := reader.plainHead()
			c = reader.plainChange(&h)
			c.Position = position
		} else {
			reader.change(&c)
		}
		rows = append(rows, c)
		return len(rows) < r.Limit
	})
	return rows
}
