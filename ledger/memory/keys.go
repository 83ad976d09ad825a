package memory

import (
	"encoding/binary"
	"errors"
	"fmt"
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
	asked []askedKey // by the update that runs
	turn  int        // the one of them that was needed last
	sure  bool       // none of them can have been written but under its own turn

	// The list is sorted only when somebody looks at it: keys come in no order, and a sorted place for each would cost more
	// than all else. Readers sort, so they take turns.
	mu     sync.Mutex
	sorted order[ref]
	fresh  []ref // with a row, not yet in sorted
}

// askedKey is a key that an update is about. What is written comes in the order of the entries, as what was asked for did,
// so the key that is needed next is most often the same as before or the next one.
type askedKey struct {
	key  string
	hash uint32
	at   ref // 0: not known yet
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

func (k *keys) find(key string) ref { return k.findHash(k.hash(key), key) }

func (k *keys) findHash(hash uint32, key string) ref {
	return ref(k.index.find(hash, func(n uint32) bool { return string(k.bytes(ref(n))) == key }))
}

// ask finds keys for who writes. It goes over them in steps, so that a processor waits for the memory of many at a time.
func (k *keys) ask(names []string, s *scratch) {
	k.asked, k.turn = sized(k.asked, len(names)), 0
	for i, name := range names {
		k.asked[i] = askedKey{key: name, hash: k.hash(name)}
	}
	k.sure = true
	s.once.begin(len(names))
	for i := range k.asked {
		k.sure = s.once.add(uint64(k.asked[i].hash)+1) && k.sure
	}
	for i := range k.asked {
		k.asked[i].at = ref(k.index.first(k.asked[i].hash))
	}
	for i := range k.asked {
		if a := &k.asked[i]; a.at != 0 && string(k.bytes(a.at)) != a.key { // another one with the same hash
			a.at = k.findHash(a.hash, a.key)
		}
	}
}

// recent returns what was asked for when it is the turn of a key, or nil.
func (k *keys) recent(key string) *askedKey {
	for _, i := range [...]int{k.turn, k.turn + 1, 0} {
		if i < len(k.asked) && k.asked[i].key == key {
			k.turn = i
			return &k.asked[i]
		}
	}
	return nil
}

// known is find for who writes, and quick when the key was asked for.
func (k *keys) known(key string) ref {
	a := k.recent(key)
	switch {
	case a == nil:
		return k.find(key)
	case a.at == 0 && !k.sure:
		a.at = k.findHash(a.hash, key)
	}
	return a.at
}

// word returns the place of a text, and keeps the text when it is new.
func (k *keys) word(key string) ref {
	if at := k.known(key); at != 0 {
		return at
	}
	var space [256]byte
	record := binary.AppendUvarint(space[:keyHead], uint64(len(key)))
	at := k.space.add(append(record, key...))
	if a := k.recent(key); a != nil {
		k.index.add(a.hash, uint32(at))
		a.at = at
	} else {
		k.index.add(k.hash(key), uint32(at))
		k.sure = false // it may be one of those that were asked for all the same
	}
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

// findKeys reads those of the rows of keys that exist, each once. Who writes has asked for them before.
func (b *book) findKeys(names []string, s *scratch, writes bool) (found []ledger.KeyRow) {
	for i, name := range names {
		var at ref
		if writes {
			at = b.keys.asked[i].at
		} else {
			at = b.keys.find(name)
		}
		if b.keys.row(at) == 0 {
			continue
		}
		if found == nil {
			s.once.begin(len(names))
		}
		if s.once.add(uint64(at)) {
			found = append(found, b.keyRow(at))
		}
	}
	return found
}

// checkKeys says what is wrong with the rows of keys to be written.
func (b *book) checkKeys(rows []ledger.KeyRow, s *scratch) error {
	s.once.begin(len(rows))
	for i := range rows {
		key := rows[i].Key
		var hash uint32
		if a := b.keys.recent(key); a != nil {
			hash = a.hash
		} else {
			hash = b.keys.hash(key)
		}
		if !s.once.add(uint64(hash)+1) && repeats(rows, func(k *ledger.KeyRow) string { return k.Key }) {
			return errors.New("memory: a key is written twice in one update")
		}
		if b.keys.row(b.keys.known(key)) != 0 {
			return fmt.Errorf("memory: key %s is there already", key)
		}
	}
	return nil
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
		w.uint(uint64(w.book.accounts.number(&b.Account))<<1 | uint64(other))
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
