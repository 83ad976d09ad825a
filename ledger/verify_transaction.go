package ledger

import (
	"slices"

	"github.com/koshpay/kosh/currency"
)

func (c *checker) readTransactions() error {
	return scanAll(c.ctx, c.b, Range{List: ListTransactions}, func(r *Rows) []Transaction { return r.Transactions }, Transaction.Position,
		c.noteTransaction)
}

func (c *checker) noteTransaction(t *Transaction) {
	c.v.Transactions++
	c.transactions[t.ID] = t
	c.expected[change{kind: ChangeTransaction, id: t.ID}]++
	at := Problem{Kind: ProblemTransaction, Transaction: t.ID}
	c.used = append(c.used, usedKey{t.Key, at})
	if r := checkPostings("postings", t.Postings); r != nil {
		c.problem(at, "%v", r)
	} else if r := checkBalanced(t.Postings); r != nil {
		c.problem(at, "%v", r)
	}
	if t.Reverses != (ID{}) {
		c.reversed[t.Reverses] = append(c.reversed[t.Reverses], t.Postings...)
	}
	c.noteReversed(t)
}

func (c *checker) noteReversed(t *Transaction) {
	if t.Reversed != nil && len(t.Reversed) != len(t.Postings) {
		c.problem(Problem{Kind: ProblemTransaction, Transaction: t.ID}, "%d amounts reversed of %d postings", len(t.Reversed), len(t.Postings))
		t.Reversed = nil
	}
}

// compareTransactions wants one line for each posting, and reversed what reversals took back.
func (c *checker) compareTransactions() {
	for id, t := range c.transactions {
		at := Problem{Kind: ProblemTransaction, Transaction: id}
		rest := c.posted[id]
		for i, p := range t.Postings {
			j := slices.IndexFunc(rest, func(l Line) bool {
				return l.Account == p.Account && l.Side == p.Side && l.Amount == p.Amount &&
					l.RecordedAt.Equal(t.RecordedAt) && l.EffectiveAt.Equal(t.EffectiveAt)
			})
			if j < 0 {
				c.problem(at, "posting %d, %v %s on %s, has no line", i, p.Side, p.Amount, p.Account)
				continue
			}
			c.lines[id] = append(c.lines[id], lineName{rest[j].Account, rest[j].Version})
			rest = slices.Delete(rest, j, j+1)
		}
		for _, l := range rest {
			c.problem(at, "version %d of %s is no posting of it", l.Version, l.Account)
		}
		delete(c.posted, id)
		c.compareReversed(t, at)
	}
	for id, lines := range c.posted {
		for _, l := range lines {
			c.problem(Problem{Kind: ProblemLine, Account: l.Account, Version: l.Version, Transaction: id}, "there is no such transaction")
		}
	}
	for id, t := range c.older {
		c.compareReversed(t, Problem{Kind: ProblemTransaction, Transaction: id})
	}
	for id := range c.reversed {
		if c.transactions[id] == nil && c.older[id] == nil {
			c.problem(Problem{Kind: ProblemTransaction, Transaction: id}, "it is reversed, and does not exist")
		}
	}
}

// compareReversed wants the row to say what the reversals took back: nothing more, nothing less. Of an older transaction,
// some of whose reversals were not read, it may say more.
func (c *checker) compareReversed(t *Transaction, at Problem) {
	type leg struct {
		account AccountID
		side    Side
	}
	sums := make(map[leg]currency.Amount)
	count := func(p Posting, side Side, amount currency.Amount, f func(a, b currency.Amount, id AccountID) (currency.Amount, error)) {
		l := leg{p.Account, side}
		sum, ok := sums[l]
		if !ok {
			sum = currency.Zero(amount.Asset())
		}
		var err error
		if sums[l], err = f(sum, amount, p.Account); err != nil {
			c.problem(at, "%v", err)
		}
	}
	for i, amount := range t.Reversed {
		if less, err := below(t.Postings[i].Amount, amount, t.Postings[i].Account); err != nil || less || amount.Sign() < 0 {
			c.problem(at, "%s reversed of posting %d", amount, i)
		}
		count(t.Postings[i], t.Postings[i].Side, amount, add)
	}
	for _, p := range c.reversed[t.ID] {
		count(p, p.Side.Opposite(), p.Amount, sub)
	}
	for l, sum := range sums {
		if sum.Sign() != 0 && (c.older[t.ID] == nil || sum.Sign() < 0) {
			c.problem(at, "on %s %s more is said to be reversed than was", l.account, sum)
		}
	}
}

