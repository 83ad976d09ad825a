package memory

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// accounts keeps accounts by number: the number is what everything else remembers of an account. An id has a number as soon
// as anything mentions it, whether there is such an account or not.
type accounts struct {
	book  *book
	index index
	rows  [][]accountRow
	slabs []slab // that rows lie in, by their places in memory
	free  []accountRow
	more  [][]accountMore
	count uint32

	longPaths []string
	largeHeld map[uint32]units
	assets    []currency.AssetID // in the order of their first account
	owners    []string           // 0 is nobody; a number is used again when its last account is gone
	ownerOf   map[string]uint32
	noOwners  []uint32 // numbers that are free

	terms  map[accountTerms]uint32 // shared by all accounts that have the same
	shared []accountTerms

	all   order[uint32]
	owned []*order[uint32] // by owner
}

// accountRow is all of an account that a posting touches, in 128 bytes: two lines of a processor's cache, one page, no pointer.
// Text and balances are not apart, because in a large book whatever lies elsewhere has to be waited for.
type accountRow struct {
	posted       units
	held         int64 // of heldLarge nothing: see accounts.largeHeld
	updated      int64 // microseconds, as all times
	lineTime     int64 // recorded, of the last line
	version      uint64
	terms        uint32 // 0: there is no account, only its name
	owner, asset uint32
	lines        lineList
	is           accountFlags
	length       uint8 // of the path; longPath: it is at a number in accounts.longPaths that stands in its place
	text         [inlinePath]byte
}

// accountMore is what is seldom asked for.
type accountMore struct{ expiry, openedFrom int64 }

type accountFlags uint8

const (
	heldLarge accountFlags = 1 << iota
	expires                // accountMore.expiry is the time
	oddLines               // the versions of the lines are not 1, 2, 3 and so on
)

const (
	inlinePath = 46
	longPath   = inlinePath + 1
)

type units struct {
	hi int64
	lo uint64
}

// accountTerms is what thousands of accounts have in common.
type accountTerms struct {
	kind         ledger.AccountType
	now, opening ledger.Terms
	posted, held *currency.Definition // the assets of the balances
}

const accountChunk = 256

func newAccounts(b *book) *accounts {
	a := &accounts{
		book: b, terms: make(map[accountTerms]uint32), shared: make([]accountTerms, 1),
		owners: make([]string, 1), owned: make([]*order[uint32], 1), ownerOf: make(map[string]uint32),
	}
	a.all.places = a.byPath()
	return a
}

// byPath orders numbers by path and asset.
func (a *accounts) byPath() *places[uint32] {
	return &places[uint32]{
		compare: func(x, y uint32) int {
			p, q := a.id(x), a.id(y)
			if c := strings.Compare(p.Path, q.Path); c != 0 {
				return c
			}
			return strings.Compare(string(p.Asset), string(q.Asset))
		},
		against: func(x uint32, at ledger.Position) int {
			return ledger.AccountInfo{ID: a.id(x)}.Position().Compare(at)
		},
	}
}

func (a *accounts) hash(id ledger.AccountID) uint32 {
	h := maphash.String(a.book.seed, id.Path)
	if id.Asset != a.book.mainAsset {
		h ^= maphash.String(a.book.seed, string(id.Asset)) * 3
	}
	return uint32(h >> 32)
}

func (a *accounts) row(n uint32) *accountRow { return &a.rows[n/accountChunk][n%accountChunk] }

func (a *accounts) rest(n uint32) *accountMore { return &a.more[n/accountChunk][n%accountChunk] }

// path returns the path of an account. Nobody changes the bytes of a row that it may lie in.
func (a *accounts) path(row *accountRow) string {
	if row.length == longPath {
		return a.longPaths[binary.LittleEndian.Uint32(row.text[:])]
	}
	return unsafe.String(&row.text[0], int(row.length)) //nolint:gosec // within the text, which is written once
}

func (a *accounts) setPath(row *accountRow, path string) {
	if len(path) <= inlinePath {
		row.length = uint8(copy(row.text[:], path)) //nolint:gosec // at most inlinePath
		return
	}
	row.length = longPath
	binary.LittleEndian.PutUint32(row.text[:], uint32(len(a.longPaths))) //nolint:gosec // fewer than accounts
	a.longPaths = append(a.longPaths, strings.Clone(path))
}

// id returns the id of a number; of 0 the empty one.
func (a *accounts) id(n uint32) ledger.AccountID {
	if n == 0 {
		return ledger.AccountID{}
	}
	row := a.row(n)
	return ledger.AccountID{Path: a.path(row), Asset: a.assets[row.asset]}
}

