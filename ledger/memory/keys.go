package memory

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"github.com/koshpay/kosh/ledger"
)

// keys keeps the texts of idempotency keys, each once, and what became of each. A text is known from the first row on
// that mentions it; it has a row when its entry was answered.
type keys struct {
	space *arena
	seed  maphash.Seed
	index index
	seen  recall // only for who writes

	// The list is sorted only when somebody looks at it: keys come in no order, and a sorted place for each would cost more
	// than all else. Readers sort, so they take turns.
	mu     sync.Mutex
	sorted order[ref]
	fresh  []ref // with a row, not yet in sorted
}

// A text is a record of the place of its row, its length and its bytes.
const keyHead = refUnit

func newKeys(space *arena, seed maphash.Seed) *keys {
	k := &keys{space: space, seed: seed}
	k.sorted.places = &places[ref]{
		compare: func(a, b ref) int { return strings.Compare(k.text(a), k.text(b)) },
		against: func(a ref, at ledger.Position) int { return ledger.Position{A: k.text(a)}.Compare(at) },
	}
	return k
}

func (k *keys) hash(key string) uint32 {
	return uint32(maphash.String(k.seed, key) >> 32)
}

func (k *keys) bytes(at ref) []byte {
	record := k.space.from(at)[keyHead:]
	n, used := binary.Uvarint(record)
	return record[used:][:n]
}

func (k *keys) text(at ref) string { return string(k.bytes(at)) }

func (k *keys) find(key string) ref {
	return ref(k.index.find(k.hash(key), func(n uint32) bool { return string(k.bytes(ref(n))) == key }))
}

// word returns the place of a text, and keeps the text when it is new.
func (k *keys) word(key string) ref {
	slot := k.seen.of(key)
	if at := ref(*slot); at != 0 && string(k.bytes(at)) == key {
		return at
	}
	if at := k.find(key); at != 0 {
		*slot = uint32(at)
		return at
	}
	var space [64]byte
	record := binary.AppendUvarint(space[:keyHead], uint64(len(key)))
	at := k.space.add(append(record, key...))
	k.index.add(k.hash(key), uint32(at))
	*slot = uint32(at)
	return at
}

// row returns the place of the row of a text, or 0.
func (k *keys) row(at ref) ref {
	if at == 0 {
		return 0
	}
	return ref(binary.LittleEndian.Uint32(k.space.from(at)))
}

func (b *book) putKey(row *ledger.KeyRow) {
	at := b.keys.word(row.Key)
	b.write.begin()
	b.write.keyRow(row)
	record := b.space.add(b.write.buf) // may move the chunk that grows
	binary.LittleEndian.PutUint32(b.space.from(at), uint32(record))
	b.keys.fresh = append(b.keys.fresh, at)
}

func (b *book) findKeys(names []string) (found []ledger.KeyRow) {
	var once *numberSet
	for _, name := range names {
		at := b.keys.find(name)
		if b.keys.row(at) == 0 {
			continue
		}
		if once == nil {
			once = newNumberSet(len(names))
		}
		if once.add(uint64(at)) {
			found = append(found, b.keyRow(at))
		}
	}
	return found
}

func (b *book) keyRow(at ref) ledger.KeyRow {
	r := b.reader(b.keys.row(at))
	return r.keyRow(b.keys.text(at))
}

func (b *book) pageOfKeys(r ledger.Range) []ledger.KeyRow {
	k := b.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	slices.SortFunc(k.fresh, k.sorted.places.compare)
	for _, at := range k.fresh {
		k.sorted.add(at)
	}
	k.fresh = nil
	return pageOf(&k.sorted, r, b.keyRow)
}

func (k *keys) clone(space *arena) *keys {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := newKeys(space, k.seed)
	c.index, c.fresh = k.index.clone(), slices.Clone(k.fresh)
	c.sorted = *k.sorted.clone(c.sorted.places, func(at ref) ref { return at })
	return c
}

// What a row of a key may have beside what all have.
const (
	keyReceiptOther = 1 << iota // the receipt names another key
	keyRefused
	keyGuarded
)

func (w *writer) keyRow(k *ledger.KeyRow) {
	w.idAndTime(k.Receipt.ID, k.Receipt.RecordedAt)
	has := bit(k.Receipt.Key != k.Key, keyReceiptOther) | bit(k.Refusal != nil, keyRefused) | bit(k.Receipt.Guarded != nil, keyGuarded)
	w.byte(has)
	if has&keyReceiptOther != 0 {
		w.text(k.Receipt.Key)
	}
	w.bytes(k.Inputs)
	w.results(k.Receipt.Results)
	if has&keyGuarded != 0 {
		w.results(k.Receipt.Guarded)
	}
	w.balances(k.Receipt.Balances)
	if has&keyRefused != 0 {
		w.refusal(k.Refusal)
	}
}

func (r *reader) keyRow(key string) (k ledger.KeyRow) {
	k.Key, k.Receipt.Key = key, key
	k.Receipt.ID, k.Receipt.RecordedAt = r.idAndTime()
	has := r.byte()
	if has&keyReceiptOther != 0 {
		k.Receipt.Key = r.text()
	}
	k.Inputs, k.Receipt.Results = r.bytes(), r.results()
	if has&keyGuarded != 0 {
		k.Receipt.Guarded = r.results()
	}
	k.Receipt.Balances = r.balances()
	if has&keyRefused != 0 {
		k.Refusal = r.refusal()
	}
	return k
}

func (w *writer) balances(all []ledger.Balance) {
	if all == nil {
		w.uint(0)
		return
	}
	w.uint(uint64(len(all)) + 1)
	for i := range all {
		b := &all[i]
		available, err := b.Posted.Sub(b.Held)
		other := bit(err != nil || available != b.Available, 1)
		w.uint(uint64(w.book.accounts.number(b.Account))<<1 | uint64(other))
		w.uint(b.Version)
		w.amount(b.Posted)
		w.amount(b.Held)
		if other != 0 {
			w.amount(b.Available)
		}
	}
}

func (r *reader) balances() []ledger.Balance {
	n := r.uint()
	if n == 0 {
		return nil
	}
	all := make([]ledger.Balance, n-1)
	for i := range all {
		b, account := &all[i], r.uint()
		b.Account = r.book.accounts.id(uint32(account >> 1)) //nolint:gosec // written from 32 bits
		b.Version, b.Posted, b.Held = r.uint(), r.amount(), r.amount()
		if account&1 != 0 {
			b.Available = r.amount()
		} else {
			b.Available, _ = b.Posted.Sub(b.Held) // it went when it was written
		}
	}
	return all
}

func (w *writer) refusal(f *ledger.Refusal) {
	w.text(string(f.Code))
	w.text(string(f.Class))
	w.int(int64(f.Command))
	w.account(f.Account)
	w.amount(f.Wanted)
	w.amount(f.Available)
	w.text(f.Field)
	w.text(f.Public)
	w.text(f.Private)
}

func (r *reader) refusal() *ledger.Refusal {
	return &ledger.Refusal{
		Code: ledger.Code(r.text()), Class: ledger.Class(r.text()), Command: int(r.int()), Account: r.account(),
		Wanted: r.amount(), Available: r.amount(), Field: r.text(), Public: r.text(), Private: r.text(),
	}
}
