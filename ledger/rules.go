package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/koshpay/kosh/currency"
)

// The rule book. Every rule of the ledger is in the rules*.go files and nowhere else. It is one pure function of the
// rows found, an entry and a moment: it does no I/O, reads no clock and makes no id of its own, so the same entries give
// the same rows whatever the store.

// outcome is what became of one entry.
type outcome struct {
	receipt Receipt
	err     error
}

// errUnread ends a run that needs rows which nobody has read; working.missing names them.
var errUnread = errors.New("ledger: rows to be read first")

// errNothing ends a sweep that found nothing to do.
var errNothing = errors.New("ledger: nothing to do")

// decide is the rule book's only door: it runs the entries in order on the rows found for the names asked for. Either it
// returns rows to write and one outcome an entry, or names of rows that it must see first. The error is for a caller that
// shares no Update: of a single entry that writes nothing, so that the store need not commit.
func decide(clock time.Time, entries []*prepared, asked Names, found Rows) ([]outcome, Rows, Names) {
	w := newWorking(clock, asked, found)
	return w.decide(entries)
}

func (w *working) decide(entries []*prepared) ([]outcome, Rows, Names) {
	w.outcomes = slices.Grow(again(w.outcomes), len(entries))[:len(entries)]
	w.alone = len(entries) == 1
	for i, p := range entries {
		w.run(p, &w.outcomes[i])
	}
	if !w.missing.Empty() {
		return nil, Rows{}, w.missing.Sorted()
	}
	return w.outcomes, w.rows(), Names{}
}

// run runs one entry: it happens whole, or not at all, or, declined, leaves only its key.
func (w *working) run(p *prepared, o *outcome) {
	w.begin()
	p.ids.next = 1 // the first is the entry's own
	s := &w.step
	*s = step{w: w, p: p, command: -1, space: s.space[:0], cells: s.cells[:0], touched: s.touched[:0]}
	replay, replayed, err := s.lookUp()
	if replayed {
		*o = replay
		return
	}
	if err == nil {
		err = s.perform()
	}
	if err == nil {
		s.finish(&o.receipt)
		return
	}
	w.rollback()
	o.err = err
	if r, ok := err.(*Refusal); ok && r.Class == Declined && p.key != "" { //nolint:errorlint // a wrapped refusal is not the rule book's
		o.receipt = s.burn(r)
	}
}

// step is one entry under way.
type step struct {
	w   *working
	p   *prepared
	now time.Time // the ledger's time of the entry

	command  int // the index for refusals, -1 outside Entry.Commands
	executed int // commands so far, guards' included
	postings int // of their transactions
	bytes    int // of their documents
	made     []Result
	results  []Result
	guarded  []Result

	accounts []AccountID // that are named
	cells    []uint32    // of them in working.accounts
	touched  []uint32    // cells of accounts that have a new line, in order of the first
	space    []AccountID
}

// perform does everything between the look at the key and the receipt.
func (s *step) perform() error {
	if err := s.arrive(); err != nil {
		return err
	}
	if err := s.checkLeases(); err != nil {
		return err
	}
	if err := s.expire(); err != nil {
		return err
	}
	if s.p.key == "" && len(s.w.changes) == s.w.mark.changes {
		return errNothing
	}
	for i := range s.p.guards {
		if err := s.guard(i); err != nil {
			return err
		}
	}
	if s.p.only {
		return s.performPost()
	}
	s.made = nil
	if n := len(s.p.commands); n > 0 {
		s.made = carve(&s.w.results, n, s.w.carved())[:0]
	}
	for i, c := range s.p.commands {
		s.command = i
		if err := s.execute(c); err != nil {
			return s.blame(err)
		}
	}
	s.command, s.results = -1, s.made
	return nil
}

// performPost performs an entry whose only command is a Post.
func (s *step) performPost() error {
	s.command = 0
	if err := s.count(); err != nil {
		return s.blame(err)
	}
	made, err := s.post(&s.p.post)
	if err != nil {
		return s.blame(err)
	}
	s.results = carve(&s.w.results, 1, s.w.carved())
	s.results[0] = made
	s.command = -1
	return nil
}

// blame puts the command that runs into a refusal that names none.
func (s *step) blame(err error) error {
	if r, ok := err.(*Refusal); ok && r.Command < 0 { //nolint:errorlint // only the rule book's own
		r.Command = s.command
	}
	return err
}

// arrive collects the accounts that are named, those of named holds and transactions included, and fixes the time:
// the clock's, or just after the last change of anything named, so that it never runs back on an account or document.
func (s *step) arrive() error {
	w, n := s.w, &s.p.names
	s.accounts = n.Accounts
	if len(n.Holds)+len(n.Transactions) > 0 {
		if err := s.resolve(); err != nil {
			return err
		}
	}
	s.now = w.clock
	for i := range s.accounts {
		c, named := w.placeOf(s.p, i, &s.accounts[i])
		s.cells = append(s.cells, c)
		if !named {
			w.missing.Accounts = append(w.missing.Accounts, s.accounts[i])
		} else if a := w.accounts.at(c); a != nil {
			s.now = later(s.now, a.UpdatedAt)
		}
	}
	for _, id := range n.Documents {
		d, exists, named := w.documents.get(id)
		if !named {
			w.missing.Documents = append(w.missing.Documents, id)
		} else if exists {
			s.now = later(s.now, d.UpdatedAt)
		}
	}
	if !w.missing.Empty() {
		return errUnread
	}
	return nil
}

