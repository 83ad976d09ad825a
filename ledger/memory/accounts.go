package memory

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// accounts keeps accounts by number: the number is what everything else remembers of an account. The names, with the
// owners, are apart from the balances, which are all that a posting touches. An id has a number as soon as anything
// mentions it, whether there is such an account or not.
type accounts struct {
	book  *book
	index index
	seen  recall // only for who writes
	names [][]accountName
	rows  [][]accountRow
	count uint32

	paths    texts
	assets   []currency.AssetID // in the order of their first account
	owners   []string           // 0 is nobody; a number is used again when its last account is gone
	ownerOf  map[string]uint32
	noOwners []uint32 // numbers that are free

	terms  map[accountTerms]uint32 // shared by all accounts that have the same
	shared []accountTerms

	all   order[uint32]
	owned []*order[uint32] // by owner
}

// accountName is what of an account does not change, but for the owner.
type accountName struct {
	path  string
	asset uint32
	owner uint32
}

// accountRow is what changes of an account. It has no pointer.
type accountRow struct {
	posted, held                units
	updated, expiry, openedFrom int64 // microseconds
	version                     uint64
	terms                       uint32 // 0: there is no account, only its name
	lines                       lineList
}

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

func (a *accounts) name(n uint32) *accountName { return &a.names[n/accountChunk][n%accountChunk] }
func (a *accounts) row(n uint32) *accountRow   { return &a.rows[n/accountChunk][n%accountChunk] }

// id returns the id of a number; of 0 the empty one.
func (a *accounts) id(n uint32) ledger.AccountID {
	if n == 0 {
		return ledger.AccountID{}
	}
	name := a.name(n)
	return ledger.AccountID{Path: name.path, Asset: a.assets[name.asset]}
}

// is reports whether a number is that of an id. Whoever was given the id by this store has its very string, and comparing
// costs nothing.
func (a *accounts) is(n uint32, id *ledger.AccountID) bool {
	name := a.name(n)
	return name.path == id.Path && a.assets[name.asset] == id.Asset
}

// find returns the number of an id, or 0.
func (a *accounts) find(id ledger.AccountID) uint32 {
	return a.index.find(a.hash(id), func(n uint32) bool { return a.is(n, &id) })
}

// known is find for who writes, and quick when the account was just asked for.
func (a *accounts) known(id *ledger.AccountID) uint32 {
	slot := a.seen.of(id)
	if n := *slot; n != 0 && a.is(n, id) {
		return n
	}
	n := a.find(*id)
	*slot = n
	return n
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
	if int(n/accountChunk) == len(a.names) {
		a.names, a.rows = append(a.names, make([]accountName, accountChunk)), append(a.rows, make([]accountRow, accountChunk))
	}
	if a.count == 1 {
		a.book.mainAsset = currency.AssetID(strings.Clone(string(id.Asset))) // before the first hash that counts
	}
	name := a.name(n)
	name.path, name.asset = a.paths.keep(id.Path), a.assetOf(id.Asset)
	a.index.add(a.hash(*id), n)
	*a.seen.of(id) = n
	return n
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
	s.hashes, s.numbers = sized(s.hashes, len(ids)), sized(s.numbers, len(ids))
	hashes, numbers := s.hashes, s.numbers
	for i := range ids {
		hashes[i] = a.hash(ids[i])
	}
	for i, h := range hashes {
		numbers[i] = a.index.first(h)
	}
	var touched uint64
	for _, n := range numbers {
		if n != 0 {
			row := a.row(n)
			touched += uint64(len(a.name(n).path)) + uint64(row.updated) + uint64(row.lines.newest) //nolint:gosec // any number does
		}
	}
	for _, n := range numbers {
		if n != 0 {
			if path := a.name(n).path; path != "" {
				touched += uint64(path[0])
			}
		}
	}
	s.touched += touched
	for i, n := range numbers {
		if n != 0 && !a.is(n, &ids[i]) { // another one with the same hash
			numbers[i] = a.find(ids[i])
		}
	}
	return numbers
}

// read reads the account of a number, and reports whether there is one.
func (a *accounts) read(n uint32, info *ledger.AccountInfo) bool {
	if !a.readPlain(n, info) {
		return false
	}
	row := a.row(n)
	info.Owner, info.Opening, info.OpenedAt = a.owners[a.name(n).owner], a.shared[row.terms].opening, microTime(row.openedFrom)
	return true
}

// readPlain is read without the owner, the opening and its time, about which a posting does not ask.
func (a *accounts) readPlain(n uint32, info *ledger.AccountInfo) bool {
	if n == 0 {
		return false
	}
	row := a.row(n)
	if row.terms == 0 {
		return false
	}
	t := &a.shared[row.terms]
	info.ID, info.Type, info.Terms = a.id(n), t.kind, t.now
	info.NextExpiry, info.UpdatedAt = microTime(row.expiry), microTime(row.updated)
	info.Version, info.Posted, info.Held = row.version, amountOf(row.posted, t.posted), amountOf(row.held, t.held)
	return true
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
func (a *accounts) findAll(ids []ledger.AccountID, s *scratch, writes bool) []ledger.AccountInfo {
	if len(ids) == 0 {
		return nil
	}
	numbers := a.numbersOf(ids, s)
	if writes {
		a.seen.fit(len(ids))
	}
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
		} else if writes {
			*a.seen.of(&found[len(found)-1].ID) = n
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
	} else if a.owners[a.name(n).owner] != info.Owner {
		a.disown(n)
		a.own(n, info.Owner)
	}
	if row.terms == 0 || !a.shared[row.terms].of(info) {
		row.terms = a.share(accountTerms{
			kind: info.Type, now: info.Terms, opening: info.Opening, posted: info.Posted.Asset(), held: info.Held.Asset(),
		})
	}
	row.posted, row.held, row.version = unitsOf(info.Posted), unitsOf(info.Held), info.Version
	row.openedFrom, row.updated, row.expiry = info.OpenedAt.UnixMicro(), info.UpdatedAt.UnixMicro(), info.NextExpiry.UnixMicro()
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
		owner = a.paths.keep(owner)
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
	a.name(n).owner = number
	a.owned[number].add(n)
}

func (a *accounts) disown(n uint32) {
	number := a.name(n).owner
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
	for i := range a.names {
		c.names, c.rows = append(c.names, slices.Clone(a.names[i])), append(c.rows, slices.Clone(a.rows[i]))
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
