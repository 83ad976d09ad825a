package postgres

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// What only the ledger reads is packed: numbers as varints, accounts by their number, an amount without its asset when that is
// its account's, an id without the bytes that it shares with the one before. A transfer's receipt, postings and change take
// a third of their width in columns.

// packer writes. It takes the numbers of accounts from number; an account that has none is written by name.
type packer struct {
	b      []byte
	number func(ledger.AccountID) (int64, bool)
	last   ledger.ID
}

func (p *packer) uvarint(v uint64) { p.b = binary.AppendUvarint(p.b, v) }
func (p *packer) varint(v int64)   { p.b = binary.AppendVarint(p.b, v) }

func (p *packer) text(s string) {
	p.uvarint(uint64(len(s)))
	p.b = append(p.b, s...)
}

// id writes how many bytes are those of the last id, and the rest.
func (p *packer) id(id ledger.ID) {
	same := 0
	for same < len(id) && id[same] == p.last[same] {
		same++
	}
	p.b = append(append(p.b, byte(same)), id[same:]...)
	p.last = id
}

func (p *packer) time(t time.Time) { p.varint(t.UnixMicro()) }

// account writes a number and some bits beside it.
func (p *packer) account(id ledger.AccountID, beside, bits uint64) {
	if n, ok := p.number(id); ok {
		p.uvarint(uint64(n)<<bits | beside) //nolint:gosec // numbers are positive
		return
	}
	p.uvarint(beside)
	p.text(id.Path)
	p.text(string(id.Asset))
}

// The first number of an amount: odd for a count of at most 62 bits in the expected asset, else one of these.
const (
	amountInvalid = 2 * iota
	amountWide
	amountOther
	amountOtherWide
)

func (p *packer) amount(a currency.Amount, expected currency.AssetID) {
	if !a.IsValid() {
		p.uvarint(amountInvalid)
		return
	}
	hi, lo := a.Units()
	same := a.AssetID() == expected
	units, small := a.Int64()
	small = small && units < 1<<61 && units > -1<<61
	switch {
	case small && same:
		p.uvarint(uint64(units<<1^units>>63)<<1 | 1) //nolint:gosec // zigzag
		return
	case small:
		p.uvarint(amountOther)
		p.text(string(a.AssetID()))
		p.varint(units)
		return
	case same:
		p.uvarint(amountWide)
	default:
		p.uvarint(amountOtherWide)
		p.text(string(a.AssetID()))
	}
	p.b = binary.BigEndian.AppendUint64(p.b, uint64(hi)) //nolint:gosec // the bits
	p.b = binary.BigEndian.AppendUint64(p.b, lo)
}

// unpacker reads. What goes wrong is kept in err, so that a reader asks once.
type unpacker struct {
	b     []byte
	names *names
	last  ledger.ID
	err   error
}

func (u *unpacker) fail() {
	if u.err == nil {
		u.err = fmt.Errorf("%w: packed bytes end early", errCorrupt)
	}
	u.b = nil
}

// refuse notes that amounts were read which there cannot be.
func (u *unpacker) refuse(err error) {
	if err != nil && u.err == nil {
		u.err = fmt.Errorf("%w: %w", errCorrupt, err)
	}
}

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.b)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unpacker) take(n uint64) []byte {
	if n > uint64(len(u.b)) {
		u.fail()
		return nil
	}
	b := u.b[:n]
	u.b = u.b[n:]
	return b
}

func (u *unpacker) text() string { return string(u.take(u.uvarint())) }

// count reads how many follow, each of at least one byte.
func (u *unpacker) count() int {
	n := u.uvarint()
	if n > uint64(len(u.b)) {
		u.fail()
		return 0
	}
	return int(n) //nolint:gosec // no longer than the bytes
}

func (u *unpacker) id() (id ledger.ID) {
	head := u.take(1)
	if head == nil || head[0] > 16 {
		u.fail()
		return id
	}
	copy(id[:], u.last[:head[0]])
	copy(id[head[0]:], u.take(uint64(16-head[0])))
	u.last = id
	return id
}

