package memory

import (
	"hash/maphash"
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

	terms  map[accountTerms]uint32 // shared by all accounts that have the same
	shared []accountTerms

	all   order[uint32]
	owned map[string]*order[uint32]
}

type accountName struct {
	id    ledger.AccountID
	owner string
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
	a := &accounts{book: b, terms: make(map[accountTerms]uint32), shared: make([]accountTerms, 1), owned: make(map[string]*order[uint32])}
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
	return a.name(n).id
}

// find returns the number of an id, or 0.
func (a *accounts) find(id ledger.AccountID) uint32 {
	return a.index.find(a.hash(id), func(n uint32) bool { return a.name(n).id == id })
}

// known is find for who writes, and quick when the account was just asked for.
func (a *accounts) known(id ledger.AccountID) uint32 {
	slot := a.seen.of(id.Path)
	if n := *slot; n != 0 && a.name(n).id == id {
		return n
	}
	n := a.find(id)
	*slot = n
	return n
}

// number returns the number of an id and gives it one when it has none.
func (a *accounts) number(id ledger.AccountID) uint32 {
	if id == (ledger.AccountID{}) {
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
	if a.book.mainAsset == "" && a.count == 1 {
		a.book.mainAsset = id.Asset // before the first hash that counts
	}
	a.name(n).id = ledger.AccountID{Path: strings.Clone(id.Path), Asset: currency.AssetID(strings.Clone(string(id.Asset)))}
	a.index.add(a.hash(id), n)
	return n
}

// get returns the account of a number, when there is one.
func (a *accounts) get(n uint32) (info ledger.AccountInfo, there bool) {
	if n == 0 || a.row(n).terms == 0 {
		return info, false
	}
	name, row := a.name(n), a.row(n)
	t := &a.shared[row.terms]
	return ledger.AccountInfo{
		ID: name.id, Owner: name.owner, Type: t.kind, Terms: t.now, Opening: t.opening, OpenedAt: microTime(row.openedFrom),
		Version: row.version, Posted: amountOf(row.posted, t.posted), Held: amountOf(row.held, t.held),
		NextExpiry: microTime(row.expiry), UpdatedAt: microTime(row.updated),
	}, true
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
func (a *accounts) findAll(ids []ledger.AccountID, find func(ledger.AccountID) uint32) []ledger.AccountInfo {
	if len(ids) == 0 {
		return nil
	}
	var found []ledger.AccountInfo
	once := newNumberSet(len(ids))
	for _, id := range ids {
		n := find(id)
		if n == 0 || !once.add(uint64(n)) {
			continue
		}
		if info, there := a.get(n); there {
			if found == nil {
				found = make([]ledger.AccountInfo, 0, len(ids))
			}
			found = append(found, info)
		}
	}
	return found
}

// put replaces an account or adds it.
func (a *accounts) put(info *ledger.AccountInfo) {
	n := a.number(info.ID)
	name, row := a.name(n), a.row(n)
	t := accountTerms{kind: info.Type, now: info.Terms, opening: info.Opening, posted: info.Posted.Asset(), held: info.Held.Asset()}
	if row.terms == 0 {
		a.all.add(n)
		a.own(n, info.Owner)
	} else if name.owner != info.Owner {
		a.disown(n)
		a.own(n, info.Owner)
	}
	if row.terms == 0 || a.shared[row.terms] != t {
		row.terms = a.share(t)
	}
	row.posted, row.held, row.version = unitsOf(info.Posted), unitsOf(info.Held), info.Version
	row.openedFrom, row.updated, row.expiry = info.OpenedAt.UnixMicro(), info.UpdatedAt.UnixMicro(), info.NextExpiry.UnixMicro()
}

// twice reports whether an account is named twice.
func (a *accounts) twice(rows []ledger.AccountInfo) bool {
	once := newNumberSet(len(rows))
	for i := range rows {
		n := a.known(rows[i].ID)
		if n == 0 {
			return repeats(rows, func(r *ledger.AccountInfo) ledger.AccountID { return r.ID })
		}
		if !once.add(uint64(n)) {
			return true
		}
	}
	return false
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
	list := a.owned[owner]
	if list == nil {
		owner = strings.Clone(owner)
		list = &order[uint32]{places: a.all.places}
		a.owned[owner] = list
	} else if len(list.chunks) > 0 {
		owner = a.name(list.chunks[0][0]).owner // share the text
	}
	a.name(n).owner = owner
	list.add(n)
}

func (a *accounts) disown(n uint32) {
	owner := a.name(n).owner
	list := a.owned[owner]
	list.remove(ledger.AccountInfo{ID: a.id(n)}.Position())
	if list.size == 0 {
		delete(a.owned, owner)
	}
}

// page returns a part of a list of accounts.
func (a *accounts) page(list *order[uint32], r ledger.Range) []ledger.AccountInfo {
	return pageOf(list, r, func(n uint32) ledger.AccountInfo {
		info, _ := a.get(n)
		return info
	})
}

func (a *accounts) clone(b *book) *accounts {
	c := newAccounts(b)
	c.index, c.count, c.shared = a.index.clone(), a.count, slices.Clone(a.shared)
	for i := range a.names {
		c.names, c.rows = append(c.names, slices.Clone(a.names[i])), append(c.rows, slices.Clone(a.rows[i]))
	}
	for t, n := range a.terms {
		c.terms[t] = n
	}
	same := func(n uint32) uint32 { return n }
	c.all = *a.all.clone(c.all.places, same)
	for owner, list := range a.owned {
		c.owned[owner] = list.clone(c.all.places, same)
	}
	return c
}
