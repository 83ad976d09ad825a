package ledger

import (
	"fmt"
	"maps"
	"slices"
)

// prepared is an entry made ready for the rule book: copied, checked as far as that needs no rows, with its fingerprint
// and the names of the rows it is about. It may be decided many times; ids are made once and used again.
type prepared struct {
	id       ID
	key      string // empty for the sweep of expired holds
	inputs   []byte
	commands []Command
	post     Post // in place of commands when there is no other: the commonest entry
	only     bool // there is no other
	guards   []Guard
	leases   []Lease
	names    Names    // what the key, the commands, the guards and the leases name, sorted
	first    int      // where its accounts begin among those of its batch
	fault    *Refusal // why the commands can never succeed; said only when the key is new
	ids      minted

	out      *Outcome // where the answer goes
	answered bool
	lent     bool // the store was given the names themselves, and may have kept them

	digested bool       // the inputs are a digest of the post
	plain    bool       // it is nothing but entry
	entry    PlainEntry // see plainEntry

	oneKey [1]string
}

// minted hands out the same new ids in every run of an entry.
type minted struct {
	make  func() ID
	ids   []ID
	space [readyIDs]ID // of a transfer's ids
	next  int
}

// readyIDs is how many ids are made for an entry beforehand: a transfer's.
const readyIDs = 2

func (m *minted) id() ID {
	if m.next == len(m.ids) {
		if m.ids == nil {
			m.ids = m.space[:0]
		}
		m.ids = append(m.ids, m.make())
	}
	m.next++
	return m.ids[m.next-1]
}

// slab is space for what is prepared together.
type slab struct {
	entries  []prepared
	pointers []*prepared
	places   []int
	postings []Posting
	accounts []AccountID
	ids      []ID // that were made for them, when not one by one: readyIDs an entry
	made     int  // entries that had theirs
	touched  int  // see touch
}

// prepare checks an entry. A fault of the key or the inputs is returned; a fault of anything else waits in
// prepared.fault, because an honest retry of a key gets its first answer whatever has become of the commands.
func prepare(e Entry, newID func() ID) (*prepared, *Refusal) {
	p := new(prepared)
	if r := p.prepare(&e, newID, new(slab)); r != nil {
		return nil, r
	}
	return p, nil
}

// prepare is prepare in the space of a slab.
func (p *prepared) prepare(e *Entry, newID func() ID, space *slab) *Refusal {
	*p = prepared{}
	if r := checkKey(e.Key); r != nil {
		return r
	}
	p.key, p.guards, p.ids.make = e.Key, e.Guards, newID
	p.oneKey[0] = e.Key
	p.names.Keys = p.oneKey[:]
	if len(e.Leases) > 0 {
		p.leases = slices.Clone(e.Leases)
	}
	if p.only = p.post.isOnly(e.Commands); p.only {
		space.postings = p.post.copyInto(space.postings)
		p.fault = p.post.check()
		if p.fault != nil {
			p.fault.Command = 0
		}
	} else {
		p.commands, p.fault = checkList(e.Commands)
	}
	if p.fault != nil && e.Inputs == nil {
		return p.fault // commands that are no commands stand for nothing
	}
	var r *Refusal
	if p.only && e.Inputs == nil {
		p.digested = true // see fingerprint
	} else if p.inputs, r = fingerprint(e.Inputs, p.list()); r != nil {
		return r
	}
	if p.fault == nil {
		p.fault = p.checkRest()
	}
	if p.fault != nil {
		return nil
	}
	if ready := space.ids[min(readyIDs*space.made, len(space.ids)):]; len(ready) >= readyIDs {
		p.ids.ids = append(p.ids.space[:0], ready[:readyIDs]...)
		space.made++
	}
	p.id = p.ids.id()
	if p.only && len(p.guards)+len(p.leases) == 0 {
		space.accounts = p.gatherPost(space.accounts)
		p.plain = p.isPlain()
		return nil
	}
	p.gather()
	return nil
}

// list returns the commands.
func (p *prepared) list() []Command {
	if p.only {
		return []Command{p.post}
	}
	return p.commands
}

// isOnly takes the only command of a list, when it is a Post.
func (c *Post) isOnly(list []Command) bool {
	if len(list) != 1 {
		return false
	}
	switch given := list[0].(type) {
	case Post:
		*c = given
	case *Post:
		if given == nil {
			return false
		}
		*c = *given
	default:
		return false
	}
	return true
}

// copyInto is what plain does to a Post; its postings are added to space.
func (c *Post) copyInto(space []Posting) []Posting {
	start := len(space)
	if c.Postings != nil {
		space = append(space, c.Postings...)
		c.Postings = space[start:len(space):len(space)]
	}
	c.EffectiveAt, c.Meta = moment(c.EffectiveAt), maps.Clone(c.Meta)
	return space
}