func (u *unpacker) time() time.Time { return time.UnixMicro(u.varint()).UTC() }

func (u *unpacker) account(bits uint64) (id ledger.AccountID, beside uint64) {
	v := u.uvarint()
	beside = v & (1<<bits - 1)
	if n := v >> bits; n > 0 {
		return u.names.account(int64(n)), beside //nolint:gosec // numbers are positive
	}
	id.Path = u.text()
	id.Asset = currency.AssetID(u.text())
	return id, beside
}

func (u *unpacker) amount(expected currency.AssetID) currency.Amount {
	v := u.uvarint()
	asset, hi, lo := expected, int64(0), uint64(0)
	switch {
	case v&1 == 1:
		v >>= 1
		units := int64(v>>1) ^ -int64(v&1)
		hi, lo = units>>63, uint64(units) //nolint:gosec // the bits
	case v == amountInvalid:
		return currency.Amount{}
	case v == amountOther:
		asset = currency.AssetID(u.text())
		units := u.varint()
		hi, lo = units>>63, uint64(units) //nolint:gosec // the bits
	case v == amountWide || v == amountOtherWide:
		if v == amountOtherWide {
			asset = currency.AssetID(u.text())
		}
		if b := u.take(16); b != nil {
			hi, lo = int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint64(b[8:]) //nolint:gosec // the bits
		}
	default:
		u.fail()
	}
	def := u.names.asset(asset)
	if u.err != nil || def == nil {
		return currency.Amount{} // a name that is missing is looked up, and all of this read again
	}
	a, err := currency.FromUnits(hi, lo, def)
	u.refuse(err)
	return a
}

// flags collects up to 64 answers to "is this there?".
type flags uint64

func (f *flags) add(bit int, is bool) {
	if is {
		*f |= 1 << bit
	}
}

func (f flags) has(bit int) bool { return f>>bit&1 == 1 }

// packReceipt packs what a key was told. The row has the id of a transaction, a time and a key already.
func (p *packer) packReceipt(k *ledger.KeyRow, row ledger.ID, recorded time.Time) {
	r := &k.Receipt
	p.last = row
	var f flags
	f.add(0, r.ID != row)
	f.add(1, r.RecordedAt != recorded)
	f.add(2, r.Key != k.Key)
	f.add(3, len(r.Results) > 0)
	f.add(4, len(r.Guarded) > 0)
	f.add(5, len(r.Balances) > 0)
	f.add(6, k.Refusal != nil)
	p.uvarint(uint64(f))
	if f.has(0) {
		p.id(r.ID)
	}
	if f.has(1) {
		p.time(r.RecordedAt)
	}
	if f.has(2) {
		p.text(r.Key)
	}
	if f.has(3) {
		p.results(r.Results, row)
	}
	if f.has(4) {
		p.results(r.Guarded, row)
	}
	if f.has(5) {
		p.uvarint(uint64(len(r.Balances)))
		for i := range r.Balances {
			b := &r.Balances[i]
			available, err := b.Posted.Sub(b.Held)
			other := err != nil || available != b.Available
			beside := uint64(0)
			if other {
				beside = 1
			}
			p.account(b.Account, beside, 1)
			p.uvarint(b.Version)
			p.amount(b.Posted, b.Account.Asset)
			p.amount(b.Held, b.Account.Asset)
			if other {
				p.amount(b.Available, b.Account.Asset)
			}
		}
	}
	if f.has(6) {
		p.refusal(k.Refusal)
	}
}

