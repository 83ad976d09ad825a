package ledger

import (
	"fmt"
	"slices"
)

// prepared is an entry made ready for the rule book: copied, checked as far as that needs no rows, with its fingerprint
// and the names of the rows it is about. It may be decided many times; ids are made once and used again.
type prepared struct {
	id       ID
	key      string // empty for the sweep of expired holds
	inputs   []byte
	commands []Command
	guards   []Guard
	leases   []Lease
	names    Names    // what the key, the commands, the guards and the leases name, sorted
	fault    *Refusal // why the commands can never succeed; said only when the key is new
	ids      minted

	outcome  outcome // once answered
	answered bool
}

// minted hands out the same new ids in every run of an entry.
type minted struct {
	make  func() ID
	ids   []ID
	space [2]ID // of a transfer's ids
	next  int
}

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

// prepare checks an entry. A fault of the key or the inputs is returned; a fault of anything else waits in
// prepared.fault, because an honest retry of a key gets its first answer whatever has become of the commands.
func prepare(e Entry, newID func() ID) (*prepared, *Refusal) {
	if r := checkKey(e.Key); r != nil {
		return nil, r
	}
	p := &prepared{key: e.Key, guards: e.Guards, leases: slices.Clone(e.Leases), ids: minted{make: newID}}
	p.names.Keys = []string{e.Key}
	p.commands, p.fault = checkList(e.Commands)
	if p.fault != nil && e.Inputs == nil {
		return nil, p.fault // commands that are no commands stand for nothing
	}
	var r *Refusal
	if p.inputs, r = fingerprint(e.Inputs, p.commands); r != nil {
		return nil, r
	}
	if p.fault == nil {
		p.fault = p.checkRest()
	}
	if p.fault != nil {
		return p, nil
	}
	p.id = p.ids.id()
	p.gather()
	return p, nil
}

func (p *prepared) checkRest() *Refusal {
	if len(p.commands) == 0 && len(p.guards) == 0 {
		return invalid("commands", "an entry has a command or a guard")
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
	for _, c := range p.commands {
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