func (c *checker) readHolds() error {
	return scanAll(c.ctx, c.b, Range{List: ListHolds}, func(r *Rows) []Hold { return r.Holds }, Hold.Position, c.noteHold)
}

func (c *checker) noteHold(h *Hold) {
	c.v.Holds++
	c.holds[h.ID] = h
	c.used = append(c.used, usedKey{h.Key, Problem{Kind: ProblemHold, Hold: h.ID, Account: h.Account}})
}

func (c *checker) compareHolds() {
	for id, h := range c.holds {
		c.compareHold(h, Problem{Kind: ProblemHold, Hold: id, Account: h.Account})
		delete(c.holdFolds, id)
	}
	for id, f := range c.holdFolds {
		c.problem(Problem{Kind: ProblemHold, Hold: id, Account: f.account}, "it has lines, and does not exist")
	}
	for id, f := range c.accounts {
		at := Problem{Kind: ProblemAccount, Account: id}
		if f.open != f.row.Held {
			c.problem(at, "held is %s, open holds add up to %s", f.row.Held, f.open)
		}
		switch next := f.row.NextExpiry; {
		case next.IsZero() && !f.deadline.IsZero(), !next.IsZero() && !f.deadline.IsZero() && next.After(f.deadline):
			c.problem(at, "the next expiry is %v, a hold is due at %v", next, f.deadline)
		case !next.IsZero() && f.row.Held.Sign() == 0:
			c.problem(at, "a next expiry without holds")
		}
	}
}

func (c *checker) compareHold(h *Hold, at Problem) {
	f := c.holdFolds[h.ID]
	if f == nil {
		c.problem(at, "it has no line")
		return
	}
	if f.older && f.within(h) {
		f.captured, f.released = h.Captured, h.Released // what came before was not read
	}
	if f.account != h.Account || f.placed != h.Amount || f.captured != h.Captured || f.released != h.Released {
		c.problem(at, "amount %s, captured %s, released %s; its lines on %s add up to %s, %s, %s",
			h.Amount, h.Captured, h.Released, f.account, f.placed, f.captured, f.released)
	}
	if f.lines > 0 && !h.UpdatedAt.Equal(f.updated) {
		c.problem(at, "updated at %v, its last line is of %v", h.UpdatedAt, f.updated)
	}
	rest, err := h.Remaining()
	if err != nil {
		c.problem(at, "%v", err)
		return
	}
	state := HoldOpen
	switch {
	case rest.Sign() > 0:
	case h.State == HoldExpired && !h.ExpiresAt.IsZero():
		state = HoldExpired
	case h.Captured.Sign() > 0:
		state = HoldCaptured
	default:
		state = HoldReleased
	}
	if rest.Sign() < 0 || h.State != state {
		c.problem(at, "%s remains of a hold that is %v", rest, h.State)
	}
	if a := c.accounts[h.Account]; a != nil && !c.partial { // which has counted all open holds of the account already
		c.countOpen(a, h, rest, at)
	}
}

// within reports whether a hold says at least what was captured and released since.
func (f *holdFold) within(h *Hold) bool {
	captured, err := below(h.Captured, f.captured, h.Account)
	released, err2 := below(h.Released, f.released, h.Account)
	return err == nil && err2 == nil && !captured && !released
}

// countOpen adds what remains of a hold to what its account must have held.
func (c *checker) countOpen(a *accountFold, h *Hold, rest currency.Amount, at Problem) {
	if h.State != HoldOpen {
		return
	}
	var err error
	if a.open, err = add(a.open, rest, h.Account); err != nil {
		c.problem(at, "%v", err)
	}
	if !h.ExpiresAt.IsZero() && (a.deadline.IsZero() || h.ExpiresAt.Before(a.deadline)) {
		a.deadline = h.ExpiresAt
	}
}
