package ledger_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/koshpay/kosh/currency"
	"github.com/koshpay/kosh/ledger"
)

// script makes random entries about what the model knows, and about a little that it does not.
type script struct {
	rng   *rand.Rand
	m     *model
	clock *clock
	all   []ledger.AccountID // open or not
	ids   uint32
	holds []ledger.ID // in the order made
	txs   []ledger.ID
}

func (s *script) chance(n int) bool { return s.rng.IntN(n) == 0 }
func (s *script) amount() int64     { return s.rng.Int64N(60) + 1 }

// account is mostly one that is open.
func (s *script) account() ledger.AccountID {
	id := s.all[s.rng.IntN(len(s.all))]
	if s.m.accounts[id] == nil && !s.chance(3) {
		return s.account()
	}
	return id
}

// others returns up to n distinct accounts of an asset, none of them in but.
func (s *script) others(asset currency.AssetID, n int, but ...ledger.AccountID) (ids []ledger.AccountID) {
	for _, i := range s.rng.Perm(len(s.all)) {
		if id := s.all[i]; id.Asset == asset && (s.m.accounts[id] != nil || s.chance(4)) && !slices.Contains(but, id) && len(ids) < n {
			ids = append(ids, id)
		}
	}
	return ids
}

// id is mostly none, so that the ledger makes one; else new, or now and then one that is used already.
func (s *script) id(used []ledger.ID) ledger.ID {
	switch {
	case !s.chance(3):
		return ledger.ID{}
	case s.chance(8) && len(used) > 0:
		return used[s.rng.IntN(len(used))]
	}
	s.ids++
	return uuid.UUID{0: 1, 6: 0x70, 8: 0x80, 13: byte(s.ids >> 16), 14: byte(s.ids >> 8), 15: byte(s.ids)}
}

// pick takes an id that was made before; late ones more often, an unknown one rarely.
func (s *script) pick(known []ledger.ID) ledger.ID {
	if len(known) == 0 || s.chance(40) {
		return ledger.ID{9}
	}
	var id ledger.ID
	for range 3 {
		id = known[max(s.rng.IntN(len(known)), s.rng.IntN(len(known)))]
		if h := s.m.holds[id]; h == nil || h.open {
			break
		}
	}
	return id
}

// effective is mostly none, often past, now and then ahead or too far ahead.
func (s *script) effective() time.Time {
	switch s.rng.IntN(10) {
	case 0, 1, 2:
		return s.clock.Now().Add(-time.Duration(s.rng.IntN(10_000)) * time.Minute)
	case 3:
		return s.clock.Now().Add(time.Duration(s.rng.IntN(49*60)) * time.Minute)
	}
	return time.Time{}
}

// commands makes one to four commands; later ones may be about what earlier ones make.
func (s *script) commands() (list []ledger.Command) {
	for range 1 + s.rng.IntN(4)*s.rng.IntN(2) {
		list = append(list, s.command(list))
	}
	return list
}

func (s *script) command(before []ledger.Command) ledger.Command {
	amount, fact := s.amount(), s.chance(4)
	switch s.rng.IntN(16) {
	case 0, 1, 2:
		from := s.account()
		p := ledger.Transfer(from, s.others(from.Asset, 1, from)[0], cents(amount, from.Asset))
		p.ID, p.Fact, p.EffectiveAt = s.id(s.txs), fact, s.effective()
		return p
	case 3:
		return ledger.Post{ID: s.id(s.txs), Postings: s.postings(), Fact: fact, EffectiveAt: s.effective()}
	case 4:
		at := s.effective()
		if at.IsZero() {
			at = s.clock.Now()
		}
		return ledger.Import{ID: s.id(s.txs), Postings: s.postings(), EffectiveAt: at}
	case 5:
		from := s.account()
		c := ledger.Draw{ID: s.id(s.txs), Amount: cents(amount*2, from.Asset), Fact: fact, EffectiveAt: s.effective()}
		c.From = append(s.others(from.Asset, s.rng.IntN(2), from), from)
		c.To = s.others(from.Asset, 1+s.rng.IntN(3), c.From...)
		return c
	case 6, 7:
		id := s.account()
		c := ledger.PlaceHold{ID: s.id(s.holds), Account: id, Amount: cents(amount, id.Asset), Fact: fact}
		if s.chance(2) {
			c.ExpiresAt = s.clock.Now().Add(time.Duration(s.rng.IntN(200)) * time.Minute)
		}
		return c
	case 8, 9:
		return s.capture(before, amount, fact)
	case 10:
		ref := s.ref(before, s.holds, func(c ledger.Command) bool { _, ok := c.(ledger.PlaceHold); return ok })
		if s.chance(2) {
			return ledger.Release{Hold: ref, All: true}
		}
		return ledger.Release{Hold: ref, Amount: cents(amount, s.assetOf(ref, before))}
	case 11, 12:
		return s.reverse(before, fact)
	case 13:
		return s.set()
	case 14:
		return s.open()
	}
	return s.document()
}