// is reports whether a number is that of an id. Whoever was given the id by this store has its very string, and comparing
// costs nothing.
func (a *accounts) is(n uint32, id *ledger.AccountID) bool {
	row := a.row(n)
	return a.path(row) == id.Path && a.assets[row.asset] == id.Asset
}

// find returns the number of an id, or 0.
func (a *accounts) find(id ledger.AccountID) uint32 {
	return a.index.find(a.hash(id), func(n uint32) bool { return a.is(n, &id) })
}

// known is find, and quick for an id that this store gave out: then its path is the very text in the row.
func (a *accounts) known(id *ledger.AccountID) uint32 {
	if n := a.placed(id.Path); n != 0 && a.is(n, id) {
		return n
	}
	return a.find(*id)
}

// placed returns the number of the row that a path lies in, 0 when it lies elsewhere. The path's text is not looked at.
func (a *accounts) placed(path string) uint32 {
	at := uintptr(unsafe.Pointer(unsafe.StringData(path))) //nolint:gosec // only a number: nothing is read there
	low := 0
	for n := len(a.slabs); n > 1; {
		half := n / 2
		if a.slabs[low+half].start <= at {
			low += half
		}
		n -= half
	}
	if low == len(a.slabs) {
		return 0
	}
	const size = unsafe.Sizeof(accountRow{})
	s := &a.slabs[low]
	offset := at - s.start
	if offset >= s.size || offset%size != unsafe.Offsetof(accountRow{}.text) {
		return 0
	}
	return s.first + uint32(offset/size) //nolint:gosec // a number of a row
}

// number returns the number of an id and gives it one when it has none.
func (a *accounts) number(id *ledger.AccountID) uint32 {
	if *id == (ledger.AccountID{}) {
		return 0
	}
	if n := a.known(id); n != 0 {
		return n
	}
	a.count++
	n := a.count
	if int(n/accountChunk) == len(a.rows) {
		a.addRows()
	}
	if a.count == 1 {
		a.book.mainAsset = currency.AssetID(strings.Clone(string(id.Asset))) // before the first hash that counts
	}
	row := a.row(n)
	a.setPath(row, id.Path)
	row.asset = a.assetOf(id.Asset)
	a.index.add(a.hash(*id), n)
	return n
}

// slab is a stretch of memory with rows. The collector moves nothing, so it stays where it is.
type slab struct {
	start, size uintptr
	first       uint32 // number of the first row
}

const mostRows = 64 * accountChunk // of a slab

// addRows adds room for another chunk of rows. Slabs double in size, so that even of a large book there are few.
func (a *accounts) addRows() {
	if len(a.free) == 0 {
		next := len(a.rows) * accountChunk
		a.free = make([]accountRow, min(max(next, accountChunk), mostRows))
		s := slab{
			start: uintptr(unsafe.Pointer(&a.free[0])), //nolint:gosec // only a number
			size:  uintptr(len(a.free)) * unsafe.Sizeof(a.free[0]),
			first: uint32(next), //nolint:gosec // a number of a row
		}
		i, _ := slices.BinarySearchFunc(a.slabs, s, func(x, y slab) int { return cmp.Compare(x.start, y.start) })
		a.slabs = slices.Insert(a.slabs, i, s)
	}
	a.rows, a.free = append(a.rows, a.free[:accountChunk:accountChunk]), a.free[accountChunk:]
	a.more = append(a.more, make([]accountMore, accountChunk))
}

// assetOf returns the number of an asset's text. They are few, and most often the first.
func (a *accounts) assetOf(asset currency.AssetID) uint32 {
	n := slices.Index(a.assets, asset)
	if n < 0 {
		n = len(a.assets)
		a.assets = append(a.assets, currency.AssetID(strings.Clone(string(asset))))
	}
	return uint32(n) //nolint:gosec // fewer than accounts
}

// numbersOf returns the number of each id, 0 for those that have none. It goes over them in steps and not one by one, so
// that a processor waits for the memory of many of them at the same time.
func (a *accounts) numbersOf(ids []ledger.AccountID, s *scratch) []uint32 {
	s.hashes, s.numbers = s.hashes[:0], s.numbers[:0]
	if cap(s.numbers) > muchScratch {
		s.hashes, s.numbers = nil, nil
	}
	for i := range ids {
		a.askFor(&ids[i], s)
	}
	a.answer(s)
	a.confirm(ids, s.numbers)
	return s.numbers
}

// askFor begins to look an id up: it adds its number, when that is known at a glance, or its hash to the scratch.
func (a *accounts) askFor(id *ledger.AccountID, s *scratch) {
	n, h := a.placed(id.Path), uint32(0)
	if n == 0 {
		h = a.hash(*id)
	}
	s.numbers, s.hashes = append(s.numbers, n), append(s.hashes, h)
}

