package ledger

import "time"

func (c *checker) readFeed() error {
	last := c.base.Last
	err := scanAll(c.ctx, c.b, Range{List: ListFeed, After: &Position{Number: last}}, func(r *Rows) []Change { return r.Feed }, Change.FeedPosition, func(f *Change) {
		c.v.Changes++
		if f.Position != last+1 {
			c.problem(Problem{Kind: ProblemFeed, Position: f.Position}, "follows position %d", last)
		}
		last = f.Position
		c.seen = append(c.seen, *f)
	})
	if err != nil {
		return err
	}
	var counted uint64
	err = scanAll(c.ctx, c.b, Range{List: ListSequences}, func(r *Rows) []SequenceRow { return r.Sequences }, SequenceRow.Position,
		func(s *SequenceRow) {
			if s.Name == feedSequence {
				counted = s.Last
			}
		})
	if err != nil {
		return err
	}
	if counted != last {
		c.problem(Problem{Kind: ProblemFeed, Position: last}, "the sequence is at %d", counted)
	}
	return scanAll(c.ctx, c.b, Range{List: ListPending}, func(r *Rows) []PendingRow { return r.Pending }, PendingRow.PendingPosition,
		func(p *PendingRow) {
			for i := range p.Changes {
				c.v.Pending++
				f := &p.Changes[i]
				if f.Position != 0 || f.Entry != p.Entry || !f.RecordedAt.Equal(p.RecordedAt) {
					c.problem(Problem{Kind: ProblemFeed}, "a pending change of entry %s is not of its entry", p.Entry)
				}
				c.seen = append(c.seen, *f)
			}
		})
}

// compareChanges wants every change exactly once, numbered or pending, and those of one account, hold or document in
// the order in which they happened, which is the order of the account's lines.
func (c *checker) compareChanges() {
	type subject struct {
		account  AccountID
		document DocumentID
		hold     ID
	}
	type place struct {
		version uint64
		at      time.Time
	}
	last := make(map[subject]place)
	lines := make(map[AccountID]uint64)
	for i := range c.seen {
		f := &c.seen[i]
		key := change{kind: f.Kind, document: f.Document, version: f.Version, id: f.Transaction}
		s := subject{document: f.Document}
		switch f.Kind {
		case ChangeAccount:
			key.account, s.account = f.Account, f.Account
		case ChangeHold:
			key.id, key.account, key.amount, s.hold = f.Hold, f.Account, f.Amount, f.Hold
		default: // named by document or transaction
		}
		at := Problem{Kind: ProblemFeed, Position: f.Position, Account: f.Account, Document: f.Document, Transaction: f.Transaction, Hold: f.Hold}
		if c.expected[key]--; c.expected[key] < 0 {
			c.problem(at, "a change that did not happen, or is there twice")
		}
		c.compareOrder(f, lines, at)
		if f.Kind == ChangeTransaction || f.Kind == ChangeErasure {
			continue
		}
		if p := last[s]; f.RecordedAt.Before(p.at) || f.Version < p.version {
			c.problem(at, "out of order")
		}
		last[s] = place{f.Version, f.RecordedAt}
	}
	for key, n := range c.expected {
		if n > 0 {
			p := Problem{Kind: ProblemFeed, Account: key.account, Document: key.document, Version: key.version}
			if key.kind == ChangeHold {
				p.Hold = key.id
			} else {
				p.Transaction = key.id
			}
			c.problem(p, "%d changes are neither numbered nor pending", n)
		}
	}
}

// compareOrder wants the lines that the change made to follow those of the account's changes before it. The line of a
// capture is told of twice: by the transaction, then by the hold.
func (c *checker) compareOrder(f *Change, last map[AccountID]uint64, at Problem) {
	made := c.lines[f.Transaction]
	if f.Kind == ChangeAccount || f.Kind == ChangeHold {
		made = []lineName{{f.Account, f.Version}}
		line, met := c.told[made[0]]
		if met && (!line.at.Equal(f.RecordedAt) || (line.kind == LineExpired) != (f.State == HoldExpired.String())) {
			c.problem(at, "its line is %v and recorded at %v", line.kind, line.at)
		}
	}
	for _, l := range made {
		if l.version < last[l.account] || l.version == last[l.account] && f.Kind != ChangeHold {
			at.Account, at.Version = l.account, l.version
			c.problem(at, "out of order: line %d of the account is told of before", last[l.account])
		}
		last[l.account] = max(last[l.account], l.version)
	}
}