// postings are a split over several accounts, often twice over one of them, in one asset or two.
func (s *script) postings() (list []ledger.Posting) {
	assets := []currency.AssetID{"USD", "EUR"}
	for _, asset := range assets[s.rng.IntN(2):] {
		ids := s.others(asset, 2+s.rng.IntN(2))
		total, side := s.amount()+3, ledger.Debit
		if s.chance(2) {
			side = ledger.Credit
		}
		list = append(list, ledger.Posting{Account: ids[0], Side: side, Amount: cents(total, asset)})
		for i, id := range append(ids[1:], ids[1]) {
			part := total
			if i < len(ids)-1 {
				part = 1 + s.rng.Int64N(total/2)
			}
			total -= part
			list = append(list, ledger.Posting{Account: id, Side: side.Opposite(), Amount: cents(part, asset)})
		}
	}
	s.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// ref names something by its id, or by the earlier command of the list that makes it.
func (s *script) ref(before []ledger.Command, known []ledger.ID, makes func(ledger.Command) bool) ledger.Ref {
	if i := slices.IndexFunc(before, makes); i >= 0 && s.chance(2) {
		return ledger.Nth(i)
	}
	return ledger.ByID(s.pick(known))
}

// assetOf is mostly the asset of a hold.
func (s *script) assetOf(ref ledger.Ref, before []ledger.Command) currency.AssetID {
	if s.chance(30) {
		return "EUR"
	}
	if ref.New {
		return before[ref.Nth].(ledger.PlaceHold).Account.Asset
	}
	if h := s.m.holds[ref.ID]; h != nil {
		return h.account.Asset
	}
	return "USD"
}

func (s *script) capture(before []ledger.Command, amount int64, fact bool) ledger.Command {
	c := ledger.Capture{ID: s.id(s.txs), Fact: fact, Final: s.chance(3), EffectiveAt: s.effective()}
	c.Hold = s.ref(before, s.holds, func(c ledger.Command) bool { _, ok := c.(ledger.PlaceHold); return ok })
	asset := s.assetOf(c.Hold, before)
	for _, id := range s.others(asset, 1+s.rng.IntN(3)) {
		c.To = append(c.To, ledger.Portion{Account: id, Amount: cents(1+amount/3, asset)})
	}
	return c
}

func (s *script) reverse(before []ledger.Command, fact bool) ledger.Command {
	c := ledger.Reverse{ID: s.id(s.txs), All: true, Fact: fact}
	c.Transaction = s.ref(before, s.txs, func(c ledger.Command) bool {
		_, post := c.(ledger.Post)
		_, draw := c.(ledger.Draw)
		return post || draw
	})
	t := s.m.txs[c.Transaction.ID]
	if t == nil || s.chance(3) {
		return c
	}
	// A part: some of one debit and as much of one credit.
	for _, d := range t.legs {
		for _, e := range t.legs {
			if d.debit && !e.debit && d.account.Asset == e.account.Asset && c.All {
				part := cents(1+s.rng.Int64N(min(d.amount, e.amount)), d.account.Asset)
				c.All, c.Part = false, ledger.Transfer(d.account, e.account, part).Postings
			}
		}
	}
	if s.chance(10) && !c.All {
		c.Part[0].Account = s.others(c.Part[0].Account.Asset, 1, c.Part[1].Account)[0]
	}
	return c
}

func (s *script) set() ledger.Command {
	c := ledger.SetAccount{Account: s.account()}
	amount := func(n int64) *currency.Amount { return new(cents(n, c.Account.Asset)) }
	n := s.rng.Int64N(200) - 50
	switch s.rng.IntN(7) {
	case 0:
		c.Floor = amount(-n)
	case 1:
		c.Ceiling = amount(n * 4)
	case 2:
		c.Ceiling, c.Floor = new(currency.Amount{}), new(currency.Amount{})
	case 3:
		c.DebitsFrozen = new(s.chance(3))
	case 4:
		c.CreditsFrozen = new(s.chance(3))
	case 5:
		c.Floor, c.Closed = amount(0), new(false)
	default:
		c.Closed = new(s.chance(2))
	}
	return c
}

// open mostly opens what is there, on the terms of then or now; or what is not, on terms that a new account may not have.
func (s *script) open() ledger.OpenAccount {
	c := ledger.OpenAccount{Account: s.account(), Type: ledger.AccountType(1 + s.rng.IntN(5)), Owner: "o"}
	amount := func(p *int64) currency.Amount {
		if p == nil {
			return currency.Amount{}
		}
		return cents(*p, c.Account.Asset)
	}
	a := s.m.accounts[c.Account]
	switch {
	case a == nil:
		if s.chance(2) {
			c.Floor = amount(new(s.rng.Int64N(20) - 18))
		}
		if s.chance(3) {
			c.Ceiling = amount(new(s.rng.Int64N(2_000) + 2))
		}
	case s.chance(3): // on any terms
	case s.chance(2):
		c.Type, c.Owner, c.Floor, c.Ceiling = a.typ, a.owner, amount(a.opening[0]), amount(a.opening[1])
	default:
		c.Type, c.Owner, c.Floor, c.Ceiling = a.typ, a.owner, amount(a.floor), amount(a.ceiling)
	}
	return c
}

func (s *script) document() ledger.Command {
	id := ledger.DocumentID{Kind: "k", ID: strconv.Itoa(s.rng.IntN(5))}
	version := uint64(0)
	if d := s.m.docs[id]; d != nil {
		version = uint64(len(d.bodies))
	}
	if s.chance(6) {
		c := ledger.EraseDocument{Document: id, Reason: "asked", All: s.chance(2)}
		if !c.All {
			c.Versions = []uint64{1 + s.rng.Uint64N(version+1)}
		}
		return c
	}
	if s.chance(4) {
		version += s.rng.Uint64N(3)
	}
	c := ledger.PutDocument{DocumentID: id, Version: version, References: []string{strconv.Itoa(s.rng.IntN(12))}}
	if s.chance(2) {
		c.Body = json.RawMessage(fmt.Sprint(s.rng.IntN(100)))
	}
	return c
}

// guard makes a guard and what the model is to think of it.
func (s *script) guard() (ledger.Guard, modelGuard) {
	g := modelGuard{account: s.account(), least: s.rng.Int64N(60) - 50, mood: fair}
	if s.chance(6) {
		g.mood = peeks + mood(s.rng.IntN(4))
	}
	for range s.rng.IntN(3) {
		g.commands = append(g.commands, s.command(g.commands))
	}
	if g.mood == reachesOut {
		g.least = -1 << 40
		g.commands = []ledger.Command{ledger.PutDocument{DocumentID: ledger.DocumentID{Kind: "undeclared", ID: "1"}}}
	}
	g.names = namesOf(g.commands)
	g.names.Accounts = append(g.names.Accounts, g.account)
	reads := ledger.Reads{
		Accounts: g.names.Accounts, Holds: g.names.Holds, Transactions: g.names.Transactions, Documents: g.names.Documents, References: g.names.References,
	}
	if g.mood == reachesOut {
		reads.Documents = nil
	}
	return ledger.Guard{Reads: reads, Check: func(v ledger.View) ([]ledger.Command, error) {
		switch g.mood {
		case peeks:
			v.Document(ledger.DocumentID{Kind: "undeclared", ID: "2"})
		case panics:
			panic("boom")
		case fails:
			return nil, errPolicyAway
		}
		a, open := v.Account(g.account)
		if (!open || units(a.Available()) < g.least) && g.mood != reachesOut {
			return nil, ledger.Refuse(codeTooPoor, "", "")
		}
		return g.commands, nil
	}}, g
}

// namesOf lists what commands name, as the documentation of each field says.
func namesOf(commands []ledger.Command) (n ledger.Names) {
	post := func(postings []ledger.Posting) {
		for _, p := range postings {
			n.Accounts = append(n.Accounts, p.Account)
		}
	}
	for _, c := range commands {
		var holds, txs []ledger.ID
		switch c := c.(type) {
		case ledger.OpenAccount:
			n.Accounts = append(n.Accounts, c.Account)
		case ledger.SetAccount:
			n.Accounts = append(n.Accounts, c.Account)
		case ledger.Post:
			post(c.Postings)
			txs = []ledger.ID{c.ID}
		case ledger.Import:
			post(c.Postings)
			txs = []ledger.ID{c.ID}
		case ledger.Draw:
			n.Accounts = slices.Concat(n.Accounts, c.From, c.To)
			txs = []ledger.ID{c.ID}
		case ledger.PlaceHold:
			n.Accounts = append(n.Accounts, c.Account)
			holds = []ledger.ID{c.ID}
		case ledger.Capture:
			for _, p := range c.To {
				n.Accounts = append(n.Accounts, p.Account)
			}
			holds, txs = []ledger.ID{c.Hold.ID}, []ledger.ID{c.ID}
		case ledger.Release:
			holds = []ledger.ID{c.Hold.ID}
		case ledger.Reverse:
			post(c.Part)
			txs = []ledger.ID{c.Transaction.ID, c.ID}
		case ledger.PutDocument:
			n.Documents, n.References = append(n.Documents, c.DocumentID), append(n.References, c.References...)
		case ledger.EraseDocument:
			n.Documents = append(n.Documents, c.Document)
		}
		named := func(id ledger.ID) bool { return id == ledger.ID{} }
		n.Holds = append(n.Holds, slices.DeleteFunc(holds, named)...)
		n.Transactions = append(n.Transactions, slices.DeleteFunc(txs, named)...)
	}
	return n
}