// answer finds the numbers that are still to be found, but for whether they are the right ones, and looks at the rows.
func (a *accounts) answer(s *scratch) {
	var touched uint32
	for i, h := range s.hashes {
		if s.numbers[i] == 0 {
			touched += a.index.touch(h)
		}
	}
	for i, n := range s.numbers {
		if n == 0 {
			s.numbers[i] = a.index.first(s.hashes[i])
		}
	}
	s.touched += uint64(touched) + a.touch(s.numbers)
}

// confirm sees to it that the numbers found are those of the ids.
func (a *accounts) confirm(ids []ledger.AccountID, numbers []uint32) {
	for i, n := range numbers {
		if n != 0 && !a.is(n, &ids[i]) { // another one with the same hash, or of another asset
			numbers[i] = a.find(ids[i])
		}
	}
}

// touch looks at the rows of numbers, at both lines of the processor's cache that each lies in. What it returns means
// nothing.
func (a *accounts) touch(numbers []uint32) (sum uint64) {
	for _, n := range numbers {
		if n != 0 {
			row := a.row(n)
			sum += row.version + uint64(row.length)
		}
	}
	return sum
}

// read reads the account of a number, and reports whether there is one.
func (a *accounts) read(n uint32, info *ledger.AccountInfo) bool {
	if !a.readPlain(n, info) {
		return false
	}
	row := a.row(n)
	info.ID, info.Owner = a.id(n), a.owners[row.owner]
	info.Opening, info.OpenedAt = a.shared[row.terms].opening, microTime(a.rest(n).openedFrom)
	return true
}

// readPlain is read without the id, the owner, the opening and its time, about which a posting does not ask.
func (a *accounts) readPlain(n uint32, info *ledger.AccountInfo) bool {
	if n == 0 {
		return false
	}
	row := a.row(n)
	if row.terms == 0 {
		return false
	}
	t := &a.shared[row.terms]
	info.Type, info.Terms = t.kind, t.now
	info.NextExpiry, info.UpdatedAt = time.Time{}, microTime(row.updated)
	if row.is&expires != 0 {
		info.NextExpiry = microTime(a.rest(n).expiry)
	}
	info.Version, info.Posted, info.Held = row.version, amountOf(row.posted, t.posted), amountOf(a.held(n, row), t.held)
	return true
}

func (a *accounts) held(n uint32, row *accountRow) units {
	if row.is&heldLarge != 0 {
		return a.largeHeld[n]
	}
	return units{row.held >> 63, uint64(row.held)} //nolint:gosec // the bits
}

func (a *accounts) setHeld(n uint32, row *accountRow, held units) {
	if held.hi == int64(held.lo)>>63 { //nolint:gosec // the sign
		if row.is&heldLarge != 0 {
			delete(a.largeHeld, n)
		}
		row.held, row.is = int64(held.lo), row.is&^heldLarge //nolint:gosec // the bits
		return
	}
	row.held, row.is = 0, row.is|heldLarge
	if a.largeHeld == nil {
		a.largeHeld = make(map[uint32]units)
	}
	a.largeHeld[n] = held
}

func (a *accounts) setExpiry(n uint32, row *accountRow, at time.Time) {
	if row.is &^= expires; !at.IsZero() {
		row.is |= expires
		a.rest(n).expiry = at.UnixMicro()
	}
}

func amountOf(u units, def *currency.Definition) currency.Amount {
	if def == nil {
		return currency.Amount{}
	}
	a, err := currency.FromUnits(u.hi, u.lo, def)
	if err != nil {
		panic("memory: a balance that was written does not read: " + err.Error())
	}
	return a
}

func unitsOf(a currency.Amount) units {
	hi, lo := a.Units()
	return units{hi, lo}
}