func (u *unpacker) unpackReceipt(k *ledger.KeyRow, row ledger.ID, recorded time.Time) {
	r := &k.Receipt
	u.last = row
	r.ID, r.RecordedAt, r.Key = row, recorded, k.Key
	f := flags(u.uvarint())
	if f.has(0) {
		r.ID = u.id()
	}
	if f.has(1) {
		r.RecordedAt = u.time()
	}
	if f.has(2) {
		r.Key = u.text()
	}
	if f.has(3) {
		r.Results = u.results(row)
	}
	if f.has(4) {
		r.Guarded = u.results(row)
	}
	if f.has(5) {
		r.Balances = make([]ledger.Balance, u.count())
		for i := range r.Balances {
			b := &r.Balances[i]
			var other uint64
			b.Account, other = u.account(1)
			b.Version = u.uvarint()
			b.Posted, b.Held = u.amount(b.Account.Asset), u.amount(b.Account.Asset)
			if other == 1 {
				b.Available = u.amount(b.Account.Asset)
			} else if b.Posted.IsValid() && b.Held.IsValid() && u.err == nil {
				var err error
				b.Available, err = b.Posted.Sub(b.Held)
				u.refuse(err)
			}
		}
	}
	if f.has(6) {
		k.Refusal = u.refusal()
	}
}

func (p *packer) refusal(r *ledger.Refusal) {
	p.text(string(r.Code))
	p.text(string(r.Class))
	p.varint(int64(r.Command))
	p.account(r.Account, 0, 1)
	p.amount(r.Wanted, r.Account.Asset)
	p.amount(r.Available, r.Account.Asset)
	p.text(r.Field)
	p.text(r.Public)
	p.text(r.Private)
}

func (u *unpacker) refusal() *ledger.Refusal {
	r := new(ledger.Refusal)
	r.Code, r.Class, r.Command = ledger.Code(u.text()), ledger.Class(u.text()), int(u.varint())
	r.Account, _ = u.account(1)
	r.Wanted, r.Available = u.amount(r.Account.Asset), u.amount(r.Account.Asset)
	r.Field, r.Public, r.Private = u.text(), u.text(), u.text()
	return r
}

func (p *packer) note(n *ledger.Note) {
	p.text(n.Reference)
	p.text(n.Description)
	p.uvarint(uint64(len(n.Meta)))
	for _, k := range slices.Sorted(maps.Keys(n.Meta)) {
		p.text(k)
		p.text(n.Meta[k])
	}
}

func (u *unpacker) note() (n ledger.Note) {
	n.Reference, n.Description = u.text(), u.text()
	if count := u.count(); count > 0 {
		n.Meta = make(map[string]string, count)
		for range count {
			k := u.text()
			n.Meta[k] = u.text()
		}
	}
	return n
}

func (p *packer) results(results []ledger.Result, row ledger.ID) {
	p.uvarint(uint64(len(results)))
	for i := range results {
		r := &results[i]
		var f flags
		f.add(0, r.Transaction == row && row != ledger.ID{})
		f.add(1, !f.has(0) && r.Transaction != ledger.ID{})
		f.add(2, r.Hold != ledger.ID{})
		f.add(3, r.Document != ledger.DocumentID{})
		f.add(4, r.Version != 0)
		p.uvarint(uint64(f))
		if f.has(1) {
			p.id(r.Transaction)
		}
		if f.has(2) {
			p.id(r.Hold)
		}
		if f.has(3) {
			p.text(r.Document.Kind)
			p.text(r.Document.ID)
		}
		if f.has(4) {
			p.uvarint(r.Version)
		}
	}
}

func (u *unpacker) results(row ledger.ID) []ledger.Result {
	results := make([]ledger.Result, u.count())
	for i := range results {
		r := &results[i]
		f := flags(u.uvarint())
		if f.has(0) {
			r.Transaction = row
		}
		if f.has(1) {
			r.Transaction = u.id()
		}
		if f.has(2) {
			r.Hold = u.id()
		}
		if f.has(3) {
			r.Document.Kind = u.text()
			r.Document.ID = u.text()
		}
		if f.has(4) {
			r.Version = u.uvarint()
		}
	}
	return results
}

