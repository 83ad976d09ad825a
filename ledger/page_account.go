package ledger

import (
	"context"
	"slices"
)

// sight is what the rows of a page refer to, as far as the filters of a query ask for it.
type sight struct {
	transactions map[ID]*Transaction
	holds        map[ID]*Hold
	versions     map[VersionID]*Document
	owners       map[AccountID]string // of every account met so far: an owner never changes
}

// look reads what the rows of a page refer to.
func (s *sight) look(ctx context.Context, b *Book, q *Query, rows *Rows) error {
	var n Names
	if q.Reference != "" {
		for i := range rows.Lines {
			n.Transactions, n.Holds = addID(n.Transactions, rows.Lines[i].Transaction), addID(n.Holds, rows.Lines[i].Hold)
		}
	}
	for i := range rows.Feed {
		c := &rows.Feed[i]
		if q.Reference != "" {
			n.Holds = addID(n.Holds, c.Hold)
		}
		if q.Reference != "" || q.Owner != "" || q.Asset != "" || q.Account != (AccountID{}) {
			n.Transactions = addID(n.Transactions, c.Transaction)
		}
		if c.Version > 0 && (c.Kind == ChangeDocument || c.Kind == ChangeErasure) && (q.Reference != "" || q.Owner != "") {
			n.Versions = append(n.Versions, VersionID{c.Document, c.Version})
		}
	}
	if err := s.read(ctx, b, n); err != nil {
		return err
	}
	if q.Owner == "" {
		return nil
	}
	var ids []AccountID
	for i := range rows.Holds {
		ids = append(ids, rows.Holds[i].Account)
	}
	for i := range rows.Feed {
		if c := &rows.Feed[i]; c.Account != (AccountID{}) {
			ids = append(ids, c.Account)
		}
	}
	for _, t := range s.transactions {
		ids = appendAccounts(ids, t.Postings)
	}
	for i := range rows.Transactions {
		ids = appendAccounts(ids, rows.Transactions[i].Postings)
	}
	return s.readOwners(ctx, b, ids)
}

func appendAccounts(ids []AccountID, postings []Posting) []AccountID {
	for i := range postings {
		ids = append(ids, postings[i].Account)
	}
	return ids
}

// read takes the rows named in the place of those of the page before.
func (s *sight) read(ctx context.Context, b *Book, n Names) error {
	s.transactions, s.holds, s.versions = map[ID]*Transaction{}, map[ID]*Hold{}, map[VersionID]*Document{}
	if n.Empty() {
		return nil
	}
	n = n.Sorted()
	rows, err := b.store.Read(ctx, b.name, n)
	if err != nil {
		return storeError(err)
	}
	for i := range rows.Transactions {
		s.transactions[rows.Transactions[i].ID] = &rows.Transactions[i]
	}
	for i := range rows.Holds {
		s.holds[rows.Holds[i].ID] = &rows.Holds[i]
	}
	for i := range rows.Versions {
		s.versions[versionName(&rows.Versions[i])] = &rows.Versions[i]
	}
	for _, id := range n.Transactions {
		if s.transactions[id] == nil {
			return corrupt("history without its transaction "+id.String(), nil)
		}
	}
	for _, id := range n.Holds {
		if s.holds[id] == nil {
			return corrupt("history without its hold "+id.String(), nil)
		}
	}
	for _, id := range n.Versions {
		if s.versions[id] == nil {
			return corrupt("history without its version of document "+id.String(), nil)
		}
	}
	return nil
}

func (s *sight) readOwners(ctx context.Context, b *Book, ids []AccountID) error {
	ids = slices.DeleteFunc(distinct(ids, AccountID.compare), func(id AccountID) bool {
		_, known := s.owners[id]
		return known
	})
	if s.owners == nil {
		s.owners = make(map[AccountID]string)
	}
	for part := range slices.Chunk(ids, maxNamed) {
		rows, err := b.store.Read(ctx, b.name, Names{Accounts: part})
		if err != nil {
			return storeError(err)
		}
		for i := range rows.Accounts {
			s.owners[rows.Accounts[i].ID] = rows.Accounts[i].Owner
		}
	}
	return nil
}

// maxNamed bounds how many rows one Read for a filter names.
const maxNamed = 10 * MaxPage

// behind takes the lines of an account for the transactions or holds that made them, so that a list of one account reads
// that account's rows only. Every line is an item, so that the scan goes on behind it; those that tell nothing new do not
// match.
func (s *scan) behind(ctx context.Context, b *Book, lines []Line) ([]found, error) {
	var n Names
	for i := range lines {
		if l := &lines[i]; s.q.List == ListTransactions {
			n.Transactions = addID(n.Transactions, l.Transaction)
		} else if l.Kind == LineHeld {
			n.Holds = append(n.Holds, l.Hold)
		}
	}
	if err := s.seen.read(ctx, b, n); err != nil {
		return nil, err
	}
	if s.q.Owner != "" {
		ids := []AccountID{s.q.Account}
		for _, t := range s.seen.transactions {
			ids = appendAccounts(ids, t.Postings)
		}
		if err := s.seen.readOwners(ctx, b, ids); err != nil {
			return nil, err
		}
	}
	items := make([]found, len(lines))
	for i := range lines {
		l := &lines[i]
		items[i].at = l.Position()
		switch {
		case s.q.List == ListHolds && l.Kind == LineHeld:
			h := s.seen.holds[l.Hold]
			items[i].Hold, items[i].matches = h, s.seen.matchesHold(&s.q, h)
		case s.q.List == ListTransactions && l.Transaction != (ID{}):
			t := s.seen.transactions[l.Transaction]
			if i > 0 && l.Transaction == s.told {
				items[i].at = items[i-1].at // beyond this line already
				continue
			}
			s.told = l.Transaction
			items[i].at = s.beyond(t, l)
			items[i].Transaction, items[i].matches = t, s.seen.matchesTransaction(&s.q, t)
		}
	}
	return items, nil
}

// beyond is the place of the last line, in the direction of the scan, that a transaction has on the account, given the
// first. A transaction's lines on an account follow one another, so that one cursor leads past all of them.
func (s *scan) beyond(t *Transaction, first *Line) Position {
	at := first.Position()
	lines := uint64(0)
	for i := range t.Postings {
		if t.Postings[i].Account == first.Account {
			lines++
		}
	}
	if s.q.Backward {
		at.Number -= lines - 1
	} else {
		at.Number += lines - 1
	}
	return at
}
