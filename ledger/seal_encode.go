package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/koshpay/kosh/currency"
)

// encoder appends fields in the form that [Block] documents.
type encoder struct{ b []byte }

func (e *encoder) number(n uint64) { e.b = binary.AppendUvarint(e.b, n) }

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) flag(f bool) {
	if f {
		e.b = append(e.b, 1)
	} else {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) id(id ID) { e.b = append(e.b, id[:]...) }

func (e *encoder) hash(h Hash) { e.b = append(e.b, h[:]...) }

func (e *encoder) time(t time.Time) {
	e.flag(!t.IsZero())
	if !t.IsZero() {
		e.b = binary.AppendVarint(e.b, t.UnixMicro())
	}
}

func (e *encoder) amount(a currency.Amount) {
	e.flag(a.IsValid())
	if a.IsValid() {
		e.text(string(a.AssetID()))
		hi, lo := a.Units()
		e.b = binary.BigEndian.AppendUint64(e.b, uint64(hi)) //nolint:gosec // the bits, sign included
		e.b = binary.BigEndian.AppendUint64(e.b, lo)
	}
}

func (e *encoder) account(id AccountID) {
	e.text(id.Path)
	e.text(string(id.Asset))
}

func (e *encoder) document(id DocumentID) {
	e.text(id.Kind)
	e.text(id.ID)
}

func (e *encoder) note(n Note) {
	e.text(n.Reference)
	e.text(n.Description)
	e.number(uint64(len(n.Meta)))
	for _, k := range sortedKeys(n.Meta) {
		e.text(k)
		e.text(n.Meta[k])
	}
}

func (e *encoder) sum() Hash { return sha256.Sum256(e.b) }

// sealedVersion is what a seal covers of a version of a document.
type sealedVersion struct {
	content Hash
	erased  Erasure
}

func sealVersion(d *Document) sealedVersion {
	e := encoder{b: make([]byte, 0, 256)}
	e.text("kosh version 1")
	e.document(d.DocumentID)
	e.number(d.Version)
	e.text(d.Owner)
	e.text(d.State)
	e.time(d.Due)
	e.text(d.Lane)
	e.number(uint64(len(d.References)))
	for _, r := range d.References {
		e.text(r)
	}
	e.number(uint64(d.Schema))
	e.time(d.CreatedAt)
	e.time(d.UpdatedAt)
	var body Hash
	switch {
	case len(d.Body) > 0:
		body = sha256.Sum256(d.Body)
	case !d.Erased.At.IsZero():
		body = d.Erased.Digest
	}
	e.flag(body != Hash{})
	e.hash(body)
	return sealedVersion{e.sum(), d.Erased}
}

// evidence is what changes refer to: everything of it that never changes.
type evidence interface {
	opening(AccountID) (*AccountInfo, *AssetRow)
	setting(AccountID, uint64) *Terms
	transaction(ID) *Transaction
	hold(ID) *Hold
	version(VersionID) *sealedVersion
}

// digest hashes a change together with what it refers to; false when that is not there. The buffer is used again.
func (e *encoder) digest(c *Change, of evidence) (Hash, bool) {
	e.b = e.b[:0]
	e.text("kosh change 1")
	e.id(c.Entry)
	e.text(c.Key)
	e.time(c.RecordedAt)
	e.number(uint64(c.Kind))
	e.account(c.Account)
	e.id(c.Transaction)
	e.id(c.Hold)
	e.document(c.Document)
	e.number(c.Version)
	e.text(c.State)
	e.amount(c.Amount)
	found := false
	switch c.Kind {
	case ChangeAccount:
		found = e.accountChange(c, of)
	case ChangeTransaction:
		found = e.transaction(of.transaction(c.Transaction))
	case ChangeHold:
		found = e.hold(of.hold(c.Hold))
	case ChangeDocument, ChangeErasure:
		if v := of.version(VersionID{c.Document, c.Version}); v != nil {
			found = true
			e.hash(v.content)
			if c.Kind == ChangeErasure {
				e.time(v.erased.At)
				e.text(v.erased.Reason)
				e.hash(v.erased.Digest)
			}
		}
	}
	return e.sum(), found
}

func (e *encoder) accountChange(c *Change, of evidence) bool {
	if c.Version > 1 {
		t := of.setting(c.Account, c.Version)
		if t == nil {
			return false
		}
		e.amount(t.Floor)
		e.amount(t.Ceiling)
		e.flag(t.DebitsFrozen)
		e.flag(t.CreditsFrozen)
		e.flag(t.Closed)
		return true
	}
	a, asset := of.opening(c.Account)
	if a == nil || asset == nil {
		return false
	}
	e.number(uint64(a.Type))
	e.text(a.Owner)
	e.amount(a.Opening.Floor)
	e.amount(a.Opening.Ceiling)
	e.time(a.OpenedAt)
	e.text(string(asset.ID))
	e.text(asset.Code)
	e.text(asset.Name)
	e.number(uint64(asset.Scale))
	e.number(uint64(asset.Kind))
	return true
}

func (e *encoder) transaction(t *Transaction) bool {
	if t == nil {
		return false
	}
	e.text(t.Key)
	e.time(t.RecordedAt)
	e.time(t.EffectiveAt)
	e.note(t.Note)
	e.id(t.Reverses)
	e.flag(t.Imported)
	e.number(uint64(len(t.Postings)))
	for i := range t.Postings {
		p := &t.Postings[i]
		e.account(p.Account)
		e.number(uint64(p.Side))
		e.amount(p.Amount)
	}
	return true
}

func (e *encoder) hold(h *Hold) bool {
	if h == nil {
		return false
	}
	e.text(h.Key)
	e.account(h.Account)
	e.amount(h.Amount)
	e.time(h.PlacedAt)
	e.time(h.ExpiresAt)
	e.note(h.Note)
	return true
}

// seal makes the block that follows another one from the digests of its changes.
func (b Block) seal(book string, digests []Hash, at time.Time) Block {
	next := Block{Number: b.Number + 1, First: b.Last + 1, Last: b.Last + uint64(len(digests)), SealedAt: at, Previous: b.Hash}
	next.Marks = make([]byte, 0, markBytes*len(digests))
	for _, d := range digests {
		next.Marks = append(next.Marks, d[:markBytes]...)
	}
	next.Hash = next.sum(book, digests)
	return next
}

// markBytes is how much of each digest a block shows.
const markBytes = 8

// sum is the block's hash.
func (b *Block) sum(book string, digests []Hash) Hash {
	e := encoder{b: make([]byte, 0, 128+len(Hash{})*len(digests))}
	e.text("kosh block 1")
	e.text(book)
	e.number(b.Number)
	e.number(b.First)
	e.number(b.Last)
	e.time(b.SealedAt)
	e.hash(b.Previous)
	for _, d := range digests {
		e.hash(d)
	}
	return e.sum()
}