// packTransaction packs what the columns of tx do not have.
func (p *packer) packTransaction(t *ledger.Transaction) {
	p.last = t.ID
	note := t.Reference != "" || t.Description != "" || len(t.Meta) > 0
	var f flags
	f.add(0, t.EffectiveAt != t.RecordedAt)
	f.add(1, t.Reverses != ledger.ID{})
	f.add(2, t.Imported)
	f.add(3, note)
	f.add(4, t.Reversed != nil)
	p.uvarint(uint64(f))
	p.uvarint(uint64(len(t.Postings)))
	for i := range t.Postings {
		q := &t.Postings[i]
		p.account(q.Account, uint64(q.Side), 2)
		p.amount(q.Amount, q.Account.Asset)
	}
	if f.has(0) {
		p.time(t.EffectiveAt)
	}
	if f.has(1) {
		p.id(t.Reverses)
	}
	if f.has(4) {
		p.uvarint(uint64(len(t.Reversed)))
		for i, a := range t.Reversed {
			p.amount(a, t.Postings[min(i, len(t.Postings)-1)].Account.Asset)
		}
	}
	if note {
		p.note(&t.Note)
	}
}

func (u *unpacker) unpackTransaction(t *ledger.Transaction) {
	u.last = t.ID
	f := flags(u.uvarint())
	t.EffectiveAt, t.Imported = t.RecordedAt, f.has(2)
	if n := u.count(); n > 0 {
		t.Postings = make([]ledger.Posting, n)
	}
	for i := range t.Postings {
		q := &t.Postings[i]
		var side uint64
		q.Account, side = u.account(2)
		q.Side = ledger.Side(side) //nolint:gosec // two bits
		q.Amount = u.amount(q.Account.Asset)
	}
	if f.has(0) {
		t.EffectiveAt = u.time()
	}
	if f.has(1) {
		t.Reverses = u.id()
	}
	if f.has(4) {
		n := u.count()
		if len(t.Postings) == 0 && n > 0 {
			u.fail() // what an amount is in, a posting says
			n = 0
		}
		t.Reversed = make([]currency.Amount, n)
		for i := range t.Reversed {
			t.Reversed[i] = u.amount(t.Postings[min(i, len(t.Postings)-1)].Account.Asset)
		}
	}
	if f.has(3) {
		t.Note = u.note()
	}
}

// packRest packs what few lines have. Most have nothing.
func (p *packer) packRest(l *ledger.Line) {
	var f flags
	f.add(0, l.Hold != ledger.ID{})
	f.add(1, l.EffectiveAt != l.RecordedAt)
	f.add(2, l.Terms != nil)
	if f == 0 {
		return
	}
	p.last = l.Transaction
	p.uvarint(uint64(f))
	if f.has(0) {
		p.id(l.Hold)
	}
	if f.has(1) {
		p.time(l.EffectiveAt)
	}
	if f.has(2) {
		p.uvarint(uint64(termFlags(l.Terms))) //nolint:gosec // three bits
		p.amount(l.Terms.Floor, l.Account.Asset)
		p.amount(l.Terms.Ceiling, l.Account.Asset)
	}
}

func (u *unpacker) unpackRest(l *ledger.Line) {
	l.EffectiveAt = l.RecordedAt
	if len(u.b) == 0 {
		return
	}
	u.last = l.Transaction
	f := flags(u.uvarint())
	if f.has(0) {
		l.Hold = u.id()
	}
	if f.has(1) {
		l.EffectiveAt = u.time()
	}
	if f.has(2) {
		l.Terms = new(ledger.Terms)
		setTermFlags(l.Terms, int16(u.uvarint()&7))
		l.Terms.Floor, l.Terms.Ceiling = u.amount(l.Account.Asset), u.amount(l.Account.Asset)
	}
}

func termFlags(t *ledger.Terms) int16 {
	var f flags
	f.add(0, t.DebitsFrozen)
	f.add(1, t.CreditsFrozen)
	f.add(2, t.Closed)
	return int16(f)
}

func setTermFlags(t *ledger.Terms, bits int16) {
	t.DebitsFrozen, t.CreditsFrozen, t.Closed = bits&1 != 0, bits&2 != 0, bits&4 != 0
}

