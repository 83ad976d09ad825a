package memory

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"github.com/koshpay/kosh/currency"
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
	fresh  [][]ref // with a row, not yet in sorted; in pieces, because a long slice takes long to grow
}

// askedKey is a key that an update is about. What is written comes in the order of the entries, as what was asked for did,
// so the key that is needed next is most often the same as before or the next one.
type askedKey struct {
	key  string
	hash uint32
	at   ref // 0: not known yet
}

// A text is a record of the place of its row, its length and its bytes; or that of a plain entry, which has its row with it.
const keyHead = refBytes

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
	record := k.space.from(at)
	if at.isPlain() {
		return plainKey(record)
	}
	record = record[keyHead:]
	n, used := binary.Uvarint(record)
	return record[used:][:n]
}

func (k *keys) text(at ref) string { return string(k.bytes(at)) }

func (k *keys) find(key string) ref { return k.findHash(k.hash(key), key) }

func (k *keys) findHash(hash uint32, key string) ref {
	return ref(k.index.find(hash, k.isText(key)))
}

func (k *keys) isText(key string) func(uint32) bool {
	return func(n uint32) bool { return string(k.bytes(ref(n))) == key }
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
	if a := k.recent(key); a != nil {
		a.at = k.addWord(key, a.hash)
		return a.at
	}
	k.sure = false // it may be one of those that were asked for all the same
	return k.addWord(key, k.hash(key))
}

// addWord keeps a text that is new.
func (k *keys) addWord(key string, hash uint32) ref {
	var space [256]byte
	record := binary.AppendUvarint(space[:keyHead], uint64(len(key)))
	at := k.space.add(append(record, key...))
	k.index.add(hash, uint32(at))
	return at
}

// row returns the place of the row of a text, or 0.
func (k *keys) row(at ref) ref {
	if at == 0 || at.isPlain() {
		return at
	}
	return k.space.refAt(at, 0)
}

func (b *book) putKey(row *ledger.KeyRow) {
	at := b.keys.word(row.Key)
	b.write.begin()
	b.write.keyRow(row)
	record := b.space.add(b.write.buf) // may move the chunk that grows
	b.space.setRef(at, 0, record)
	b.keys.addFresh(at)
}

func (k *keys) addFresh(at ref) {
	const piece = 1 << 12
	last := len(k.fresh) - 1
	if last < 0 || len(k.fresh[last]) == piece {
		k.fresh, last = append(k.fresh, nil), last+1
	}
	k.fresh[last] = append(k.fresh[last], at)
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
	if at.isPlain() {
		return r.keyOfPlain()
	}
	return r.keyRow(b.keys.text(at))
}

func (b *book) pageOfKeys(r ledger.Range) []ledger.KeyRow {
	k := b.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	fresh := slices.Concat(k.fresh...)
	slices.SortFunc(fresh, k.sorted.places.compare)
	for _, at := range fresh {
		k.sorted.add(at)
	}
	k.fresh = nil
	return pageOf(&k.sorted, r, b.keyRow)
}

func (k *keys) clone(space *arena) *keys {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := newKeys(space, k.seed)
	c.index, c.fresh = k.index.clone(), [][]ref{slices.Concat(k.fresh...)}
	c.sorted = *k.sorted.clone(c.sorted.places, func(at ref) ref { return at })
	return c
}

// What a row of a key may have beside what all have.
const (
	keyReceiptOther = 1 << iota // the receipt names another key
	keyRefused
	keyGuarded
	keyTransaction // the one result is a transaction that is kept, and the time is its own
	keyDigest      // the inputs are the digest of a post
	keyLines       // the balances are those of lines that are kept, of accounts of the transaction
	keyNear        // the id was made just before the transaction's, which says its first half
)