// findAll returns those of the accounts that exist, each once.
func (a *accounts) findAll(ids []ledger.AccountID, s *scratch) []ledger.AccountInfo {
	if len(ids) == 0 {
		return nil
	}
	numbers := a.numbersOf(ids, s)
	var found []ledger.AccountInfo
	s.once.begin(len(ids))
	for i, n := range numbers {
		if n == 0 || !s.once.add(uint64(n)) {
			continue
		}
		if found == nil {
			found = make([]ledger.AccountInfo, len(ids)-i)[:0]
		}
		found = found[:len(found)+1]
		if !a.read(n, &found[len(found)-1]) {
			found = found[:len(found)-1]
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// put replaces an account, whose number may be known, or adds it.
func (a *accounts) put(info *ledger.AccountInfo, n uint32) {
	if n == 0 {
		n = a.number(&info.ID)
	}
	row := a.row(n)
	if row.terms == 0 {
		a.all.add(n)
		a.own(n, info.Owner)
	} else if a.owners[row.owner] != info.Owner {
		a.disown(n)
		a.own(n, info.Owner)
	}
	if row.terms == 0 || !a.shared[row.terms].of(info) {
		row.terms = a.share(accountTerms{
			kind: info.Type, now: info.Terms, opening: info.Opening, posted: info.Posted.Asset(), held: info.Held.Asset(),
		})
	}
	row.posted, row.version, row.updated = unitsOf(info.Posted), info.Version, info.UpdatedAt.UnixMicro()
	a.setHeld(n, row, unitsOf(info.Held))
	a.setExpiry(n, row, info.NextExpiry)
	if rest, opened := a.rest(n), info.OpenedAt.UnixMicro(); rest.openedFrom != opened {
		rest.openedFrom = opened
	}
}

func (t *accountTerms) of(info *ledger.AccountInfo) bool {
	return t.kind == info.Type && t.posted == info.Posted.Asset() && t.held == info.Held.Asset() &&
		t.now == info.Terms && t.opening == info.Opening
}

// putAll replaces or adds accounts, whose numbers check has looked up.
func (a *accounts) putAll(rows []ledger.AccountInfo, numbers []uint32) {
	for i := range rows {
		a.put(&rows[i], numbers[i])
	}
}

// twice reports whether an account is named twice. It leaves the numbers.
func (a *accounts) twice(rows []ledger.AccountInfo, s *scratch) bool {
	s.accounts = sized(s.accounts, len(rows))
	s.once.begin(len(rows))
	unknown := false
	for i := range rows {
		n := a.known(&rows[i].ID)
		s.accounts[i] = n
		if n == 0 {
			unknown = true
		} else if !s.once.add(uint64(n)) {
			return true
		}
	}
	return unknown && repeats(rows, func(r *ledger.AccountInfo) ledger.AccountID { return r.ID })
}

func (a *accounts) share(t accountTerms) uint32 {
	n, known := a.terms[t]
	if !known {
		n = uint32(len(a.shared)) //nolint:gosec // fewer than accounts
		a.terms[t], a.shared = n, append(a.shared, t)
	}
	return n
}

func (a *accounts) own(n uint32, owner string) {
	number, known := a.ownerOf[owner]
	if !known {
		owner = strings.Clone(owner)
		list := &order[uint32]{places: a.all.places}
		if last := len(a.noOwners) - 1; last >= 0 {
			number, a.noOwners = a.noOwners[last], a.noOwners[:last]
			a.owners[number], a.owned[number] = owner, list
		} else {
			number = uint32(len(a.owners)) //nolint:gosec // fewer than accounts
			a.owners, a.owned = append(a.owners, owner), append(a.owned, list)
		}
		a.ownerOf[owner] = number
	}
	a.row(n).owner = number
	a.owned[number].add(n)
}

func (a *accounts) disown(n uint32) {
	number := a.row(n).owner
	list := a.owned[number]
	list.remove(ledger.AccountInfo{ID: a.id(n)}.Position())
	if list.size == 0 {
		delete(a.ownerOf, a.owners[number])
		a.owners[number], a.owned[number] = "", nil
		a.noOwners = append(a.noOwners, number)
	}
}

// ownedBy returns the list of an owner's accounts, nil when there is none.
func (a *accounts) ownedBy(owner string) *order[uint32] {
	if number, known := a.ownerOf[owner]; known {
		return a.owned[number]
	}
	return nil
}

// page returns a part of a list of accounts.
func (a *accounts) page(list *order[uint32], r ledger.Range) []ledger.AccountInfo {
	return pageOf(list, r, func(n uint32) (info ledger.AccountInfo) {
		a.read(n, &info)
		return info
	})
}

func (a *accounts) clone(b *book) *accounts {
	c := newAccounts(b)
	c.index, c.count, c.shared = a.index.clone(), a.count, slices.Clone(a.shared)
	c.assets, c.owners, c.noOwners = slices.Clone(a.assets), slices.Clone(a.owners), slices.Clone(a.noOwners)
	c.ownerOf = maps.Clone(a.ownerOf)
	c.longPaths, c.largeHeld = slices.Clone(a.longPaths), maps.Clone(a.largeHeld)
	for i := range a.rows {
		c.addRows()
		copy(c.rows[i], a.rows[i])
		copy(c.more[i], a.more[i])
	}
	for t, n := range a.terms {
		c.terms[t] = n
	}
	same := func(n uint32) uint32 { return n }
	c.all = *a.all.clone(c.all.places, same)
	for _, list := range a.owned[1:] {
		if list != nil {
			list = list.clone(c.all.places, same)
		}
		c.owned = append(c.owned, list)
	}
	return c
}