// packChanges packs changes in a row; each says only how it differs from the one before.
func (p *packer) packChanges(changes []ledger.Change, before ledger.Change) {
	for i := range changes {
		p.packChange(&changes[i], &before)
		before = changes[i]
	}
}

func (p *packer) packChange(c, before *ledger.Change) {
	var f flags
	f.add(0, c.Entry != before.Entry)
	f.add(1, c.Key != before.Key)
	f.add(2, c.RecordedAt != before.RecordedAt)
	f.add(3, c.Account != ledger.AccountID{})
	f.add(4, c.Transaction != ledger.ID{})
	f.add(5, c.Hold != ledger.ID{})
	f.add(6, c.Document != ledger.DocumentID{})
	f.add(7, c.Version != 0)
	f.add(8, c.State != "")
	f.add(9, c.Amount.IsValid())
	p.uvarint(uint64(f)<<3 | uint64(c.Kind&7))
	p.last = before.Entry
	if f.has(0) {
		p.id(c.Entry)
	}
	if f.has(1) {
		p.text(c.Key)
	}
	if f.has(2) {
		p.varint(c.RecordedAt.UnixMicro() - before.RecordedAt.UnixMicro())
	}
	if f.has(3) {
		p.account(c.Account, 0, 1)
	}
	if f.has(4) {
		p.id(c.Transaction)
	}
	if f.has(5) {
		p.id(c.Hold)
	}
	if f.has(6) {
		p.text(c.Document.Kind)
		p.text(c.Document.ID)
	}
	if f.has(7) {
		p.uvarint(c.Version)
	}
	if f.has(8) {
		p.text(c.State)
	}
	if f.has(9) {
		p.amount(c.Amount, c.Account.Asset)
	}
}

func (u *unpacker) unpackChanges(before ledger.Change) []ledger.Change {
	var changes []ledger.Change
	for len(u.b) > 0 {
		c := u.unpackChange(&before)
		if u.err != nil {
			return nil
		}
		changes = append(changes, c)
		before = c
	}
	return changes
}

func (u *unpacker) unpackChange(before *ledger.Change) (c ledger.Change) {
	v := u.uvarint()
	f := flags(v >> 3)
	c.Kind = ledger.ChangeKind(v & 7)
	c.Entry, c.Key, c.RecordedAt = before.Entry, before.Key, before.RecordedAt
	u.last = before.Entry
	if f.has(0) {
		c.Entry = u.id()
	}
	if f.has(1) {
		c.Key = u.text()
	}
	if f.has(2) {
		c.RecordedAt = time.UnixMicro(before.RecordedAt.UnixMicro() + u.varint()).UTC()
	}
	if f.has(3) {
		c.Account, _ = u.account(1)
	}
	if f.has(4) {
		c.Transaction = u.id()
	}
	if f.has(5) {
		c.Hold = u.id()
	}
	if f.has(6) {
		c.Document.Kind = u.text()
		c.Document.ID = u.text()
	}
	if f.has(7) {
		c.Version = u.uvarint()
	}
	if f.has(8) {
		c.State = u.text()
	}
	if f.has(9) {
		c.Amount = u.amount(c.Account.Asset)
	}
	return c
}

// names is where an unpacker finds accounts and assets. What is not known is noted and looked up afterwards.
type names struct {
	accounts func(number int64) (ledger.AccountID, bool)
	assets   func(currency.AssetID) *currency.Definition

	missingAccounts []int64
	missingAssets   []currency.AssetID
}

func (n *names) account(number int64) ledger.AccountID {
	id, ok := n.accounts(number)
	if !ok && !slices.Contains(n.missingAccounts, number) {
		n.missingAccounts = append(n.missingAccounts, number)
	}
	return id
}

func (n *names) asset(id currency.AssetID) *currency.Definition {
	if id == "" {
		return nil // of an account that is missing itself
	}
	d := n.assets(id)
	if d == nil && !slices.Contains(n.missingAssets, id) {
		n.missingAssets = append(n.missingAssets, id)
	}
	return d
}

func (n *names) complete() bool { return len(n.missingAccounts)+len(n.missingAssets) == 0 }
