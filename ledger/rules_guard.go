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
	accounts     declared[AccountID]
	holds        declared[ID]
	transactions declared[ID]
	documents    declared[DocumentID]
	references   declared[string]
	undeclared   string // the first thing looked at that was not declared
	closed       bool   // Check has returned
}

func (s *step) view(g *Guard) *view {
	v := &view{
		s: s, accounts: declare(g.Reads.Accounts), holds: declare(g.Reads.Holds), transactions: declare(g.Reads.Transactions),
		documents: declare(g.Reads.Documents), references: declare(g.Reads.References),
	}
	for _, id := range g.Reads.Holds {
		if h, exists, _ := s.w.holds.get(id); exists {
			v.accounts.add(h.Account)
		}
	}
	for _, id := range g.Reads.Transactions {
		if t, exists, _ := s.w.transactions.get(id); exists {
			for i := range t.Postings {
				v.accounts.add(t.Postings[i].Account)
			}
		}
	}
	return v
}

// declared are the names of one kind that a guard may use. Few are looked for one by one.
type declared[K comparable] struct {
	names []K
	many  map[K]bool
}

func declare[K comparable](names []K) declared[K] {
	d := declared[K]{names: slices.Clip(names)} // what is added must not reach the guard's own
	if len(names) > few {
		d.index()
	}
	return d
}

func (d *declared[K]) index() {
	d.many = make(map[K]bool, len(d.names))
	for _, n := range d.names {
		d.many[n] = true
	}
}

func (d *declared[K]) has(name K) bool {
	if d.many != nil {
		return d.many[name]
	}
	return slices.Contains(d.names, name)
}

func (d *declared[K]) add(name K) {
	switch {
	case d.has(name):
	case d.many != nil:
		d.many[name] = true
	default:
		if d.names = append(d.names, name); len(d.names) > few {
			d.index()
		}
	}
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
	n := &v.s.w.named
	n.forget()
	n.addCommand(c)
	switch {
	case !v.accounts.all(n.Accounts):
		return "an account"
	case !v.holds.all(n.Holds):
		return "a hold"
	case !v.transactions.all(n.Transactions):
		return "a transaction"
	case !v.documents.all(n.Documents):
		return "a document"
	case !v.references.all(n.References):
		return "a reference"
	}
	return ""
}

func (d *declared[K]) all(names []K) bool {
	return !slices.ContainsFunc(names, func(n K) bool { return !d.has(n) })
}

// may reports whether something was declared, and remembers when it was not.
func may[K comparable](v *view, d *declared[K], name K, kind string) bool {
	if v.closed {
		return false // a View that was kept sees nothing
	}
	if !d.has(name) {
		if v.undeclared == "" {
			v.undeclared = clean(fmt.Sprintf("%s %v", kind, name), MaxNameBytes)
		}
		return false
	}
	return true
}

func (v *view) Now() time.Time { return v.s.now }

func (v *view) Account(id AccountID) (AccountInfo, bool) {
	if !may(v, &v.accounts, id, "account") {
		return AccountInfo{}, false
	}
	a, exists, _ := v.s.w.accounts.get(id)
	if !exists {
		return AccountInfo{}, false
	}
	return *a, true
}

func (v *view) Hold(id ID) (Hold, bool) {
	if !may(v, &v.holds, id, "hold") {
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
	if !may(v, &v.transactions, id, "transaction") {
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
	if !may(v, &v.documents, id, "document") {
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
	if !may(v, &v.references, ref, "reference") {
		return DocumentID{}, false
	}
	row, exists, _ := v.s.w.references.get(ref)
	if !exists {
		return DocumentID{}, false
	}
	return row.Document, true
}
