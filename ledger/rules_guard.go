package ledger

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// guard runs guard i: first its own look at the rows, then the commands that it adds.
func (s *step) guard(i int) error {
	v := s.view(&s.p.guards[i])
	field := fmt.Sprintf("guards[%d]", i)
	commands, err := v.ask(i, s.p.guards[i].Check)
	v.closed = true
	if v.undeclared != "" {
		return refuse(ErrUndeclared, "a guard looked at "+v.undeclared).in(field)
	}
	if err != nil {
		return err
	}
	commands, r := checkList(commands)
	if r != nil {
		r = within(fmt.Sprintf("%s.commands[%d]", field, r.Command), r)
		r.Command = -1
		return r
	}
	s.made = nil
	for j, c := range commands {
		if what := v.outside(c); what != "" {
			return refuse(ErrUndeclared, "a guard's command touches "+what).in(fmt.Sprintf("%s.commands[%d]", field, j))
		}
		if err := s.execute(c); err != nil {
			if r, ok := err.(*Refusal); ok { //nolint:errorlint // only the rule book's own
				return within(fmt.Sprintf("%s.commands[%d]", field, j), r)
			}
			return err
		}
	}
	s.guarded = append(s.guarded, s.made...)
	return nil
}

// guardError sorts what a guard returned: a decline is data and burns the key, anything else goes back as it is. A nil
// *Refusal is an error all the same, because Go has it so: whether its guard meant yes or no, nobody can tell.
func guardError(i int, err error) error {
	if r, ok := errors.AsType[*Refusal](err); ok {
		if r == nil {
			return invalid(fmt.Sprintf("guards[%d]", i), "the guard's error is a nil *Refusal; to agree, return nil itself")
		}
		if r.Class == "" {
			r = Refuse(r.Code, r.Public, r.Private)
		}
		if r.Class == Declined {
			return ofGuard(r)
		}
	} else if c, ok := errors.AsType[Code](err); ok && c.Class() == Declined {
		return ofGuard(Refuse(c, "", ""))
	}
	return fmt.Errorf("ledger: guard %d: %w", i, err)
}

// view is what one guard may see.
type view struct {
	s            *step
	accounts     map[AccountID]bool
	holds        map[ID]bool
	transactions map[ID]bool
	documents    map[DocumentID]bool
	references   map[string]bool
	undeclared   string // the first thing looked at that was not declared
	closed       bool   // Check has returned
}

func (s *step) view(g *Guard) *view {
	v := &view{
		s: s, accounts: setOf(g.Reads.Accounts), holds: setOf(g.Reads.Holds), transactions: setOf(g.Reads.Transactions),
		documents: setOf(g.Reads.Documents), references: setOf(g.Reads.References),
	}
	for _, id := range g.Reads.Holds {
		if h, exists, _ := s.w.holds.get(id); exists {
			v.accounts[h.Account] = true
		}
	}
	for _, id := range g.Reads.Transactions {
		if t, exists, _ := s.w.transactions.get(id); exists {
			for i := range t.Postings {
				v.accounts[t.Postings[i].Account] = true
			}
		}
	}
	return v
}

func setOf[K comparable](names []K) map[K]bool {
	set := make(map[K]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// ask calls Check, and survives a panic of it or of the error that it returned.
func (v *view) ask(i int, check func(View) ([]Command, error)) (commands []Command, err error) {
	defer func() {
		if p := recover(); p != nil {
			commands, err = nil, refuse(ErrGuardPanicked, clean(fmt.Sprint(p), MaxTextBytes)).in(fmt.Sprintf("guards[%d]", i))
		}
	}()
	if commands, err = check(v); err != nil {
		return nil, guardError(i, err)
	}
	return commands, nil
}

// outside says what a command touches that was not declared.
func (v *view) outside(c Command) string {
	var n Names
	n.addCommand(c)
	switch {
	case !declaredAll(n.Accounts, v.accounts):
		return "an account"
	case !declaredAll(n.Holds, v.holds):
		return "a hold"
	case !declaredAll(n.Transactions, v.transactions):
		return "a transaction"
	case !declaredAll(n.Documents, v.documents):
		return "a document"
	case !declaredAll(n.References, v.references):
		return "a reference"
	}
	return ""
}

func declaredAll[K comparable](names []K, declared map[K]bool) bool {
	return !slices.ContainsFunc(names, func(n K) bool { return !declared[n] })
}

// may reports whether something was declared, and remembers when it was not.
func may[K comparable](v *view, declared map[K]bool, name K, kind string) bool {
	if v.closed {
		return false // a View that was kept sees nothing
	}
	if !declared[name] {
		if v.undeclared == "" {
			v.undeclared = clean(fmt.Sprintf("%s %v", kind, name), MaxNameBytes)
		}
		return false
	}
	return true
}

func (v *view) Now() time.Time { return v.s.now }

func (v *view) Account(id AccountID) (AccountInfo, bool) {
	if !may(v, v.accounts, id, "account") {
		return AccountInfo{}, false
	}
	a, exists, _ := v.s.w.accounts.get(id)
	if !exists {
		return AccountInfo{}, false
	}
	return *a, true
}

func (v *view) Hold(id ID) (Hold, bool) {
	if !may(v, v.holds, id, "hold") {
		return Hold{}, false
	}
	row, exists, _ := v.s.w.holds.get(id)
	if !exists {
		return Hold{}, false
	}
	h := *row
	h.Meta = maps.Clone(h.Meta)
	return h, true
}

func (v *view) Transaction(id ID) (Transaction, bool) {
	if !may(v, v.transactions, id, "transaction") {
		return Transaction{}, false
	}
	row, exists, _ := v.s.w.transactions.get(id)
	if !exists {
		return Transaction{}, false
	}
	t := *row
	t.Postings, t.Reversed, t.Meta = slices.Clone(t.Postings), slices.Clone(t.Reversed), maps.Clone(t.Meta)
	return t, true
}

func (v *view) Document(id DocumentID) (Document, bool) {
	if !may(v, v.documents, id, "document") {
		return Document{}, false
	}
	row, exists, _ := v.s.w.documents.get(id)
	if !exists {
		return Document{}, false
	}
	d := *row
	d.References, d.Body = slices.Clone(d.References), slices.Clone(d.Body)
	return d, true
}

func (v *view) Reference(ref string) (DocumentID, bool) {
	if !may(v, v.references, ref, "reference") {
		return DocumentID{}, false
	}
	row, exists, _ := v.s.w.references.get(ref)
	if !exists {
		return DocumentID{}, false
	}
	return row.Document, true
}