// keyRow writes what became of a key. Most entries are a transaction and nothing else: its time, its accounts and their
// balances are not written again.
func (w *writer) keyRow(k *ledger.KeyRow) {
	has := bit(k.Receipt.Key != k.Key, keyReceiptOther) | bit(k.Refusal != nil, keyRefused) | bit(k.Receipt.Guarded != nil, keyGuarded)
	at := w.onlyTransaction(k)
	digest, short := postDigest(k.Inputs)
	has |= bit(at != 0, keyTransaction) | bit(short, keyDigest)
	if at != 0 {
		has |= bit(near(k.Receipt.ID, w.book.transactions.idAt(at)), keyNear)
	}
	place := len(w.buf)
	w.byte(has)
	w.keyID(k.Receipt.ID, has)
	if at != 0 {
		w.ref(at)
	} else {
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(k.Receipt.RecordedAt.UnixMicro()))
		w.results(k.Receipt.Results)
	}
	if has&keyReceiptOther != 0 {
		w.text(k.Receipt.Key)
	}
	if short {
		w.buf = append(w.buf, digest[:]...)
	} else {
		w.bytes(k.Inputs)
	}
	if has&keyGuarded != 0 {
		w.results(k.Receipt.Guarded)
	}
	if at != 0 && w.linesOf(at, k.Receipt.Balances) {
		w.buf[place] |= keyLines
	} else {
		w.balances(k.Receipt.Balances)
	}
	if has&keyRefused != 0 {
		w.refusal(k.Refusal)
	}
}

// onlyTransaction returns the place of the transaction that is all that the key's entry made, at the same time, or 0.
func (w *writer) onlyTransaction(k *ledger.KeyRow) ref {
	all := k.Receipt.Results
	if len(all) != 1 || all[0].Transaction == (ledger.ID{}) || all[0] != (ledger.Result{Transaction: all[0].Transaction}) {
		return 0
	}
	at := w.book.transactions.known(all[0].Transaction)
	if at == 0 || timeOf(w.book.space.from(at)) != k.Receipt.RecordedAt.UnixMicro() {
		return 0
	}
	return at
}

// near reports whether a UUIDv7 was made just before another one, so that its first half follows from the other's.
func near(id, next ledger.ID) bool { return before(next) == [8]byte(id[:8]) }

// before returns the first half of the UUIDv7 that was made before one within the same millisecond.
func before(next ledger.ID) (half [8]byte) {
	binary.BigEndian.PutUint64(half[:], binary.BigEndian.Uint64(next[:8])-1)
	return half
}

func (w *writer) keyID(id ledger.ID, has byte) {
	if has&keyNear != 0 {
		w.buf = append(w.buf, id[8:]...)
		return
	}
	w.id(id)
}

// keyHead reads of the row of a key what it begins with: the id of the entry, the time, and the place of the transaction
// that is all it made, if it is.
func (r *reader) keyHead() (id ledger.ID, micros int64, has byte, transaction ref) {
	if has = r.byte(); has&keyNear != 0 {
		copy(id[8:], r.take(8))
	} else {
		id = r.id()
	}
	if has&keyTransaction == 0 {
		return id, int64(binary.LittleEndian.Uint64(r.take(8))), has, 0 //nolint:gosec // the bits
	}
	transaction = r.ref()
	if has&keyNear != 0 {
		half := before(r.book.transactions.idAt(transaction))
		copy(id[:8], half[:])
	}
	return id, timeOf(r.book.space.from(transaction)), has, transaction
}

// keyTime returns the id of the entry and the time that a row of a key tells, in microseconds.
func (b *book) keyTime(row ref) (id ledger.ID, micros int64) {
	r := b.reader(row)
	if row.isPlain() {
		h := r.plainHead()
		return h.entry, h.recorded
	}
	id, micros, _, _ = r.keyHead()
	return id, micros
}

