package ledger

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/koshpay/kosh/currency"
)

// MaxStripes is how many parts a striped account may have. What names one with more is ErrTooLarge.
const MaxStripes = 64

// Stripes says in how many parts an account is kept that everybody writes, so that writers in several processes do not
// wait for one row: {"fees": 8} keeps fees in fees/0 to fees/7, each an account like any other. The whole is written
// fees/*, in any asset, and means
//
//   - in commands, and in what a guard reads and returns, the part that the entry's key chooses, always the same for one
//     key and one number of parts. Receipts, transactions and lines name the part.
//   - in an OpenAccount of an entry, every part; in one that a guard returns, the entry's part. SetAccount and Reverse name
//     the parts.
//   - in Balances, Info and an Account's Balance, all parts together: versions, posted and held are sums, read in one snapshot,
//     and need no setting: they are of the parts up to MaxStripes that exist. Parts of which some grow by debits and some by
//     credits have no sum (ErrTermsDiffer). In a [Query] the whole is the Path fees/; lists of one account are of a part.
//
// Open the whole by an entry of its own, when the process starts: it locks every part, so that in an entry that everybody
// sends it would undo what parts are for. Bounds are of each part, so a striped account is best opened without, and a Draw or
// hold of the whole takes from one part: to empty them all, Post from each what it has. The number of parts may grow
// between two tries of an entry, once the whole is opened again: its key stands for what was asked, fees/*, and not for the
// part. Before it shrinks, empty what will be left.
type Stripes map[string]int

const starSuffix = "/*"

// star returns the path of a striped account without its last segment.
func (id AccountID) star() (path string, is bool) { return strings.CutSuffix(id.Path, starSuffix) }

func (id AccountID) isStriped() bool { return strings.HasSuffix(id.Path, starSuffix) }

// part is part i of the whole.
func (id AccountID) part(i int) AccountID {
	path, _ := id.star()
	return AccountID{Path: path + "/" + strconv.Itoa(i), Asset: id.Asset}
}

// opened are the accounts that an OpenAccount opens.
func (c *OpenAccount) opened() []AccountID {
	if c.parts <= 1 {
		return []AccountID{c.Account}
	}
	whole := AccountID{Path: strings.TrimSuffix(c.Account.Path, "/0") + starSuffix, Asset: c.Account.Asset}
	return whole.parts()[:c.parts]
}

// asGiven is the inputs of an entry that names wholes and gave none: its commands before parts were chosen.
type asGiven []Command

// chooser puts parts in the place of wholes for one entry.
type chooser struct {
	stripes Stripes
	hash    uint32
	guards  bool // these are a guard's commands, which name the one part that it declared
	used    bool
	unknown *Refusal // a whole that is not set up as it should be
}

// unstripe chooses the parts that an entry means. What it leaves alone, the grammar of paths refuses.
func (b *Book) unstripe(e Entry) (Entry, *Refusal) {
	if len(b.stripes) == 0 {
		return e, nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(e.Key)) // never fails
	c := &chooser{stripes: b.stripes, hash: h.Sum32()}
	chosen := c.commands(e.Commands)
	if c.used && e.Inputs == nil {
		given := make(asGiven, len(e.Commands))
		for i := range e.Commands {
			given[i], _ = plain(e.Commands[i])
		}
		e.Inputs = given
	}
	e.Commands = chosen
	e.Guards = slices.Clone(e.Guards)
	for i := range e.Guards {
		e.Guards[i] = c.guard(e.Guards[i])
	}
	return e, c.unknown
}

// account chooses the part of a whole.
func (c *chooser) account(id *AccountID) {
	path, is := id.star()
	if !is {
		return
	}
	if n := c.count(*id); n > 0 {
		id.Path = path + "/" + strconv.Itoa(int(c.hash%uint32(n))) //nolint:gosec // 1 to MaxStripes
	}
}

// count is how many parts a whole has; 0 when it is none.
func (c *chooser) count(id AccountID) int {
	path, is := id.star()
	if !is {
		return 0
	}
	c.used = true
	n := c.stripes[path]
	switch {
	case c.unknown != nil:
	case n <= 0:
		c.unknown = invalid("path", fmt.Sprintf("Config.Stripes does not say how many parts %s has", clip(id.Path)))
	case n > MaxStripes:
		c.unknown = tooLarge("path", fmt.Sprintf("Config.Stripes says that %s has %d parts; at most %d", clip(id.Path), n, MaxStripes))
	}
	return min(max(n, 0), MaxStripes)
}

// commands returns commands of parts only. Lists that name no whole are returned as they are.
func (c *chooser) commands(list []Command) []Command {
	out := make([]Command, len(list))
	for i, given := range list {
		command, ok := plain(given)
		if !ok {
			out[i] = given
			continue
		}
		out[i] = c.command(command)
	}
	return out
}

func (c *chooser) command(command Command) Command {
	switch x := command.(type) {
	case OpenAccount:
		if c.guards {
			c.account(&x.Account)
			return x
		}
		if n := c.count(x.Account); n > 0 {
			x.Account, x.parts = x.Account.part(0), n
			return x
		}
	case Post:
		c.postings(x.Postings)
	case Import:
		c.postings(x.Postings)
	case Draw:
		c.accounts(x.From)
		c.accounts(x.To)
	case PlaceHold:
		c.account(&x.Account)
		return x
	case Capture:
		for i := range x.To {
			c.account(&x.To[i].Account)
		}
	}
	return command // its slices are its own
}

func (c *chooser) postings(postings []Posting) {
	for i := range postings {
		c.account(&postings[i].Account)
	}
}

func (c *chooser) accounts(ids []AccountID) {
	for i := range ids {
		c.account(&ids[i])
	}
}