// gatherPost is gather for an entry that is nothing but a Post. The names are added to space.
func (p *prepared) gatherPost(space []AccountID) []AccountID {
	start := len(space)
	for i := range p.post.Postings {
		space = append(space, p.post.Postings[i].Account)
	}
	names := space[start:len(space):len(space)]
	if len(names) == 2 {
		switch c := names[0].compare(names[1]); {
		case c > 0:
			names[0], names[1] = names[1], names[0]
		case c == 0:
			names = names[:1:1]
		}
	} else if !ascending(names, AccountID.compare) {
		slices.SortFunc(names, AccountID.compare)
		names = slices.Compact(names)
	}
	p.names.Accounts = names
	p.names.Transactions = addID(nil, p.post.ID)
	return space
}

func (p *prepared) checkRest() *Refusal {
	if len(p.commands) == 0 && len(p.guards) == 0 && !p.only {
		return invalid("commands", "an entry has a command or a guard")
	}
	if len(p.guards) > MaxCommands {
		return tooLarge("guards", fmt.Sprintf("%d guards; at most %d", len(p.guards), MaxCommands))
	}
	for i, g := range p.guards {
		if r := g.check(); r != nil {
			return within(fmt.Sprintf("guards[%d]", i), r)
		}
	}
	if len(p.leases) > MaxCommands {
		return tooLarge("leases", fmt.Sprintf("%d leases; at most %d", len(p.leases), MaxCommands))
	}
	for i, l := range p.leases {
		if r := checkDocumentID(l.Document); r != nil {
			return within(fmt.Sprintf("leases[%d].document", i), r)
		}
	}
	return nil
}

func (g Guard) check() *Refusal {
	if g.Check == nil {
		return invalid("check", "is required")
	}
	n := len(g.Reads.Accounts) + len(g.Reads.Holds) + len(g.Reads.Transactions) + len(g.Reads.Documents) + len(g.Reads.References)
	if n > MaxReads {
		return tooLarge("reads", fmt.Sprintf("%d rows; at most %d", n, MaxReads))
	}
	for i, id := range g.Reads.Accounts {
		if r := checkAccount(id); r != nil {
			return within(fmt.Sprintf("reads.accounts[%d]", i), r)
		}
	}
	for i, id := range g.Reads.Documents {
		if r := checkDocumentID(id); r != nil {
			return within(fmt.Sprintf("reads.documents[%d]", i), r)
		}
	}
	for i, ref := range g.Reads.References {
		if r := checkReference(fmt.Sprintf("reads.references[%d]", i), ref); r != nil {
			return r
		}
	}
	return nil
}

// gather names every row that the entry is about. The accounts of holds and transactions are not known yet.
func (p *prepared) gather() {
	n := &p.names
	for _, c := range p.list() {
		n.addCommand(c)
	}
	for _, g := range p.guards {
		n.Accounts = append(n.Accounts, g.Reads.Accounts...)
		n.Holds = append(n.Holds, g.Reads.Holds...)
		n.Transactions = append(n.Transactions, g.Reads.Transactions...)
		n.Documents = append(n.Documents, g.Reads.Documents...)
		n.References = append(n.References, g.Reads.References...)
	}
	for _, l := range p.leases {
		n.Leases = append(n.Leases, l.Document)
	}
	*n = n.Sorted()
}

// addCommand names what a command names itself: by an account, an id, a document or a reference.
func (n *Names) addCommand(c Command) {
	switch c := c.(type) {
	case OpenAccount:
		n.Accounts = append(n.Accounts, c.opened()...)
	case SetAccount:
		n.Accounts = append(n.Accounts, c.Account)
	case Post:
		n.addPostings(c.Postings)
		n.Transactions = addID(n.Transactions, c.ID)
	case Import:
		n.addPostings(c.Postings)
		n.Transactions = addID(n.Transactions, c.ID)
	case Draw:
		n.Accounts = append(append(n.Accounts, c.From...), c.To...)
		n.Transactions = addID(n.Transactions, c.ID)
	case PlaceHold:
		n.Accounts = append(n.Accounts, c.Account)
		n.Holds = addID(n.Holds, c.ID)
	case Capture:
		for _, p := range c.To {
			n.Accounts = append(n.Accounts, p.Account)
		}
		n.Holds = addID(n.Holds, c.Hold.ID)
		n.Transactions = addID(n.Transactions, c.ID)
	case Release:
		n.Holds = addID(n.Holds, c.Hold.ID)
	case Reverse:
		n.addPostings(c.Part)
		n.Transactions = addID(addID(n.Transactions, c.Transaction.ID), c.ID)
	case PutDocument:
		n.Documents = append(n.Documents, c.DocumentID)
		n.References = append(n.References, c.References...)
	case EraseDocument:
		n.Documents = append(n.Documents, c.Document)
		for _, v := range c.Versions {
			n.Versions = append(n.Versions, VersionID{c.Document, v})
		}
	}
}

func (n *Names) addPostings(postings []Posting) {
	n.Accounts = slices.Grow(n.Accounts, len(postings))
	for i := range postings {
		n.Accounts = append(n.Accounts, postings[i].Account)
	}
}

func addID(ids []ID, id ID) []ID {
	if id == (ID{}) {
		return ids
	}
	return append(ids, id)
}