func (r *reader) keyRow(key string) (k ledger.KeyRow) {
	k.Key, k.Receipt.Key = key, key
	id, micros, has, at := r.keyHead()
	k.Receipt.ID, k.Receipt.RecordedAt = id, microTime(micros)
	if at != 0 {
		k.Receipt.Results = []ledger.Result{{Transaction: r.book.transactions.idAt(at)}}
	} else {
		k.Receipt.Results = r.results()
	}
	if has&keyReceiptOther != 0 {
		k.Receipt.Key = r.text()
	}
	if has&keyDigest != 0 {
		k.Inputs = digestText([digestBytes]byte(r.take(digestBytes)))
	} else {
		k.Inputs = r.bytes()
	}
	if has&keyGuarded != 0 {
		k.Receipt.Guarded = r.results()
	}
	if has&keyLines != 0 {
		k.Receipt.Balances = r.balancesOfLines(at)
	} else {
		k.Receipt.Balances = r.balances()
	}
	if has&keyRefused != 0 {
		k.Refusal = r.refusal()
	}
	return k
}

// The inputs of an entry that is a Post are a text that is longer than what it says: a word and 16 bytes in base64.
const (
	digestBytes = 16
	digestMark  = `"post:`
	digestLen   = len(digestMark) + 22 + 1
)

var digestCode = base64.RawURLEncoding.Strict() // so that one text is one digest

func postDigest(inputs []byte) (digest [digestBytes]byte, is bool) {
	if len(inputs) != digestLen || string(inputs[:len(digestMark)]) != digestMark || inputs[digestLen-1] != '"' {
		return digest, false
	}
	text := inputs[len(digestMark) : digestLen-1]
	if bytes.ContainsAny(text, "\r\n") { // which the decoder would ignore
		return digest, false
	}
	n, err := digestCode.Decode(digest[:], text)
	return digest, err == nil && n == digestBytes
}

func digestText(digest [digestBytes]byte) []byte {
	text := digestCode.AppendEncode(append(make([]byte, 0, digestLen), digestMark...), digest[:])
	return append(text, '"')
}

// linesOf writes balances as the postings and the versions that they are of, when the lines with those versions say the
// same. It writes nothing when not.
func (w *writer) linesOf(at ref, all []ledger.Balance) bool {
	if len(all) == 0 || len(all) > 0xff {
		return false
	}
	r := w.book.reader(at)
	w.accounts = r.postingAccounts(w.accounts[:0])
	start := len(w.buf)
	w.byte(byte(len(all))) //nolint:gosec // at most 255
	for i := range all {
		b := &all[i]
		n := w.book.accounts.known(&b.Account)
		posting := slices.Index(w.accounts, n)
		if n == 0 || posting < 0 || !w.sameAsLine(n, b) {
			w.buf = w.buf[:start]
			return false
		}
		w.uint(uint64(posting))
		w.uint(b.Version)
	}
	return true
}

// sameAsLine reports whether a balance is that of the line with its version.
func (w *writer) sameAsLine(n uint32, b *ledger.Balance) bool {
	list := &w.book.accounts.row(n).lines
	if b.Version == 0 || b.Version > uint64(list.count) {
		return false
	}
	version, posted, held := w.book.lineBalance(n, uint32(b.Version-1)) //nolint:gosec // at most count
	available, err := posted.Sub(held)
	return version == b.Version && posted == b.Posted && held == b.Held && err == nil && available == b.Available
}

func (r *reader) balancesOfLines(at ref) []ledger.Balance {
	of := r.book.reader(at)
	accounts := of.postingAccounts(nil)
	all := make([]ledger.Balance, r.byte())
	for i := range all {
		b, n := &all[i], accounts[r.uint()]
		b.Account, b.Version = r.book.accounts.id(n), r.uint()
		b.Posted, b.Held = r.book.balanceAt(n, b.Version)
		b.Available, _ = b.Posted.Sub(b.Held) // it went when it was written
	}
	return all
}

// balanceAt reads the balances of the line with a version. It is the line of that number, unless somebody else than a
// ledger added lines out of order.
func (b *book) balanceAt(n uint32, version uint64) (posted, held currency.Amount) {
	list := &b.accounts.row(n).lines
	number := uint32(version - 1) //nolint:gosec // it was a number of the list when it was written
	for i := range list.count {
		var v uint64
		if v, posted, held = b.lineBalance(n, (number+i)%list.count); v == version {
			break
		}
	}
	return posted, held
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