func (c *chooser) guard(g Guard) Guard {
	g.Reads.Accounts = slices.Clone(g.Reads.Accounts)
	c.accounts(g.Reads.Accounts)
	if check := g.Check; check != nil {
		g.Check = func(v View) ([]Command, error) {
			own := chooser{stripes: c.stripes, hash: c.hash, guards: true} // the View may be asked at any time, by several runs
			commands, err := check(stripedView{v, own})
			if err != nil {
				return nil, err
			}
			return own.commands(commands), nil
		}
	}
	return g
}

// stripedView sees the part that the entry is about in place of the whole.
type stripedView struct {
	View
	c chooser
}

func (v stripedView) Account(id AccountID) (AccountInfo, bool) {
	v.c.account(&id)
	return v.View.Account(id)
}

// parts returns every part that the whole may have.
func (id AccountID) parts() []AccountID {
	parts := make([]AccountID, MaxStripes)
	for i := range parts {
		parts[i] = id.part(i)
	}
	return parts
}

// expand replaces each whole by its parts, and returns for every id where its own begin and end.
func expand(ids []AccountID) (all []AccountID, ends []int) {
	ends = make([]int, len(ids))
	for i, id := range ids {
		if id.isStriped() {
			all = append(all, id.parts()...)
		} else {
			all = append(all, id)
		}
		ends[i] = len(all)
	}
	return all, ends
}

// sumInfo puts the parts of a whole together. What they need not have in common is that of the first.
func sumInfo(whole AccountID, parts []AccountInfo) (AccountInfo, error) {
	sum := parts[0]
	sum.ID = whole
	if err := sameSide(whole, parts); err != nil {
		return sum, err
	}
	for i := 1; i < len(parts); i++ {
		p := &parts[i]
		var err error
		if sum.Posted, err = add(sum.Posted, p.Posted, whole); err != nil {
			return sum, err
		}
		if sum.Held, err = add(sum.Held, p.Held, whole); err != nil {
			return sum, err
		}
		sum.Version += p.Version
		if p.OpenedAt.Before(sum.OpenedAt) {
			sum.OpenedAt = p.OpenedAt
		}
		if p.UpdatedAt.After(sum.UpdatedAt) {
			sum.UpdatedAt = p.UpdatedAt
		}
		if !p.NextExpiry.IsZero() && (sum.NextExpiry.IsZero() || p.NextExpiry.Before(sum.NextExpiry)) {
			sum.NextExpiry = p.NextExpiry
		}
	}
	return sum, nil
}

// sameSide refuses to add what grows by debits to what grows by credits.
func sameSide(whole AccountID, parts []AccountInfo) error {
	for i := 1; i < len(parts); i++ {
		if parts[i].Type.NormalSide() != parts[0].Type.NormalSide() {
			why := fmt.Sprintf("%s is of type %v, %s of type %v: they have no sum", parts[0].ID.Path, parts[0].Type, parts[i].ID.Path, parts[i].Type)
			return refuse(ErrTermsDiffer, why).in("type").of(whole)
		}
	}
	return nil
}

// stripedBalances is Balances when some of the ids are wholes.
func (b *Book) stripedBalances(ctx context.Context, at AsOf, ids []AccountID) ([]Balance, error) {
	infos, err := b.wholeInfos(ctx, ids)
	if err != nil {
		return nil, err
	}
	balances := make([]Balance, len(ids))
	for i, parts := range infos {
		of := make([]Balance, len(parts))
		for j := range parts {
			if of[j], err = b.balanceAt(ctx, &parts[j], at); err != nil {
				return nil, err
			}
		}
		if balances[i] = of[0]; ids[i].isStriped() {
			if err := sameSide(ids[i], parts); err != nil {
				return nil, err
			}
			if balances[i], err = sumBalances(ids[i], of); err != nil {
				return nil, err
			}
		}
	}
	return balances, nil
}

// sumBalances puts the balances of the parts of a whole together.
func sumBalances(whole AccountID, parts []Balance) (Balance, error) {
	asset := parts[0].Posted.Asset()
	sum := Balance{Account: whole, Posted: currency.Zero(asset), Held: currency.Zero(asset)}
	for i := range parts {
		var err error
		if sum.Posted, err = add(sum.Posted, parts[i].Posted, whole); err != nil {
			return sum, err
		}
		if sum.Held, err = add(sum.Held, parts[i].Held, whole); err != nil {
			return sum, err
		}
		sum.Version += parts[i].Version
	}
	var err error
	sum.Available, err = sub(sum.Posted, sum.Held, whole)
	return sum, err
}

// wholeInfos reads the accounts of ids, in one snapshot; a whole has one for every part that exists.
func (b *Book) wholeInfos(ctx context.Context, ids []AccountID) ([][]AccountInfo, error) {
	all, ends := expand(ids)
	for i, id := range ids {
		if r := checkAccount(all[ends[i]-1]); r != nil {
			return nil, r.of(safe(id))
		}
	}
	found, err := b.store.Read(ctx, b.name, Names{Accounts: distinct(all, AccountID.compare)})
	if err != nil {
		return nil, storeError(err)
	}
	byID := make(map[AccountID]*AccountInfo, len(found.Accounts))
	for i := range found.Accounts {
		byID[found.Accounts[i].ID] = &found.Accounts[i]
	}
	infos := make([][]AccountInfo, len(ids))
	first := 0
	for i, id := range ids {
		for _, part := range all[first:ends[i]] {
			if a := byID[part]; a != nil {
				infos[i] = append(infos[i], *a)
			}
		}
		if first = ends[i]; len(infos[i]) == 0 {
			return nil, refuse(ErrAccountNotFound, "").of(id)
		}
	}
	return infos, nil
}
