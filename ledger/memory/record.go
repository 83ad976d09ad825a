package memory

import (
	"encoding/binary"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// How rows are written as bytes. Numbers are varints; accounts, keys and transactions are numbers of what is kept already, so
// that history repeats no text and no id. Times are kept in microseconds, as the ledger has them.

// writer builds one record.
type writer struct {
	book *book
	buf  []byte
	last *currency.Definition // of the amount before

	accounts []uint32 // space
}

func (w *writer) begin() {
	w.buf, w.last = w.buf[:0], nil
}

func (w *writer) byte(v byte)   { w.buf = append(w.buf, v) }
func (w *writer) uint(v uint64) { w.buf = binary.AppendUvarint(w.buf, v) }
func (w *writer) int(v int64)   { w.buf = binary.AppendVarint(w.buf, v) }

func (w *writer) text(s string) {
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) bytes(b []byte) { // nil stays nil
	if b == nil {
		w.uint(0)
		return
	}
	w.uint(uint64(len(b)) + 1)
	w.buf = append(w.buf, b...)
}

func (w *writer) ref(at ref)                 { w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(at)) }
func (w *writer) id(id ledger.ID)            { w.buf = append(w.buf, id[:]...) }
func (w *writer) time(t time.Time)           { w.int(t.UnixMicro()) }
func (w *writer) account(a ledger.AccountID) { w.uint(uint64(w.book.accounts.number(&a))) }

// The low three bits of an amount say how the rest is to be read.
const (
	noAmount    = iota
	sameAsset       // as the amount before; the count of units follows
	otherAsset      // the same, then the asset's number
	large       = 2 // added: the count is 16 bytes of its own
	amountBits  = 3
	amountShift = 1 << amountBits
)

func (w *writer) amount(a currency.Amount) {
	def := a.Asset()
	if def == nil {
		w.byte(noAmount)
		return
	}
	code := uint64(sameAsset)
	if def != w.last {
		code, w.last = otherAsset, def
	}
	units, small := a.Int64()
	zigzag := uint64(units)<<1 ^ uint64(units>>63) //nolint:gosec // zigzag: the sign goes into the lowest bit
	if small && zigzag < 1<<(64-amountBits) {
		w.uint(zigzag<<amountBits | code)
	} else {
		w.uint(code + large)
		hi, lo := a.Units()
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(hi)) //nolint:gosec // the bits
		w.buf = binary.LittleEndian.AppendUint64(w.buf, lo)
	}
	if code == otherAsset {
		w.uint(uint64(w.book.assetNumber(def)))
	}
}

func (w *writer) amounts(all []currency.Amount) {
	if all == nil {
		w.uint(0)
		return
	}
	w.uint(uint64(len(all)) + 1)
	for _, a := range all {
		w.amount(a)
	}
}

// transaction writes an id as the number of the transaction's record; as it is when there is none.
func (w *writer) transaction(id ledger.ID) {
	at := w.book.transactions.known(id)
	w.uint(uint64(at))
	if at == 0 {
		w.id(id)
	}
}

// reader takes a record apart. Records are written by this package only, so nothing of one can be wrong.
type reader struct {
	book *book
	at   ref // of the record
	buf  []byte
	last *currency.Definition
	bulk *bulk // when many are read, else nil
}