// resolve adds the accounts of the holds and transactions that are named. They never change, so whoever reads them
// beforehand can name them too and spare a second round.
func (s *step) resolve() error {
	w := s.w
	all := append(s.space, s.accounts...)
	for _, id := range s.p.names.Holds {
		h, exists, named := w.holds.get(id)
		if !named {
			w.missing.Holds = append(w.missing.Holds, id)
		} else if exists {
			all = append(all, h.Account)
		}
	}
	for _, id := range s.p.names.Transactions {
		t, exists, named := w.transactions.get(id)
		if !named {
			w.missing.Transactions = append(w.missing.Transactions, id)
		} else if exists {
			for i := range t.Postings {
				all = append(all, t.Postings[i].Account)
			}
		}
	}
	if !w.missing.Empty() {
		return errUnread
	}
	if s.space = all; !ascending(all, AccountID.compare) {
		slices.SortFunc(all, AccountID.compare)
		all = slices.Compact(all)
	}
	s.accounts = all
	return nil
}

// later returns now, or the first moment after last.
func later(now, last time.Time) time.Time {
	if now.After(last) {
		return now
	}
	return last.Add(time.Microsecond)
}

func (s *step) checkLeases() error {
	for i, l := range s.p.leases {
		row, exists, named := s.w.leases.get(l.Document)
		if !named {
			s.w.missing.Leases = append(s.w.missing.Leases, l.Document)
			return errUnread
		}
		// The clock counts, not the ledger's time: an account whose last change is ahead must not end a lease.
		if !exists || row.Token != l.Token || !row.Until.After(s.w.clock) {
			return refuse(ErrLeaseLost, "document "+clip(l.Document.String())).in(fmt.Sprintf("leases[%d]", i))
		}
	}
	return nil
}

// count counts a command.
func (s *step) count() error {
	if s.executed++; s.executed > MaxCommands {
		return tooLarge("commands", fmt.Sprintf("more than %d commands, guards' included", MaxCommands))
	}
	return nil
}

// execute runs one command on what the earlier ones left.
func (s *step) execute(c Command) error {
	if err := s.count(); err != nil {
		return err
	}
	var made Result
	var err error
	switch c := c.(type) {
	case OpenAccount:
		err = s.openAccounts(c)
	case SetAccount:
		err = s.setAccount(c)
	case Post:
		made, err = s.post(&c)
	case Import:
		made, err = s.importPast(c)
	case Draw:
		made, err = s.draw(c)
	case PlaceHold:
		made, err = s.placeHold(c)
	case Capture:
		made, err = s.capture(c)
	case Release:
		made, err = s.release(c)
	case Reverse:
		made, err = s.reverse(c)
	case PutDocument:
		made, err = s.putDocument(c)
	case EraseDocument:
		made, err = s.eraseDocument(c)
	default:
		err = invalid("", fmt.Sprintf("no command of the ledger: %T", c))
	}
	s.made = append(s.made, made)
	return err
}

// change notes something for the feed, in the order in which it happened.
func (s *step) change(c *Change) {
	c.Entry, c.Key, c.RecordedAt = s.p.id, s.p.key, s.now
	s.w.changes = append(s.w.changes, *c)
}

// finish writes what every accepted entry leaves: its key with the receipt, and its changes for the feed.
func (s *step) finish(receipt *Receipt) {
	w := s.w
	receipt.ID, receipt.Key, receipt.RecordedAt = s.p.id, s.p.key, s.now
	receipt.Results, receipt.Guarded, receipt.Balances = s.results, s.guarded, s.balances()
	if s.p.key != "" {
		row := w.keys.slot(&s.p.key)
		row.Key, row.Inputs, row.Receipt = s.p.key, s.p.fingerprint(), *receipt
	}
	if changes := w.changes[w.mark.changes:len(w.changes):len(w.changes)]; len(changes) > 0 {
		w.pending = append(w.pending, PendingRow{Entry: s.p.id, RecordedAt: s.now, Changes: changes})
	}
}

func (s *step) balances() []Balance {
	n := len(s.touched)
	if n == 0 {
		return nil
	}
	accounts := &s.w.accounts
	if n == 2 && accounts.cells[s.touched[0]].key.compare(accounts.cells[s.touched[1]].key) > 0 {
		s.touched[0], s.touched[1] = s.touched[1], s.touched[0]
	} else if n > 2 {
		slices.SortFunc(s.touched, func(a, b uint32) int { return accounts.cells[a].key.compare(accounts.cells[b].key) })
	}
	balances := carve(&s.w.balances, n, s.w.carved())
	for i, c := range s.touched {
		balances[i] = accounts.at(c).balance()
	}
	return balances
}

// add and sub are checked sums; what goes wrong is a refusal that names the account.
func add(a, b currency.Amount, id AccountID) (currency.Amount, error) {
	sum, err := a.Add(b)
	if err != nil {
		return sum, arithmetic(err, id)
	}
	return sum, nil
}

func sub(a, b currency.Amount, id AccountID) (currency.Amount, error) {
	rest, err := a.Sub(b)
	if err != nil {
		return rest, arithmetic(err, id)
	}
	return rest, nil
}

// below reports whether a < b for two amounts of one account.
func below(a, b currency.Amount, id AccountID) (bool, error) {
	less, err := a.Less(b)
	if err != nil {
		return false, arithmetic(err, id)
	}
	return less, nil
}
