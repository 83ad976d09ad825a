package sqlite

import (
	"encoding/binary"
	"encoding/json"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// How parts of rows are written that nobody looks for: receipts, postings, terms and changes, as bytes in which numbers are
// varints and accounts are their rows' numbers.

// encoder builds one value.
type encoder struct {
	buf  []byte
	work *work
	err  error
}

// begin starts a value in room of its own: the session may still read the one before.
func (w *encoder) begin() { w.buf, w.err = make([]byte, 0, 64), nil }

func (w *encoder) uint(v uint64)     { w.buf = binary.AppendUvarint(w.buf, v) }
func (w *encoder) int(v int64)       { w.buf = binary.AppendVarint(w.buf, v) }
func (w *encoder) id(id ledger.ID)   { w.buf = append(w.buf, id[:]...) }
func (w *encoder) fail(err error)    { w.err = first(w.err, err) }
func (w *encoder) flags(bits uint64) { w.uint(bits) }

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func (w *encoder) text(s string) {
	w.uint(uint64(len(s)))
	w.buf = append(w.buf, s...)
}

// An account is 0 when there is none, 1 and its name when it has no row, else 1 more than the number of its row.
func (w *encoder) account(id ledger.AccountID) {
	if id == (ledger.AccountID{}) {
		w.uint(0)
		return
	}
	a, err := w.work.account(id)
	if err != nil {
		w.fail(err)
		return
	}
	if a == nil {
		w.uint(1)
		w.text(id.Path)
		w.text(string(id.Asset))
		return
	}
	w.uint(uint64(a.id) + 1) //nolint:gosec // row numbers are positive
}

// How the rest of an amount is to be read.
const (
	noAmount    = iota
	smallAmount // a varint, in the asset that is expected
	largeAmount // 16 bytes, in the asset that is expected
	otherAmount // text with the asset
)

func (w *encoder) amount(a currency.Amount, in currency.AssetID) {
	switch {
	case !a.IsValid():
		w.uint(noAmount)
	case a.AssetID() != in:
		text, err := a.MarshalText()
		w.fail(err)
		w.uint(otherAmount)
		w.text(string(text))
	default:
		if units, small := a.Int64(); small {
			w.uint(smallAmount)
			w.int(units)
			return
		}
		w.uint(largeAmount)
		w.buf = append(w.buf, large(a)...)
	}
}

// large is the form of an amount that does not fit 64 bits: the sign in the first bit, then the magnitude. There is no −2¹²⁷.
func large(a currency.Amount) []byte {
	hi, lo := a.Units()
	negative := hi < 0
	if negative {
		hi, lo = ^hi, ^lo
		if lo++; lo == 0 {
			hi++
		}
	}
	b := make([]byte, 16)
	binary.BigEndian.PutUint64(b, uint64(hi)) //nolint:gosec // not negative
	binary.BigEndian.PutUint64(b[8:], lo)
	if negative {
		b[0] |= 0x80
	}
	return b
}

func fromLarge(b []byte, asset *currency.Definition) (currency.Amount, error) {
	if len(b) != 16 {
		return currency.Amount{}, damaged("an amount of %d bytes", len(b))
	}
	hi, lo := int64(binary.BigEndian.Uint64(b)&(1<<63-1)), binary.BigEndian.Uint64(b[8:])
	if b[0]&0x80 != 0 {
		hi, lo = ^hi, ^lo
		if lo++; lo == 0 {
			hi++
		}
	}
	a, err := currency.FromUnits(hi, lo, asset)
	return a, noSuch(err)
}

// noSuch is what is wrong with a file when an amount in it cannot be.
func noSuch(err error) error {
	if err != nil {
		return damaged("an amount: %w", err)
	}
	return nil
}

func (w *encoder) terms(t *ledger.Terms, in currency.AssetID) {
	w.amount(t.Floor, in)
	w.amount(t.Ceiling, in)
	w.uint(termFlags(t))
}

const (
	debitsFrozen = 1 << iota
	creditsFrozen
	closed
)

func bit(is bool, value uint64) uint64 {
	if is {
		return value
	}
	return 0
}

func termFlags(t *ledger.Terms) uint64 {
	return bit(t.DebitsFrozen, debitsFrozen) | bit(t.CreditsFrozen, creditsFrozen) | bit(t.Closed, closed)
}

func setTermFlags(t *ledger.Terms, flags uint64) {
	t.DebitsFrozen, t.CreditsFrozen, t.Closed = flags&debitsFrozen != 0, flags&creditsFrozen != 0, flags&closed != 0
}

const (
	resultTransaction = 1 << iota
	resultHold
	resultDocument
	resultVersion
)

func (w *encoder) results(all []ledger.Result) {
	w.uint(uint64(len(all)))
	for i := range all {
		r := &all[i]
		has := bit(r.Transaction != ledger.ID{}, resultTransaction) | bit(r.Hold != ledger.ID{}, resultHold) |
			bit(r.Document != ledger.DocumentID{}, resultDocument) | bit(r.Version != 0, resultVersion)
		w.flags(has)
		if has&resultTransaction != 0 {
			w.id(r.Transaction)
		}
		if has&resultHold != 0 {
			w.id(r.Hold)
		}
		if has&resultDocument != 0 {
			w.text(r.Document.Kind)
			w.text(r.Document.ID)
		}
		if has&resultVersion != 0 {
			w.uint(r.Version)
		}
	}
}

// receipt writes all of a receipt that the row of the key does not say: its key where it is another, and what it lists.
func (w *encoder) receipt(r *ledger.Receipt, key string) {
	other := r.Key != key
	w.flags(bit(other, 1))
	if other {
		w.text(r.Key)
	}
	w.results(r.Results)
	w.results(r.Guarded)
	w.uint(uint64(len(r.Balances)))
	for i := range r.Balances {
		b := &r.Balances[i]
		w.account(b.Account)
		w.uint(b.Version)
		w.amount(b.Posted, b.Account.Asset)
		w.amount(b.Held, b.Account.Asset)
		available, err := b.Posted.Sub(b.Held)
		known := err == nil && available == b.Available
		w.flags(bit(!known, 1))
		if !known {
			w.amount(b.Available, b.Account.Asset)
		}
	}
}

func (w *encoder) postings(all []ledger.Posting) {
	w.uint(uint64(len(all)))
	for i := range all {
		p := &all[i]
		w.account(p.Account)
		w.uint(uint64(p.Side))
		w.amount(p.Amount, p.Account.Asset)
	}
}

const (
	changeOther = 1 << iota // entry, key and time are not those of the row of the key
	changeAccount
	changeTransaction
	changeHold
	changeDocument
	changeVersion
	changeState
	changeAmount
)

// change writes a change without its position. of is the entry whose row says entry, key and time.
func (w *encoder) change(c *ledger.Change, of *entryRow) {
	other := of == nil || c.Entry != of.uuid || c.Key != of.key || !c.RecordedAt.Equal(of.recordedAt)
	has := bit(other, changeOther) | bit(c.Account != ledger.AccountID{}, changeAccount) |
		bit(c.Transaction != ledger.ID{}, changeTransaction) | bit(c.Hold != ledger.ID{}, changeHold) |
		bit(c.Document != ledger.DocumentID{}, changeDocument) | bit(c.Version != 0, changeVersion) |
		bit(c.State != "", changeState) | bit(c.Amount.IsValid(), changeAmount)
	w.flags(has)
	w.uint(uint64(c.Kind))
	if other {
		w.id(c.Entry)
		w.text(c.Key)
		w.int(c.RecordedAt.UnixMicro())
	}
	if has&changeAccount != 0 {
		w.account(c.Account)
	}
	if has&changeTransaction != 0 {
		w.id(c.Transaction)
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
		w.amount(c.Amount, c.Account.Asset)
	}
}

// decoder takes a value apart. The first thing that is wrong is remembered, and everything after it is zero.
type decoder struct {
	buf  []byte
	work *work
	err  error
}

func (r *decoder) torn() {
	if r.err == nil {
		r.err = damaged("a value ends too early")
	}
	r.buf = nil
}

func (r *decoder) uint() uint64 {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 {
		r.torn()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

func (r *decoder) int() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.torn()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

func (r *decoder) take(n uint64) []byte {
	if n > uint64(len(r.buf)) {
		r.torn()
		return nil
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

// count is the length of a list: never more than the bytes that are left, so a damaged one cannot ask for the whole memory.
func (r *decoder) count() int {
	n := r.uint()
	if n > uint64(len(r.buf)) {
		r.torn()
		return 0
	}
	return int(n) //nolint:gosec // at most a length
}

func (r *decoder) text() string { return string(r.take(r.uint())) }

func (r *decoder) id() (id ledger.ID) {
	copy(id[:], r.take(uint64(len(id))))
	return id
}

func (r *decoder) account() ledger.AccountID {
	switch n := r.uint(); n {
	case 0:
		return ledger.AccountID{}
	case 1:
		return ledger.AccountID{Path: r.text(), Asset: currency.AssetID(r.text())}
	default:
		id, err := r.work.accountID(int64(n - 1)) //nolint:gosec // as it was written
		r.err = first(r.err, err)
		return id
	}
}

func (r *decoder) amount(in currency.AssetID) (a currency.Amount) {
	var err error
	switch kind := r.uint(); kind {
	case noAmount:
		return a
	case smallAmount:
		units := r.int()
		asset, missing := r.work.asset(in)
		if err = missing; err == nil {
			a, err = currency.New(units, asset)
			err = noSuch(err)
		}
	case largeAmount:
		b := r.take(16)
		asset, missing := r.work.asset(in)
		if err = missing; err == nil {
			a, err = fromLarge(b, asset)
		}
	case otherAmount:
		err = noSuch(a.UnmarshalText([]byte(r.text())))
	default:
		err = damaged("an amount of kind %d", kind)
	}
	r.err = first(r.err, err)
	return a
}

func (r *decoder) terms(in currency.AssetID) (t ledger.Terms) {
	t.Floor, t.Ceiling = r.amount(in), r.amount(in)
	setTermFlags(&t, r.uint())
	return t
}

func (r *decoder) results() []ledger.Result {
	n := r.count()
	if n == 0 {
		return nil
	}
	all := make([]ledger.Result, n)
	for i := range all {
		res, has := &all[i], r.uint()
		if has&resultTransaction != 0 {
			res.Transaction = r.id()
		}
		if has&resultHold != 0 {
			res.Hold = r.id()
		}
		if has&resultDocument != 0 {
			res.Document = ledger.DocumentID{Kind: r.text(), ID: r.text()}
		}
		if has&resultVersion != 0 {
			res.Version = r.uint()
		}
	}
	return all
}

func (r *decoder) receipt(into *ledger.Receipt, key string) {
	into.Key = key
	if r.uint()&1 != 0 {
		into.Key = r.text()
	}
	into.Results, into.Guarded = r.results(), r.results()
	if n := r.count(); n > 0 {
		into.Balances = make([]ledger.Balance, n)
	}
	for i := range into.Balances {
		b := &into.Balances[i]
		b.Account = r.account()
		b.Version = r.uint()
		b.Posted, b.Held = r.amount(b.Account.Asset), r.amount(b.Account.Asset)
		if r.uint()&1 != 0 {
			b.Available = r.amount(b.Account.Asset)
			continue
		}
		if r.err == nil {
			var err error
			b.Available, err = b.Posted.Sub(b.Held)
			r.err = noSuch(err)
		}
	}
}

func (r *decoder) postings() []ledger.Posting {
	n := r.count()
	if n == 0 {
		return nil
	}
	all := make([]ledger.Posting, n)
	for i := range all {
		all[i].Account = r.account()
		all[i].Side = ledger.Side(r.uint()) //nolint:gosec // as it was written
		all[i].Amount = r.amount(all[i].Account.Asset)
	}
	return all
}

func (r *decoder) change(of *entryRow) (c ledger.Change) {
	has := r.uint()
	c.Kind = ledger.ChangeKind(r.uint()) //nolint:gosec // as it was written
	switch {
	case has&changeOther != 0:
		c.Entry, c.Key, c.RecordedAt = r.id(), r.text(), fromMicros(r.int())
	case of == nil:
		r.err = first(r.err, damaged("a change without its entry"))
	default:
		c.Entry, c.Key, c.RecordedAt = of.uuid, of.key, of.recordedAt
	}
	if has&changeAccount != 0 {
		c.Account = r.account()
	}
	if has&changeTransaction != 0 {
		c.Transaction = r.id()
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
		c.Amount = r.amount(c.Account.Asset)
	}
	return c
}

// metaText writes the meta of a note as JSON, null when there is none.
func metaText(m map[string]string) (any, error) {
	if len(m) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}

func metaOf(text string) (m map[string]string, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, damaged("the meta of a note: %w", err)
	}
	return m, nil
}