func (r *reader) byte() byte {
	v := r.buf[0]
	r.buf = r.buf[1:]
	return v
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.buf)
	r.buf = r.buf[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.buf)
	r.buf = r.buf[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func (r *reader) text() string { return r.bulk.text(r.take(r.uint())) }

func (r *reader) bytes() []byte {
	n := r.uint()
	if n == 0 {
		return nil
	}
	return append(make([]byte, 0, n-1), r.take(n-1)...)
}

func (r *reader) id() (id ledger.ID) {
	copy(id[:], r.take(uint64(len(id))))
	return id
}

func (r *reader) ref() ref                  { return ref(binary.LittleEndian.Uint32(r.take(4))) }
func (r *reader) time() time.Time           { return microTime(r.int()) }
func (r *reader) account() ledger.AccountID { return r.book.accounts.id(uint32(r.uint())) } //nolint:gosec // written from 32 bits

func microTime(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func (r *reader) amount() currency.Amount {
	v := r.uint()
	code := v % amountShift
	if code == noAmount {
		return currency.Amount{}
	}
	v >>= amountBits
	lo := v>>1 ^ -(v & 1)
	hi := int64(lo) >> 63 //nolint:gosec // the sign
	if code > otherAsset {
		code -= large
		hi = int64(binary.LittleEndian.Uint64(r.take(8))) //nolint:gosec // the bits
		lo = binary.LittleEndian.Uint64(r.take(8))
	}
	if code == otherAsset {
		r.last = r.book.assetNumbers[r.uint()]
	}
	a, err := currency.FromUnits(hi, lo, r.last)
	if err != nil {
		panic("memory: an amount that was written does not read: " + err.Error())
	}
	return a
}

func (r *reader) amounts() []currency.Amount {
	n := r.uint()
	if n == 0 {
		return nil
	}
	all := make([]currency.Amount, n-1)
	for i := range all {
		all[i] = r.amount()
	}
	return all
}

func (r *reader) transaction() ledger.ID {
	if at := ref(r.uint()); at != 0 { //nolint:gosec // written from 32 bits
		return r.book.transactions.idAt(at)
	}
	return r.id()
}

// Notes, results and refusals are parts of several kinds of rows.

func (w *writer) note(n *ledger.Note) {
	w.text(n.Reference)
	w.text(n.Description)
	if n.Meta == nil {
		w.uint(0)
		return
	}
	w.uint(uint64(len(n.Meta)) + 1)
	for k, v := range n.Meta {
		w.text(k)
		w.text(v)
	}
}

func (r *reader) note() (n ledger.Note) {
	n.Reference, n.Description = r.text(), r.text()
	count := r.uint()
	if count == 0 {
		return n
	}
	n.Meta = make(map[string]string, count-1)
	for range count - 1 {
		k := r.text()
		n.Meta[k] = r.text()
	}
	return n
}

// few fields of a result are ever set.
const (
	hasTransaction = 1 << iota
	hasHold
	hasDocument
	hasVersion
)

func (w *writer) results(all []ledger.Result) {
	if all == nil {
		w.uint(0)
		return
	}
	w.uint(uint64(len(all)) + 1)
	for i := range all {
		res := &all[i]
		has := bit(res.Transaction != ledger.ID{}, hasTransaction) | bit(res.Hold != ledger.ID{}, hasHold) |
			bit(res.Document != ledger.DocumentID{}, hasDocument) | bit(res.Version != 0, hasVersion)
		w.byte(has)
		if has&hasTransaction != 0 {
			w.transaction(res.Transaction)
		}
		if has&hasHold != 0 {
			w.id(res.Hold)
		}
		if has&hasDocument != 0 {
			w.text(res.Document.Kind)
			w.text(res.Document.ID)
		}
		if has&hasVersion != 0 {
			w.uint(res.Version)
		}
	}
}

func (r *reader) results() []ledger.Result {
	n := r.uint()
	if n == 0 {
		return nil
	}
	all := make([]ledger.Result, n-1)
	for i := range all {
		res, has := &all[i], r.byte()
		if has&hasTransaction != 0 {
			res.Transaction = r.transaction()
		}
		if has&hasHold != 0 {
			res.Hold = r.id()
		}
		if has&hasDocument != 0 {
			res.Document = ledger.DocumentID{Kind: r.text(), ID: r.text()}
		}
		if has&hasVersion != 0 {
			res.Version = r.uint()
		}
	}
	return all
}

func bit(is bool, value byte) byte {
	if is {
		return value
	}
	return 0
}
