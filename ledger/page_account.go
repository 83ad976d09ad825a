package ledger

import "context"

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
	transactions, holds := make(map[ID]*Transaction), make(map[ID]*Hold)
	if !n.Empty() {
		rows, err := b.store.Read(ctx, b.name, n.Sorted())
		if err != nil {
			return nil, storeError(err)
		}
		for i := range rows.Transactions {
			transactions[rows.Transactions[i].ID] = &rows.Transactions[i]
		}
		for i := range rows.Holds {
			holds[rows.Holds[i].ID] = &rows.Holds[i]
		}
	}
	items := make([]found, len(lines))
	for i := range lines {
		l := &lines[i]
		items[i].at = l.Position()
		switch {
		case s.q.List == ListHolds && l.Kind == LineHeld:
			h := holds[l.Hold]
			if h == nil {
				return nil, corrupt("a line without its hold "+l.Hold.String(), nil).of(l.Account)
			}
			items[i].Hold, items[i].matches = h, s.q.matchesHold(h)
		case s.q.List == ListTransactions && l.Transaction != (ID{}):
			t := transactions[l.Transaction]
			if t == nil {
				return nil, corrupt("a line without its transaction "+l.Transaction.String(), nil).of(l.Account)
			}
			if i > 0 && l.Transaction == s.told {
				items[i].at = items[i-1].at // beyond this line already
				continue
			}
			s.told = l.Transaction
			items[i].at = s.beyond(t, l)
			items[i].Transaction, items[i].matches = t, s.q.matchesTransaction(t)
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
